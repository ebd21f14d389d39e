"""Everything recorded of NetSuite, or printed by its vendor, goes through the client: each with its outcome."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.errors import AlreadyExists, NotFound
from hub.errors import AuthExpired, InDoubt, RateLimited, Rejected, Retryable, Untranslatable
from mappings.netsuite.fields import Fields, Ref
from tests.erp_adapters.netsuite.wired import RECORDS, SERVICES, SUITEQL, TOKENS, Time, connected, page, token

QUERY = "SELECT id FROM vendor ORDER BY id"


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        router.post(TOKENS).mock(return_value=token())
        yield router


@pytest.fixture
def client(wire: respx.MockRouter) -> Client:
    return connected(Time())


@pytest.fixture(scope="session")
def sheets(shared_contracts: Path) -> Callable[[str], Any]:
    def read(name: str) -> Any:
        return json.loads((shared_contracts / "netsuite" / name).read_text(), parse_float=Decimal)

    return read


@pytest.fixture(scope="session")
def errors(sheets: Callable[[str], Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sheets("error-samples.json")["errors"]
    return found


@pytest.fixture(scope="session")
def live(sheets: Callable[[str], Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sheets("samples-live-gets-2026-03.json")["results"]
    return found


@pytest.fixture(scope="session")
def records(sheets: Callable[[str], Any]) -> dict[str, Any]:
    found: dict[str, Any] = sheets("samples-records-2020.json")["samples"]
    return found


@pytest.fixture(scope="session")
def printed(sheets: Callable[[str], Any]) -> dict[str, Any]:
    sheet = sheets("samples-vendor-docs.json")
    return {"requests": sheet["requests"]} | {entry["name"]: entry for entry in sheet["responses"]}


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    """The answer as it came; its encoding and length are this wire's own."""
    kept = {
        name: text
        for name, text in (headers or {}).items()
        if name.lower() not in ("content-length", "content-encoding", "transfer-encoding")
    }
    content = b"" if body is None else json.dumps(body, default=float).encode()
    return httpx.Response(status, content=content, headers=kept)


# --- errors ----------------------------------------------------------------------------------------------------------

OF_A_WRITE = {
    # index -> class, code, field
    0: (AuthExpired, None, None),
    1: (Rejected, "unknown_item", "item.items[0].item"),
    2: (NotFound, "not_found", "id"),
    3: (Rejected, "invalid_request", ""),
    4: (RateLimited, None, None),
    5: (RateLimited, None, None),
    6: (InDoubt, None, None),
    7: (InDoubt, None, None),
    8: (NotFound, "not_found", "id"),
    9: (NotFound, "not_found", "id"),
    10: (Rejected, "unknown_record_type", ""),
    11: (AlreadyExists, "already_exists", "externalId"),
}
OF_A_READ: dict[int, Any] = {
    0: AuthExpired,
    1: Rejected,
    2: None,
    3: Rejected,
    4: RateLimited,
    5: RateLimited,
    6: Retryable,
    7: InDoubt,
    8: None,
    9: None,
    10: Rejected,
    11: AlreadyExists,
}


def test_every_error_of_the_sheet_has_an_outcome(errors: list[dict[str, Any]]) -> None:
    assert len(errors) == len(OF_A_WRITE) == len(OF_A_READ) == 12


@pytest.mark.parametrize("index", OF_A_WRITE)
def test_an_error_of_a_write_has_its_class(
    errors: list[dict[str, Any]], client: Client, wire: respx.MockRouter, index: int
) -> None:
    error, code, field = OF_A_WRITE[index]
    said = errors[index]
    wire.post(f"{RECORDS}/salesOrder").mock(
        side_effect=lambda _: answer(said["http"], said["body"], said.get("headers"))
    )

    with pytest.raises(error) as raised:
        client.post("salesOrder", {})

    assert type(raised.value) is error
    assert (getattr(raised.value, "code", None), getattr(raised.value, "field", None)) == (code, field)
    for detail in said["body"]["o:errorDetails"]:
        assert detail["detail"] in str(raised.value)  # unchanged, for the operator


@pytest.mark.parametrize("index", OF_A_READ)
def test_an_error_of_a_read_has_its_class(
    errors: list[dict[str, Any]], client: Client, wire: respx.MockRouter, index: int
) -> None:
    error, said = OF_A_READ[index], errors[index]
    wire.get(f"{RECORDS}/salesOrder/7").mock(
        side_effect=lambda _: answer(said["http"], said["body"], said.get("headers"))
    )

    if error is None:
        assert client.get("salesOrder", "7") is None
    else:
        with pytest.raises(error) as raised:
            client.get("salesOrder", "7")
        assert type(raised.value) is error


