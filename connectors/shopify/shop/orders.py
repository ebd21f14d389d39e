"""One order of the shop as a node that can be walked: every reference leads to the whole object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.shopify.rehearsal import graphql, rest
from connectors.shopify.rehearsal.happenings import LOCATION_ID
from connectors.shopify.rehearsal.life import Life, Line
from connectors.shopify.rehearsal.money import total
from connectors.shopify.shop.stamps import drawn, gid, number_of
from connectors.shopify.shop.stock import SECOND_LOCATION_ID, Stock

_SPLIT_ONE_IN = 4
_HELD_ONE_IN = 6


@dataclass(slots=True)
class FulfilmentOrder:
    """What one location has to ship of an order."""

    id: int
    location: int
    created_at: datetime
    lines: list[Line]


@dataclass(slots=True, eq=False)
class Order:
    """A life in the shop, with what the life itself does not know."""

    life: Life
    seed: int
    split: bool  # its goods may lie at two locations
    waits_for: datetime | None = None  # the drawn shipment that an integration has to make; the rest follows it
    deleted_at: datetime | None = None

    @property
    def id(self) -> int:
        return self.life.id

    def exists(self, now: datetime) -> bool:
        return self.life.placed_at <= now and (self.deleted_at is None or now < self.deleted_at)

    def hold(self) -> tuple[datetime, datetime] | None:
        """When its fulfilment was on hold: known to the fulfilment orders alone, the order's own stamp stays."""
        if drawn(1, _HELD_ONE_IN, self.seed, self.id, "hold") > 1:
            return None
        start = self.life.placed_at + timedelta(minutes=drawn(20, 90, self.seed, self.id, "held"))
        end = start + timedelta(minutes=drawn(30, 120, self.seed, self.id, "released"))
        first = min((shipment.at for shipment in self.life.shipments), default=end)
        return (start, end) if end <= first else None

    def fulfilment_orders(self, at: datetime) -> list[FulfilmentOrder]:
        life, found = self.life, []
        groups: dict[tuple[datetime, int], list[Line]] = {}
        for line in life.lines_at(at):
            if not line.gift_card:
                key = (line.added_at or life.placed_at, self.location_of(line))
                groups.setdefault(key, []).append(line)
        for number, ((created, location), lines) in enumerate(groups.items()):
            found.append(FulfilmentOrder(life.id + number, location, created, lines))
        return found

    def location_of(self, line: Line) -> int:
        if not self.split or drawn(1, _SPLIT_ONE_IN, self.seed, self.id, "split") > 1:
            return LOCATION_ID
        return SECOND_LOCATION_ID if drawn(0, 1, self.seed, line.id, "shelf") else LOCATION_ID

    def fulfilment_order_stamp(self, group: FulfilmentOrder, at: datetime) -> datetime:
        stamps: list[datetime] = [group.created_at, *(self.hold() or ())]
        for shipment in self.life.shipments:
            if any(line in group.lines for _, line, _ in shipment.parts):
                stamps += [shipment.at, *([shipment.cancelled_at] if shipment.cancelled_at else [])]
        stamps += [gone.at for gone in self.life.gone if not gone.shipped and gone.line in group.lines]
        return max(stamp for stamp in stamps if stamp <= at)

    def fulfilment_order_status(self, group: FulfilmentOrder, at: datetime) -> str:
        life = self.life
        if not any(life.to_ship_at(at, line) > 0 for line in group.lines):
            return "CLOSED" if any(life.shipped_at(at, line) for line in group.lines) else "CANCELLED"
        if life.cancelled_at is not None and life.cancelled_at <= at:
            return "CANCELLED"
        hold = self.hold()
        if hold and hold[0] <= at < hold[1]:
            return "ON_HOLD"
        return "IN_PROGRESS" if any(life.shipped_at(at, line) for line in group.lines) else "OPEN"


