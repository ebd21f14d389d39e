"""Mutations of fulfilment: not idempotent, correct against fulfilment orders, refused with userErrors in a 200."""

from __future__ import annotations

from typing import Any

from connectors.shopify.rehearsal.hand import happen, put
from connectors.shopify.rehearsal.life import Line, Shipment
from connectors.shopify.shop.orders import FulfilmentOrder, Order
from connectors.shopify.shop.resolvers import Root
from connectors.shopify.shop.stamps import gid, number_of
from connectors.shopify.shop.world import Shop

Asked = dict[str, Any]
Part = tuple[Line, int]


class Refused(Exception):
    """The mutation is refused, with the vendor's words."""

    def __init__(self, message: str, path: list[str] | None = None) -> None:
        super().__init__(message)
        self.path = path or ["fulfillment"]


class Fulfilling:
    """Ships, changes tracking, cancels."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def mutations(self) -> Root:
        return {
            "fulfillmentCreate": self.create,
            "fulfillmentTrackingInfoUpdate": self.retrack,
            "fulfillmentCancel": self.cancel,
        }

    def create(self, fulfillment: Asked, message: str | None = None) -> Asked:
        """A second call ships again while units remain: nothing tells it from the first."""
        try:
            order, location, parts = self._wanted(fulfillment["lineItemsByFulfillmentOrder"])
        except Refused as refusal:
            return {"fulfillment": None, "userErrors": [{"field": refusal.path, "message": str(refusal)}]}
        company, numbers, urls = _tracking(fulfillment.get("trackingInfo") or {})
        shipment = put(order.life, self.shop.stamp(), parts, company, numbers, urls, location)
        self.shop.follow(order, shipment)
        return self._answer(order, shipment)

    def _wanted(self, asked: list[Asked]) -> tuple[Order, int, list[Part]]:
        if not asked:
            raise Refused("Line items by fulfillment order can't be blank")
        orders: set[int] = set()
        locations: set[int] = set()
        parts: list[Part] = []
        found: Order | None = None
        for each in asked:
            found, group = self._group(each["fulfillmentOrderId"])
            orders.add(found.id)
            locations.add(group.location)
            parts += self._parts(found, group, each.get("fulfillmentOrderLineItems"))
        if len(orders) > 1:
            raise Refused("All fulfillment orders must belong to the same order.")
        if len(locations) > 1:
            raise Refused("All fulfillment orders must be assigned to the same location.")
        assert found is not None
        return found, locations.pop(), parts

    def _group(self, id: str) -> tuple[Order, FulfilmentOrder]:
        number = number_of(id)
        order = self.shop.owner(number)
        groups = order.fulfilment_orders(self.shop.now) if order else []
        group = next((each for each in groups if gid("FulfillmentOrder", each.id) == id), None)
        if order is None or group is None:
            raise Refused("Fulfillment order does not exist.")
        status = order.fulfilment_order_status(group, self.shop.now)
        if status not in ("OPEN", "IN_PROGRESS"):
            raise Refused(f"Fulfillment order {number} has an unfulfillable status= {status.lower()}.")
        return order, group

    def _parts(self, order: Order, group: FulfilmentOrder, asked: list[Asked] | None) -> list[Part]:
        now = self.shop.now
        if not asked:
            return [(line, left) for line in group.lines if (left := order.life.to_ship_at(now, line)) > 0]
        lines = {gid("FulfillmentOrderLineItem", line.id): line for line in group.lines}
        taken: dict[int, int] = {}
        parts = []
        for each in asked:
            line = lines.get(each["id"])
            if line is None:
                raise Refused("Fulfillment order line item does not exist.")
            taken[line.id] = taken.get(line.id, 0) + each["quantity"]
            if each["quantity"] <= 0 or taken[line.id] > order.life.to_ship_at(now, line):
                raise Refused("Invalid fulfillment order line item quantity requested.")
            parts.append((line, each["quantity"]))
        return parts

    def retrack(self, fulfillmentId: str, trackingInfoInput: Asked, notifyCustomer: bool | None = None) -> Asked:
        found = self._shipment(fulfillmentId)
        if found is None:
            return _refused("Fulfillment does not exist.", ["fulfillmentId"])
        order, shipment = found
        if shipment.cancelled_at is not None:
            return _refused("Fulfillment is cancelled.", ["fulfillmentId"])
        now = self.shop.stamp()
        shipment.carrier, shipment.numbers, shipment.urls = _tracking(trackingInfoInput)
        shipment.changed_at = now
        happen(order.life, now, "fulfillments/update", shipment)
        self.shop.rewritten(order)
        return self._answer(order, shipment)

    def cancel(self, id: str) -> Asked:
        found = self._shipment(id)
        if found is None:
            return _refused("Fulfillment not found.", ["id"])
        order, shipment = found
        now = self.shop.stamp()
        if shipment.cancelled_at is not None:
            return _refused("Fulfillment is already cancelled.", ["id"])
        if shipment.delivered_at is not None and shipment.delivered_at <= now:
            return _refused("Fulfillment cannot be cancelled after delivery.", ["id"])
        shipment.cancelled_at, shipment.delivered_at = now, None
        life = order.life
        life.happenings = [
            each
            for each in life.happenings
            if not (each.of is shipment and each.at > now and each.topic.endswith("update"))
        ]
        happen(life, now, "fulfillments/update", shipment)
        self.shop.rewritten(order)
        return self._answer(order, shipment)

    def _shipment(self, id: str) -> tuple[Order, Shipment] | None:
        number = number_of(id)
        order = self.shop.owner(number)
        for shipment in order.life.shipments if order else ():
            if shipment.id == number and shipment.at <= self.shop.now and gid("Fulfillment", number) == id:
                assert order is not None
                return order, shipment
        return None

    def _answer(self, order: Order, shipment: Shipment) -> Asked:
        made = gid("Fulfillment", shipment.id)
        found = next(each for each in self.shop.node(order)["fulfillments"] if each["id"] == made)
        return {"fulfillment": found, "userErrors": []}


def _refused(message: str, path: list[str]) -> Asked:
    return {"fulfillment": None, "userErrors": [{"field": path, "message": message}]}


def _tracking(asked: Asked) -> tuple[str | None, list[str], list[str] | None]:
    """Company, numbers and addresses; one number and several are two fields of the input."""
    numbers = list(asked.get("numbers") or ([asked["number"]] if asked.get("number") else []))
    urls = list(asked.get("urls") or ([asked["url"]] if asked.get("url") else []))
    return asked.get("company"), numbers, urls or None
