"""The ledger's tables, and how its database is opened: a SQLite file, or a schema on PostgreSQL.

What makes the books trustworthy is not here but in the migration: triggers that refuse an unbalanced entry, a change
of a posted one, and a closed period, whoever asks.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL

from hub.errors import Misconfigured

LOCK_WAIT_S: Final = 30
CACHE_KIB: Final = 32_768  # of SQLite, a connection: the upper pages of the key index of a million documents
CHECKPOINT_PAGES: Final = 8_000  # 32 MB of log before SQLite moves it into the file, instead of 4
MAKING_SCHEMA: Final = 7_160_502
MIGRATING: Final = 7_160_501  # the advisory lock on PostgreSQL under which one process migrates

WAL_ATTEMPTS_MAX: Final = 100
WAL_PAUSE_S: Final = 0.05

MIGRATIONS: Final = Path(__file__).parent / "migrations"

Id = BigInteger().with_variant(Integer, "sqlite")  # on SQLite only INTEGER is the row's own number
Minor = BigInteger

BY_HAND: Final = "by_hand"
"""The condition of a partial index; a query uses it word for word."""

metadata = MetaData()

counter = Table(  # one row; taking it is how writers wait for each other
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("documents", Id, nullable=False),
    Column("entries", Id, nullable=False),
    Column("moves", Id, nullable=False),
    Column("changes", Id, nullable=False),
)

account = Table(  # opened when first posted to
    "account",
    metadata,
    Column("id", String(80), primary_key=True),  # the number, or number:detail
    Column("number", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(12), nullable=False),
    Column("role", String(40), nullable=False),
)

document = Table(
    "document",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("key", String(40), unique=True),  # null: typed in by hand
    Column("kind", String(24), nullable=False),
    Column("channel", Text, nullable=False),  # "" with order_id: it names no order
    Column("order_id", Text, nullable=False),
    Column("reference", Text),
    Column("subject_id", Text, nullable=False),
    Column("customer", Text),
    Column("entity", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("date", Date, nullable=False),
    Column("total_minor", Minor, nullable=False),
    Column("tax_minor", Minor, nullable=False),
    # Of a sales order, what its lines are; zero elsewhere.
    Column("goods_minor", Minor, nullable=False),
    Column("discount_minor", Minor, nullable=False),
    Column("shipping_minor", Minor, nullable=False),
    Column("charges_minor", Minor, nullable=False),
    Column("rounding_minor", Minor, nullable=False),
    Column("edited_minor", Minor, nullable=False),
    Column("cancelled_minor", Minor, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("revision", String(12)),  # of the content that the hub wrote last; null: typed in by hand
    Column("version", Integer, nullable=False),  # moves with each change
    Column("voided", Boolean, nullable=False),
    Column("by_hand", Boolean, nullable=False),  # last changed by a person
    Column("entry", Id),  # the entry that stands for it now; null: none
    Column("changed", Id, nullable=False),  # the change that touched it last, for `changes`
    Column("modified_at", DateTime(timezone=True), nullable=False),  # grows with each version
    Column("body", Text, nullable=False),  # JSON; names a party by its id, never more
    Index("document_by_date", "date"),
    Index("document_by_order", "order_id"),
    Index("document_by_hand", "changed", sqlite_where=text(BY_HAND), postgresql_where=text(BY_HAND)),
)

shipment = Table(  # what people say of a fulfilment that they enter, beside the stock that it moves
    "shipment",
    metadata,
    Column("document", Id, ForeignKey("document.id"), primary_key=True, autoincrement=False),
    Column("shipped_at", DateTime(timezone=True), nullable=False),
    Column("carrier", Text),
    Column("tracking_number", Text),
    Column("unstocked", Text, nullable=False),  # JSON: line and quantity of what was shipped and is no stock
)

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("document", Id, ForeignKey("document.id"), nullable=False),
    Column("cause", String(12), nullable=False),  # see journal.Cause
    Column("reverses", Id, ForeignKey("entry.id"), unique=True),
    Column("entity", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("period", String(7), nullable=False),
    Column("original_date", Date),
    Column("memo", Text, nullable=False),
    Column("functional", String(3), nullable=False),
    Column("posted", Boolean, nullable=False),
    Index("entry_by_date", "date"),
)

posting = Table(
    "posting",
    metadata,
    Column("entry", Id, ForeignKey("entry.id"), primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("account", String(80), ForeignKey("account.id"), nullable=False),
    Column("amount_minor", Minor, nullable=False),  # debits are positive
    Column("currency", String(3), nullable=False),
    Column("functional_minor", Minor, nullable=False),
    sqlite_with_rowid=False,  # the postings of an entry lie together, and its sum reads one page
)

period = Table(
    "period",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("period", String(7), primary_key=True),
    Column("closed", Boolean, nullable=False),
)

customer = Table(
    "customer",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("document", Id, ForeignKey("document.id"), nullable=False),
    Column("name", Text),  # the one datum of a person here; null: not given, or erased
)

item = Table(
    "item",
    metadata,
    Column("code", Text, primary_key=True),
    Column("document", Id, ForeignKey("document.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("standard_cost_minor", Minor, nullable=False),  # of one, in the functional currency; 0: unknown
    UniqueConstraint("document"),
)

stock = Table(
    "stock",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("quantity", Id, nullable=False),
    Column("value_minor", Minor, nullable=False),  # what the inventory account holds for it
    Column("known_quantity", Id, nullable=False),  # with known_value: the last average cost known
    Column("known_value_minor", Minor, nullable=False),
    Column("changed", Id, nullable=False),  # the change that moved it last, for `changes`
    Index("stock_by_change", "changed"),
)

stock_move = Table(
    "stock_move",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("document", Id, ForeignKey("document.id"), nullable=False),
    Column("purpose", String(10), nullable=False),  # see stock.Purpose
    Column("source", Id, ForeignKey("document.id")),  # the fulfilment that a return or a recognition takes from
    Column("item", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("quantity", Id, nullable=False),  # signed as it moves stock
    Column("cost_minor", Minor, nullable=False),  # the same
    Index("stock_move_by_document", "document"),
    Index("stock_move_by_source", "source"),
)


def open_engine(database_url: str) -> Engine:
    """The database of a ledger, its tables as the code wants them; an empty one is filled.

    `?schema=NAME` on a PostgreSQL URL names the schema that the ledger has for its own.

    Raises:
        Misconfigured: it holds the tables of another version.
    """
    engine = _engine(make_url(database_url))
    with engine.connect() as connection:
        found = _revision(connection)
    if found is None:
        migrate(engine, "head")
    elif found != head():
        engine.dispose()
        raise Misconfigured(f"the ledger's database is at version {found}, the code at {head()}: run orderhub migrate")
    return engine


def migrate(engine: Engine, revision: str) -> None:
    """The database is at `revision`; "base" empties it. One process at a time, the others wait and find it done."""
    from alembic import command

    with write(engine) as connection:
        if connection.dialect.name == "postgresql":  # SQLite's write lock is the whole file already
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
        config = _alembic()
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def head() -> str:
    """The revision that this code is written for: the name of the last migration."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("v*.py"))


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, committed unless an exception leaves it; on SQLite the only one from its start."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def take_turn(connection: Connection) -> dict[str, int]:
    """This transaction is the only writer until it ends; the numbers last given, with a change number of its own."""
    connection.execute(update(counter).values(changes=counter.c.changes + 1))
    row = connection.execute(select(counter)).one()
    return dict(row._mapping)


