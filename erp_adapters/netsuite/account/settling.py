"""Who settles what: applications of payments, deposits, credits and refunds, and what stays open."""

from __future__ import annotations

from decimal import Decimal

from erp_adapters.netsuite.account.errors import invalid_value, user_error
from erp_adapters.netsuite.account.world import Rec, World, cents

TOO_MUCH = "You cannot apply more than the amount that is open."


def remaining(world: World, doc: Rec, *, without: int | None = None) -> Decimal:
    """What is still open of the document, in its currency.

    Args:
        without: the record whose own applications do not count.
    """
    used = Decimal(0)
    for rec, row, _ in world.applications(doc.id):
        if rec.id != without:
            used += row.amount("amount")
    match doc.type:
        case "invoice":
            return doc.amount("total") - used
        case "creditMemo":
            return doc.amount("total") - doc.amount("applied") - used
        case "customerDeposit":
            for rec in world.successors(doc.id):
                if rec.type == "depositApplication" and rec.id != without:
                    used += rec.amount("applied")
            return doc.amount("payment") - used
        case "customerPayment":
            return doc.amount("unapplied") - used
    return Decimal(0)


def booked_share(world: World, doc: Rec, amount: Decimal, by: Rec) -> Decimal:
    """What an amount of the document was booked with in base currency, so that all its parts make the whole.

    Args:
        by: who settles it; what earlier records settled comes first.
    """
    rate = doc.amount("exchangeRate") or Decimal(1)
    before = doc.amount("applied") if doc.type == "creditMemo" else Decimal(0)
    before += sum((row.amount("amount") for rec, row, _ in world.applications(doc.id) if rec.id < by.id), Decimal(0))
    if doc.type == "customerDeposit":
        made = [rec for rec in world.successors(doc.id) if rec.type == "depositApplication" and rec.id < by.id]
        before += sum((rec.amount("applied") for rec in made), Decimal(0))
    return cents((before + amount) * rate) - cents(before * rate)


def apply_rows(world: World, rec: Rec, sublist: str, types: tuple[str, ...], limit: Decimal | None) -> Decimal:
    """The sum of the rows, each checked against what is open.

    Args:
        limit: what there is to apply; a row without an amount takes of it what it can. None: without limit.

    Raises:
        Refused: a document is not this customer's, or not open so far.
    """
    party = rec.ref("customer") or rec.ref("entity")
    total = Decimal(0)
    kept = []
    for index, row in enumerate(rec.rows(sublist)):
        at = f"{sublist}.items[{index}].doc"
        doc = world.get(row.ref("doc"), *types)
        if doc is None or party not in (doc.ref("entity"), doc.ref("customer")):
            raise invalid_value(row.ref("doc"), "doc", at)
        if doc.ref("currency") != rec.ref("currency"):
            raise invalid_value(doc.id, "doc", at)
        if not row.get("apply"):
            continue
        still = remaining(world, doc, without=rec.id)
        if row.get("amount") is None:
            row.fields["amount"] = still if limit is None else min(still, limit - total)
        row.fields["amount"] = cents(row.amount("amount"), 3)
        if row.amount("amount") > still:
            raise user_error(TOO_MUCH, at=at)
        if row.amount("amount") <= 0:
            continue
        row.fields["total"] = doc.amount("total")
        row.fields["due"] = still
        row.fields["refNum"] = doc.get("tranId")
        total += row.amount("amount")
        kept.append(row)
    if sublist in rec.sublists:
        rec.sublists[sublist] = kept
    if limit is not None and total > limit:
        raise user_error(TOO_MUCH)
    return total


def settled_by_memo(world: World, memo: Rec) -> None:
    """A credit memo's applications; what it does not apply stays open."""
    applied = apply_rows(world, memo, "apply", ("invoice",), memo.amount("total"))
    memo.fields["applied"], memo.fields["unapplied"] = applied, memo.amount("total") - applied


def deposit_applied(world: World, rec: Rec, old: Rec | None) -> None:
    deposit = world.must(rec.created_from, "customerDeposit")
    open_ = remaining(world, deposit, without=rec.id)
    applied = apply_rows(world, rec, "apply", ("invoice",), open_)
    if not applied:
        raise user_error("You must select at least one transaction to apply.")
    rec.fields["applied"], rec.fields["total"] = applied, applied


def payment_applied(world: World, rec: Rec, old: Rec | None) -> None:
    given = rec.get("payment")
    applied = apply_rows(world, rec, "apply", ("invoice",), rec.amount("payment") if given is not None else None)
    if given is None:
        rec.fields["payment"] = applied
    if rec.amount("payment") <= 0:
        raise user_error("Please enter value(s) for: Payment Amount")
    rec.fields.setdefault("undepFunds", rec.get("account") is None and rec.get("paymentMethod") is None)
    rec.fields["applied"], rec.fields["unapplied"] = applied, rec.amount("payment") - applied
    rec.fields["total"] = rec.amount("payment")


def refund_applied(world: World, rec: Rec, old: Rec | None) -> None:
    total = apply_rows(world, rec, "apply", ("creditMemo", "customerPayment"), None)
    total += apply_rows(world, rec, "deposit", ("customerDeposit",), None)
    if total <= 0:
        raise user_error("You must select at least one transaction to refund.")
    rec.fields["total"] = total
    if rec.get("account") is None and rec.get("paymentMethod") is None and rec.get("paymentOption") is None:
        raise user_error("Please enter value(s) for: Account")


def refresh_open(world: World, doc: Rec) -> None:
    """What the document shows as open, and its status, are right again."""
    if doc.type == "invoice":
        still = remaining(world, doc)
        letter = {"id": "A", "refName": "Open"} if still > 0 else {"id": "B", "refName": "Paid In Full"}
        _show(world, doc, {"amountRemaining": still, "amountPaid": doc.amount("total") - still, "status": letter})
    elif doc.type == "creditMemo":
        still = remaining(world, doc)
        letter = {"id": "A", "refName": "Open"} if still > 0 else {"id": "B", "refName": "Fully Applied"}
        _show(world, doc, {"amountRemaining": still, "unapplied": still, "status": letter})
    elif doc.type == "customerDeposit":
        if remaining(world, doc) <= 0:
            letter = {"id": "C", "refName": "Fully Applied"}
        elif doc.get("undepFunds"):
            letter = {"id": "A", "refName": "Not Deposited"}
        else:
            letter = {"id": "B", "refName": "Deposited"}
        _show(world, doc, {"status": letter})
    elif doc.type == "depositApplication":
        deposit = world.get(doc.ref("deposit"))
        if deposit is not None:
            refresh_open(world, deposit)


def _show(world: World, doc: Rec, shown: dict[str, object]) -> None:
    if any(doc.fields.get(name) != value for name, value in shown.items()):
        doc.fields.update(shown)
        world.touch(doc)
