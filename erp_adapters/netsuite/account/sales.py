"""What is sold or taken back: amounts, discounts, tax, totals, and the goods that go with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import stock, tax
from erp_adapters.netsuite.account.errors import invalid_value, user_error
from erp_adapters.netsuite.account.settling import settled_by_memo
from erp_adapters.netsuite.account.world import Rec, Row, World, cents

SALES: Final = ("salesOrder", "invoice", "cashSale", "creditMemo", "cashRefund", "returnAuthorization")
RATE_PLACES: Final = 8
CREDITS: Final = ("creditMemo", "cashRefund", "returnAuthorization")


def sold(world: World, rec: Rec, old: Rec | None) -> None:
    digits = places(world, rec)
    if not rec.rows("item"):
        raise user_error("You must enter at least one line item for this transaction.")
    last = Decimal(0)
    for index, row in enumerate(rec.rows("item")):
        before = old.row("item", row.line) if old is not None else None
        last = _amount(world, row, before, last, digits, f"item.items[{index}]")
        if rec.type in ("salesOrder", "returnAuthorization") and before is not None:
            _check_row(row, before)
        if rec.type in ("salesOrder", "returnAuthorization"):
            row.fields.setdefault("isClosed", False)
            row.fields.setdefault("quantityBilled", Decimal(0))
            row.fields.setdefault("quantityFulfilled", Decimal(0))
    rec.sublists["taxDetails"] = [
        detail
        for detail in rec.rows("taxDetails")
        if old is None or detail.get("taxDetailsReference") not in _gone(rec, old)
    ]
    fields = rec.fields
    fields["subtotal"] = sum((row.amount("amount") for row in rec.rows("item")), Decimal(0))
    fields["discountTotal"] = _discount(rec, digits)
    fields["taxTotal"] = tax.taxed(world, rec, digits)
    extra = cents(rec.amount("shippingCost"), digits) + cents(rec.amount("handlingCost"), digits)
    fields["total"] = fields["subtotal"] + fields["discountTotal"] + fields["taxTotal"] + extra
    if fields["total"] < 0:
        raise user_error("The total can not be less than zero.")
    if rec.type == "creditMemo":
        settled_by_memo(world, rec)
    if rec.type in ("invoice", "cashSale", "creditMemo", "cashRefund"):
        rec.fields["_moves"] = _moves(world, rec, old)


def check_source(world: World, rec: Rec) -> None:
    """An edited document takes no more of its source's lines than they have."""
    source = world.get(rec.created_from, "salesOrder", "returnAuthorization")
    if source is None:
        return
    bills = ("invoice", "cashSale", "creditMemo", "cashRefund")
    kinds = bills if rec.type in bills else (rec.type,)
    for row in rec.rows("item"):
        origin = source.row("item", int(row.get("orderLine") or 0))
        if origin is None or rec.type == "returnAuthorization":
            continue
        taken = row.amount("quantity")
        for other in world.successors(source.id):
            if other.id != rec.id and other.type in kinds:
                taken += sum(
                    (one.amount("quantity") for one in other.rows("item") if one.get("orderLine") == origin.line),
                    Decimal(0),
                )
        if taken > origin.amount("quantity"):
            raise user_error(f"The quantity of line {row.line} is more than what is left of line {origin.line}.")


def places(world: World, rec: Rec) -> int:
    """How many decimal places the record's currency has."""
    currency = world.get(rec.ref("currency"), "currency")
    return int(currency.fields["currencyPrecision"]) if currency is not None else 2


def _gone(rec: Rec, old: Rec) -> set[Any]:
    here = {row.get("taxDetailsReference") for row in rec.rows("item")}
    return {row.get("taxDetailsReference") for row in old.rows("item")} - here


def _amount(world: World, row: Row, before: Row | None, last: Decimal, digits: int, at: str) -> Decimal:
    """The row's quantity, rate and amount follow from those that were given."""
    item = world.get(row.ref("item"))
    if item is None:
        raise user_error("Please enter value(s) for: Item", at=f"{at}.item")
    fields = row.fields
    given = fields.get("_given", frozenset(fields)) if before is not None else frozenset(fields)
    percent = str(fields.get("rate", "")).endswith("%")
    if item.type == "discountItem":
        fields.pop("quantity", None)
        if percent:
            fields["amount"] = cents(last * Decimal(str(fields["rate"])[:-1]) / 100, digits)
        elif "amount" not in given or "amount" not in fields:
            fields["amount"] = row.amount("rate") if "rate" in given or "amount" not in fields else row.amount("amount")
        fields["amount"] = cents(row.amount("amount"), digits)
        return last
    quantity = fields.setdefault("quantity", Decimal(1))
    if quantity < 0:
        raise invalid_value(quantity, "quantity", f"{at}.quantity")
    if "amount" in given and "amount" in fields:
        if ("rate" not in given or "rate" not in fields) and quantity:
            fields["rate"] = cents(fields["amount"] / quantity, RATE_PLACES)
    elif "grossAmt" in given and "grossAmt" in fields:
        code = world.get(row.ref("taxCode"), "salesTaxItem")
        share = 1 + (code.amount("rate") if code is not None else Decimal(0)) / 100
        fields["amount"] = cents(fields["grossAmt"] / share, digits)
    elif before is None or given & {"quantity", "rate", "item"} or "amount" not in fields:
        if "rate" not in fields or ("item" in given and "rate" not in given):
            fields["rate"] = item.amount("rate")
        fields["amount"] = row.amount("rate") * quantity
    fields["amount"] = cents(fields["amount"], digits)
    fields.setdefault("rate", Decimal(0))
    return Decimal(fields["amount"])


def _check_row(row: Row, before: Row) -> None:
    done = max(before.amount("quantityFulfilled"), before.amount("quantityBilled"), before.amount("quantityPicked"))
    if done and row.ref("item") != before.ref("item"):
        raise user_error("You can not change the item of a line that has been fulfilled or billed.")
    if row.get("quantity") is not None and row.amount("quantity") < done:
        raise user_error("The quantity of a line can not be less than what has been fulfilled or billed.")


def _discount(rec: Rec, digits: int) -> Decimal:
    if rec.get("discountRate") is None or rec.get("discountItem") is None:
        return Decimal(0)
    text = str(rec.fields["discountRate"])
    if text.endswith("%"):
        return cents(rec.amount("subtotal") * Decimal(text[:-1]) / 100, digits)
    return cents(Decimal(text), digits)


def _moves(world: World, rec: Rec, old: Rec | None) -> list[stock.Move]:
    """The goods that go out with an invoice, or come back with a credit memo, that stands alone."""
    source = world.get(rec.created_from)
    if source is not None and source.type in ("salesOrder", "returnAuthorization"):
        return []  # a fulfilment or a receipt moves them
    back = rec.type in CREDITS
    kept = {move.item: move.cost for move in (old.get("_moves") or [] if old is not None else [])}
    moves = []
    fallback = next(world.every("location"), None)
    for row in rec.rows("item"):
        location = row.ref("location") or rec.ref("location") or (fallback.id if fallback is not None else 0)
        for part, each in stock.parts(world, row.ref("item") or 0):
            cost = kept.get(part, stock.average_cost(world, part, location))
            quantity = row.amount("quantity") * each
            if quantity:
                moves.append(stock.Move(part, location, quantity if back else -quantity, cost))
    return moves
