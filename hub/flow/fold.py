"""fold: an order's state as a pure function of the set of its facts; events as the difference of two states."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cmp_to_key

from hub.flow.echo import shipments
from hub.flow.lines import Lines
from hub.model.edits import edit_rounding_minor, removed_minor
from hub.model.facts import (
    SOURCE_RANK,
    Cancellation,
    Echo,
    Edit,
    Fact,
    FactKind,
    Fulfilment,
    FulfilmentStatus,
    HandEdit,
    Promise,
    Refund,
    Restock,
    Return,
    ReturnStatus,
    Tender,
    TenderKind,
    TenderStatus,
    content_hash,
)
from hub.model.order import FinancialStatus, LineId, OrderKey, Snapshot
from hub.model.problems import Problem
from hub.model.refunding import cancelled_units
from hub.model.state import (
    Commercial,
    DatedCancellation,
    DatedFulfilment,
    DatedRefund,
    DatedReturn,
    DatedTender,
    Event,
    EventKind,
    FulfilmentState,
    OrderState,
    Quantities,
)
from hub.model.subjects import LEFT


class FactSet(dict[tuple[FactKind, str], Fact]):
    """The winning version of each thing that the facts speak of."""

    __slots__ = ("overtaken",)

    def __init__(self) -> None:
        super().__init__()
        self.overtaken: list[Fact] = []  # what lost, of the kinds whose earlier versions still say something


TELL_ON = (FactKind.SNAPSHOT, FactKind.RETURN)
MONEY_IN = (TenderKind.CAPTURE, TenderKind.SALE)


def winners(facts: Iterable[Fact]) -> FactSet:
    """The latest version of each thing: by modified time, then pull over webhook, then content hash."""
    latest = FactSet()
    for fact in facts:
        at = (fact.kind, fact.external_id)
        held = latest.get(at)
        if held is None:
            latest[at] = fact
            continue
        lost = fact
        if _wins(fact, held):
            latest[at], lost = fact, held
        if fact.kind in TELL_ON:
            latest.overtaken.append(lost)
    return latest


def fold(key: OrderKey, facts: FactSet) -> OrderState:
    """The order's state from its winning facts."""
    snapshot: Snapshot | None = None
    deleted = False
    lines = lines_of(facts)
    told = shipments(facts, lines)
    fulfilments = [one for one in told if one.body.status in LEFT]
    announced = [one.body for one in told if one.body.status is FulfilmentStatus.OPEN]
    refunds: list[DatedRefund] = []
    tenders: list[DatedTender] = []
    returns: list[DatedReturn] = []
    promises: list[Promise] = []
    cancellations: list[DatedCancellation] = []
    for (_, external_id), fact in facts.items():
        match fact.body if lines is None else lines.body(fact.body, fact.modified_at):
            case Snapshot() as latest:
                snapshot = lines.snapshot if lines is not None else latest
            case Refund() as body:
                refunds.append(DatedRefund(external_id, body))
            case Tender() as body:
                tenders.append(DatedTender(external_id, body))
            case Return() as body:
                returns.append(DatedReturn(external_id, _whole(fact, body, facts.overtaken, lines)))
            case Promise() as body:
                if not body.called_off:
                    promises.append(body)
            case Cancellation() as body:
                cancellations.append(DatedCancellation(external_id, body))
            case Fulfilment() | Echo() | Edit() | HandEdit():
                pass  # see above; an edit's effect is in the snapshot that follows it, one in the ERP has none here
            case _:
                deleted = True
    fulfilments.sort(key=lambda f: (f.body.shipped_at, f.id))
    refunds.sort(key=lambda r: (r.body.processed_at, r.id))
    tenders.sort(key=lambda t: (t.body.processed_at, t.id))
    returns.sort(key=lambda r: r.id)
    cancellations.sort(key=lambda c: c.id)

    quantities = _quantities(snapshot, fulfilments, announced, refunds, cancellations) if snapshot else {}
    captured, refunded = _money(tenders)
    fulfilment = _fulfilment_state(quantities, fulfilments)
    return OrderState(
        key=key,
        snapshot=snapshot,
        fulfilments=tuple(fulfilments),
        refunds=tuple(refunds),
        tenders=tuple(tenders),
        returns=tuple(returns),
        quantities=quantities,
        commercial=_commercial(snapshot, deleted),
        fulfilment=fulfilment,
        financial=_financial(snapshot, refunds, tenders, captured, refunded),
        captured_minor=captured,
        refunded_minor=refunded,
        placed_at=snapshot.placed_at if snapshot else None,
        processing_at=_first([t.body.processed_at for t in tenders[:1]] + [f.body.shipped_at for f in fulfilments[:1]]),
        shipped_at=fulfilments[0].body.shipped_at if fulfilments else None,
        post_sale_at=refunds[0].body.processed_at if refunds else None,
        promised_ship_by=_first(
            [x.ship_by for x in promises if x.ship_by] or _given(snapshot.promised_ship_by if snapshot else None)
        ),
        promised_delivery_by=_first(
            [x.delivery_by for x in promises if x.delivery_by]
            or _given(snapshot.promised_delivery_by if snapshot else None)
        ),
        problems=tuple(_strangers(quantities, fulfilments, refunds)) if snapshot else (),
        cancellations=tuple(cancellations),
        references=tuple(lines.references) if lines is not None else (),
    )


