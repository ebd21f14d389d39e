"""The books of a run as parquet files: what should be posted, what the ERP was told of it, and what it posted.

Rows pass through files by the chunk and are summed by DuckDB, so that memory and disk stay flat.
"""
# ruff: noqa: S608  the statements are put together from constants and from paths, whose quotes are doubled

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import duckdb

from hub.books import Chart
from hub.flow.ledgers import BOOK_COLUMNS, BOOK_SIDES, RULES
from hub.model.frozen import frozen
from hub.model.postings import ErpPosting
from hub.steps import parquet
from hub.steps.parquet import quoted

LINES_AT_ONCE: Final = 100_000
MEMORY: Final = "2GB"
"""Of writing the files; what is more goes to the disk beside them for the time."""

Intents = Iterable[Mapping[str, Any]]
"""What `hub.store.postings.intents` gives: a row a decision, entry and reversal as JSON text."""


@frozen
class BookRules:
    """What a comparison of books has to know of the accounts, beside their postings."""

    chart: tuple[tuple[str, str, str, str], ...]  # number, name, type, role
    together: dict[str, str]  # accounts that the ERP keeps on another one
    functional: dict[str, str]  # of each entity


@dataclass(frozen=True, slots=True)
class BooksRead:
    """What a comparison of books is made of, not yet read."""

    rules: BookRules
    postings: Iterable[ErpPosting]
    intents: Intents


@frozen
class BooksSealed:
    """What the files were when they were written."""

    rules: BookRules
    content: dict[str, str]  # SHA-256 of each relation's rows
    bytes: dict[str, str]  # SHA-256 of each file


def write(folder: Path, read: BooksRead, first: str) -> BooksSealed:
    """The folder holds the books' files.

    Args:
        first: the first day of interest, ISO 8601.
    """
    with parquet.connect() as connection, tempfile.TemporaryDirectory(dir=folder) as aside:
        connection.execute(f"SET memory_limit = '{MEMORY}'; SET temp_directory = '{quoted(Path(aside))}'")
        load_posted(connection, folder, read.postings)
        load_expected(connection, folder, read.intents, first)
        store(connection, folder)
        return BooksSealed(
            read.rules,
            {side: parquet.content_digest(connection, side, BOOK_COLUMNS[side]) for side in BOOK_SIDES},
            {side: parquet.bytes_digest(folder / file_of(side)) for side in BOOK_SIDES},
        )


def rules_of(chart: Chart, together: Mapping[str, str], functional: Mapping[str, str]) -> BookRules:
    accounts = tuple((one.number, one.name, str(one.type), str(one.role)) for one in chart.accounts)
    return BookRules(accounts, dict(sorted(together.items())), dict(sorted(functional.items())))


def file_of(side: str) -> str:
    return f"books-{side}.parquet"


def set_rules(connection: duckdb.DuckDBPyConnection, rules: BookRules) -> None:
    """The relations `chart`, `together` and `entity` stand."""
    rows: dict[str, list[tuple[str, ...]]] = {
        "chart": list(rules.chart),
        "together": list(rules.together.items()),
        "entity": list(rules.functional.items()),
    }
    for name, columns in RULES.items():
        declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TABLE {name} ({declared})")
        if rows[name]:
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows[name])


def load_posted(connection: duckdb.DuckDBPyConnection, folder: Path, postings: Iterable[ErpPosting]) -> None:
    """The relation `posted` stands."""
    names = {"document": "key", "order": "order_id"}
    taken = [(field.name, names.get(field.name, field.name)) for field in fields(ErpPosting)]
    columns = BOOK_COLUMNS["posted"]
    connection.execute(f"CREATE OR REPLACE TABLE posted ({', '.join(f'{x} {kind}' for x, kind in columns.items())})")
    lines = (json.dumps({to: getattr(one, of) for of, to in taken}, default=str) + "\n" for one in postings)
    for source in _chunks(folder, "posted", lines, columns):
        connection.execute(f"INSERT INTO posted SELECT {', '.join(columns)} FROM {source}")