# --- live, 2026-03 ---------------------------------------------------------------------------------------------------

LISTED = {
    # index -> rows, more, first id
    0: (5, True, "-3"),
    1: (5, True, "33985"),
    4: (5, True, "887470"),
    6: (5, True, "2225"),
    8: (5, True, "930935"),
    10: (5, True, "567931"),
    11: (5, True, "963237"),
    12: (5, True, "1"),
    13: (10, True, "1210"),
    14: (10, True, "2"),
    15: (9, False, "6"),
    16: (10, True, "-7"),
    17: (8, False, "3"),
    18: (10, True, "9"),
    19: (10, True, "30"),
    20: (5, False, "-3"),
}


def test_every_live_recording_has_an_outcome(live: list[dict[str, Any]]) -> None:
    assert sorted([*LISTED, 2, 3, 5, 7, 9, 21]) == list(range(22)) == list(range(len(live)))


@pytest.mark.parametrize("index", LISTED)
def test_a_recorded_page_is_read_whole(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter, index: int
) -> None:
    said = live[index]
    rows, more, first = LISTED[index]
    route = wire.post(SUITEQL).mock(
        side_effect=[answer(said["status"], said["response"], said["responseHeaders"]), page()]
    )

    found = list(client.suiteql(QUERY))

    assert len(found) == rows
    assert found[0].text("id") == first
    assert route.call_count == (2 if more else 1)


def test_a_recorded_query_leaves_null_columns_out(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter
) -> None:
    wire.post(SUITEQL).mock(return_value=answer(200, live[20]["response"]))

    found = list(client.suiteql(QUERY))

    assert [(row.text("id"), row.text("companyName")) for row in found[:3]] == [
        ("-3", None),
        ("8", "HMRC"),
        ("7", None),
    ]


@pytest.mark.parametrize("index", [2, 3])
def test_a_recorded_vendor_is_read(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter, index: int
) -> None:
    said = live[index]
    wire.get(f"{RECORDS}/vendor/134775").mock(
        return_value=answer(said["status"], said["response"], said["responseHeaders"])
    )

    vendor = client.get("vendor", "134775", expand=index == 3)

    assert vendor is not None
    assert vendor.text("id") == "134775"
    assert vendor.ref("currency") == Ref("1", "EUR")
    assert vendor.code("emailPreference") == "DEFAULT"
    assert vendor.flag("isinactive") is False
    assert vendor.amount("balance") == 0
    assert vendor.moment("lastModifiedDate") == datetime(2024, 4, 9, 10, 8, tzinfo=UTC)
    assert vendor.text("externalId") is None


def test_a_sublist_that_is_a_link_is_never_an_empty_one(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter
) -> None:
    wire.get(f"{RECORDS}/vendor/134775").mock(
        side_effect=[answer(200, live[2]["response"]), answer(200, live[3]["response"])]
    )

    linked, whole = client.get("vendor", "134775"), client.get("vendor", "134775", expand=True)

    assert linked is not None
    assert whole is not None
    with pytest.raises(Untranslatable, match="without expandSubResources"):
        linked.rows("currencyList")
    assert [row.text("currency") for row in whole.rows("currencyList")] == ["1", "4", "2"]


@pytest.mark.parametrize(("index", "record"), [(5, "vendorBill"), (7, "employee"), (9, "expenseReport")])
def test_a_recorded_miss_is_no_record(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter, index: int, record: str
) -> None:
    said = live[index]
    wire.get(f"{RECORDS}/{record}/999999").mock(
        return_value=answer(said["status"], said["response"], said["responseHeaders"])
    )

    assert client.get(record, "999999") is None


def test_a_record_type_that_is_not_served_is_named(
    live: list[dict[str, Any]], client: Client, wire: respx.MockRouter
) -> None:
    wire.get(f"{RECORDS}/file/1").mock(
        return_value=answer(live[21]["status"], live[21]["response"], live[21]["responseHeaders"])
    )

    with pytest.raises(Rejected, match="Record type 'file' does not exist") as raised:
        client.get("file", "1")

    assert raised.value.code == "unknown_record_type"


