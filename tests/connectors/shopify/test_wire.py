"""One call over the wire: its exact bytes, its points, its tokens, and what class each failure has."""

import json
import logging
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from connectors.shopify.documents import CANCEL_FULFILMENT, ORDERS_COUNT, SET_STOCK
from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable
from tests.connectors.shopify.wired import (
    GRAPHQL,
    SECRETS,
    TOKENS,
    MemoryVault,
    Time,
    answered,
    connected,
    failed,
)

COUNTED = {"ordersCount": {"count": 3, "precision": "EXACT"}}


@pytest.fixture
def time() -> Time:
    return Time()


def asked(call: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(call.request.content)
    return body


@respx.mock
def test_a_query_is_a_post_of_document_and_variables_under_the_token(time: Time) -> None:
    route = respx.post(GRAPHQL).mock(return_value=answered(COUNTED))

    data = connected(time).shop.query(ORDERS_COUNT, query="test:false")

    request = route.calls.last.request
    assert data == COUNTED
    assert request.headers["x-shopify-access-token"] == "shpat_planted"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "orderhub"
    assert json.loads(request.content) == {
        "query": "query OrdersCount($query: String!) { ordersCount(query: $query, limit: null) { count precision } }",
        "variables": {"query": "test:false"},
    }


# --- points ---------------------------------------------------------------------------------------------------------


@respx.mock
def test_turned_away_in_a_200_it_waits_for_the_points_that_it_lacks(time: Time) -> None:
    throttled = answered(errors=failed("THROTTLED"), asked=600, available=100, restored_per_s=50)
    respx.post(GRAPHQL).mock(side_effect=[throttled, answered(COUNTED)])

    connected(time).shop.query(ORDERS_COUNT, query="")

    assert time.waits == [10.0]


@respx.mock
def test_it_waits_before_it_asks_for_more_than_the_bucket_holds(time: Time) -> None:
    route = respx.post(GRAPHQL).mock(return_value=answered(COUNTED, asked=400, available=150))
    shop = connected(time).shop

    shop.query(ORDERS_COUNT, query="")
    shop.query(ORDERS_COUNT, query="")

    assert time.waits == [2.5]
    assert route.call_count == 2


@respx.mock
def test_a_shop_that_turns_it_away_for_ever_is_left_alone_for_a_while(time: Time) -> None:
    route = respx.post(GRAPHQL).mock(return_value=answered(errors=failed("THROTTLED"), asked=900, available=0))

    with pytest.raises(RateLimited) as caught:
        connected(time).shop.query(ORDERS_COUNT, query="")

    assert caught.value.after_s is not None
    assert sum(time.waits) <= 60
    assert route.call_count < 9


@respx.mock
def test_a_mutation_that_was_turned_away_did_not_happen_and_is_sent_again(time: Time) -> None:
    route = respx.post(GRAPHQL).mock(
        side_effect=[
            answered(errors=failed("THROTTLED"), asked=10, available=0),
            answered({"fulfillmentCancel": {"fulfillment": {"id": "1"}, "userErrors": []}}),
        ]
    )

    connected(time).shop.mutate(CANCEL_FULFILMENT, id="1")

    assert route.call_count == 2


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "remedy"),
    [
        (answered(errors=failed("ACCESS_DENIED", "not approved to access the Order object")), Rejected, "protected"),
        (answered({"ordersCount": None}, errors=failed("ACCESS_DENIED")), Rejected, "protected customer data"),
        (answered(errors=failed("INTERNAL_SERVER_ERROR")), Retryable, ""),
        (answered(errors=[{"message": "Field 'x' doesn't exist"}]), Rejected, "options.version"),
        (httpx.Response(200, json={"extensions": {}}), Retryable, ""),
        (httpx.Response(200, json=[]), Retryable, ""),
        (httpx.Response(200, text="<html>"), Retryable, "not JSON"),
        (httpx.Response(401, json={"errors": "[API] Invalid API key or access token"}), AuthExpired, "credentials"),
        (httpx.Response(402, json={}), AuthExpired, "bill"),
        (httpx.Response(403, json={"errors": "Non-expiring access tokens"}), AuthExpired, "options.token: expiring"),
        (httpx.Response(404, json={"errors": "Not Found"}), Misconfigured, "check address and options.version"),
        (httpx.Response(423, json={}), AuthExpired, "locked"),
        (httpx.Response(429, headers={"Retry-After": "40"}), RateLimited, ""),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), Rejected, "redirects"),
        (httpx.Response(500), Retryable, ""),
    ],
)
@respx.mock
def test_each_failure_of_a_read_has_its_class_and_says_what_to_do(
    time: Time, answer: httpx.Response, error: type[HubError], remedy: str
) -> None:
    respx.post(GRAPHQL).mock(return_value=answer)

    with pytest.raises(error) as caught:
        connected(time).shop.query(ORDERS_COUNT, query="")

    assert type(caught.value) is error
    assert remedy in f"{caught.value} {getattr(caught.value, 'remedy', '')}"


