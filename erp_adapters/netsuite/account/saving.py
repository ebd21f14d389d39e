"""Saving a record as the account does: defaults, totals, checks, stock, posting, and what else that changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import periods, posting, stock, sublists, tax
from erp_adapters.netsuite.account.bodies import Draft
from erp_adapters.netsuite.account.errors import invalid_value, user_error
from erp_adapters.netsuite.account.records import kind_of
from erp_adapters.netsuite.account.settling import (
    deposit_applied,
    payment_applied,
    refresh_open,
    refund_applied,
    remaining,
    settled_by_memo,
)
from erp_adapters.netsuite.account.statuses import refresh_order, refresh_return, status
from erp_adapters.netsuite.account.world import APPLYING, BASE_CURRENCY, Rec, Row, World, cents, reference

SALES: Final = ("salesOrder", "invoice", "cashSale", "creditMemo", "cashRefund", "returnAuthorization")
NOT_POSTING: Final = ("salesOrder", "returnAuthorization")
RATE_PLACES: Final = 8
CREDITS: Final = ("creditMemo", "cashRefund", "returnAuthorization")


def create(world: World, kind: str, draft: Draft, *, created_from: Rec | None = None, by_hand: bool = False) -> Rec:
    """The account has one record more.

    Raises:
        Refused: it may not be, and nothing has changed.
    """
    rec = world.new(kind)
    rec.by_hand = by_hand
    if (
        created_from is not None
        and created_from.type != "customer"
        and kind not in ("customerPayment", "customerRefund")
    ):
        rec.created_from = created_from.id  # a payment and a refund are held by what they apply to
        rec.fields["createdFrom"] = reference(created_from)
    sublists.lay_over(rec, draft)
    _check_external(world, rec)
    sublists.merge(rec, draft, new=True)
    complete(world, rec, None)
    if "tranId" not in rec.fields and kind_of(kind).transaction:
        rec.fields["tranId"] = world.number(kind)
    rec.gl = posting.post(world, rec)
    world.keep(rec)
    _moved(world, rec, [])
    refresh(world, rec)
    return rec


def update(
    world: World, rec: Rec, draft: Draft, *, replace: Collection[str] = (), by_hand: bool = False, force: bool = False
) -> None:
    """The record is as the draft wants it.

    Args:
        force: closed periods and locked fields are no obstacle.

    Raises:
        Refused: it may not be, and nothing has changed.
    """
    new = copy.deepcopy(rec)
    if not force and rec.get("postingPeriod"):
        periods.check_open(world, world.get(rec.ref("postingPeriod")))
    if "currency" in draft.fields and draft.fields["currency"] != rec.get("currency") and kind_of(rec.type).transaction:
        raise user_error("The currency of a transaction can not be changed.")
    if rec.type == "customerRefund" and "deposit" in draft.sublists:
        raise user_error("The deposits of a customer refund can not be changed.")
    if "tranDate" in draft.fields or "postingPeriod" in draft.fields:
        new.fields.pop("postingPeriod", None)
    sublists.lay_over(new, draft)
    _check_external(world, new)
    sublists.merge(new, draft, replace)
    complete(world, new, rec, force=force)
    new.by_hand = rec.by_hand or by_hand
    before = list(rec.get("_moves") or [])
    docs = _settles(rec)
    if new.external_id != rec.external_id and rec.external_id is not None:
        group = kind_of(rec.type).group
        if world.by_external.get((group, rec.external_id.lower())) == rec.id:
            del world.by_external[(group, rec.external_id.lower())]
    for name in ("external_id", "fields", "sublists", "by_hand", "last_line"):
        setattr(rec, name, getattr(new, name))
    rec.gl = posting.post(world, rec)
    world.keep(rec)
    _moved(world, rec, before)
    if rec.type == "invoice":
        _loosen(world, rec)
    refresh(world, rec, docs)


def delete(world: World, rec: Rec, *, force: bool = False) -> None:
    """The record is gone.

    Raises:
        Refused: something depends on it, or its period is closed.
    """
    if not force:
        if rec.get("postingPeriod"):
            periods.check_open(world, world.get(rec.ref("postingPeriod")))
        if dependants(world, rec):
            raise user_error(
                "This transaction cannot be deleted because it is linked to by one or more transactions."
                if kind_of(rec.type).transaction
                else "This record cannot be deleted because it has dependent records."
            )
    docs = _settles(rec)
    stock.move(world, list(rec.get("_moves") or []), back=True)
    rec.fields.pop("_moves", None)
    world.drop(rec)
    if rec.type == "salesOrder":
        stock.commit(world, rec)
    refresh(world, rec, docs)


def dependants(world: World, rec: Rec) -> list[Rec]:
    """What would hang in the air without this record."""
    found = world.successors(rec.id)
    found += [other for other, _, _ in world.applications(rec.id) if other.id != rec.id]
    if rec.type == "salesOrder":
        found += [other for other in world.every("customerDeposit") if other.ref("salesOrder") == rec.id]
    if rec.type == "customer":
        found += [
            other
            for other in world.records.values()
            if not other.deleted and rec.id in (other.ref("entity"), other.ref("customer"))
        ]
    return found


def refresh(world: World, rec: Rec, docs: Collection[int] = ()) -> None:
    """What other records show of this one is right again."""
    if rec.type == "salesOrder" and not rec.deleted:
        refresh_order(world, rec)
    if rec.type == "returnAuthorization" and not rec.deleted:
        refresh_return(world, rec)
    for id in {*_settles(rec), *docs, rec.id}:
        if (doc := world.get(id)) is not None:
            refresh_open(world, doc)
    source = world.get(rec.created_from)
    if source is not None and source.type == "salesOrder":
        refresh_order(world, source)
    if source is not None and source.type == "returnAuthorization":
        refresh_return(world, source)


def _settles(rec: Rec) -> set[int]:
    """What this record settles or draws on."""
    found = {row.ref("doc") for name in APPLYING for row in rec.rows(name)} | {rec.ref("deposit")}
    return {id for id in found if id is not None}


# --- completing -------------------------------------------------------------------------------------------------------


def complete(world: World, rec: Rec, old: Rec | None, *, force: bool = False) -> None:
    """Everything that a record shows follows from what was given.

    Raises:
        Refused: something is missing, or not allowed.
    """
    if rec.type == "customer":
        _customer(world, rec)
        return
    if not kind_of(rec.type).transaction:
        return
    _header(world, rec, old, force=force)
    completing: dict[str, Callable[[World, Rec, Rec | None], None]] = {
        "itemFulfillment": _fulfilment,
        "itemReceipt": _receipt,
        "customerDeposit": _deposit,
        "depositApplication": deposit_applied,
        "customerPayment": payment_applied,
        "customerRefund": refund_applied,
        "journalEntry": _journal,
        "inventoryAdjustment": _adjustment,
    }
    if rec.type in SALES:
        _sale(world, rec, old)
    else:
        completing[rec.type](world, rec, old)
    if old is not None:
        _check_source(world, rec)
        if rec.type in ("creditMemo", "customerPayment"):
            _check_used(world, rec)
    status(world, rec, old)
    for name in world.switches.required_fields.get(rec.type, ()):
        if rec.get(name) is None:
            raise user_error(f"Please enter value(s) for: {name}.")
    for rows in rec.sublists.values():
        for row in rows:
            row.fields.pop("_given", None)


def places(world: World, rec: Rec) -> int:
    """How many decimal places the record's currency has."""
    currency = world.get(rec.ref("currency"), "currency")
    return int(currency.fields["currencyPrecision"]) if currency is not None else 2


