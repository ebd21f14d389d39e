"""The suite for connectors, over every system that an installed package offers.

A test module of the plugin's own takes it in whole: `from hub.testing.conformance.connectors import *`.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hub import registry
from hub.ports import PutsDocuments
from hub.settings import CONNECTORS
from hub.testing.conformance.bench import STOCK, Bench, FarSide, Fault
from hub.testing.conformance.failing import TestChecking, TestFailing
from hub.testing.conformance.keeping import TestKeepingSubscriptions
from hub.testing.conformance.pulling import TestBackfilling, TestFetching, TestFetchingMany, TestFetchingOrders
from hub.testing.conformance.pushing import NO_ANSWER, TURNED_AWAY, TestTellingShipments, TestTellingStock, ships_of
from hub.testing.conformance.sheet import faults_of_sheet
from hub.testing.conformance.stating import TestListingPlaced, TestStating
from hub.testing.conformance.translating import TestTranslating
from hub.testing.conformance.webhooks import TestAccepting
from hub.testing.conformance.wiring import Connect, Wiring, bench_of, needed

__all__ = [
    "TestAccepting",
    "TestBackfilling",
    "TestChecking",
    "TestFailing",
    "TestFetching",
    "TestFetchingMany",
    "TestFetchingOrders",
    "TestKeepingSubscriptions",
    "TestListingPlaced",
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
    TestChecking,
    TestFailing,
    TestFetching,
    TestFetchingMany,
    TestFetchingOrders,
    TestKeepingSubscriptions,
    TestListingPlaced,
    TestStating,
    TestTellingShipments,
    TestTellingStock,
    TestTranslating,
)


class TestSheet:
    def test_the_rule_sheet_says_what_the_suite_shows(self, bench: Bench, connect: Connect) -> None:
        assert faults_of_sheet(bench.samples.parent, bench.lacks, connect(), GROUPS) == []

    def test_every_fault_is_met_or_its_lack_has_a_reason(self, bench: Bench, far: FarSide) -> None:
        """A fault that a bench forgot would skip the tests of it without a word."""
        unmet = set()
        for fault in Fault:
            if not far.fail(fault):
                unmet.add(fault.value)
            far.heal()

        assert unmet == {fault.value for fault in Fault if bench.lacks.get(fault.value)}

    def test_stock_is_kept_and_its_writes_fail_or_the_lack_has_a_reason(self, bench: Bench, connect: Connect) -> None:
        needed(connect(), PutsDocuments)
        with bench.open(2, unshipped=True) as far:
            ships = ships_of(Wiring("", far))
            kept = bool(ships.levels())
            unmet = {fault.value for fault in (*NO_ANSWER, *TURNED_AWAY) if not ships.fail_write(fault)}

        assert kept is not bool(bench.lacks.get(STOCK))
        assert all(bench.lacks.get(fault) for fault in unmet)


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