def node(order: Order, at: datetime, stock: Stock) -> dict[str, Any]:
    """The order at that moment."""
    life = order.life
    found = graphql.order(life, at)
    bag = life.till.money_bag
    totals = life.totals(at)
    lines = {line.id: line for line in life.lines_at(at)}
    held = [p for p in life.payments_at(at) if p.kind == "authorization" and p.status == "success"]
    ended = {p.parent for p in life.payments_at(at) if p.kind in ("capture", "void")}
    capturable = total([p.amount for p in held if p.id not in ended])
    found |= {
        "__typename": "Order",
        "confirmationNumber": f"C{life.number:08d}",
        "phone": None,
        "sourceIdentifier": None,
        "estimatedTaxes": False,
        "discountCode": next(iter(found["discountCodes"]), None),
        "fullyPaid": totals.outstanding.shop <= 0,
        "unpaid": totals.outstanding.shop > 0,
        "fulfillable": any(life.to_ship_at(at, line) > 0 for line in lines.values() if not line.gift_card),
        "requiresShipping": any(line.ships for line in lines.values()),
        "capturable": bool(capturable),
        "totalCapturableSet": bag(capturable),
        "customAttributes": [],
        "currentTaxLines": found["taxLines"],
        "shippingLine": next(iter(found["shippingLines"]["nodes"]), None),
        "transactionsCount": _count(len(found["transactions"])),
        "fulfillmentsCount": _count(len(found["fulfillments"])),
        "disputes": [],
        "retailLocation": stock.location(LOCATION_ID) if life.source == "pos" else None,
        "subtotalLineItemsQuantity": sum(line.quantity for line in lines.values()),
        "currentSubtotalLineItemsQuantity": sum(line.quantity - life.gone_at(at, line) for line in lines.values()),
        "statusPageUrl": f"https://shop.example.com/orders/{life.id:x}",
    }
    if found["customer"]:
        found["customer"] |= {"__typename": "Customer", "phone": None}
    match found["purchasingEntity"]:
        case {"__typename": "Customer"}:
            found["purchasingEntity"] = found["customer"]
        case {"company": dict(company), "location": dict(location)} as purchaser:
            company["externalId"] = location["externalId"] = None
            purchaser["contact"] = None
    for name in ("billingAddress", "shippingAddress"):
        if found[name]:
            found[name]["id"] = gid("MailingAddress", f"{life.id}?model_name=Address")
    line_nodes = {item["id"]: item for item in found["lineItems"]["nodes"]}
    for item in line_nodes.values():
        line = lines[number_of(item["id"])]
        _whole_line(item, line, life, at, stock)
    transactions = {item["id"]: item for item in found["transactions"]}
    for item in found["transactions"]:
        _whole_transaction(item, found, transactions)
    part_nodes: dict[str, dict[str, Any]] = {}
    for item in found["fulfillments"]:
        _whole_fulfilment(item, found, line_nodes, stock)
        part_nodes |= {part["id"]: part for part in item["fulfillmentLineItems"]["nodes"]}
    shipping = {item["id"]: item for item in found["shippingLines"]["nodes"]}
    for item in found["shippingLines"]["nodes"]:
        item["carrierIdentifier"] = None
    refunds = {item["id"]: item for item in found["refunds"]}
    returns = {item["id"]: item for item in found["returns"]["nodes"]}
    for item in found["refunds"]:
        item |= {"__typename": "Refund", "order": found}
        item["return"] = returns.get(item["return"]["id"]) if item["return"] else None
        item["transactions"] = {"nodes": [transactions[each["id"]] for each in item["transactions"]["nodes"]]}
        for part in item["refundLineItems"]["nodes"]:
            part["lineItem"] = line_nodes[part["lineItem"]["id"]]
            part["priceSet"] = part["lineItem"]["originalUnitPriceSet"]
            part["location"] = stock.location(number_of(part["location"]["id"])) if part["location"] else None
        for part in item["refundShippingLines"]["nodes"]:
            part["shippingLine"] = shipping[part["shippingLine"]["id"]]
    for item in found["returns"]["nodes"]:
        item |= {"__typename": "Return", "order": found, "requestApprovedAt": item["createdAt"]}
        item["refunds"] = {"nodes": [refunds[each["id"]] for each in item["refunds"]["nodes"] if each["id"] in refunds]}
        for part in item["returnLineItems"]["nodes"]:
            part["fulfillmentLineItem"] = part_nodes[part["fulfillmentLineItem"]["id"]]
        for part in item["exchangeLineItems"]["nodes"]:
            part["lineItems"] = [line_nodes[each["id"]] for each in part["lineItems"] if each["id"] in line_nodes]
            part["variantId"] = part["lineItems"][0]["variant"]["id"] if part["lineItems"] else None
            part |= {"processedQuantity": part["quantity"], "unprocessedQuantity": 0}
    groups = order.fulfilment_orders(at)
    found["fulfillmentOrders"] = [_fulfilment_order(order, group, at, found, line_nodes, stock) for group in groups]
    if any(group["status"] == "ON_HOLD" for group in found["fulfillmentOrders"]):
        found["displayFulfillmentStatus"] = "ON_HOLD"
    for item in found["fulfillments"]:
        shipped = {part["lineItem"]["id"] for part in item["fulfillmentLineItems"]["nodes"]}
        item["fulfillmentOrders"] = [
            group
            for group in found["fulfillmentOrders"]
            if any(part["lineItem"]["id"] in shipped for part in group["lineItems"])
        ]
    return found