def _check_external(world: World, rec: Rec) -> None:
    if rec.external_id is None or not world.switches.unique_external_ids:
        return
    other = world.external(kind_of(rec.type).group, rec.external_id)
    if other is not None and other.id != rec.id:
        raise user_error(world.switches.duplicate_text)


def _header(world: World, rec: Rec, old: Rec | None, *, force: bool) -> None:
    fields = rec.fields
    fields.setdefault("tranDate", world.now().astimezone(UTC).date().isoformat())
    party = _party(world, rec)
    subsidiary = next(world.every("subsidiary"), None)
    if subsidiary is not None:
        fields.setdefault("subsidiary", (party.get("subsidiary") if party else None) or reference(subsidiary))
    if "currency" not in fields:
        default = party.get("currency") if party is not None else None
        base = world.named("currency", "symbol", BASE_CURRENCY)
        fields["currency"] = default or (reference(base) if base is not None else None)
    currency = world.must(rec.ref("currency"), "currency")
    if party is not None and currency.id not in _currencies(world, party):
        raise invalid_value(currency.id, "currency", "currency")
    if currency.get("isBaseCurrency"):
        fields["exchangeRate"] = Decimal(1)
    else:
        fields.setdefault("exchangeRate", currency.amount("exchangeRate"))
    if rec.type in NOT_POSTING:
        return
    day = date.fromisoformat(str(fields["tranDate"]))
    period = world.get(rec.ref("postingPeriod"), "accountingPeriod") or periods.period_of(world, day)
    if force and period is not None:
        fields["postingPeriod"] = reference(period)
    else:
        fields["postingPeriod"] = reference(periods.check_open(world, period))


