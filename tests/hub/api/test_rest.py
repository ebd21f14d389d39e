"""The REST API beside the command line: the same answers, page by page, and of a channel that channel's alone."""

import base64
import json

import httpx
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.model.access import Role
from hub.steps.hub import Hub
from tests.hub.api.conftest import Shown


def said(hub: Hub, *words: str) -> object:
    """What the command line answers."""
    result = CliRunner().invoke(app, [*words, "--home", str(hub.settings.home), "--format", "json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_orders_come_page_by_page_and_none_twice(client: httpx.Client, with_orders: Hub) -> None:
    pages, cursor = [], None
    while True:
        answer = client.get("/api/orders", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        pages.append(answer["orders"])
        if (cursor := answer["next"]) is None:
            break

    listed = [row for page in pages for row in page]
    assert len(pages) > 2
    assert {len(page) for page in pages[:-1]} == {3}
    assert {"orders": listed} == said(with_orders, "orders", "list")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/exceptions", ["exceptions", "list"]),
        ("/api/ledger/trial-balance", ["ledger", "trial-balance"]),
        ("/api/ledger/expected", ["ledger", "expected"]),
        ("/api/ledger/accounts", ["ledger", "accounts"]),
    ],
)
def test_it_says_what_the_command_line_says(
    client: httpx.Client, with_orders: Hub, path: str, words: list[str]
) -> None:
    assert client.get(path).json() == said(with_orders, *words)


def test_one_order_and_its_timeline_are_the_command_lines(client: httpx.Client, with_orders: Hub) -> None:
    order = client.get("/api/orders?limit=1").json()["orders"][0]
    path = f"/api/orders/{order['channel']}/{order['order']}"

    shown, timeline = client.get(path).json(), client.get(f"{path}/timeline").json()

    assert shown == said(with_orders, "orders", "show", order["order"])
    assert timeline == said(with_orders, "orders", "timeline", order["order"])


def test_what_is_not_there_is_not_found_and_says_where_to_look(client: httpx.Client) -> None:
    answer = client.get("/api/orders/shopify/none-such")

    assert answer.status_code == 404
    assert "orderhub orders list" in answer.json()["detail"]


def test_a_word_is_mapped_in_the_name_of_the_token(client: httpx.Client, with_orders: Hub) -> None:
    body = {"source": "SIGNED-SKU", "target": "LAMP-HEAD-350", "unlisted": True}

    answer = client.post("/api/crosswalks/item", json=body)

    assert answer.status_code == 200
    assert answer.json()["set"][0]["source"] == "SIGNED-SKU"
    assert client.get("/api/crosswalks/history").json()["history"][0]["set_by"] == "admin"


def test_a_dry_run_sets_nothing(client: httpx.Client, with_orders: Hub) -> None:
    body = {"source": "DRY-SKU", "target": "LAMP-HEAD-350", "unlisted": True, "dry_run": True}

    answer = client.post("/api/crosswalks/item", json=body)

    assert answer.json()["changed"] == 0
    assert client.get("/api/crosswalks/history").json()["history"] == []


def test_a_month_is_reconciled_read_again_and_signed(client: httpx.Client, address: str, shown: Shown) -> None:
    finance = {"Authorization": shown(Role.FINANCE)}

    made = client.post("/api/reconciliations", json={"period": "2026-09"}, headers=finance).json()
    unsigned = client.post(f"/api/reconciliations/{made['run']}/sign", json={}, headers=finance)
    signed = client.post(f"/api/reconciliations/{made['run']}/sign", json={"note": "nothing sold"}, headers=finance)

    assert client.get("/api/reconciliations").json()["runs"] == [made["run"]]
    assert client.get(f"/api/reconciliations/{made['run']}").json()["digest"] == made["digest"]
    assert unsigned.status_code == 409
    assert (signed.status_code, signed.json()["by"]) == (201, "finance")


def test_a_period_is_closed_and_opened(client: httpx.Client) -> None:
    assert client.post("/api/ledger/close", json={"period": "2026-09"}).json()["closed"] is True
    assert client.post("/api/ledger/open", json={"period": "2026-09"}).json()["closed"] is False


@pytest.mark.parametrize("path", ["/api/orders", "/api/exceptions", "/api/crosswalks", "/api/crosswalks/history"])
def test_a_token_of_a_channel_sees_that_channel_alone(
    client: httpx.Client, with_orders: Hub, shown: Shown, path: str
) -> None:
    """The token's channel is made another one after the fact: nothing of shopify is in its answers."""
    own = {"Authorization": shown(Role.VIEWER, "shopify")}
    with with_orders.writing() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE api_token SET channel = 'other' WHERE channel = 'shopify'")

    [rows] = [value for value in client.get(path, headers=own).json().values() if isinstance(value, list)]

    assert [row for row in rows if row.get("channel") == "shopify"] == []
    assert rows == [] or path.startswith("/api/crosswalks")


@pytest.mark.parametrize(
    "cursor",
    ["x", "e30=", base64.b64encode(b'["\\u0000","a","b"]').decode(), base64.b64encode(b"[-1]").decode(), "W" * 999],
)
@pytest.mark.parametrize("path", ["/api/orders", "/api/crosswalks", "/api/ledger/journal"])
def test_a_cursor_that_nobody_gave_is_refused(client: httpx.Client, path: str, cursor: str) -> None:
    assert client.get(path, params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"fingerprint": "\\ud800"}', b'{"fingerprint": "\\u0000"}', b"[" * 100_000,
     b'{"fingerprint": "x", "by": "ceo"}', b'{"fingerprint": ' + b"9" * 10_000 + b"}"],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_named_and_never_repeated(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/api/exceptions/resolve", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ceo" not in answer.text
