"""Mutations that take out of an order: cancelling it, a job that is done a little later, and editing quantities.

Neither gives money back unless it is asked to. An order that was shipped of, or is cancelled, is not cancelled again.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final

from connectors.shopify.rehearsal.hand import Hand
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.resolvers import Root
from connectors.shopify.shop.stamps import gid, number_of
from connectors.shopify.shop.world import Shop

Asked = dict[str, Any]
JOB: Final = timedelta(seconds=2)
"""Until an accepted cancellation is done."""


class Cancelling:
    """Cancels whole orders; edits quantities down, in sessions of which only the commit counts."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._edits: dict[str, tuple[Order, dict[int, int]]] = {}

    def mutations(self) -> Root:
        return {
            "orderCancel": self.cancel,
            "orderEditBegin": self.begin,
            "orderEditSetQuantity": self.set_quantity,
            "orderEditCommit": self.commit,
        }

    def cancel(
        self,
        orderId: str,
        reason: str,
        restock: bool,
        notifyCustomer: bool = False,
        refundMethod: Asked | None = None,
        staffNote: str | None = None,
    ) -> Asked:
        order = self._order(orderId)
        if order is None:
            return _not_cancelled("NOT_FOUND", "Order does not exist.")
        life, now = order.life, self.shop.stamp()
        if life.cancelled_at is not None and life.cancelled_at <= now + JOB:
            return _not_cancelled("INVALID", "Order has already been cancelled.")
        if any(shipment.stands_at(now) for shipment in life.shipments):
            return _not_cancelled("INVALID", "Cannot cancel an order with outstanding fulfillments.")
        if any(opened.at <= now and (opened.closed_at is None or opened.closed_at > now) for opened in life.returns):
            return _not_cancelled("INVALID", "Cannot cancel an order with an active return.")
        left = [(line, units) for line in life.lines_at(now) if (units := life.to_ship_at(now, line)) > 0]
        hand = self._hand(order, now + JOB)
        hand.call_off(reason.lower(), refund=bool((refundMethod or {}).get("originalPaymentMethodsRefund")))
        if restock:
            for line, units in left:
                self.shop.stock.move(line.product, order.location_of(line), now, units, -units)
        self.shop.rewritten(order)
        return {"job": {"id": gid("Job", life.id), "done": False}, "orderCancelUserErrors": []}

    def begin(self, id: str) -> Asked:
        order = self._order(id)
        if order is None:
            return {"calculatedOrder": None, "userErrors": _errors("The order does not exist.", "id")}
        if order.life.cancelled_at is not None and order.life.cancelled_at <= self.shop.now:
            return {"calculatedOrder": None, "userErrors": _errors("The order cannot be edited.", "id")}
        session = gid("CalculatedOrder", order.life.next_id())
        self._edits[session] = (order, {})
        return {"calculatedOrder": {"id": session}, "userErrors": []}

    def set_quantity(self, id: str, lineItemId: str, quantity: int, restock: bool | None = None) -> Asked:
        if id not in self._edits:
            return {"calculatedOrder": None, "userErrors": _errors("The calculated order does not exist.", "id")}
        order, wanted = self._edits[id]
        now, number = self.shop.stamp(), number_of(lineItemId)
        line = next((x for x in order.life.lines_at(now) if gid("CalculatedLineItem", x.id) == lineItemId), None)
        if line is None:
            return {"calculatedOrder": None, "userErrors": _errors("The line item does not exist.", "lineItemId")}
        stands = line.quantity - order.life.gone_at(now, line)
        if not stands - order.life.to_ship_at(now, line) <= quantity <= stands:
            return {"calculatedOrder": None, "userErrors": _errors("The quantity is not editable.", "quantity")}
        wanted[number] = quantity
        return {"calculatedOrder": {"id": id}, "userErrors": []}

    def commit(self, id: str, notifyCustomer: bool | None = None, staffNote: str | None = None) -> Asked:
        """A session is committed once; one in which nothing was changed makes no edit."""
        if id not in self._edits:
            return {"order": None, "userErrors": _errors("The calculated order does not exist.", "id")}
        order, wanted = self._edits.pop(id)
        now, life = self.shop.stamp(), order.life
        removed = []
        for line in life.lines_at(now):
            stands = line.quantity - life.gone_at(now, line)
            if line.id in wanted and stands > wanted[line.id]:
                removed.append((line, stands - wanted[line.id]))
        if removed:
            self._hand(order, now).take_out(removed)
            self.shop.rewritten(order)
        return {"order": self.shop.node(order), "userErrors": []}

    def _order(self, id: str) -> Order | None:
        order = self.shop.find(number_of(id))
        return order if order is not None and gid("Order", order.id) == id else None

    def _hand(self, order: Order, at: Any) -> Hand:
        rng = random.Random(f"{order.life.seed}/{order.life.id}/{at.isoformat()}")
        hand = Hand(rng, order.life, self.shop.shelf, self.shop.stamp())
        hand.now = at
        return hand


def _errors(message: str, *path: str) -> list[Asked]:
    return [{"field": list(path), "message": message}]


def _not_cancelled(code: str, message: str) -> Asked:
    return {"job": None, "orderCancelUserErrors": [{"field": ["orderId"], "message": message, "code": code}]}
