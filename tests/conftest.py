"""What tests share: time, the fact sheets, a real PostgreSQL, a real browser.

Hypothesis draws the same examples every time; `HYPOTHESIS_PROFILE=explore` draws new ones.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from hypothesis import HealthCheck, settings

from tests.postgres_server import running_postgres

pytest.register_assert_rewrite("hub.testing.conformance")

ROOT = Path(__file__).parents[1]

os.environ["ORDERHUB_FROZEN"] = "1"  # before anything of the hub is imported: see hub/model/frozen.py

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # from a shell in the background; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class Clock:
    """A clock that stands until it is told to move."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **lapse: float) -> datetime:
        """The time after the lapse, given as to timedelta."""
        self.now += timedelta(**lapse)
        return self.now


@pytest.fixture
def utc() -> Clock:
    """Monday 2026-03-02 at noon, UTC."""
    return Clock(datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def shared_contracts() -> Path:
    """The fact sheets and authentic payloads beside the checkout, read in place and never copied."""
    folder = ROOT.parent / "shared" / "contracts"
    if not folder.is_dir():
        pytest.skip("no ../shared/contracts beside this checkout: authentic payloads cannot be read")
    return folder


@pytest.fixture(scope="session")
def shopify_schema(shared_contracts: Path) -> GraphQLSchema:
    """The vendor's Admin schema; a file that is missing beside the others fails, it is not skipped."""
    return build_schema((shared_contracts / "shopify/spec/admin-2026-10.graphql").read_text(), assume_valid=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that Playwright can drive."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no chromium on the path: nothing can look at a page")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server of this worker's own; take `postgres_url` for a database to fill."""
    with running_postgres() as url:
        yield url


_DATABASES = count(1)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database of the test's own, for SQLAlchemy."""
    import psycopg

    name = f"test_{next(_DATABASES)}"
    with psycopg.connect(postgres_server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.removesuffix("postgres") + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
