"""Crosswalk rows that people set; nothing is ever overwritten."""

import datetime

from sqlalchemy import Connection, insert, select

from hub.model.crosswalk import CrosswalkKind, CrosswalkRow
from hub.store.schema import crosswalk, day, stamp


def rows(connection: Connection) -> list[CrosswalkRow]:
    """All rows in the order in which they were set: of two for one day, the later holds."""
    query = select(
        crosswalk.c.kind, crosswalk.c.channel, crosswalk.c.source, crosswalk.c.target, crosswalk.c.valid_from
    ).order_by(crosswalk.c.id)
    return [
        CrosswalkRow(CrosswalkKind(kind), channel, source, target, day(valid_from))
        for kind, channel, source, target, valid_from in connection.execute(query)
    ]


def put(connection: Connection, row: CrosswalkRow, at: datetime.datetime, by: str) -> None:
    """The row is in force from its day on."""
    connection.execute(
        insert(crosswalk).values(
            kind=row.kind.value,
            channel=row.channel,
            source=row.source,
            target=row.target,
            valid_from=row.valid_from.isoformat(),
            set_at=stamp(at),
            set_by=by,
        )
    )
