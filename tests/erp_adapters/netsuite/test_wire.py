"""One request over the wire: its exact bytes, what its answer is, and what class each failure has."""

import json
import logging
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from erp_adapters.netsuite import PLUGIN
from erp_adapters.netsuite.adapter import NetSuiteAdapter
from erp_adapters.netsuite.client import Client, eid, encoded
from erp_adapters.netsuite.errors import AlreadyExists, NotFound
from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable
from tests.erp_adapters.netsuite.wired import (
    RECORDS,
    SUITEQL,
    TOKENS,
    Time,
    configured,
    connected,
    created,
    ec_key,
    page,
    pem,
    refused,
    secrets,
    token,
)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        router.post(TOKENS).mock(return_value=token())
        yield router


@pytest.fixture
def client(time: Time, wire: respx.MockRouter) -> Client:
    return connected(time)


def body_of(route: respx.Route) -> Any:
    return json.loads(route.calls.last.request.content)


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_a_new_record_is_posted_and_its_id_stands_in_the_location(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(f"{RECORDS}/salesOrder").mock(return_value=created("salesorder", 12345))

    id = client.post("salesOrder", {"externalId": "so-shopify-1", "total": Decimal("43.10"), "memo": None})

    request = route.calls.last.request
    assert id == "12345"
    assert request.content == b'{"externalId":"so-shopify-1","total":43.10,"memo":null}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-netsuite-propertynamevalidation"] == "Error"
    assert request.headers["x-netsuite-propertyvaluevalidation"] == "Error"
    assert request.headers["authorization"] == "Bearer bearer-1"


def test_a_transform_is_posted_below_its_source(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(f"{RECORDS}/salesOrder/12/!transform/itemFulfillment").mock(
        return_value=created("itemFulfillment", 99)
    )

    id = client.transform("salesOrder", "12", "itemFulfillment", {"shipStatus": "C"})

    assert id == "99"
    assert route.calls.last.request.url.raw_path == (
        b"/services/rest/record/v1/salesOrder/12/!transform/itemFulfillment"
    )


def test_a_patch_names_the_sublists_that_it_gives_whole(client: Client, wire: respx.MockRouter) -> None:
    route = wire.patch(f"{RECORDS}/salesOrder/12").mock(return_value=httpx.Response(204))

    client.patch("salesOrder", "12", {"item": {"items": [{"line": 1, "isClosed": True}]}}, replace=("item",))

    assert route.calls.last.request.url.query == b"replace=item"
    assert body_of(route) == {"item": {"items": [{"line": 1, "isClosed": True}]}}


def test_an_external_id_stands_in_the_path_with_its_colon(client: Client, wire: respx.MockRouter) -> None:
    route = wire.put(f"{RECORDS}/customer/eid:cust-shopify-7").mock(return_value=created("customer", 107))

    id = client.put_eid("customer", "cust-shopify-7", {"companyName": "Café"})

    assert id == "107"
    assert route.calls.last.request.url.raw_path == b"/services/rest/record/v1/customer/eid:cust-shopify-7"


def test_a_record_is_read_with_its_rows_where_that_is_asked(client: Client, wire: respx.MockRouter) -> None:
    route = wire.get(f"{RECORDS}/salesOrder/eid:so-1").respond(
        json={"id": "12", "item": {"items": [{"line": 1}, {"line": 4}], "totalResults": 2}}
    )

    found = client.get("salesOrder", eid("so-1"), expand=True)

    assert found is not None
    assert [row.whole("line") for row in found.rows("item")] == [1, 4]
    assert route.calls.last.request.url.query == b"expandSubResources=true"


def test_a_record_that_is_deleted_is_gone_and_twice_is_no_fault(client: Client, wire: respx.MockRouter) -> None:
    gone = refused(404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID.")
    wire.delete(f"{RECORDS}/salesOrder/12").mock(side_effect=[httpx.Response(204), gone])

    assert client.delete("salesOrder", "12") is True
    assert client.delete("salesOrder", "12") is False


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1E+3"), b'{"a":1000}'),
        (Decimal("0.10"), b'{"a":0.10}'),
        (date(2026, 3, 2), b'{"a":"2026-03-02"}'),
        ({"id": "eid:x"}, b'{"a":{"id":"eid:x"}}'),
        ("one\r\ntwo", b'{"a":"one\\\\ntwo"}'),
        ((1, True), b'{"a":[1,true]}'),
    ],
)
def test_a_body_is_written_digit_for_digit(value: object, written: bytes) -> None:
    assert encoded({"a": value}) == written


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), object()])
def test_a_body_holds_no_float_and_nothing_unknown(value: object) -> None:
    with pytest.raises(TypeError):
        encoded({"a": value})


