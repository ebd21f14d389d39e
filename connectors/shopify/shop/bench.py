"""The shop as the conformance suite wants it: at rest or waiting for shipments, and ready for any fault."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.shopify.rehearsal import rest
from connectors.shopify.rehearsal.life import Happening
from connectors.shopify.shop.gateway import Answer
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.server import App, Server, said
from connectors.shopify.shop.stamps import drawn_uuid
from connectors.shopify.shop.stock import LOCATIONS
from connectors.shopify.shop.webhooks import Sending, seal
from connectors.shopify.shop.world import Setup
from hub.testing.conformance.bench import Fault, Login, OrderTruth, Sent

SEED = 44  # its first dozen orders have a test among them, and one of an evening that is the next day in UTC
START = datetime(2026, 9, 1, 4, tzinfo=UTC)
PARTLY = datetime(2026, 9, 20, tzinfo=UTC)  # most is placed, and waits for its shipment
OVER = datetime(2026, 12, 1, tzinfo=UTC)  # every life is over
TOKEN = "shpat_0f5c1c34e8a24d7b"  # noqa: S105 - of an invented shop
CLIENT_SECRET = "shpss_77d1c0de5a4e"  # noqa: S105
TOLD_ORDERS = 40
TOLD_TWICE_PER_MILLE = 200
INDEX_S = 10  # a search has heard of everything by then

_WIRE = {
    Fault.RATE_LIMITED: "rate_limited",
    Fault.THROTTLED: "throttled",
    Fault.SERVER_ERROR: "server_error",
    Fault.FAILED_AFTER: "failed_after",
    Fault.BROKEN_ANSWER: "broken_json",
    Fault.CUT_SHORT: "cut_short",
    Fault.LOST_BEFORE: "lost_before",
    Fault.LOST_AFTER: "lost_after",
    Fault.LATE_COMMIT: "late_commit",
    Fault.TOKEN_EXPIRED: "token_expired",
}
_DRIFT = ("new_word", "null_field")


class Tried(App):
    """The shop, whose next mutation can be met by a fault, and which can repeat what it is sent."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.of_writes: deque[str] = deque()
        self.echoes: float = 0
        self.throttled = 0

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        with self.lock:
            if self.echoes > 0:
                self.echoes -= 1
                self.requests += 1
                # What is secret comes first: a client that shortens what it was told must not be saved by that.
                secret = [headers.get("x-shopify-access-token", ""), body.decode("utf-8", "replace")]
                return said(400, {"errors": " ".join([*secret, target, *headers.values()])})
            if self.of_writes and _mutates(body):
                self.faults.next.appendleft(self.of_writes.popleft())
        answer = super().answer(method, target, headers, body)
        if answer is not None and b'"code":"THROTTLED"' in answer.body[:200]:
            self.throttled += 1
        return answer


