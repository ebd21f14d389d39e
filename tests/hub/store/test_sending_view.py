"""How sending stands: backlog, slots, rate, pauses, doubt, and when it is through."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.steps.hub import Hub
from hub.steps.send import send, send_all
from hub.store import sending as store
from hub.store import targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import step
from hub.store.targets import BREAKER_FAILURES, Look, Pause
from hub.store.views.sending import TargetStatus, sending
from tests.conftest import Clock
from tests.hub.steps.conftest import plain_story, record, take_in


@pytest.fixture
def erp_settings() -> dict[str, Any]:
    return {"slots": 3}


@pytest.fixture
def waiting(hub: Hub) -> int:
    """One order decided and nothing sent; how many steps that are."""
    take_in(hub, record(plain_story().final, "one"))
    return status(hub).backlog["planned"]


def status(hub: Hub) -> TargetStatus:
    (erp,) = sending(hub.store, hub.clock(), hub.settings.slots())
    return erp


def test_where_nothing_was_sent_nothing_is_known_of_the_rate(hub: Hub, waiting: int) -> None:
    assert status(hub) == TargetStatus(
        target="erp",
        backlog={"planned": 9},
        slots=3,
        slots_in_use=0,
        settled_per_minute=None,
        unread=0,
        paused_until=None,
        paused_because=None,
        reason=None,
        breaker="closed",
        in_doubt=0,
        oldest_in_doubt=None,
        through_at=None,
    )


def test_slots_in_use_are_those_of_steps_and_looks_whose_workers_are_there(hub: Hub, waiting: int, utc: Clock) -> None:
    with hub.writing() as connection, connection.begin():
        store.claim(connection, ERP_TARGET, 1, utc.now, slots=3, lease_s=120)
        targets.lease(connection, ERP_TARGET, Look.PROBE, utc.now + timedelta(seconds=240))
    both = status(hub).slots_in_use
    utc.pass_time(seconds=121)

    assert (both, status(hub).slots_in_use) == (2, 1)


def test_the_rate_says_when_all_is_through(hub: Hub, waiting: int, utc: Clock) -> None:
    utc.pass_time(minutes=-30)
    send(hub, limit=1)  # too long ago to tell anything of the rate
    utc.pass_time(minutes=28)
    send(hub, limit=4)
    utc.pass_time(minutes=2)

    found = status(hub)

    assert found.settled_per_minute == 2.0
    assert (sum(found.backlog.values()), found.through_at) == (4, "2026-11-02T12:02:00.000000Z")
    send_all(hub)
    assert status(hub).through_at is None


def test_a_pause_is_told_with_its_reason_and_delays_what_waits(hub: Hub, waiting: int, utc: Clock) -> None:
    send(hub, limit=5)
    with hub.writing() as connection, connection.begin():
        until = utc.now + timedelta(minutes=10)
        targets.pause(connection, ERP_TARGET, Pause.ASKED, "429: slow down", utc.now, until)

    found = status(hub)
    utc.pass_time(minutes=11)

    assert (found.paused_until, found.paused_because, found.reason) == (
        "2026-11-02T12:10:00.000000Z",
        "asked",
        "429: slow down",
    )
    assert found.through_at == "2026-11-02T12:10:48.000000Z"
    assert status(hub).paused_until is None


def test_the_breaker_is_told(hub: Hub, waiting: int, utc: Clock) -> None:
    with hub.writing() as connection, connection.begin():
        for _ in range(BREAKER_FAILURES):
            targets.failed(connection, ERP_TARGET, "no answer", utc.now)
    opened = status(hub)
    utc.pass_time(seconds=61)

    assert (opened.breaker, opened.paused_because, opened.reason) == ("open", "breaker", "no answer")
    assert status(hub).breaker == "half_open"


def test_what_is_in_doubt_is_counted_with_its_oldest(hub: Hub, waiting: int, utc: Clock) -> None:
    with hub.store.connect() as connection:
        first, second = connection.execute(select(step.c.id).order_by(step.c.id).limit(2)).scalars()
    with hub.writing() as connection, connection.begin():
        for id, at in ((first, "2026-11-02T11:00:00.000000Z"), (second, "2026-11-02T11:30:00.000000Z")):
            doubtful = update(step).where(step.c.id == id)
            connection.execute(doubtful.values(state="in_doubt", sent_at=at))

    found = status(hub)

    assert (found.in_doubt, found.oldest_in_doubt) == (2, "2026-11-02T11:00:00.000000Z")
    assert found.backlog == {"in_doubt": 2, "planned": 7}