@pytest.mark.parametrize("key", ["a b", "a/b", "a|b", "", "a#b", "..", "a?replace=item"])
def test_an_external_id_that_could_change_the_address_is_none(key: str) -> None:
    with pytest.raises(ValueError, match="not an external id"):
        eid(key)


@pytest.mark.parametrize("id", ["../customer/1", "12?x=1", "", "eid:a/b"])
def test_an_id_that_could_change_the_address_is_refused(client: Client, id: str) -> None:
    with pytest.raises(ValueError, match="not a part of an address"):
        client.delete("salesOrder", id)


# --- answers to a write ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500, json={"title": "Internal Server Error", "status": 500}),
        refused(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: jrgbpyylphhishmmlxyt"),
        refused(400, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: jrgbpyylphhishmmlxyt"),
        refused(500, "USER_ERROR", "A script failed after the record was saved"),
        httpx.Response(502, content=b"<html>"),
        httpx.Response(408),
        httpx.Response(204),
        httpx.Response(200, content=b"<html>all is well</html>"),
        httpx.Response(204, headers={"location": "https://elsewhere.example/salesOrder"}),
        httpx.Response(204, headers={"location": f"{RECORDS}/customer/12"}),
        httpx.Response(202, headers={"location": "/services/rest/async/v1/job/123456"}),
    ],
)
def test_a_write_without_a_good_answer_is_in_doubt_and_sent_once(
    client: Client, wire: respx.MockRouter, answer: Any
) -> None:
    route = wire.post(f"{RECORDS}/salesOrder").mock(side_effect=[answer])

    with pytest.raises(InDoubt):
        client.post("salesOrder", {})

    assert route.call_count == 1


def test_a_patch_that_became_a_job_is_in_doubt(client: Client, wire: respx.MockRouter) -> None:
    wire.patch(f"{RECORDS}/salesOrder/7").respond(202, headers={"location": "/services/rest/async/v1/job/1"})

    with pytest.raises(InDoubt, match="202 is no answer to a write"):
        client.patch("salesOrder", "7", {})


@pytest.mark.parametrize("body", [b"<html>all is well</html>", b'{"id": "7", "to', b"[]"])
def test_a_change_that_is_answered_by_something_else_is_in_doubt(
    client: Client, wire: respx.MockRouter, body: bytes
) -> None:
    wire.patch(f"{RECORDS}/salesOrder/7").respond(200, content=body)
    wire.delete(f"{RECORDS}/salesOrder/7").respond(200, content=body)

    with pytest.raises(InDoubt):
        client.patch("salesOrder", "7", {})
    with pytest.raises(InDoubt):
        client.delete("salesOrder", "7")


def test_a_changed_record_may_come_back(client: Client, wire: respx.MockRouter) -> None:
    wire.patch(f"{RECORDS}/salesOrder/7").respond(200, json={"id": "7"})

    client.patch("salesOrder", "7", {})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        refused(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked."),
        refused(400, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked."),
        httpx.Response(400, json={"error": {"code": "SSS_REQUEST_LIMIT_EXCEEDED", "message": "Too many"}}),
        refused(400, "RCRD_HAS_BEEN_CHANGED", "Record has been changed"),
        httpx.Response(429),
    ],
)
def test_a_write_that_was_not_taken_is_sent_again(client: Client, wire: respx.MockRouter, answer: Any) -> None:
    route = wire.post(f"{RECORDS}/salesOrder").mock(side_effect=[answer, created("salesOrder", 5)])

    assert client.post("salesOrder", {}) == "5"
    assert route.call_count == 2


