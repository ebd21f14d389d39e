"""Goods that a document moves: shipped, taken back, counted."""

from __future__ import annotations

from decimal import Decimal

from erp_adapters.netsuite.account import stock
from erp_adapters.netsuite.account.errors import user_error
from erp_adapters.netsuite.account.world import Rec, World


def fulfilled(world: World, rec: Rec, old: Rec | None) -> None:
    order = world.must(rec.created_from, "salesOrder")
    fields = rec.fields
    fields.setdefault("shipStatus", {"id": "A", "refName": "Picked"})
    if old is not None and fields["shipStatus"]["id"] < old.fields["shipStatus"]["id"]:
        raise user_error("The status of a fulfillment can not go back.")
    fields["exchangeRate"], fields["currency"] = order.get("exchangeRate"), order.get("currency")
    shipped = fields["shipStatus"]["id"] == "C"
    kept: dict[tuple[int, int], Decimal] = {}
    if old is not None:
        kept = {(move.item, move.location): move.cost for move in old.get("_moves") or []}
    moves = []
    for row in rec.rows("item"):
        location = row.ref("location") or 0
        for part, each in stock.parts(world, row.ref("item") or 0):
            cost = kept.get((part, location), stock.average_cost(world, part, location))
            moves.append(stock.Move(part, location, -row.amount("quantity") * each, cost))
    fields["_moves"] = moves if shipped else []
    if shipped:
        fields.setdefault("shippedDate", fields["tranDate"])


def received(world: World, rec: Rec, old: Rec | None) -> None:
    moves = []
    for row in rec.rows("item"):
        restock = row.get("restock", True)
        location = row.ref("location") or 0
        for part, each in stock.parts(world, row.ref("item") or 0):
            cost = _left_at(world, rec, part)
            if cost is None:
                cost = stock.average_cost(world, part, location)
            where = location if restock else -1  # goods that are not put back are written off
            moves.append(stock.Move(part, where, row.amount("quantity") * each, cost))
    rec.fields["_moves"] = moves


def adjusted(world: World, rec: Rec, old: Rec | None) -> None:
    if rec.ref("account") is None:
        raise user_error("Please enter value(s) for: Adjustment Account")
    if not rec.rows("inventory"):
        raise user_error("You must enter at least one line item for this transaction.")
    moves = []
    for index, row in enumerate(rec.rows("inventory")):
        item, location = row.ref("item") or 0, row.ref("location") or rec.ref("adjLocation")
        if location is None or stock.place(world, item, location) is None:
            raise user_error("Please enter value(s) for: Location", at=f"inventory.items[{index}].location")
        cost = row.amount("unitCost") if row.get("unitCost") is not None else stock.average_cost(world, item, location)
        moves.append(stock.Move(item, location, row.amount("adjustQtyBy"), cost))
    rec.fields["_moves"] = moves


def _left_at(world: World, rec: Rec, item: int) -> Decimal | None:
    """What one of the goods cost when it was shipped, if that can be traced."""
    source = world.get(rec.created_from)
    while source is not None and source.type != "salesOrder":
        source = world.get(source.created_from)
    if source is None:
        return None
    for successor in world.successors(source.id):
        for move in successor.get("_moves") or []:
            if move.item == item and move.quantity < 0:
                return Decimal(move.cost)
    return None
