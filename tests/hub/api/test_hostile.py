"""What is no honest delivery: nothing is stored of it, nothing fails, nothing is told, no connection is kept."""

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from hub.api.app import create_app
from hub.api.listening import Bounded, configured
from hub.cli.door import now
from hub.settings import Settings, load_settings
from hub.steps.advance import advance_all
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.store.views import records
from hub.testing.serving import served
from hub.worker.jobs import Jobs
from tests.hub.api.conftest import Shown
from tests.hub.api.test_webhooks import DOMAIN, ORDER, PATH, SECRET, headers, stored

OTHER_SECRET = "hush-planted-too"
TRIES = 200


class Hasty(Bounded):
    HEAD_S = 0.4
    REST_S = 0.8


class Narrow(Bounded):
    CONNECTIONS_MAX = 2


def two_shops(home: Path) -> Settings:
    """Each with a secret of its own."""
    settings = load_settings(None, home, {"SHOPIFY_WEBHOOK_SECRET": SECRET})
    one = settings.channels[0].model_copy(update={"options": {"domain": DOMAIN}})
    changed = {"slug": "shopify-eu", "secrets": {"webhook": "OTHER"}, "options": {"domain": "eu-street.myshopify.com"}}
    values = {**settings.secret_values, "OTHER": SecretStr(OTHER_SECRET)}
    return settings.model_copy(update={"channels": (one, one.model_copy(update=changed)), "secret_values": values})


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with opened(two_shops(tmp_path), now) as hub:
        yield hub


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    app = create_app(hub, Jobs(hub))
    with served(app, configured(app, Hasty)) as address:
        yield address


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, str]]:
    """One that is served for all tests after which nothing is to be there."""
    with opened(two_shops(tmp_path_factory.mktemp("standing")), now) as hub:
        app = create_app(hub, Jobs(hub))
        with served(app, configured(app, Hasty)) as address:
            yield hub, address


@pytest.fixture
def raw(standing: tuple[Hub, str]) -> Iterator[socket.socket]:
    url = httpx.URL(standing[1])
    with socket.create_connection((url.host, url.port or 0), timeout=10) as made:
        yield made


@pytest.fixture
def untouched(standing: tuple[Hub, str]) -> Iterator[None]:
    """Nothing of what the test sends is in the inbox."""
    yield
    assert stored(standing[0]) == []


def answered(made: socket.socket) -> bytes:
    """All that the server says until it closes."""
    said = b""
    try:
        while chunk := made.recv(65_536):
            said += chunk
    except ConnectionResetError:
        pass
    return said


def trickled(made: socket.socket, drop: bytes, *, for_s: float) -> bool:
    """Whether the server closed the connection while a byte came now and then."""
    ends = time.monotonic() + for_s
    made.settimeout(0.1)
    while time.monotonic() < ends:
        try:
            made.sendall(drop)
            if made.recv(65_536) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_a_delivery_sealed_for_another_channel_is_kept_out(client: httpx.Client, hub: Hub) -> None:
    """With the other shop's own name on it, and with this one's."""
    theirs = headers(ORDER, OTHER_SECRET, **{"X-Shopify-Shop-Domain": "eu-street.myshopify.com"})

    assert client.post("/webhooks/shopify", content=ORDER, headers=theirs).status_code == 401
    assert client.post("/webhooks/shopify", content=ORDER, headers=headers(ORDER, OTHER_SECRET)).status_code == 401
    assert client.post("/webhooks/shopify-eu", content=ORDER, headers=headers(ORDER)).status_code == 401
    assert stored(hub) == []
    assert client.post("/webhooks/shopify-eu", content=ORDER, headers=theirs).status_code == 200


def test_a_seal_that_is_played_again_is_no_second_row(client: httpx.Client, hub: Hub) -> None:
    """The delivery's id is not under the seal: whoever changes it brings the same bytes once more."""
    first, again = (client.post(PATH, content=ORDER, headers=headers(ORDER)).text for _ in range(2))
    client.post(PATH, content=ORDER, headers=headers(ORDER, delivery="w-2"))

    assert (first, again) == ("stored\n", "stored before\n")
    assert set(stored(hub)) == {ORDER}
    assert len(stored(hub)) <= 2


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_packed_body_is_never_unpacked(client: httpx.Client, hub: Hub, coding: str) -> None:
    """100 MB of nothing in 100 kB: kept as it came where it is sealed, and parked when it is read."""
    nothing = bytes(100_000_000)
    packed = zlib.compress(nothing) if coding == "deflate" else gzip.compress(nothing)

    forged = client.post(PATH, content=packed, headers=headers(b"", **{"Content-Encoding": coding}))
    sealed = client.post(PATH, content=packed, headers=headers(packed, **{"Content-Encoding": coding}))
    advance_all(hub)

    assert (forged.status_code, sealed.status_code) == (401, 200)
    assert stored(hub) == [packed]
    assert [row.outcome for row in records.listed(hub.inbox)] == ["held"]


@pytest.mark.parametrize("body", [b"[" * 900_000, b'{"a":' * 300_000, b'{"id": 7, "note": ' + b"[" * 500_000], ids=len)
def test_json_deeper_than_any_is_parked(client: httpx.Client, hub: Hub, body: bytes) -> None:
    answer = client.post(PATH, content=body, headers=headers(body))
    advance_all(hub)

    assert answer.status_code == 200
    assert [row.outcome for row in records.listed(hub.inbox)] == ["held"]


