"""What the ERP cancelled, called off in the shop: the whole order, or units of it by an edit; never a refund.

How many units a line shall have at most is told, so telling it again changes nothing, and what the shop took out by
itself is not taken out twice. An edit that is not committed changes nothing, and is forgotten by the vendor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.shopify.client import Shop
from connectors.shopify.documents import BEGIN_EDIT, CANCEL_ORDER, COMMIT_EDIT, SET_QUANTITY, STANDING
from connectors.shopify.orders import Orders, number_of
from hub.errors import InDoubt, Rejected

MANY: Final = 50
REASON: Final = "OTHER"
NOTE: Final = "Cancelled in the ERP"


@dataclass(frozen=True, slots=True)
class Standing:
    cancelled: bool
    units: Mapping[str, int]  # by line, those that still count

    def beyond(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """The lines that have more units than they shall have, with what they shall have."""
        return {} if self.cancelled else {x: count for x, count in wanted.items() if self.units.get(x, 0) > count}


def standing(shop: Shop, orders: Orders, order: str) -> Standing:
    """The order's lines as they stand now, read by its id.

    Raises:
        Rejected: the shop does not know the order.
    """
    node = shop.query(STANDING, id=f"gid://shopify/Order/{order}", many=MANY)["order"]
    if node is None:
        remedy = "look for it in the shop: it was deleted, or is hidden from the app"
        raise Rejected(
            f"{shop.config.slug}: no order {order}; {remedy}", code="unknown_order", field="order", remedy=remedy
        )
    orders.complete(node)
    lines = node["lineItems"]["nodes"]
    return Standing(node["cancelledAt"] is not None, {number_of(one["id"]): one["currentQuantity"] for one in lines})


def cancel(shop: Shop, orders: Orders, order: str) -> None:
    """The order is cancelled, its goods are free again, its money stays where it is.

    Raises:
        InDoubt: the shop took it on and has not done it yet, or gave no answer.
        Rejected: the shop refuses it.
    """
    notify = shop.options.notify_customer
    id = f"gid://shopify/Order/{order}"
    shop.mutate(CANCEL_ORDER, id=id, reason=REASON, restock=True, notify=notify, note=NOTE)
    if not standing(shop, orders, order).cancelled:
        raise InDoubt(f"{shop.config.slug}: order {order} is being cancelled")


def take_out(shop: Shop, order: str, beyond: Mapping[str, int]) -> None:
    """These lines have so many units, all changed at once.

    Raises:
        InDoubt: no answer to the edit's last step, the only one that changes anything.
        Rejected: the shop refuses it.
    """
    begun = shop.mutate(BEGIN_EDIT, keyed=True, id=f"gid://shopify/Order/{order}")["calculatedOrder"]["id"]
    for line, quantity in beyond.items():
        shop.mutate(
            SET_QUANTITY, keyed=True, id=begun, line=f"gid://shopify/CalculatedLineItem/{line}", quantity=quantity
        )
    shop.mutate(COMMIT_EDIT, id=begun, notify=shop.options.notify_customer, note=NOTE)
