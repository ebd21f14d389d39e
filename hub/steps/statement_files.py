"""The statements of a run as parquet files: written once from rows, read many times as relations.

DuckDB writes and reads them; a digest of their content does not depend on the order of the rows, on compression or on
the writer.
"""
# ruff: noqa: S608  the statements are put together from constants and from paths, whose quotes are doubled

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import duckdb

from hub.errors import Misconfigured
from hub.flow.match import COLUMNS, SIDES, TOTAL
from hub.model.statement import ChannelRow, ErpRow, HubRow, StatementRow

__all__ = [
    "COLUMNS",
    "SIDES",
    "THREADS",
    "TOTAL",
    "bytes_digest",
    "connect",
    "content_digest",
    "file_of",
    "see",
    "write",
]

THREADS: Final = 2


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory; text is read as UTC, and two threads do the work."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    return connection


def file_of(side: str) -> str:
    return f"{side}.parquet"


def write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    channel: Iterable[ChannelRow],
    hub: Iterable[HubRow],
    erp: Iterable[ErpRow],
) -> None:
    """The folder holds the three files, and the connection their rows as tables.

    A subject stands once on the channel's side and the hub's: of several rows of it the newest version counts.
    """
    _load(connection, folder, "channel", (_line(stated, _CHANNEL_EXTRA) for stated in channel))
    _load(connection, folder, "hub", (_line(stated, _HUB_EXTRA) for stated in hub))
    _load(connection, folder, "erp", (_line(stated, _ERP_EXTRA) for stated in erp))
    for side in ("channel", "hub"):
        connection.execute(_NEWEST.format(side=side, columns=", ".join(COLUMNS[side])))
    for side, order in _ORDER.items():
        connection.execute(f"COPY (FROM {side} ORDER BY {order}) TO '{_quoted(folder / file_of(side))}'")


def see(connection: duckdb.DuckDBPyConnection, folder: Path, *, prefix: str = "") -> None:
    """The folder's files are the connection's relations, as `hub.flow.match` wants them; each named with the prefix.

    Raises:
        Misconfigured: a file is not there or not what it should be.
    """
    for side, columns in COLUMNS.items():
        path = folder / file_of(side)
        try:
            connection.execute(
                f"CREATE VIEW {prefix}{side} AS SELECT {', '.join(columns)}, file_row_number AS line"
                f" FROM read_parquet('{_quoted(path)}', file_row_number = true)"
            )
        except duckdb.Error as error:
            raise Misconfigured(f"reconcile: {path} cannot be read: {error}") from error


def bytes_digest(folder: Path, side: str) -> str:
    """SHA-256 of the file as it lies there: quick to take."""
    with (folder / file_of(side)).open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def content_digest(connection: duckdb.DuckDBPyConnection, side: str) -> str:
    """SHA-256 over the sorted SHA-256 of the rows: the same for the same rows in any order and any file."""
    [(digest,)] = connection.execute(
        "SELECT sha256(coalesce(string_agg(digest, '' ORDER BY digest), ''))"
        f" FROM (SELECT sha256(json_array({', '.join(COLUMNS[side])})::VARCHAR) AS digest FROM {side})"
    ).fetchall()
    return str(digest)


_ORDER: Final = {
    "channel": "channel, order_id, subject, subject_id",
    "hub": "channel, order_id, subject, subject_id",
    "erp": "key, ref, voided",
}

_NEWEST: Final = """
CREATE OR REPLACE TABLE {side} AS FROM {side} QUALIFY row_number() OVER (
    PARTITION BY channel, order_id, subject, subject_id
    ORDER BY try_cast(modified_at AS TIMESTAMPTZ) DESC NULLS LAST, {columns}) = 1
"""

_PLAIN: Final = tuple(field.name for field in fields(StatementRow) if field.name != "order")
_CHANNEL_EXTRA, _HUB_EXTRA, _ERP_EXTRA = (
    tuple(field.name for field in fields(kind) if field.name != "row") for kind in (ChannelRow, HubRow, ErpRow)
)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _line(stated: ChannelRow | HubRow | ErpRow, extra: Iterable[str]) -> str:
    plain: dict[str, Any] = {name: getattr(stated.row, name) for name in _PLAIN}
    plain["order_id"] = stated.row.order
    plain.update((name, getattr(stated, name)) for name in extra)
    return json.dumps(plain, ensure_ascii=False, default=str) + "\n"


def _load(connection: duckdb.DuckDBPyConnection, folder: Path, side: str, lines: Iterator[str]) -> None:
    """The side's rows are a table; they pass through a file, so that memory stays flat."""
    passing = folder / f"{side}.jsonl"
    try:
        with passing.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
        columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS[side].items()) + "}"
        connection.execute(
            f"CREATE TABLE {side} AS"
            f" FROM read_json('{_quoted(passing)}', format = 'newline_delimited', columns = {columns})"
        )
    finally:
        passing.unlink(missing_ok=True)