# --- recorded, 2020 --------------------------------------------------------------------------------------------------

READ: dict[str, tuple[str, str, Callable[[Fields], object], object]] = {
    # sample -> record, id, what is read, and what it is
    "customer": ("customer", "1137", lambda r: (r.flag("isInactive"), r.amount("depositBalance")), (False, 0)),
    "customer_deposit": (
        "customerDeposit",
        "2040",
        lambda r: (r.amount("payment"), r.code("status"), r.ref("postingPeriod"), r.day("tranDate")),
        (Decimal("5050.0"), "Not Deposited", Ref("42", "May 2020"), date(2020, 5, 8)),
    ),
    "check": (
        "check",
        "2144",
        lambda r: (
            r.amount("total"),
            r.day("tranDate"),
            [x.amount("amount") for x in r.rows("expense")],
            r.rows("item"),
        ),
        (Decimal("70.0"), date(2020, 5, 11), [Decimal("70.0")], []),
    ),
    "journal_entry": (
        "journalEntry",
        "6447",
        lambda r: [(x.whole("line"), x.ref("account"), x.amount("debit"), x.amount("credit")) for x in r.rows("line")],
        [
            (0, Ref("312", "1020 Cash on hand"), None, Decimal("17.0")),
            (1, Ref("1", "1050 FRB Corporate Checking"), Decimal("17.0"), None),
        ],
    ),
    "account": ("account", "417", lambda r: (r.text("acctNumber"), r.code("acctType")), ("1010", "Bank")),
    "currency": (
        "currency",
        "2",
        lambda r: (r.text("symbol"), r.whole("currencyPrecision"), r.amount("exchangeRate")),
        ("GBP", 2, Decimal("1.3037")),
    ),
    "location": ("location", "1137", lambda r: r.text("name"), "Example Co"),
    "subsidiary": (
        "subsidiary",
        "2",
        lambda r: (r.ref("currency"), (r.part("mainAddress") or r).text("zip")),
        (Ref("1", "USA"), "94105"),
    ),
    "department": ("department", "7", lambda r: r.text("name"), "Engineering"),
    "ledger_class": ("classification", "1", lambda r: r.text("name"), "Bank Services"),
}
SEARCHED = {
    "account_search": (2, "621"),
    "customer_search": (2, "309"),
    "customer_deposit_search": (2, "3"),
    "check_search": (2, "2144"),
    "vendor_search": (2, "238"),
    "department_search": (2, "101"),
    "subsidiary_search": (2, "2"),
    "ledger_class_search": (2, "1"),
}


def test_every_recording_of_2020_has_an_outcome(records: dict[str, Any]) -> None:
    assert sorted([*READ, *SEARCHED]) == sorted(records)


@pytest.mark.parametrize("name", READ)
def test_a_record_of_2020_is_read_by_the_names_of_today(
    records: dict[str, Any], client: Client, wire: respx.MockRouter, name: str
) -> None:
    record, id, reading, expected = READ[name]
    wire.get(f"{RECORDS}/{record}/{id}").mock(return_value=answer(200, records[name]))

    found = client.get(record, id)

    assert found is not None
    assert found.text("id") == id
    assert reading(found) == expected


@pytest.mark.parametrize("name", SEARCHED)
def test_a_page_of_2020_is_read_whole(
    records: dict[str, Any], client: Client, wire: respx.MockRouter, name: str
) -> None:
    rows, first = SEARCHED[name]
    wire.post(SUITEQL).mock(return_value=answer(200, records[name]))

    found = list(client.suiteql(QUERY))

    assert (len(found), found[0].text("id")) == (rows, first)


# --- printed by the vendor -------------------------------------------------------------------------------------------


def test_every_printed_answer_has_an_outcome(printed: dict[str, Any]) -> None:
    assert sorted(printed) == [
        "OAuth 2.0 client-credentials token",
        "SuiteQL page (numbers arrive as strings)",
        "asynchronous accepted",
        "asynchronous job pending",
        "inventory item availability (shortened by the vendor)",
        "requests",
        "sales order GET, release 2020 (trimmed to telling fields)",
        "update accepted",
    ]


def test_the_printed_token_is_used(printed: dict[str, Any], wire: respx.MockRouter) -> None:
    said = printed["OAuth 2.0 client-credentials token"]
    wire.post(TOKENS).mock(return_value=answer(said["http"], said["body"]))
    route = wire.get(f"{RECORDS}/customer/7").respond(json={"id": "7"})

    connected(Time()).get("customer", "7")

    assert route.calls.last.request.headers["authorization"] == "Bearer <JWT>"


