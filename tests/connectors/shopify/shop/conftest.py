"""A rehearsed shop, a month into its life, on a socket."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.shopify.simulator import App, Server, Setup
from tests.connectors.shopify.shop.caller import Caller

START = datetime(2026, 9, 1, tzinfo=UTC)
LATER = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def setup() -> Setup:
    return Setup(seed=7, orders=60, start=START)


@pytest.fixture
def app(setup: Setup) -> App:
    app = App(setup)
    app.shop.move_to(LATER)
    return app


@pytest.fixture
def caller(app: App) -> Iterator[Caller]:
    with Server(app) as server, Caller(app, server) as caller:
        yield caller