def test_an_account_that_stays_over_its_limit_is_left_alone_for_now(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(f"{RECORDS}/salesOrder").mock(
        return_value=refused(400, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded.")
    )

    with pytest.raises(RateLimited):
        client.post("salesOrder", {})

    assert route.call_count == 4


@pytest.mark.parametrize(
    ("answer", "code", "field", "remedy"),
    [
        (
            refused(400, "USER_ERROR", "The posting period Jan 2026 is closed."),
            "closed_period",
            "tranDate",
            "Manage Accounting Periods",
        ),
        (
            refused(400, "USER_ERROR", "You cannot change this: it is in a locked accounting period"),
            "closed_period",
            "tranDate",
            "Manage Accounting Periods",
        ),
        (
            refused(
                400,
                "INVALID_CONTENT",
                "You have entered an Invalid Field Value 9 for the following field: item",
                "item.items[0].item",
            ),
            "unknown_item",
            "item.items[0].item",
            "make the item in NetSuite",
        ),
        (
            refused(400, "INVALID_CONTENT", "Invalid Field Value 9 for the following field: entity", "entity"),
            "unknown_customer",
            "entity",
            "look whether the customer was deleted",
        ),
        (
            refused(400, "USER_ERROR", "Invalid location reference key 12 for subsidiary 1."),
            "unknown_location",
            "location",
            "options.locations",
        ),
        (
            refused(400, "INVALID_KEY_OR_REF", "Invalid account reference key 12."),
            "unknown_account",
            "account",
            "options.accounts",
        ),
        (
            refused(400, "USER_ERROR", "The field memo contained more than the maximum number ( 999 ) of characters."),
            "too_long",
            "memo",
            "shorten the value",
        ),
        (
            refused(400, "INVALID_CONTENT", "Unknown reference or field: custbody_orderhub", "custbody_orderhub"),
            "unknown_field",
            "custbody_orderhub",
            "make the field in NetSuite",
        ),
        (
            refused(400, "INVALID_CONTENT", "Invalid property name 'qty'."),
            "unknown_field",
            "qty",
            "make the field in NetSuite",
        ),
        (
            refused(400, "USER_ERROR", "Please enter value(s) for: Sales Rep"),
            "missing_field",
            "Sales Rep",
            "options.forms",
        ),
        (
            refused(400, "USER_ERROR", "You must have at least one valid line item for this transaction."),
            "no_valid_line",
            "item",
            "stock committed",
        ),
        (
            refused(403, "INSUFFICIENT_PERMISSION", "Permission Violation: you need 'Sales Order' permission"),
            "insufficient_permission",
            "",
            "Manage Roles",
        ),
        (
            refused(400, "USER_ERROR", "Our own rule: no orders on a Sunday"),
            "user_error",
            "",
            "Our own rule: no orders on a Sunday",
        ),
        (
            httpx.Response(400, json={"status": 400, "o:errorCode": "USER_ERROR", "detail": "In the old form"}),
            "user_error",
            "",
            "In the old form",
        ),
        (
            refused(400, "INVALID_REQUEST", "The request could not be understood by the server."),
            "invalid_request",
            "",
            "could not be understood",
        ),
    ],
)
def test_a_refusal_names_its_cause_its_field_and_what_to_do(
    client: Client, wire: respx.MockRouter, answer: httpx.Response, code: str, field: str, remedy: str
) -> None:
    route = wire.post(f"{RECORDS}/salesOrder").mock(return_value=answer)

    with pytest.raises(Rejected) as raised:
        client.post("salesOrder", {})

    assert type(raised.value) is Rejected
    assert (raised.value.code, raised.value.field) == (code, field)
    assert remedy in raised.value.remedy
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (400, "USER_ERROR", "Error while accessing a resource. This entity already exists."),
        (400, "USER_ERROR", "This record already exists"),
        (400, "DUP_RCRD", "There is one"),
        (400, "USER_ERROR", "The external ID so-1 is in use."),
    ],
)
def test_a_taken_external_id_is_told_apart(
    client: Client, wire: respx.MockRouter, status: int, code: str, detail: str
) -> None:
    wire.post(f"{RECORDS}/salesOrder").mock(return_value=refused(status, code, detail))

    with pytest.raises(AlreadyExists) as raised:
        client.post("salesOrder", {})

    assert (raised.value.code, raised.value.field) == ("already_exists", "externalId")


