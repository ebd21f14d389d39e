"""What the figures of a period are made of: its orders, its expected entries, and what people had to do by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, Engine, and_, func, or_, select

from hub.model.documents import BILLS, CREDITS, DocumentKind
from hub.model.intents import Action, StepState
from hub.model.order import OrderKey
from hub.store.orders import ERP_TARGET, in_keys
from hub.store.schema import audit, crosswalk, edit, intent, orders, release, stamp, step
from hub.store.statement import RECONCILED

EARNING: Final = (*(kind.value for kind in sorted(BILLS | CREDITS)), DocumentKind.JOURNAL_ENTRY.value)
"""Documents that post income."""

NOTED_ELSEWHERE: Final = ("records.edit",)
"""Actions of the audit trail that are counted by what they did."""


def placed(connection: Connection, first: date, last: date) -> list[OrderKey]:
    """The orders placed in these days, sorted; tests and stubs are none."""
    query = (
        select(orders.c.channel, orders.c.order_id)
        .where(orders.c.placed_on.between(first.isoformat(), last.isoformat()), orders.c.posting.in_(RECONCILED))
        .order_by(orders.c.channel, orders.c.order_id)
    )
    return [OrderKey(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An expected entry of an order's document."""

    intent: int
    channel: str
    order: str
    document: str
    kind: str
    state: str
    content: str  # the document that was decided with it, as JSON; of a reversal, what comes after
    entry: str  # as JSON
    reversal: bool


def entries(connection: Connection, first: date, last: date) -> Iterator[EntryRow]:
    """The expected entries that post income in these days, in the order they were decided; what is undone first.

    A reversal's own day stands in it alone: those of other days are among them too.
    """
    dated = and_(intent.c.entry.is_not(None), intent.c.date.between(first.isoformat(), last.isoformat()))
    columns = (intent.c.id, intent.c.channel, intent.c.order_id, intent.c.document_key, intent.c.kind, step.c.state)
    query = (
        select(*columns, intent.c.content, intent.c.date, intent.c.entry, intent.c.reversal)
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            intent.c.kind.in_(EARNING),
            step.c.state != StepState.SUPERSEDED.value,
            or_(dated, intent.c.reversal.is_not(None)),
        )
        .order_by(intent.c.id)
    )
    for id, channel, order_id, key, kind, state, content, on, posted, undone in connection.execute(query):
        of = EntryRow(id, channel, order_id, key, kind, state, content, undone or "", reversal=True)
        if undone is not None:
            yield of
        if posted is not None and first.isoformat() <= on <= last.isoformat():
            yield replace(of, entry=posted, reversal=False)


@dataclass(frozen=True, slots=True)
class DecidedRow:
    intent: int
    key: OrderKey
    document: str
    kind: str
    content: str


def decided(connection: Connection, keys: Sequence[OrderKey]) -> Iterator[DecidedRow]:
    """What was decided on these orders' documents that post income, voids apart, in the order it was decided."""
    query = (
        select(
            intent.c.id,
            intent.c.channel,
            intent.c.order_id,
            intent.c.document_key,
            intent.c.kind,
            intent.c.content,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            in_keys(intent, keys),
            intent.c.kind.in_(EARNING),
            intent.c.action != Action.VOID.value,
            step.c.target == ERP_TARGET,
            step.c.state != StepState.SUPERSEDED.value,
        )
        .order_by(intent.c.id)
    )
    for id, channel, order_id, *rest in connection.execute(query):
        yield DecidedRow(id, OrderKey(channel, order_id), *rest)


def touches(store: Engine, inbox: Engine, begin: datetime, end: datetime) -> dict[str, int]:
    """How often people acted from begin to before end, by what they did."""
    between = [stamp(begin), stamp(end)]
    counted = (
        ("released_holds", store, release.c.released_at),
        ("crosswalk_rows", store, crosswalk.c.set_at),
        ("edited_records", inbox, edit.c.edited_at),
    )
    found = {}
    for name, engine, at in counted:
        query = select(func.count()).where(at >= between[0], at < between[1])
        with engine.connect() as connection:
            found[name] = int(connection.execute(query).scalar_one())
    noted = (
        select(audit.c.action, func.count())
        .where(audit.c.at >= between[0], audit.c.at < between[1], audit.c.action.not_in(NOTED_ELSEWHERE))
        .group_by(audit.c.action)
        .order_by(audit.c.action)
    )
    with store.connect() as connection:
        found |= {action: int(count) for action, count in connection.execute(noted)}
    return found
