"""Turns: a job that is to be done by one worker at a time is one's turn, by a lease in the store.

A worker that dies gives its turns back by saying nothing; one that lives says so, however long a job takes.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.steps.hub import Hub
from hub.store import jobs
from hub.store.jobs import Standing

TURN_S: Final = 60
"""A holder that says nothing for so long is taken for gone."""
RUNG_AGAIN_S: Final = 15
"""How long a ring may go unanswered before the job is looked for in the store."""


def take(hub: Hub, name: str, holder: str, lasts_s: float = TURN_S) -> bool:
    """It is this holder's turn; False: somebody else's, who looks once more at its end."""
    now = hub.clock()
    with hub.writing() as connection, connection.begin():
        return jobs.take(connection, name, holder, now, now + timedelta(seconds=lasts_s))


def keep(hub: Hub, names: Collection[str], holder: str, lasts_s: float = TURN_S) -> None:
    """The holder is still at these."""
    if names:
        with hub.writing() as connection, connection.begin():
            jobs.keep(connection, names, holder, hub.clock() + timedelta(seconds=lasts_s))


def give_back(hub: Hub, name: str, holder: str, failed_for_s: float | None = None) -> bool:
    """The turn is over; whether somebody rang meanwhile, so that there is another one to be taken.

    Args:
        failed_for_s: it failed, and is left alone for so long; None: it did not.
    """
    now = hub.clock()
    not_before = None if failed_for_s is None else now + timedelta(seconds=failed_for_s)
    with hub.writing() as connection, connection.begin():
        return jobs.give_back(connection, name, holder, now, not_before) and not_before is None


def free_all(hub: Hub) -> None:
    """No turn is anybody's: for a process that has its home alone, when it begins."""
    with hub.writing() as connection, connection.begin():
        jobs.free_all(connection)


def unanswered(hub: Hub, grace_s: float = RUNG_AGAIN_S) -> list[str]:
    """Jobs whose ring nobody answered, and those whose worker is gone."""
    now = hub.clock()
    with hub.store.connect() as connection:
        return list(jobs.waiting(connection, now - timedelta(seconds=grace_s), now))


def standing(hub: Hub) -> dict[str, Standing]:
    with hub.store.connect() as connection:
        return jobs.standing(connection)


def ring_due(hub: Hub, plan: Mapping[str, Callable[[datetime], datetime]]) -> list[str]:
    """The jobs of the plan that are due by it wait to be begun from now on, each once however long it was due.

    Args:
        plan: by job, when it is due next, from a moment on.
    """
    now = hub.clock()
    known = standing(hub)
    due: dict[str, datetime] = {}
    for name, following in plan.items():
        stands = known.get(name, Standing(name))
        # By today's plan: an interval that was shortened, or a clock that was set back, does not wait for the old one.
        next_at = following(now)
        if not stands.postponed(now) and (stands.next_at is None or stands.next_at <= now):
            due[name] = next_at
        elif stands.next_at is not None and stands.next_at > next_at:
            _plan_earlier(hub, name, next_at)
    if due:
        with hub.writing() as connection, connection.begin():
            jobs.ring(connection, due, now)
    return list(due)


def _plan_earlier(hub: Hub, name: str, next_at: datetime) -> None:
    with hub.writing() as connection, connection.begin():
        jobs.plan(connection, name, next_at)
