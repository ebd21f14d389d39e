"""What a record shows follows from what was given: defaults, checks, totals, status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date
from decimal import Decimal
from typing import Final

from erp_adapters.netsuite.account import goods, periods
from erp_adapters.netsuite.account.errors import invalid_value, user_error
from erp_adapters.netsuite.account.records import kind_of
from erp_adapters.netsuite.account.sales import SALES, check_source, places, sold
from erp_adapters.netsuite.account.settling import deposit_applied, payment_applied, refund_applied, remaining
from erp_adapters.netsuite.account.statuses import status
from erp_adapters.netsuite.account.world import BASE_CURRENCY, Rec, World, cents, reference

NOT_POSTING: Final = ("salesOrder", "returnAuthorization")


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
        "itemFulfillment": goods.fulfilled,
        "itemReceipt": goods.received,
        "customerDeposit": _deposit,
        "depositApplication": deposit_applied,
        "customerPayment": payment_applied,
        "customerRefund": refund_applied,
        "journalEntry": _journal,
        "inventoryAdjustment": goods.adjusted,
    }
    if rec.type in SALES:
        sold(world, rec, old)
    else:
        completing[rec.type](world, rec, old)
    if old is not None:
        check_source(world, rec)
        if rec.type in ("creditMemo", "customerPayment"):
            _check_used(world, rec)
    status(world, rec, old)
    _segments(world, rec)
    for name in world.switches.required_fields.get(rec.type, ()):
        if rec.get(name) is None:
            raise user_error(f"Please enter value(s) for: {name}.")
    for rows in rec.sublists.values():
        for row in rows:
            row.fields.pop("_given", None)


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


def _segments(world: World, rec: Rec) -> None:
    """Department and class, on the record and on its rows, as the account's preferences want them."""
    lists = [name for name in ("item", "line") if name in kind_of(rec.type).sublists]
    for name in ("department", "class"):
        if not world.switches.segments_by_line:
            for row in (row for rows in lists for row in rec.rows(rows)):
                row.fields[name] = rec.get(name)
        if name not in world.switches.mandatory_segments:
            continue
        if rec.get(name) is None:
            raise user_error(f"Please enter value(s) for: {name.capitalize()}", at=name)
        for rows in lists:
            for index, row in enumerate(rec.rows(rows)):
                if row.get(name) is None:
                    raise user_error(
                        f"Please enter value(s) for: {name.capitalize()}", at=f"{rows}.items[{index}].{name}"
                    )


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


def _check_used(world: World, rec: Rec) -> None:
    if remaining(world, rec) < 0:
        raise user_error("The amount can not be less than what has been applied or refunded.")


def _method(rec: Rec) -> int | None:
    return rec.ref("paymentMethod") or rec.ref("paymentOption")
