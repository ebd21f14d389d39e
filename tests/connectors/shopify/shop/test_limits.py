"""What a caller must show and what it may ask: tokens, versions, costs, throttling, errors in the vendor's words."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.shopify.simulator import App
from tests.connectors.shopify.shop.caller import CREDENTIALS, Caller

DEAR = "{ orders(first: 100) { nodes { id refunds(first: 9) { id } fulfillments(first: 4) { id } } } }"


def test_a_call_without_a_good_token_is_refused(caller: Caller) -> None:
    caller.client.headers["X-Shopify-Access-Token"] = "shpat_wrong"

    answer = caller.post("{ shop { name } }")

    assert answer.status_code == 401
    assert "Invalid API key or access token" in answer.json()["errors"]


def test_a_token_of_client_credentials_ends_after_a_day(app: App, caller: Caller) -> None:
    assert caller.post("{ shop { name } }").status_code == 200

    app.shop.move_to(app.shop.now + timedelta(seconds=86_399))

    assert caller.post("{ shop { name } }").status_code == 401


def test_a_refresh_token_holds_until_its_successor_is_used(caller: Caller) -> None:
    def refreshed(token: str) -> tuple[int, dict[str, Any]]:
        asked = {**CREDENTIALS, "grant_type": "refresh_token", "refresh_token": token}
        answer = caller.client.post("/admin/oauth/access_token", json=asked)
        return answer.status_code, answer.json()

    asked = {**CREDENTIALS, "grant_type": "authorization_code", "code": "abc"}
    first = caller.client.post("/admin/oauth/access_token", json=asked).json()
    _, lost = refreshed(first["refresh_token"])
    again, second = refreshed(first["refresh_token"])
    used, _ = refreshed(second["refresh_token"])
    too_late, refusal = refreshed(first["refresh_token"])

    assert first["expires_in"] == 3600
    assert len({first["refresh_token"], lost["refresh_token"], second["refresh_token"]}) == 3
    assert (again, used, too_late) == (200, 200, 400)
    assert refusal["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("asked", "served"), [("2026-10", "2026-10"), ("2026-07", "2026-07"), ("2024-01", "2025-10"), ("2099-01", None)]
)
def test_an_expired_version_falls_forward_without_a_word(caller: Caller, asked: str, served: str | None) -> None:
    answer = caller.post("{ shop { name } }", version=asked)

    assert answer.headers.get("X-Shopify-API-Version") == served
    assert answer.status_code == (200 if served else 404)


def test_the_recorded_costs_are_given_again(caller: Caller) -> None:
    order = next(order for order in caller.app.shop.present() if len(order.fulfilment_orders(caller.app.shop.now)) == 1)

    answer = caller.post(
        """query ($id: ID!) { order(id: $id) { fulfillmentOrders(first: 10) {
             nodes { id } pageInfo { hasNextPage endCursor } } } }""",
        id=f"gid://shopify/Order/{order.id}",
    ).json()

    assert answer["extensions"]["cost"]["requestedQueryCost"] == 7
    assert answer["extensions"]["cost"]["actualQueryCost"] == 4


def test_what_was_not_spent_is_given_back_and_the_rest_comes_back_with_time(app: App, caller: Caller) -> None:
    asked = "{ orders(first: 100) { nodes { id } } }"
    before = caller.post(asked).json()["extensions"]["cost"]
    spent = before["requestedQueryCost"] - before["actualQueryCost"]

    app.shop.move_to(app.shop.now + timedelta(seconds=60))
    after = caller.post(asked).json()["extensions"]["cost"]

    assert (before["requestedQueryCost"], before["actualQueryCost"]) == (101, 62)
    assert spent == 39
    assert before["throttleStatus"]["currentlyAvailable"] == 2000 - 62
    assert after["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": 1938, "restoreRate": 100.0}


@pytest.mark.slow
def test_an_empty_bucket_throttles_in_a_200_without_a_retry_after(app: App, caller: Caller) -> None:
    answers: list[httpx.Response] = []
    while not answers or ("errors" not in answers[-1].json() and len(answers) < 30):
        answers.append(caller.post(DEAR))

    refused = [answer for answer in answers if "errors" in answer.json()]

    assert refused
    assert {answer.status_code for answer in answers} == {200}
    error = refused[0].json()
    assert error["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert error["extensions"]["cost"]["actualQueryCost"] is None
    assert "Retry-After" not in refused[0].headers


@pytest.mark.slow
def test_a_client_elsewhere_gains_what_it_waited_by_the_wall_and_no_more_than_it_was_told(
    app: App, caller: Caller
) -> None:
    wall = [0.0]
    app.gateway.wall = lambda: wall[0]
    refused = next(answer for answer in (caller.post(DEAR).json() for _ in range(30)) if "errors" in answer)
    cost = refused["extensions"]["cost"]
    told_s = (cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]) / 100
    begun = app.shop.now

    impatient = caller.post(DEAR).json()
    at_once_s = (app.shop.now - begun).total_seconds()
    wall[0] = 1_000.0
    patient = caller.post(DEAR).json()
    waited_s = (app.shop.now - begun).total_seconds()

    assert refused["errors"][0]["extensions"]["code"] == impatient["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert at_once_s == 0.25
    assert "errors" not in patient
    assert 0 < waited_s - 0.5 < told_s


def test_a_query_of_more_than_a_thousand_points_is_refused(caller: Caller) -> None:
    answer = caller.post("{ orders(first: 250) { nodes { id lineItems(first: 100) { nodes { id } } } } }").json()

    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert answer["errors"][0]["extensions"]["cost"] == 1 + 250 * (1 + 1 + 10)


def test_an_unknown_field_is_named_as_the_vendor_names_it(caller: Caller) -> None:
    answer = caller.post("{ orders(first: 1) { nodes { total } } }").json()

    assert answer["errors"][0]["message"] == "Field 'total' doesn't exist on type 'Order'"
    assert answer["errors"][0]["extensions"] == {"code": "undefinedField", "typeName": "Order", "fieldName": "total"}


@pytest.mark.parametrize(
    "arguments", ["", "(first: 1, last: 1)", "(first: 251)", "(first: 0)", '(first: 1, after: "x")']
)
def test_a_page_that_cannot_be_is_refused(caller: Caller, arguments: str) -> None:
    answer = caller.post(f"{{ orders{arguments} {{ nodes {{ id }} }} }}").json()

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_access_may_be_denied_despite_the_scope(app: App, caller: Caller) -> None:
    app.gateway.deny("Order")

    answer = caller.post("{ orders(first: 1) { nodes { id } } }").json()
    scopes = caller.ask("{ currentAppInstallation { accessScopes { handle } } }")

    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "not approved to access the Order object" in answer["errors"][0]["message"]
    assert {"handle": "read_orders"} in scopes["currentAppInstallation"]["accessScopes"]


def test_personal_data_may_be_denied_field_by_field(app: App, caller: Caller) -> None:
    app.gateway.deny("CustomerData")

    answer = caller.post("{ orders(first: 1) { nodes { id email shippingAddress { city } } } }").json()

    order = answer["data"]["orders"]["nodes"][0]
    assert order == {"id": order["id"], "email": None, "shippingAddress": None}
    assert [error["path"] for error in answer["errors"]] == [
        ["orders", "nodes", 0, "email"],
        ["orders", "nodes", 0, "shippingAddress"],
    ]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"ACCESS_DENIED"}


def test_without_the_scope_for_all_orders_only_sixty_days_are_seen(app: App, caller: Caller) -> None:
    asked = "{ ordersCount(limit: null) { count } currentAppInstallation { accessScopes { handle } } }"
    every = caller.ask(asked)
    app.shop.move_to(app.shop.now + timedelta(days=45))
    app.tokens.access = dict.fromkeys(app.tokens.access, app.shop.now + timedelta(days=1))
    app.gateway.deny("AllOrders")

    recent = caller.ask(asked)

    assert every["ordersCount"]["count"] == 61
    assert 0 < recent["ordersCount"]["count"] < 61
    assert {"handle": "read_all_orders"} in every["currentAppInstallation"]["accessScopes"]
    assert {"handle": "read_all_orders"} not in recent["currentAppInstallation"]["accessScopes"]
