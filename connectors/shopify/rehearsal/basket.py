"""Draws what one order of the rehearsed shop holds when it is placed: goods, discounts, shipping, taxes, extras."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from connectors.shopify.rehearsal.catalogue import Product
from connectors.shopify.rehearsal.life import (
    IMPORTED_FROM,
    Allocation,
    Application,
    Duty,
    Kit,
    Life,
    Line,
    Shipping,
    Tax,
    TaxRule,
)
from connectors.shopify.rehearsal.money import PER_USD_MICRO, Amount, Till, exponent, spread, total

IDS_AN_ORDER = 200
BIG_ID_BASE = 820_000_000_000_000_000  # beyond what a JavaScript number holds exactly

NEEDS_TWO_UNITS = {"partial_fulfilment", "several_fulfilments", "cancelled_part", "edit_removed", "full_refund"}
NOT_FOREIGN = {"exchange", "edit_added", "edit_removed", "edit_swapped", "gift_card_refund"}
RETURNS_EVERYTHING = {"cancelled_paid", "full_refund"}
RETURNS_SHIPPING = {"cancelled_paid", "full_refund", "refund_shipping_only"}
ON_TERMS = {"delivered", "unfulfilled", "partial_fulfilment", "several_fulfilments", "pending_payment"}
_EDITED = {"edit_added", "edit_removed", "edit_swapped"}
_UNPAID_CANCELLED = {"cancelled_unpaid", "cancelled_unpaid_restocked"}
_WITHOUT_GIFT_CARDS = _UNPAID_CANCELLED | RETURNS_EVERYTHING
_BUYERS_CURRENCIES = {"USD": ("EUR", "GBP", "JPY", "CAD"), "EUR": ("USD", "GBP")}
_VAT = {"JPY": ("Consumption Tax", 1000), "KWD": ("VAT", 500)}

T = TypeVar("T")


class Shelf:
    """The products of one shop with their prices, worked out once for all its orders."""

    def __init__(self, products: Sequence[Product], currency: str) -> None:
        self.currency = currency
        self.goods = tuple(product for product in products if product.kind == "product")
        self.kits = tuple(product for product in products if product.kind == "kit")
        self.gift_cards = tuple(product for product in products if product.kind == "gift_card")
        self.by_sku = {product.sku: product for product in products}
        self._prices: dict[tuple[str, str], int] = {}

    def price(self, product: Product, currency: str) -> int:
        """One unit in minor units of that currency."""
        key = (product.sku, currency)
        if key not in self._prices:
            self._prices[key] = product.unit_price_minor(currency)
        return self._prices[key]


def variant_id(product: Product) -> int:
    """The vendor's id of what is sold, the same in every order."""
    return 39_000_000_000_000 + zlib.crc32(product.sku.encode())


