"""Amounts of a rehearsed shop: exact in two currencies, and written as Shopify writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

EXPONENTS = {"JPY": 0, "KWD": 3}  # every other currency of the rehearsal has two decimals
PER_USD_MICRO = {
    "USD": 1_000_000,
    "EUR": 920_000,
    "GBP": 790_000,
    "CAD": 1_360_000,
    "JPY": 150_000_000,
    "KWD": 307_000,
}


def exponent(currency: str) -> int:
    """The number of decimals of a currency."""
    return EXPONENTS.get(currency, 2)


class Amount:
    """One amount in minor units, as the shop books it and as the buyer sees it; both sides add up on their own."""

    __slots__ = ("buyer", "shop")

    def __init__(self, shop: int, buyer: int) -> None:
        self.shop = shop
        self.buyer = buyer

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.shop + other.shop, self.buyer + other.buyer)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.shop - other.shop, self.buyer - other.buyer)

    def __neg__(self) -> Amount:
        return Amount(-self.shop, -self.buyer)

    def __mul__(self, count: int) -> Amount:
        return Amount(self.shop * count, self.buyer * count)

    def __bool__(self) -> bool:
        return bool(self.shop or self.buyer)

    def portion(self, numerator: int, denominator: int) -> Amount:
        """A fraction of a non-negative amount, each side rounded half up to its minor unit."""
        half = denominator // 2
        return Amount((self.shop * numerator + half) // denominator, (self.buyer * numerator + half) // denominator)

    def units(self, of: int, first: int, count: int) -> Amount:
        """What units `first` to `first + count` of `of` equal units hold; all units together hold the amount.

        Largest remainder over equal weights: the earlier units carry the odd minor units.
        """
        return Amount(_units(self.shop, of, first, count), _units(self.buyer, of, first, count))

    def least(self, other: Amount) -> Amount:
        """The smaller amount on each side."""
        return Amount(min(self.shop, other.shop), min(self.buyer, other.buyer))


ZERO = Amount(0, 0)


def total(amounts: Sequence[Amount]) -> Amount:
    """The sum of the amounts."""
    shop = buyer = 0
    for amount in amounts:
        shop += amount.shop
        buyer += amount.buyer
    return Amount(shop, buyer)


def spread(amount: Amount, weights: Sequence[Amount]) -> list[Amount]:
    """Shares of the amount by weight that sum to it exactly, by largest remainder, the earlier on a tie."""
    shop = _spread(amount.shop, [weight.shop for weight in weights])
    buyer = shop if _same(amount, weights) else _spread(amount.buyer, [weight.buyer for weight in weights])
    return [Amount(left, right) for left, right in zip(shop, buyer, strict=True)]


def _same(amount: Amount, weights: Sequence[Amount]) -> bool:
    return amount.shop == amount.buyer and all(weight.shop == weight.buyer for weight in weights)


def _spread(amount: int, weights: list[int]) -> list[int]:
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [amount * weight // whole for weight in weights]
    left = amount - sum(shares)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda at: (-(amount * weights[at] % whole), at))
        for at in by_remainder[:left]:
            shares[at] += 1
    return shares


def _units(amount: int, of: int, first: int, count: int) -> int:
    base, odd = divmod(amount, of)
    return base * count + max(0, min(odd - first, count))


class Till:
    """Writes amounts of one order: the shop's currency beside the buyer's."""

    __slots__ = ("_buyer_exponent", "_buyer_scale", "_shop_exponent", "_shop_scale", "buyer", "foreign", "shop")

    def __init__(self, shop: str, buyer: str) -> None:
        self.shop = shop
        self.buyer = buyer
        self.foreign = shop != buyer
        self._shop_exponent = exponent(shop)
        self._buyer_exponent = exponent(buyer)
        self._shop_scale = 10**self._shop_exponent
        self._buyer_scale = 10**self._buyer_exponent

    def text(self, amount: Amount) -> str:
        """The shop's side as REST writes it: "43.00", in yen "4300"."""
        return decimal(amount.shop, self._shop_exponent, self._shop_scale)

    def buyer_text(self, amount: Amount) -> str:
        """The buyer's side as REST writes it."""
        return decimal(amount.buyer, self._buyer_exponent, self._buyer_scale)

    def number(self, amount: Amount) -> float | int:
        """The shop's side as a JSON number, which REST uses for two fields of a refund line."""
        return float(self.text(amount)) if self._shop_exponent else amount.shop

    def bag(self, amount: Amount) -> dict[str, Any]:
        """A REST `*_set`."""
        shop = decimal(amount.shop, self._shop_exponent, self._shop_scale)
        buyer = decimal(amount.buyer, self._buyer_exponent, self._buyer_scale) if self.foreign else shop
        return {
            "shop_money": {"amount": shop, "currency_code": self.shop},
            "presentment_money": {"amount": buyer, "currency_code": self.buyer},
        }

    def money_bag(self, amount: Amount) -> dict[str, Any]:
        """A GraphQL MoneyBag."""
        return {"shopMoney": self.money(amount), "presentmentMoney": self.buyer_money(amount)}

    def money(self, amount: Amount) -> dict[str, str]:
        """A GraphQL MoneyV2 of the shop's side: no fixed scale, at least one decimal ("43.0")."""
        return {"amount": _unscaled(self.text(amount)), "currencyCode": self.shop}

    def buyer_money(self, amount: Amount) -> dict[str, str]:
        """A GraphQL MoneyV2 of the buyer's side."""
        return {"amount": _unscaled(self.buyer_text(amount)), "currencyCode": self.buyer}


def decimal(minor: int, digits: int, scale: int) -> str:
    """Minor units as a decimal with all digits of its currency."""
    if not digits:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), scale)
    return f"{sign}{whole}.{rest:0{digits}d}"


def _unscaled(text: str) -> str:
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text
