"""What the order claims to stand at now, against what its own facts leave of it. A problem to read, never a hold."""

from collections.abc import Iterator

from hub.model.facts import AdjustmentKind, Refund
from hub.model.money import format_minor, part
from hub.model.order import Snapshot, added_tax
from hub.model.problems import Problem


def current_claims(snapshot: Snapshot, refunds: list[Refund]) -> Iterator[Problem]:
    """A current total that removed units, refunded lines and refunded shipping do not make.

    A refund of an amount alone (a discrepancy) changes what was paid, not what the order stands at. Removed units are
    valued by their share of the line, which Shopify may round the other way: that much is no problem.
    """
    claimed = snapshot.claimed_current_minor
    if claimed is None:
        return
    left, leeway = snapshot.computed_total_minor, 0
    for line in snapshot.lines:
        if removed := line.removed_quantity:
            start = line.quantity - removed
            left -= part(line.gross_minor - line.discount_minor, line.quantity, start, removed)
            left -= part(added_tax(line.taxes), line.quantity, start, removed)
            leeway += 2
    for refund in refunds:
        left -= sum(line.net_minor + line.tax_minor for line in refund.lines)
        for adjustment in refund.adjustments:
            if adjustment.kind is not AdjustmentKind.DISCREPANCY:
                left -= adjustment.net_minor + adjustment.tax_minor
    if abs(claimed - left) <= leeway:
        return
    if snapshot.cancelled_at is not None and claimed == 0:
        return  # a cancelled order also lets its shipping go
    message = (
        f"claims {format_minor(claimed, snapshot.currency)}, its facts leave {format_minor(left, snapshot.currency)}"
    )
    yield Problem("current_total_price", message, "current_claim", claimed - left)