def _party(world: World, rec: Rec) -> Rec | None:
    name = "customer" if "customer" in kind_of(rec.type).properties else "entity"
    party = world.get(rec.ref(name), "customer")
    if party is None and rec.type not in ("journalEntry", "inventoryAdjustment"):
        raise user_error("Please enter value(s) for: Customer")
    return party


def _currencies(world: World, party: Rec) -> set[int]:
    allowed = {party.ref("currency") or 0} | {row.ref("currency") or 0 for row in party.rows("currencyList")}
    if party.ref("currency") is None:
        base = world.named("currency", "symbol", BASE_CURRENCY)
        allowed.add(base.id if base is not None else 0)
    return allowed


def _customer(world: World, rec: Rec) -> None:
    fields = rec.fields
    fields.setdefault("isPerson", False)
    name = " ".join(str(fields[part]) for part in ("firstName", "lastName") if fields.get(part))
    if fields["isPerson"] and not fields.get("lastName"):
        raise user_error("Please enter value(s) for: Last Name")
    if not fields["isPerson"] and not fields.get("companyName") and not name:
        raise user_error("Please enter value(s) for: Company Name")
    if "entityId" not in fields:
        named = world.switches.unique_entity_names
        fields["entityId"] = (fields.get("companyName") or name) if named else world.number("customer")
    same = world.named("customer", "entityId", str(fields["entityId"]))
    if same is not None and same.id != rec.id:
        raise user_error(
            "A customer record with this ID already exists. You must enter a unique customer ID for each record you"
            " create."
        )
    subsidiary = next(world.every("subsidiary"), None)
    if subsidiary is not None:
        fields.setdefault("subsidiary", reference(subsidiary))
    base = world.named("currency", "symbol", BASE_CURRENCY)
    if base is not None:
        fields.setdefault("currency", reference(base))
    fields.setdefault("isInactive", False)
    for row in rec.rows("addressBook"):
        row.fields["internalId"] = row.line


# --- sales ------------------------------------------------------------------------------------------------------------


def _sale(world: World, rec: Rec, old: Rec | None) -> None:
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
        rec.fields["_moves"] = _sold(world, rec, old)


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


def _check_source(world: World, rec: Rec) -> None:
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


