"""Durability seen from outside: the kernel is asked to bring a group to disk at least as often as one is committed."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, create_engine, text

from hub.settings import load_settings
from hub.steps.opening import opened
from tests.hub.api.committing import GROUPS, NOW, commit_groups
from tests.hub.api.system_calls import syncs_of
from tests.postgres_server import running_postgres

ENDS_S: Final = 20


@pytest.fixture(scope="module")
def syncing_server() -> Iterator[str]:
    """A server that brings its log to disk; the tests' usual one is told not to."""
    with running_postgres(fsync=True) as address:
        yield address


PROGRAM: Final = [sys.executable, "-m", "tests.hub.api.committing"]


def counted(home: Path, level: str) -> Counter[str]:
    with opened(load_settings(None, home, {}), lambda: NOW):  # migrated beforehand: that syncs too
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[3])
        return syncs_of([*PROGRAM, str(home), level])


@pytest.mark.slow
def test_each_group_commit_asks_the_kernel_for_the_disk(tmp_path: Path) -> None:
    assert counted(tmp_path / "home", "FULL").total() >= GROUPS


@pytest.mark.slow
def test_the_count_finds_commits_that_ask_for_nothing(tmp_path: Path) -> None:
    """The same with synchronous=OFF: were it to pass above, the count would prove nothing."""
    assert counted(tmp_path / "home", "OFF").total() < GROUPS


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize(("level", "synced"), [("on", True), ("off", False)])
def test_a_postgresql_syncs_its_log_for_each_group(
    syncing_server: str, tmp_path: Path, level: str, *, synced: bool
) -> None:
    """The server itself tells how often it did."""
    settings = load_settings(None, tmp_path / "home", {"ORDERHUB_DATABASE_URL": syncing_server})
    watch = create_engine(syncing_server, isolation_level="AUTOCOMMIT")
    with watch.connect() as connection:
        with opened(settings, lambda: NOW):  # migrated beforehand: that syncs too
            pass
        before = syncs(connection)
        with opened(settings, lambda: NOW) as hub:
            commit_groups(hub, f"SET synchronous_commit = '{level}'", keys=level)
        found = syncs(connection) - before
    watch.dispose()
    assert (found >= GROUPS) is synced


def syncs(connection: Connection) -> int:
    """How often the log was brought to disk, once every other session has ended and told its part."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    until = time.monotonic() + ENDS_S
    while connection.execute(others).scalar_one():
        assert time.monotonic() < until, "sessions are still open"
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    version = connection.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one()
    kept = "SELECT wal_sync FROM pg_stat_wal" if version < 180_000 else _SINCE_18
    return int(connection.execute(text(kept)).scalar_one())


_SINCE_18: Final = "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
