"""Jobs that one worker at a time does: whose turn it is, since when they wait, when the schedule rings them next."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from hub.store.bulk import add_new
from hub.store.schema import job, moment, stamp

NAME_CHARACTERS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands."""

    name: str
    known_at: datetime | None = None
    next_at: datetime | None = None
    rung_at: datetime | None = None
    not_before: datetime | None = None
    holder: str | None = None
    held_until: datetime | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def postponed(self, now: datetime) -> bool:
        return self.not_before is not None and now < self.not_before

    def held(self, now: datetime) -> bool:
        """Whether somebody is at it, as far as is known."""
        return self.holder is not None and self.held_until is not None and now <= self.held_until


def standing(connection: Connection) -> dict[str, Standing]:
    """How each job stands that was ever begun or rung, by name."""
    return {row.name: _standing(row) for row in connection.execute(select(job))}


def take(connection: Connection, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """It is this holder's turn until then, and what rang before is answered by it; False: it is another's, who is asked
    to look once more at its end."""
    at = stamp(now)
    add_new(connection, job, [{"name": name, "known_at": at}])
    free = or_(job.c.holder.is_(None), job.c.held_until < at, job.c.holder == holder)
    mine = update(job).where(job.c.name == name, free)
    taken = connection.execute(mine.values(holder=holder, held_until=stamp(until), began_at=at, rung_at=None))
    if taken.rowcount:
        return True
    connection.execute(update(job).where(job.c.name == name, job.c.rung_at.is_(None)).values(rung_at=at))
    return False


def keep(connection: Connection, names: Collection[str], holder: str, until: datetime) -> None:
    """It goes on being this holder's turn, where it still is."""
    mine = update(job).where(job.c.name.in_(sorted(names)), job.c.holder == holder)
    connection.execute(mine.values(held_until=stamp(until)))


def give_back(connection: Connection, name: str, holder: str, now: datetime, not_before: datetime | None) -> bool:
    """Its turn is over; whether somebody rang meanwhile."""
    mine = update(job).where(job.c.name == name, job.c.holder == holder)
    ended = mine.values(
        holder=None, held_until=None, ended_at=stamp(now), not_before=stamp(not_before) if not_before else None
    )
    return connection.execute(ended.returning(job.c.rung_at)).scalar() is not None


def free_all(connection: Connection) -> None:
    """Nobody is at any job: for who knows that all of them are gone."""
    connection.execute(update(job).where(job.c.holder.is_not(None)).values(holder=None, held_until=None))


def ring(connection: Connection, next_at: Mapping[str, datetime], now: datetime) -> None:
    """These jobs wait from now, and are due again then."""
    rows = [{"name": name, "known_at": stamp(now)} for name in next_at]
    add_new(connection, job, rows)
    statement = update(job).where(job.c.name == bindparam("job")).values(rung_at=stamp(now), next_at=bindparam("next"))
    connection.execute(statement, [{"job": name, "next": stamp(at)} for name, at in next_at.items()])


def plan(connection: Connection, name: str, next_at: datetime) -> None:
    """The schedule rings it then."""
    connection.execute(update(job).where(job.c.name == name).values(next_at=stamp(next_at)))


def waiting(connection: Connection, rung_before: datetime, now: datetime) -> Sequence[str]:
    """Jobs that were rung before then and not begun, and those whose holder is gone; not those that are left alone."""
    at = stamp(now)
    query = select(job.c.name).where(
        or_(job.c.not_before.is_(None), job.c.not_before <= at),
        or_(
            and_(job.c.rung_at <= stamp(rung_before), or_(job.c.holder.is_(None), job.c.held_until < at)),
            and_(job.c.holder.is_not(None), job.c.held_until < at),
        ),
    )
    return connection.execute(query.order_by(job.c.rung_at, job.c.name)).scalars().all()


def _standing(row: object) -> Standing:
    def at(name: str) -> datetime | None:
        told: str | None = getattr(row, name)
        return moment(told) if told else None

    return Standing(
        name=row.name,  # type: ignore[attr-defined]
        known_at=at("known_at"),
        next_at=at("next_at"),
        rung_at=at("rung_at"),
        not_before=at("not_before"),
        holder=row.holder,  # type: ignore[attr-defined]
        held_until=at("held_until"),
        began_at=at("began_at"),
        ended_at=at("ended_at"),
    )
