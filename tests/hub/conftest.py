"""What the hub's documents go to, and how it is configured: a test that wants another overrides it."""

from collections.abc import Callable
from typing import Any

import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.ports import ErpConfig
from tests.conftest import Clock

ConnectErp = Callable[[ErpConfig], Any]


@pytest.fixture
def connect_erp(utc: Clock) -> ConnectErp:
    return lambda config: LedgerSimulator(config, utc)


@pytest.fixture
def erp_settings() -> dict[str, Any]:
    """What `erp` says in the configuration beside what is shipped."""
    return {}