def load_expected(connection: duckdb.DuckDBPyConnection, folder: Path, intents: Intents, first: str) -> None:
    """The relations `expected`, `told` and `opening` stand.

    A document has its rows in `expected` if any of its entries is of the first day or later, or if the ERP has it in
    `posted`; every other is in `opening` alone.

    Args:
        connection: with the relation `posted`.
        first: the first day of interest, ISO 8601.
    """
    connection.execute(_NO_INTENTS)
    lines = (_line(intent) for intent in intents)
    for source in _chunks(folder, "intents", lines, _INTENT):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE chunk AS FROM {source}")
        connection.execute(_POSTINGS)
        connection.execute(_ENTERED, {"first": first})
        connection.execute(_OPENING, {"first": first})
        connection.execute(_DECIDED)
    connection.execute("DROP TABLE IF EXISTS chunk; DROP TABLE IF EXISTS line")
    connection.execute(_EXPECTED)
    connection.execute(_TOLD)


def store(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The relations stand as files in the folder."""
    for side in BOOK_SIDES:
        columns = ", ".join(BOOK_COLUMNS[side])
        connection.execute(f"COPY (SELECT {columns} FROM {side} ORDER BY ALL) TO '{quoted(folder / file_of(side))}'")


def see(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The folder's files are the connection's relations.

    Raises:
        Misconfigured: a file is not there or not what it should be.
    """
    for side, columns in BOOK_COLUMNS.items():
        parquet.see(connection, side, folder / file_of(side), columns)


def _chunks(folder: Path, name: str, lines: Iterator[str], columns: Mapping[str, str]) -> Iterator[str]:
    """The lines as sources for DuckDB, so many at once; each is gone when the next one is asked for."""
    passing = folder / f"{name}.jsonl"
    try:
        while (line := next(lines, None)) is not None:
            with passing.open("w", encoding="utf-8", errors="replace") as file:
                file.writelines(islice(chain([line], lines), LINES_AT_ONCE))
            yield parquet.json_lines(passing, columns)
    finally:
        passing.unlink(missing_ok=True)


_ENTRY: Final = (
    "STRUCT(entity VARCHAR, date DATE, functional VARCHAR, memo VARCHAR, postings"
    " STRUCT(account VARCHAR, amount_minor BIGINT, currency VARCHAR, functional_minor BIGINT)[])"
)
_PLAIN: Final = {
    "id": "BIGINT",
    "document": "VARCHAR",
    "kind": "VARCHAR",
    "channel": "VARCHAR",
    "order_id": "VARCHAR",
    "state": "VARCHAR",
    "code": "VARCHAR",
    "adopted": "BOOLEAN",
    "ref": "VARCHAR",
    "total_minor": "BIGINT",
    "tax_minor": "BIGINT",
    "readback_total_minor": "BIGINT",
    "readback_tax_minor": "BIGINT",
    "readback_version": "BIGINT",
}
_INTENT: Final = {**_PLAIN, "entry": _ENTRY, "reversal": _ENTRY}


def _line(intent: Mapping[str, Any]) -> str:
    """The intent as JSON; its entries are JSON already and are put in as they are."""
    plain = json.dumps({name: intent[name] for name in _PLAIN}, ensure_ascii=False)
    return f'{plain[:-1]}, "entry": {intent["entry"] or "null"}, "reversal": {intent["reversal"] or "null"}}}\n'


_NO_INTENTS: Final = f"""
CREATE OR REPLACE TEMP TABLE decided ({", ".join(f"{name} {kind}" for name, kind in _PLAIN.items())});
CREATE OR REPLACE TEMP TABLE entered (id BIGINT, document VARCHAR, entity VARCHAR, date DATE, functional VARCHAR,
    memo VARCHAR, done BOOLEAN, account VARCHAR, currency VARCHAR, amount_minor BIGINT, functional_minor BIGINT);
CREATE OR REPLACE TABLE opening ({", ".join(f"{name} {kind}" for name, kind in BOOK_COLUMNS["opening"].items())})
"""

# A row a posting of the chunk; what is dated earlier, of documents that the ERP does not have here, is only summed.
_POSTINGS: Final = """
CREATE OR REPLACE TEMP TABLE line AS
WITH entry_of AS (
    SELECT id, document, state = 'done' AS done, unnest([entry, reversal]) AS entry FROM chunk
)
SELECT id, document, done, entry.entity AS entity, entry.date AS date, entry.functional AS functional,
    regexp_replace(entry.memo, '^reversal: ', '') AS memo, unnest(entry.postings, recursive := true)
FROM entry_of WHERE entry IS NOT NULL
"""

_EARLIER: Final = "date < CAST($first AS DATE) AND document NOT IN (SELECT key FROM posted)"

_ENTERED: Final = f"""
INSERT INTO entered
SELECT id, document, entity, date, functional, memo, done, account, currency, amount_minor, functional_minor
FROM line WHERE NOT ({_EARLIER})
"""

_OPENING: Final = f"""
INSERT INTO opening
SELECT entity, account, currency, functional, sum(amount_minor), sum(functional_minor)
FROM line WHERE {_EARLIER} GROUP BY ALL
"""

_DECIDED: Final = f"""
INSERT INTO decided SELECT {", ".join(_PLAIN)} FROM chunk SEMI JOIN entered USING (document)
"""

_EXPECTED: Final = """
CREATE OR REPLACE TABLE expected AS
WITH summed AS (
    SELECT document, entity, functional, date, account, currency, max(memo) AS memo,
        sum(amount_minor)::BIGINT AS amount_minor, sum(functional_minor)::BIGINT AS functional_minor,
        coalesce(sum(amount_minor) FILTER (done), 0)::BIGINT AS done_minor,
        coalesce(sum(functional_minor) FILTER (done), 0)::BIGINT AS done_functional_minor
    FROM entered GROUP BY ALL
), named AS (
    SELECT document, any_value(kind) AS kind, any_value(channel) AS channel, any_value(order_id) AS order_id
    FROM decided GROUP BY document
)
SELECT document, kind, channel, order_id, substr(memo, length(kind) + 2) AS reference, summed.* EXCLUDE (document, memo)
FROM summed JOIN named USING (document)
WHERE amount_minor <> 0 OR functional_minor <> 0 OR done_minor <> 0 OR done_functional_minor <> 0;
CREATE OR REPLACE TABLE opening AS
SELECT entity, account, currency, functional, sum(amount_minor)::BIGINT AS amount_minor,
    sum(functional_minor)::BIGINT AS functional_minor
FROM opening GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(functional_minor) <> 0
"""

_TOLD: Final = """
CREATE OR REPLACE TABLE told AS
WITH summed AS (
    SELECT document, coalesce(arg_min(state, id) FILTER (state <> 'done'), '') AS state,
        arg_min(code, id) FILTER (state <> 'done') AS code,
        arg_max(struct_pack(adopted := adopted, ref := ref, total_minor := total_minor, tax_minor := tax_minor,
            readback_total_minor := readback_total_minor, readback_tax_minor := readback_tax_minor,
            readback_version := readback_version), id) FILTER (state = 'done') AS last
    FROM decided GROUP BY document
)
SELECT document, state, coalesce(code, '') AS code, coalesce(last.adopted, false) AS adopted,
    coalesce(last.ref, '') AS ref, last.total_minor AS total_minor, last.tax_minor AS tax_minor,
    last.readback_total_minor AS readback_total_minor, last.readback_tax_minor AS readback_tax_minor,
    last.readback_version AS readback_version
FROM summed;
DROP TABLE decided;
DROP TABLE entered
"""
