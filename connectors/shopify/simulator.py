"""A rehearsed Shopify shop: composes the payloads of orders of every kind, with arithmetic that is Shopify's.

Written from the vendor's documentation and schema alone, never from our mapping, so that it can find the mapping
wrong. What a composed order keeps:

- `total_*` are as placed, with what an edit added, before returns; `current_total_*` are what is left after removed,
  cancelled and refunded units and refunded shipping. A refund of an amount only changes neither: it is an order
  adjustment, and shows in what was paid.
- total_outstanding = current_total_price - received + refunded + the sum of the refund_discrepancy adjustments.
- A refund's transactions = its lines (+ tax where it is not in the price) + its shipping - its refund_discrepancy
  adjustments; less where nothing was captured, or where the rest paid for exchanged goods.
- Cash rounding is on top of what was received (`amount_rounding`), in no total.
- A transaction's flat amount is in the buyer's currency, an order's flat fields are in the shop's.
- The order resource knows nothing of returns but the reference in a refund; they come as webhooks, and in GraphQL.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.shopify.connector import read_once
from connectors.shopify.rehearsal import graphql, rest, said
from connectors.shopify.rehearsal.basket import Shelf
from connectors.shopify.rehearsal.catalogue import CATALOGUE, Product, chosen
from connectors.shopify.rehearsal.course import draw
from connectors.shopify.rehearsal.life import Life
from connectors.shopify.shop.bench import BENCH
from connectors.shopify.shop.command import main
from connectors.shopify.shop.server import App, Server
from connectors.shopify.shop.stamps import DOMAIN
from connectors.shopify.shop.webhooks import Sending, seal
from connectors.shopify.shop.world import Setup

SMALL_BYTES_MAX = 6_800
SMALL_ORDERS = 10

__all__ = [
    "BENCH",
    "CATALOGUE",
    "DOMAIN",
    "App",
    "Delivery",
    "Product",
    "Server",
    "Setup",
    "Story",
    "compose",
    "read_once",
    "seal_holds",
    "signed",
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing the shop says at one time, as a webhook would bring it."""

    topic: str
    webhook_id: str  # equal on a retry
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """One order's life, written on demand: each property is composed anew by every access."""

    order_id: str
    traits: frozenset[str]
    life: Life

    @property
    def final(self) -> dict[str, Any]:
        """The REST order as the shop exports it at the end, its transactions under "transactions"."""
        return rest.order(self.life, self.life.end, transactions=True)

    @property
    def graphql(self) -> dict[str, Any]:
        """The same order at the end as a node of the Admin GraphQL API, `__typename` where the type is a union's."""
        return graphql.order(self.life, self.life.end)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What webhooks brought, in true time order; a change of the order is followed by orders/updated."""
        told: list[tuple[datetime, str, dict[str, Any]]] = []
        for happening in self.life.happenings:
            told.append((happening.at, happening.topic, said.body(self.life, happening.of, happening.at)))
            if happening.topic != "orders/create":
                body = rest.order(self.life, happening.at, transactions=False)
                told.append((happening.at + timedelta(seconds=1), "orders/updated", body))
        told.sort(key=lambda item: item[0])
        return tuple(
            Delivery(topic, _webhook_id(self.life, number), at, body) for number, (at, topic, body) in enumerate(told)
        )


def compose(
    seed: int,
    orders: int,
    *,
    start: datetime,
    days: int,
    currency: str = "USD",
    skus: Sequence[str] | None = None,
) -> Iterator[Story]:
    """The stories of that many orders, one at a time; order i is the same however many are composed.

    Args:
        seed: names the shop; the same seed tells the same stories.
        orders: how many.
        start: aware; the orders are placed in the `days` from here, what follows on them may come later.
        days: at least 1.
        currency: the shop's: USD, EUR, GBP, CAD, JPY or KWD.
        skus: what is sold, instead of the whole CATALOGUE; one that it lacks becomes a product of that name.
    """
    shelf = Shelf(chosen(skus), currency)
    for index in range(orders):
        life = draw(seed, index, start, days, shelf)
        yield Story(str(life.id), frozenset(life.traits), life)


def signed(secret: str, orders: int, seed: int, start: datetime) -> Iterator[tuple[dict[str, str], bytes]]:
    """Deliveries of new orders of about 6 kB, their ids all different, as the shop sends them: headers and body.

    The orders are few and repeated under other ids: composing each anew would take longer than what is measured.
    """
    small: list[tuple[Delivery, str, bytes]] = []
    for story in compose(seed, 100 * SMALL_ORDERS, start=start, days=28):
        told = story.deliveries[0]
        body = json.dumps(told.body, separators=(",", ":")).encode()
        if told.topic == "orders/create" and len(body) <= SMALL_BYTES_MAX:
            small.append((told, story.order_id, body))
        if len(small) == SMALL_ORDERS:
            break
    for number in range(orders):
        told, was, composed = small[number % len(small)]
        body = composed.replace(was.encode(), str(int(was) + 1_000_000_000 + number).encode())
        sending = Sending(
            webhook_id=str(uuid.UUID(int=(seed << 64) + number, version=4)),
            event_id=f"e-{number}",
            topic=told.topic,
            order=None,
            uri="",
            subscription=None,
            triggered_at=told.at,
            body=body,
            seal=seal(secret, body),
        )
        yield sending.headers(DOMAIN, 0), body


def seal_holds(secret: str, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
    """The least that a door checks: the seal is the body's. For benchmarks to stand on."""
    given = next((value for name, value in headers if name == b"x-shopify-hmac-sha256"), b"")
    return hmac.compare_digest(base64.b64encode(hmac.digest(secret.encode(), body, "sha256")), given)


def _webhook_id(life: Life, number: int) -> str:
    digest = hashlib.sha256(f"{life.seed}/{life.index}/{number}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


if __name__ == "__main__":
    main()
