"""A ledger of one entity, on both databases."""

import datetime
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.ports import EntityConfig, ErpConfig

CONFIG = Path(__file__).parents[3] / "config"
NOW = datetime.datetime(2026, 11, 2, 9, 30, tzinfo=datetime.UTC)

OpenLedger = Callable[[], LedgerSimulator]


def config_of(url: str) -> ErpConfig:
    chart: dict[str, Any] = yaml.safe_load((CONFIG / "chart.yaml").read_text())
    policies: dict[str, Any] = yaml.safe_load((CONFIG / "policies.yaml").read_text())
    entities = (EntityConfig("main", "USD", "America/New_York"), EntityConfig("eu", "EUR", "Europe/Berlin"))
    return ErpConfig("ledger", url, entities, chart, policies)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return f"{url}{'&' if '?' in url else '?'}schema=ledger_{secrets.token_hex(4)}"


@pytest.fixture
def open_ledger(database_url: str) -> Iterator[OpenLedger]:
    """Opens the ledger, once more each time: connections of their own to one database."""
    opened: list[LedgerSimulator] = []

    def open_one() -> LedgerSimulator:
        opened.append(LedgerSimulator(config_of(database_url), lambda: NOW))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close_connections()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> LedgerSimulator:
    return open_ledger()
