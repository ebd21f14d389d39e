"""What the last completeness check of each channel found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from hub.store.schema import completeness


@dataclass(frozen=True, slots=True)
class Checked:
    """The last check of a channel in short."""

    channel: str
    first: str
    last: str
    checked_at: str
    orders: int
    missing: int
    late: int
    untold: int
    digest: str


def last_checks(store: Engine, channels: Sequence[str], *, scheduled: bool = False) -> list[Checked]:
    """The newest check of each of these channels that has one.

    Args:
        scheduled: of those alone that the clock asked for.
    """
    columns = [completeness.c[name] for name in Checked.__dataclass_fields__]
    found = []
    for channel in channels:
        query = select(*columns).where(completeness.c.channel == channel)
        if scheduled:
            query = query.where(completeness.c.scheduled)
        with store.connect() as connection:
            row = connection.execute(query.order_by(completeness.c.id.desc()).limit(1)).first()
        if row is not None:
            found.append(Checked(*row))
    return found


def answers(store: Engine, channels: Sequence[str]) -> list[dict[str, Any]]:
    """All that the newest check of each of these channels found."""
    found = []
    for channel in channels:
        query = select(completeness.c.answer).where(completeness.c.channel == channel)
        with store.connect() as connection:
            answer = connection.execute(query.order_by(completeness.c.id.desc()).limit(1)).scalar()
        if answer is not None:
            found.append(json.loads(answer))
    return found