def _count(number: int) -> dict[str, Any]:
    return {"count": number, "precision": "EXACT"}


def _whole_line(item: dict[str, Any], line: Line, life: Life, at: datetime, stock: Stock) -> None:
    bag = life.till.money_bag
    each = line.gross - line.own_discount
    item |= {
        "__typename": "LineItem",
        "nonFulfillableQuantity": line.quantity - life.to_ship_at(at, line),
        "discountedUnitPriceSet": bag(each.portion(1, line.quantity)),
        "discountedUnitPriceAfterAllDiscountsSet": bag(line.net.portion(1, line.quantity)),
    }
    if item["variant"]:
        variant = number_of(item["variant"]["id"])
        item["variant"] = stock.variant(variant) or item["variant"]
        item["product"] = stock.product(number_of(item["product"]["id"])) or item["product"]


def _whole_transaction(item: dict[str, Any], order: dict[str, Any], known: dict[str, dict[str, Any]]) -> None:
    parent = item["parentTransaction"]
    item |= {
        "__typename": "OrderTransaction",
        "order": order,
        "formattedGateway": item["gateway"].replace("_", " ").title(),
        "parentTransaction": known.get(parent["id"]) if parent else None,
        "settlementCurrency": order["currencyCode"] if item["gateway"] == "shopify_payments" else None,
        "fees": [],
    }


def _whole_fulfilment(
    item: dict[str, Any], order: dict[str, Any], lines: dict[str, dict[str, Any]], stock: Stock
) -> None:
    item |= {
        "__typename": "Fulfillment",
        "order": order,
        "inTransitAt": None,
        "estimatedDeliveryAt": None,
        "requiresShipping": bool(item["location"]),
        "location": stock.location(number_of(item["location"]["id"])) if item["location"] else None,
        "service": None,
    }
    for part in item["fulfillmentLineItems"]["nodes"]:
        line = lines[part["lineItem"]["id"]]
        part |= {
            "lineItem": line,
            "originalTotalSet": line["originalTotalSet"],
            "discountedTotalSet": line["discountedTotalSet"],
        }


