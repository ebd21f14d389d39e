"""The inbox: raw records, each once, and what became of them."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.facts import Source
from hub.model.records import Received, Record
from hub.store.schema import body, moment, record, stamp

CHUNK: Final = 500  # values bound at once in an IN list


def put(engine: Engine, received: Sequence[Received]) -> dict[tuple[str, str], int]:
    """All are on disk, each once; the ids of those that were not there before, by (channel, key).

    One transaction, committed with full durability before this returns.
    """
    if not received:
        return {}
    rows = [
        {
            "channel": one.channel,
            "key": one.key,
            "topic": one.topic,
            "source": one.source.value,
            "received_at": stamp(one.received_at),
            "digest": one.digest,
        }
        for one in received
    ]
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(record).on_conflict_do_nothing().returning(record.c.id, record.c.channel, record.c.key)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        new = {(channel, key): id for id, channel, key in connection.execute(statement, rows)}
        bodies = {
            id: {"record_id": id, "headers": json.dumps(one.headers) if one.headers else "{}", "body": one.body}
            for one in reversed(received)
            if (id := new.get((one.channel, one.key))) is not None
        }
        if bodies:
            connection.execute(insert(body), list(bodies.values()))
    return new


def due(engine: Engine, limit: int) -> list[Record]:
    """Records not yet advanced, the oldest first."""
    query = (
        select(record.c.id, record.c.channel, record.c.topic, record.c.source, body.c.body, record.c.received_at)
        .join(body, body.c.record_id == record.c.id)
        .where(record.c.outcome.is_(None))
        .order_by(record.c.id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return [
            Record(id, channel, topic, Source(source), raw, moment(received_at))
            for id, channel, topic, source, raw, received_at in connection.execute(query)
        ]


def settle(engine: Engine, results: Sequence[dict[str, Any]]) -> None:
    """What became of records: dicts of record_id, outcome, order_id, result (JSON text)."""
    if not results:
        return
    statement = (
        update(record)
        .where(record.c.id == bindparam("record_id"))
        .values(outcome=bindparam("outcome"), order_id=bindparam("order_id"), result=bindparam("result"))
    )
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(statement, list(results))


def results(engine: Engine, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """What became of records, by (channel, key); one not yet advanced is left out."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with engine.connect() as connection:
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            found.update(_results(connection, part))
    return found


def _results(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    query = select(record.c.channel, record.c.key, record.c.result).where(
        record.c.channel.in_({channel for channel, _ in keys}),
        record.c.key.in_([key for _, key in keys]),
        record.c.outcome.is_not(None),
    )
    return {(channel, key): json.loads(result) for channel, key, result in connection.execute(query)}
