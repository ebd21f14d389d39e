"""Transaction payload → facts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.model.facts import Fact, FactKind, Source, Tender, TenderKind, TenderStatus
from hub.model.order import OrderKey
from hub.model.problems import Problem
from mappings.shopify.payload import TransactionPayload
from mappings.shopify.reading import Part, Reading, path_text

KIND: Final = {
    "authorization": TenderKind.AUTHORIZATION,
    "emv_authorization": TenderKind.AUTHORIZATION,
    "capture": TenderKind.CAPTURE,
    "sale": TenderKind.SALE,
    "void": TenderKind.VOID,
    "refund": TenderKind.REFUND,
    "change": TenderKind.REFUND,  # cash handed back over the counter
}
STATUS: Final = {
    "pending": TenderStatus.PENDING,
    "awaiting_response": TenderStatus.PENDING,
    "success": TenderStatus.SUCCESS,
    "failure": TenderStatus.FAILED,
    "error": TenderStatus.FAILED,
}
KNOWN: Final = timedelta(microseconds=1)
UNREAD: Final = "tender_currency"
"""The code of a problem: money whose amount in the shop's currency the record does not say. It holds the order."""

SETTLED: Final = timedelta(microseconds=2)
"""A transaction carries no stamp of its own change: its settled version outranks its pending one by this, and the
version inside its refund, which alone names the refund, the one that came alone by KNOWN."""


@dataclass(slots=True)
class Exchange:
    """One amount in two currencies, and so the rate that the order itself was converted at."""

    currency: str  # the buyer's
    buyer_minor: int
    shop_minor: int

    def shop(self, buyer_minor: int) -> int:
        """The buyer's amount in the shop's currency, halves up; the whole amount exactly."""
        whole = abs(self.buyer_minor)
        return (2 * buyer_minor * abs(self.shop_minor) + whole) // (2 * whole) if whole else 0


def tender_fact(
    given: TransactionPayload,
    order: OrderKey,
    source: Source,
    read: Reading,
    *path: Part,
    refund: str | None = None,
    exchange: Exchange | None = None,
    problems: list[Problem] | None = None,
) -> Fact | None:
    """The transaction as a fact of its order; `refund` is the refund it stands in.

    A REST transaction is in the buyer's currency and does not say the shop's amount (GraphQL does, in amountSet).
    Inside its order it is converted at the order's own rate, with a problem where that is not exact. Where there is
    no such rate it is None with a problem inside its order, which it does not hold; alone it does not translate.

    Args:
        problems: of the order around it; None where it came alone.
    """
    if not _convertible(given, read, exchange):
        message = f"in {(given.currency or '')[:10]}, and nothing says it in {read.currency}"
        if problems is None:
            read.fault(message, *path, "currency")
        else:
            problems.append(Problem(path_text((*path, "currency")), message, UNREAD))
        return None
    status = read.word(STATUS, given.status, *path, "status")
    if given.processed_at is None:
        at = read.moment(given.created_at, *path, "created_at")
    else:
        at = read.moment(given.processed_at, *path, "processed_at")
    body = Tender(
        read.word(KIND, given.kind, *path, "kind"),
        status,
        given.gateway or "unknown",
        _shop_minor(given, read, exchange, problems, path),
        read.currency,
        at,
        read.optional_id(given.parent_id, *path, "parent_id"),
        refund,
        given.test is True,
    )
    modified = at if status is TenderStatus.PENDING else at + SETTLED
    if refund is not None:
        modified += KNOWN
    return Fact(order, FactKind.TENDER, read.id(given.id, *path, "id"), modified, at, source, body)


def _convertible(given: TransactionPayload, read: Reading, exchange: Exchange | None) -> bool:
    if given.currency is None or given.currency == read.currency or given.amount_set is not None:
        return True
    return exchange is not None and exchange.currency == given.currency


def _shop_minor(
    given: TransactionPayload,
    read: Reading,
    exchange: Exchange | None,
    problems: list[Problem] | None,
    path: tuple[Part, ...],
) -> int:
    if given.currency is None or given.currency == read.currency:
        amount = read.money(given.amount, *path, "amount")
    elif exchange is not None and given.amount_set is None:
        paid = Reading(exchange.currency, read.rename)
        buyer = paid.money(given.amount, *path, "amount")
        read.faults += paid.faults
        amount = exchange.shop(buyer)
        if buyer != exchange.buyer_minor and problems is not None:
            message = f"{given.amount} {given.currency} converted at the order's own rate, to the nearest minor unit"
            problems.append(Problem(path_text((*path, "amount")), message, "converted"))
    else:
        amount = read.bag(given.amount_set, "shop_money", read.currency, *path, "amount_set")
    if amount < 0:
        read.fault(f"less than zero: {given.amount[:40]!r}", *path, "amount")
    return amount