def _fulfilment_order(
    order: Order,
    group: FulfilmentOrder,
    at: datetime,
    found: dict[str, Any],
    lines: dict[str, dict[str, Any]],
    stock: Stock,
) -> dict[str, Any]:
    life = order.life
    status = order.fulfilment_order_status(group, at)
    hold = order.hold()
    parts = []
    for line in group.lines:
        item = lines[gid("LineItem", line.id)]
        dropped = sum(g.quantity for g in life.gone if g.line is line and not g.shipped and g.at <= at)
        parts.append(
            {
                "__typename": "FulfillmentOrderLineItem",
                "id": gid("FulfillmentOrderLineItem", line.id),
                "lineItem": item,
                "totalQuantity": line.quantity - dropped,
                "remainingQuantity": 0 if status == "CANCELLED" else max(0, life.to_ship_at(at, line)),
                "sku": line.sku,
                "productTitle": line.title,
                "variantTitle": None,
                "vendor": item["vendor"],
                "requiresShipping": line.ships,
                "inventoryItemId": gid("InventoryItem", stock.item_of(line.product)) if line.product else None,
                "variant": item["variant"],
                "originalUnitPriceSet": item["originalUnitPriceSet"],
            }
        )
    place = stock.location(group.location) or {}
    address = place.get("address", {})
    actions = {"OPEN": ["CREATE_FULFILLMENT", "MOVE", "HOLD", "SPLIT"], "IN_PROGRESS": ["CREATE_FULFILLMENT"]}
    ids = {part["lineItem"]["id"] for part in parts}
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", group.id),
        "status": status,
        "requestStatus": "UNSUBMITTED",
        "createdAt": group.created_at,
        "updatedAt": order.fulfilment_order_stamp(group, at),
        "fulfillAt": group.created_at,
        "fulfillBy": group.created_at + timedelta(days=3) if hold and hold[1] <= at else None,
        "order": found,
        "orderId": found["id"],
        "orderName": found["name"],
        "orderProcessedAt": found["processedAt"],
        "assignedLocation": {
            **{name: address.get(name) for name in ("address1", "address2", "city", "province", "zip", "phone")},
            "countryCode": "US",
            "name": place.get("name"),
            "location": place,
        },
        "lineItems": parts,
        "fulfillments": [
            item
            for item in found["fulfillments"]
            if any(part["lineItem"]["id"] in ids for part in item["fulfillmentLineItems"]["nodes"])
        ],
        "fulfillmentHolds": [
            {
                "__typename": "FulfillmentHold",
                "id": gid("FulfillmentHold", group.id),
                "reason": "AWAITING_PAYMENT",
                "reasonNotes": None,
                "displayReason": "Awaiting payment",
            }
        ]
        if status == "ON_HOLD"
        else [],
        "supportedActions": [{"action": action, "externalUrl": None} for action in actions.get(status, [])],
    }


def indexed(order: Order, at: datetime) -> dict[str, Any]:
    """What the search index holds of the order as it stood then."""
    life = order.life
    totals = life.totals(at)
    cancelled = life.cancelled_at is not None and life.cancelled_at <= at
    shipped = life.fulfillment_status(at)
    return {
        "id": life.id,
        "name": f"#{life.number}",
        "created_at": life.placed_at,
        "processed_at": life.processed_at,
        "updated_at": rest.updated_at(life, at),
        "financial_status": life.financial_status(at, totals),
        "fulfillment_status": [shipped or "unfulfilled", "shipped" if shipped == "fulfilled" else "unshipped"],
        "status": ["cancelled"] if cancelled else ["open", "not_closed"],
        "test": life.test,
        "source_name": life.source,
        "gateway": rest.gateways(life, at),
        "sku": [line.sku for line in life.lines_at(at) if line.sku],
        "po_number": f"PO-{life.company}-{life.index}" if life.company is not None else None,
        "tag": [],
        "total": totals.price.shop,
    }


SEARCHABLE = frozenset(
    "id name created_at processed_at updated_at financial_status fulfillment_status status test source_name gateway sku"
    " po_number tag".split()
)
