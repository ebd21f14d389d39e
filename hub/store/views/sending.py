"""How sending stands: by target what waits, how many calls are under way, how fast it goes, and when it is through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select, text

from hub.model.intents import StepState
from hub.store import targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import IS_OPEN, moment, stamp, step, target
from hub.store.sending import in_use

RATE_MINUTES: Final = 15
"""The rate is that of the last so many minutes."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    target: str
    backlog: dict[str, int]  # open steps by state
    slots: int | None  # calls that it bears at once; None: many documents go in one call
    slots_in_use: int  # steps that are with a worker, and looks at what is in doubt or to be read back
    settled_per_minute: float | None  # None: nothing was settled lately
    unread: int  # documents still to be read back
    paused_until: str | None
    paused_because: str | None  # asked, breaker, credentials, configuration
    reason: str | None  # in words of ours
    breaker: str
    in_doubt: int
    oldest_in_doubt: str | None  # when it was sent
    through_at: str | None  # when all that can be sent is, at this rate; None: nothing waits, or no rate is known


def sending(store: Engine, now: datetime, slots: Mapping[str, int | None]) -> list[TargetStatus]:
    """How each target stands: the ERP first, then the channels that something was or is to be told to.

    Args:
        slots: of each target that has any, as configured.
    """
    backlog: dict[str, dict[str, int]] = {}
    with store.connect() as connection:
        open_ = select(step.c.target, step.c.state, func.count()).where(text(IS_OPEN))
        for name, state, count in connection.execute(open_.group_by(step.c.target, step.c.state)):
            backlog.setdefault(name, {})[state] = int(count)
        known = set(connection.execute(select(target.c.name)).scalars()) | set(backlog)
        since = stamp(now - timedelta(minutes=RATE_MINUTES))
        lately = (
            select(step.c.target, func.count(), func.min(step.c.settled_at))
            .where(step.c.settled_at >= since, step.c.sent_at.is_not(None))
            .group_by(step.c.target)
        )  # one pass over all steps: nothing of this is indexed
        rates = {name: _per_minute(count, first, now) for name, count, first in connection.execute(lately)}
        statuses = []
        for name in [ERP_TARGET, *sorted(known - {ERP_TARGET})]:
            stands = targets.standing(connection, name, now)
            doubtful = step.c.target == name, step.c.state == StepState.IN_DOUBT.value
            waits = dict(sorted(backlog.get(name, {}).items()))
            rate = rates.get(name)
            unread = select(func.count()).where(step.c.target == name, step.c.read_back_due.is_not(None))
            paused = stands.paused(now)
            statuses.append(
                TargetStatus(
                    target=name,
                    backlog=waits,
                    slots=slots.get(name),
                    slots_in_use=in_use(connection, name, now) + len(stands.looking),
                    settled_per_minute=rate,
                    unread=connection.execute(unread).scalar_one(),
                    paused_until=stamp(stands.paused_until) if paused and stands.paused_until else None,
                    paused_because=stands.pause.value if paused and stands.pause else None,
                    reason=stands.reason if paused else None,
                    breaker=stands.breaker(now).value,
                    in_doubt=waits.get(StepState.IN_DOUBT.value, 0),
                    oldest_in_doubt=connection.execute(select(func.min(step.c.sent_at)).where(*doubtful)).scalar(),
                    through_at=_through_at(waits, rate, max(now, stands.paused_until or now)),
                )
            )
    return statuses


def _per_minute(settled: int, first: str, now: datetime) -> float:
    minutes = (now - moment(first)) / timedelta(minutes=1)
    return round(settled / max(1.0, minutes), 1)


def _through_at(waits: dict[str, int], rate: float | None, since: datetime) -> str | None:
    """What was refused waits for a person, and is not counted."""
    left = sum(count for state, count in waits.items() if state != StepState.REJECTED.value)
    if not left or not rate:
        return None
    return stamp(since + timedelta(minutes=left / rate))
