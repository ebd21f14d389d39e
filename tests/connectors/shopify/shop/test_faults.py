"""Faults of the wire: each does what its name says, and those after the commit leave the deed done."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.shopify.simulator import App
from tests.connectors.shopify.shop.caller import CREDENTIALS, Caller
from tests.connectors.shopify.shop.test_webhooks import SUBSCRIBE

ASKED: dict[str, Any] = {"topic": "ORDERS_CREATE", "uri": "https://hub.example.com/"}


def meet(caller: Caller, *faults: str) -> None:
    assert caller.client.post("/_control/faults", json={"next": faults}).status_code == 200


@pytest.mark.parametrize(("fault", "status"), [("rate_limited", 429), ("server_error", (502, 503))])
def test_an_edge_refuses_before_anything_is_done(caller: Caller, fault: str, status: Any) -> None:
    meet(caller, fault)

    answer = caller.post(SUBSCRIBE, **ASKED)

    assert answer.status_code in (status if isinstance(status, tuple) else (status,))
    assert (answer.headers.get("Retry-After") == "2.0") == (fault == "rate_limited")
    assert not caller.app.outbox.subscriptions


@pytest.mark.parametrize(
    ("fault", "done"), [("lost_before", 0), ("lost_after", 1), ("cut_short", 1), ("late_commit", 0)]
)
def test_a_lost_answer_leaves_open_whether_it_was_done(caller: Caller, fault: str, done: int) -> None:
    meet(caller, fault)

    with pytest.raises(httpx.RemoteProtocolError):
        caller.post(SUBSCRIBE, **ASKED)

    assert len(caller.app.outbox.subscriptions) == done


def test_an_edge_gives_up_on_what_was_done(caller: Caller) -> None:
    meet(caller, "failed_after")

    answer = caller.post(SUBSCRIBE, **ASKED)

    assert answer.status_code in (502, 503)
    assert len(caller.app.outbox.subscriptions) == 1


def test_a_late_commit_is_done_minutes_after_its_answer_was_lost(app: App, caller: Caller) -> None:
    meet(caller, "late_commit")
    with pytest.raises(httpx.RemoteProtocolError):
        caller.post(SUBSCRIBE, **ASKED)
    app.shop.move_to(app.shop.now + timedelta(seconds=29))
    early = len(app.outbox.subscriptions)

    app.shop.move_to(app.shop.now + timedelta(seconds=600))

    assert early == 0
    assert len(app.outbox.subscriptions) == 1


def test_broken_json_comes_in_a_200(caller: Caller) -> None:
    meet(caller, "broken_json")

    answer = caller.post("{ shop { name } }")

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_full_bucket_may_still_be_throttled(caller: Caller) -> None:
    meet(caller, "throttled")

    answer = caller.post("{ shop { name } }").json()

    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"


def test_a_token_may_end_before_its_time(caller: Caller) -> None:
    meet(caller, "token_expired")

    refused = caller.post("{ shop { name } }").status_code
    still = caller.post("{ shop { name } }").status_code
    token = caller.client.post("/admin/oauth/access_token", json=CREDENTIALS).json()["access_token"]
    caller.client.headers["X-Shopify-Access-Token"] = token

    assert (refused, still) == (401, 401)
    assert caller.post("{ shop { name } }").status_code == 200


def test_a_drifted_schema_brings_new_words_and_nulls(app: App, caller: Caller) -> None:
    caller.client.post("/_control/faults", json={"rates": {"new_word": 300, "null_field": 300}})

    nodes = caller.ask(
        """{ orders(first: 50) { nodes { displayFinancialStatus
             lineItems(first: 2) { nodes { originalUnitPriceSet { shopMoney { amount } } } } } } }"""
    )["orders"]["nodes"]

    assert "PARTIALLY_SETTLED" in {node["displayFinancialStatus"] for node in nodes}
    assert any(node["lineItems"]["nodes"][0]["originalUnitPriceSet"] is None for node in nodes)
    assert any(node["lineItems"]["nodes"][0]["originalUnitPriceSet"] for node in nodes)


def test_the_shops_clock_may_be_wrong(app: App, caller: Caller) -> None:
    true = caller.post("{ shop { name } }").headers["Date"]
    caller.client.post("/_control/faults", json={"skew_s": 97})

    assert caller.post("{ shop { name } }").headers["Date"] != true
    assert app.faults.skew_s == 97


def test_hostile_times_are_survived_by_asking_again(app: App, caller: Caller) -> None:
    """Each way to fail occurs, and a caller that repeats what may be repeated sees every order once."""
    caller.client.post("/_control/faults", json={"preset": "hostile"})
    caller.client.post("/_control/faults", json={"rates": {"new_word": 0, "null_field": 0}})
    seen: list[str] = []
    after = None
    for _ in range(2_000):
        try:
            answer = caller.post(
                """query ($after: String) { orders(first: 1, after: $after, sortKey: ID) {
                     nodes { id } pageInfo { hasNextPage endCursor } } }""",
                after=after,
            )
            if answer.status_code == 401:
                granted = caller.client.post("/admin/oauth/access_token", json=CREDENTIALS).json()
                caller.client.headers["X-Shopify-Access-Token"] = granted["access_token"]
            page = answer.json()["data"]["orders"]
        except (httpx.HTTPError, ValueError, KeyError):
            continue
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(seen) == len(set(seen)) == 61
    assert len(app.faults.met) >= 3


def test_a_fault_that_does_not_exist_is_refused(caller: Caller) -> None:
    answer = caller.client.post("/_control/faults", json={"next": ["no_such"]})

    assert answer.status_code == 400
    assert "no_such" in answer.json()["error"]
