"""Figures to watch a running hub by: each along an index, so that asking every few seconds costs little."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, case, func, select, text

from hub.model.facts import Source
from hub.model.intents import StepState
from hub.store import alerts, targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import (
    IS_PLANNED,
    IS_UNDER_WAY,
    backorder,
    cursor,
    exception,
    intent,
    orders,
    record,
    refetch,
    stamp,
    step,
    target,
)
from hub.store.sending import in_use

KEYS_AT_ONCE: Final = 500  # values bound at once in an IN list

LOSS_WINDOW_S: Final = 3_600
LOSS_GRACE_S: Final = 600
"""A webhook may come so much later than the pull that found its order first."""
LOSS_RECORDS_MAX: Final = 50_000
"""Records that one look at the losses reads; where more came within the window, it looks at the last so many."""


@dataclass(frozen=True, slots=True)
class Cursor:
    channel: str
    stream: str
    moved_at: str


@dataclass(frozen=True, slots=True)
class InboxGauges:
    """How capture stands."""

    waiting: int  # records not yet advanced
    oldest_waiting: str | None  # when it was received
    last_received: dict[str, str]  # by channel; one that never sent anything is left out
    cursors: tuple[Cursor, ...]
    to_be_read_anew: dict[str, int]


@dataclass(frozen=True, slots=True)
class TargetGauges:
    """How sending to one target stands."""

    target: str
    planned: int = 0
    under_way: int = 0
    in_doubt: int = 0
    oldest_planned: str | None = None  # when it was decided
    oldest_in_doubt: str | None = None  # when it was sent
    slots: int | None = None
    slots_in_use: int = 0
    paused: str | None = None  # asked, breaker, credentials, configuration


@dataclass(frozen=True, slots=True)
class HubGauges:
    """How orders and sending stand."""

    targets: tuple[TargetGauges, ...]
    held_minor: dict[str, int]  # by currency: of each order with an open exception, once
    exceptions: dict[str, int]  # open, by code
    oldest_exception: str | None
    held_orders: int
    backordered_orders: int
    alerts: dict[str, int]  # open, by kind


@dataclass(frozen=True, slots=True)
class Loss:
    """Webhooks of one channel, of the last hour but for its last minutes."""

    expected: int  # orders that it told of, and those that it did not
    missed: tuple[str, ...] = field(repr=False, default=())  # placed then, and found by a pull alone


def inbox_gauges(inbox: Engine, channels: Collection[str]) -> InboxGauges:
    """How capture stands now, of these channels."""
    due = record.c.outcome.is_(None)
    with inbox.connect() as connection:
        waiting = connection.execute(select(func.count()).select_from(record).where(due)).scalar_one()
        oldest = connection.execute(select(record.c.received_at).where(due).order_by(record.c.id).limit(1)).scalar()
        last = {slug: received for slug in channels if (received := _last_received(connection, slug)) is not None}
        cursors = connection.execute(
            select(cursor.c.channel, cursor.c.stream, cursor.c.moved_at).order_by(cursor.c.channel, cursor.c.stream)
        )
        moved = tuple(Cursor(*row) for row in cursors)
        anew = connection.execute(select(refetch.c.channel, func.count()).group_by(refetch.c.channel))
        return InboxGauges(int(waiting), oldest, last, moved, {slug: int(count) for slug, count in anew})


def _last_received(connection: Connection, channel: str) -> str | None:
    newest = select(func.max(record.c.id)).where(record.c.channel == channel)
    query = select(record.c.received_at).where(record.c.id == newest.scalar_subquery())
    return connection.execute(query).scalar()


def hub_gauges(store: Engine, now: datetime, slots: dict[str, int]) -> HubGauges:
    """How orders and sending stand now.

    Args:
        slots: of each target that has any, as configured.
    """
    with store.connect() as connection:
        held, codes, oldest = _exceptions(connection)
        waits = select(func.count(func.distinct(backorder.c.channel + "/" + backorder.c.order_id)))
        return HubGauges(
            targets=_targets(connection, now, slots),
            held_minor=held,
            exceptions=codes,
            oldest_exception=oldest,
            held_orders=connection.execute(select(func.count()).where(orders.c.holds > 0)).scalar_one(),
            backordered_orders=connection.execute(waits).scalar_one(),
            alerts=alerts.open_by_kind(connection),
        )


def _targets(connection: Connection, now: datetime, slots: dict[str, int]) -> tuple[TargetGauges, ...]:
    planned = {
        name: (int(count), first)
        for name, count, first in connection.execute(
            select(step.c.target, func.count(), func.min(step.c.id)).where(text(IS_PLANNED)).group_by(step.c.target)
        )
    }
    doubtful = case((step.c.state == StepState.IN_DOUBT.value, step.c.sent_at))
    under_way = {
        name: (int(count), int(doubts), oldest)
        for name, count, doubts, oldest in connection.execute(
            select(step.c.target, func.count(), func.count(doubtful), func.min(doubtful))
            .where(text(IS_UNDER_WAY))
            .group_by(step.c.target)
        )
    }
    known = {ERP_TARGET, *slots, *planned, *under_way, *connection.execute(select(target.c.name)).scalars()}
    found = []
    for name in sorted(known):
        stands = targets.standing(connection, name, now)
        waiting, first = planned.get(name, (0, None))
        at_work, in_doubt, oldest = under_way.get(name, (0, 0, None))
        found.append(
            TargetGauges(
                target=name,
                planned=waiting,
                under_way=at_work - in_doubt,
                in_doubt=in_doubt,
                oldest_planned=_decided_at(connection, first) if first is not None else None,
                oldest_in_doubt=oldest,
                slots=slots.get(name),
                slots_in_use=in_use(connection, name, now) + len(stands.looking),
                paused=stands.pause.value if stands.paused(now) and stands.pause is not None else None,
            )
        )
    return tuple(found)


def _decided_at(connection: Connection, step_id: int) -> str | None:
    query = select(intent.c.decided_at).join(step, step.c.intent_id == intent.c.id).where(step.c.id == step_id)
    return connection.execute(query).scalar()


def _exceptions(connection: Connection) -> tuple[dict[str, int], dict[str, int], str | None]:
    open_ = exception.c.resolved_at.is_(None)
    once = (
        select(exception.c.currency, func.max(exception.c.amount_minor).label("minor"))
        .where(open_)
        # Not the bare column: SQLite would walk all exceptions ever opened, in the order of their key.
        .group_by(func.coalesce(exception.c.channel, ""), exception.c.order_id, exception.c.currency)
        .subquery()
    )
    held = select(once.c.currency, func.sum(once.c.minor)).where(once.c.minor.is_not(None)).group_by(once.c.currency)
    codes = select(exception.c.code, func.count(), func.min(exception.c.opened_at)).where(open_)
    money = {currency: int(minor) for currency, minor in connection.execute(held) if currency is not None}
    rows = connection.execute(codes.group_by(exception.c.code)).all()
    return money, {code: int(count) for code, count, _ in rows}, min((oldest for _, _, oldest in rows), default=None)


def losses(inbox: Engine, store: Engine, now: datetime) -> dict[str, Loss]:
    """By channel: the webhooks that were to come lately, and those that never did, found by a pull."""
    since, until = now - timedelta(seconds=LOSS_WINDOW_S + LOSS_GRACE_S), now - timedelta(seconds=LOSS_GRACE_S)
    hooked = func.max(case((record.c.source == Source.WEBHOOK.value, 1), else_=0))
    pulled = func.max(
        case(((record.c.source == Source.PULL.value) & (record.c.received_at < stamp(until)), 1), else_=0)
    )
    with inbox.connect() as connection:
        rows = connection.execute(
            select(func.coalesce(record.c.channel, text("''")), record.c.order_id, hooked, pulled)
            .where(record.c.id >= _first_since(connection, since), record.c.order_id.is_not(None))
            # Not the bare column: SQLite would walk all records, channel by channel, to spare itself the sorting.
            .group_by(func.coalesce(record.c.channel, text("''")), record.c.order_id)
        ).all()
    told: dict[str, int] = {}
    untold: dict[str, list[str]] = {}
    for channel, order, by_webhook, by_pull in rows:
        if by_webhook:
            told[channel] = told.get(channel, 0) + 1
        elif by_pull:
            untold.setdefault(channel, []).append(order)
    found = {}
    for channel in sorted({*told, *untold}):
        # An order that was placed before is not new, only changed; or this is the first pull of an old shop.
        missed = _placed_since(store, channel, untold.get(channel, []), since)
        found[channel] = Loss(told.get(channel, 0) + len(missed), tuple(missed))
    return found


def _first_since(connection: Connection, since: datetime) -> int:
    """The first record that was received since then; ids grow with time but for a few that overtook each other."""
    # Asked for both at once, SQLite walks the table.
    lowest, highest = (connection.execute(select(end(record.c.id))).scalar() for end in (func.min, func.max))
    if lowest is None or highest is None:
        return 0

    def received(id: int) -> str:
        query = select(record.c.received_at).where(record.c.id >= id).order_by(record.c.id).limit(1)
        return str(connection.execute(query).scalar_one())

    ids = range(max(lowest, highest - LOSS_RECORDS_MAX + 1), highest + 1)
    return ids.start + bisect_left(ids, stamp(since), key=received)


def _placed_since(store: Engine, channel: str, order_ids: list[str], since: datetime) -> list[str]:
    found: list[str] = []
    with store.connect() as connection:
        for start in range(0, len(order_ids), KEYS_AT_ONCE):
            query = select(orders.c.order_id).where(
                orders.c.channel == channel,
                orders.c.order_id.in_(order_ids[start : start + KEYS_AT_ONCE]),
                orders.c.placed_at >= stamp(since),
            )
            found += connection.execute(query).scalars()
    return sorted(found)
