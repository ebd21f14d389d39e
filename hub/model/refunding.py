"""Which refunded units never left and which are credited: one reading of a refund, for books and statements."""

from collections.abc import Iterable, Mapping

from hub.model.facts import Refund, RefundLine, Restock
from hub.model.frozen import frozen
from hub.model.money import part
from hub.model.order import LineId


@frozen
class RefundedLine:
    """One line of a refund, cut into what never left and what is credited."""

    given: RefundLine
    cancelled: int
    cancelled_net_minor: int
    cancelled_tax_minor: int

    @property
    def credited(self) -> int:
        return self.given.quantity - self.cancelled

    @property
    def credited_net_minor(self) -> int:
        return self.given.net_minor - self.cancelled_net_minor

    @property
    def credited_tax_minor(self) -> int:
        return self.given.tax_minor - self.cancelled_tax_minor


def cut_refunds(
    refunds: Iterable[tuple[str, Refund]], shipped: Mapping[LineId, int], unshipped: Mapping[LineId, int]
) -> dict[str, list[RefundedLine]]:
    """Every refund's lines by refund id, cut in the order of the refunds.

    Args:
        shipped, unshipped: units of each line that left, and that have neither left nor been removed by an edit.
    """
    shipped, unshipped = dict(shipped), dict(unshipped)
    cut: dict[str, list[RefundedLine]] = {}
    for refund_id, refund in refunds:
        rows = cut.setdefault(refund_id, [])
        for given in refund.lines:
            off = cancelled_units(given, unshipped.get(given.line, 0), shipped.get(given.line, 0))
            unshipped[given.line] = unshipped.get(given.line, 0) - off
            shipped[given.line] = shipped.get(given.line, 0) - (given.quantity - off)
            first = given.quantity - off
            rows.append(
                RefundedLine(
                    given,
                    off,
                    part(given.net_minor, given.quantity, first, off) if given.quantity else 0,
                    part(given.tax_minor, given.quantity, first, off) if given.quantity else 0,
                )
            )
    return cut


def cancelled_units(given: RefundLine, unshipped: int, shipped: int) -> int:
    """Of refunded units, how many never left.

    As many as can be, except where the channel says that goods came back: then only those beyond what was shipped.

    Args:
        unshipped: units of the line that have not left and are not cancelled by an earlier refund.
        shipped: units that left and are not credited by an earlier refund.
    """
    if given.restock is Restock.RETURN:
        return min(unshipped, max(0, given.quantity - shipped))
    return min(unshipped, given.quantity)
