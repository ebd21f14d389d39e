"""The webhook door over a real socket: sealed deliveries are on disk before the answer, others leave no trace."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hub.api.app import create_app
from hub.cli.door import now
from hub.settings import load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.store.views import records
from hub.testing.serving import served
from hub.worker.jobs import Jobs

SECRET = "hush-planted"
DOMAIN = "main-street.myshopify.com"
PATH = "/webhooks/shopify"
ORDER = json.dumps({"id": 7, "note": "grüße"}, ensure_ascii=False).encode()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = load_settings(None, tmp_path, {"SHOPIFY_WEBHOOK_SECRET": SECRET})
    channel = settings.channels[0].model_copy(update={"options": {"domain": DOMAIN}})
    with opened(settings.model_copy(update={"channels": (channel,)}), now) as hub:
        yield hub


@pytest.fixture
def client(hub: Hub) -> Iterator[httpx.Client]:
    with served(create_app(hub, Jobs(hub))) as address, httpx.Client(base_url=address) as client:
        yield client


def headers(body: bytes, secret: str = SECRET, delivery: str = "w-1", **changed: str) -> dict[str, str]:
    seal = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    plain = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Webhook-Id": delivery,
        "X-Shopify-Hmac-Sha256": seal,
        "X-Shopify-Triggered-At": "2026-11-01T12:00:00Z",
        "Content-Type": "application/json",
    }
    return plain | changed


def stored(hub: Hub) -> list[bytes]:
    found = [records.find(hub.inbox, row.id) for row in records.listed(hub.inbox)]
    return [one.body for one in found if one is not None]


def test_a_sealed_delivery_is_on_disk_when_it_is_answered(client: httpx.Client, hub: Hub) -> None:
    answer = client.post(PATH, content=ORDER, headers=headers(ORDER))

    assert answer.status_code == 200
    assert stored(hub) == [ORDER]


def test_a_delivery_that_comes_again_at_once_is_one_row_and_answered_alike(client: httpx.Client, hub: Hub) -> None:
    def send(_: int) -> int:
        return client.post(PATH, content=ORDER, headers=headers(ORDER)).status_code

    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(send, range(16)))

    assert answered == [200] * 16
    assert stored(hub) == [ORDER]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (ORDER + b" ", headers(ORDER)),
        (ORDER, headers(ORDER, "another secret")),
        (ORDER, {name: value for name, value in headers(ORDER).items() if "Hmac" not in name}),
        (ORDER, headers(ORDER, **{"X-Shopify-Shop-Domain": "other.myshopify.com"})),
        (b"", headers(ORDER)),
    ],
    ids=["one byte more", "another secret", "no seal", "another shop", "nothing"],
)
def test_a_delivery_without_a_good_seal_is_kept_out(
    client: httpx.Client, hub: Hub, body: bytes, sent: dict[str, str]
) -> None:
    answer = client.post(PATH, content=body, headers=sent)

    assert answer.status_code == 401
    assert SECRET not in answer.text
    assert stored(hub) == []


def test_what_cannot_be_stored_is_not_acknowledged(client: httpx.Client, hub: Hub) -> None:
    """The inbox takes nothing: the shop is told to try again."""
    with hub.inbox.connect() as connection:
        connection.exec_driver_sql("DROP TABLE record")
        connection.commit()

    answer = client.post(PATH, content=ORDER, headers=headers(ORDER))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_only_a_post_delivers(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 405


def test_a_body_that_does_not_come_in_time_is_408_and_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, client: httpx.Client, hub: Hub
) -> None:
    monkeypatch.setattr("hub.api.webhooks.BODY_S", 0.1)

    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10) as slow:
        slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nthe first".encode())
        answer = slow.recv(4096)

    assert answer.startswith(b"HTTP/1.1 408")
    assert stored(hub) == []


def test_a_store_that_another_holds_is_503_in_time(
    monkeypatch: pytest.MonkeyPatch, client: httpx.Client, hub: Hub
) -> None:
    """Another connection writes and does not end: the shop is told to try again before it hangs up."""
    monkeypatch.setattr("hub.api.webhooks.ANSWER_S", 0.2)

    with hub.inbox.connect().execution_options(writes=True) as other, other.begin():
        answer = client.post(PATH, content=ORDER, headers=headers(ORDER))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.elapsed.total_seconds() < 3
