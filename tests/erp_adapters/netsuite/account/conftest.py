"""An account with a company in it, at a time that moves when it is told to."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.world import World


class Time:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(time: Time) -> World:
    world = World(time, random.Random(7))
    seed.company(world, on_hand=100)
    return world
