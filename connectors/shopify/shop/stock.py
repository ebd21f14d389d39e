"""What the shop sells and has on its shelves, by location."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.shopify.rehearsal.basket import Shelf, variant_id
from connectors.shopify.rehearsal.catalogue import Product
from connectors.shopify.rehearsal.happenings import LOCATION_ID
from connectors.shopify.rehearsal.money import decimal, exponent
from connectors.shopify.shop.stamps import drawn, gid

SECOND_LOCATION_ID = LOCATION_ID + 1
_PLACES = {
    LOCATION_ID: ("Louisville Warehouse", "1 Dock Street", "Louisville", "Kentucky", "KY", "40202"),
    SECOND_LOCATION_ID: ("Reno Warehouse", "2 Depot Road", "Reno", "Nevada", "NV", "89501"),
}
LOCATIONS = tuple(_PLACES)
_PRODUCT_OFFSET = 30_000_000_000_000
_ITEM_OFFSET = 5_000_000_000_000


@dataclass(slots=True)
class Level:
    """One item at one location; `committed` is sold and not yet shipped, on hand is the sum."""

    item: int
    location: int
    available: int
    updated_at: datetime
    committed: int = 0

    @property
    def id(self) -> int:
        return self.item * 10 + self.location % 10

    def quantity(self, name: str) -> int | None:
        """None: no such quantity."""
        named = {"available": self.available, "committed": self.committed, "on_hand": self.available + self.committed}
        return named.get(
            name, 0 if name in ("incoming", "reserved", "damaged", "quality_control", "safety_stock") else None
        )


@dataclass(slots=True)
class Stock:
    """Variants, items and levels, as nodes."""

    shelf: Shelf
    opened_at: datetime
    levels: dict[tuple[int, int], Level] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)  # by variant

    def __post_init__(self) -> None:
        for product in self.shelf.by_sku.values():
            variant = variant_id(product)
            self.products[variant] = product
            if product.kind == "product":
                for location in LOCATIONS:
                    available = drawn(200, 900, "stock", product.sku, location)
                    self.levels[variant + _ITEM_OFFSET, location] = Level(
                        variant + _ITEM_OFFSET, location, available, self.opened_at
                    )

    def item_of(self, product: Product) -> int:
        return variant_id(product) + _ITEM_OFFSET

    def move(
        self, product: Product | None, location: int, at: datetime, available: int, committed: int
    ) -> Level | None:
        """Units were sold, shipped or put back; the level that changed, if the product is counted at all."""
        if product is None or (level := self.levels.get((self.item_of(product), location))) is None:
            return None
        level.available += available
        level.committed += committed
        level.updated_at = at
        return level

    def location(self, number: int) -> dict[str, Any] | None:
        if number not in _PLACES:
            return None
        name, street, city, province, code, postal_code = _PLACES[number]
        return {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": str(number),
            "name": name,
            "isActive": True,
            "isPrimary": number == LOCATION_ID,
            "shipsInventory": True,
            "fulfillsOnlineOrders": True,
            "isFulfillmentService": False,
            "createdAt": self.opened_at,
            "updatedAt": self.opened_at,
            "address": {
                "address1": street,
                "address2": None,
                "city": city,
                "province": province,
                "provinceCode": code,
                "country": "United States",
                "countryCode": "US",
                "zip": postal_code,
                "phone": None,
            },
            "inventoryLevel": lambda inventoryItemId, **_: self._level_of(inventoryItemId, number),
            "inventoryLevels": lambda **_: [
                self.level(each) for each in self.levels.values() if each.location == number
            ],
        }

    def _level_of(self, item: str, location: int) -> dict[str, Any] | None:
        level = self.levels.get((int(item.rpartition("/")[2]), location))
        return self.level(level) if level else None

    def level(self, level: Level) -> dict[str, Any]:
        return {
            "__typename": "InventoryLevel",
            "id": gid("InventoryLevel", f"{level.id}?inventory_item_id={level.item}"),
            "isActive": True,
            "createdAt": self.opened_at,
            "updatedAt": level.updated_at,
            "item": lambda: self.item(level.item),
            "location": lambda: self.location(level.location),
            "quantities": lambda names: [
                {
                    "id": gid("InventoryQuantity", f"{level.id}?inventory_item_id={level.item}&name={name}"),
                    "name": name,
                    "quantity": quantity,
                    "updatedAt": level.updated_at,
                }
                for name in names
                if (quantity := level.quantity(name)) is not None
            ],
        }

    def item(self, number: int) -> dict[str, Any] | None:
        product = self.products.get(number - _ITEM_OFFSET)
        if product is None:
            return None
        currency = self.shelf.currency
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", number),
            "legacyResourceId": str(number),
            "sku": product.sku,
            "tracked": product.kind == "product",
            "requiresShipping": product.kind != "gift_card",
            "createdAt": self.opened_at,
            "updatedAt": self.opened_at,
            "harmonizedSystemCode": product.hs_code,
            "countryCodeOfOrigin": "DE",
            "unitCost": {"amount": str(product.cost), "currencyCode": currency},
            "inventoryLevel": lambda locationId, **_: self._level_of(str(number), int(locationId.rpartition("/")[2])),
            "inventoryLevels": lambda **_: [self.level(each) for each in self.levels.values() if each.item == number],
            "variant": lambda: self.variant(number - _ITEM_OFFSET),
        }

    def variant(self, number: int) -> dict[str, Any] | None:
        product = self.products.get(number)
        if product is None:
            return None
        digits = exponent(self.shelf.currency)
        levels = [level for level in self.levels.values() if level.item == number + _ITEM_OFFSET]
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", number),
            "legacyResourceId": str(number),
            "title": "Default Title",
            "displayName": f"{product.title} - Default Title",
            "sku": product.sku,
            "barcode": None,
            "price": decimal(self.shelf.price(product, self.shelf.currency), digits, 10**digits),
            "taxable": product.taxable,
            "createdAt": self.opened_at,
            "updatedAt": self.opened_at,
            "inventoryItem": lambda: self.item(number + _ITEM_OFFSET),
            "inventoryQuantity": sum(level.available for level in levels),
            "product": lambda: self.product(number - _PRODUCT_OFFSET),
        }

    def product(self, number: int) -> dict[str, Any] | None:
        product = self.products.get(number + _PRODUCT_OFFSET)
        if product is None:
            return None
        return {
            "__typename": "Product",
            "id": gid("Product", number),
            "legacyResourceId": str(number),
            "title": product.title,
            "handle": product.sku.lower(),
            "status": "ACTIVE",
            "vendor": "Ridgeline",
            "createdAt": self.opened_at,
            "updatedAt": self.opened_at,
            "variants": lambda **_: [self.variant(number + _PRODUCT_OFFSET)],
        }