def lines_of(facts: FactSet) -> Lines | None:
    """The lines through all versions of the order's snapshot; None where every version names them alike."""
    if not facts.overtaken:
        return None
    versions = [x for x in facts.overtaken if x.kind is FactKind.SNAPSHOT]
    versions += [fact for fact in facts.values() if fact.kind is FactKind.SNAPSHOT]
    if all(_named(versions[0]) == _named(version) for version in versions[1:]):
        return None
    versions.sort(key=cmp_to_key(_later_first), reverse=True)
    return Lines.of([x.body for x in versions if isinstance(x.body, Snapshot)])


def _named(version: Fact) -> list[tuple[str, str | None, str | None]]:
    lines = version.body.lines if isinstance(version.body, Snapshot) else ()
    return [(line.external_id, line.sku, line.product) for line in lines]


def events(before: FactSet, after: FactSet) -> list[Event]:
    """What changed between two sets of facts of one order, by time of occurrence, then kind and id."""
    found = [
        event
        for at, fact in after.items()
        if (held := before.get(at)) is None or held.body != fact.body
        for event in _happened(held, fact)
    ]
    found.sort(key=lambda event: (event.occurred_at, event.kind, event.fact_id))
    return found


def _whole(fact: Fact, body: Return, overtaken: Iterable[Fact], lines: Lines | None) -> Return:
    """The return with what its latest version does not say, a closing above all, from the latest that does."""
    earlier = [x for x in overtaken if x.kind is FactKind.RETURN and x.external_id == fact.external_id]
    for version in sorted(earlier, key=cmp_to_key(_later_first)):
        told = version.body if lines is None else lines.body(version.body, version.modified_at)
        if isinstance(told, Return):
            body = Return(
                body.status,
                told.lines if body.lines is None else body.lines,
                told.exchange if body.exchange is None else body.exchange,
                body.reason or told.reason,
            )
    return body


def _later_first(one: Fact, other: Fact) -> int:
    return -1 if _wins(one, other) else 1 if _wins(other, one) else 0


def _wins(fact: Fact, held: Fact) -> bool:
    if fact.modified_at != held.modified_at:
        return fact.modified_at > held.modified_at
    if fact.source is not held.source:
        return SOURCE_RANK[fact.source] > SOURCE_RANK[held.source]
    if fact.body == held.body:
        return False
    return content_hash(fact.content()) > content_hash(held.content())


def _quantities(
    snapshot: Snapshot,
    fulfilments: list[DatedFulfilment],
    announced: list[Fulfilment],
    refunds: list[DatedRefund],
    cancellations: list[DatedCancellation],
) -> dict[LineId, Quantities]:
    shipped: dict[LineId, int] = {}
    delivered: dict[LineId, int] = {}
    for fulfilment in fulfilments:
        for item in fulfilment.body.lines:
            shipped[item.line] = shipped.get(item.line, 0) + item.quantity
            if fulfilment.body.status is FulfilmentStatus.DELIVERED:
                delivered[item.line] = delivered.get(item.line, 0) + item.quantity
    picked: dict[LineId, int] = {}
    for open_one in announced:
        for item in open_one.lines:
            picked[item.line] = picked.get(item.line, 0) + item.quantity
    cancelled: dict[LineId, int] = {}
    credited: dict[LineId, int] = {}
    returned: dict[LineId, int] = {}
    unshipped = {x.id: max(0, x.quantity - x.removed_quantity - shipped.get(x.id, 0)) for x in snapshot.lines}
    for refund in refunds:
        for given in refund.body.lines:
            left = shipped.get(given.line, 0) - credited.get(given.line, 0)
            off = cancelled_units(given, unshipped.get(given.line, 0), left)
            unshipped[given.line] = unshipped.get(given.line, 0) - off
            cancelled[given.line] = cancelled.get(given.line, 0) + off
            credited[given.line] = credited.get(given.line, 0) + given.quantity - off
            if given.restock in (Restock.RETURN, Restock.LEGACY):
                returned[given.line] = returned.get(given.line, 0) + given.quantity - off
    whole = snapshot.cancelled_at is not None
    if whole:
        for line, units in unshipped.items():
            cancelled[line] = cancelled.get(line, 0) + units
        unshipped = dict.fromkeys(unshipped, 0)
    in_erp: dict[LineId, int] = {}
    for cut in (cut for cancellation in cancellations for cut in cancellation.body.cuts):
        left = unshipped.get(cut.line, 0)
        # What the channel has taken out meanwhile is the same units: told of ours, or of one mind with it.
        goes = min(shipped.get(cut.line, 0) + left, cut.of) - max(cut.kept, shipped.get(cut.line, 0))
        if goes > 0:
            in_erp[cut.line] = in_erp.get(cut.line, 0) + min(left, goes)
            unshipped[cut.line] = left - min(left, goes)
    return {
        line.id: Quantities(
            ordered=line.quantity,
            removed=line.removed_quantity,
            cancelled=cancelled.get(line.id, 0) + in_erp.get(line.id, 0),
            shipped=shipped.get(line.id, 0),
            delivered=delivered.get(line.id, 0),
            credited=credited.get(line.id, 0),
            returned=returned.get(line.id, 0),
            picked=min(picked.get(line.id, 0), unshipped[line.id]) if picked else 0,
            cancelled_in_erp=in_erp.get(line.id, 0),
        )
        for line in snapshot.lines
    }


