"""Orders as people look at them: lists, and one order's documents, events and records."""

import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select

from hub.model.order import OrderKey
from hub.store.schema import event, intent, orders, record, release, step

LIST_MAX: Final = 10_000
PER_ORDER_MAX: Final = 5_000  # documents, events or records of one order that are shown


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list; a stub has no currency, and no totals where they were not legible."""

    channel: str
    order: str
    name: str | None
    placed_at: str | None
    modified_at: str | None
    commercial: str
    fulfilment: str
    financial: str
    currency: str | None
    claimed_minor: int | None
    computed_minor: int | None
    captured_minor: int
    refunded_minor: int
    posting: str
    holds: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A decision on a document, with its step and what was read back."""

    document: str
    kind: str
    action: str
    date: str
    currency: str
    total_minor: int
    tax_minor: int
    decided_at: str
    state: str
    attempts: int
    sent_at: str | None
    settled_at: str | None
    ref: str | None
    code: str | None  # of a refusal
    field: str | None
    remedy: str | None
    readback_total_minor: int | None
    readback_date: str | None
    matches: bool | None  # None: not read back
    tracking: tuple[str, ...] = ()  # the numbers of its parcels


@dataclass(frozen=True, slots=True)
class EventRow:
    seq: int
    kind: str
    fact_kind: str
    fact_id: str
    occurred_at: str
    recorded_at: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    code: str
    released_at: str
    released_by: str


@dataclass(frozen=True, slots=True)
class RecordOfOrder:
    record: int
    topic: str
    source: str
    received_at: str
    outcome: str | None


def listed(
    store: Engine,
    *,
    held: bool = False,
    channel: str | None = None,
    limit: int = 50,
    after: tuple[str, str, str] | None = None,
) -> list[OrderRow]:
    """The orders placed last, the newest first; stubs come at the end.

    Args:
        after: only those that follow the one with this moment of placement ("" for none), channel and id.
    """
    placed = func.coalesce(orders.c.placed_at, "")
    clauses: list[ColumnElement[bool]] = []
    if held:
        clauses.append(orders.c.holds > 0)
    if channel is not None:
        clauses.append(orders.c.channel == channel)
    if after is not None:
        at, of_channel, id = after
        beyond = or_(orders.c.channel > of_channel, and_(orders.c.channel == of_channel, orders.c.order_id > id))
        clauses.append(or_(placed < at, and_(placed == at, beyond)))
    query = (
        select(*_ORDER)
        .where(*clauses)
        .order_by(placed.desc(), orders.c.channel, orders.c.order_id)
        .limit(min(limit, LIST_MAX))
    )
    with store.connect() as connection:
        return [OrderRow(*tuple(row)) for row in connection.execute(query)]


def named(store: Engine, name: str, limit: int = 10) -> list[OrderRow]:
    """The orders that a person may mean: by the channel's order id, `channel/id`, or the order's name."""
    channel, slash, order_id = name.partition("/")
    clauses = [orders.c.order_id == name, orders.c.name.in_((name, f"#{name}"))]
    if slash:
        clauses.append(and_(orders.c.channel == channel, or_(orders.c.order_id == order_id, orders.c.name == order_id)))
    query = select(*_ORDER).where(or_(*clauses)).order_by(orders.c.channel, orders.c.order_id).limit(limit)
    with store.connect() as connection:
        found = [OrderRow(*tuple(row)) for row in connection.execute(query)]
    return [row for row in found if f"{row.channel}/{row.order}" == name] or found


def documents(store: Engine, key: OrderKey) -> list[DocumentRow]:
    """Every decision on the order's documents, as decided."""
    query = (
        select(
            intent.c.document_key,
            intent.c.kind,
            intent.c.action,
            intent.c.date,
            intent.c.currency,
            intent.c.total_minor,
            intent.c.tax_minor,
            intent.c.decided_at,
            step.c.state,
            step.c.attempts,
            step.c.sent_at,
            step.c.settled_at,
            step.c.ref,
            step.c.code,
            step.c.field,
            step.c.remedy,
            step.c.readback_total_minor,
            step.c.readback_date,
            step.c.matches,
            intent.c.content,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(intent.c.channel == key.channel, intent.c.order_id == key.external_id)
        .order_by(intent.c.id)
        .limit(PER_ORDER_MAX)
    )
    with store.connect() as connection:
        rows = connection.execute(query).all()
    return [DocumentRow(*[*told, _tracking(content)]) for *told, content in rows]


def _tracking(content: str) -> tuple[str, ...]:
    """The numbers of a document's parcels.

    Args:
        content: the document as JSON.
    """
    parcels = json.loads(content).get("parcels", ())
    return tuple(parcel["tracking_number"] for parcel in parcels if parcel.get("tracking_number"))


def events(store: Engine, key: OrderKey) -> list[EventRow]:
    """The order's events, as they were recorded."""
    query = (
        select(
            event.c.seq,
            event.c.kind,
            event.c.fact_kind,
            event.c.fact_id,
            event.c.occurred_at,
            event.c.recorded_at,
            event.c.amount_minor,
        )
        .where(event.c.channel == key.channel, event.c.order_id == key.external_id)
        .order_by(event.c.seq)
        .limit(PER_ORDER_MAX)
    )
    with store.connect() as connection:
        return [EventRow(*row) for row in connection.execute(query)]


def releases(store: Engine, key: OrderKey) -> list[ReleaseRow]:
    """Which holds a person lifted from the order."""
    query = (
        select(release.c.code, release.c.released_at, release.c.released_by)
        .where(release.c.channel == key.channel, release.c.order_id == key.external_id)
        .order_by(release.c.released_at)
    )
    with store.connect() as connection:
        return [ReleaseRow(*row) for row in connection.execute(query)]


def records_of(inbox: Engine, key: OrderKey) -> list[RecordOfOrder]:
    """The raw records that spoke of the order."""
    query = (
        select(record.c.id, record.c.topic, record.c.source, record.c.received_at, record.c.outcome)
        .where(record.c.channel == key.channel, record.c.order_id == key.external_id)
        .order_by(record.c.id)
        .limit(PER_ORDER_MAX)
    )
    with inbox.connect() as connection:
        return [RecordOfOrder(*row) for row in connection.execute(query)]


_ORDER: Final = (
    orders.c.channel,
    orders.c.order_id,
    orders.c.name,
    orders.c.placed_at,
    orders.c.modified_at,
    orders.c.commercial,
    orders.c.fulfilment,
    orders.c.financial,
    orders.c.currency,
    orders.c.claimed_minor,
    orders.c.computed_minor,
    orders.c.captured_minor,
    orders.c.refunded_minor,
    orders.c.posting,
    orders.c.holds,
)