@pytest.mark.parametrize("body", [b"[" * 400_000, b'{"a":' * 100_000, b"1" * 100_000, b"\xff", b"NaN"], ids=len)
def test_json_deeper_than_any_is_refused_by_the_api(client: httpx.Client, shown: Shown, body: bytes) -> None:
    sent = {"Authorization": shown(), "Content-Type": "application/json"}

    answer = client.put("/api/crosswalks/item", content=body, headers=sent)

    assert 400 <= answer.status_code < 500


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/..%2f..%2fapi%2fstatus", "/webhooks/%00", "/webhooks/shopify%00", "/webhooks//shopify",
        "//webhooks/shopify", "/webhooks/shopify/", "/webhooks/shop%C4%B1fy", "/webhooks/%ff%fe", "/webhooks/SHOPIFY",
        "/webhooks/shopify%2f..", "/webhooks/./shopify/../x", "/webhooks/shopify;a=b", "/webhooks/%2e%2e/",
    ],
)  # fmt: skip
def test_another_path_is_no_channels(raw: socket.socket, path: str) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers(ORDER).items())
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(ORDER)}\r\n{lines}\r\n"

    raw.sendall(head.encode() + ORDER)

    assert answered(raw).split()[1] in (b"404", b"405", b"307")


@pytest.mark.parametrize(
    "path",
    [
        "/api/orders/..%2f..%2fhub.db", "/api/orders/shopify%2f%00", "/api/orders?channel=%00",
        "/api/orders/%F0%9F%92%A9", "/api/orders/%ff", "/runs/%2e%2e%2fhub.db", f"/api/orders?limit={'9' * 5000}",
        f"/api/orders?channel={'x' * 20_000}", "/api/orders?" + "&".join(f"a{n}=1" for n in range(3000)),
    ],
    ids=lambda path: path[:40],
)  # fmt: skip
def test_a_path_or_query_of_the_api_is_refused_in_words(client: httpx.Client, shown: Shown, path: str) -> None:
    answer = client.get(path, headers={"Authorization": shown()})

    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert str(Path.cwd()) not in answer.text


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "Content-Length: 5, 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "X-Shopify-Topic: a\rX-Injected: b\r\n",
        "X-Shopify-Topic: a\0b\r\n",
        "X Shopify: a\r\n",
        ": a\r\n",
        f"X-Long: {'a' * 40_000}\r\n",
        "".join(f"X-{n}: a\r\n" for n in range(6000)),
    ],
    ids=lambda lines: repr(lines)[1:40],
)
def test_a_head_that_two_servers_would_read_otherwise_is_refused(raw: socket.socket, lines: str) -> None:
    raw.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{lines}\r\n12345".encode())

    said = answered(raw)

    assert said.startswith(b"HTTP/1.1 4")
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"X-Injected" not in said


def test_a_seal_with_signs_that_no_seal_has_is_forged(client: httpx.Client) -> None:
    for seal in ("\xff\xfe", "%s%n{0}", "=" * 5000, "☃".encode().decode("latin-1")):
        sent = [(k.encode(), v.encode("latin-1")) for k, v in headers(ORDER, **{"X-Shopify-Hmac-Sha256": seal}).items()]

        assert client.post(PATH, content=ORDER, headers=sent).status_code == 401


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        (b"", b"P"),
        (b"", b"\r\n"),
        (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Slow: ".encode(), b"a"),
        (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n".encode(), b"a"),
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n", b"a"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
        (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode(), b"1\r\na\r\n"),
    ],
    ids=["method", "empty lines", "head", "body", "body of what is answered", "behind an answer", "chunks"],
)
def test_a_sender_that_says_a_byte_now_and_then_loses_its_connection(
    raw: socket.socket, begun: bytes, drop: bytes
) -> None:
    raw.sendall(begun)

    assert trickled(raw, drop, for_s=5)


def test_a_sender_that_says_nothing_loses_its_connection(raw: socket.socket) -> None:
    assert answered(raw) == b""


def test_requests_of_one_connection_are_each_given_their_time(raw: socket.socket) -> None:
    for _ in range(4):
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        time.sleep(0.3)
    raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert answered(raw).count(b'{"status":"ok"}') == 9


def test_a_question_is_told_nothing_of_the_server(client: httpx.Client) -> None:
    assert "server" not in client.get("/healthz").headers
    assert json.loads(client.get("/nothing").text)["status"] == 404


def test_who_comes_when_every_connection_is_taken_is_told_when_to_come_again_and_the_others_are_served(
    hub: Hub,
) -> None:
    app = create_app(hub, Jobs(hub))
    with served(app, configured(app, Narrow)) as address, httpx.Client(base_url=address) as first:
        before = first.get("/healthz").status_code
        with httpx.Client(base_url=address) as second:
            second.get("/healthz")
            turned_away = httpx.post(f"{address}{PATH}", content=ORDER, headers=headers(ORDER))
            among = [first.get("/healthz").status_code, second.get("/healthz").status_code]
        for _ in range(TRIES):  # until the server has noticed that the second one is gone
            again = httpx.post(f"{address}{PATH}", content=ORDER, headers=headers(ORDER))
            if again.status_code != 503:
                break
        after = first.get("/healthz").status_code

    assert (before, among, after) == (200, [200, 200], 200)
    assert (turned_away.status_code, turned_away.headers["retry-after"]) == (503, "5")
    assert turned_away.headers["connection"] == "close"
    assert turned_away.json()["next"] == "retry"
    assert again.status_code == 200
