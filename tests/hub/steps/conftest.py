"""A hub on either database, its ledger behind the fault harness, and orders to feed it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.shopify.simulator import Story, compose
from hub.model.facts import Source
from hub.model.records import Received
from hub.settings import load_settings
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub, open_hub
from tests.conftest import Clock
from tests.hub.conftest import ConnectErp

OpenHub = Callable[[], Hub]


class Killed(Exception):
    """The worker is gone at this point: nothing in the hub catches it."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def open_one(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    utc: Clock,
    connect_erp: ConnectErp,
    erp_settings: dict[str, Any],
) -> Iterator[OpenHub]:
    """Opens the hub, as often as a test restarts it, on the same stores."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    settings = load_settings(None, tmp_path / "home", {})
    settings = settings.model_copy(update={"erp": settings.erp.model_copy(update=erp_settings)})
    if url is not None:
        settings = settings.model_copy(update={"database_url": SecretStr(url)})
    opened: list[Hub] = []
    utc.now = datetime(2026, 11, 2, 12, tzinfo=UTC)

    def open_it() -> Hub:
        hub = open_hub(settings, utc, connect_erp)
        opened.append(hub)
        return hub

    yield open_it
    for hub in opened:
        hub.store.dispose()
        hub.inbox.dispose()
        if "erp" in vars(hub):
            hub.erp.close_connections()


@pytest.fixture
def hub(open_one: OpenHub) -> Hub:
    return open_one()


def stories(count: int, seed: int = 7) -> list[Story]:
    """Orders of October 2026."""
    return list(compose(seed, count, start=datetime(2026, 10, 1, 12, tzinfo=UTC), days=28))


def plain_story(seed: int = 7) -> Story:
    """An order that was paid, shipped and nothing else."""
    return next(s for s in stories(60, seed) if "plain" in s.traits and s.final["fulfillments"])


def record(body: Any, key: str, topic: str = "orders/updated", source: Source = Source.WEBHOOK) -> Received:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received("shopify", key, topic, source, raw, datetime(2026, 11, 2, 12, tzinfo=UTC))


def take_in(hub: Hub, *received: Received) -> None:
    """Captured and advanced to the last."""
    capture(hub, received)
    advance_all(hub)