def test_the_printed_page_is_read_by_its_total(printed: dict[str, Any], client: Client, wire: respx.MockRouter) -> None:
    said = printed["SuiteQL page (numbers arrive as strings)"]
    wire.post(SUITEQL).mock(side_effect=[answer(said["http"], said["body"]), page()])

    found = list(client.suiteql("SELECT email, COUNT(*) AS count FROM transaction GROUP BY email ORDER BY email"))

    assert [row.whole("count") for row in found] == [143, 144, 145]


def test_a_printed_acceptance_for_later_is_no_created_record(
    printed: dict[str, Any], client: Client, wire: respx.MockRouter
) -> None:
    said = printed["asynchronous accepted"]
    wire.post(f"{RECORDS}/account").mock(return_value=answer(said["http"], None, said["headers"]))

    with pytest.raises(InDoubt):
        client.post("account", {})


def test_a_printed_job_is_no_created_record(printed: dict[str, Any], client: Client, wire: respx.MockRouter) -> None:
    said = printed["asynchronous job pending"]
    wire.post(f"{RECORDS}/account").mock(return_value=answer(said["http"], said["body"]))

    with pytest.raises(InDoubt):
        client.post("account", {})


def test_a_printed_item_has_its_quantities(printed: dict[str, Any], client: Client, wire: respx.MockRouter) -> None:
    said = printed["inventory item availability (shortened by the vendor)"]
    wire.get(f"{SERVICES}{said['path'].split('?')[0]}").mock(return_value=answer(said["http"], said["body"]))

    item = client.get("inventoryItem", "705", expand=True)

    assert item is not None
    assert [item.whole(name) for name in ("quantityAvailable", "quantityCommitted", "quantityOnHand")] == [40, 0, 20]


def test_a_printed_order_of_2020_is_read(printed: dict[str, Any], client: Client, wire: respx.MockRouter) -> None:
    said = printed["sales order GET, release 2020 (trimmed to telling fields)"]
    wire.get(f"{SERVICES}{said['path']}").mock(return_value=answer(said["http"], said["body"]))

    order = client.get("salesOrder", "18")

    assert order is not None
    assert (order.code("orderStatus"), order.code("status"), order.code("customForm")) == ("A", "A", "68")
    assert (order.amount("total"), order.amount("taxTotal")) == (Decimal("39.95"), Decimal("0.0"))
    assert (order.day("tranDate"), order.text("currencySymbol")) == (date(2020, 7, 29), "USD")
    assert order.flag("webstore") is False
    with pytest.raises(Untranslatable):
        order.rows("item")
    with pytest.raises(Untranslatable):
        order.part("billingAddress")


def test_a_printed_update_tells_the_id(printed: dict[str, Any], client: Client, wire: respx.MockRouter) -> None:
    said = printed["update accepted"]
    wire.put(f"{RECORDS}/customer/eid:CID002").mock(return_value=answer(said["http"], None, said["headers"]))

    assert client.put_eid("customer", "CID002", {"firstName": "John", "lastName": "Smith"}) == "107"


def test_the_printed_upsert_is_what_the_client_sends(
    printed: dict[str, Any], client: Client, wire: respx.MockRouter
) -> None:
    said = next(entry for entry in printed["requests"] if entry["name"] == "upsert customer")
    route = wire.put(f"{SERVICES}{said['path']}").respond(204, headers={"location": f"{RECORDS}/customer/107"})

    client.put_eid("customer", "CID002", said["body"])

    assert json.loads(route.calls.last.request.content) == {"firstName": "John", "lastName": "Smith"}


def test_the_printed_query_is_what_the_client_sends(
    printed: dict[str, Any], client: Client, wire: respx.MockRouter
) -> None:
    said = next(entry for entry in printed["requests"] if entry["name"] == "SuiteQL with bound parameters")
    route = wire.post(SUITEQL).mock(return_value=page())

    list(client.suiteql("SELECT * FROM item WHERE id BETWEEN ? AND ? ORDER BY id", said["body"]["params"]))

    assert json.loads(route.calls.last.request.content)["params"] == ["-7", "0"]
    assert route.calls.last.request.headers["prefer"] == said["headers"]["Prefer"]
