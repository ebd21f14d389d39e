"""Webhooks: who subscribed to what, and what is on its way, with retries, and with everything that goes wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from connectors.shopify.rehearsal import rest, said
from connectors.shopify.rehearsal.life import Happening, Payment, Refund
from connectors.shopify.shop import search
from connectors.shopify.shop.faults import Faults
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.paging import Row
from connectors.shopify.shop.resolvers import Root, listing, sorts
from connectors.shopify.shop.stamps import drawn, drawn_uuid, gid, number_of, utc
from connectors.shopify.shop.world import Shop

# Eight retries in four hours, the pauses growing.
RETRY_PAUSES_S = (60, 120, 300, 600, 1_200, 1_920, 3_600, 6_600)
FAILURES_MAX = 8  # in a row, whatever was to be delivered; then the subscription is removed
ROTATION = timedelta(hours=1)  # for so long after the secret was changed the one before may still seal
THIN_LINES = 100  # a body of a very large order may stop there
API_VERSION = "2026-10"
TOPICS = (
    "ORDERS_CREATE ORDERS_UPDATED ORDERS_EDITED ORDERS_CANCELLED ORDERS_PAID ORDERS_FULFILLED"
    " ORDERS_PARTIALLY_FULFILLED ORDERS_DELETE FULFILLMENTS_CREATE FULFILLMENTS_UPDATE REFUNDS_CREATE"
    " ORDER_TRANSACTIONS_CREATE RETURNS_APPROVE RETURNS_CLOSE DISPUTES_CREATE DISPUTES_UPDATE APP_UNINSTALLED"
    " BULK_OPERATIONS_FINISH"
).split()
# These are declared with the app, not subscribed to; they go where the app's other webhooks go.
PRIVACY = ("customers/redact", "customers/data_request", "shop/redact")


@dataclass(slots=True)
class Subscription:
    number: int
    topic: str  # as in the schema
    uri: str
    created_at: datetime
    updated_at: datetime
    filter: str | None = None
    include_fields: list[str] = field(default_factory=list)
    name: str | None = None
    failures: int = 0  # of deliveries, since one last got through


@dataclass(slots=True)
class Sending:
    """One delivery: the body is what it was when it was made, whenever it gets there."""

    webhook_id: str
    event_id: str
    topic: str
    order: int | None
    uri: str
    subscription: int | None
    triggered_at: datetime
    body: bytes
    seal: str
    attempts: int = 0
    fate: str = "pending"  # delivered | lost | given_up
    fault: str | None = None

    def headers(self, domain: str, skew_s: int) -> dict[str, str]:
        stamp = utc(self.triggered_at + timedelta(seconds=skew_s))
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": self.topic,
            "X-Shopify-Shop-Domain": domain,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": self.webhook_id,
            "X-Shopify-Event-Id": self.event_id,
            "X-Shopify-Triggered-At": stamp,
            "X-Shopify-Hmac-Sha256": self.seal,
        }


class Outbox:
    """Everything that the shop tells by webhook."""

    def __init__(self, shop: Shop, faults: Faults) -> None:
        self.shop = shop
        self.faults = faults
        self.subscriptions: dict[int, Subscription] = {}
        self.removed: list[int] = []  # by the shop itself, after too many failures
        self.secret = shop.setup.client_secret
        self._secret_before, self._rotated_at = self.secret, shop.now
        self.open = True  # False: nothing is told, as before the app was installed
        self.sent: list[Sending] = []
        self._due: list[tuple[datetime, int, Sending]] = []
        self._numbers = count(1)
        self._known: dict[int, tuple[str | None, str | None]] = {}  # what was last told of an order's two statuses
        self._made: set[str] = set()
        self.endpoint: str | None = None
        shop.listeners.append(self.hear)

    def subscribe_all(self, uri: str) -> None:
        """Every topic of an integration goes there, as if it had asked for each by the API."""
        self.endpoint = uri
        for topic in TOPICS:
            self.subscribe(topic, uri)

    def subscribe(self, topic: str, uri: str, **asked: Any) -> Subscription:
        number = 1_140_000_000_000 + next(self._numbers)
        made = Subscription(number, topic, uri, self.shop.stamp(), self.shop.stamp(), **asked)
        self.subscriptions[number] = made
        self.endpoint = self.endpoint or uri
        return made

    def rotate(self, secret: str) -> None:
        """The secret is another; for some time what is told may be sealed with either."""
        self._secret_before, self._rotated_at = self.secret, self.shop.now
        self.secret = secret

    def _sealed_with(self, webhook: str, at: datetime) -> str:
        late = at < self._rotated_at + ROTATION and drawn(0, 1, webhook, "sealed") == 0
        return self._secret_before if late else self.secret

    def hear(self, order: Order, happening: Happening) -> None:
        """What happened is told to whoever subscribed, each topic with what follows from it."""
        turned = self._turned(order, happening.at)
        if not self.open or not self.subscriptions:
            return
        life, at, of = order.life, happening.at, happening.of
        event = drawn_uuid(life.seed, life.id, "event", _action(life.happenings, happening))
        whole = rest.order(life, at, transactions=False)
        self.announce(happening.topic, said.body(life, of, at), at, event, order.id)
        if isinstance(of, Payment) and of.status_at(at) == "success" and of.kind in ("sale", "capture", "refund"):
            self.announce("tender_transactions/create", _tender(order, of), at, event, order.id)
        for topic in turned:
            self.announce(topic, whole, at, event, order.id)
        if happening.topic not in ("orders/create", "orders/updated"):
            self.announce("orders/updated", whole, at + timedelta(seconds=1), event, order.id)

    def _turned(self, order: Order, at: datetime) -> list[str]:
        """The topics of an order that became paid, fulfilled or partly so."""
        life = order.life
        was, self._known[order.id] = (
            self._known.get(order.id, (None, None)),
            (life.financial_status(at, life.totals(at)), life.fulfillment_status(at)),
        )
        paid, shipped = self._known[order.id]
        found = ["orders/paid"] if paid == "paid" != was[0] else []
        if shipped != was[1] and shipped in ("fulfilled", "partial"):
            found.append("orders/fulfilled" if shipped == "fulfilled" else "orders/partially_fulfilled")
        return found

    def announce(self, topic: str, body: dict[str, Any], at: datetime, event: str, order: int | None = None) -> None:
        """The topic's subscribers will hear of it."""
        word = topic.upper().replace("/", "_")
        for each in list(self.subscriptions.values()):
            if each.topic != word:
                continue
            if each.filter and not search.parse(each.filter, frozenset(body)).matches(body):
                continue
            shown = {name: body[name] for name in each.include_fields if name in body} if each.include_fields else body
            self._send(topic, shown, at, event, order, each.uri, each.number)
        if topic in PRIVACY and self.endpoint:
            self._send(topic, body, at, event, order, self.endpoint, None)

    def _send(
        self,
        topic: str,
        body: dict[str, Any],
        at: datetime,
        event: str,
        order: int | None,
        uri: str,
        subscription: int | None,
    ) -> None:
        seed, faults = self.shop.setup.seed, self.faults
        webhook = drawn_uuid(seed, "webhook", event, topic, at, subscription, body.get("id"))
        if webhook in self._made:  # one action changes an order once, however many of its parts are told
            return
        self._made.add(webhook)
        if len(body.get("line_items", ())) > THIN_LINES and faults.strikes("thin", webhook):
            body = {**body, "line_items": body["line_items"][:THIN_LINES]}
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        sealed = seal(self._sealed_with(webhook, at), text)
        sending = Sending(webhook, event, topic, order, uri, subscription, at, text, sealed)
        self.sent.append(sending)
        delay_s = drawn(1, 3, seed, webhook, "delay")
        if faults.strikes("lost", webhook):
            sending.fate, sending.fault = "lost", "lost"
            return
        if faults.strikes("late", webhook):
            sending.fault, delay_s = "late", drawn(1_800, 21_600, seed, webhook, "late")
        elif faults.strikes("reordered", webhook):
            sending.fault, delay_s = "reordered", drawn(20, 180, seed, webhook, "reordered")
        self._put(at + timedelta(seconds=delay_s), sending)
        if faults.strikes("doubled", webhook):
            again = Sending(webhook, event, topic, order, uri, subscription, at, text, sending.seal, fault="doubled")
            self.sent.append(again)
            self._put(at + timedelta(seconds=delay_s + drawn(1, 60, seed, webhook, "again")), again)
        if faults.strikes("forged", webhook):
            self.forge(sending)

    def forge(self, like: Sending) -> None:
        """Someone who does not know the secret sends a changed body."""
        body = json.loads(like.body)
        body["total_price"] = "0.01"
        text = json.dumps(body, separators=(",", ":")).encode()
        number = drawn_uuid(like.webhook_id, "forged")
        made = Sending(
            number, number, like.topic, like.order, like.uri, None, like.triggered_at, text, seal("a guess", text)
        )
        made.fault = "forged"
        self.sent.append(made)
        self._put(like.triggered_at + timedelta(seconds=drawn(1, 60, number)), made)

    def _put(self, at: datetime, sending: Sending) -> None:
        heappush(self._due, (at, next(self._numbers), sending))

    def next_at(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def due(self) -> Sending | None:
        """The next delivery whose time has come; with a subscription ends what was still to be delivered for it."""
        while self._due and self._due[0][0] <= self.shop.now:
            sending = heappop(self._due)[2]
            if sending.subscription is not None and sending.subscription not in self.subscriptions:
                sending.fate = "given_up"
                continue
            sending.attempts += 1
            return sending
        return None

    def settled(self, sending: Sending, success: bool) -> None:
        """The receiver answered with a 2xx in time, or it did not."""
        subscription = self.subscriptions.get(sending.subscription or 0)
        if success:
            sending.fate = "delivered"
            if subscription is not None:
                subscription.failures = 0
            return
        if sending.fault == "forged":
            sending.fate = "given_up"
            return
        if subscription is not None:
            subscription.failures += 1
            if subscription.failures == FAILURES_MAX:
                del self.subscriptions[subscription.number]
                self.removed.append(subscription.number)
        if sending.attempts <= len(RETRY_PAUSES_S):
            self._put(self.shop.now + timedelta(seconds=RETRY_PAUSES_S[sending.attempts - 1]), sending)
        else:
            sending.fate = "given_up"

    def roots(self) -> Root:
        return {
            "webhookSubscription": self._found,
            "webhookSubscriptions": self._listed,
            "webhookSubscriptionsCount": lambda **_: {"count": len(self.subscriptions), "precision": "EXACT"},
        }

    def mutations(self) -> Root:
        return {
            "webhookSubscriptionCreate": self._create,
            "webhookSubscriptionUpdate": self._update,
            "webhookSubscriptionDelete": self._delete,
        }

    def node(self, each: Subscription) -> dict[str, Any]:
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", each.number),
            "legacyResourceId": str(each.number),
            "topic": each.topic,
            "uri": each.uri,
            "callbackUrl": each.uri,
            "endpoint": {"__typename": "WebhookHttpEndpoint", "callbackUrl": each.uri},
            "format": "JSON",
            "filter": each.filter,
            "includeFields": each.include_fields,
            "metafieldNamespaces": [],
            "name": each.name,
            "apiVersion": {"handle": API_VERSION, "displayName": API_VERSION, "supported": True},
            "createdAt": each.created_at,
            "updatedAt": each.updated_at,
        }

    def found(self, kind: str, number: int) -> dict[str, Any] | None:
        """The subscription as a node."""
        each = self.subscriptions.get(number)
        return self.node(each) if each else None

    def _found(self, id: str) -> dict[str, Any] | None:
        return self.found("WebhookSubscription", number_of(id))

    @sorts
    def _listed(
        self,
        topics: list[str] | None = None,
        uri: str | None = None,
        callbackUrl: str | None = None,
        reverse: bool = False,
        **_: Any,
    ) -> Any:
        wanted = uri or callbackUrl
        found = [
            each
            for each in self.subscriptions.values()
            if (not topics or each.topic in topics) and (wanted is None or each.uri == wanted)
        ]
        rows = [Row(f"{each.number:020d}", each.number, lambda each=each: self.node(each)) for each in found]  # type: ignore[misc]
        return listing(rows, reverse)

    def _create(self, topic: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:
        uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl")
        if not uri:
            return _refused("webhookSubscription", ["webhookSubscription", "callbackUrl"], "Address can't be blank")
        if any(each.topic == topic and each.uri == uri for each in self.subscriptions.values()):
            field_path = ["webhookSubscription", "callbackUrl"]
            return _refused("webhookSubscription", field_path, "Address for this topic has already been taken")
        made = self.subscribe(
            topic,
            uri,
            filter=webhookSubscription.get("filter"),
            include_fields=list(webhookSubscription.get("includeFields") or ()),
            name=webhookSubscription.get("name"),
        )
        return {"webhookSubscription": self.node(made), "userErrors": []}

    def _update(self, id: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:
        each = self.subscriptions.get(number_of(id))
        if each is None:
            return _refused("webhookSubscription", ["id"], "Webhook subscription does not exist")
        each.uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or each.uri
        if "filter" in webhookSubscription:
            each.filter = webhookSubscription["filter"]
        if "includeFields" in webhookSubscription:
            each.include_fields = list(webhookSubscription["includeFields"] or ())
        each.updated_at = self.shop.stamp()
        return {"webhookSubscription": self.node(each), "userErrors": []}

    def _delete(self, id: str) -> dict[str, Any]:
        if self.subscriptions.pop(number_of(id), None) is None:
            return _refused("deletedWebhookSubscriptionId", ["id"], "Webhook subscription does not exist")
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def seal(secret: str, body: bytes) -> str:
    """The signature over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _refused(name: str, field_path: list[str], message: str) -> dict[str, Any]:
    return {name: None, "userErrors": [{"field": field_path, "message": message}]}


def _action(happenings: list[Happening], happening: Happening) -> object:
    """The merchant's action behind it: a refund and its transactions are one."""
    of = happening.of
    if isinstance(of, Refund):
        return of.id
    if isinstance(of, Payment) and of.refund is not None and of.at == happening.at - timedelta(seconds=1):
        return of.refund
    return f"{happening.topic}/{happening.at.isoformat()}/{getattr(of, 'id', 0)}"


def _tender(order: Order, payment: Payment) -> dict[str, Any]:
    amount = -payment.amount if payment.kind == "refund" else payment.amount
    return {
        "id": payment.id + 1_000_000_000_000_000,
        "order_id": order.id,
        "amount": order.life.till.buyer_text(amount),
        "currency": order.life.till.buyer,
        "user_id": None,
        "test": order.life.test,
        "processed_at": payment.at.isoformat(),
        "remote_reference": f"#{order.life.number}.{payment.sequence}",
        "payment_details": None,
        "payment_method": "credit_card" if payment.gateway == "shopify_payments" else "other",
    }
