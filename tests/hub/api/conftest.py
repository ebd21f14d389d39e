"""A served hub, and clients that show a token of each role."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from hub.api.app import create_app
from hub.cli.door import now
from hub.model.access import Role
from hub.settings import load_settings
from hub.steps import access
from hub.steps.hub import Hub
from hub.steps.importing import import_files
from hub.steps.opening import opened
from hub.steps.send import send_all
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.conftest import ROOT

Shown = Callable[..., str]

_CHANCE = count(1)


def entropy(size: int) -> bytes:
    return next(_CHANCE).to_bytes(size, "big")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with opened(load_settings(None, tmp_path, {}), now) as hub:
        yield hub


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    with served(create_app(hub, Jobs(hub))) as address:
        yield address


@pytest.fixture
def shown(hub: Hub) -> Shown:
    """Makes a token and gives the header that shows it."""

    def make(role: Role = Role.ADMIN, channel: str | None = None) -> str:
        return f"Bearer {access.create(hub, role.value, role, 'test', entropy, channel=channel).text}"

    return make


@pytest.fixture
def client(address: str, shown: Shown) -> Iterator[httpx.Client]:
    """One who may do all."""
    with httpx.Client(base_url=address, headers={"Authorization": shown()}) as client:
        yield client


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    """One who shows no token."""
    with httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture
def with_orders(hub: Hub) -> Hub:
    """The hub after the samples came in and were posted."""
    list(import_files(hub, "shopify", sorted((ROOT / "connectors/shopify/samples").glob("*.in.json"))))
    send_all(hub)
    return hub
