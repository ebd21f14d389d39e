"""An adapter over a mocked wire: its configuration, its clock, keys made for the test, and NetSuite's answers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.options import options_of
from hub.errors import Misconfigured
from hub.ports import EntityConfig, ErpConfig

ADDRESS = "https://1234567-sb1.suitetalk.api.netsuite.com"
SERVICES = f"{ADDRESS}/services/rest"
TOKENS = f"{SERVICES}/auth/oauth2/v1/token"
RECORDS = f"{SERVICES}/record/v1"
SUITEQL = f"{SERVICES}/query/v1/suiteql"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Time:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = NOW
        self.waits: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.now += timedelta(seconds=seconds)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def secrets() -> dict[str, str]:
    """What a hub would be given, for either way in."""
    return {
        "client_id": "planted-client",
        "certificate_id": "planted-certificate",
        "private_key": pem(ec_key()),
        "consumer_key": "planted-consumer",
        "consumer_secret": "planted-consumer-secret",
        "token_id": "planted-token",
        "token_secret": "planted-token-secret",
    }


def configured(
    time: Time, *, given: Mapping[str, str] | None = None, address: str | None = ADDRESS, **options: Any
) -> ErpConfig:
    held = secrets() if given is None else given

    def secret(name: str) -> SecretStr:
        if name not in held:
            raise Misconfigured(f"no {name}")
        return SecretStr(held[name])

    return ErpConfig(
        slug="books",
        database_url="sqlite://",
        entities=(EntityConfig("main", "USD", "America/New_York"),),
        chart={},
        policies={},
        address=address,
        options={"account": "1234567_SB1", **options},
        secrets=secret,
        clock=time.clock,
        sleep=time.sleep,
    )


def client_of(config: ErpConfig) -> Client:
    numbers = count(1)
    return Client(config, options_of(config), nonce=lambda: f"nonce{next(numbers)}")


def connected(time: Time, **given: Any) -> Client:
    return client_of(configured(time, **given))


def token(text: str = "bearer-1", **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"access_token": text, "expires_in": 3600, "token_type": "Bearer", **more})


def created(record: str, id: int) -> httpx.Response:
    return httpx.Response(204, headers={"location": f"{RECORDS}/{record}/{id}"})


def refused(status: int, code: str, detail: str, path: str | None = None) -> httpx.Response:
    entry = {"detail": detail, "o:errorCode": code} | ({"o:errorPath": path} if path else {})
    return httpx.Response(status, json={"title": "Bad Request", "status": status, "o:errorDetails": [entry]})


def page(*rows: dict[str, Any], more: bool = False, offset: int = 0, total: int | None = None) -> httpx.Response:
    items = [{"links": [], **row} for row in rows]
    total = len(items) if total is None else total
    return httpx.Response(
        200, json={"count": len(items), "hasMore": more, "items": items, "offset": offset, "totalResults": total}
    )
