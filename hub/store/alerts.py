"""Alerts: each condition open once, and who is still to be told of what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, update

from hub.store.bulk import add_new, reserve
from hub.store.schema import alert, alert_notice, counter, moment, stamp

OPENED: Final = "opened"
RESOLVED: Final = "resolved"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that somebody is to be told of."""

    kind: str
    subject: str  # what it is about, of what is configured: a currency, a target, a channel
    words: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"[:100]


@dataclass(frozen=True, slots=True)
class Notice:
    """What one receiver is to be told."""

    alert_id: int
    phase: str  # opened, resolved
    receiver: str
    attempts: int  # this one included
    kind: str
    subject: str
    words: str
    opened_at: datetime
    resolved_at: datetime | None

    @property
    def id(self) -> str:
        """The same at every attempt, so that who is told twice can tell."""
        return f"{self.alert_id}-{self.phase}"


def keep(
    connection: Connection,
    found: Sequence[Condition],
    looked_at: Collection[str],
    receivers: Sequence[str],
    now: datetime,
) -> tuple[list[str], list[str]]:
    """What was found is open and what is no longer so is over, each told of once; the conditions that began and ended.

    Args:
        looked_at: the kinds that were looked at: of others nothing ends.
        receivers: who is to be told.
    """
    open_ = select(alert.c.condition, alert.c.id, alert.c.kind).where(alert.c.resolved_at.is_(None))
    before = {row.condition: row.id for row in connection.execute(open_) if row.kind in looked_at}
    new = [one for one in found if one.key not in before]
    began = []
    for one in new:
        number = reserve(connection, counter, "alert", 1)
        row = {"id": number, "condition": one.key, "kind": one.kind, "subject": one.subject, "words": one.words}
        add_new(connection, alert, [{**row, "opened_at": stamp(now), "resolved_at": None}])
        if connection.execute(select(alert.c.id).where(alert.c.id == number)).scalar() is not None:  # nobody was faster
            began.append(one.key)
            _to_tell(connection, number, OPENED, receivers, now)
    ended = []
    for key in sorted(before.keys() - {one.key for one in found}):
        over = update(alert).where(alert.c.id == before[key], alert.c.resolved_at.is_(None))
        if connection.execute(over.values(resolved_at=stamp(now))).rowcount:
            ended.append(key)
            _to_tell(connection, before[key], RESOLVED, receivers, now)
    return began, ended


def _to_tell(connection: Connection, number: int, phase: str, receivers: Sequence[str], now: datetime) -> None:
    rows = [
        {"alert_id": number, "phase": phase, "receiver": one, "attempts": 0, "due_at": stamp(now)} for one in receivers
    ]
    add_new(connection, alert_notice, rows)


def claim(connection: Connection, receivers: Sequence[str], now: datetime, lease_s: float) -> Notice | None:
    """The next notice that is due to one of these, for this caller alone for so long; the end only after the beginning.

    None: nothing is due.
    """
    begun = alert_notice.alias("begun")
    untold_before = (
        select(begun.c.alert_id)
        .where(
            begun.c.alert_id == alert_notice.c.alert_id,
            begun.c.receiver == alert_notice.c.receiver,
            begun.c.phase == OPENED,
            begun.c.told_at.is_(None),
            alert_notice.c.phase == RESOLVED,
        )
        .exists()
    )
    query = (
        select(alert_notice, alert.c.kind, alert.c.subject, alert.c.words, alert.c.opened_at, alert.c.resolved_at)
        .join(alert, alert.c.id == alert_notice.c.alert_id)
        .where(
            alert_notice.c.told_at.is_(None),
            alert_notice.c.due_at <= stamp(now),
            alert_notice.c.receiver.in_(receivers),
            ~untold_before,
        )
        .order_by(alert_notice.c.alert_id, alert_notice.c.phase, alert_notice.c.receiver)
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    taken = (
        update(alert_notice)
        .where(*_of(row.alert_id, row.phase, row.receiver), alert_notice.c.due_at == row.due_at)
        .values(attempts=row.attempts + 1, due_at=stamp(now + timedelta(seconds=lease_s)))
    )
    if not connection.execute(taken).rowcount:
        return None  # another process was faster, and goes on with the rest
    return Notice(
        row.alert_id,
        row.phase,
        row.receiver,
        row.attempts + 1,
        row.kind,
        row.subject,
        row.words,
        moment(row.opened_at),
        moment(row.resolved_at) if row.resolved_at else None,
    )


def told(connection: Connection, notice: Notice, now: datetime) -> None:
    """The receiver knows."""
    of = _of(notice.alert_id, notice.phase, notice.receiver)
    connection.execute(update(alert_notice).where(*of).values(told_at=stamp(now)))


def tell_again(connection: Connection, notice: Notice, at: datetime) -> None:
    """The receiver could not be told, and is not tried before then."""
    of = _of(notice.alert_id, notice.phase, notice.receiver)
    connection.execute(update(alert_notice).where(*of).values(due_at=stamp(at)))


def open_by_kind(connection: Connection) -> dict[str, int]:
    """How many alerts are open."""
    query = select(alert.c.kind, func.count()).where(alert.c.resolved_at.is_(None)).group_by(alert.c.kind)
    return {kind: int(count) for kind, count in connection.execute(query)}


def _of(alert_id: int, phase: str, receiver: str) -> list[ColumnElement[bool]]:
    at = alert_notice.c
    return [at.alert_id == alert_id, at.phase == phase, at.receiver == receiver]
