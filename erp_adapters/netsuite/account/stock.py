"""Goods by location: what is there, what it cost on average, what open orders have committed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from erp_adapters.netsuite.account.world import Rec, Row, World, cents

COST_PLACES = 6
FULFILLED = ("inventoryItem", "kitItem", "nonInventorySaleItem")
"""What is shipped; charges, discounts and gift certificates are only billed."""


@dataclass(frozen=True, slots=True)
class Move:
    """Goods that came (positive) or went."""

    item: int
    location: int
    quantity: Decimal
    cost: Decimal  # of one


def place(world: World, item: int, location: int) -> Row | None:
    """The item's stock at the location."""
    rec = world.get(item, "inventoryItem")
    if rec is None:
        return None
    return next((row for row in rec.rows("locations") if row.ref("location") == location), None)


def parts(world: World, item: int) -> list[tuple[int, Decimal]]:
    """What goes out for one of the item: itself, a kit's members, nothing for what is not kept."""
    rec = world.must(item)
    if rec.type == "inventoryItem":
        return [(rec.id, Decimal(1))]
    if rec.type == "kitItem":
        return [(row.ref("item") or 0, row.amount("quantity")) for row in rec.rows("member")]
    return []


def move(world: World, moves: list[Move], *, back: bool = False) -> None:
    """The goods moved; `back` undoes it."""
    touched = set()
    for one in moves:
        row = place(world, one.item, one.location)
        if row is None:
            continue
        quantity = -one.quantity if back else one.quantity
        held = row.amount("quantityOnHand")
        if quantity > 0 and held + quantity > 0:
            worth = max(held, Decimal(0)) * row.amount("averageCost") + quantity * one.cost
            row.fields["averageCost"] = cents(worth / (max(held, Decimal(0)) + quantity), COST_PLACES)
        row.fields["quantityOnHand"] = held + quantity
        _available(row)
        touched.add(one.item)
    for item in touched:
        world.touch(world.must(item))
    if touched and any((one.quantity > 0) != back for one in moves):
        for waiting in sorted(world.waiting):
            order = world.get(waiting, "salesOrder")
            if order is not None:
                commit(world, order)


def commit(world: World, order: Rec) -> None:
    """The order holds what it still needs and the stock has; the rest is on back order."""
    short = False
    changed = set()
    live = order.letter() in ("B", "D", "E") and not order.deleted
    for row in order.rows("item"):
        item, location = row.ref("item"), row.ref("location") or order.ref("location")
        if item is None or world.must(item).type not in FULFILLED:
            continue
        wanted = max(Decimal(0), row.amount("quantity") - row.amount("quantityFulfilled"))
        chosen = (row.get("commitInventory") or {}).get("id")
        if not live or row.get("isClosed") or chosen == "3":
            wanted = Decimal(0)
        held = row.get("_held") or []
        for part, location_held, quantity in held:
            if (stock := place(world, part, location_held)) is not None:
                stock.fields["quantityCommitted"] -= quantity
                _available(stock)
                changed.add(part)
        needed = parts(world, item)
        can = wanted
        for part, each in needed:
            stock = place(world, part, location) if location is not None else None
            free = stock.amount("quantityAvailable") if stock is not None else Decimal(0)
            can = min(can, max(Decimal(0), free // each if each != 1 else free))
        if needed and chosen == "2" and can < wanted:
            can = Decimal(0)
        row.fields["_held"] = []
        for part, each in needed:
            stock = place(world, part, location) if location is not None else None
            if stock is not None and can:
                stock.fields["quantityCommitted"] = stock.amount("quantityCommitted") + can * each
                _available(stock)
                row.fields["_held"].append((part, location, can * each))
                changed.add(part)
        row.fields["quantityCommitted"] = can
        row.fields["quantityBackOrdered"] = wanted - can
        short = short or wanted > can
    for part in changed:
        world.touch(world.must(part))
    (world.waiting.add if short else world.waiting.discard)(order.id)


def average_cost(world: World, item: int, location: int) -> Decimal:
    row = place(world, item, location)
    return row.amount("averageCost") if row is not None else Decimal(0)


def _available(row: Row) -> None:
    row.fields["quantityAvailable"] = max(Decimal(0), row.amount("quantityOnHand") - row.amount("quantityCommitted"))
