"""What the rehearsed shop sells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connectors.shopify.rehearsal.money import PER_USD_MICRO, exponent


@dataclass(frozen=True, slots=True)
class Product:
    """One thing sold; prices and cost in US dollars, see `unit_price_minor` for a shop in another currency."""

    sku: str
    title: str
    price: Decimal
    cost: Decimal
    kind: Literal["product", "kit", "gift_card"] = "product"
    components: tuple[tuple[str, int], ...] = ()  # (sku, quantity in one kit); only kits have any
    weight_g: int = 0
    taxable: bool = True
    hs_code: str = "420292"

    @property
    def list_price(self) -> Decimal:
        """The price on the merchant's list, before any discount."""
        return self.price

    def unit_price_minor(self, currency: str) -> int:
        """The price one unit has in a shop of that currency, in minor units."""
        scale: int = 10 ** exponent(currency)
        micro = int(self.price * 100) * PER_USD_MICRO[currency] * scale // 100
        return max(1, (micro + 500_000) // 1_000_000)


def _product(
    sku: str, title: str, price: str, cost: str, weight_g: int = 300, *, taxable: bool = True, hs_code: str = "420292"
) -> Product:
    return Product(sku, title, Decimal(price), Decimal(cost), "product", (), weight_g, taxable, hs_code)


def _kit(sku: str, title: str, price: str, *components: tuple[str, int]) -> Product:
    cost = sum((_BY_SKU[part].cost * count for part, count in components), Decimal(0))
    return Product(sku, title, Decimal(price), cost, "kit", components)


_PRODUCTS = (
    _product("TENT-2P-GRN", "Ridge Tent, 2 Person - Green", "249.00", "118.40", 2400, hs_code="630622"),
    _product("TENT-4P-SND", "Ridge Tent, 4 Person - Sand", "389.00", "187.25", 4100, hs_code="630622"),
    _product("BAG-0C-L", "Down Sleeping Bag 0 C - Long", "179.95", "84.10", 1300, hs_code="940430"),
    _product("BAG-10C-R", "Down Sleeping Bag 10 C - Regular", "129.95", "58.72", 950, hs_code="940430"),
    _product("PAD-AIR-R", "Air Pad - Regular", "89.90", "35.15", 480, hs_code="940421"),
    _product("STOVE-MINI", "Pocket Stove", "44.50", "17.35", 95, hs_code="732111"),
    _product("FUEL-230", "Gas Canister 230 g", "7.95", "3.12", 380, hs_code="271113"),
    _product("POT-SET-2", "Pot Set for Two", "54.00", "22.08", 610, hs_code="761510"),
    _product("MUG-ENAMEL-BLU", "Enamel Mug - Blue", "12.50", "3.77", 160, hs_code="732394"),
    _product("LAMP-HEAD-350", "Head Lamp 350 lm", "39.99", "14.61", 88, hs_code="851310"),
    _product("ROPE-9.8-60", "Rope 9.8 mm, 60 m", "189.00", "92.30", 3900, hs_code="560750"),
    _product("SHOE-TRAIL-42", "Trail Shoe - 42", "134.99", "55.43", 720, hs_code="640299"),
    _product("SHOE-TRAIL-44", "Trail Shoe - 44", "134.99", "55.43", 760, hs_code="640299"),
    _product("SHIRT-MERINO-M", "Merino Shirt - M", "69.95", "26.91", 190, hs_code="610990"),
    _product("SHIRT-MERINO-L", "Merino Shirt - L", "69.95", "26.91", 205, hs_code="610990"),
    _product("SOCK-HIKE-2", "Hiking Socks, Pair", "17.33", "5.06", 70, hs_code="611596"),
    _product("BOTTLE-1L", "Steel Bottle 1 L", "29.00", "9.94", 340, hs_code="961700"),
    _product("MAP-ALPS-25K", "Map of the Alps 1:25,000", "18.90", "7.45", 110, taxable=False, hs_code="490591"),
    _product("BAR-OAT-12", "Oat Bars, Box of 12", "21.60", "10.02", 640, taxable=False, hs_code="190420"),
    _product("PATCH-KIT", "Repair Patches", "6.49", "1.21", 25, hs_code="560394"),
)
_BY_SKU = {product.sku: product for product in _PRODUCTS}

CATALOGUE: tuple[Product, ...] = (
    *_PRODUCTS,
    _kit("KIT-CAMP-2", "Camp Set for Two", "399.00", ("TENT-2P-GRN", 1), ("PAD-AIR-R", 2)),
    _kit("KIT-COOK", "Trail Kitchen", "99.00", ("STOVE-MINI", 1), ("FUEL-230", 2), ("POT-SET-2", 1)),
    Product("GIFT-50", "Gift Card 50", Decimal("50.00"), Decimal("0.00"), "gift_card", taxable=False),
    Product("GIFT-100", "Gift Card 100", Decimal("100.00"), Decimal("0.00"), "gift_card", taxable=False),
)


def chosen(skus: Sequence[str] | None) -> tuple[Product, ...]:
    """The catalogue, or only the named SKUs; a name that it does not hold becomes a plain product of that name."""
    if skus is None:
        return CATALOGUE
    known = {product.sku: product for product in CATALOGUE}
    return tuple(known.get(sku) or _product(sku, f"Item {sku}", "25.00", "10.00") for sku in skus)
