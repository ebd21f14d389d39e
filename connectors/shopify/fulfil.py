"""Shipments told to the shop: which fulfilment orders they are of, the calls that tell them, and what stands there.

A fulfilment names the fulfilment orders that it fulfils; all of one call are of one location. Telling it twice makes
two: whoever tells looks first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.shopify.client import Shop
from connectors.shopify.documents import CANCEL_FULFILMENT, FULFIL, FULFILMENT_ORDERS, FULFILMENTS, TRACK
from connectors.shopify.orders import Node, Orders, next_cursor, number_of
from hub.errors import Rejected, Retryable
from hub.model.facts import Parcel

PAGES_MAX: Final = 100
SIZE: Final = 10
FEW: Final = 50
OPEN: Final = ("OPEN", "IN_PROGRESS")
ACTION: Final = "CREATE_FULFILLMENT"


@dataclass(frozen=True, slots=True)
class Part:
    """What a fulfilment order has left of one line."""

    id: str  # of the fulfilment order's line
    line: str  # of the order
    remaining: int


@dataclass(frozen=True, slots=True)
class FulfilmentOrder:
    id: str
    status: str
    location: str | None
    fulfillable: bool  # by us, now
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A fulfilment that stands in the shop."""

    id: str
    status: str
    location: str | None
    units: Mapping[str, int]  # by the order's line
    numbers: tuple[str, ...]

    @property
    def stands(self) -> bool:
        return self.status not in ("CANCELLED", "ERROR", "FAILURE")


@dataclass(frozen=True, slots=True)
class Call:
    """One fulfilment to be made: parts of fulfilment orders of one location."""

    location: str | None
    parts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]  # fulfilment order, its lines with quantities


def fulfilment_orders(shop: Shop, orders: Orders, order: str) -> list[FulfilmentOrder]:
    """The order's fulfilment orders, all their lines with them.

    Raises:
        Rejected: the shop does not know the order.
    """
    found: list[FulfilmentOrder] = []
    after: str | None = None
    for _ in range(PAGES_MAX):
        node = shop.query(FULFILMENT_ORDERS, id=f"gid://shopify/Order/{order}", after=after, size=SIZE)["order"]
        if node is None:
            raise _unknown(shop, order)
        connection = node["fulfillmentOrders"]
        after = next_cursor(connection)
        for one in connection["nodes"]:
            orders.complete(one)
            found.append(_fulfilment_order(one))
        if after is None:
            return found
    raise Retryable(f"{shop.config.slug}: more than {PAGES_MAX} pages of fulfilment orders")


def fulfilments(shop: Shop, orders: Orders, order: str) -> list[Held]:
    """The order's fulfilments as they stand now, read by the order's id: no search, so nothing lags.

    Raises:
        Rejected: the shop does not know the order.
    """
    node = shop.query(FULFILMENTS, id=f"gid://shopify/Order/{order}", few=FEW)["order"]
    if node is None:
        raise _unknown(shop, order)
    orders.complete(node)
    return [_held(one) for one in node["fulfillments"]]


def planned(shop: Shop, found: Sequence[FulfilmentOrder], units: Mapping[str, int], location: str | None) -> list[Call]:
    """The calls that tell these units, one a location.

    Args:
        units: by the order's line.
        location: where the goods left; None: wherever the shop would have them leave.

    Raises:
        Rejected: the fulfilment orders do not have so much left.
    """
    usable = [one for one in found if one.fulfillable]
    usable.sort(key=lambda one: one.location != location)  # stable: the location that they left first, then any
    taken: dict[str | None, dict[str, list[tuple[str, int]]]] = {}
    for line, quantity in units.items():
        left = quantity
        for one in usable:
            for part in one.parts:
                if part.line == line and left > 0 and part.remaining > 0:
                    take = min(left, part.remaining)
                    taken.setdefault(one.location, {}).setdefault(one.id, []).append((part.id, take))
                    left -= take
        if left > 0:
            raise _not_fulfillable(shop, found, line, quantity, quantity - left)
    return [
        Call(place, tuple((identity, tuple(lines)) for identity, lines in parts.items()))
        for place, parts in taken.items()
    ]


