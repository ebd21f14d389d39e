"""The row of a target: whether it is paused, until when and why, and how often in a row it gave no answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update

from hub.store.bulk import add_new
from hub.store.schema import moment, stamp, target

BREAKER_FAILURES: Final = 5
"""Calls in a row that a target did not answer: its breaker opens."""

BREAKER_S: Final = 60
"""How long an open breaker lets nothing through; then it lets one call through, and closes when that is answered."""

REASON_CHARACTERS: Final = 2_000


class Pause(StrEnum):
    """Why a target is left alone."""

    ASKED = "asked"  # it asked for it: Retry-After, a rate limit
    BREAKER = "breaker"  # it does not answer
    CREDENTIALS = "credentials"  # they are no longer good
    CONFIGURATION = "configuration"  # it cannot be called as it is configured


class Breaker(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # the next call decides


class Look(StrEnum):
    """What is not a write; of each one at a time, over all processes, where a target has slots."""

    PROBE = "probe"
    READ_BACK = "read_back"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a target stands."""

    failures: int = 0  # calls in a row without an answer
    paused_until: datetime | None = None
    pause: Pause | None = None
    reason: str | None = None
    looking: frozenset[Look] = frozenset()  # what somebody is at

    def paused(self, now: datetime) -> bool:
        """Whether nothing is sent to it now."""
        return self.paused_until is not None and now < self.paused_until

    def breaker(self, now: datetime) -> Breaker:
        if self.failures < BREAKER_FAILURES:
            return Breaker.CLOSED
        return Breaker.OPEN if self.paused(now) else Breaker.HALF_OPEN


def standing(connection: Connection, name: str, now: datetime) -> Standing:
    """How the target stands, as of the last commit."""
    return _standing(connection.execute(_row(name)).first(), now)


def lock(connection: Connection, name: str, now: datetime) -> Standing:
    """How the target stands; until this transaction ends nobody else has it locked."""
    query = _row(name)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update()  # SQLite has one writer: its lock is held already
    row = connection.execute(query).first()
    if row is None:
        add_new(connection, target, [{"name": name, "failures": 0}])
        row = connection.execute(query).one()
    return _standing(row, now)


def pause(connection: Connection, name: str, why: Pause, reason: str, now: datetime, until: datetime) -> None:
    """Nothing is sent to the target before then; a longer pause that it has stands."""
    lock(connection, name, now)
    connection.execute(
        update(target)
        .where(target.c.name == name, or_(target.c.paused_until.is_(None), target.c.paused_until < stamp(until)))
        .values(paused_at=stamp(now), paused_until=stamp(until), pause=why.value, reason=reason[:REASON_CHARACTERS])
    )


def failed(connection: Connection, name: str, reason: str, now: datetime) -> None:
    """The target did not answer a call: after so many in a row its breaker opens."""
    failures = lock(connection, name, now).failures + 1
    connection.execute(update(target).where(target.c.name == name).values(failures=failures))
    if failures >= BREAKER_FAILURES:
        pause(connection, name, Pause.BREAKER, reason, now, now + timedelta(seconds=BREAKER_S))


def answered(connection: Connection, name: str, sent_at: datetime, *, a_write: bool) -> bool:
    """The target answered what was sent then; whether that ends a pause.

    An answer to what was sent before a pause began says nothing about it, and only a write that is answered closes
    the breaker: a system that can be read may still hang on writes.
    """
    where = [target.c.name == name, or_(target.c.paused_at.is_(None), target.c.paused_at < stamp(sent_at))]
    over: dict[str, Any] = {"paused_at": None, "paused_until": None, "pause": None, "reason": None}
    if a_write:
        where.append(or_(target.c.failures > 0, target.c.paused_at.is_not(None)))
        over["failures"] = 0
    else:
        where.append(target.c.pause != Pause.BREAKER.value)
    return connection.execute(update(target).where(*where).values(**over)).rowcount > 0


def resume(connection: Connection, name: str) -> None:
    """The target is tried at once; if it answers, what its pause opened is cured."""
    connection.execute(update(target).where(target.c.name == name).values(paused_until=None))


def lease(connection: Connection, name: str, look: Look, until: datetime) -> None:
    """Nobody else begins such a look at the target before then, unless this one is ended."""
    connection.execute(update(target).where(target.c.name == name).values({_LEASES[look]: stamp(until)}))


def end(connection: Connection, name: str, look: Look) -> None:
    """The next look may begin."""
    connection.execute(update(target).where(target.c.name == name).values({_LEASES[look]: None}))


_LEASES: Final = {Look.PROBE: target.c.probing_until, Look.READ_BACK: target.c.reading_until}


def _row(name: str) -> Any:
    columns = (target.c.failures, target.c.paused_until, target.c.pause, target.c.reason)
    return select(*columns, *_LEASES.values()).where(target.c.name == name)


def _standing(row: Any, now: datetime) -> Standing:
    if row is None:
        return Standing()
    leases = {Look.PROBE: row.probing_until, Look.READ_BACK: row.reading_until}
    return Standing(
        failures=row.failures,
        paused_until=moment(row.paused_until) if row.paused_until else None,
        pause=Pause(row.pause) if row.pause else None,
        reason=row.reason,
        looking=frozenset(look for look, until in leases.items() if until is not None and until > stamp(now)),
    )