@pytest.mark.parametrize(
    "failure",
    [
        answered(errors=failed("INTERNAL_SERVER_ERROR")),
        answered({}),
        httpx.Response(502),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, text='{"data": {"fulf'),
    ],
)
@respx.mock
def test_a_mutation_without_an_answer_is_in_doubt_and_sent_once(time: Time, failure: Any) -> None:
    route = respx.post(GRAPHQL).mock(side_effect=[failure])

    with pytest.raises(InDoubt):
        connected(time).shop.mutate(CANCEL_FULFILMENT, id="1")

    assert route.call_count == 1


@respx.mock
def test_user_errors_in_a_200_are_a_refusal_with_its_field(time: Time) -> None:
    refused = {"fulfillment": None, "userErrors": [{"field": ["fulfillment", "id"], "message": "does not exist."}]}
    respx.post(GRAPHQL).mock(return_value=answered({"fulfillmentCancel": refused}))

    with pytest.raises(Rejected) as caught:
        connected(time).shop.mutate(CANCEL_FULFILMENT, id="1")

    assert caught.value.field == "fulfillment.id"
    assert caught.value.code == "user_error"
    assert caught.value.remedy == "the shop says: does not exist."


@respx.mock
def test_a_keyed_mutation_is_sent_again_with_the_same_key(time: Time) -> None:
    done = answered({"inventorySetQuantities": {"inventoryAdjustmentGroup": {"id": "1"}, "userErrors": []}})
    route = respx.post(GRAPHQL).mock(side_effect=[httpx.ReadTimeout("slow"), done])

    connected(time).shop.mutate(SET_STOCK, keyed=True, key="level-1", input={})

    assert [asked(call)["variables"]["key"] for call in route.calls] == ["level-1", "level-1"]


@respx.mock
def test_a_version_that_fell_forward_is_a_problem_and_a_log_line(time: Time, caplog: pytest.LogCaptureFixture) -> None:
    about = {"name": "x", "myshopifyDomain": "main-street.myshopify.com", "currencyCode": "USD", "ianaTimezone": "UTC"}
    scopes = [
        {"handle": handle}
        for handle in (
            "read_orders",
            "read_all_orders",
            "read_returns",
            "read_customers",
            "write_merchant_managed_fulfillment_orders",
            "read_shopify_payments_payouts",
        )
    ]
    respx.post(GRAPHQL).mock(
        side_effect=[
            answered({"shop": about, "currentAppInstallation": {"accessScopes": scopes}}, version="2027-01"),
            answered({"orders": {"nodes": []}}, version="2027-01"),
        ]
    )

    [problem] = connected(time).check()

    assert problem.path == "options.version"
    assert "version 2026-10 is no longer served, the shop answers with 2027-01" in problem.message
    assert [(vars(one)["asked"], vars(one)["served"]) for one in caplog.records if one.msg == "shopify.version"] == [
        ("2026-10", "2027-01")
    ]


