"""One record made from another: what the account proposes, and what a body can change of that."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import saving, stock
from erp_adapters.netsuite.account.bodies import Draft
from erp_adapters.netsuite.account.errors import Refused, invalid_value, user_error
from erp_adapters.netsuite.account.settling import remaining
from erp_adapters.netsuite.account.statuses import to_bill, to_ship
from erp_adapters.netsuite.account.world import Rec, Row, World, reference

NO_LINE: Final = "You must have at least one valid line item for this transaction."
HEADER: Final = (
    "entity currency exchangeRate location department class terms otherRefNum memo shippingAddress billingAddress"
    " subsidiary email"
).split()
LINE: Final = (
    "item description rate price location department class taxCode isTaxable giftCertFrom giftCertMessage"
    " giftCertNumber giftCertRecipientEmail giftCertRecipientName units taxDetailsReference"
).split()

Proposal = Callable[[World, Rec, Draft], Draft]


def transform(world: World, source: Rec, to: str, draft: Draft, *, by_hand: bool = False) -> Rec:
    """The record that this one was turned into.

    Args:
        draft: what is to be otherwise than proposed.

    Raises:
        Refused: there is no such transform, or nothing to make.
    """
    propose = TRANSFORMS.get((source.type, to))
    if propose is None:
        raise Refused(400, "INVALID_REQUEST", f"Transformation from {source.type} to {to} is not supported.")
    made = propose(world, source, draft)
    made.external_id, made.names_external_id = draft.external_id, draft.names_external_id
    for name, value in draft.fields.items():
        made.fields[name] = value
    for name, rows in draft.sublists.items():
        made.sublists.setdefault(name, rows)
    rec = saving.create(world, to, made, created_from=source, by_hand=by_hand)
    if to == "itemFulfillment" and not world.switches.advanced_shipping:
        _bill_shipped(world, source, rec, by_hand=by_hand)
    return rec


def _bill_shipped(world: World, order: Rec, fulfilment: Rec, *, by_hand: bool) -> None:
    """Without Advanced Shipping, what is fulfilled is billed at once, and what is not goods with the first of it."""
    shipped = {int(row.fields["orderLine"]): row.amount("quantity") for row in fulfilment.rows("item")}
    rows: list[dict[str, Any]] = []
    for row in order.rows("item"):
        goods = world.must(row.ref("item")).type in stock.FULFILLED
        if goods:
            rows.append({"orderLine": row.line, "quantity": shipped.get(row.line, Decimal(0))})
    transform(world, order, "invoice", Draft(sublists={"item": rows}), by_hand=by_hand)


# --- goods ------------------------------------------------------------------------------------------------------------


def _fulfilment(world: World, order: Rec, draft: Draft) -> Draft:
    if order.letter() not in ("B", "D", "E"):
        raise user_error(NO_LINE)
    named = _named(order, draft)
    rows: list[dict[str, Any]] = []
    whole = True
    for row in order.rows("item"):
        open_ = to_ship(world, row)
        given = named.get(row.line)
        if world.must(row.ref("item")).type not in stock.FULFILLED or (open_ <= 0 and given is None):
            continue
        quantity = _fulfilled(world, order, row, given, open_)
        whole = whole and quantity == open_
        if quantity > 0:
            place = (given or {}).get("location") or row.get("location") or order.get("location")
            rows.append({**_line(row), **(given or {}), "orderLine": row.line, "quantity": quantity, "location": place})
    if not rows:
        raise user_error(NO_LINE)
    if order.get("shipComplete") and not whole:
        raise user_error("This order must be shipped complete.")
    for made in rows:
        for name in ("itemReceive", "rate", "price", "taxCode", "isTaxable", "taxDetailsReference"):
            made.pop(name, None)
    draft.sublists.pop("item", None)
    return Draft(_header(order, ("entity", "location", "department", "class", "memo")), {"item": rows})


def _fulfilled(world: World, order: Rec, row: Row, given: dict[str, Any] | None, open_: Decimal) -> Decimal:
    """How much of the line goes: what the body says, else all that is open and committed."""
    if given is not None and (given.get("itemReceive") is False or given.get("quantity") == 0):
        return Decimal(0)
    own = row.get("location") or order.get("location")
    place = (given or {}).get("location") or own
    if place is None:
        return Decimal(0)
    ready = open_
    if stock.parts(world, row.ref("item") or 0) and not world.switches.fulfil_uncommitted:
        waiting = row.amount("quantityPicked") - row.amount("quantityFulfilled")
        ready = max(Decimal(0), row.amount("quantityCommitted") - waiting)
        if own is not None and place["id"] != own["id"]:
            ready = Decimal(0)  # it is committed elsewhere
    wanted = (given or {}).get("quantity")
    if wanted is None:
        return min(open_, ready)
    if wanted > open_:
        raise user_error(f"The quantity {wanted} is more than what is left to be fulfilled of line {row.line}.")
    if wanted > ready:
        if not ready:
            return Decimal(0)
        raise user_error(f"The quantity {wanted} is more than what is committed for line {row.line}.")
    return Decimal(wanted)


def _receipt(world: World, rma: Rec, draft: Draft) -> Draft:
    if rma.letter() not in ("B", "D", "E"):
        raise user_error(NO_LINE)
    named = _named(rma, draft)
    rows: list[dict[str, Any]] = []
    for row in rma.rows("item"):
        if world.must(row.ref("item")).type not in stock.FULFILLED or row.get("isClosed"):
            continue
        given = named.get(row.line) or {}
        open_ = row.amount("quantity") - row.amount("quantityReceived")
        wanted = given.get("quantity", open_)
        place = given.get("location") or row.get("location") or rma.get("location")
        if given.get("itemReceive") is False or not wanted or place is None:
            continue
        if wanted > open_:
            raise user_error(f"The quantity {wanted} is more than what is left to be received of line {row.line}.")
        rows.append({**_line(row), **given, "orderLine": row.line, "quantity": wanted, "location": place})
    if not rows:
        raise user_error(NO_LINE)
    for made in rows:
        for name in ("itemReceive", "rate", "price", "taxCode", "isTaxable", "taxDetailsReference"):
            made.pop(name, None)
    draft.sublists.pop("item", None)
    return Draft(_header(rma, ("entity", "location", "currency", "exchangeRate")), {"item": rows})


# --- bills ------------------------------------------------------------------------------------------------------------


def _bill(world: World, order: Rec, draft: Draft) -> Draft:
    if order.letter() in ("A", "C", "H"):
        raise user_error(NO_LINE)
    named = _named(order, draft, strict=False)
    rows: list[dict[str, Any]] = []
    for row in order.rows("item"):
        given = named.get(row.line)
        open_ = to_bill(world, row)
        if given is not None and given.get("quantity") == 0:
            continue
        if open_ <= 0:
            if given is not None:
                raise user_error(f"Line {row.line} has nothing left to be billed.")
            continue
        if given is not None and given.get("quantity", Decimal(0)) > open_:
            raise user_error(f"The quantity of line {row.line} is more than what is left to be billed.")
        rows.append(_billed(world, row, given or {}, open_))
    return _with_rest(world, order, draft, rows)


def _billed(world: World, row: Row, given: dict[str, Any], open_: Decimal) -> dict[str, Any]:
    made: dict[str, Any] = {**_line(row), **given, "orderLine": row.line}
    if "amount" in given:
        if "rate" not in given:
            made.pop("rate", None)
    elif world.must(row.ref("item")).type == "discountItem":
        made["amount"] = row.amount("amount") - row.amount("_billed")
    else:
        made["quantity"] = given.get("quantity", open_)
        if made["quantity"] == row.amount("quantity") - row.amount("quantityBilled") and "rate" not in given:
            made["amount"] = row.amount("amount") - row.amount("_billed")
        else:
            made["amount"] = made.get("rate", Decimal(0)) * made["quantity"]
    if world.must(row.ref("item")).type == "discountItem":
        made.pop("quantity", None)
        made.pop("rate", None)
    else:
        made.setdefault("quantity", open_)
    return made


def _credit(world: World, source: Rec, draft: Draft) -> Draft:
    """Of a return or a sale, what has not been credited yet."""
    rma = source.type == "returnAuthorization"
    if rma and source.letter() in ("A", "C", "H"):
        raise user_error(NO_LINE)
    named = _named(source, draft, strict=False)
    rows: list[dict[str, Any]] = []
    for row in source.rows("item"):
        given = named.get(row.line) or {}
        if given.get("quantity") == 0:
            continue
        discount = world.must(row.ref("item")).type == "discountItem"
        open_ = row.amount("quantity") - (row.amount("quantityBilled") if rma else 0)
        goods = world.must(row.ref("item")).type in stock.FULFILLED
        if rma and goods and not world.switches.credit_in_advance:
            open_ = row.amount("quantityReceived") - row.amount("quantityBilled")
        if rma and not discount and given.get("quantity", Decimal(0)) > open_:
            raise user_error(f"The quantity of line {row.line} is more than what is left to be credited.")
        left = row.amount("amount") - (row.amount("_billed") if rma else 0)
        if (discount and not left) or (not discount and open_ <= 0):
            continue
        made: dict[str, Any] = {**_line(row), **given, "orderLine": row.line}
        if discount:
            made.setdefault("amount", left)
            made.pop("quantity", None)
            made.pop("rate", None)
        else:
            made.setdefault("quantity", open_)
            if "amount" not in given and made["quantity"] == open_ and "rate" not in given:
                made["amount"] = left
            if "amount" in made and "rate" not in given:
                made.pop("rate", None)
        rows.append(made)
    return _with_rest(world, source, draft, rows)


def _return(world: World, source: Rec, draft: Draft) -> Draft:
    """All that was sold, less what the body leaves out."""
    order = source.type == "salesOrder"
    named = _named(source, draft, strict=False)
    rows: list[dict[str, Any]] = []
    for row in source.rows("item"):
        given = named.get(row.line) or {}
        sold = max(row.amount("quantityFulfilled"), row.amount("quantityBilled")) if order else row.amount("quantity")
        discount = world.must(row.ref("item")).type == "discountItem"
        if given.get("quantity") == 0 or (not discount and sold <= 0):
            continue
        made: dict[str, Any] = {**_line(row), **given, "orderLine": row.line}
        if discount:
            made.setdefault("amount", row.amount("amount"))
            made.pop("quantity", None)
            made.pop("rate", None)
        else:
            made.setdefault("quantity", sold)
            if "amount" not in given and made["quantity"] == row.amount("quantity") and "rate" not in given:
                made["amount"] = row.amount("amount")
            if "amount" in made and "rate" not in given:
                made.pop("rate", None)
        rows.append(made)
    return _with_rest(world, source, draft, rows)


def _with_rest(world: World, source: Rec, draft: Draft, rows: list[dict[str, Any]]) -> Draft:
    """The rows with those of the body that name none, which are added; the source's header."""
    rows += [row for row in draft.sublists.get("item", ()) if row.get("orderLine") is None and row.get("line") is None]
    if not rows:
        raise user_error(NO_LINE)
    fields = _header(source, HEADER)
    fields.update({name: value for name, value in source.fields.items() if name.startswith("custbody_")})
    if source.type in ("salesOrder", "invoice", "cashSale"):
        first = not any(rec.type in ("invoice", "cashSale") for rec in world.successors(source.id))
        for name in ("shippingCost", "handlingCost", "discountItem", "discountRate"):
            if source.get(name) is not None and (first or name == "discountItem"):
                fields[name] = source.fields[name]
    draft.sublists.pop("item", None)
    return Draft(fields, {"item": rows})