def _money(tenders: list[DatedTender]) -> tuple[int, int]:
    captured = refunded = 0
    for tender in tenders:
        if tender.body.status is TenderStatus.SUCCESS and not tender.body.test:
            if tender.body.kind in MONEY_IN:
                captured += tender.body.amount_minor
            elif tender.body.kind is TenderKind.REFUND:
                refunded += tender.body.amount_minor
    return captured, refunded


def _commercial(snapshot: Snapshot | None, deleted: bool) -> Commercial:
    if deleted:
        return Commercial.DELETED
    if snapshot is None:
        return Commercial.STUB
    if snapshot.cancelled_at is not None:
        return Commercial.CANCELLED
    return Commercial.CLOSED if snapshot.closed_at is not None else Commercial.OPEN


def _fulfilment_state(quantities: dict[LineId, Quantities], fulfilments: list[DatedFulfilment]) -> FulfilmentState:
    if not fulfilments:
        return FulfilmentState.UNFULFILLED
    if any(line.open for line in quantities.values()):
        return FulfilmentState.PARTIAL
    if all(f.body.status is FulfilmentStatus.DELIVERED for f in fulfilments):
        return FulfilmentState.DELIVERED
    return FulfilmentState.FULFILLED


def _financial(
    snapshot: Snapshot | None, refunds: list[DatedRefund], tenders: list[DatedTender], captured: int, refunded: int
) -> FinancialStatus:
    """From the money where any is known, else as the channel claims."""
    if not tenders:
        claimed = snapshot.claimed_financial if snapshot else None
        return claimed or FinancialStatus.PENDING
    if refunded:
        return FinancialStatus.REFUNDED if refunded >= captured else FinancialStatus.PARTIALLY_REFUNDED
    if captured:
        due = _due(snapshot, refunds) if snapshot else captured
        return FinancialStatus.PAID if captured >= due else FinancialStatus.PARTIALLY_PAID
    voided = {t.body.parent for t in tenders if t.body.kind is TenderKind.VOID}
    authorized = [
        t for t in tenders if t.body.kind is TenderKind.AUTHORIZATION and t.body.status is TenderStatus.SUCCESS
    ]
    if not authorized:
        return FinancialStatus.PENDING
    return FinancialStatus.VOIDED if all(t.id in voided for t in authorized) else FinancialStatus.AUTHORIZED


def _due(snapshot: Snapshot, refunds: list[DatedRefund]) -> int:
    """The claimed total less what edits took out, as the channel rounds it, and what refunds gave back."""
    bodies = [refund.body for refund in refunds]
    removed = removed_minor(snapshot) - edit_rounding_minor(snapshot, bodies)
    return snapshot.claimed_total_minor - removed - sum(refund.total_minor for refund in bodies)


def _strangers(
    quantities: dict[LineId, Quantities], fulfilments: list[DatedFulfilment], refunds: list[DatedRefund]
) -> Iterator[Problem]:
    """Lines that facts name and the order does not have, and units beyond what was ordered."""
    for fulfilment in fulfilments:
        for item in fulfilment.body.lines:
            if item.line not in quantities:
                yield Problem(f"fulfilments[{fulfilment.id}]", f"ships line {item.line}, unknown to the order", "line")
        if fulfilment.called_off:
            said = "the ERP shipped it, the channel called it off: cancel it in the ERP, or fulfil it in the channel"
            yield Problem(f"fulfilments[{fulfilment.id}]", said, "called_off")
    for refund in refunds:
        for given in refund.body.lines:
            if given.line not in quantities:
                yield Problem(f"refunds[{refund.id}]", f"refunds line {given.line}, unknown to the order", "line")
    for line, units in quantities.items():
        if units.shipped > units.ordered - units.removed - units.cancelled:
            yield Problem(f"lines[{line}]", f"{units.shipped} shipped of {units.ordered} ordered", "overshipped")


