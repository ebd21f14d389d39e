"""What a completeness check reads of the hub's own side, along the index of placed days, and what the checks found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, and_, case, func, insert, select

from hub.model.documents import DocumentKind
from hub.model.facts import FactKind, Source
from hub.model.intents import Action, StepState
from hub.store.orders import ERP_TARGET
from hub.store.schema import completeness, fact, intent, moment, orders, record, stamp, step
from hub.store.statement import RECONCILED

KEYS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    order: str
    currency: str
    claimed_minor: int
    placed_at: datetime
    posting: str
    held: bool
    ended: bool  # cancelled or deleted: it may never be posted


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """An order's document as the ERP held it after the last write that is known to have happened."""

    order: str
    currency: str
    day: date
    total_minor: int
    settled_at: datetime | None
    moving: bool  # a later write is planned or under way


def placed(connection: Connection, channel: str, first: date, last: date) -> list[PlacedOrder]:
    """The channel's orders of these days, deleted ones left out, by when they were placed."""
    columns = (orders.c.order_id, orders.c.currency, orders.c.claimed_minor, orders.c.placed_at, orders.c.posting)
    query = _of_days(select(*columns, orders.c.holds, orders.c.commercial), channel, first, last)
    found = [
        PlacedOrder(id, currency, claimed or 0, moment(at), posting, holds > 0, commercial == "cancelled")
        for id, currency, claimed, at, posting, holds, commercial in connection.execute(query)
        if commercial != "deleted"
    ]
    return sorted(found, key=lambda one: (one.placed_at, one.order))


def known(connection: Connection, channel: str, ids: Sequence[str]) -> dict[str, str]:
    """Of these orders those that the hub has under any day, each with whether it goes to the ERP."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), KEYS_AT_ONCE):
        part = ids[start : start + KEYS_AT_ONCE]
        query = select(orders.c.order_id, orders.c.posting).where(
            orders.c.channel == channel, orders.c.order_id.in_(part)
        )
        found.update((id, posting) for id, posting in connection.execute(query))
    return found


def booked(connection: Connection, channel: str, first: date, last: date) -> dict[str, BookedOrder]:
    """The orders of these days that the ERP is known to hold; a voided one is none."""
    query = _of_days(_documents(), channel, first, last).order_by(intent.c.id)
    return _latest(connection, query)


def booked_of(connection: Connection, channel: str, ids: Sequence[str]) -> dict[str, BookedOrder]:
    """As `booked`, of these orders."""
    found: dict[str, BookedOrder] = {}
    for start in range(0, len(ids), KEYS_AT_ONCE):
        part = ids[start : start + KEYS_AT_ONCE]
        query = _documents().where(orders.c.channel == channel, orders.c.order_id.in_(part)).order_by(intent.c.id)
        found |= _latest(connection, query)
    return found


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an order first came."""

    order: str
    placed_at: datetime
    first_record: int
    noted_at: datetime  # when the hub first made something of it
    told: bool  # a webhook told of it


def arrivals(connection: Connection, channel: str, first: date, last: date) -> list[Arrival]:
    """How the orders of these days came."""
    told = func.max(case((fact.c.source == Source.WEBHOOK.value, 1), else_=0))
    whole = func.min(case((fact.c.kind == FactKind.SNAPSHOT.value, fact.c.recorded_at)))
    base = select(
        orders.c.order_id, orders.c.placed_at, func.min(fact.c.record_id), whole, func.min(fact.c.recorded_at), told
    ).join_from(orders, fact, and_(fact.c.channel == orders.c.channel, fact.c.order_id == orders.c.order_id))
    query = _of_days(base, channel, first, last).group_by(orders.c.order_id, orders.c.placed_at)
    return [
        Arrival(id, moment(at), number, moment(noted or any_noted), bool(by_webhook))
        for id, at, number, noted, any_noted, by_webhook in connection.execute(query)
    ]


def received_at(inbox: Engine, numbers: Sequence[int]) -> dict[int, datetime]:
    """When these records came."""
    found: dict[int, datetime] = {}
    with inbox.connect() as connection:
        for start in range(0, len(numbers), KEYS_AT_ONCE):
            query = select(record.c.id, record.c.received_at).where(record.c.id.in_(numbers[start : start + 500]))
            found.update((id, moment(at)) for id, at in connection.execute(query))
    return found


def first_heard(inbox: Engine, channel: str) -> datetime | None:
    """When the channel's first record came; None: none did."""
    query = select(record.c.received_at).where(record.c.channel == channel).order_by(record.c.id).limit(1)
    with inbox.connect() as connection:
        at = connection.execute(query).scalar()
    return moment(at) if at is not None else None


def add(
    connection: Connection,
    channel: str,
    days: tuple[date, date],
    checked_at: datetime,
    answer: dict[str, Any],
    *,
    scheduled: bool,
) -> None:
    """The check is noted."""
    row = {
        "channel": channel,
        "first": days[0].isoformat(),
        "last": days[1].isoformat(),
        "checked_at": stamp(checked_at),
        "scheduled": scheduled,
        "orders": answer["orders"],
        "missing": answer["missing"],
        "late": answer["late"],
        "untold": answer["untold"],
        "digest": answer["digest"],
        "answer": json.dumps(answer),
    }
    connection.execute(insert(completeness), row)


def _of_days(query: Select[Any], channel: str, first: date, last: date) -> Select[Any]:
    return query.where(
        orders.c.placed_on.between(first.isoformat(), last.isoformat()),
        orders.c.channel == channel,
        orders.c.posting.in_(RECONCILED),
    )


def _documents() -> Select[Any]:
    columns = (intent.c.order_id, intent.c.currency, intent.c.date, intent.c.total_minor, intent.c.action)
    return (
        select(*columns, step.c.state, step.c.readback_total_minor, step.c.settled_at)
        .join_from(orders, intent, and_(intent.c.channel == orders.c.channel, intent.c.order_id == orders.c.order_id))
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            intent.c.kind == DocumentKind.SALES_ORDER.value,
            step.c.target == ERP_TARGET,
            step.c.state != StepState.SUPERSEDED.value,
        )
    )


def _latest(connection: Connection, query: Select[Any]) -> dict[str, BookedOrder]:
    found: dict[str, BookedOrder] = {}
    for id, currency, on, total, action, state, read_back, settled in connection.execute(query):
        before = found.get(id)
        if state != StepState.DONE.value:
            if before is not None:
                found[id] = BookedOrder(
                    id, before.currency, before.day, before.total_minor, before.settled_at, moving=True
                )
        elif action == Action.VOID.value:
            found.pop(id, None)
        else:
            found[id] = BookedOrder(
                id,
                currency,
                date.fromisoformat(on),
                total if read_back is None else read_back,
                moment(settled) if settled else None,
                moving=False,
            )
    return found
