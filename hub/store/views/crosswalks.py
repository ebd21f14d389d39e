"""The crosswalk rows that people set, with who and when."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, select

from hub.store.schema import crosswalk


@dataclass(frozen=True, slots=True)
class SetRow:
    kind: str
    channel: str
    source: str
    target: str
    valid_from: str
    set_at: str
    set_by: str


def history(
    store: Engine,
    kind: str | None = None,
    source: str | None = None,
    limit: int | None = None,
    channels: Collection[str] | None = None,
) -> list[SetRow]:
    """Every row ever set, the newest first; nothing is ever overwritten."""
    clauses: list[ColumnElement[bool]] = []
    if kind is not None:
        clauses.append(crosswalk.c.kind == kind)
    if source is not None:
        clauses.append(crosswalk.c.source == source)
    if channels is not None:
        clauses.append(crosswalk.c.channel.in_(sorted(channels)))
    query = (
        select(
            crosswalk.c.kind,
            crosswalk.c.channel,
            crosswalk.c.source,
            crosswalk.c.target,
            crosswalk.c.valid_from,
            crosswalk.c.set_at,
            crosswalk.c.set_by,
        )
        .where(*clauses)
        .order_by(crosswalk.c.id.desc())
        .limit(limit)
    )
    with store.connect() as connection:
        return [SetRow(*row) for row in connection.execute(query)]
