"""What the hub says of itself in figures, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from hub.model.facts import Source
from hub.model.records import Received
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.steps.measuring import measured
from hub.steps.send import send_all
from hub.store import inbox
from tests.conftest import Clock
from tests.hub.steps.conftest import plain_story, record, take_in


def placed(order: dict[str, Any], number: int, at: datetime) -> dict[str, Any]:
    """The same order under another id, placed then."""
    return {**order, "id": number, "created_at": at.isoformat(), "processed_at": at.isoformat()}


def at(received: Received, moment: datetime) -> Received:
    return replace(received, received_at=moment)


def test_what_waits_to_be_advanced_is_counted_with_its_age(hub: Hub, utc: Clock) -> None:
    capture(hub, [at(record({"id": 1}, "a"), utc.now), at(record({"id": 2}, "b"), utc.now)])

    found = measured(hub).inbox

    assert found is not None
    assert found.waiting == 2
    assert found.oldest_waiting == "2026-11-02T12:00:00.000000Z"
    assert found.last_received == {"shopify": "2026-11-02T12:00:00.000000Z"}


def test_what_waits_to_be_sent_is_counted_by_target_until_it_is_sent(hub: Hub, utc: Clock) -> None:
    take_in(hub, record(plain_story().final, "a"))

    before = measured(hub).hub
    send_all(hub)
    after = measured(hub).hub

    assert before is not None
    assert after is not None
    [erp] = before.targets
    assert erp.target == "erp"
    assert erp.planned > 0
    assert erp.oldest_planned == "2026-11-02T12:00:00.000000Z"
    assert [one.planned for one in after.targets] == [0]


def test_money_held_counts_an_order_with_two_exceptions_once(hub: Hub) -> None:
    order = plain_story().final
    wrong = {**order, "total_price": "1.00", "current_total_price": "1.00"}
    wrong["line_items"] = [{**line, "sku": "NOBODY-KNOWS-IT"} for line in order["line_items"]]
    take_in(hub, record(wrong, "a"))

    found = measured(hub).hub

    assert found is not None
    assert sum(found.exceptions.values()) == 2
    assert found.held_minor == {"USD": 100}


def test_an_order_that_only_a_pull_told_of_is_a_webhook_that_never_came(hub: Hub, utc: Clock) -> None:
    order = plain_story().final
    new = utc.now - timedelta(minutes=30)
    told, silent = placed(order, 900_001, new), placed(order, 900_002, new)
    old = placed(order, 900_003, new - timedelta(days=2))
    take_in(
        hub,
        at(record(told, "w1", "orders/create"), new),
        at(record(told, "p1", source=Source.PULL), new + timedelta(minutes=1)),
        at(record(silent, "p2", source=Source.PULL), new + timedelta(minutes=1)),
        at(record(old, "p3", source=Source.PULL), new + timedelta(minutes=1)),
    )

    losses = measured(hub).losses

    assert losses is not None
    assert losses["shopify"].expected == 2
    assert losses["shopify"].missed == ("900002",)


def test_a_webhook_may_come_a_little_after_the_pull(hub: Hub, utc: Clock) -> None:
    order = placed(plain_story().final, 900_001, utc.now - timedelta(minutes=5))
    late = placed(plain_story().final, 900_002, utc.now - timedelta(minutes=30))
    take_in(
        hub,
        at(record(late, "p1", source=Source.PULL), utc.now - timedelta(minutes=29)),
        at(record(order, "p2", source=Source.PULL), utc.now - timedelta(minutes=4)),
        at(record(late, "w1", "orders/create"), utc.now - timedelta(minutes=1)),
    )

    losses = measured(hub).losses

    assert losses is not None
    assert losses["shopify"].missed == ()


def test_a_channel_that_sends_no_webhooks_loses_none(hub: Hub, utc: Clock) -> None:
    order = placed(plain_story().final, 900_001, utc.now - timedelta(minutes=30))
    take_in(hub, at(record(order, "p1", source=Source.PULL), utc.now - timedelta(minutes=29)))

    assert measured(hub).losses == {}


def test_how_long_ago_a_stream_was_read_is_known(hub: Hub, utc: Clock) -> None:
    inbox.put_page(hub.inbox, [], "shopify", "orders", "{}", datetime(2026, 11, 2, 11, tzinfo=UTC))

    found = measured(hub).inbox

    assert found is not None
    assert [(one.stream, one.moved_at) for one in found.cursors] == [("orders", "2026-11-02T11:00:00.000000Z")]


def test_a_store_that_is_down_leaves_the_figures_of_the_other(hub: Hub) -> None:
    with hub.store.connect() as connection:
        connection.exec_driver_sql("DROP TABLE step")
        connection.commit()

    found = measured(hub)

    assert found.hub is None
    assert found.losses is None
    assert found.inbox is not None


@pytest.mark.parametrize("open_one", ["sqlite"], indirect=True)
def test_figures_are_read_along_indexes(hub: Hub) -> None:
    """SQLite says how it goes about each query: none walks a table from end to end."""
    take_in(hub, record(plain_story().final, "a"))
    walked: list[str] = []
    for engine in (hub.store, hub.inbox):
        _explain(engine, walked)

    measured(hub)

    assert walked
    scans = {plan for plan in walked if plan.startswith("SCAN") and plan.split()[1] not in SMALL}
    assert {plan.split()[-1] for plan in scans} <= OF_WHAT_WAITS


SMALL = ("cursor", "job", "target", "refetch", "anon_1", "backorder", "CONSTANT")
"""A row a stream, a job, a target, an order that waits: as few as there are."""
OF_WHAT_WAITS = {"step_planned", "step_under_way", "exception_open", "record_due", "orders_held", "alert_open"}
"""Partial indexes: of what is open, not of all that ever was."""


def _explain(engine: Any, walked: list[str]) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def plan(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.cursor()
            walked.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))