@respx.mock
def test_a_check_names_each_thing_that_is_wrong_with_what_to_do(time: Time) -> None:
    about = {"name": "x", "myshopifyDomain": "other.myshopify.com", "currencyCode": "CAD", "ianaTimezone": "UTC"}
    scopes = [{"handle": "read_orders"}, {"handle": "read_returns"}, {"handle": "read_customers"}]
    respx.post(GRAPHQL).mock(
        side_effect=[
            answered({"shop": about, "currentAppInstallation": {"accessScopes": scopes}}),
            answered(errors=failed("ACCESS_DENIED", "This app is not approved to access the Order object.")),
        ]
    )

    problems = list(connected(time).check())

    assert [(problem.path, problem.code) for problem in problems] == [
        ("options.domain", "domain"),
        ("currency", "currency"),
        ("scopes", "scope"),
        ("scopes", "scope"),
        ("scopes", "scope"),
        ("access", "access_denied"),
    ]
    assert "read_all_orders" in problems[2].message
    assert "a granted scope alone is not enough" in problems[5].message


@respx.mock
@pytest.mark.parametrize(
    ("is_told", "missing"),
    [(False, []), (True, ["write_merchant_managed_fulfillment_orders", "write_orders", "write_order_edits"])],
)
def test_a_shop_that_is_told_what_the_erp_does_lets_the_app_write(
    time: Time, is_told: bool, missing: list[str]
) -> None:
    about = {"name": "x", "myshopifyDomain": "main-street.myshopify.com", "currencyCode": "USD", "ianaTimezone": "UTC"}
    scopes = [
        {"handle": handle}
        for handle in (
            "read_orders",
            "read_all_orders",
            "read_returns",
            "read_customers",
            "read_merchant_managed_fulfillment_orders",
            "read_shopify_payments_payouts",
        )
    ]
    respx.post(GRAPHQL).mock(
        side_effect=[
            answered({"shop": about, "currentAppInstallation": {"accessScopes": scopes}}),
            answered({"orders": {"nodes": []}}),
        ]
    )

    problems = list(connected(time, is_told=is_told).check())

    assert [problem.message.split(":")[0] for problem in problems] == [f"the app lacks {scope}" for scope in missing]


# --- tokens ---------------------------------------------------------------------------------------------------------


def form(call: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.request.content.decode()).items()}


@respx.mock
def test_a_days_token_is_asked_for_once_and_again_before_it_ends(time: Time) -> None:
    tokens = respx.post(TOKENS).mock(
        side_effect=[
            httpx.Response(200, json={"access_token": "shpat_first", "expires_in": 86399, "scope": ""}),
            httpx.Response(200, json={"access_token": "shpat_second", "expires_in": 86399, "scope": ""}),
        ]
    )
    route = respx.post(GRAPHQL).mock(return_value=answered(COUNTED))
    shop = connected(time, token="client_credentials").shop

    for pause_s in (0, 3600, 23 * 3600):
        time.sleep(pause_s)
        shop.query(ORDERS_COUNT, query="")

    assert form(tokens.calls[0]) == {
        "client_id": "app-7",
        "client_secret": "shpss_planted",
        "grant_type": "client_credentials",
    }
    assert [call.request.headers["x-shopify-access-token"] for call in route.calls] == [
        "shpat_first",
        "shpat_first",
        "shpat_second",
    ]


@respx.mock
def test_a_token_refused_before_its_time_is_replaced_and_the_call_made_again(time: Time) -> None:
    respx.post(TOKENS).mock(
        side_effect=[
            httpx.Response(200, json={"access_token": "shpat_first", "expires_in": 86399}),
            httpx.Response(200, json={"access_token": "shpat_second", "expires_in": 86399}),
        ]
    )
    respx.post(GRAPHQL).mock(side_effect=[httpx.Response(401, json={}), answered(COUNTED)])

    assert connected(time, token="client_credentials").shop.query(ORDERS_COUNT, query="") == COUNTED


@respx.mock
def test_a_rotating_pair_is_in_the_vault_before_its_token_is_used(time: Time) -> None:
    vault = MemoryVault()
    pairs = iter(
        [
            {"access_token": "shpat_1", "refresh_token": "shprt_1", "expires_in": 3600},
            {"access_token": "shpat_2", "refresh_token": "shprt_2", "expires_in": 3600},
        ]
    )
    tokens = respx.post(TOKENS).mock(side_effect=lambda request: httpx.Response(200, json=next(pairs)))
    seen: list[tuple[str, str]] = []

    def graphql(request: httpx.Request) -> httpx.Response:
        kept = json.loads(vault.held["tokens"].get_secret_value())
        seen.append((request.headers["x-shopify-access-token"], kept["refresh"]))
        return answered(COUNTED)

    respx.post(GRAPHQL).mock(side_effect=graphql)

    connected(time, token="expiring", vault=vault).shop.query(ORDERS_COUNT, query="")
    connected(time, token="expiring", vault=vault).shop.query(ORDERS_COUNT, query="")  # another process, same hour
    time.sleep(3400)
    connected(time, token="expiring", vault=vault).shop.query(ORDERS_COUNT, query="")

    assert seen == [("shpat_1", "shprt_1"), ("shpat_1", "shprt_1"), ("shpat_2", "shprt_2")]
    assert [form(call)["refresh_token"] for call in tokens.calls] == ["shprt_planted", "shprt_1"]


