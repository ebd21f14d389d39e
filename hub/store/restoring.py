"""What a store that was put back from a backup cannot know: whether what ran before it has sent a step.

See docs/decisions/0037-backups.md.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, exists, func, insert, select, update

from hub.model.intents import StepState
from hub.store.bulk import reserve
from hub.store.schema import (
    fact,
    inbox_counter,
    job,
    moment,
    orders,
    payout,
    restoration,
    settlement_line,
    stamp,
    step,
    target,
)

UNSETTLED: Final = tuple(state.value for state in (StepState.PLANNED, StepState.REJECTED))
UNDER_WAY: Final = tuple(state.value for state in (StepState.SENT, StepState.IN_DOUBT))
RECORDS_SPARED: Final = 1_000_000
"""Ids of records that are not given out again: those of the lost records may stand in logs and tickets."""


def last(connection: Connection) -> datetime | None:
    """When the store was put back last; None: never."""
    at = connection.execute(select(func.max(restoration.c.restored_at))).scalar()
    return None if at is None else moment(at)


def restored(connection: Connection, taken_at: datetime | None, now: datetime) -> int:
    """Every step that is not settled is in doubt from now on; how many they are. Nobody holds a turn or a pause."""
    connection.execute(
        insert(restoration).values(restored_at=stamp(now), taken_at=stamp(taken_at) if taken_at else None)
    )
    unsettled = step.c.state.in_((*UNSETTLED, *UNDER_WAY))
    doubted = connection.execute(update(step).where(unsettled).values(**_in_doubt(now))).rowcount
    connection.execute(update(job).values(holder=None, held_until=None, not_before=None))
    connection.execute(
        update(target).values(
            failures=0,
            paused_at=None,
            paused_until=None,
            pause=None,
            reason=None,
            probing_until=None,
            reading_until=None,
        )
    )
    return doubted


def doubt(connection: Connection, first_intent: int) -> None:
    """Of the steps of these new intents, those that may have been sent before the store was put back are in doubt.

    That is all, but for orders that were placed since.
    """
    at = last(connection)
    if at is None:
        return
    placed_since = exists().where(
        orders.c.channel == step.c.channel, orders.c.order_id == step.c.order_id, orders.c.placed_at >= stamp(at)
    )
    new = step.c.intent_id >= first_intent, step.c.state == StepState.PLANNED.value, ~placed_since.correlate(step)
    connection.execute(update(step).where(*new).values(**_in_doubt(at)))


def spare_records(hub: Connection, inbox: Connection) -> None:
    """Numbers of records that the hub's store names, or that were lost, are given to no other record."""
    named = [
        hub.execute(select(func.max(column))).scalar() or 0
        for column in (fact.c.record_id, payout.c.record_id, settlement_line.c.record_id)
    ]
    given = inbox.execute(select(inbox_counter.c.value).where(inbox_counter.c.name == "record")).scalar() or 0
    reserve(inbox, inbox_counter, "record", max(0, *(number - given for number in named)) + RECORDS_SPARED)


def _in_doubt(at: datetime) -> dict[str, object]:
    return {
        "state": StepState.IN_DOUBT.value,
        "restored_at": stamp(at),
        "sent_at": stamp(at),
        "next_attempt_at": None,
        "leased_until": None,
        "settled_at": None,
    }
