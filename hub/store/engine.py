"""Connections: SQLite files set up to be safe and quick, PostgreSQL schemas; both migrated before the first use."""

import fcntl
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import DBAPIError

from hub.errors import Misconfigured

BUSY_MS: Final = 30_000
PAGE_BYTES: Final = 16_384  # a raw order fits a page or two
CHECKPOINT_PAGES: Final = 4_000  # 64 MB of log before a commit has to write it back
OPENING_LOCK: Final = 7_340_017  # any number that nobody else takes as an advisory lock of this database
MIGRATIONS: Final = Path(__file__).parent / "migrations"
Part = Literal["hub", "inbox"]
FULL: Final = ("synchronous=FULL", "synchronous=EXTRA", "synchronous_commit=on", "synchronous_commit=remote_apply")
_LEVELS: Final = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
_COMMIT_MODE: Final = "commit_mode"


def connect(url: str, part: Part, schema: str | None = None) -> Engine:
    """An engine on a part of the store, its tables at the newest version.

    Args:
        url: an SQLAlchemy URL; the folder of an SQLite file is made if absent.
        schema: on PostgreSQL, the schema that holds the tables; made if absent.
    """
    engine = open_engine(url, schema=schema)
    with _alone(engine):
        migrate(engine, part)
    return engine


def open_engine(url: str, *, schema: str | None = None) -> Engine:
    """An engine without migrating; each commit is on disk before it returns, also on power loss."""
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_no_rows)
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    options = "-csynchronous_commit=on" + (f" -csearch_path={schema}" if schema else "")
    engine = create_engine(url, hide_parameters=True, connect_args={"options": options})
    if schema:
        with engine.begin() as connection:  # two at once would both make it
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OPENING_LOCK})")
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    return engine


def commit_mode(connection: Connection) -> str:
    """How sure a commit on this very connection is once it has returned, in the database's words.

    Asked once of each connection that the driver opens.

    Raises:
        Misconfigured: a commit may return before it is on disk.
    """
    known = connection.info.get(_COMMIT_MODE)
    if known is not None:
        return str(known)
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        mode = f"synchronous={_LEVELS.get(level, level)}"
    else:
        mode = f"synchronous_commit={connection.exec_driver_sql('SHOW synchronous_commit').scalar_one()}"
    if mode not in FULL:
        raise Misconfigured(
            f"the inbox commits with {mode}: an answer could go out before what it acknowledges is kept"
        )
    connection.info[_COMMIT_MODE] = mode
    return mode


def scrub(engine: Engine) -> bool:
    """What was taken away is not in the files either; False: somebody was reading, so the log may still hold it.

    SQLite leaves copies behind in free room, wherever pages were split; only a new file is sure to have none. On
    PostgreSQL its own vacuum gives the room back, and what lies on the disk is its operator's matter.
    """
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.close()
    finally:
        raw.close()
    return not busy


@contextmanager
def writing_back(*engines: Engine) -> Iterator[None]:
    """What SQLite's logs hold goes to the files while the block computes, in a thread; it has when the block ends.

    Else the commit that finds a log long does it, and all wait: 3 % of an import (measured, 2026-11). It holds up no
    reader and no writer, and what it cannot do for their sake it leaves to the next.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        under_way = [beside.submit(write_back, engine) for engine in engines if engine.dialect.name == "sqlite"]
        yield
        for one in under_way:
            one.result()


def write_back(engine: Engine) -> None:
    """What SQLite's log holds is in the file, as far as nobody reads or writes it."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()
    finally:
        raw.close()


def gave_way(fault: DBAPIError) -> bool:
    """Whether PostgreSQL ended this transaction for another's sake: nothing was written, and it may be tried anew.

    serialization_failure and deadlock_detected (postgresql.org, "Appendix A. PostgreSQL Error Codes").
    """
    return getattr(fault.orig, "sqlstate", None) in ("40001", "40P01")


def migrate(engine: Engine, part: Part, revision: str = "head") -> None:
    """The tables are at that revision; `base` removes them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / part))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        if revision == "head" and _is_current(connection, part):
            return
        config.attributes["connection"] = connection
        config.attributes["version_table"] = f"{part}_version"
        try:
            (command.downgrade if revision == "base" else command.upgrade)(config, revision)
        except CommandError as error:
            raise Misconfigured(f"the {part} store is of another version than this program: {error}") from None
        connection.commit()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """No other process opens the same store meanwhile: two at once would both make its tables."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({OPENING_LOCK})")
            connection.commit()  # the lock is the session's; no transaction stays open beside it
            try:
                yield
            finally:
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({OPENING_LOCK})")
        return
    if not engine.url.database:
        yield
        return
    with Path(f"{engine.url.database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_current(connection: Connection, part: Part) -> bool:
    """Whether the newest migration ran already: spares every command the cost of starting Alembic."""
    if not inspect(connection).has_table(f"{part}_version"):
        return False
    newest = max(path.stem.split("_")[0] for path in (MIGRATIONS / part).glob("[0-9]*.py"))
    return connection.exec_driver_sql(f"SELECT version_num FROM {part}_version").scalar() == newest  # noqa: S608


def _no_rows(record: logging.LogRecord) -> bool:
    """Statements may be logged, the rows that they give never: names and addresses are among them."""
    return record.levelno > logging.DEBUG


def _sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's own transactions begin too late and not for reads: SQLAlchemy's "begin" below does it instead.
        # (docs.sqlalchemy.org, "SQLite dialect: Enabling Non-Legacy SQLite Transactional Modes", 2026-11.)
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA page_size={PAGE_BYTES}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
