"""Status letters: what they are follows from what was made of a document."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from erp_adapters.netsuite.account import stock
from erp_adapters.netsuite.account.world import Rec, Row, World

ORDER: Final = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}
RETURN: Final = {
    "A": "Pending Approval",
    "B": "Pending Receipt",
    "C": "Cancelled",
    "D": "Partially Received",
    "E": "Pending Refund/Partially Received",
    "F": "Pending Refund",
    "G": "Refunded",
    "H": "Closed",
}


def status(world: World, rec: Rec, old: Rec | None) -> None:
    """The record has the status that it starts with, where it starts with one."""
    fields = rec.fields
    match rec.type:
        case "salesOrder":
            letter = (fields.get("orderStatus") or {}).get("id") or "A"
            if old is not None and letter in ("A", "B") and (old.letter() or "A") not in ("A", "B"):
                letter = old.letter() or "A"
            fields["orderStatus"] = fields["status"] = {"id": letter, "refName": ORDER[letter]}
        case "returnAuthorization":
            letter = (fields.get("orderStatus") or {}).get("id") or "A"
            if old is not None and letter in ("A", "B") and (old.letter() or "A") not in ("A", "B"):
                letter = old.letter() or "A"
            fields["orderStatus"] = fields["status"] = {"id": letter, "refName": RETURN[letter]}
        case "itemFulfillment":
            fields["status"] = dict(fields["shipStatus"])
        case "customerPayment" | "cashSale":
            kept = bool(fields.get("undepFunds"))
            fields["status"] = {"id": "B", "refName": "Not Deposited"} if kept else {"id": "C", "refName": "Deposited"}
        case "journalEntry":
            fields["status"] = {"id": "B", "refName": "Approved for Posting"}


def refresh_order(world: World, order: Rec) -> None:
    """The order's quantities, status and commitments follow from its fulfilments and invoices."""
    before = (order.fields.get("status"), [dict(row.fields) for row in order.rows("item")])
    _count(world, order)
    letter = _order_letter(world, order)
    order.fields["orderStatus"] = order.fields["status"] = {"id": letter, "refName": ORDER[letter]}
    stock.commit(world, order)
    if before != (order.fields["status"], [dict(row.fields) for row in order.rows("item")]):
        world.touch(order)


def to_ship(world: World, row: Row) -> Decimal:
    """How much of an order's line is still to be fulfilled."""
    if row.get("isClosed") or world.must(row.ref("item")).type not in stock.FULFILLED:
        return Decimal(0)
    return max(Decimal(0), row.amount("quantity") - row.amount("quantityPicked"))


def to_bill(world: World, row: Row) -> Decimal:
    """How much of an order's line can be billed; of a discount, 1 while any of its amount is left."""
    item = world.must(row.ref("item"))
    if item.type == "discountItem":
        return Decimal(0) if row.get("isClosed") or row.get("_billed", 0) == row.amount("amount") else Decimal(1)
    whole = row.amount("quantity")
    shipped = item.type in stock.FULFILLED
    if shipped and (row.get("isClosed") or not world.switches.bill_in_advance):
        whole = row.amount("quantityFulfilled")
    elif row.get("isClosed"):
        whole = Decimal(0)
    return max(Decimal(0), whole - row.amount("quantityBilled"))


def _count(world: World, order: Rec) -> None:
    rows = {row.line: row for row in order.rows("item")}
    for row in rows.values():
        for name in ("quantityFulfilled", "quantityPicked", "quantityBilled"):
            row.fields[name] = Decimal(0)
        row.fields["_billed"] = Decimal(0)
    for rec in world.successors(order.id):
        for made in rec.rows("item"):
            source = rows.get(int(made.get("orderLine") or 0))
            if source is None:
                continue
            if rec.type == "itemFulfillment":
                source.fields["quantityPicked"] += made.amount("quantity")
                if rec.letter() == "C":
                    source.fields["quantityFulfilled"] += made.amount("quantity")
            elif rec.type in ("invoice", "cashSale"):
                source.fields["quantityBilled"] += made.amount("quantity")
                source.fields["_billed"] += made.amount("amount")


def _order_letter(world: World, order: Rec) -> str:
    rows = order.rows("item")
    letter = order.letter() or "A"
    if rows and all(row.get("isClosed") for row in rows):
        return "H"
    if letter == "A":
        return "A"
    left = any(to_ship(world, row) for row in rows)
    unshipped = any(
        row.amount("quantityPicked") > row.amount("quantityFulfilled")
        for row in rows
        if world.must(row.ref("item")).type in stock.FULFILLED
    )
    goods = [row for row in rows if world.must(row.ref("item")).type in stock.FULFILLED and not row.get("isClosed")]
    shipped = any(row.amount("quantityFulfilled") for row in rows)
    unbilled = any(to_bill(world, row) for row in rows)
    if left or unshipped:
        if not shipped:
            return "B"
        due = any(row.amount("quantityFulfilled") > row.amount("quantityBilled") for row in goods)
        return "E" if due else "D"
    return "F" if unbilled else "G"


def refresh_return(world: World, rma: Rec) -> None:
    """The return's quantities and status follow from its receipts and credits."""
    before = (rma.fields.get("status"), [dict(row.fields) for row in rma.rows("item")])
    rows = {row.line: row for row in rma.rows("item")}
    for row in rows.values():
        row.fields["quantityReceived"] = row.fields["quantityBilled"] = Decimal(0)
        row.fields["_billed"] = Decimal(0)
    for rec in world.successors(rma.id):
        for made in rec.rows("item"):
            source = rows.get(int(made.get("orderLine") or 0))
            if source is None:
                continue
            if rec.type == "itemReceipt":
                source.fields["quantityReceived"] += made.amount("quantity")
            elif rec.type in ("creditMemo", "cashRefund"):
                source.fields["quantityBilled"] += made.amount("quantity")
                source.fields["_billed"] += made.amount("amount")
    letter = _return_letter(world, rma)
    rma.fields["orderStatus"] = rma.fields["status"] = {"id": letter, "refName": RETURN[letter]}
    if before != (rma.fields["status"], [dict(row.fields) for row in rma.rows("item")]):
        world.touch(rma)


def _return_letter(world: World, rma: Rec) -> str:
    rows = rma.rows("item")
    if rows and all(row.get("isClosed") for row in rows):
        return "H"
    if (rma.letter() or "A") == "A":
        return "A"
    goods = [row for row in rows if world.must(row.ref("item")).type in stock.FULFILLED and not row.get("isClosed")]
    missing = any(row.amount("quantityReceived") < row.amount("quantity") for row in goods)
    received = any(row.amount("quantityReceived") for row in goods)
    uncredited = any(
        row.amount("quantityBilled") < row.amount("quantity")
        if row.get("quantity") is not None
        else row.get("_billed", 0) != row.amount("amount")
        for row in rows
        if not row.get("isClosed")
    )
    if missing:
        if not received:
            return "B"
        return "E" if any(row.amount("quantityReceived") > row.amount("quantityBilled") for row in goods) else "D"
    return "F" if uncredited else "G"
