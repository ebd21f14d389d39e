"""The web door without a channel that is live: what it refuses, and what it says of itself."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine

from hub.api import health
from hub.model.facts import Source
from hub.model.records import Received
from hub.rehearsal.bench_webhooks import Idle
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.testing.serving import served
from tests.hub.cli.shop import order


def test_a_channel_that_does_not_exist_is_not_found(client: httpx.Client) -> None:
    assert client.post("/webhooks/nobody", content=b"{}").status_code == 404


def test_a_delivery_larger_than_any_is_refused_before_it_is_read(client: httpx.Client) -> None:
    assert client.post("/webhooks/shopify", content=b"x" * (2 * 1024 * 1024 + 1)).status_code == 413


def test_it_says_what_it_needs_and_that_it_is_there(client: httpx.Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "hub store": "ok",
        "inbox": "ok",
        "erp ledger": "ok",
        "channel shopify": "ok",
        "disk": "ok",
        "target erp": "ok",
    }


def test_what_is_wrong_is_named_without_a_password(hub: Hub) -> None:
    """Anyone may ask this."""
    address = "postgresql+psycopg://hubuser:Zqxvhush@127.0.0.1:9/orders?connect_timeout=1"
    app = FastAPI()
    app.include_router(health.router(replace(hub, inbox=create_engine(address)), Idle()))

    with served(app) as served_at:
        answer = httpx.get(f"{served_at}/readyz")

    assert answer.status_code == 503
    assert [name for name, said in answer.json().items() if said != "ok"] == ["inbox"]
    assert "Zqxv" not in answer.text
    assert "hubuser" not in answer.text


def test_it_says_how_it_stands_and_looks_at_a_channel_when_asked(client: httpx.Client) -> None:
    status = client.get("/api/status").json()

    assert status["records"]["waiting"] == 0
    assert status["to_be_read_anew"] == {"shopify": 0}
    assert client.post("/api/channels/shopify/sync").status_code == 202
    assert client.post("/api/channels/nobody/sync").status_code == 404


def test_the_front_page_runs_no_script_and_loads_nothing(client: httpx.Client) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_what_a_channel_typed_is_text_on_the_front_page(hub: Hub, client: httpx.Client) -> None:
    """An order held for an SKU that is nowhere mapped: the SKU stands in the list of what needs a person."""
    sent = order(1001, sku="<script>alert(1)</script>{{ 7*191 }}")
    body = json.dumps(sent).encode()
    capture(
        hub, [Received("shopify", "r-1", "orders/updated", Source.WEBHOOK, body, datetime(2026, 11, 2, tzinfo=UTC))]
    )
    advance_all(hub)

    page = client.get("/").text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "1337" not in page


@pytest.mark.parametrize("run", ["..%2f..%2fhub.db", "2026-10-nothere", "%00"])
def test_a_run_that_is_not_there_is_not_found(client: httpx.Client, run: str) -> None:
    assert client.get(f"/runs/{run}").status_code == 404


def test_a_store_that_is_gone_is_named_without_its_address(client: httpx.Client, hub: Hub, tmp_path: Path) -> None:
    """The inbox's file becomes a folder: nothing in the words says where it is."""
    hub.inbox.dispose()
    for file in tmp_path.glob("inbox.db*"):
        file.unlink()
    (tmp_path / "inbox.db").mkdir()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["inbox"] == "it does not answer (OperationalError): see orderhub check"
    assert answer.json()["hub store"] == "ok"
    assert str(tmp_path) not in answer.text
