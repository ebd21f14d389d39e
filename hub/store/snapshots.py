"""Copies of SQLite files while others write them: each consistent in itself, all as of one moment after the other."""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from hub.errors import Misconfigured

BUSY_S: Final = 30
CHUNK_BYTES: Final = 1 << 20


def copy(files: Sequence[tuple[Path, Path]]) -> None:
    """Each file's copy is on disk, as its original was when this began; the first as of the earliest moment.

    The moments are milliseconds apart and in the files' order; nobody is held up, however long the copying takes.

    Raises:
        Misconfigured: a copy is damaged.
        sqlite3.Error: a file is no database, or there is no room.
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(closing(_begun(source))) for source, _ in files]
        for source, (_, target) in zip(sources, files, strict=True):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(target)) as made:
                source.backup(made)
                made.execute("PRAGMA journal_mode=DELETE").close()  # one file, without a log beside it
                found = made.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise Misconfigured(f"the copy of {target.name} is damaged: {found}")
            flush(target)


def version(file: Path, part: str) -> str:
    """The migration that the part of the store in this copy is at."""
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute(f"SELECT version_num FROM {part}_version").fetchone()[0])  # noqa: S608  a name of ours


def digest(file: Path) -> str:
    """The SHA-256 of its bytes."""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def flush(path: Path) -> None:
    """The file, or the folder's list of names, survives a power loss."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _begun(file: Path) -> sqlite3.Connection:
    """A connection that sees the file as it is now, whatever is written meanwhile."""
    connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
    connection.execute("BEGIN").close()
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection
