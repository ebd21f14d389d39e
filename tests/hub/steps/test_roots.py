"""Daily roots: what a day recorded is sealed once, by whoever comes first, and nothing is recorded behind a seal."""

import threading
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.event import listens_for

from hub.errors import Altered
from hub.model.chain import DayRoot
from hub.steps.advance import advance, advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.steps.roots import make_roots
from hub.store import roots
from hub.store.schema import event, root
from hub.verifier import Report, verify
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import OpenHub, record, take_in

WAITS_S = 20
NOT_YET_S = 0.3


def stored(hub: Hub) -> list[DayRoot]:
    with hub.store.connect() as connection:
        return roots.find_roots(connection, date(2000, 1, 1), date(2100, 1, 1))


def recorded_on(hub: Hub, order_id: str) -> set[str]:
    with hub.store.connect() as connection:
        return set(connection.execute(select(event.c.recorded_at).where(event.c.order_id == order_id)).scalars())


def verified(hub: Hub) -> Report:
    store = hub.settings.stores.hub
    return verify(store.url.get_secret_value(), store.schema)


def once_at(hub: Hub, beginning: str, act: Any) -> None:
    """Acts before the first statement that begins like this."""
    acted: list[bool] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning) and not acted:
            acted.append(True)
            act()

    listens_for(hub.store, "before_cursor_execute")(look)


@pytest.fixture
def two_days(hub: Hub, utc: Clock) -> Hub:
    """Two orders on 2 November, one of them paid on the 4th and a third one placed; it is noon on the 5th."""
    take_in(hub, record(order(1001, paid=False), "1"), record(order(1002), "2"))
    utc.now = datetime(2026, 11, 4, 12, tzinfo=UTC)
    take_in(hub, record(order(1001) | {"updated_at": "2026-11-04T10:00:00Z"}, "3"), record(order(1003), "4"))
    utc.now = datetime(2026, 11, 5, 12, tzinfo=UTC)
    return hub


def test_each_complete_day_has_a_root_a_day_without_events_too(two_days: Hub) -> None:
    newest = make_roots(two_days)

    found = stored(two_days)
    assert [(one.day, one.orders) for one in found] == [
        (date(2026, 11, 2), 2),
        (date(2026, 11, 3), 0),
        (date(2026, 11, 4), 2),
    ]
    assert newest == found[-1]
    assert len({one.root for one in found}) == 3


def test_a_root_is_what_the_decision_record_says(hub: Hub, utc: Clock) -> None:
    """Typed out once more, for whoever writes a verifier of their own."""
    take_in(hub, record(order(1001), "1"))
    utc.now = datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)
    with hub.store.connect() as connection:
        hashes = list(connection.execute(select(event.c.hash).order_by(event.c.seq)).scalars())

    made = make_roots(hub)

    count = len(hashes)
    leaves = sha256(f'["shopify","1001",{count},"{hashes[-1]}"]\n'.encode()).hexdigest()
    expected = sha256(f"{'0' * 64}|2026-11-02|1|{count}|{leaves}".encode()).hexdigest()
    assert made == DayRoot(date(2026, 11, 2), 1, count, expected)


def test_no_root_is_made_of_a_day_that_is_not_over(hub: Hub, utc: Clock) -> None:
    take_in(hub, record(order(1001), "1"))
    utc.now = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)

    assert make_roots(hub) is None
    assert stored(hub) == []


def test_a_hub_without_events_has_no_root(hub: Hub) -> None:
    assert make_roots(hub) is None


def test_roots_made_day_by_day_are_those_made_all_at_once(two_days: Hub, utc: Clock) -> None:
    make_roots(two_days)
    at_once = stored(two_days)
    with two_days.store.begin() as connection:
        connection.execute(root.delete())

    for on in (3, 4, 5):
        utc.now = datetime(2026, 11, on, 6, tzinfo=UTC)
        make_roots(two_days)

    assert stored(two_days) == at_once


def test_making_them_again_changes_nothing(two_days: Hub) -> None:
    make_roots(two_days)
    before = stored(two_days)

    make_roots(two_days)

    assert stored(two_days) == before


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_batches_and_the_order_of_arrival_leave_the_root_alone(hub: Hub, utc: Clock, batch: int) -> None:
    """The literal is the root of all runs and both databases; it changes when what an event says is changed."""
    numbers = [1001, 1010, 999, 1002, 21]
    for number in numbers if batch == 2 else reversed(numbers):
        capture(hub, [record(order(number), str(number))])
    while advance(hub, batch):
        pass
    utc.now = datetime(2026, 11, 3, 6, tzinfo=UTC)

    made = make_roots(hub)

    assert made is not None
    assert made.root == "f069a1b26a45ebad4fb1150d075af8715bb9e2d90454f4d48e1dba78840ab27b"


def test_two_makers_at_once_agree(two_days: Hub, open_one: OpenHub) -> None:
    hubs = [two_days, open_one(), open_one()]
    start = threading.Barrier(len(hubs))
    made: list[DayRoot | None] = []

    def make(one: Hub) -> None:
        start.wait(WAITS_S)
        made.append(make_roots(one))

    threads = [threading.Thread(target=make, args=(one,)) for one in hubs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAITS_S)

    assert made == [stored(two_days)[-1]] * 3
    assert [one.day.day for one in stored(two_days)] == [2, 3, 4]
    assert verified(two_days).faults == []


def test_a_root_that_another_made_of_other_events_is_named(two_days: Hub, open_one: OpenHub) -> None:
    """It stands there first and the events do not give it: the maker must not go on as if all were well."""
    other = open_one()

    def forge() -> None:
        make_roots(other)
        with other.writing() as connection, connection.begin():
            connection.execute(update(root).values(root="f" * 64).where(root.c.day == "2026-11-03"))

    once_at(two_days, "SELECT event.channel", forge)

    with pytest.raises(Altered, match="the root of 2026-11-03 is ffff"):
        make_roots(two_days)


@pytest.fixture
def late_evening(hub: Hub, utc: Clock) -> Hub:
    """A second before midnight, with an order captured and not advanced."""
    take_in(hub, record(order(1001), "1"))
    utc.now = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)
    capture(hub, [record(order(1002), "2")])
    return hub


def test_a_day_is_not_closed_while_its_events_are_being_recorded(
    late_evening: Hub, open_one: OpenHub, utc: Clock
) -> None:
    other = open_one()
    maker = threading.Thread(target=make_roots, args=(other,))
    waited = []

    def midnight_strikes() -> None:
        utc.now = datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)
        maker.start()
        maker.join(NOT_YET_S)
        waited.append(maker.is_alive())

    once_at(late_evening, "INSERT INTO event", midnight_strikes)
    advance_all(late_evening)
    maker.join(WAITS_S)

    assert waited == [True]
    assert recorded_on(late_evening, "1002") == {"2026-11-02T23:59:59.000000Z"}
    assert [(one.day.day, one.orders) for one in stored(late_evening)] == [(2, 2)]
    assert verified(late_evening).faults == []


def test_events_that_were_decided_before_the_day_was_closed_are_recorded_on_the_next(
    late_evening: Hub, open_one: OpenHub, utc: Clock
) -> None:
    other = open_one()

    def midnight_strikes() -> None:
        utc.now = datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)
        make_roots(other)

    once_at(late_evening, "SELECT orders.channel", midnight_strikes)
    advance_all(late_evening)

    assert recorded_on(late_evening, "1002") == {"2026-11-03T00:00:01.000000Z"}
    assert [(one.day.day, one.orders) for one in stored(late_evening)] == [(2, 1)]
    assert verified(late_evening).faults == []


def test_a_clock_that_goes_backwards_records_nothing_behind_a_root(two_days: Hub, utc: Clock) -> None:
    make_roots(two_days)
    utc.now = datetime(2026, 11, 3, 9, tzinfo=UTC)

    take_in(two_days, record(order(1004), "5"))

    assert recorded_on(two_days, "1004") == {"2026-11-05T00:00:00.000000Z"}
    assert verified(two_days).faults == []
    assert make_roots(two_days) == stored(two_days)[-1]


@pytest.mark.postgres
def test_a_days_events_are_found_by_the_block_range_index(postgres_url: str) -> None:
    from hub.store.engine import connect

    engine = connect(postgres_url, "hub", "hub")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO event SELECT 'shop', n::text, 1, 'placed', 'snapshot', n::text, 't', to_char("
            "timestamp '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 1, 'f', 'h' "
            "FROM generate_series(1, 200000) n"
        )
        connection.exec_driver_sql("ANALYZE event")
        plan = "\n".join(
            connection.exec_driver_sql(
                "EXPLAIN SELECT hash FROM event WHERE recorded_at >= '2026-04-01T00:00:00.000000Z' "
                "AND recorded_at < '2026-04-02T00:00:00.000000Z'"
            ).scalars()
        )
    engine.dispose()

    assert "Bitmap Index Scan on event_recorded" in plan
