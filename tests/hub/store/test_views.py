"""The views: what people are shown is what the tables hold, on either database."""

from hub.model.order import OrderKey
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.views import backlog, exceptions, orders, records
from hub.store.views.backlog import Backlog
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import record, take_in


def filled(hub: Hub) -> Hub:
    """One order posted, two held for one cause, one of them for a second; one record that does not translate."""
    broken = order(1004)
    broken["line_items"][0]["price"] = "N/A"
    take_in(
        hub,
        record(order(1001), "a"),
        record(order(1002, sku="MUG-X", price="10.00"), "b"),
        record(order(1003, sku="MUG-X", price="20.00", paid=False), "c"),
        record(broken, "d"),
    )
    send_all(hub)
    return hub


def test_the_backlog_counts_records_by_what_they_came_to(hub: Hub) -> None:
    filled(hub)

    assert backlog.backlog(hub.inbox) == Backlog(4, 0, None, {"held": 1, "order": 3})


def test_the_orders_held_are_counted_with_their_money(hub: Hub) -> None:
    filled(hub)

    holding = backlog.holding(hub.store, hub.clock())

    assert (holding.orders, holding.by_posting) == (4, {"held": 2, "posted": 1, "stub": 1})
    assert (holding.held, holding.held_minor, holding.due) == (3, {"USD": 27900}, 0)


def test_documents_and_steps_are_counted(hub: Hub) -> None:
    filled(hub)

    assert backlog.documents_by_kind(hub.store) == {"customer": 1, "deposit": 1, "item": 1, "sales_order": 1}
    assert backlog.steps_by_state(hub.store) == {"done": 4}


def test_exceptions_are_grouped_by_cause_the_largest_first(hub: Hub) -> None:
    filled(hub)

    groups = exceptions.groups(hub.store)

    assert [(group.code, group.orders, group.held_minor) for group in groups] == [
        ("unmapped_item", 2, {"USD": 3000}),
        ("payment_not_captured", 1, {"USD": 2000}),
        ("untranslatable", 1, {"USD": 24900}),
    ]


def test_the_causes_that_hold_some_orders_are_counted_the_largest_first(hub: Hub) -> None:
    filled(hub)

    found = exceptions.causes(hub.store, [OrderKey("shopify", number) for number in ("1001", "1002", "1003")])

    assert list(found.items()) == [("unmapped_item:MUG-X", 2), ("payment_not_captured:pending", 1)]
    assert exceptions.causes(hub.store, []) == {}


def test_the_open_exceptions_of_one_order_are_found(hub: Hub) -> None:
    filled(hub)

    found = exceptions.opened(hub.store, order=OrderKey("shopify", "1003"))

    assert sorted(one.code for one in found) == ["payment_not_captured", "unmapped_item"]
    assert {one.name for one in found} == {"#1003"}


def test_orders_are_listed_by_when_they_were_placed_stubs_last(hub: Hub) -> None:
    filled(hub)

    assert [row.order for row in orders.listed(hub.store)] == ["1001", "1002", "1003", "1004"]
    assert [row.order for row in orders.listed(hub.store, held=True, limit=2)] == ["1002", "1003"]
    assert orders.listed(hub.store, channel="other") == []


def test_a_channel_and_an_id_name_one_order_whatever_names_there_are(hub: Hub) -> None:
    take_in(hub, record(order(1001), "a"), record(order(1002) | {"name": "shopify/1001"}, "b"))

    assert [row.order for row in orders.named(hub.store, "shopify/1001")] == ["1001"]


def test_the_documents_of_an_order_say_what_was_read_back(hub: Hub) -> None:
    filled(hub)

    rows = orders.documents(hub.store, OrderKey("shopify", "1001"))

    assert [(row.kind, row.state, row.total_minor, row.readback_total_minor, row.matches) for row in rows] == [
        ("sales_order", "done", 24900, 24900, True),
        ("deposit", "done", 24900, 24900, True),
    ]


def test_the_records_of_an_order_are_those_that_spoke_of_it(hub: Hub) -> None:
    filled(hub)

    (found,) = orders.records_of(hub.inbox, OrderKey("shopify", "1004"))

    assert (found.source, found.outcome) == ("webhook", "held")


def test_a_record_is_found_with_its_body_and_what_it_came_to(hub: Hub) -> None:
    take_in(hub, record(b'{"id": 5}', "x"))
    (row,) = records.listed(hub.inbox)

    found = records.find(hub.inbox, row.id)

    assert found is not None
    assert (found.row.size_bytes, found.body, found.row.key) == (9, b'{"id": 5}', "x")
    assert records.find(hub.inbox, row.id + 1) is None


def test_records_not_yet_advanced_are_listed_as_waiting(hub: Hub) -> None:
    filled(hub)

    assert records.listed(hub.inbox, outcome="waiting") == []
    assert [row.order for row in records.listed(hub.inbox, outcome="held")] == ["1004"]


def test_the_versions_of_the_stores_are_told(hub: Hub) -> None:
    assert (backlog.version(hub.store, "hub"), backlog.version(hub.inbox, "inbox")) == ("0001", "0001")