def test_a_source_that_is_not_there_is_told_apart(client: Client, wire: respx.MockRouter) -> None:
    wire.post(f"{RECORDS}/salesOrder/12/!transform/invoice").mock(
        return_value=refused(404, "NONEXISTENT_ID", "Record does not exist.")
    )

    with pytest.raises(NotFound) as raised:
        client.transform("salesOrder", "12", "invoice", {})

    assert raised.value.code == "not_found"


def test_a_job_that_is_under_way_already_leaves_the_write_in_doubt(client: Client, wire: respx.MockRouter) -> None:
    wire.post(f"{RECORDS}/account").mock(
        return_value=refused(400, "IDEMPOTENCY_ERROR", "A request with the same idempotency key is already submitted.")
    )

    with pytest.raises(InDoubt, match="still under way"):
        client.post("account", {})


def test_the_operation_that_support_asks_for_stands_in_the_error(client: Client, wire: respx.MockRouter) -> None:
    answer = refused(400, "USER_ERROR", "No")
    answer.headers["x-n-operationid"] = "9ac7dc0f"
    wire.post(f"{RECORDS}/salesOrder").mock(return_value=answer)

    with pytest.raises(Rejected, match=r"No \(operation 9ac7dc0f\)"):
        client.post("salesOrder", {})


def test_a_warning_of_a_written_record_is_logged_without_its_words(
    client: Client, wire: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    answer = created("salesOrder", 1)
    answer.headers["x-netsuite-warning"] = "of Jane Doe"
    wire.post(f"{RECORDS}/salesOrder").mock(return_value=answer)

    client.post("salesOrder", {})

    [line] = [vars(one) for one in caplog.records if one.msg == "netsuite.warned"]
    assert (line["path"], line["header"]) == ("/services/rest/record/v1/salesOrder", "x-netsuite-warning")
    assert "Jane" not in caplog.text


# --- answers to a read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (400, "USER_ERROR", "Error while accessing a resource. Transaction type specified is incorrect."),
        (404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID."),
        (404, "NONEXISTENT_ID", "Record does not exist."),
    ],
)
def test_a_record_that_is_not_there_is_none(
    client: Client, wire: respx.MockRouter, status: int, code: str, detail: str
) -> None:
    wire.get(f"{RECORDS}/salesOrder/7").mock(return_value=refused(status, code, detail))

    assert client.get("salesOrder", "7") is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(404, "NONEXISTENT_ID", "Record type 'salesOrder' does not exist."), "unknown_record_type"),
        (httpx.Response(404, content=b"<html>nginx"), "http_404"),
        (httpx.Response(404), "http_404"),
        (refused(400, "USER_ERROR", "Something else"), "user_error"),
        (httpx.Response(302, headers={"location": "https://other.example"}), "redirected"),
    ],
)
def test_what_is_no_answer_about_the_record_is_never_an_absent_one(
    client: Client, wire: respx.MockRouter, answer: httpx.Response, code: str
) -> None:
    wire.get(f"{RECORDS}/salesOrder/7").mock(return_value=answer)

    with pytest.raises(Rejected) as raised:
        client.get("salesOrder", "7")

    assert raised.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(500),
        refused(500, "UNEXPECTED_ERROR", "An unexpected error occurred."),
        httpx.Response(200, content=b'{"id": "7"'),
        refused(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded."),
    ],
)
def test_a_read_is_tried_again(client: Client, wire: respx.MockRouter, answer: Any) -> None:
    wire.get(f"{RECORDS}/salesOrder/7").mock(side_effect=[answer, httpx.Response(200, json={"id": "7"})])

    found = client.get("salesOrder", "7")

    assert found is not None
    assert found.text("id") == "7"


