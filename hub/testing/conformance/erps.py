"""The suite for ERP adapters, over every one of the registry; a plugin of one's own passes it by importing this module.

    from hub.testing.conformance.erps import *  # in a test module

An ERP is asked for by its abilities, against the simulator that its system's BENCH opens: see erp_bench.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Final

import pytest

from hub import registry
from hub.settings import ERP_ADAPTERS
from hub.testing.conformance.bench import Fault
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide, Need
from hub.testing.conformance.erp_changing import TestChanging
from hub.testing.conformance.erp_checking import TestCheckingSetup
from hub.testing.conformance.erp_failing import TestErpFailing, undisturbed
from hub.testing.conformance.erp_posting import TestPostings
from hub.testing.conformance.erp_putting import TestPutting, story
from hub.testing.conformance.erp_refusing import TestRefusing
from hub.testing.conformance.erp_stating import TestStatingDocuments, TestTallyingDocuments
from hub.testing.conformance.erp_wiring import ErpWiring, bench_of
from hub.testing.conformance.sheet import faults_of_sheet
from hub.testing.conformance.wiring import Connect

__all__ = [
    "TestChanging",
    "TestCheckingSetup",
    "TestErpFailing",
    "TestErpSheet",
    "TestPostings",
    "TestPutting",
    "TestRefusing",
    "TestStatingDocuments",
    "TestTallyingDocuments",
    "bench",
    "connect",
    "far",
    "story",
    "system",
    "undisturbed",
    "wiring",
]


GROUPS = (
    TestChanging,
    TestCheckingSetup,
    TestErpFailing,
    TestPostings,
    TestPutting,
    TestRefusing,
    TestStatingDocuments,
    TestTallyingDocuments,
)


ASKED_OF: Final[Mapping[Need, Callable[[ErpFarSide], None]]] = {
    Need.SEARCH_LAG: lambda far: far.lag(60),
    Need.TAKEN_KEYS: lambda far: far.take_key("so-webshop-1001"),
    Need.DOUBLE_KEYS: lambda far: far.double("so-webshop-1001"),
}
"""What a far side does for a need, where it has it."""


class TestErpSheet:
    def test_the_rule_sheet_says_what_the_suite_shows(self, bench: ErpBench, connect: Connect) -> None:
        assert faults_of_sheet(bench.home, bench.lacks, connect(), GROUPS) == []

    def test_every_fault_is_met_or_its_lack_has_a_reason(self, bench: ErpBench, far: ErpFarSide) -> None:
        """A fault that a bench forgot would skip the tests of it without a word."""
        unmet = set()
        for fault in Fault:
            if not far.fail(fault):
                unmet.add(fault.value)
            far.heal()

        assert unmet == {fault.value for fault in Fault if bench.lacks.get(fault.value)}

    @pytest.mark.parametrize("need", list(ASKED_OF))
    def test_a_lack_that_is_declared_is_one(self, bench: ErpBench, far: ErpFarSide, need: Need) -> None:
        """What a bench could do, and says that it lacks, would skip its tests for nothing."""
        reason = bench.lacks.get(need.value)
        if reason is None:
            ASKED_OF[need](far)
            return
        with pytest.raises(NotImplementedError) as refused:
            ASKED_OF[need](far)
        assert str(refused.value) == reason

    def test_what_an_erp_lacks_is_something_that_is_asked_for(self, bench: ErpBench) -> None:
        known = {*Fault, *Need, *(ability.__name__ for group in GROUPS for ability in group.abilities)}
        assert set(bench.lacks) <= known
        assert all(bench.lacks.values())


@pytest.fixture(scope="session", params=registry.systems(ERP_ADAPTERS))
def system(request: pytest.FixtureRequest) -> str:
    """Each system in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def bench(system: str) -> ErpBench:
    return bench_of(system)


@pytest.fixture
def far(bench: ErpBench) -> Iterator[ErpFarSide]:
    """A far side of the test's own, told nothing yet."""
    with bench.open() as far:
        yield far


@pytest.fixture
def wiring(system: str, bench: ErpBench, far: ErpFarSide) -> Iterator[ErpWiring]:
    with ExitStack() as closing:
        wiring = ErpWiring(system, far, bench)
        closing.callback(wiring.close)
        yield wiring


@pytest.fixture
def connect(wiring: ErpWiring) -> Connect:
    """Opens adapters on the far side, closed after the test."""
    return wiring.connect