def overwrite(connection: Connection) -> None:
    """What this connection changes is overwritten in a SQLite file, not only forgotten."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def scrub(engine: Engine) -> bool:
    """A SQLite file is written anew, so that free room holds nothing old; False: its log is still being read."""
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


def _engine(url: URL) -> Engine:
    schema = url.query.get("schema")
    url = url.difference_update_query(["schema"])
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": LOCK_WAIT_S})
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    engine = create_engine(url, hide_parameters=True)
    if isinstance(schema, str):
        quoted = engine.dialect.identifier_preparer.quote_identifier(schema)

        def enter_schema(raw: Any, _record: Any) -> None:
            with raw.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_xact_lock({MAKING_SCHEMA})")  # two at once would both make it
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted}")
                cursor.execute(f"SET search_path TO {quoted}")
            raw.commit()

        event.listen(engine, "connect", enter_schema)
    return engine


def _on_sqlite_connect(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # the driver opens no transaction of its own; `_on_sqlite_begin` does
    _enter_wal(raw)
    pragmas = ("synchronous = FULL", "foreign_keys = ON")
    for pragma in (*pragmas, f"cache_size = -{CACHE_KIB}", f"wal_autocheckpoint = {CHECKPOINT_PAGES}"):
        raw.execute(f"PRAGMA {pragma}")


def _enter_wal(raw: Any) -> None:
    """The file is in WAL mode. SQLite does not wait for its lock here: another process may be entering it just now."""
    for attempt in range(WAL_ATTEMPTS_MAX):
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAL_ATTEMPTS_MAX - 1:
                raise
            time.sleep(WAL_PAUSE_S)


def _on_sqlite_begin(connection: Connection) -> None:
    # IMMEDIATE waits for the lock at its start: a reader that turns writer is refused instead of queued.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _alembic() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
