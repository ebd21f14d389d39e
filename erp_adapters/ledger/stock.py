"""Stock at moving-average cost, in whole minor units that are never lost: pure arithmetic.

Invariant of a holding: its value is what the inventory account holds for it; none in stock is worth nothing, and the
value never has the opposite sign of the quantity.
"""

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """Why a quantity moved."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    RETURN = "return"  # of an issue, `source`
    ADJUST = "adjust"
    RECOGNISE = "recognise"  # the cost of an issue, `source`, leaves transit; no stock moves


@dataclass(frozen=True, slots=True)
class Holding:
    """One item at one location; `known_*` is the last average cost known, kept for when there is none in stock."""

    quantity: int = 0
    value_minor: int = 0
    known_quantity: int = 1
    known_value_minor: int = 0

    def worth(self, quantity: int) -> int:
        """What so many units cost at the average now, else at the last one known; halves up."""
        if self.quantity > 0:
            return rounded(self.value_minor * quantity, self.quantity)
        return rounded(self.known_value_minor * quantity, self.known_quantity)


def issue(holding: Holding, quantity: int) -> tuple[Holding, int]:
    """The holding without so many units, and what they cost; beyond what is there at the last average known."""
    if 0 < quantity <= holding.quantity:
        cost = holding.value_minor if quantity == holding.quantity else holding.worth(quantity)
    else:
        there = max(holding.quantity, 0)
        lacking = rounded(holding.known_value_minor * (quantity - there), holding.known_quantity)
        cost = (holding.value_minor if there else 0) + lacking
    return _after(holding, -quantity, -cost), cost


def receive(holding: Holding, quantity: int, cost_minor: int) -> tuple[Holding, int]:
    """The holding with so many units more, and the variance.

    The variance is what covering a shortage cost beyond what it was issued at. It is not part of the holding's
    value; it belongs to the cost of what was issued.
    """
    variance = 0
    if holding.quantity < 0:
        covered = min(quantity, -holding.quantity)
        issued_at = rounded(-holding.value_minor * covered, -holding.quantity)
        variance = rounded(cost_minor * covered, quantity) - issued_at
    after = _after(holding, quantity, cost_minor - variance)
    if after.quantity <= 0:
        after = Holding(after.quantity, after.value_minor, quantity, cost_minor)
    return after, variance


def unwind(holding: Holding, quantity: int, cost_minor: int) -> tuple[Holding, int]:
    """The holding with an earlier move undone (the signed opposite), and what revaluing the rest adds to its value."""
    quantity_after, value_after = holding.quantity + quantity, holding.value_minor + cost_minor
    revalued = 0
    if quantity_after == 0 or (value_after < 0) is not (quantity_after < 0):
        known = rounded(holding.known_value_minor * abs(quantity_after), holding.known_quantity)
        revalued = (known if quantity_after > 0 else -known) - value_after
    return _after(holding, quantity, cost_minor + revalued), revalued


def rounded(numerator: int, denominator: int) -> int:
    """The quotient of two non-negative numbers, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _after(holding: Holding, quantity: int, value_minor: int) -> Holding:
    quantity_after, value_after = holding.quantity + quantity, holding.value_minor + value_minor
    if quantity_after > 0:
        return Holding(quantity_after, value_after, quantity_after, value_after)
    return Holding(quantity_after, value_after, holding.known_quantity, holding.known_value_minor)
