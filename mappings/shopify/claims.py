"""What the order claims to stand at now, against what its own facts leave of it. A problem to read, never a hold."""

from collections.abc import Iterator

from hub.model.edits import leeway_minor, left_minor
from hub.model.facts import Refund
from hub.model.money import format_minor
from hub.model.order import Snapshot
from hub.model.problems import Problem


def current_claims(snapshot: Snapshot, refunds: list[Refund]) -> Iterator[Problem]:
    """A current total that removed units, refunded lines and refunded shipping do not make, but for its roundings."""
    claimed = snapshot.claimed_current_minor
    if claimed is None:
        return
    left = left_minor(snapshot, refunds)
    if abs(claimed - left) <= leeway_minor(snapshot):
        return
    if snapshot.cancelled_at is not None and claimed == 0:
        return  # a cancelled order also lets its shipping go
    message = (
        f"claims {format_minor(claimed, snapshot.currency)}, its facts leave {format_minor(left, snapshot.currency)}"
    )
    yield Problem("current_total_price", message, "current_claim", claimed - left)