# --- money ------------------------------------------------------------------------------------------------------------


def _payment(world: World, invoice: Rec, draft: Draft) -> Draft:
    return _settling(world, invoice, draft, "apply")


def _refund(world: World, source: Rec, draft: Draft) -> Draft:
    return _settling(world, source, draft, "deposit" if source.type == "customerDeposit" else "apply")


def _settling(world: World, source: Rec, draft: Draft, sublist: str) -> Draft:
    """The source is chosen with all that is open of it; the body's row of the same document wins."""
    given = draft.sublists.pop(sublist, [])
    own = next((row for row in given if (row.get("doc") or {}).get("id") == str(source.id)), None)
    rows = [row for row in given if row is not own]
    chosen: dict[str, Any] = {"doc": reference(source), "apply": True, **(own or {})}
    if chosen.get("amount") is None and draft.fields.get("payment") is None:
        chosen["amount"] = remaining(world, source)
    if chosen["apply"]:
        rows.insert(0, chosen)
    return Draft(_paying(source), {sublist: [row for row in rows if row.get("apply")]})


def _application(world: World, deposit: Rec, draft: Draft) -> Draft:
    fields = _paying(deposit)
    fields["deposit"] = reference(deposit)
    return Draft(fields)


def _paying(source: Rec) -> dict[str, Any]:
    fields = _header(source, ("currency", "exchangeRate", "subsidiary"))
    fields["customer"] = source.get("customer") or source.get("entity")
    return fields


