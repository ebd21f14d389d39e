"""The store's tables: migrations make what the schema says, on either database, and can be taken back."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, make_url

from hub.steps.hub import Hub
from hub.store import schema
from hub.store.engine import Part, connect, migrate, open_engine, writing_back
from hub.store.views import backlog
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import record, take_in

PARTS: list[tuple[Part, MetaData]] = [("hub", schema.hub_metadata), ("inbox", schema.inbox_metadata)]

OpenEmpty = Callable[[str], Engine]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenEmpty]:
    """Opens an empty place for tables under a name: a file of SQLite's, or a schema of PostgreSQL's."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    opened: list[Engine] = []

    def open_empty(name: str) -> Engine:
        engine = open_engine(url or f"sqlite:///{tmp_path / name}.db", schema=name if url else None)
        opened.append(engine)
        return engine

    yield open_empty
    for engine in opened:
        engine.dispose()


@pytest.mark.parametrize(("part", "metadata"), PARTS)
def test_migrations_leave_nothing_that_the_schema_says_otherwise(
    empty: OpenEmpty, part: Part, metadata: MetaData
) -> None:
    engine = empty("migrated")
    migrate(engine, part)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": f"{part}_version"})
        found = compare_metadata(context, metadata)

    assert found == []


@pytest.mark.parametrize(("part", "metadata"), PARTS)
def test_migrated_tables_are_the_very_ones_that_the_schema_makes(
    empty: OpenEmpty, part: Part, metadata: MetaData
) -> None:
    """What a comparison does not see: conditions of partial indexes, keys that cluster a table, columns' order."""
    migrated, made = empty("migrated"), empty("made")
    migrate(migrated, part)

    metadata.create_all(made)

    assert described(migrated, part) == described(made, part)


@pytest.mark.parametrize(("part", "metadata"), PARTS)
def test_migrations_taken_back_leave_no_table(empty: OpenEmpty, part: Part, metadata: MetaData) -> None:
    engine = empty("migrated")
    migrate(engine, part)

    migrate(engine, part, "base")

    assert inspect(engine).get_table_names() == [f"{part}_version"]
    assert set(metadata.tables)


def test_stores_with_data_are_taken_back_and_made_again_and_work(hub: Hub) -> None:
    take_in(hub, record(order(1001), "one"), record(order(1002, paid=False), "two"))

    for engine, part in ((hub.store, PARTS[0][0]), (hub.inbox, PARTS[1][0])):
        migrate(engine, part, "base")
        migrate(engine, part)
    emptied = backlog.backlog(hub.inbox), backlog.holding(hub.store, hub.clock())
    hub.known_masters.clear()
    take_in(hub, record(order(1001), "one"))

    assert (emptied[0].records, emptied[1].orders) == (0, 0)
    assert backlog.backlog(hub.inbox).by_outcome == {"order": 1}
    assert backlog.holding(hub.store, hub.clock()).by_posting == {"posted": 1}


def described(engine: Engine, part: str) -> list[Any]:
    """Every table and index of the place in the database's own words, without the table of versions."""
    if make_url(str(engine.url)).get_backend_name() == "sqlite":
        query = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    else:
        query = (
            "SELECT 'column', table_name, column_name, ordinal_position, data_type, character_maximum_length,"
            " is_nullable"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " UNION ALL SELECT 'index', tablename, indexname, 0, replace(indexdef, schemaname || '.', ''), 0, ''"
            " FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1, 2, 4, 3"
        )
    with engine.connect() as connection:
        rows = [[_plain(value) for value in row] for row in connection.exec_driver_sql(query)]
    return [row for row in rows if not any(f"{part}_version" in str(value) for value in row)]


def _plain(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


@pytest.mark.postgres
def test_two_processes_may_open_a_fresh_database_at_once(postgres_url: str) -> None:
    """Each makes the schema and the tables where the other has not; both come to their end."""
    code = "import sys; from hub.store.engine import connect; connect(sys.argv[1], 'hub', 'fresh').dispose()"
    started = [subprocess.Popen([sys.executable, "-c", code, postgres_url]) for _ in range(4)]

    assert [one.wait(timeout=60) for one in started] == [0, 0, 0, 0]


@pytest.mark.parametrize("part", ["hub", "inbox"])
def test_on_sqlite_a_commit_is_on_disk_before_it_returns(part: Part, tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / part}.db", part)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
    engine.dispose()


def test_a_log_is_written_back_beside_what_is_computed_meanwhile(tmp_path: Path) -> None:
    """A copy of the file alone, without its log, has what was committed; a reader meanwhile holds nothing up."""
    engine = open_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE told (word TEXT)")
        connection.exec_driver_sql("INSERT INTO told VALUES ('before')")
        connection.commit()

    with engine.connect() as reader, writing_back(engine):
        read = reader.exec_driver_sql("SELECT word FROM told").scalars().all()
    copied = open_engine(f"sqlite:///{shutil.copy(tmp_path / 'hub.db', tmp_path / 'copy.db')}")
    with copied.connect() as connection:
        kept = connection.exec_driver_sql("SELECT word FROM told").scalars().all()
    engine.dispose()
    copied.dispose()

    assert (read, kept) == (["before"], ["before"])
