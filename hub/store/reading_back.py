"""Documents that are read back after their writes, many in one call; what is due stands in the steps."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select, text, update

from hub.model.order import OrderKey
from hub.store import targets
from hub.store.orders import in_keys
from hub.store.schema import IS_UNREAD, intent, moment, stamp, step
from hub.store.sending import (
    NO_ORDER,
    READ_BACK_VALUES,
    Claimed,
    Read,
    free_slots,
    load_claimed,
    read_back,
    steps_of_intents,
)
from hub.store.targets import Look


def claim(
    connection: Connection,
    target: str,
    limit: int,
    now: datetime,
    *,
    enough: int,
    waited_s: float,
    slots: int,
    lease_s: float,
) -> list[Claimed]:
    """Steps to be read back in one call, in a slot: nobody else reads meanwhile, until the look is ended or lapses.

    Args:
        enough: so many are worth a call.
        waited_s: fewer are when the oldest waited so long.
    """
    if free_slots(connection, target, slots, now, Look.READ_BACK) <= 0:
        return []
    due = step.c.target == target, text(f"step.{IS_UNREAD}"), step.c.read_back_due <= stamp(now)
    query = steps_of_intents().add_columns(step.c.read_back_due).where(*due)
    rows = connection.execute(query.order_by(step.c.read_back_due, step.c.id).limit(limit)).all()
    if not rows or (len(rows) < enough and moment(rows[0].read_back_due) > now - timedelta(seconds=waited_s)):
        return []
    steps = load_claimed(connection, target, [(row, row.attempts, moment(row.sent_at)) for row in rows])
    gone = _overtaken(connection, target, steps)
    _end(connection, [one for one in steps if one.id in gone])
    unread = [one for one in steps if one.id not in gone]
    if unread:
        targets.lease(connection, target, Look.READ_BACK, now + timedelta(seconds=lease_s))
    return unread


def record(connection: Connection, target: str, reads: Sequence[Read]) -> list[Claimed]:
    """What was read back is on record; the steps that it says something of.

    A document that was written again meanwhile may have been read after that: its last write is read back by itself.
    """
    if not reads:
        return []
    gone = _overtaken(connection, target, [one for one, *_ in reads])
    kept = [read for read in reads if read[0].id not in gone]
    if kept:
        statement = update(step).where(step.c.id == bindparam("step_id")).values(**READ_BACK_VALUES)
        connection.execute(statement, [{"step_id": one.id, **read_back(read, ok)} for one, _, read, ok in kept])
    _end(connection, [one for one, *_ in reads])
    return [one for one, *_ in kept]


def postpone(connection: Connection, steps: Sequence[Claimed], until: datetime) -> None:
    """These steps are read back then."""
    if steps:
        later = update(step).where(step.c.id == bindparam("step_id")).values(read_back_due=stamp(until))
        connection.execute(later, [{"step_id": one.id} for one in steps])


def _end(connection: Connection, steps: Sequence[Claimed]) -> None:
    if steps:
        ended = update(step).where(step.c.id == bindparam("step_id")).values(read_back_due=None)
        connection.execute(ended, [{"step_id": one.id} for one in steps])


def _overtaken(connection: Connection, target: str, steps: Sequence[Claimed]) -> set[int]:
    """Those of these steps whose document was sent again since; customers and items never are."""
    keys = sorted({OrderKey(one.channel, one.order_id) for one in steps if one.order_id != NO_ORDER}, key=str)
    if not keys:
        return set()
    query = (
        select(intent.c.channel, intent.c.order_id, intent.c.document_key, step.c.id)
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            in_keys(intent, keys), step.c.target == target, or_(step.c.attempts > 0, step.c.restored_at.is_not(None))
        )
    )
    last: dict[tuple[str, str, str], int] = {}
    for channel, order_id, document, id in connection.execute(query):
        last[channel, order_id, document] = max(id, last.get((channel, order_id, document), 0))
    return {one.id for one in steps if last.get((one.channel, one.order_id, one.write.document.key), one.id) > one.id}
