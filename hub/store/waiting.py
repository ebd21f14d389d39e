"""What waits to be told, looked at and left as it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select, text

from hub.model.intents import Write
from hub.store.schema import IS_PLANNED, intent, step
from hub.store.sending import NO_ORDER, load_claimed, steps_of_intents

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a step was sent that never was."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that was decided and not sent, with what it does to the expected books."""

    channel: str
    order_id: str
    write: Write
    entry: str | None  # as JSON
    reversal: str | None


def planned(connection: Connection, target: str, limit: int, channel: str | None = None) -> list[Waiting]:
    """The first steps that wait to be sent, master data first; nothing is claimed.

    Args:
        channel: of its orders alone; master data comes all the same. None: of all.
    """
    query = steps_of_intents().add_columns(intent.c.entry, intent.c.reversal)
    query = query.where(step.c.target == target, text(f"step.{IS_PLANNED}"))
    if channel is not None:
        query = query.where(step.c.channel == channel)
    rows = connection.execute(query.order_by(step.c.order_id != NO_ORDER, step.c.id).limit(limit)).all()
    loaded = load_claimed(connection, target, [(row, row.attempts, NEVER) for row in rows])
    return [
        Waiting(one.channel, one.order_id, one.write, row.entry, row.reversal)
        for one, row in zip(loaded, rows, strict=True)
    ]


def count_planned(connection: Connection, target: str, channel: str | None = None) -> int:
    """How many steps wait to be sent."""
    query = select(func.count()).select_from(step).where(step.c.target == target, text(f"step.{IS_PLANNED}"))
    if channel is not None:
        query = query.where(step.c.channel == channel)
    return int(connection.execute(query).scalar_one())