def test_an_answer_that_is_no_record_is_tried_later(client: Client, wire: respx.MockRouter) -> None:
    wire.get(f"{RECORDS}/salesOrder/7").respond(json=["7"])

    with pytest.raises(Retryable, match="no object"):
        client.get("salesOrder", "7")


# --- queries ---------------------------------------------------------------------------------------------------------


def test_a_query_is_posted_with_its_values_bound(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(SUITEQL).mock(return_value=page({"id": "12", "amount": "43.10", "isinactive": "F"}))

    rows = list(client.suiteql("SELECT id FROM item WHERE id BETWEEN ? AND ? ORDER BY id", ("-7", 0)))

    request = route.calls.last.request
    assert [(row.text("ID"), row.amount("amount"), row.flag("isInactive")) for row in rows] == [
        ("12", Decimal("43.10"), False)
    ]
    assert request.headers["prefer"] == "transient"
    assert request.url.query == b"limit=1000&offset=0"
    assert json.loads(request.content) == {
        "q": "SELECT id FROM item WHERE id BETWEEN ? AND ? ORDER BY id",
        "params": ["-7", "0"],
    }


def test_a_query_is_read_to_its_last_page(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(SUITEQL).mock(
        side_effect=[page({"id": "1"}, {"id": "2"}, more=True, total=3), page({"id": "3"}, offset=2, total=3)]
    )

    rows = list(client.suiteql("SELECT id FROM item ORDER BY id"))

    assert [row.text("id") for row in rows] == ["1", "2", "3"]
    assert [call.request.url.query for call in route.calls] == [b"limit=1000&offset=0", b"limit=1000&offset=2"]


def test_an_older_server_that_tells_only_a_total_is_read_to_it(client: Client, wire: respx.MockRouter) -> None:
    wire.post(SUITEQL).mock(
        side_effect=[
            httpx.Response(200, json={"count": 1, "offset": 0, "totalResults": 2, "items": [{"id": "1"}]}),
            httpx.Response(200, json={"count": 1, "offset": 1, "totalResults": 2, "items": [{"id": "2"}]}),
        ]
    )

    assert len(list(client.suiteql("SELECT id FROM item ORDER BY id"))) == 2


def test_more_rows_than_a_query_reaches_are_refused_before_the_first(client: Client, wire: respx.MockRouter) -> None:
    wire.post(SUITEQL).mock(return_value=page({"id": "1"}, more=True, total=100_001))
    rows = client.suiteql("SELECT id FROM item ORDER BY id")

    with pytest.raises(Rejected) as raised:
        next(rows)

    assert raised.value.code == "too_many_rows"


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, json={"count": 0}), page(more=True, total=5), httpx.Response(200, json=[])]
)
def test_a_broken_page_is_never_the_end(client: Client, wire: respx.MockRouter, answer: httpx.Response) -> None:
    wire.post(SUITEQL).mock(return_value=answer)

    with pytest.raises(Retryable):
        list(client.suiteql("SELECT id FROM item ORDER BY id"))


def test_a_query_without_an_order_is_not_asked(client: Client) -> None:
    with pytest.raises(ValueError, match="without ORDER BY"):
        next(client.suiteql("SELECT id FROM item"))


def test_a_walk_begins_each_page_after_the_last_key(client: Client, wire: respx.MockRouter) -> None:
    route = wire.post(SUITEQL).mock(
        side_effect=[page({"id": "5"}, {"id": "9"}, more=True, total=250_000), page({"id": "12"})]
    )
    query = "SELECT t.id FROM transaction t WHERE t.type = ? AND t.id > ? ORDER BY t.id"

    rows = list(client.walk(query, ("SalesOrd",)))

    assert [row.text("id") for row in rows] == ["5", "9", "12"]
    assert [json.loads(call.request.content)["params"] for call in route.calls] == [
        ["SalesOrd", "0"],
        ["SalesOrd", "9"],
    ]
    assert {call.request.url.query for call in route.calls} == {b"limit=1000&offset=0"}