class Rig:
    """One shop on a socket; hub.testing.conformance.bench says what is asked of it."""

    currency = "USD"
    timezone = "America/New_York"
    seal_headers = ("x-shopify-hmac-sha256",)

    def __init__(self, app: Tried, server: Server) -> None:
        self.app = app
        self.address = server.url
        self._server = server
        self._refresh: str | None = None

    @property
    def requests(self) -> int:
        return self.app.requests

    @property
    def turned_away(self) -> int:
        return self.app.throttled

    def tokens(self) -> Sequence[str]:
        return [*self.app.tokens.access, *self.app.tokens.refresh]

    def leave(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def logins(self) -> Mapping[str, Login]:
        setup = self.app.shop.setup
        if self._refresh is None:
            with self.app.lock:
                asked = {"client_id": setup.client_id, "client_secret": setup.client_secret, "code": "c"}
                self._refresh = self.app.tokens.grant(asked, self.app.shop.now)[1]["refresh_token"]
        options = {"domain": setup.domain}
        app = {"client_secret": setup.client_secret, "webhook": setup.client_secret}
        public = {"client_id": setup.client_id}
        return {
            "client_credentials": Login({**options, "token": "client_credentials"}, app, public),
            "expiring": Login({**options, "token": "expiring"}, {**app, "refresh_token": self._refresh}, public),
            "static": Login(options, {"token": TOKEN, "webhook": setup.client_secret}),
        }

    def now(self) -> datetime:
        return self.app.shop.now

    def pass_time(self, seconds: float) -> None:
        with self.app.lock:
            self.app.shop.move_to(self.app.shop.now + timedelta(seconds=seconds))

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        with self.app.lock:
            match fault:
                case Fault.ECHO:
                    self.app.echoes = times if times is not None else float("inf")
                case Fault.ACCESS_DENIED:
                    self.app.gateway.denied.add("Order")
                case Fault.REVOKED:
                    self.app.tokens.revoked = True
                case Fault.DRIFT:
                    self.app.faults.rates |= dict.fromkeys(_DRIFT, 300)
                    self.app.shop.forget()
                case _ if times is None:
                    self.app.faults.rates[_WIRE[fault]] = 1000
                case _:
                    self.app.faults.next += ["none"] * after + [_WIRE[fault]] * times
        return True

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        if fault not in _WIRE:
            return False
        self.app.faults.rates[_WIRE[fault]] = per_mille
        return True

    def fail_write(self, fault: Fault) -> bool:
        if fault not in _WIRE:
            return False
        self.app.of_writes.append(_WIRE[fault])
        return True

    def heal(self) -> None:
        with self.app.lock:
            self.app.faults.rates.clear()
            self.app.faults.next.clear()
            self.app.of_writes.clear()
            self.app.gateway.denied.clear()
            self.app.tokens.revoked = False
            self.app.echoes = 0
            self.app.shop.forget()

    def truth(self) -> Sequence[OrderTruth]:
        with self.app.lock:
            now = self.app.shop.now
            return [_truth(order, now) for order in self.app.shop.orders.values() if order.life.placed_at <= now]

    def touch(self, orders: Sequence[str]) -> None:
        shop = self.app.shop
        with self.app.lock:
            for order in map(shop.find, map(int, orders)):
                assert order is not None
                order.life.happenings.append(Happening(shop.stamp(), "orders/updated", None))
                order.life.happenings.sort(key=lambda happening: happening.at)
                shop.rewritten(order)
            shop.move_to(shop.now + timedelta(seconds=INDEX_S))

    def delete(self, order: str) -> None:
        with self.app.lock:
            self.app.control.order({"do": "delete", "order": order})

    # --- webhooks ---------------------------------------------------------------------------------------------------

    def configured(self, *secrets: str) -> Mapping[str, str]:
        return dict(zip(("webhook", "webhook_previous"), secrets, strict=False))

    def sealed(self, body: bytes, secret: str | None = None) -> Sent:
        number = drawn_uuid(7, "sealed", body.hex()[:400])
        at = self.app.shop.now
        made = Sending(
            number, number, "orders/updated", None, "", None, at, body, seal(secret or self.app.outbox.secret, body)
        )
        return self._sent(made)

    def told(self) -> Sequence[Sent]:
        """Of a shop of its own, that lives through it all with somebody listening."""
        app = Tried(replace(self.app.shop.setup, orders=TOLD_ORDERS, wide=False))
        app.outbox.subscribe_all(self.address)
        app.faults.rates["doubled"] = TOLD_TWICE_PER_MILLE
        app.shop.move_to(OVER)
        first, second, *_ = app.shop.present()
        app.control.order({"do": "delete", "order": str(first.id)})
        app.control.order({"do": "cancel", "order": str(second.id)})
        for asked in (
            {"do": "ask_customer", "customer": 1},
            {"do": "redact_customer", "customer": 1},
            {"do": "redact_shop"},
            {"do": "uninstall"},
        ):
            app.control.application(asked)
        return [self._sent(sending) for sending in app.outbox.sent]

    def _sent(self, sending: Sending) -> Sent:
        headers = sending.headers(self.app.shop.setup.domain, 0)
        lower = {name.lower(): text for name, text in headers.items()}
        return Sent(sending.webhook_id, lower, sending.body, sending.triggered_at)

    # --- shipments and stock ----------------------------------------------------------------------------------------

    def waiting(self) -> Mapping[str, Mapping[str, int]]:
        with self.app.lock:
            shop, found = self.app.shop, {}
            for order in shop.present():
                units: dict[str, int] = {}
                for group in order.fulfilment_orders(shop.now):
                    if order.fulfilment_order_status(group, shop.now) in ("OPEN", "IN_PROGRESS"):
                        for line in group.lines:
                            if left := order.life.to_ship_at(shop.now, line):
                                units[str(line.id)] = left
                if units:
                    found[str(order.id)] = units
            return found

    def shipped(self, order: str) -> Sequence[Mapping[str, int]]:
        with self.app.lock:
            shop, found = self.app.shop, []
            for shipment in shop.orders[int(order)].life.shipments:
                if shipment.stands_at(shop.now):
                    units: dict[str, int] = {}
                    for _, line, quantity in shipment.parts:
                        units[str(line.id)] = units.get(str(line.id), 0) + quantity
                    found.append(units)
            return found

    def levels(self) -> Mapping[tuple[str, str], int]:
        stock = self.app.shop.stock
        with self.app.lock:
            return {
                (product.sku, str(location)): level.available + level.committed
                for product in stock.products.values()
                for location in LOCATIONS
                if (level := stock.levels.get((stock.item_of(product), location))) is not None
            }


class ShopifyBench:
    samples = Path(__file__).parents[1] / "samples"
    page_orders = 100
    lacks: Mapping[str, str] = {}

    @contextmanager
    def open(self, orders: int, *, unshipped: bool = False) -> Iterator[Rig]:
        app = Tried(
            Setup(
                SEED,
                orders,
                START,
                days=15,
                ships="erp" if unshipped else "shop",
                token=TOKEN,
                wide=not unshipped,
                client_secret=CLIENT_SECRET,
            )
        )
        app.shop.move_to(PARTLY if unshipped else OVER)
        with Server(app) as server:
            yield Rig(app, server)


BENCH = ShopifyBench()


def _truth(order: Order, now: datetime) -> OrderTruth:
    life = order.life
    return OrderTruth(
        str(life.id),
        life.processed_at,
        rest.updated_at(life, now),
        life.till.shop,
        life.totals(now).price.shop,
        len(life.lines_at(now)),
        life.test,
        order.deleted_at is not None,
    )


def _mutates(body: bytes) -> bool:
    try:
        asked: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(asked, dict) and str(asked.get("query", "")).lstrip().startswith("mutation")
