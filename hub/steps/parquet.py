"""Relations as parquet files: DuckDB writes them and reads them back, and digests say whether they are what they were.

The digest of a relation's rows does not depend on their order, on compression or on the writer.
"""
# ruff: noqa: S608  the statements are put together from names of columns and from paths, whose quotes are doubled

from collections.abc import Iterable, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Final

import duckdb

from hub.errors import Misconfigured

THREADS: Final = 2


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory; text is read as UTC, and two threads do the work."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    return connection


def quoted(path: Path) -> str:
    """The path as it stands between quotes in SQL."""
    return str(path).replace("'", "''")


def json_lines(path: Path, columns: Mapping[str, str]) -> str:
    """SQL: the file's lines, a JSON object each, as rows of these columns with their types."""
    declared = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    return f"read_json('{quoted(path)}', format = 'newline_delimited', columns = {{{declared}}})"


def see(connection: duckdb.DuckDBPyConnection, name: str, path: Path, columns: Iterable[str], row: str = "") -> None:
    """The file is the connection's relation of that name.

    Args:
        row: a column besides these with the number of each row in the file; "": none.

    Raises:
        Misconfigured: the file is not there or not what it should be.
    """
    taken = ", ".join([*columns, *([f"file_row_number AS {row}"] if row else [])])
    source = f"read_parquet('{quoted(path)}', file_row_number = {str(bool(row)).lower()})"
    try:
        connection.execute(f"CREATE VIEW {name} AS SELECT {taken} FROM {source}")
    except duckdb.Error as error:
        raise Misconfigured(f"reconcile: {path} cannot be read: {error}") from error


def bytes_digest(path: Path) -> str:
    """SHA-256 of the file as it lies there: quick to take."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def content_digest(connection: duckdb.DuckDBPyConnection, relation: str, columns: Iterable[str]) -> str:
    """SHA-256 over the sorted SHA-256 of the relation's rows: the same for the same rows in any order and any file."""
    [(digest,)] = connection.execute(
        "SELECT sha256(coalesce(string_agg(digest, '' ORDER BY digest), ''))"
        f" FROM (SELECT sha256(json_array({', '.join(columns)})::VARCHAR) AS digest FROM {relation})"
    ).fetchall()
    return str(digest)
