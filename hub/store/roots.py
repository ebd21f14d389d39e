"""Daily roots, and the days that are closed for new events so that a root can be final.

A day is closed before its root is computed. Whoever records events holds the closing off until they are committed, and
stamps none on a closed day: so what a root covers is complete by construction, whatever the clocks of several machines
say, and an event that stands beside its root was put there by somebody else.
"""

import datetime
from collections.abc import Iterator
from datetime import UTC
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, collate, func, select, update

from hub.model.chain import DayRoot, DaySum
from hub.store.bulk import add_new
from hub.store.orders import Overtaken
from hub.store.schema import counter, day, event, root, stamp

CLOSED_DAY: Final = "closed_day"
"""The counter that holds the last closed day, as its ordinal."""

CLOSING_LOCK: Final = 7_340_018  # any number that nobody else takes as an advisory lock of this database
ROWS_AT_ONCE: Final = 5_000


def open_moment(connection: Connection, now: datetime.datetime) -> datetime.datetime:
    """Now, or the first moment after the closed days where this machine's clock is behind them."""
    closed = closed_day(connection)
    return now if closed is None else max(now, _start(closed + datetime.timedelta(days=1)))


def hold_open(connection: Connection, now: datetime.datetime) -> None:
    """The day of `now` is not closed before this transaction ends.

    Raises:
        Overtaken: it is closed already.
    """
    if connection.dialect.name == "postgresql":  # on SQLite the one writer holds the closing off already
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({CLOSING_LOCK})")
    if open_moment(connection, now) != now:
        raise Overtaken("advance: the day was closed meanwhile; these orders are read again")


def close(connection: Connection, until: datetime.date) -> None:
    """No event is recorded any more on that day or before; waits for those that are being recorded."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CLOSING_LOCK})")
    add_new(connection, counter, [{"name": CLOSED_DAY, "value": 0}])
    later = update(counter).where(counter.c.name == CLOSED_DAY, counter.c.value < until.toordinal())
    connection.execute(later.values(value=until.toordinal()))


def closed_day(connection: Connection) -> datetime.date | None:
    """The last day on which nothing is recorded any more; None: none was ever closed."""
    ordinal = connection.execute(select(counter.c.value).where(counter.c.name == CLOSED_DAY)).scalar()
    return datetime.date.fromordinal(ordinal) if ordinal else None


def last_root(connection: Connection) -> DayRoot | None:
    """The newest root."""
    found = connection.execute(_ROOTS.order_by(root.c.day.desc()).limit(1)).one_or_none()
    return None if found is None else DayRoot(day(found[0]), *found[1:])


def find_roots(connection: Connection, first: datetime.date, last: datetime.date) -> list[DayRoot]:
    """The roots of these days, the last day included."""
    query = _ROOTS.where(root.c.day.between(first.isoformat(), last.isoformat())).order_by(root.c.day)
    return [DayRoot(day(found[0]), *found[1:]) for found in connection.execute(query)]


def add_roots(connection: Connection, roots: list[DayRoot], made_at: datetime.datetime) -> None:
    """The days have a root: these, or those that stood there already."""
    at = stamp(made_at)
    rows = [
        {"day": one.day.isoformat(), "orders": one.orders, "events": one.events, "root": one.root, "made_at": at}
        for one in roots
    ]
    add_new(connection, root, rows)


def first_day(connection: Connection, until: datetime.date) -> datetime.date | None:
    """The day of the oldest event; None: none was recorded until the end of that day."""
    before = stamp(_start(until + datetime.timedelta(days=1)))
    oldest = connection.execute(select(func.min(event.c.recorded_at)).where(event.c.recorded_at < before)).scalar()
    return None if oldest is None else day(oldest[:10])


def sums(connection: Connection, first: datetime.date, last: datetime.date) -> dict[datetime.date, DaySum]:
    """What was recorded on each of these days, the last included: one pass, whose memory grows with the days alone.

    PostgreSQL finds the rows by the block range index on `recorded_at`. SQLite reads the whole table, in the order of
    its key: an index there would cost every import more than a scan costs once a day.
    """
    order_id, channel = event.c.order_id, event.c.channel
    if connection.dialect.name == "postgresql":  # byte order, as SQLite's own, whatever the database's language
        channel, order_id = collate(channel, "C"), collate(order_id, "C")  # type: ignore[assignment]
    query = (
        select(event.c.channel, event.c.order_id, event.c.recorded_at, event.c.seq, event.c.hash)
        .where(
            event.c.recorded_at >= stamp(_start(first)),
            event.c.recorded_at < stamp(_start(last + datetime.timedelta(days=1))),
        )
        .order_by(channel, order_id, event.c.seq)
    )
    summed = {first + datetime.timedelta(days=n): DaySum() for n in range((last - first).days + 1)}
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query) as rows:
        for (of_channel, order), events in groupby(rows, itemgetter(0, 1)):
            for on, count, number, digest in _by_day(events):
                summed[day(on)].add(of_channel, order, count, number, digest)
    return summed


def _by_day(events: Iterator[tuple[str, str, str, int, str]]) -> Iterator[tuple[str, int, int, str]]:
    """An order's events by the day they were recorded: how many, the highest number and its hash."""
    days: dict[str, tuple[int, int, str]] = {}
    for _, _, recorded_at, number, digest in events:
        on = recorded_at[:10]
        days[on] = (days[on][0] + 1 if on in days else 1, number, digest)
    for on, (count, number, digest) in days.items():
        yield on, count, number, digest


def _start(on: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(on, datetime.time(), UTC)


_ROOTS: Final = select(root.c.day, root.c.orders, root.c.events, root.c.root)
