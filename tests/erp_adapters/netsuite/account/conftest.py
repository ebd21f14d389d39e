"""An account with a company in it, at a time that moves when it is told to, and a plain caller."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.service import Response
from erp_adapters.netsuite.account.world import Rec, World


class Time:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Caller:
    """Calls the record service with a token that is good."""

    def __init__(self, app: App) -> None:
        self.app, self.world = app, app.world
        self.app.auth.tokens["good"] = datetime(2030, 1, 1, tzinfo=UTC)

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, query: str = ""
    ) -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": "Bearer good", "Content-Type": "application/json", **(headers or {})}
        return self.app.handle(method, f"/services/rest{path}", query, sent, content)

    def made(self, path: str, body: Any) -> str:
        """The internal id of what was made."""
        answer = self.call("POST", f"/record/v1/{path}", body)
        assert (answer.status, answer.body) == (204, b""), answer.body
        return answer.headers["Location"].rsplit("/", 1)[-1]

    def seen(self, path: str, query: str = "expandSubResources=true") -> Any:
        answer = self.call("GET", f"/record/v1/{path}", query=query)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, str]:
        """Status, code and detail of a refusal."""
        answer = self.call(method, path, body, **more)
        document = json.loads(answer.body)
        (detail,) = document["o:errorDetails"]
        return answer.status, detail["o:errorCode"], detail["detail"]

    def id(self, kind: str, name: str, value: str) -> str:
        found = self.world.named(kind, name, value)
        assert found is not None, (kind, value)
        return str(found.id)

    def item(self, code: str) -> dict[str, str]:
        kinds = ("inventoryItem", "otherChargeSaleItem", "discountItem", "giftCertificateItem", "kitItem")
        return {"id": str(next(rec.id for rec in self.world.every(*kinds) if rec.fields["itemId"] == code))}

    def account(self, number: str) -> dict[str, str]:
        return {"id": self.id("account", "acctNumber", number)}

    def rec(self, id: str) -> Rec:
        return self.world.must(id)

    def books(self) -> dict[str, str]:
        """What each account stands at in the base currency, but those at zero."""
        sums: dict[str, Any] = {}
        for rec in self.world.every():
            for line in rec.gl:
                sums[line.account] = sums.get(line.account, 0) + line.base
        return {number: str(amount) for number, amount in sorted(sums.items()) if amount}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(time: Time) -> World:
    world = World(time, random.Random(7))
    seed.company(world, on_hand=100)
    return world


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller(App(world))


@pytest.fixture
def customer(caller: Caller) -> str:
    return caller.made("customer", {"externalId": "cust-1", "companyName": "Ada & Co"})


@pytest.fixture
def order(caller: Caller, customer: str) -> str:
    """Two tents, three socks and shipping, taxed by the channel: 498.00 + 51.99 + 9.95 + 33.60 = 593.54."""
    return caller.made("salesOrder", sales_order(caller, customer))


def sales_order(caller: Caller, customer: str, key: str = "so-1") -> dict[str, Any]:
    code = caller.id("salesTaxItem", "itemId", "CHANNEL-TAX")
    kind = caller.id("taxType", "name", "US Sales Tax")
    main = {"id": caller.id("location", "name", "main")}
    tax = {"taxCode": {"id": code}, "taxType": {"id": kind}, "taxRate": 6}
    return {
        "externalId": key,
        "entity": {"id": customer},
        "orderStatus": "B",
        "tranDate": "2026-03-09",
        "taxDetailsOverride": True,
        "location": main,
        "item": {
            "items": [
                {"item": caller.item("TENT-2P-GRN"), "quantity": 2, "amount": 498, "taxDetailsReference": "a"},
                {"item": caller.item("SOCK-HIKE-2"), "quantity": 3, "rate": 17.33, "taxDetailsReference": "b"},
                {"item": caller.item("SHIPPING"), "quantity": 1, "amount": 9.95, "taxDetailsReference": "c"},
            ]
        },
        "taxDetails": {
            "items": [
                {"taxDetailsReference": "a", "taxBasis": 498, "taxAmount": 29.88, **tax},
                {"taxDetailsReference": "b", "taxBasis": 51.99, "taxAmount": 3.12, **tax},
                {"taxDetailsReference": "c", "taxBasis": 9.95, "taxAmount": 0.60, **tax},
            ]
        },
    }