def _of_customer(world: World, customer: Rec, draft: Draft) -> Draft:
    return Draft({"entity": reference(customer)})


def _payment_of_customer(world: World, customer: Rec, draft: Draft) -> Draft:
    return Draft({"customer": reference(customer)})


# --- parts ------------------------------------------------------------------------------------------------------------


def _header(source: Rec, names: Any) -> dict[str, Any]:
    return {name: source.fields[name] for name in names if source.get(name) is not None}


def _line(row: Row) -> dict[str, Any]:
    copied = {name: row.fields[name] for name in LINE if row.get(name) is not None}
    return copied | {name: value for name, value in row.fields.items() if name.startswith("custcol_")}


def _named(source: Rec, draft: Draft, *, strict: bool = True) -> dict[int, dict[str, Any]]:
    """The body's rows by the line of the source that they name."""
    named: dict[int, dict[str, Any]] = {}
    for index, row in enumerate(draft.sublists.get("item", ())):
        line = row.get("orderLine", row.get("line"))
        if line is None:
            if strict:
                raise user_error(NO_LINE, at=f"item.items[{index}]")
            continue
        if source.row("item", int(line)) is None:
            raise invalid_value(line, "orderLine", f"item.items[{index}].orderLine")
        named[int(line)] = {name: value for name, value in row.items() if value is not None and name != "line"}
    return named


TRANSFORMS: Final[dict[tuple[str, str], Proposal]] = {
    ("customer", "salesOrder"): _of_customer,
    ("customer", "invoice"): _of_customer,
    ("customer", "cashSale"): _of_customer,
    ("customer", "customerPayment"): _payment_of_customer,
    ("salesOrder", "itemFulfillment"): _fulfilment,
    ("salesOrder", "invoice"): _bill,
    ("salesOrder", "cashSale"): _bill,
    ("salesOrder", "returnAuthorization"): _return,
    ("invoice", "creditMemo"): _credit,
    ("invoice", "customerPayment"): _payment,
    ("invoice", "returnAuthorization"): _return,
    ("cashSale", "cashRefund"): _credit,
    ("cashSale", "returnAuthorization"): _return,
    ("returnAuthorization", "itemReceipt"): _receipt,
    ("returnAuthorization", "creditMemo"): _credit,
    ("returnAuthorization", "cashRefund"): _credit,
    ("customerDeposit", "depositApplication"): _application,
    ("customerDeposit", "customerRefund"): _refund,
    ("customerPayment", "customerRefund"): _refund,
    ("creditMemo", "customerRefund"): _refund,
}
