"""Transaction payload → facts."""

from datetime import timedelta
from typing import Final

from hub.model.facts import Fact, FactKind, Source, Tender, TenderKind, TenderStatus
from hub.model.order import OrderKey
from mappings.shopify.payload import TransactionPayload
from mappings.shopify.reading import Part, Reading

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
SETTLED = timedelta(microseconds=1)
"""A transaction carries no stamp of its own change, so that its settled version outranks its pending one by this."""


def tender_fact(
    given: TransactionPayload,
    order: OrderKey,
    source: Source,
    read: Reading,
    *path: Part,
    refund: str | None = None,
) -> Fact:
    """The transaction as a fact of its order; `refund` is the refund it stands in."""
    status = read.word(STATUS, given.status, *path, "status")
    if given.processed_at is None:
        at = read.moment(given.created_at, *path, "created_at")
    else:
        at = read.moment(given.processed_at, *path, "processed_at")
    if given.currency is None or given.currency == read.currency:
        amount = read.money(given.amount, *path, "amount")
    elif given.amount_set is not None:
        amount = read.bag(given.amount_set, "shop_money", read.currency, *path, "amount_set")
    else:
        read.fault(f"in {given.currency[:10]}, and no amount_set says it in {read.currency}", *path, "currency")
        amount = 0
    if amount < 0:
        read.fault(f"less than zero: {given.amount[:40]!r}", *path, "amount")
    body = Tender(
        read.word(KIND, given.kind, *path, "kind"),
        status,
        given.gateway or "unknown",
        amount,
        read.currency,
        at,
        read.optional_id(given.parent_id, *path, "parent_id"),
        refund,
        given.test is True,
    )
    modified = at if status is TenderStatus.PENDING else at + SETTLED
    return Fact(order, FactKind.TENDER, read.id(given.id, *path, "id"), modified, at, source, body)
