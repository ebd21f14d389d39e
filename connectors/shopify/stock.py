"""Stock levels told to the shop, by compare-and-set: a level that moved meanwhile is looked at, never overwritten."""

from dataclasses import dataclass
from typing import Final

from connectors.shopify.client import Shop
from connectors.shopify.documents import SET_STOCK, STOCK
from hub.errors import Rejected

NAME: Final = "on_hand"
REASON: Final = "correction"


@dataclass(frozen=True, slots=True)
class Level:
    """What the shop has of an item at a location."""

    item: str  # gid of the inventory item
    location: str  # gid
    on_hand: int


def level(shop: Shop, sku: str, location: str) -> Level:
    """The item's level.

    Raises:
        Rejected: no item, or more than one, has the SKU; or it is not kept at the location.
    """
    if not location:
        remedy = "map the ERP's location to the shop's: orderhub crosswalk set location"
        raise _refused(shop, f"no location is named for {sku}", "no_location", "location", remedy)
    place = location if location.startswith("gid://") else f"gid://shopify/Location/{location}"
    quoted = sku.replace("\\", "\\\\").replace("'", "\\'")
    nodes = shop.query(STOCK, query=f"sku:'{quoted}'", location=place)["inventoryItems"]["nodes"]
    nodes = [node for node in nodes if node["sku"] == sku]  # the search also finds what only begins so
    if len(nodes) != 1:
        code = "twice" if nodes else "unknown_item"
        remedy = "give every variant an SKU of its own" if nodes else "map the item to its SKU: orderhub crosswalk set"
        raise _refused(shop, f"{len(nodes)} items have the SKU {sku}", code, "item", remedy)
    [node] = nodes
    held = node["inventoryLevel"]
    if held is None or not node["tracked"]:
        remedy = "stock the item at the location in the shop, and have the shop track it"
        raise _refused(shop, f"{sku} is not kept at location {location}", "not_stocked", "location", remedy)
    on_hand = next(part["quantity"] for part in held["quantities"] if part["name"] == NAME)
    return Level(node["id"], place, on_hand)


def set_level(shop: Shop, seen: Level, quantity: int, key: str) -> None:
    """The shop has the quantity on hand, if it still had what was seen.

    Args:
        key: the shop does it once, however often it is sent with this key.

    Raises:
        Rejected: code change_from_quantity_stale where the level moved meanwhile.
        InDoubt: no answer.
    """
    shop.mutate(
        SET_STOCK,
        keyed=True,
        key=key,
        input={
            "name": NAME,
            "reason": REASON,
            "quantities": [
                {
                    "inventoryItemId": seen.item,
                    "locationId": seen.location,
                    "quantity": quantity,
                    "changeFromQuantity": seen.on_hand,
                }
            ],
        },
    )


def _refused(shop: Shop, message: str, code: str, field: str, remedy: str) -> Rejected:
    return Rejected(f"{shop.config.slug}: {message}; {remedy}", code=code, field=field, remedy=remedy)