def _discount(rec: Rec, digits: int) -> Decimal:
    if rec.get("discountRate") is None or rec.get("discountItem") is None:
        return Decimal(0)
    text = str(rec.fields["discountRate"])
    if text.endswith("%"):
        return cents(rec.amount("subtotal") * Decimal(text[:-1]) / 100, digits)
    return cents(Decimal(text), digits)


def _sold(world: World, rec: Rec, old: Rec | None) -> list[stock.Move]:
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


def _moved(world: World, rec: Rec, before: list[stock.Move]) -> None:
    after = list(rec.get("_moves") or [])
    if after != before:
        stock.move(world, [move for move in before if move.location > 0], back=True)
        stock.move(world, [move for move in after if move.location > 0])


# --- goods ------------------------------------------------------------------------------------------------------------


def _fulfilment(world: World, rec: Rec, old: Rec | None) -> None:
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


def _receipt(world: World, rec: Rec, old: Rec | None) -> None:
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


def _adjustment(world: World, rec: Rec, old: Rec | None) -> None:
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


# --- money ------------------------------------------------------------------------------------------------------------


def _deposit(world: World, rec: Rec, old: Rec | None) -> None:
    fields = rec.fields
    payment = cents(rec.amount("payment"), places(world, rec))
    if payment <= 0:
        raise user_error("Please enter value(s) for: Payment Amount")
    order = world.get(rec.ref("salesOrder"), "salesOrder")
    if order is not None and order.ref("entity") != rec.ref("customer"):
        raise invalid_value(order.id, "salesOrder", "salesOrder")
    if order is not None and old is None and order.letter() in ("C", "H"):
        raise invalid_value(order.id, "salesOrder", "salesOrder")
    fields["payment"], fields["total"] = payment, payment
    _check_used(world, rec)
    fields.setdefault("undepFunds", fields.get("account") is None and world.get(_method(rec)) is None)


def _check_used(world: World, rec: Rec) -> None:
    if remaining(world, rec) < 0:
        raise user_error("The amount can not be less than what has been applied or refunded.")


def _loosen(world: World, invoice: Rec) -> None:
    """What was applied to an invoice beyond its lowered total is free again, the last application's first [G]."""
    for rec, row, sublist in reversed(list(world.applications(invoice.id))):
        over = -remaining(world, invoice)
        if over <= 0:
            return
        row.fields["amount"] = max(Decimal(0), row.amount("amount") - over)
        if not row.fields["amount"]:
            rec.sublists[sublist].remove(row)
        if rec.type == "depositApplication" and not rec.rows("apply"):
            delete(world, rec, force=True)
            continue
        applied = sum((one.amount("amount") for one in rec.rows("apply")), Decimal(0))
        rec.fields["applied"] = applied
        if rec.type == "depositApplication":
            rec.fields["total"] = applied
        else:
            whole = rec.amount("payment") if rec.type == "customerPayment" else rec.amount("total")
            rec.fields["unapplied"] = whole - applied
        rec.gl = posting.post(world, rec)
        world.touch(rec)
        refresh(world, rec)


def _method(rec: Rec) -> int | None:
    return rec.ref("paymentMethod") or rec.ref("paymentOption")


def _journal(world: World, rec: Rec, old: Rec | None) -> None:
    digits = places(world, rec)
    if len(rec.rows("line")) < 2:
        raise user_error("You must enter at least two lines for this transaction.")
    for index, row in enumerate(rec.rows("line")):
        if row.ref("account") is None:
            raise user_error("Please enter value(s) for: Account", at=f"line.items[{index}].account")
        for side in ("debit", "credit"):
            if row.get(side) is not None:
                row.fields[side] = cents(row.amount(side), digits)
    debit = sum((row.amount("debit") for row in rec.rows("line")), Decimal(0))
    credit = sum((row.amount("credit") for row in rec.rows("line")), Decimal(0))
    if debit != credit:
        raise user_error("The amounts in a journal entry must balance.")
    rec.fields.setdefault("approved", True)