def fulfil(shop: Shop, call: Call, parcels: Sequence[Parcel]) -> str:
    """The id of the fulfilment that was made.

    Raises:
        InDoubt: no answer.
        Rejected: the shop refuses it.
    """
    fulfillment: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": identity,
                "fulfillmentOrderLineItems": [{"id": part, "quantity": quantity} for part, quantity in lines],
            }
            for identity, lines in call.parts
        ],
        "notifyCustomer": shop.options.notify_customer,
    }
    if tracking := _tracking(parcels):
        fulfillment["trackingInfo"] = tracking
    return number_of(shop.mutate(FULFIL, fulfillment=fulfillment)["fulfillment"]["id"])


def track(shop: Shop, fulfilment: str, parcels: Sequence[Parcel]) -> None:
    """The fulfilment has this tracking; telling it twice changes nothing more."""
    shop.mutate(
        TRACK,
        keyed=True,
        id=f"gid://shopify/Fulfillment/{fulfilment}",
        tracking=_tracking(parcels),
        notify=shop.options.notify_customer,
    )


def cancel(shop: Shop, fulfilment: str) -> None:
    """The fulfilment is cancelled."""
    shop.mutate(CANCEL_FULFILMENT, id=f"gid://shopify/Fulfillment/{fulfilment}")


# --- parts ----------------------------------------------------------------------------------------------------------


def _fulfilment_order(node: Node) -> FulfilmentOrder:
    location = (node["assignedLocation"] or {}).get("location")
    actions = {action["action"] for action in node["supportedActions"]}
    return FulfilmentOrder(
        node["id"],
        node["status"],
        number_of(location["id"]) if location else None,
        node["status"] in OPEN and ACTION in actions,
        tuple(
            Part(part["id"], number_of(part["lineItem"]["id"]), part["remainingQuantity"])
            for part in node["lineItems"]["nodes"]
        ),
    )


def _held(node: Node) -> Held:
    units: dict[str, int] = {}
    for item in node["fulfillmentLineItems"]["nodes"]:
        line = number_of(item["lineItem"]["id"])
        units[line] = units.get(line, 0) + (item["quantity"] or 0)
    return Held(
        number_of(node["id"]),
        node["status"],
        number_of(node["location"]["id"]) if node["location"] else None,
        units,
        tuple(item["number"] for item in node["trackingInfo"] if item["number"]),
    )


def _tracking(parcels: Sequence[Parcel]) -> dict[str, Any]:
    """One carrier a fulfilment: the first that is named."""
    carriers = [parcel.carrier for parcel in parcels if parcel.carrier]
    found: dict[str, Any] = {"company": carriers[0]} if carriers else {}
    if numbers := [parcel.tracking_number for parcel in parcels if parcel.tracking_number]:
        found["numbers"] = numbers
    if urls := [parcel.url for parcel in parcels if parcel.url]:
        found["urls"] = urls
    return found


def _unknown(shop: Shop, order: str) -> Rejected:
    remedy = "look for it in the shop: it was deleted, or is hidden from the app"
    return Rejected(
        f"{shop.config.slug}: no order {order}; {remedy}", code="unknown_order", field="order", remedy=remedy
    )


def _not_fulfillable(shop: Shop, found: Iterable[FulfilmentOrder], line: str, wanted: int, had: int) -> Rejected:
    blocked = sorted({one.status for one in found if not one.fulfillable and any(p.line == line for p in one.parts)})
    because = f"; its fulfilment orders are {', '.join(blocked)}" if blocked else ""
    code = "on_hold" if "ON_HOLD" in blocked else "not_fulfillable"
    remedy = "release the hold in the shop" if code == "on_hold" else "compare the order's shipments in shop and ERP"
    return Rejected(
        f"{shop.config.slug}: line {line}: {wanted} to ship, {had} can be fulfilled{because}; {remedy}",
        code=code,
        field="lines",
        remedy=remedy,
    )
