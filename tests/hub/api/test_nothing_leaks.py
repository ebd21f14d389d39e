"""A secret and a customer, planted on every road in: no log line, no metric, no error and no exception names them."""

import base64
import hashlib
import hmac
import io
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.api.app import create_app
from hub.cli.door import now
from hub.errors import Rejected, Retryable
from hub.logs import ROOTS, log_to
from hub.model.access import Role
from hub.model.intents import Outcome, Write
from hub.ports import ErpConfig, Page, put_each
from hub.settings import load_settings
from hub.steps.advance import advance_all
from hub.steps.erp_changes import pull_erp
from hub.steps.hub import Hub, open_hub
from hub.steps.send import send
from hub.store.schema import exception, target
from hub.store.targets import BREAKER_FAILURES
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.hub.api.conftest import Shown
from tests.hub.steps.conftest import plain_story

MARK = "Zqxv"
SECRET = f"hush{MARK}secret"
PERSON = {
    "first_name": f"{MARK}first",
    "last_name": f"{MARK}last",
    "name": f"{MARK}first {MARK}last",
    "address1": f"{MARK} street 1",
    "city": f"{MARK} city",
    "zip": f"{MARK}zip",
    "phone": f"+1{MARK}",
    "country_code": "US",
}


class Talkative(LedgerSimulator):
    """An ERP that repeats in its refusals what it was told, and then falls over with it in its mouth."""

    falls = False

    def changes(self, since: str | None) -> Iterator[Page]:
        raise Rejected(f"erp: 422: {MARK}first <{MARK}@example.com>", code="bad", field="since", remedy="ask for less")

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        if self.falls:
            fault = Retryable(f"erp: 500: cannot save {MARK}first {MARK}last <{MARK}@example.com>")
            raise fault
        return put_each(self._refuse, writes)

    def _refuse(self, write: Write) -> Outcome:
        said = " ".join(party.name or "" for party in write.parties) or f"{write.document.key}"
        raise Rejected(f"erp: 400: {said}", code="bad_name", field="entity", remedy=f"no customer called {said}")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    levels = {name: logging.getLogger(name).level for name in ROOTS}
    log_to(handler, as_json=True, level=logging.DEBUG)
    yield out
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = load_settings(None, tmp_path, {"SHOPIFY_WEBHOOK_SECRET": SECRET})

    def talkative(config: ErpConfig) -> Any:
        return Talkative(config, now)

    hub = open_hub(settings, now, talkative)
    yield hub
    hub.store.dispose()
    hub.inbox.dispose()
    if "erp" in vars(hub):
        hub.erp.close_connections()


def sealed(body: bytes, delivery: str) -> dict[str, str]:
    seal = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "main-street.myshopify.com",
        "X-Shopify-Webhook-Id": delivery,
        "X-Shopify-Hmac-Sha256": seal,
    }


def planted(**changed: Any) -> bytes:
    order = {**plain_story().final, "email": f"{MARK}@example.com", "note": f"for {MARK}", **changed}
    order |= {"billing_address": PERSON, "shipping_address": PERSON}
    order["customer"] = {**(order.get("customer") or {}), **{k: PERSON[k] for k in ("first_name", "last_name")}}
    return json.dumps(order).encode()


def test_nothing_planted_is_seen_outside_the_stores(hub: Hub, lines: io.StringIO, shown: Shown) -> None:
    good, illegible = planted(), planted(id=77, total_price=f"{MARK} dollars", created_at=f"{MARK}@example.com")
    said: list[str] = []
    reads = {"Authorization": shown(Role.ADMIN)}
    with served(create_app(hub, _Quiet(hub))) as address, httpx.Client(base_url=address, headers=reads) as client:
        for body, headers in (
            (good, sealed(good, "w-1")),
            (illegible, sealed(illegible, "w-2")),
            (good, sealed(good, f"{MARK}@example.com w-3")),
            (good, {**sealed(good, "w-4"), "X-Shopify-Hmac-Sha256": SECRET}),
        ):
            said.append(client.post("/webhooks/shopify", content=body, headers=headers).text)
        said.append(client.post(f"/webhooks/{MARK}", content=good).text)
        said.append(client.get(f"/{SECRET}?token={SECRET}", headers={"Authorization": f"Bearer {SECRET}"}).text)
        advance_all(hub)
        send(hub)
        vars(hub)["erp"].falls = True
        with hub.writing() as connection, connection.begin():
            connection.exec_driver_sql("UPDATE step SET state = 'planned', next_attempt_at = NULL")
        send(hub)
        said += [client.get(path).text for path in ("/metrics", "/readyz", "/healthz", "/api/status")]
        with hub.store.connect() as connection:
            connection.exec_driver_sql("DROP TABLE step")
            connection.commit()
        said += [client.get(path).text for path in ("/metrics", "/readyz")]

    events = {json.loads(line)["event"] for line in lines.getvalue().splitlines()}
    assert {"webhook.forged", "capture.stored", "advance.record", "send.rejected"} <= events
    assert MARK not in lines.getvalue()
    assert [text for text in said if MARK in text] == []


def test_what_the_erp_repeats_is_hidden_among_the_exceptions(hub: Hub) -> None:
    good = planted()
    with served(create_app(hub, _Quiet(hub))) as address, httpx.Client(base_url=address) as client:
        client.post("/webhooks/shopify", content=good, headers=sealed(good, "w-1"))
        advance_all(hub)
        send(hub)

    with hub.store.connect() as connection:
        rows = connection.execute(exception.select()).all()
        paused = connection.execute(target.select()).all()
    assert any(row.code == "rejected" for row in rows)
    assert MARK not in str(rows) + str(paused)


def test_what_a_far_side_says_as_it_fails_is_neither_its_reason_to_pause_nor_the_channels_exception(
    hub: Hub, shown: Shown
) -> None:
    """An ERP that falls over with a customer in its mouth, and a stream of it that fails with one."""
    good = planted()
    with served(create_app(hub, _Quiet(hub))) as address, httpx.Client(base_url=address) as client:
        client.post("/webhooks/shopify", content=good, headers=sealed(good, "w-1"))
        advance_all(hub)
        hub.erp.falls = True
        for _ in range(BREAKER_FAILURES + 1):
            with hub.writing() as connection, connection.begin():
                connection.exec_driver_sql("UPDATE step SET next_attempt_at = NULL")
            send(hub)
        with pytest.raises(Rejected):
            pull_erp(hub)
        status = client.get("/api/status", headers={"Authorization": shown(Role.VIEWER)}).json()

    with hub.store.connect() as connection:
        [paused] = connection.execute(target.select()).all()
        failing = connection.execute(exception.select().where(exception.c.code == "channel_failing")).all()
    assert (paused.pause, paused.reason) == ("breaker", "Retryable")
    assert status["targets"][0]["reason"] == "Retryable"
    assert [(one.message, one.remedy) for one in failing] == [("pull changes: Rejected code bad", "ask for less")]
    assert MARK not in str(paused) + str(failing) + str(status)


class _Quiet(Jobs):
    """No job runs by itself: the test says when."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, name: str) -> None: ...
