"""The suite for connectors, over every system that an installed package offers.

A test module of the plugin's own takes it in whole: `from hub.testing.conformance.connectors import *`.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hub import registry
from hub.settings import CONNECTORS
from hub.testing.conformance.bench import Bench, FarSide
from hub.testing.conformance.failing import TestFailing
from hub.testing.conformance.keeping import TestKeepingSubscriptions
from hub.testing.conformance.pulling import TestBackfilling, TestFetching, TestFetchingMany, TestFetchingOrders
from hub.testing.conformance.pushing import TestTellingShipments, TestTellingStock
from hub.testing.conformance.sheet import faults_of_sheet
from hub.testing.conformance.stating import TestStating
from hub.testing.conformance.translating import TestTranslating
from hub.testing.conformance.webhooks import TestAccepting
from hub.testing.conformance.wiring import Connect, Wiring, bench_of

__all__ = [
    "TestAccepting",
    "TestBackfilling",
    "TestFailing",
    "TestFetching",
    "TestFetchingMany",
    "TestFetchingOrders",
    "TestKeepingSubscriptions",
    "TestSheet",
    "TestStating",
    "TestTellingShipments",
    "TestTellingStock",
    "TestTranslating",
    "bench",
    "connect",
    "far",
    "system",
    "wiring",
]

ORDERS = 12
GROUPS = (
    TestAccepting,
    TestBackfilling,
    TestFailing,
    TestFetching,
    TestFetchingMany,
    TestFetchingOrders,
    TestKeepingSubscriptions,
    TestStating,
    TestTellingShipments,
    TestTellingStock,
    TestTranslating,
)


class TestSheet:
    def test_the_rule_sheet_says_what_the_suite_shows(self, bench: Bench, connect: Connect) -> None:
        assert faults_of_sheet(bench, connect(), GROUPS) == []


@pytest.fixture(scope="session", params=registry.systems(CONNECTORS))
def system(request: pytest.FixtureRequest) -> str:
    """Each system in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def bench(system: str) -> Bench:
    return bench_of(system)


@pytest.fixture
def far(bench: Bench) -> Iterator[FarSide]:
    """A far side of the test's own, its orders over and done with."""
    with bench.open(ORDERS) as far:
        yield far


@pytest.fixture
def wiring(system: str, far: FarSide) -> Iterator[Wiring]:
    with ExitStack() as closing:
        wiring = Wiring(system, far)
        closing.callback(wiring.close)
        yield wiring


@pytest.fixture
def connect(wiring: Wiring) -> Connect:
    """Opens connectors on the far side, closed after the test."""
    return wiring.connect
