"""The raw rows of the inbox, for people."""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from hub.store.schema import body, record


@dataclass(frozen=True, slots=True)
class RecordRow:
    id: int
    channel: str
    key: str
    topic: str
    source: str
    received_at: str
    size_bytes: int
    outcome: str | None  # None: not yet advanced
    order: str | None


@dataclass(frozen=True, slots=True)
class RecordDetail:
    row: RecordRow
    digest: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    result: dict[str, Any] | None = field(repr=False)  # the row that `import` prints
    purged_at: str | None = None  # the body and headers were taken away then


def listed(
    inbox: Engine,
    *,
    outcome: str | None = None,
    channel: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[RecordRow]:
    """The records received last, the newest first.

    Args:
        outcome: what they came to; "waiting": not yet advanced.
        before: only those received before the record of this number.
    """
    clauses: list[ColumnElement[bool]] = [] if before is None else [record.c.id < before]
    if outcome == "waiting":
        clauses.append(record.c.outcome.is_(None))
    elif outcome is not None:
        clauses.append(record.c.outcome == outcome)
    if channel is not None:
        clauses.append(record.c.channel == channel)
    query = (
        select(*_ROW)
        .join(body, body.c.record_id == record.c.id)
        .where(*clauses)
        .order_by(record.c.id.desc())
        .limit(limit)
    )
    with inbox.connect() as connection:
        return [RecordRow(*row) for row in connection.execute(query)]


def find(inbox: Engine, id: int) -> RecordDetail | None:
    """The record with its body; None: there is none of that number."""
    query = (
        select(*_ROW, record.c.digest, body.c.headers, body.c.body, record.c.result, body.c.purged_at)
        .join(body, body.c.record_id == record.c.id)
        .where(record.c.id == id)
    )
    with inbox.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    plain = RecordRow(*row[: len(_ROW)])
    result = json.loads(row.result or "null")
    return RecordDetail(plain, row.digest, json.loads(row.headers), row.body, result, row.purged_at)


_ROW = (
    record.c.id,
    record.c.channel,
    record.c.key,
    record.c.topic,
    record.c.source,
    record.c.received_at,
    func.length(body.c.body),
    record.c.outcome,
    record.c.order_id,
)
