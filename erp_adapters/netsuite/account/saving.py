"""Saving a record as the account does: what was given and all that follows, stock, postings, other records."""

from __future__ import annotations

import copy
from collections.abc import Collection
from decimal import Decimal

from erp_adapters.netsuite.account import periods, posting, stock, sublists
from erp_adapters.netsuite.account.bodies import Draft
from erp_adapters.netsuite.account.completing import complete
from erp_adapters.netsuite.account.errors import user_error
from erp_adapters.netsuite.account.records import kind_of
from erp_adapters.netsuite.account.settling import refresh_open, remaining
from erp_adapters.netsuite.account.statuses import refresh_order, refresh_return
from erp_adapters.netsuite.account.world import APPLYING, Rec, World, reference


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


def _check_external(world: World, rec: Rec) -> None:
    if rec.external_id is None or not world.switches.unique_external_ids:
        return
    other = world.external(kind_of(rec.type).group, rec.external_id)
    if other is not None and other.id != rec.id:
        raise user_error(world.switches.duplicate_text)


def _moved(world: World, rec: Rec, before: list[stock.Move]) -> None:
    after = list(rec.get("_moves") or [])
    if after != before:
        stock.move(world, [move for move in before if move.location > 0], back=True)
        stock.move(world, [move for move in after if move.location > 0])


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
