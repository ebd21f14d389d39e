"""A document as a row of the ledger, and the numbers by which people know it."""

from typing import Any, Final

from hub.model.documents import DOCUMENT, KEY_WORDS, Component, Document, DocumentKind

COLUMNS: Final = {
    Component.GOODS: "goods_minor",
    Component.GIFT_CARD: "goods_minor",
    Component.DISCOUNT: "discount_minor",
    Component.SHIPPING: "shipping_minor",
    Component.DUTY: "charges_minor",
    Component.TIP: "charges_minor",
    Component.FEE: "charges_minor",
    Component.CASH_ROUNDING: "rounding_minor",
    Component.TAX_ROUNDING: "rounding_minor",
}
ADJUSTMENT_COLUMNS: Final = {"edited": "edited_minor", "cancelled": "cancelled_minor"}

_PREFIXES: Final = {kind: word.upper() for kind, word in KEY_WORDS.items()}
_EMPTY: Final = dict.fromkeys([*COLUMNS.values(), *ADJUSTMENT_COLUMNS.values()], 0)


def row_of(document: Document, id: int) -> dict[str, Any]:
    """The columns that say what the document is; those of its history are the caller's."""
    order = document.order
    total = tax = 0
    sums = dict(_EMPTY)
    placed = document.kind is DocumentKind.SALES_ORDER
    for line in document.lines:
        amount = line.amount_minor
        total += amount
        if line.component is Component.TAX or line.component is Component.MARKETPLACE_TAX:
            tax += amount
        elif placed:
            sums[COLUMNS.get(line.component) or ADJUSTMENT_COLUMNS.get(line.detail, "charges_minor")] += amount
    subject = document.memo or ref_of(document.kind, id)
    if placed and order is not None:
        subject = order.external_id
    return sums | {
        "id": id,
        "key": document.key or None,
        "kind": document.kind,
        "channel": order.channel if order else "",
        "order_id": order.external_id if order else "",
        "reference": document.reference,
        "subject_id": subject,
        "customer": document.customer,
        "entity": document.entity,
        "currency": document.currency,
        "date": document.date,
        "total_minor": total,
        "tax_minor": tax,
        "lines": len(document.lines),
        "body": body_of(document),
    }


def body_of(document: Document) -> str:
    content: bytes = DOCUMENT.dump_json(document, exclude_defaults=True)
    return content.decode()


def document_of(body: str) -> Document:
    document: Document = DOCUMENT.validate_json(body)
    return document


def ref_of(kind: str, id: int) -> str:
    """The ledger's own name of a document: SO-12."""
    return f"{_PREFIXES[DocumentKind(kind)]}-{id}"


def id_of(ref: str) -> int:
    """The number in a document's name.

    Raises:
        ValueError: not a name that `ref_of` gave.
    """
    return int(ref.rpartition("-")[2])
