"""A simulated NetSuite account, for tests and rehearsals: in process behind httpx, or on a socket of this machine."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from erp_adapters.netsuite.account import command
from erp_adapters.netsuite.account import seed as seeding
from erp_adapters.netsuite.account.auth import Credentials, Role
from erp_adapters.netsuite.account.backstage import Backstage
from erp_adapters.netsuite.account.bench import NetSuiteBench
from erp_adapters.netsuite.account.faults import ConnectionLost
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.server import Server
from erp_adapters.netsuite.account.world import Switches, World
from hub.testing.conformance.bench import Fault

CERTIFICATE_ID: Final = "orderhub-certificate-1"
LATE_S_MAX: Final = 2
SEARCH_LAG_S: Final = 2
PLACES: Final = 5  # of requests at once, as the smallest accounts have
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


def rehearsed(seed: int) -> dict[str, Any]:
    """What a rehearsal of this seed needs: the process's arguments, its faults, and what a hub is told of the account.

    A request that nobody waits for any more is done within seconds here, and so soon absent is believed to be absent.
    """
    return {
        "arguments": ["--seed", str(seed), "--late-s", "1", str(LATE_S_MAX)],
        "faults": {
            "preset": "mild",
            "rates": {Fault.LATE_COMMIT: 4, Fault.TOKEN_EXPIRED: 1},
            "search_lag_s": SEARCH_LAG_S,
        },
        "erp": {
            "slug": "netsuite",
            "system": "netsuite",
            "settle_s": LATE_S_MAX + 1,
            "slots": 15,
            "options": {**seeding.OPTIONS, "requests": 15},
            "secrets": {name: f"ORDERHUB_DEMO_ERP_{name.upper()}" for name in _secrets(seed)},
        },
        "policies": {"returned_goods": "revenue"},  # an item that comes back is credited to its own income account
        "environment": {f"ORDERHUB_DEMO_ERP_{name.upper()}": said for name, said in _secrets(seed).items()},
    }


def _secrets(seed: int) -> dict[str, str]:
    return {
        "client_id": Credentials().client_id,
        "certificate_id": CERTIFICATE_ID,
        "private_key": private_key(seed),
    }


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
    server = Server(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="netsuite", daemon=True)
    app.base_url = server.url
    thread.start()
    try:
        yield app.base_url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        app.base_url = before


def _key(seed: int) -> ec.EllipticCurvePrivateKey:
    """A key drawn from the seed: of this account and no other, and the same in every run."""
    number = random.Random(f"netsuite/key/{seed}").randrange(1, _P256_ORDER)  # noqa: S311  a simulator's key
    return ec.derive_private_key(number, ec.SECP256R1())


def _public(seed: int) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key(seed).public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


def backstage(clock: Callable[[], datetime], seed: int, *, unique_keys: bool = True) -> Backstage:
    """The account that `rehearsed` tells a hub of, for a rehearsal in the same process.

    Args:
        unique_keys: whether it refuses an external id that it has already.
    """
    return Backstage(
        _served_alone(clock, seed, None, Switches(unique_external_ids=unique_keys, concurrency_limit=PLACES))
    )


def _served_alone(
    clock: Callable[[], datetime],
    seed: int,
    pause: Callable[[float], None] | None,
    switches: Switches | None = None,
) -> App:
    app = opened(clock, seed, pause=pause, switches=switches)
    seeding.charge_item(app.world, "GOODS-CREDITED", "4000")
    return app


BENCH: Final = NetSuiteBench(opened, served, private_key)

if __name__ == "__main__":
    command.run(_served_alone)
