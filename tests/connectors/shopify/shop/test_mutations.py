"""What an integration changes: shipments against fulfilment orders, stock under a key and from what was seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.shopify.shop.stock import SECOND_LOCATION_ID
from connectors.shopify.simulator import App, Server, Setup
from tests.connectors.shopify.shop.caller import Caller
from tests.connectors.shopify.shop.receiver import Receiver

START = datetime(2026, 9, 1, tzinfo=UTC)
CREATE = """mutation ($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id status trackingInfo(first: 5) { company number url } location { id }
    fulfillmentLineItems(first: 50) { nodes { quantity lineItem { id } } } }
  userErrors { field message } } }"""
WAITING = """query ($after: String) { fulfillmentOrders(first: 20, after: $after, query: "status:OPEN") {
  nodes { id status assignedLocation { location { id } } order { id }
    lineItems(first: 20) { nodes { id remainingQuantity lineItem { id } } } }
  pageInfo { hasNextPage endCursor } } }"""
SET = """mutation ($i: InventorySetQuantitiesInput!, $k: String!) {
  inventorySetQuantities(input: $i) @idempotent(key: $k) {
  inventoryAdjustmentGroup { changes { delta name } } userErrors { code field message } } }"""


@pytest.fixture
def app() -> App:
    app = App(Setup(seed=7, orders=60, start=START, ships="erp", token="tok", wide=False))
    app.shop.move_to(datetime(2026, 9, 20, tzinfo=UTC))
    return app


@pytest.fixture
def caller(app: App) -> Iterator[Caller]:
    with Server(app) as server, Caller(app, server) as caller:
        caller.client.headers["X-Shopify-Access-Token"] = "tok"
        yield caller


@pytest.fixture
def waiting(caller: Caller) -> list[dict[str, Any]]:
    found = caller.walk("fulfillmentOrders", WAITING)
    return [node for node in found if any(line["remainingQuantity"] for line in node["lineItems"]["nodes"])]


def ship(caller: Caller, *groups: dict[str, Any], units: int | None = None) -> dict[str, Any]:
    asked: list[dict[str, Any]] = []
    for group in groups:
        lines = None
        if units is not None:
            lines = [{"id": group["lineItems"]["nodes"][0]["id"], "quantity": units}]
        asked.append({"fulfillmentOrderId": group["id"], "fulfillmentOrderLineItems": lines})
    tracking = {"company": "UPS", "numbers": ["1Z1", "1Z2"]}
    answer = caller.ask(CREATE, f={"lineItemsByFulfillmentOrder": asked, "trackingInfo": tracking})
    return dict(answer["fulfillmentCreate"])


def test_nothing_leaves_until_the_integration_says_so(app: App, waiting: list[dict[str, Any]]) -> None:
    parcels = [
        shipment
        for order in app.shop.present()
        for shipment in order.life.shipments
        if shipment.carrier and shipment.at <= app.shop.now
    ]

    assert parcels == []
    assert len(waiting) > 10


def test_a_fulfilment_is_read_again_and_told(app: App, caller: Caller, waiting: list[dict[str, Any]]) -> None:
    group = waiting[0]
    with Receiver() as receiver:
        app.outbox.subscribe_all(receiver.url)

        made = ship(caller, group)
        caller.client.post("/_control/advance", json={"by_s": 10})

        assert made["userErrors"] == []
        assert made["fulfillment"]["location"] == {"id": group["assignedLocation"]["location"]["id"]}
        assert [each["number"] for each in made["fulfillment"]["trackingInfo"]] == ["1Z1", "1Z2"]
        shown = caller.ask(
            "query ($id: ID!) { order(id: $id) { fulfillments(first: 5) { id } fulfillmentOrders(first: 5) {"
            " nodes { id status } } } }",
            id=group["order"]["id"],
        )["order"]
        assert made["fulfillment"]["id"] in {each["id"] for each in shown["fulfillments"]}
        assert {"id": group["id"], "status": "CLOSED"} in shown["fulfillmentOrders"]["nodes"]
        assert {"fulfillments/create", "orders/updated"} <= set(receiver.topics())


def test_a_repeated_call_ships_again_while_units_remain(caller: Caller, waiting: list[dict[str, Any]]) -> None:
    group = next(each for each in waiting if each["lineItems"]["nodes"][0]["remainingQuantity"] >= 2)

    first = ship(caller, group, units=1)
    second = ship(caller, group, units=1)

    assert first["userErrors"] == second["userErrors"] == []
    assert first["fulfillment"]["id"] != second["fulfillment"]["id"]


def test_more_than_remains_is_refused_in_a_200(caller: Caller, waiting: list[dict[str, Any]]) -> None:
    left = waiting[0]["lineItems"]["nodes"][0]["remainingQuantity"]

    refused = ship(caller, waiting[0], units=left + 1)

    assert refused == {
        "fulfillment": None,
        "userErrors": [
            {"field": ["fulfillment"], "message": "Invalid fulfillment order line item quantity requested."}
        ],
    }


def test_two_locations_do_not_ship_in_one_call(caller: Caller, waiting: list[dict[str, Any]]) -> None:
    by_order: dict[str, list[dict[str, Any]]] = {}
    for group in waiting:
        by_order.setdefault(group["order"]["id"], []).append(group)
    split = next(groups for groups in by_order.values() if len(groups) == 2)

    refused = ship(caller, *split)
    one, other = ship(caller, split[0]), ship(caller, split[1])

    assert refused["userErrors"][0]["message"] == "All fulfillment orders must be assigned to the same location."
    assert {one["fulfillment"]["location"]["id"], other["fulfillment"]["location"]["id"]} >= {
        f"gid://shopify/Location/{SECOND_LOCATION_ID}"
    }


def test_a_shipped_fulfilment_order_is_closed_and_an_unknown_one_is_not_there(
    caller: Caller, waiting: list[dict[str, Any]]
) -> None:
    ship(caller, waiting[0])

    closed = ship(caller, waiting[0])
    unknown = ship(caller, {**waiting[0], "id": "gid://shopify/FulfillmentOrder/1"})

    assert "unfulfillable status= closed" in closed["userErrors"][0]["message"]
    assert unknown["userErrors"] == [{"field": ["fulfillment"], "message": "Fulfillment order does not exist."}]


def test_the_rest_of_a_life_follows_the_shipment(app: App, caller: Caller, waiting: list[dict[str, Any]]) -> None:
    """Parcels are delivered, goods come back and are refunded, but only after somebody shipped them."""
    before = sum(len(order.life.refunds) for order in app.shop.present() if order.waits_for is not None)
    for group in waiting:
        ship(caller, group)

    app.shop.move_to(app.shop.now + timedelta(days=60))

    delivered = [
        s for o in app.shop.present() for s in o.life.shipments if s.delivered_at and s.delivered_at <= app.shop.now
    ]
    refunded = [r for o in app.shop.present() for r in o.life.refunds if r.at <= app.shop.now]
    assert len(delivered) > 10
    assert before > 0
    assert len(refunded) >= before
    for order in app.shop.present():
        life = order.life
        assert all(0 <= life.shipped_at(app.shop.now, line) <= line.quantity for line in life.lines)


def test_a_cancelled_fulfilment_can_be_shipped_again(caller: Caller, waiting: list[dict[str, Any]]) -> None:
    made = ship(caller, waiting[0])["fulfillment"]["id"]
    cancel = "mutation ($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { status } userErrors { message } } }"

    cancelled = caller.ask(cancel, id=made)["fulfillmentCancel"]
    twice = caller.ask(cancel, id=made)["fulfillmentCancel"]
    again = ship(caller, waiting[0])

    assert cancelled == {"fulfillment": {"status": "CANCELLED"}, "userErrors": []}
    assert twice["userErrors"] == [{"message": "Fulfillment is already cancelled."}]
    assert again["userErrors"] == []


def test_tracking_is_changed_in_place(caller: Caller, waiting: list[dict[str, Any]]) -> None:
    made = ship(caller, waiting[0])["fulfillment"]["id"]

    changed = caller.ask(
        """mutation ($id: ID!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id,
             trackingInfoInput: {company: "FedEx", number: "F9", url: "https://t.example.com/F9"}) {
             fulfillment { id trackingInfo { company number url } } userErrors { message } } }""",
        id=made,
    )["fulfillmentTrackingInfoUpdate"]["fulfillment"]

    assert changed == {
        "id": made,
        "trackingInfo": [{"company": "FedEx", "number": "F9", "url": "https://t.example.com/F9"}],
    }


@pytest.fixture
def level(caller: Caller) -> dict[str, Any]:
    found = caller.ask(
        """{ inventoryItems(first: 1, query: "sku:PATCH-KIT") { nodes { id inventoryLevels(first: 1) { nodes {
             location { id } quantities(names: ["available"]) { quantity } } } } } }"""
    )["inventoryItems"]["nodes"][0]
    place = found["inventoryLevels"]["nodes"][0]
    return {"item": found["id"], "location": place["location"]["id"], "there": place["quantities"][0]["quantity"]}


def put(caller: Caller, level: dict[str, Any], key: str, seen: int | None, wanted: int) -> dict[str, Any]:
    quantity = {
        "inventoryItemId": level["item"],
        "locationId": level["location"],
        "quantity": wanted,
        "changeFromQuantity": seen,
    }
    asked = {"name": "available", "reason": "correction", "quantities": [quantity]}
    return dict(caller.ask(SET, i=asked, k=key)["inventorySetQuantities"])


def test_stock_is_set_only_from_the_quantity_that_was_seen(caller: Caller, level: dict[str, Any]) -> None:
    done = put(caller, level, "a", level["there"], level["there"] + 5)
    stale = put(caller, level, "b", level["there"], 1)
    forced = put(caller, level, "c", None, 1)

    assert done["inventoryAdjustmentGroup"]["changes"][0] == {"delta": 5, "name": "available"}
    assert stale["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert stale["userErrors"][0]["field"] == ["input", "quantities", "0", "changeFromQuantity"]
    assert forced["userErrors"] == []


@pytest.mark.parametrize(
    ("mutation", "list_", "amount"),
    [("inventorySetQuantities", "quantities", "quantity"), ("inventoryAdjustQuantities", "changes", "delta")],
)
def test_who_does_not_say_what_was_seen_is_refused(
    caller: Caller, level: dict[str, Any], mutation: str, list_: str, amount: str
) -> None:
    kind = mutation[0].upper() + mutation[1:]
    quantity = {"inventoryItemId": level["item"], "locationId": level["location"], amount: 1}
    answer = caller.post(
        f'mutation ($i: {kind}Input!) {{ {mutation}(input: $i) @idempotent(key: "k") {{ userErrors {{ message }} }} }}',
        i={"name": "available", "reason": "correction", list_: [quantity]},
    ).json()

    assert "changeFromQuantity argument is required" in answer["errors"][0]["message"]


def test_a_key_gives_its_first_answer_again_and_serves_no_other_input(caller: Caller, level: dict[str, Any]) -> None:
    first = put(caller, level, "a", level["there"], 7)
    again = put(caller, level, "a", level["there"], 7)
    other = put(caller, level, "a", 7, 9)

    assert first == again
    assert first["userErrors"] == []
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


def test_stock_without_a_key_is_refused(caller: Caller) -> None:
    answer = caller.post(
        """mutation { inventoryAdjustQuantities(input: {name: "available", reason: "correction", changes: []}) {
             userErrors { message } } }"""
    ).json()

    assert "@idempotent directive is required" in answer["errors"][0]["message"]
