"""Webhooks as time passes: sealed, retried with the body they were made with, lost, doubled, forged; subscriptions."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.shopify.simulator import App, Server, Setup
from tests.connectors.shopify.shop.caller import Caller
from tests.connectors.shopify.shop.receiver import Receiver

START = datetime(2026, 9, 1, tzinfo=UTC)
SUBSCRIBE = """mutation ($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id topic uri } userErrors { field message }
  }
}"""


def sealed(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def shop(receiver: Receiver) -> Iterator[Caller]:
    app = App(Setup(seed=7, orders=30, start=START, token="tok", wide=False))
    app.outbox.subscribe_all(receiver.url)
    with Server(app) as server, Caller(app, server) as caller:
        caller.client.headers["X-Shopify-Access-Token"] = "tok"
        yield caller


def advance(caller: Caller, **asked: Any) -> dict[str, Any]:
    answer = caller.client.post("/_control/advance", json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def control(caller: Caller, name: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = caller.client.post(f"/_control/{name}", json=asked) if asked else caller.client.get(f"/_control/{name}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_every_life_is_told_by_its_topics_under_the_shops_seal(shop: Caller, receiver: Receiver) -> None:
    advance(shop, to="2026-11-15T00:00:00Z")

    counts = Counter(receiver.topics())
    truth = control(shop, "truth")["orders"]
    assert counts["orders/create"] == len(truth) == 30
    assert counts["fulfillments/create"] == sum(len(order["fulfillments"]) for order in truth) > 10
    assert counts["refunds/create"] == sum(len(order["refunds"]) for order in truth) > 0
    assert counts["orders/paid"] > 20
    assert counts["orders/fulfilled"] > 10
    for headers, body in receiver.came:
        assert headers["X-Shopify-Hmac-Sha256"] == sealed("hush", body)
        assert headers["X-Shopify-API-Version"] == "2026-10"
        assert headers["X-Shopify-Shop-Domain"] == "rehearsal.myshopify.com"


def test_topics_of_one_action_share_their_event_and_not_their_delivery(shop: Caller, receiver: Receiver) -> None:
    advance(shop, to="2026-11-15T00:00:00Z")

    events: dict[str, set[str]] = {}
    for headers, _ in receiver.came:
        events.setdefault(headers["X-Shopify-Event-Id"], set()).add(headers["X-Shopify-Topic"])
    webhooks = [headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.came]

    assert {"refunds/create", "order_transactions/create", "orders/updated"} in list(events.values())
    assert len(set(webhooks)) == len(webhooks)


def test_what_was_told_last_of_an_order_is_what_the_shop_has(shop: Caller, receiver: Receiver) -> None:
    advance(shop, to="2026-11-15T00:00:00Z")

    told: dict[str, Any] = {}
    for headers, body in receiver.came:
        if headers["X-Shopify-Topic"] in ("orders/create", "orders/updated"):
            order = json.loads(body)
            if str(order["id"]) not in told or told[str(order["id"])]["updated_at"] <= order["updated_at"]:
                told[str(order["id"])] = order

    for order in control(shop, "truth")["orders"]:
        said = told[order["id"]]
        assert round(float(said["current_total_price"]) * 100) == order["current_total_minor"]
        assert said["financial_status"] == order["financial_status"]
        assert said["fulfillment_status"] == order["fulfillment_status"]


def test_a_retry_brings_the_first_body_again_under_the_same_id(shop: Caller, receiver: Receiver) -> None:
    receiver.status = 503
    first = min(shop.app.shop.orders.values(), key=lambda order: order.life.placed_at)
    advance(shop, to=first.life.placed_at.isoformat())
    advance(shop, by_s=30)
    refused = len(receiver.came)
    receiver.status = 200
    advance(shop, by_s=3_600)

    by_id: dict[str, list[bytes]] = {}
    for headers, body in receiver.came:
        by_id.setdefault(headers["X-Shopify-Webhook-Id"], []).append(body)

    assert refused > 0
    assert {len(bodies) for bodies in by_id.values()} >= {2}
    assert all(len(set(bodies)) == 1 for bodies in by_id.values())


def test_a_subscription_whose_deliveries_all_fail_is_removed(shop: Caller, receiver: Receiver) -> None:
    receiver.status = 500
    first = min(shop.app.shop.orders.values(), key=lambda order: order.life.placed_at)

    advance(shop, to=first.life.placed_at.isoformat())
    advance(shop, by_s=5 * 3_600)

    attempts = Counter(headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.came)
    listed = shop.ask("{ webhookSubscriptions(first: 50) { nodes { topic } } }")["webhookSubscriptions"]["nodes"]
    failed = Counter(headers["X-Shopify-Topic"] for headers, _ in receiver.came)
    assert max(attempts.values()) == 8
    assert failed["orders/create"] == 8
    assert "ORDERS_CREATE" not in {node["topic"] for node in listed}
    assert control(shop, "state")["subscriptions_removed"] > 0


def test_eight_failures_in_a_row_remove_a_subscription_whatever_they_were_of(shop: Caller, receiver: Receiver) -> None:
    """Two orders within minutes, and what is still to be delivered of either is not."""
    receiver.status = 500
    outbox = shop.app.outbox
    for number in range(4):
        outbox.announce("orders/create", {"id": number}, shop.app.shop.stamp(), f"event {number}")

    advance(shop, by_s=4 * 3_600)

    came = [headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.came]
    assert len(came) == 8
    assert Counter(came) == dict.fromkeys(came, 2)
    assert {each.fate for each in outbox.sent} == {"given_up"}


def test_an_answer_that_trickles_in_too_late_is_a_failure(shop: Caller, receiver: Receiver) -> None:
    """Each part of it in time, the whole not."""
    receiver.trickles_s = 0.2
    shop.app.control.answer_s = 0.3

    control(shop, "app", {"do": "redact_customer", "customer": 5})
    advance(shop, by_s=30)

    assert len(receiver.came) == 1
    assert {each["fate"] for each in control(shop, "webhooks")["webhooks"]} == {"pending"}


def test_a_redirect_is_a_failure(shop: Caller, receiver: Receiver) -> None:
    receiver.status = 302

    advance(shop, to="2026-09-04T00:00:00Z")

    assert {each["fate"] for each in control(shop, "webhooks")["webhooks"]} <= {"pending", "given_up"}
    assert receiver.came


def test_subscriptions_are_made_listed_and_deleted_by_the_api(caller: Caller) -> None:
    uri = "https://hub.example.com/webhooks/shopify"
    made = caller.ask(SUBSCRIBE, topic="ORDERS_CREATE", uri=uri)["webhookSubscriptionCreate"]
    again = caller.ask(SUBSCRIBE, topic="ORDERS_CREATE", uri=uri)["webhookSubscriptionCreate"]
    listed = caller.ask("{ webhookSubscriptions(first: 5) { nodes { id topic uri } } }")["webhookSubscriptions"][
        "nodes"
    ]
    deleted = caller.ask(
        """mutation ($id: ID!) { webhookSubscriptionDelete(id: $id) {
             deletedWebhookSubscriptionId userErrors { message } } }""",
        id=made["webhookSubscription"]["id"],
    )["webhookSubscriptionDelete"]

    assert made["userErrors"] == []
    assert again == {
        "webhookSubscription": None,
        "userErrors": [
            {
                "field": ["webhookSubscription", "callbackUrl"],
                "message": "Address for this topic has already been taken",
            }
        ],
    }
    assert listed == [made["webhookSubscription"]]
    assert deleted["deletedWebhookSubscriptionId"] == made["webhookSubscription"]["id"]
    assert caller.ask("{ webhookSubscriptionsCount { count } }")["webhookSubscriptionsCount"]["count"] == 0


def test_accidents_happen_as_often_as_asked_and_are_all_known(shop: Caller, receiver: Receiver) -> None:
    control(shop, "faults", {"rates": {"lost": 200, "doubled": 200, "reordered": 300, "late": 100, "forged": 100}})
    advance(shop, to="2026-11-15T00:00:00Z")

    known = control(shop, "webhooks")["webhooks"]
    came = Counter(headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.came)
    lost = {each["webhook_id"] for each in known if each["fault"] == "lost"}
    doubled = {each["webhook_id"] for each in known if each["fault"] == "doubled"}
    forged = [headers for headers, body in receiver.came if headers["X-Shopify-Hmac-Sha256"] != sealed("hush", body)]

    assert len(lost) > 20
    assert not lost & set(came)
    assert len(doubled) > 20
    assert all(came[each] == 2 for each in doubled)
    assert len(forged) == sum(each["fault"] == "forged" for each in known) > 5
    stamps = [headers["X-Shopify-Triggered-At"] for headers, _ in receiver.came]
    assert stamps != sorted(stamps)


@pytest.mark.parametrize("do", ["add_line", "remove_unit", "refund_unit", "cancel", "ship"])
def test_what_people_do_to_an_order_is_told_and_read(shop: Caller, receiver: Receiver, do: str) -> None:
    fresh = next(
        order
        for order in shop.app.shop.orders.values()
        if "plain" in order.life.traits and order.life.payments[0].kind == "sale"
    )
    shop.app.shop.move_to(fresh.life.placed_at + timedelta(minutes=10))
    order = {"id": str(fresh.id)}

    done = control(shop, "order", {"do": do, "order": order["id"]})
    advance(shop, by_s=30)

    shown = shop.ask(
        "query ($id: ID!) { order(id: $id) { cancelledAt currentTotalPriceSet { shopMoney { amount } } } }",
        id=f"gid://shopify/Order/{order['id']}",
    )["order"]
    expected = {
        "add_line": "orders/edited",
        "remove_unit": "orders/edited",
        "refund_unit": "refunds/create",
        "cancel": "orders/cancelled",
        "ship": "fulfillments/create",
    }
    assert expected[do] in receiver.topics()
    assert "orders/updated" in receiver.topics()
    assert round(float(shown["currentTotalPriceSet"]["shopMoney"]["amount"]) * 100) == done["current_total_minor"]
    assert (shown["cancelledAt"] is not None) == (do == "cancel")


def test_a_deleted_order_is_gone_and_only_a_webhook_says_so(shop: Caller, receiver: Receiver) -> None:
    shop.app.shop.move_to(datetime(2026, 9, 20, 12, tzinfo=UTC))
    order = control(shop, "truth")["orders"][0]["id"]

    control(shop, "order", {"do": "delete", "order": order})
    advance(shop, by_s=30)

    found = shop.ask("query ($id: ID!) { order(id: $id) { id } }", id=f"gid://shopify/Order/{order}")
    assert found == {"order": None}
    assert [body for headers, body in receiver.came if headers["X-Shopify-Topic"] == "orders/delete"] == [
        json.dumps({"id": int(order)}, separators=(",", ":")).encode()
    ]


def test_after_a_rotation_either_secret_seals_for_an_hour_and_then_the_new_one(
    shop: Caller, receiver: Receiver
) -> None:
    control(shop, "app", {"do": "rotate_secret", "secret": "new"})
    for buyer in range(1, 9):
        control(shop, "app", {"do": "redact_customer", "customer": buyer})
        advance(shop, by_s=30)
    advance(shop, by_s=3_600)
    within = len(receiver.came)
    for buyer in range(1, 9):
        control(shop, "app", {"do": "ask_customer", "customer": buyer})
        advance(shop, by_s=30)

    secrets = [
        next(secret for secret in ("hush", "new") if headers["X-Shopify-Hmac-Sha256"] == sealed(secret, body))
        for headers, body in receiver.came
    ]
    assert set(secrets[:within]) == {"hush", "new"}
    assert set(secrets[within:]) == {"new"}
    headers, body = receiver.came[0]
    assert headers["X-Shopify-Topic"] == "customers/redact"
    assert json.loads(body)["customer"]["id"] == 7_207_119_551_001


def test_the_webhook_of_a_very_large_order_may_lack_lines(receiver: Receiver) -> None:
    app = App(Setup(seed=7, orders=1, start=START))
    app.outbox.subscribe_all(receiver.url)
    app.faults.set({"rates": {"thin": 1000}})

    app.control.advance(datetime(2026, 11, 15, tzinfo=UTC))

    lines = [
        len(json.loads(body)["line_items"])
        for headers, body in receiver.came
        if "orders/" in headers["X-Shopify-Topic"]
    ]
    assert max(lines) == 100
    assert max(len(order.life.lines) for order in app.shop.orders.values()) == 300
