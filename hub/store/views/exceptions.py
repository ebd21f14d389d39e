"""What needs a person: open exceptions, grouped by the fix that would heal them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Engine, and_, func, select

from hub.model.order import OrderKey
from hub.store.schema import exception, orders, stamp

CHUNK: Final = 500  # values bound at once in an IN list
ORDERS_MAX: Final = 10_000  # shown of one group


@dataclass(slots=True)
class Group:
    """The open exceptions of one cause."""

    fingerprint: str
    code: str
    orders: int
    oldest: str
    remedy: str
    assignee: str | None
    held_minor: dict[str, int] = field(default_factory=dict)  # by currency


@dataclass(frozen=True, slots=True)
class OpenException:
    channel: str
    order: str  # "record-N" where the record names no order; a document's key for master data
    name: str | None
    fingerprint: str
    code: str
    message: str
    remedy: str
    currency: str | None
    amount_minor: int | None
    opened_at: str
    assignee: str | None

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.channel, self.order)


def groups(store: Engine, channel: str | None = None) -> list[Group]:
    """The open exceptions by cause, the one with most orders first. `channel` None: of every one."""
    of_channel = [exception.c.channel == channel] if channel is not None else []
    query = (
        select(
            exception.c.fingerprint,
            exception.c.code,
            exception.c.currency,
            func.count(),
            func.sum(exception.c.amount_minor),
            func.min(exception.c.opened_at),
            func.max(exception.c.remedy),
            func.max(exception.c.assignee),
        )
        .where(exception.c.resolved_at.is_(None), *of_channel)
        .group_by(exception.c.fingerprint, exception.c.code, exception.c.currency)
        .order_by(exception.c.fingerprint, exception.c.code, exception.c.currency)
    )
    found: dict[tuple[str, str], Group] = {}
    with store.connect() as connection:
        for fingerprint, code, currency, count, minor, oldest, remedy, assignee in connection.execute(query):
            group = found.setdefault((fingerprint, code), Group(fingerprint, code, 0, oldest, remedy, assignee))
            group.orders += int(count)
            group.oldest = min(group.oldest, oldest)
            group.assignee = group.assignee or assignee
            if currency is not None and minor is not None:
                group.held_minor[currency] = int(minor)
    return sorted(found.values(), key=lambda group: (-group.orders, group.fingerprint))


def opened(
    store: Engine,
    *,
    fingerprint: str | None = None,
    order: OrderKey | None = None,
    channel: str | None = None,
    limit: int | None = None,
) -> list[OpenException]:
    """The open exceptions of a cause, of an order, of a channel, or all; the oldest first. `limit` None: every one."""
    clauses: list[ColumnElement[bool]] = [exception.c.resolved_at.is_(None)]
    if fingerprint is not None:
        clauses.append(exception.c.fingerprint == fingerprint)
    if channel is not None:
        clauses.append(exception.c.channel == channel)
    if order is not None:
        clauses += [exception.c.channel == order.channel, exception.c.order_id == order.external_id]
    query = (
        select(
            exception.c.channel,
            exception.c.order_id,
            orders.c.name,
            exception.c.fingerprint,
            exception.c.code,
            exception.c.message,
            exception.c.remedy,
            exception.c.currency,
            exception.c.amount_minor,
            exception.c.opened_at,
            exception.c.assignee,
        )
        .outerjoin(orders, and_(orders.c.channel == exception.c.channel, orders.c.order_id == exception.c.order_id))
        .where(*clauses)
        .order_by(exception.c.opened_at, exception.c.channel, exception.c.order_id)
        .limit(limit)
    )
    with store.connect() as connection:
        return [OpenException(*row) for row in connection.execute(query)]


def due(store: Engine, now: datetime) -> list[OrderKey]:
    """Orders whose hold has run out by itself, or that a write told something new of."""
    query = (
        select(orders.c.channel, orders.c.order_id)
        .where(orders.c.recheck_at <= stamp(now))
        .order_by(orders.c.channel, orders.c.order_id)
    )
    with store.connect() as connection:
        return [OrderKey(channel, order_id) for channel, order_id in connection.execute(query)]


def held(store: Engine) -> list[OrderKey]:
    """Every order that is held."""
    return _keys(store, orders.c.holds > 0)


def placed_since(store: Engine, channel: str, since: date) -> list[OrderKey]:
    """The channel's orders whose day of placement is that day or later."""
    return _keys(store, orders.c.channel == channel, orders.c.placed_on >= since.isoformat())


def _keys(store: Engine, *clauses: ColumnElement[bool]) -> list[OrderKey]:
    query = select(orders.c.channel, orders.c.order_id).where(*clauses).order_by(orders.c.channel, orders.c.order_id)
    with store.connect() as connection:
        return [OrderKey(channel, order_id) for channel, order_id in connection.execute(query)]


def states(store: Engine, keys: list[OrderKey]) -> dict[OrderKey, "HeldState"]:
    """Which of these the hub knows as orders, how many holds each has, and its money."""
    found: dict[OrderKey, HeldState] = {}
    columns = (
        orders.c.channel, orders.c.order_id, orders.c.posting, orders.c.holds, orders.c.currency,
        orders.c.claimed_minor,
    )  # fmt: skip
    with store.connect() as connection:
        for channel in sorted({key.channel for key in keys}):
            ids = sorted(key.external_id for key in keys if key.channel == channel)
            for start in range(0, len(ids), CHUNK):
                part = orders.c.order_id.in_(ids[start : start + CHUNK])
                for row in connection.execute(select(*columns).where(orders.c.channel == channel, part)):
                    found[OrderKey(row[0], row[1])] = HeldState(row[2], row[3], row[4], row[5])
    return found


def causes(store: Engine, keys: list[OrderKey]) -> dict[str, int]:
    """How many of these orders each open cause holds, the largest first."""
    found: Counter[str] = Counter()
    with store.connect() as connection:
        for channel in sorted({key.channel for key in keys}):
            ids = sorted(key.external_id for key in keys if key.channel == channel)
            for start in range(0, len(ids), CHUNK):
                query = (
                    select(exception.c.fingerprint, func.count())
                    .where(
                        exception.c.channel == channel,
                        exception.c.order_id.in_(ids[start : start + CHUNK]),
                        exception.c.resolved_at.is_(None),
                    )
                    .group_by(exception.c.fingerprint)
                )
                for fingerprint, count in connection.execute(query):
                    found[fingerprint] += int(count)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True)
class HeldState:
    posting: str
    holds: int
    currency: str | None
    claimed_minor: int | None
