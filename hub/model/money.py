"""Money: integer minor units beside an ISO 4217 currency; the arithmetic that never loses a unit.

Inside one order, document or entry there is one currency, named once, and amounts are plain ints in fields that end
in `_minor`; `Money` is the type for an amount that travels alone. See docs/decisions/0002-money-as-integers.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NewType, Self

Currency = NewType("Currency", str)

_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    "CLF": 4,
}
"""Decimal places of each active ISO 4217 currency (list of 2026)."""

_POWERS: Final = tuple(Decimal(10) ** places for places in range(5))

AMOUNT_MINOR_MAX: Final = 10**15
"""An amount beyond this, in minor units, is taken for a fault of its sender; it also fits a 64-bit column."""


def exponent(currency: str) -> int:
    """How many decimals the currency has.

    Raises:
        ValueError: not an active ISO 4217 code.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"not an ISO 4217 currency: {currency!r}") from None


def minor_of(amount: Decimal, currency: str) -> int:
    """The amount as minor units, exactly.

    Raises:
        ValueError: the amount is finer than the currency, not finite, beyond AMOUNT_MINOR_MAX, or the currency unknown.
    """
    scaled = amount * _POWERS[exponent(currency)]
    minor = int(scaled) if scaled.is_finite() else None
    if minor is None or abs(minor) > AMOUNT_MINOR_MAX:
        raise ValueError(f"not an amount of money: {amount}")
    if minor != scaled:
        raise ValueError(f"finer than {currency} allows: {amount}")
    return minor


def rounded_minor(amount: Decimal, currency: str) -> int:
    """The amount as minor units, halves away from zero; for products of a rate or a fine unit price."""
    scaled = amount * _POWERS[exponent(currency)]
    if not scaled.is_finite() or abs(scaled) > AMOUNT_MINOR_MAX:
        raise ValueError(f"not an amount of money: {amount}")
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def decimal_of(minor: int, currency: str) -> Decimal:
    """The minor units as a decimal with the currency's own number of places."""
    return Decimal(minor).scaleb(-exponent(currency))


def format_minor(minor: int, currency: str) -> str:
    """For people: `-1,234.50 USD`."""
    return f"{decimal_of(minor, currency):,} {currency}"


def spread(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share a total by weight so that the shares sum to it exactly.

    Largest remainder: each share is rounded towards zero, then the units left over go to the largest remainders, the
    earlier share on a tie. A negative total is shared as its positive, negated.

    Args:
        weights: one non-negative weight a share, in share order; not all zero.

    Raises:
        ValueError: weights is empty, has a negative, or sums to zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"weights must be non-negative and not all zero: {list(weights)}")
    if total < 0:
        return tuple(-share for share in spread(-total, weights))
    if len(weights) == 1:
        return (total,)
    shares = [total * weight // whole for weight in weights]
    left = total - sum(shares)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
        for i in by_remainder[:left]:
            shares[i] += 1
    return tuple(shares)


def part(total: int, of: int, start: int, count: int) -> int:
    """What `count` units from the `start`-th on carry of a total spread over `of` equal units.

    Parts that together cover all units sum to the total, in whatever portions they are taken.

    Raises:
        ValueError: the units asked for are not among `of`.
    """
    if not 0 <= start <= start + count <= of:
        raise ValueError(f"units {start} to {start + count} are not among {of}")
    if count == 0:
        return 0
    return _first(total, of, start + count) - _first(total, of, start)


def _first(total: int, of: int, count: int) -> int:
    """What the first `count` of `of` equal units carry: the larger units come first, as in `spread`."""
    if total < 0:
        return -_first(-total, of, count)
    share, left = divmod(total, of)
    return share * count + min(left, count)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount that travels alone."""

    minor: int
    currency: str

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def split(self, weights: Sequence[int]) -> tuple[Self, ...]:
        """Shares by weight that sum to this amount exactly; see `spread`."""
        return tuple(type(self)(share, self.currency) for share in spread(self.minor, weights))

    def _same(self, other: Self) -> Self:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} is not {self.currency}")
        return other

    def __str__(self) -> str:
        return format_minor(self.minor, self.currency)
