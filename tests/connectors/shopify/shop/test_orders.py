"""Orders over a socket: pages, searches, the lag of the index, and the same answers for the same seed."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.shopify.simulator import App, Server, Setup
from tests.connectors.shopify.shop.caller import Caller

PAGE = """query ($after: String, $search: String, $first: Int = 7, $key: OrderSortKeys = UPDATED_AT, $down: Boolean) {
  orders(first: $first, after: $after, query: $search, sortKey: $key, reverse: $down) {
    nodes { id name updatedAt createdAt }
    pageInfo { hasNextPage endCursor }
  }
}"""
LINES = """query ($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
}"""


def test_paging_neither_loses_nor_doubles_an_order(caller: Caller) -> None:
    seen = [node["id"] for node in caller.walk("orders", PAGE)]

    assert len(seen) == len(set(seen)) == 61


def test_a_page_may_end_among_orders_of_the_same_second(caller: Caller) -> None:
    nodes = caller.walk("orders", PAGE, first=1)
    stamps = [node["updatedAt"] for node in nodes]

    assert stamps == sorted(stamps)
    assert any(left == right for left, right in pairwise(stamps))
    assert len({node["id"] for node in nodes}) == 61


def test_backwards_is_the_same_list_from_its_end(caller: Caller) -> None:
    forwards = [node["id"] for node in caller.walk("orders", PAGE)]
    backwards = [node["id"] for node in caller.walk("orders", PAGE, down=True)]

    assert backwards == forwards[::-1]


def test_the_last_page_can_be_asked_for_from_its_end(caller: Caller) -> None:
    forwards = [node["id"] for node in caller.walk("orders", PAGE, key="ID")]

    found = caller.ask("{ orders(last: 5, sortKey: ID) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }")

    assert [node["id"] for node in found["orders"]["nodes"]] == forwards[-5:]
    assert found["orders"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}


def test_an_order_of_three_hundred_lines_is_paged_to_its_end(caller: Caller) -> None:
    wide = next(order for order in caller.app.shop.orders.values() if len(order.life.lines) == 300)
    lines: list[str] = []
    after = None
    more = True
    while more:
        found = caller.ask(LINES, id=f"gid://shopify/Order/{wide.id}", after=after)["order"]["lineItems"]
        lines += [node["id"] for node in found["nodes"]]
        more, after = found["pageInfo"]["hasNextPage"], found["pageInfo"]["endCursor"]

    assert len(lines) == len(set(lines)) == 300


def test_stamps_are_whole_seconds_in_utc(caller: Caller) -> None:
    for node in caller.walk("orders", PAGE):
        assert node["updatedAt"] == datetime.fromisoformat(node["updatedAt"]).astimezone(UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )


def test_later_than_is_later_or_at_that_second(caller: Caller) -> None:
    stamp = caller.walk("orders", PAGE)[30]["updatedAt"]

    after = caller.walk("orders", PAGE, search=f"updated_at:>'{stamp}'")
    at_or_after = caller.walk("orders", PAGE, search=f"updated_at:>='{stamp}'")

    assert after == at_or_after
    assert after[0]["updatedAt"] == stamp


def test_a_search_joins_terms_and_takes_a_range(caller: Caller) -> None:
    every = caller.walk("orders", PAGE, key="CREATED_AT")
    low, high = every[10]["createdAt"], every[20]["createdAt"]

    found = caller.walk("orders", PAGE, search=f"created_at:>='{low}' AND created_at:<'{high}'")
    named = caller.walk("orders", PAGE, search="name:#1001 OR name:#1002")
    others = caller.walk("orders", PAGE, search="-name:#1001")

    assert {node["id"] for node in found} == {node["id"] for node in every[10:20]}
    assert {node["name"] for node in named} == {"#1001", "#1002"}
    assert len(others) == 60


def test_an_unquoted_stamp_breaks_the_search_and_finds_nothing(caller: Caller) -> None:
    answer = caller.post(PAGE, search="updated_at:>=2026-09-01T00:00:00Z").json()

    assert answer["data"]["orders"]["nodes"] == []
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "updated_at"


def test_the_index_lags_and_the_order_itself_does_not(setup: Setup) -> None:
    app = App(setup)
    first = min(app.shop.orders.values(), key=lambda order: order.life.placed_at)
    app.shop.move_to(first.life.placed_at)

    with Server(app) as server, Caller(app, server) as caller:
        by_search = caller.walk("orders", PAGE)
        by_id = caller.ask("query ($id: ID!) { node(id: $id) { id } }", id=f"gid://shopify/Order/{first.id}")
        app.shop.move_to(first.life.placed_at + timedelta(seconds=20))
        later = caller.walk("orders", PAGE)

    assert by_search == []
    assert by_id["node"] == {"id": f"gid://shopify/Order/{first.id}"}
    assert [node["id"] for node in later] == [f"gid://shopify/Order/{first.id}"]


def test_the_count_is_exact_only_without_a_limit(caller: Caller) -> None:
    found = caller.ask(
        "{ whole: ordersCount(limit: null) { count precision } part: ordersCount(limit: 10) { count precision } }"
    )

    assert found["whole"] == {"count": 61, "precision": "EXACT"}
    assert found["part"] == {"count": 10, "precision": "AT_LEAST"}


def test_what_waits_to_be_shipped_is_listed_by_its_own_stamp(caller: Caller) -> None:
    found = caller.ask(
        """{ fulfillmentOrders(first: 100, sortKey: UPDATED_AT) { nodes { id status updatedAt order { updatedAt }
             lineItems(first: 5) { nodes { remainingQuantity } } } } }"""
    )["fulfillmentOrders"]["nodes"]

    assert [node["updatedAt"] for node in found] == sorted(node["updatedAt"] for node in found)
    assert {node["status"] for node in found} <= {"OPEN", "IN_PROGRESS", "ON_HOLD"}
    assert any(line["remainingQuantity"] for node in found for line in node["lineItems"]["nodes"])


def test_a_fulfilment_order_changes_without_its_order(caller: Caller) -> None:
    found = caller.walk(
        "fulfillmentOrders",
        """query ($after: String) { fulfillmentOrders(first: 50, after: $after, includeClosed: true) {
             nodes { updatedAt order { updatedAt } } pageInfo { hasNextPage endCursor } } }""",
    )

    assert any(node["updatedAt"] > node["order"]["updatedAt"] for node in found)


def replies(setup: Setup) -> list[str]:
    app = App(setup)
    app.shop.move_to(datetime(2026, 9, 20, tzinfo=UTC))
    found: list[str] = []
    with Server(app) as server, Caller(app, server) as caller:
        found.append(str(caller.client.headers["X-Shopify-Access-Token"]))
        for first in (3, 50):
            answer = caller.post(PAGE, first=first)
            headers: dict[str, Any] = dict(answer.headers)
            found.append(answer.text + json.dumps(headers))
    return found


def test_the_same_seed_and_the_same_requests_give_the_same_bytes(setup: Setup) -> None:
    assert replies(setup) == replies(setup)
    assert replies(setup) != replies(Setup(seed=8, orders=60, start=setup.start))
