"""What edits took out of an order after it was placed, as the channel counts it.

A channel says how many units it took out and what the order comes to since, not what the units were worth. Their share
of a line is ours (`line_value`), and the channel may round its own the other way. Where what it claims is ours but for
such roundings, the claim is what is due, and the difference stands by the name of a rounding.
"""

from collections.abc import Iterable

from hub.model.facts import AdjustmentKind, Refund
from hub.model.money import part
from hub.model.order import Line, Snapshot


def line_value(line: Line, start: int, count: int) -> int:
    """What `count` units from the `start`-th on sell for, after discounts, with all their tax."""
    value = part(line.net_minor, line.quantity, start, count)
    return value + sum(part(tax.amount_minor, line.quantity, start, count) for tax in line.taxes)


def removed_minor(snapshot: Snapshot) -> int:
    """What the units that edits took out were worth, by their shares of their lines."""
    cut = _cut(snapshot)
    return sum(line_value(line, line.quantity - line.removed_quantity, line.removed_quantity) for line in cut)


def left_minor(snapshot: Snapshot, refunds: Iterable[Refund]) -> int:
    """What the order stands at by its parts, without removed units, refunded lines and refunded shipping.

    A refund of an amount alone (a discrepancy) changes what was paid, not what the order stands at.
    """
    left = snapshot.computed_total_minor - removed_minor(snapshot)
    for refund in refunds:
        left -= sum(line.net_minor + line.tax_minor for line in refund.lines)
        for adjustment in refund.adjustments:
            if adjustment.kind is not AdjustmentKind.DISCREPANCY:
                left -= adjustment.net_minor + adjustment.tax_minor
    return left


def leeway_minor(snapshot: Snapshot) -> int:
    """By how much the channel may round the removed units otherwise: a minor unit each amount that is split."""
    return sum(1 + len(line.taxes) for line in _cut(snapshot))


def edit_rounding_minor(snapshot: Snapshot, refunds: Iterable[Refund]) -> int:
    """By how much the channel claims more than its parts leave, because it rounded the removed units otherwise.

    0 where nothing was taken out, where the channel makes no claim, of a cancelled order (which has nothing left), and
    where the difference is more than roundings make: then the claim is stale, or a fact is missing.
    """
    if snapshot.claimed_current_minor is None or snapshot.cancelled_at is not None or not _cut(snapshot):
        return 0
    off = snapshot.claimed_current_minor - left_minor(snapshot, refunds)
    return off if abs(off) <= leeway_minor(snapshot) else 0


def _cut(snapshot: Snapshot) -> list[Line]:
    return [line for line in snapshot.lines if line.removed_quantity]
