"""An order's facts as the subjects of a statement: the one definition that every side of a reconciliation shares."""

import datetime
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from hub.model.edits import edit_rounding_minor, line_value, removed_minor
from hub.model.facts import Fulfilment, FulfilmentStatus, Refund, Tender, TenderKind, TenderStatus
from hub.model.order import ChargeKind, LineId, OrderKey, Snapshot, added_tax, included_tax
from hub.model.refunding import cut_refunds
from hub.model.statement import StatementRow, Subject

LEFT = (FulfilmentStatus.SHIPPED, FulfilmentStatus.DELIVERED)
ROUNDINGS = (ChargeKind.CASH_ROUNDING, ChargeKind.TAX_ROUNDING)


def subjects(
    key: OrderKey,
    entity: str,
    timezone: ZoneInfo,
    snapshot: Snapshot,
    fulfilments: Sequence[Fulfilment],
    refunds: Sequence[tuple[str, Refund]],
    tenders: Sequence[tuple[str, Tender]],
) -> list[StatementRow]:
    """The order, then its refunds and payments that succeeded, each on its accounting date; nothing for a test order.

    Args:
        fulfilments, refunds, tenders: the latest version of each, with the channel's id of it where money follows it.
    """
    if snapshot.test:
        return []
    money = [tender for _, tender in tenders]
    rows = [order_subject(key, entity, timezone, snapshot, fulfilments, refunds, money)]
    rows.extend(money_subjects(key, entity, timezone, snapshot.currency, tenders))
    return rows


def order_subject(
    key: OrderKey,
    entity: str,
    timezone: ZoneInfo,
    snapshot: Snapshot,
    fulfilments: Sequence[Fulfilment],
    refunds: Sequence[tuple[str, Refund]],
    tenders: Sequence[Tender],
) -> StatementRow:
    """The order on its placed date: components as placed, less what edits took out, less what cancellation took out.

    As placed it comes to what the channel claims: what its parts do not make stands in the rounding.

    Cancellation takes out what was not shipped, but for what refunds of it paid back: those stand in rows of their own,
    and with them beside it a cancelled order comes to what was shipped and kept.
    """
    goods = discount = shipping = tax = charges = rounding = 0
    edited = edit_rounding_minor(snapshot, [refund for _, refund in refunds]) - removed_minor(snapshot)
    for line in snapshot.lines:
        included = included_tax(line.taxes)
        goods += line.gross_minor - included
        discount -= line.discount_minor
        tax += included + added_tax(line.taxes)
    for way in snapshot.shipping:
        included = included_tax(way.taxes)
        shipping += way.gross_minor - way.discount_minor - included
        tax += included + added_tax(way.taxes)
    for charge in snapshot.charges:
        included = included_tax(charge.taxes)
        tax += included + added_tax(charge.taxes)
        if charge.kind in ROUNDINGS:
            rounding += charge.amount_minor - included
        else:
            charges += charge.amount_minor - included
    rounding += snapshot.claimed_total_minor - snapshot.computed_total_minor  # a claim that the parts do not make
    cancelled = 0
    if snapshot.cancelled_at is not None:
        unshipped = snapshot.computed_total_minor + edited - shipped_value(snapshot, fulfilments)
        cancelled = -max(0, unshipped - _paid_back_unshipped(snapshot, fulfilments, refunds, tenders))
    return StatementRow(
        entity=entity,
        channel=key.channel,
        order=key.external_id,
        subject=Subject.ORDER,
        subject_id=key.external_id,
        currency=snapshot.currency,
        date=snapshot.placed_at.astimezone(timezone).date(),
        goods_minor=goods,
        discount_minor=discount,
        shipping_minor=shipping,
        tax_minor=tax,
        charges_minor=charges,
        rounding_minor=rounding,
        edited_minor=edited,
        cancelled_minor=cancelled,
    )


def money_subjects(
    key: OrderKey, entity: str, timezone: ZoneInfo, currency: str, tenders: Iterable[tuple[str, Tender]]
) -> list[StatementRow]:
    """Refunds and payments that succeeded, each on the day it was processed; test money is none."""
    rows = []
    for external_id, tender in tenders:
        if tender.status is not TenderStatus.SUCCESS or tender.test or not tender.amount_minor:
            continue
        on: datetime.date = tender.processed_at.astimezone(timezone).date()
        if tender.kind is TenderKind.REFUND:
            subject, paid, refunded = Subject.REFUND, 0, -tender.amount_minor
        elif tender.kind in (TenderKind.CAPTURE, TenderKind.SALE):
            subject, paid, refunded = Subject.PAYMENT, tender.amount_minor, 0
        else:
            continue
        rows.append(
            StatementRow(
                entity=entity,
                channel=key.channel,
                order=key.external_id,
                subject=subject,
                subject_id=external_id,
                currency=currency,
                date=on,
                refund_minor=refunded,
                payment_minor=paid,
            )
        )
    return rows


def shipped_units(fulfilments: Sequence[Fulfilment]) -> dict[LineId, int]:
    """Units of each line that left."""
    units: dict[LineId, int] = {}
    for fulfilment in fulfilments:
        if fulfilment.status in LEFT:
            for item in fulfilment.lines:
                units[item.line] = units.get(item.line, 0) + item.quantity
    return units


def _paid_back_unshipped(
    snapshot: Snapshot,
    fulfilments: Sequence[Fulfilment],
    refunds: Sequence[tuple[str, Refund]],
    tenders: Sequence[Tender],
) -> int:
    """What refunds give back, paid or on the way, beyond what they credit of shipped units; without money, nothing."""
    shipped = shipped_units(fulfilments)
    unshipped = {x.id: max(0, x.quantity - x.removed_quantity - shipped.get(x.id, 0)) for x in snapshot.lines}
    cuts = cut_refunds(sorted(refunds, key=lambda dated: (dated[1].processed_at, dated[0])), shipped, unshipped)
    money: dict[str | None, int] = {}
    for tender in tenders:
        if tender.kind is TenderKind.REFUND and tender.status is not TenderStatus.FAILED and not tender.test:
            money[tender.refund] = money.get(tender.refund, 0) + tender.amount_minor
    paid_back = money.pop(None, 0)
    bodies = dict(refunds)
    for refund_id, paid in money.items():
        refund = bodies.get(refund_id or "")
        credited = sum(row.credited_net_minor + row.credited_tax_minor for row in cuts.get(refund_id or "", ()))
        if shipped and refund is not None:
            credited += sum(one.net_minor + one.tax_minor for one in refund.adjustments)
        given_back = max(paid, refund.total_minor if refund else 0)  # a fee kept of it is no cancellation
        paid_back += max(0, given_back - max(0, credited))
    return paid_back


def shipped_value(snapshot: Snapshot, fulfilments: Sequence[Fulfilment]) -> int:
    """What the units that left sell for; shipping and charges go with the first of them."""
    units = shipped_units(fulfilments)
    if not units:
        return 0
    lines = sum(line_value(line, 0, min(units.get(line.id, 0), line.quantity)) for line in snapshot.lines)
    ways = sum(way.gross_minor - way.discount_minor + added_tax(way.taxes) for way in snapshot.shipping)
    return lines + ways + sum(charge.amount_minor + added_tax(charge.taxes) for charge in snapshot.charges)
