"""The suite for ERP adapters, over every one of the registry; a plugin of one's own passes it by importing this module.

    from hub.testing.conformance.erps import *  # in a test module

An ERP is asked for by its abilities, against the simulator that its system's BENCH opens: see erp_bench.py.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hub import registry
from hub.settings import ERP_ADAPTERS
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide
from hub.testing.conformance.erp_changing import TestChanging
from hub.testing.conformance.erp_failing import TestErpFailing, undisturbed
from hub.testing.conformance.erp_posting import TestPostings
from hub.testing.conformance.erp_putting import TestPutting, story
from hub.testing.conformance.erp_refusing import TestRefusing
from hub.testing.conformance.erp_stating import TestStatingDocuments
from hub.testing.conformance.erp_wiring import ErpWiring, bench_of
from hub.testing.conformance.wiring import Connect

__all__ = [
    "TestChanging",
    "TestErpFailing",
    "TestPostings",
    "TestPutting",
    "TestRefusing",
    "TestStatingDocuments",
    "bench",
    "connect",
    "far",
    "story",
    "system",
    "undisturbed",
    "wiring",
]


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
