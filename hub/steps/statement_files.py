"""The statements of a run as parquet files: written once from rows, read many times as relations."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import duckdb

from hub.flow.match import COLUMNS, SIDES, TOTAL
from hub.model.statement import ChannelRow, ErpRow, HubRow, StatementRow
from hub.steps import parquet
from hub.steps.parquet import quoted

__all__ = ["COLUMNS", "SIDES", "TOTAL", "file_of", "see", "write"]


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
        connection.execute(f"COPY (FROM {side} ORDER BY {order}) TO '{quoted(folder / file_of(side))}'")


def see(connection: duckdb.DuckDBPyConnection, folder: Path, *, prefix: str = "") -> None:
    """The folder's files are the connection's relations, as `hub.flow.match` wants them; each named with the prefix.

    Raises:
        Misconfigured: a file is not there or not what it should be.
    """
    for side, columns in COLUMNS.items():
        parquet.see(connection, prefix + side, folder / file_of(side), columns, row="line")


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
        connection.execute(f"CREATE TABLE {side} AS FROM {parquet.json_lines(passing, COLUMNS[side])}")
    finally:
        passing.unlink(missing_ok=True)