def test_a_walk_whose_keys_do_not_rise_stops(client: Client, wire: respx.MockRouter) -> None:
    wire.post(SUITEQL).mock(return_value=page({"id": "9"}, {"id": "5"}))

    with pytest.raises(ValueError, match="not in the order of id: 5 after 9"):
        list(client.walk("SELECT id FROM item WHERE id > ? ORDER BY id"))


# --- its bounds and its secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"), [(None, "has no address"), ("http://netsuite.example", "https://HOST")]
)
def test_an_address_is_needed_and_is_never_made_from_the_account(time: Time, address: str | None, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        connected(time, address=address)


def test_a_path_before_the_services_stays(time: Time, wire: respx.MockRouter) -> None:
    wire.post("https://proxy.example/ns/services/rest/auth/oauth2/v1/token").mock(return_value=token())
    route = wire.get("https://proxy.example/ns/services/rest/record/v1/salesOrder/7").respond(json={"id": "7"})

    connected(time, address="https://proxy.example/ns/").get("salesOrder", "7")

    assert route.call_count == 1


def test_the_plugin_opens_an_adapter_that_settles_in_a_quarter_of_an_hour(time: Time) -> None:
    adapter = PLUGIN.connect(configured(time))

    assert isinstance(adapter, NetSuiteAdapter)
    assert (PLUGIN.system, adapter.settle_s) == ("netsuite", 900)
    adapter.close_connections()


@pytest.mark.parametrize("auth", ["certificate", "token"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_secret_stands_in_an_error_a_repr_or_a_log(
    time: Time, wire: respx.MockRouter, caplog: pytest.LogCaptureFixture, auth: str, status: int
) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        said = f"{request.headers['authorization']} {' '.join(secrets().values())}"
        return refused(status, "USER_ERROR" if status == 400 else "", said)

    wire.post(f"{RECORDS}/salesOrder").mock(side_effect=echo)
    wire.post(TOKENS).mock(return_value=token("planted-bearer"))
    client = connected(time, auth=auth)
    caplog.set_level(logging.DEBUG)

    with pytest.raises(HubError) as raised:
        client.post("salesOrder", {"memo": "planted-memo"})

    told = f"{raised.value} {raised.value!r} {getattr(raised.value, 'remedy', '')} {caplog.text} {client!r} "
    told += f"{client.__dict__} {configured(time)!r}"
    used = (
        ["planted-bearer", "PRIVATE KEY", pem(ec_key())[40:90]]
        if auth == "certificate"
        else ["planted-consumer", "planted-consumer-secret", "planted-token", "planted-token-secret"]
    )
    for secret in [*used, "planted-memo"]:
        assert secret not in told, secret


@pytest.mark.parametrize("answer", [httpx.Response(400, json={"error": "invalid_grant"}), httpx.Response(503)])
def test_no_secret_stands_in_an_error_of_the_token_service(
    time: Time, wire: respx.MockRouter, caplog: pytest.LogCaptureFixture, answer: httpx.Response
) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, content=request.content)

    wire.post(TOKENS).mock(side_effect=echo)
    caplog.set_level(logging.DEBUG)

    with pytest.raises((AuthExpired, Retryable)) as raised:
        connected(time).get("salesOrder", "7")

    assert "client_assertion=eyJ" not in f"{raised.value} {caplog.text}"
    assert "client_assertion=…" in str(raised.value)


def test_only_so_many_requests_are_under_way_at_once(time: Time, wire: respx.MockRouter) -> None:
    import threading

    now, most, lock, full = 0, 0, threading.Lock(), threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 2:
                full.set()
        full.wait(10)
        with lock:
            now -= 1
        return httpx.Response(200, json={"id": "7"})

    wire.get(f"{RECORDS}/salesOrder/7").mock(side_effect=slow)
    client = connected(time, requests=2)
    threads = [threading.Thread(target=client.get, args=("salesOrder", "7")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert most == 2