def _given(time: datetime | None) -> list[datetime]:
    return [] if time is None else [time]


def _first(times: list[datetime]) -> datetime | None:
    return min(times, default=None)


_FULFILMENT_EVENTS = {
    FulfilmentStatus.OPEN: EventKind.FULFILMENT_OPENED,
    FulfilmentStatus.SHIPPED: EventKind.SHIPPED,
    FulfilmentStatus.DELIVERED: EventKind.DELIVERED,
    FulfilmentStatus.CANCELLED: EventKind.FULFILMENT_CANCELLED,
    FulfilmentStatus.FAILED: EventKind.FULFILMENT_CANCELLED,
}
_RETURN_EVENTS = {
    ReturnStatus.REQUESTED: EventKind.RETURN_REQUESTED,
    ReturnStatus.OPEN: EventKind.RETURN_OPENED,
    ReturnStatus.CLOSED: EventKind.RETURN_CLOSED,
    ReturnStatus.CANCELLED: EventKind.RETURN_DROPPED,
    ReturnStatus.DECLINED: EventKind.RETURN_DROPPED,
}
_REFUND_EVENTS = {
    TenderStatus.PENDING: EventKind.REFUND_PENDING,
    TenderStatus.SUCCESS: EventKind.REFUNDED,
    TenderStatus.FAILED: EventKind.REFUND_FAILED,
}


def _happened(held: Fact | None, fact: Fact) -> Iterator[Event]:
    """The events that one fact makes by replacing an earlier version of itself, or none."""
    match fact.body:
        case Snapshot() as new:
            old = held.body if held is not None and isinstance(held.body, Snapshot) else None
            if old is None:
                yield Event(EventKind.PLACED, fact.kind, fact.external_id, new.placed_at, new.claimed_total_minor)
            elif old != new:
                yield Event(EventKind.CHANGED, fact.kind, fact.external_id, new.modified_at, new.claimed_total_minor)
            if new.cancelled_at is not None and (old is None or old.cancelled_at is None):
                yield Event(EventKind.CANCELLED, fact.kind, fact.external_id, new.cancelled_at)
            if new.closed_at is not None and (old is None or old.closed_at is None):
                yield Event(EventKind.CLOSED, fact.kind, fact.external_id, new.closed_at)
        case Fulfilment() as fulfilment:
            if held is None or held.body != fulfilment:
                yield Event(_FULFILMENT_EVENTS[fulfilment.status], fact.kind, fact.external_id, fact.occurred_at)
        case Refund() as refund:
            yield Event(EventKind.REFUND_DECIDED, fact.kind, fact.external_id, refund.processed_at, refund.total_minor)
        case Tender() as tender:
            yield Event(_tender_event(tender), fact.kind, fact.external_id, tender.processed_at, tender.amount_minor)
        case Return() as returned:
            yield Event(_RETURN_EVENTS[returned.status], fact.kind, fact.external_id, fact.occurred_at)
        case Edit() as edit:
            yield Event(EventKind.EDITED, fact.kind, fact.external_id, edit.committed_at)
        case Promise() as promise:
            if held is not None or promise.ship_by or promise.delivery_by:
                yield Event(EventKind.PROMISED, fact.kind, fact.external_id, fact.occurred_at)
        case Cancellation() as cancellation:
            kind = EventKind.CANCELLED_IN_ERP if cancellation.cuts else EventKind.REOPENED_IN_ERP
            yield Event(kind, fact.kind, fact.external_id, fact.occurred_at)
        case HandEdit():
            yield Event(EventKind.EDITED_IN_ERP, fact.kind, fact.external_id, fact.occurred_at)
        case Echo():
            pass  # the hub's own doing: its documents say when
        case _:
            yield Event(EventKind.DELETED, fact.kind, fact.external_id, fact.occurred_at)


def _tender_event(tender: Tender) -> EventKind:
    if tender.kind is TenderKind.REFUND:
        return _REFUND_EVENTS[tender.status]
    if tender.status is TenderStatus.PENDING:
        return EventKind.PAYMENT_PENDING
    if tender.status is TenderStatus.FAILED:
        return EventKind.PAYMENT_FAILED
    if tender.kind is TenderKind.VOID:
        return EventKind.VOIDED
    return EventKind.AUTHORIZED if tender.kind is TenderKind.AUTHORIZATION else EventKind.PAID
