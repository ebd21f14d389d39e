"""`/_control/*`: the clock, the faults, what people do at the shop, and the truth. Not the vendor's; where it listens.

GET  state                 now, counts, how webhooks fared
GET  truth                 every order as the shop has it: totals in minor units, statuses, deletions, what is to ship
GET  webhooks              every delivery with its fate
POST advance    {"to": stamp | "by_s": seconds}          time passes, and due webhooks are sent
POST faults     {"preset", "rates", "next", "skew_s"}
POST order      {"do": add_line|remove_unit|pay|refund_unit|refund_amount|cancel|ship|delete, "order": id, …}
POST app        {"do": uninstall|expire_tokens|revoke_tokens|deny|allow|redact_customer|…}
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from connectors.shopify.rehearsal import people
from connectors.shopify.rehearsal.hand import Hand
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.stamps import drawn_uuid, utc
from connectors.shopify.shop.webhooks import Sending
from connectors.shopify.shop.world import AWAITED, moment

if TYPE_CHECKING:
    from connectors.shopify.shop.server import App

CONNECT_S = 1.0
ANSWER_S = 5.0  # a webhook's whole answer

Answered = tuple[int, dict[str, Any]]


class Control:
    """What a test or a rehearsal does to the shop from behind."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.answer_s = ANSWER_S

    def answer(self, method: str, name: str, body: bytes) -> Answered:
        """The status and body of one call."""
        try:
            asked = json.loads(body or b"{}")
            match method, name:
                case "GET", "state":
                    return 200, self.state()
                case "GET", "truth":
                    return 200, self.truth()
                case "GET", "webhooks":
                    return 200, {"webhooks": self.webhooks()}
                case "POST", "advance":
                    return 200, self.advance(self._until(asked))
                case "POST", "faults":
                    with self.app.lock:
                        self.app.faults.set(asked)
                    return 200, {"rates": self.app.faults.rates, "next": list(self.app.faults.next)}
                case "POST", "order":
                    with self.app.lock:
                        return self.order(asked)
                case "POST", "app":
                    with self.app.lock:
                        return self.application(asked)
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}
        return 404, {"error": f"no such control: {method} {name}"}

    def _until(self, asked: dict[str, Any]) -> datetime:
        if "to" in asked:
            return moment(asked["to"])
        return self.app.shop.now + timedelta(seconds=float(asked["by_s"]))

    def advance(self, to: datetime) -> dict[str, Any]:
        """Time has passed; everything due by then happened and was sent, in the order of the shop's time."""
        shop, outbox, lock = self.app.shop, self.app.outbox, self.app.lock
        posted = 0
        with httpx.Client(
            timeout=httpx.Timeout(self.answer_s, connect=CONNECT_S), follow_redirects=False, trust_env=False
        ) as client:
            while True:
                with lock:
                    stops = [at for at in (shop.next_at(), outbox.next_at()) if at is not None and at <= to]
                    shop.move_to(min(stops, default=to))
                    sending = outbox.due()
                if sending is None:
                    if not stops:
                        break
                    continue
                success = self._post(client, sending)
                posted += 1
                with lock:
                    outbox.settled(sending, success)
        return {"now": utc(shop.now), "posted": posted}

    def _post(self, client: httpx.Client, sending: Sending) -> bool:
        headers = sending.headers(self.app.shop.setup.domain, self.app.faults.skew_s)
        try:
            answer = client.post(sending.uri, content=sending.body, headers=headers)
        except httpx.HTTPError:
            return False
        return (
            answer.is_success and answer.elapsed.total_seconds() <= self.answer_s
        )  # the whole of it, however it trickled

    def state(self) -> dict[str, Any]:
        with self.app.lock:
            shop, outbox = self.app.shop, self.app.outbox
            fates: dict[str, int] = {}
            for sending in outbox.sent:
                fates[sending.fate] = fates.get(sending.fate, 0) + 1
            following = [at for at in (shop.next_at(), outbox.next_at()) if at is not None]
            return {
                "now": utc(shop.now),
                "next": utc(min(following)) if following else None,
                "requests": self.app.requests,
                "orders": sum(1 for _ in shop.present()),
                "awaiting": sum(1 for order in shop.present() if order.waits_for is not None),
                "subscriptions": len(outbox.subscriptions),
                "subscriptions_removed": len(outbox.removed),
                "webhooks": fates,
                "faults": dict(self.app.faults.met),
            }

    def truth(self) -> dict[str, Any]:
        with self.app.lock:
            shop = self.app.shop
            placed = [order for order in shop.orders.values() if order.life.placed_at <= shop.now]
            entries, payouts = self.app.payments.books()
            return {
                "now": utc(shop.now),
                "orders": [self._truth_of(order) for order in placed],
                "payouts": [
                    {"id": str(each.id), "issued_at": utc(each.issued_at), "net_minor": each.net_minor}
                    for each in payouts
                ],
                "balance_minor": sum(each.net_minor for each in entries) - sum(each.net_minor for each in payouts),
            }

    def _truth_of(self, order: Order) -> dict[str, Any]:
        life, now = order.life, self.app.shop.now
        totals = life.totals(now)
        return {
            "id": str(life.id),
            "name": f"#{life.number}",
            "currency": life.till.shop,
            "placed_at": utc(life.processed_at),
            "deleted": order.deleted_at is not None,
            "test": life.test,
            "total_minor": totals.price.shop,
            "current_total_minor": totals.current_price.shop,
            "received_minor": totals.received.shop,
            "refunded_minor": totals.refunded.shop,
            "outstanding_minor": totals.outstanding.shop,
            "financial_status": life.financial_status(now, totals),
            "fulfillment_status": life.fulfillment_status(now),
            "fulfillments": [str(each.id) for each in life.shipments if each.stands_at(now)],
            "refunds": [str(each.id) for each in life.refunds if each.at <= now],
            "to_ship": self._to_ship(order, now),
            "left": {str(line.id): left for line in life.lines if (left := life.to_ship_at(now, line))},
            "shipped": {str(line.id): left for line in life.lines if (left := life.shipped_at(now, line))},
        }

    @staticmethod
    def _to_ship(order: Order, now: datetime) -> dict[str, int]:
        """Units by line of the parcel that an integration should have sent by now."""
        if order.waits_for is None or order.waits_for - AWAITED > now:
            return {}
        parcels = [each for each in order.life.shipments if each.at == order.waits_for]
        return {str(line.id): quantity for each in parcels for _, line, quantity in each.parts}

    def webhooks(self) -> list[dict[str, Any]]:
        with self.app.lock:
            return [
                {
                    "webhook_id": each.webhook_id,
                    "event_id": each.event_id,
                    "topic": each.topic,
                    "order": str(each.order) if each.order else None,
                    "triggered_at": utc(each.triggered_at),
                    "fate": each.fate,
                    "fault": each.fault,
                    "attempts": each.attempts,
                }
                for each in self.app.outbox.sent
            ]

    def order(self, asked: dict[str, Any]) -> Answered:
        """A person at the shop does something to one order."""
        shop = self.app.shop
        order = shop.find(int(str(asked["order"]).rpartition("/")[2]))
        if order is None:
            return 404, {"error": "no such order"}
        life, now = order.life, shop.stamp()
        if asked["do"] == "delete":
            order.deleted_at = now
            event = drawn_uuid(life.seed, life.id, "deleted")
            self.app.outbox.announce("orders/delete", {"id": life.id}, now, event, order.id)
            shop.forget()
            return 200, self._truth_of(order)
        hand = Hand(random.Random(f"{life.seed}/{life.id}/{now.isoformat()}"), life, shop.shelf, now)
        match asked["do"]:
            case "add_line":
                done = hand.add_line()
            case "remove_unit":
                done = hand.remove_unit()
            case "pay":
                done = hand.pay()
            case "refund_unit":
                done = hand.refund_unit()
            case "refund_amount":
                done = hand.refund_amount(int(asked["minor"]))
            case "cancel":
                done = hand.cancel()
            case "ship":
                done = hand.ship_all()
            case other:
                raise ValueError(f"nothing is done so to an order: {other}")
        life.happenings.sort(key=lambda happening: happening.at)
        order.waits_for = None
        shop.rewritten(order)
        if not done:
            return 409, {"error": f"{asked['do']}: nothing to do"}
        return 200, self._truth_of(order)

    def application(self, asked: dict[str, Any]) -> Answered:
        """Something happens to the app itself, or to what it may see."""
        app, now = self.app, self.app.shop.stamp()
        event = drawn_uuid(app.shop.setup.seed, asked["do"], now)
        match asked["do"]:
            case "uninstall":
                body = {"id": 548_380_009, "name": "Ridgeline", "domain": app.shop.setup.domain}
                app.outbox.announce("app/uninstalled", body, now, event)
                app.tokens.revoked = True
            case "install":
                app.tokens.revoked = False
            case "expire_tokens":
                app.tokens.expire_all(app.shop.now)
            case "deny":
                app.gateway.deny(asked["object"])
            case "allow":
                app.gateway.allow(asked["object"])
            case "rotate_secret":
                app.outbox.rotate(str(asked["secret"]))
            case "redact_customer" | "ask_customer":
                topic = "customers/redact" if asked["do"] == "redact_customer" else "customers/data_request"
                app.outbox.announce(topic, self._privacy(int(asked["customer"])), now, event)
            case "redact_shop":
                body = {"shop_id": 548_380_009, "shop_domain": app.shop.setup.domain}
                app.outbox.announce("shop/redact", body, now, event)
            case other:
                raise ValueError(f"nothing is done so to the app: {other}")
        return 200, self.state()

    def _privacy(self, buyer: int) -> dict[str, Any]:
        orders = [order.id for order in self.app.shop.present() if order.life.buyer == buyer]
        customer = {"id": people.customer_id(buyer), "email": people.email(buyer), "phone": None}
        return {
            "shop_id": 548_380_009,
            "shop_domain": self.app.shop.setup.domain,
            "customer": customer,
            "orders_to_redact": orders,
            "orders_requested": orders,
        }