@respx.mock
def test_a_renewal_whose_answer_was_lost_is_asked_for_again_with_the_same_refresh_token(time: Time) -> None:
    tokens = respx.post(TOKENS).mock(
        side_effect=[
            httpx.ReadTimeout("slow"),
            httpx.Response(200, json={"access_token": "shpat_1", "refresh_token": "shprt_1", "expires_in": 3600}),
        ]
    )
    respx.post(GRAPHQL).mock(return_value=answered(COUNTED))

    connected(time, token="expiring", vault=MemoryVault()).shop.query(ORDERS_COUNT, query="")

    assert [form(call)["refresh_token"] for call in tokens.calls] == ["shprt_planted", "shprt_planted"]


@respx.mock
def test_an_app_that_was_installed_anew_starts_over_from_its_new_refresh_token(time: Time) -> None:
    vault = MemoryVault()
    tokens = respx.post(TOKENS).mock(
        return_value=httpx.Response(
            200, json={"access_token": "shpat_1", "refresh_token": "shprt_1", "expires_in": 3600}
        )
    )
    respx.post(GRAPHQL).mock(return_value=answered(COUNTED))

    connected(time, token="expiring", vault=vault).shop.query(ORDERS_COUNT, query="")
    anew = {**SECRETS, "refresh_token": "shprt_anew"}
    connected(time, token="expiring", vault=vault, secrets=anew).shop.query(ORDERS_COUNT, query="")

    assert [form(call)["refresh_token"] for call in tokens.calls] == ["shprt_planted", "shprt_anew"]


@respx.mock
def test_credentials_that_are_no_longer_good_halt_with_what_to_check(time: Time) -> None:
    respx.post(TOKENS).respond(400, json={"error": "invalid_request", "error_description": "active refresh_token"})

    with pytest.raises(AuthExpired, match="check that the app is installed, and its client id, secret"):
        connected(time, token="expiring", vault=MemoryVault()).shop.query(ORDERS_COUNT, query="")


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["static", "client_credentials", "expiring"])
@respx.mock
def test_no_secret_stands_in_a_repr_an_error_or_a_log(time: Time, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The shop echoes every secret back at us, in each way that it may refuse."""
    caplog.set_level(logging.DEBUG)
    echo = " ".join([*SECRETS.values(), "shpat_given", "shprt_given"])
    given = {"access_token": "shpat_given", "refresh_token": "shprt_given", "expires_in": 3600}
    respx.post(TOKENS).mock(return_value=httpx.Response(200, json=given))
    respx.post(GRAPHQL).mock(
        side_effect=cycle(
            [
                httpx.Response(401, text=echo),
                httpx.Response(401, text=echo),
                answered(errors=[{"message": echo}]),
                httpx.Response(400, text=echo),
            ]
        )
    )
    vault = MemoryVault()
    live = connected(time, token=kind, vault=vault)
    texts = [repr(live), repr(live.config), repr(live.shop), repr(live.shop.http), str(vars(live))]

    for _ in range(4):
        try:
            live.shop.query(ORDERS_COUNT, query="")
        except HubError as error:
            texts += [str(error), repr(error), *(str(value) for value in vars(error).values())]

    used = {
        "static": ["token"],
        "client_credentials": ["client_secret"],
        "expiring": ["client_secret", "refresh_token"],
    }
    for secret in [SECRETS[name] for name in used[kind]] + (["shpat_given"] if kind != "static" else []):
        assert not any(secret in text for text in [*texts, caplog.text])
