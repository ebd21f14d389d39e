"""A live connector over a mocked wire: its configuration, its clock, and the answers of a shop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.shopify import PLUGIN
from connectors.shopify.live import LiveShop
from hub.errors import Misconfigured
from hub.ports import ChannelConfig

ADDRESS = "https://main-street.myshopify.com"
GRAPHQL = f"{ADDRESS}/admin/api/2026-10/graphql.json"
TOKENS = f"{ADDRESS}/admin/oauth/access_token"
SECRETS = {
    "token": "shpat_planted",
    "client_id": "app-7",
    "client_secret": "shpss_planted",
    "refresh_token": "shprt_planted",
    "webhook": "hush_planted",
}


class Time:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.waits: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.now += timedelta(seconds=seconds)


class MemoryVault:
    """What was put, and in which order things happened to it."""

    def __init__(self) -> None:
        self.held: dict[str, SecretStr] = {}
        self.turns = 0

    def get(self, name: str) -> SecretStr | None:
        return self.held.get(name)

    def put(self, name: str, content: SecretStr) -> None:
        assert self.turns == 1, "only who has its turn may renew"
        self.held[name] = content

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        self.turns += 1
        assert self.turns == 1, "one at a time"
        try:
            yield
        finally:
            self.turns -= 1


def connected(
    time: Time,
    *,
    secrets: Mapping[str, str] = SECRETS,
    vault: MemoryVault | None = None,
    address: str = ADDRESS,
    is_told: bool = False,
    **options: Any,
) -> LiveShop:
    """The connector of one shop."""

    def secret(name: str) -> SecretStr:
        if name not in secrets:
            raise Misconfigured(f"no {name}")
        return SecretStr(secrets[name])

    config = ChannelConfig(
        "shopify-us",
        "main",
        "USD",
        "America/New_York",
        address=address,
        options=options,
        is_told=is_told,
        secrets=secret,
        clock=time.clock,
        sleep=time.sleep,
        vault=vault,
    )
    live = PLUGIN.connect(config)
    assert isinstance(live, LiveShop)
    return live


def answered(
    data: Any = None,
    *,
    errors: list[dict[str, Any]] | None = None,
    asked: int = 10,
    available: int = 1990,
    restored_per_s: int = 100,
    version: str = "2026-10",
) -> httpx.Response:
    """An answer of the GraphQL route, as the shop writes it."""
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": float(restored_per_s)}
    body: dict[str, Any] = {
        "extensions": {"cost": {"requestedQueryCost": asked, "actualQueryCost": asked, "throttleStatus": status}}
    }
    if data is not None:
        body["data"] = data
    if errors is not None:
        body["errors"] = errors
    return httpx.Response(200, json=body, headers={"X-Shopify-API-Version": version})


def failed(code: str, message: str = "No") -> list[dict[str, Any]]:
    """The `errors` of an answer with one of that code."""
    return [{"message": message, "path": ["orders"], "extensions": {"code": code}}]


LAST = {"hasNextPage": False, "endCursor": None}
NO_MORE: dict[str, Any] = {"nodes": [], "pageInfo": LAST}


def money(amount: str) -> dict[str, Any]:
    side = {"amount": amount, "currencyCode": "USD"}
    return {"shopMoney": side, "presentmentMoney": side}


def line(number: int) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "title": "Lantern",
        "name": "Lantern",
        "sku": "LANTERN",
        "quantity": 1,
        "currentQuantity": 1,
        "isGiftCard": False,
        "requiresShipping": True,
        "variant": None,
        "product": None,
        "lineItemGroup": None,
        "originalUnitPriceSet": money("2.0"),
        "totalDiscountSet": money("0.0"),
        "discountAllocations": [],
        "taxLines": [],
        "duties": [],
    }


def order_node(number: int, *lines: dict[str, Any], updated: str = "2026-11-01T10:00:00Z", **more: Any) -> Any:
    """An order as the document asks for it."""
    total = f"{2 * len(lines)}.0"
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "createdAt": "2026-11-01T09:00:00Z",
        "processedAt": "2026-11-01T09:00:00Z",
        "updatedAt": updated,
        "test": False,
        "currencyCode": "USD",
        "presentmentCurrencyCode": "USD",
        "taxesIncluded": False,
        "totalPriceSet": money(total),
        "currentTotalPriceSet": money(total),
        "totalDiscountsSet": money("0.0"),
        "totalTaxSet": money("0.0"),
        "totalTipReceivedSet": money("0.0"),
        "taxLines": [],
        "transactions": [],
        "lineItems": {"nodes": list(lines), "pageInfo": LAST},
        "shippingLines": NO_MORE,
        "discountApplications": NO_MORE,
        "refunds": [],
        "fulfillments": [],
        "returns": NO_MORE,
        "fulfillmentOrders": NO_MORE,
        **more,
    }


def stamp(number: int, updated: str = "2026-11-01T10:00:00Z") -> dict[str, Any]:
    return {"id": f"gid://shopify/Order/{number}", "updatedAt": updated}
