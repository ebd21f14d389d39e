"""A stored document as a row of a statement."""

from typing import Any, Final

from erp_adapters.ledger.documents import ref_of
from hub.model.documents import DocumentKind
from hub.model.statement import ErpRow, StatementRow, Subject

ROW_KINDS: Final = {
    DocumentKind.SALES_ORDER: Subject.ORDER,
    DocumentKind.REFUND: Subject.REFUND,
    DocumentKind.CASH_REFUND: Subject.REFUND,
    DocumentKind.CASH_SALE: Subject.PAYMENT,
    DocumentKind.PAYMENT: Subject.PAYMENT,
    DocumentKind.DEPOSIT: Subject.PAYMENT,
}


PARTS: Final = (
    *("goods_minor", "discount_minor", "shipping_minor", "tax_minor", "charges_minor", "rounding_minor"),
    *("edited_minor", "cancelled_minor"),
)
"""Of an order; of a payment only what came in counts, though a cash sale has goods too."""


def erp_row(x: Any) -> ErpRow:
    """The row of an order, a refund or a payment; a refund's amount is negative."""
    kind = DocumentKind(x.kind)
    subject = ROW_KINDS[kind]
    row = StatementRow(
        x.entity,
        x.channel,
        x.order_id,
        subject,
        x.subject_id,
        x.currency,
        x.date,
        refund_minor=-x.total_minor if subject is Subject.REFUND else 0,
        payment_minor=x.total_minor if subject is Subject.PAYMENT else 0,
        **(dict.fromkeys(PARTS, 0) if subject is not Subject.ORDER else {part: getattr(x, part) for part in PARTS}),
    )
    return ErpRow(row, x.key or "", ref_of(kind, x.id), x.reference or "", x.version, x.voided, x.by_hand)
