"""A simulated NetSuite account, for tests and rehearsals: in process behind httpx, or on a socket of this machine."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from erp_adapters.netsuite.account import seed as seeding
from erp_adapters.netsuite.account.auth import Credentials, Role
from erp_adapters.netsuite.account.bench import NetSuiteBench
from erp_adapters.netsuite.account.faults import ConnectionLost
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.world import Switches, World

CERTIFICATE_ID: Final = "orderhub-certificate-1"
BODY_BYTES_MAX: Final = 104_000_000
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def opened(
    clock: Callable[[], datetime],
    seed: int = 1,
    *,
    account: str = "1234567_SB1",
    switches: Switches | None = None,
    role: Role | None = None,
    search_lag_s: int = 0,
    pause: Callable[[float], None] | None = None,
    **company: Any,
) -> App:
    """An account with a company in it, whose integration has the key that `private_key` gives for this seed.

    Args:
        clock: the account's time.
        pause: what a request waits with while it is under way; none: it does not wait.
        company: what `seed.company` takes.
    """
    world = World(clock, random.Random(f"netsuite/{seed}"), account=account, switches=switches)  # noqa: S311  seeded
    seeding.company(world, **company)
    if search_lag_s:
        world.lag(search_lag_s)
    credentials = replace(Credentials(), certificates={CERTIFICATE_ID: _public(seed)})
    return App(world, credentials=credentials, role=role, pause=pause)


def private_key(seed: int = 1) -> str:
    """The PEM of the private key whose certificate the account of this seed holds (ES256)."""
    return (
        _key(seed)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


class Transport(httpx.BaseTransport):
    """The account in process: what httpx would meet on the wire."""

    def __init__(self, app: App) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        try:
            answer = self.app.handle(request.method, path, query, dict(request.headers), request.read())
        except ConnectionLost:
            raise httpx.ReadError("the connection ended without an answer", request=request) from None
        if answer.cut_at is not None:
            raise httpx.RemoteProtocolError("the connection ended within the answer", request=request)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)


@contextmanager
def served(app: App) -> Iterator[str]:
    """The account's address on a loopback socket, for the time of a block; links and signatures go by it."""
    before = app.base_url

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True  # headers and body go in two parts: the second would wait 40 ms for the first

        def answer(self) -> None:
            _answer(app, self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="netsuite", daemon=True)
    app.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread.start()
    try:
        yield app.base_url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        app.base_url = before


def _answer(app: App, handler: BaseHTTPRequestHandler) -> None:
    path, _, query = handler.path.partition("?")
    length = int(handler.headers.get("Content-Length") or 0)
    if length > BODY_BYTES_MAX:
        handler.close_connection = True
        return
    body = handler.rfile.read(length)
    try:
        answer = app.handle(handler.command, path, query, dict(handler.headers.items()), body)
    except ConnectionLost:
        _hang_up(handler)
        return
    handler.send_response_only(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.status != 204:
        handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    if answer.cut_at is not None:
        handler.wfile.write(answer.body[: answer.cut_at])
        handler.wfile.flush()
        _hang_up(handler)
    elif answer.status != 204:
        handler.wfile.write(answer.body)


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def _key(seed: int) -> ec.EllipticCurvePrivateKey:
    """A key drawn from the seed: of this account and no other, and the same in every run."""
    number = random.Random(f"netsuite/key/{seed}").randrange(1, _P256_ORDER)  # noqa: S311  a simulator's key
    return ec.derive_private_key(number, ec.SECP256R1())


def _public(seed: int) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key(seed).public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


BENCH: Final = NetSuiteBench(opened, served, private_key)