class Basket:
    """An order as placed; `life` is then carried on by its course."""

    def __init__(self, rng: random.Random, seed: int, index: int, start: datetime, days: int, shelf: Shelf) -> None:
        self.random = rng.random
        self.shelf = shelf
        self.plain = True
        self.ending = "delivered"
        self.rules: list[TaxRule] = []
        placed_at = start + timedelta(seconds=int(self.random() * max(1, days) * 86_400))
        first_id = 14_000_000_000_000 + seed % 500 * 10_000_000_000 + index * IDS_AN_ORDER
        if index % 5 == 3:
            first_id += BIG_ID_BASE
        till = Till(shelf.currency, shelf.currency)
        self.life = Life(seed, index, first_id, till, placed_at, set(), last_id=first_id)

    def fill(self, ending: str | None) -> None:
        """The order is placed; `ending` is how its course will end, None for a plain order."""
        self.plain = ending is None
        self.ending = ending or "delivered"
        self._circumstances()
        self._goods()
        self._discounts()
        self._ship_and_tax()
        self._extras()

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def usd(self, cents: int) -> Amount:
        """So many US cents' worth in the order's currencies."""
        till = self.life.till
        shop = _worth(cents, till.shop)
        return Amount(shop, _worth(cents, till.buyer) if till.foreign else shop)

    def trait(self, name: str) -> None:
        self.life.traits.add(name)

    def price(self, product: Product) -> Amount:
        till = self.life.till
        shop = self.shelf.price(product, till.shop)
        return Amount(shop, self.shelf.price(product, till.buyer) if till.foreign else shop)

    def line(self, product: Product, quantity: int) -> Line:
        ships = product.kind != "gift_card"
        return Line(
            self.life.next_id(),
            product,
            product.title,
            product.sku,
            quantity,
            self.price(product),
            product.taxable,
            ships,
        )

    def tax(self, line: Line) -> None:
        """The line's tax lines follow from its amount after discounts."""
        line.settle()
        if line.taxable:
            line.taxes = self.taxes(line.net)
            line.settle()

    def taxes(self, base: Amount) -> list[Tax]:
        beyond = sum(rule.basis_points for rule in self.rules) if self.life.taxes_included else 0
        return [Tax(rule, base.portion(rule.basis_points, 10_000 + beyond)) for rule in self.rules]

    def _circumstances(self) -> None:
        life, shop = self.life, self.shelf.currency
        life.buyer = 1 + int(self.random() * 400)
        if self.plain:
            self.trait("plain")
            life.taxes_included = shop != "USD" or self.chance(0.08)
        else:
            if self.ending not in NOT_FOREIGN and self.chance(0.13):
                buyer = self.pick(_BUYERS_CURRENCIES.get(shop, ("USD",)))
                life.till = Till(shop, buyer)
                self.trait("foreign_presentment")
            life.taxes_included = shop != "USD" or self.chance(0.6 if life.till.foreign else 0.15)
            if self.ending in ON_TERMS and not life.till.foreign and self.chance(0.22):
                life.company = 1 + life.buyer % 40
                life.terms_days = self.pick((7, 30, 60))
                self.trait("b2b")
            elif self.chance(0.13):
                life.buyer = None
                self.trait("guest")
            if life.company is None and self.chance(0.08):
                life.source = self.pick(IMPORTED_FROM)
                self.trait("marketplace_tax")
            if self.ending == "delivered" and life.company is None and life.source == "web" and not life.till.foreign:
                self._at_the_till()
            if self.chance(0.05):
                life.test = True
                self.trait("test")
        if not self.chance(0.1) or "marketplace_tax" in life.traits:
            self._rules()
        if not self.rules:
            life.taxes_included = False
            self.trait("untaxed")
        elif life.taxes_included:
            self.trait("tax_included")

    def _at_the_till(self) -> None:
        if self.chance(0.35):
            self.life.source = "pos"
            self.trait("cash_rounding")

    def _rules(self) -> None:
        market = "marketplace_tax" in self.life.traits
        if self.life.taxes_included:
            title, points = _VAT.get(self.shelf.currency, ("VAT", 2000))
            self.rules = [TaxRule(title, points, market)]
            return
        self.rules = [TaxRule("Kentucky State Tax", 600, market)]
        if self.chance(0.2):
            self.rules.append(TaxRule("Jefferson County Tax", 225, market))
            self.trait("two_jurisdictions")

    def _goods(self) -> None:
        life, goods = self.life, self.shelf.goods
        count = self.pick((1, 1, 2, 2, 3)) if self.plain else self.pick((1, 1, 2, 2, 3, 4, 5, 6))
        drawn: dict[str, Product] = {}
        for _ in range(count):
            product = self.pick(goods)
            drawn.setdefault(product.sku, product)
        life.lines = [self.line(product, self.pick((1, 1, 1, 1, 2, 3))) for product in drawn.values()]
        if self.plain:
            return
        if self.ending in NEEDS_TWO_UNITS and sum(line.quantity for line in life.lines) < 2:
            life.lines[0].quantity = 2
        if self.chance(0.08):
            again = self.line(self.pick(list(drawn.values())), 1)
            again.properties = [("Engraving", "for Sam")]
            life.lines.append(again)
            self.trait("same_sku_twice")
        if self.shelf.kits and self.chance(0.12):
            self._kit(self.pick(self.shelf.kits))
        if (
            self.shelf.gift_cards
            and self.ending not in _WITHOUT_GIFT_CARDS
            and not life.till.foreign
            and self.chance(0.1)
        ):
            life.lines.append(self.line(self.pick(self.shelf.gift_cards), 1))
            self.trait("gift_card_line")
        if self.chance(0.06):
            price = self.usd(1500 + int(self.random() * 2000))
            sku = self.pick((None, ""))
            life.lines.append(Line(life.next_id(), None, "Custom engraving", sku, 1, price, ships=False))
            self.trait("custom_line")

    def _kit(self, product: Product) -> None:
        """A bundle is sold as its components, each at its share of the bundle's price."""
        parts = [(self.shelf.by_sku[sku], count) for sku, count in product.components if sku in self.shelf.by_sku]
        if len(parts) < len(product.components):
            return
        kit = Kit(self.life.next_id(), product, 1)
        apart = total([self.price(part) * count for part, count in parts])
        for part, count in parts:
            line = self.line(part, count)
            whole = self.price(product)
            line.price = Amount(
                line.price.shop * whole.shop // apart.shop, line.price.buyer * whole.buyer // apart.buyer
            )
            line.kit = kit
            line.properties = [("_kit", product.sku), ("_kit_title", product.title), ("_kit_quantity", "1")]
            self.life.lines.append(line)
        self.trait("kit")

    def _discounts(self) -> None:
        life = self.life
        for line in life.lines:
            line.settle()
        if not self.plain and self.chance(0.15):
            self._line_discount(self.pick(life.lines))
        free = self.ending == "delivered" and not self.plain and not life.company and self.chance(0.18)
        if free or self.chance(0.1 if self.plain else 0.25):
            self._order_code(free)

    def _line_discount(self, line: Line) -> None:
        if line.gift_card:
            return
        application = self.pick(
            (
                Application("manual", "Scratched box", "15.0", "percentage", "each", "explicit"),
                Application("automatic", "Season's end", "15.0", "percentage", "each", "entitled"),
            )
        )
        line.own_discount = line.gross.portion(15, 100)
        line.allocations.append(Allocation(self._apply(application), line.own_discount))
        line.settle()
        self.trait("line_discount")

    def _order_code(self, free: bool) -> None:
        life = self.life
        lines = [line for line in life.lines if not line.gift_card]
        base = total([line.net for line in lines])
        percent = 100 if free and len(lines) == len(life.lines) else self.pick((5, 10, 20))
        fixed = self.usd(1000)
        small = fixed.shop < base.shop and fixed.buyer < base.buyer
        if percent < 100 and small and self.ending not in _EDITED and self.chance(0.5):
            value = self.life.till.text(fixed)
            application = Application("discount_code", "TENOFF", value, "fixed_amount", "across", "all", fixed=fixed)
            amount = fixed
        else:
            code = f"SAVE{percent}"
            application = Application("discount_code", code, f"{percent}.0", "percentage", "across", "all")
            amount = base.portion(percent, 100)
        at = self._apply(application)
        for line, share in zip(lines, spread(amount, [line.net for line in lines]), strict=True):
            if share:
                line.allocations.append(Allocation(at, share))
                line.settle()
        self.trait("free" if percent == 100 else "order_code")

    def _apply(self, application: Application) -> int:
        self.life.applications.append(application)
        return len(self.life.applications) - 1

    def _ship_and_tax(self) -> None:
        life = self.life
        wants = self.ending in RETURNS_SHIPPING or self.chance(0.9)
        if "free" not in life.traits and life.source != "pos" and wants and any(line.ships for line in life.lines):
            title, cents = self.pick((("Standard", 590), ("Standard", 795), ("Express", 1499), ("Free Shipping", 0)))
            if self.ending == "refund_shipping_only" and not cents:
                title, cents = "Standard", 795
            life.shipping = Shipping(life.next_id(), title, self.usd(cents))
            if cents and not self.plain and self.chance(0.1):
                percent = 50 if self.ending == "refund_shipping_only" else self.pick((50, 100))
                life.shipping.application = self._apply(
                    Application("discount_code", "SHIP", f"{percent}.0", "percentage", "each", "all", "shipping_line")
                )
                life.shipping.discount = life.shipping.price.portion(percent, 100)
                self.trait("shipping_discount")
            taxed = self.chance(0.5) and not (life.taxes_included and self.ending in RETURNS_SHIPPING)
            if taxed and self.rules and life.shipping.discounted:
                life.shipping.taxes = self.taxes(life.shipping.discounted)
                self.trait("shipping_tax")
        for line in life.lines:
            self.tax(line)

    def _extras(self) -> None:
        life = self.life
        if self.plain or self.ending in RETURNS_EVERYTHING | _UNPAID_CANCELLED or "free" in life.traits:
            return
        if not life.taxes_included and not life.company and self.chance(0.14):
            for line in life.lines:
                if line.ships and line.product is not None:
                    line.duties.append(Duty(life.next_id(), line.product.hs_code, "DE", line.net.portion(8, 100)))
            if any(line.duties for line in life.lines):
                self.trait("duties")
        # REST gives the tip in the shop's currency only, so a foreign buyer's tip could not be added up.
        if not life.company and not life.till.foreign and self.chance(0.09):
            life.tip = self.usd(100 + int(self.random() * 900))
            self.trait("tip")
        if self.chance(0.07):
            life.fee = self.usd(29)
            self.trait("additional_fee")


def _worth(cents: int, currency: str) -> int:
    scale: int = 10 ** exponent(currency)
    return (cents * PER_USD_MICRO[currency] * scale // 100 + 500_000) // 1_000_000
