"""A stored document as a row of a statement."""

from typing import Any, Final

from erp_adapters.ledger.documents import ref_of
from hub.model.documents import DocumentKind
from hub.model.statement import ErpRow, StatementRow, Subject

ROW_KINDS: Final = {
    DocumentKind.SALES_ORDER: Subject.ORDER,
    DocumentKind.REFUND: Subject.REFUND,
    DocumentKind.PAYMENT: Subject.PAYMENT,
    DocumentKind.DEPOSIT: Subject.PAYMENT,
}


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
        x.goods_minor,
        x.discount_minor,
        x.shipping_minor,
        x.tax_minor,
        x.charges_minor,
        x.rounding_minor,
        x.edited_minor,
        x.cancelled_minor,
        -x.total_minor if subject is Subject.REFUND else 0,
        x.total_minor if subject is Subject.PAYMENT else 0,
    )
    return ErpRow(row, x.key or "", ref_of(kind, x.id), x.reference or "", x.version, x.voided, x.by_hand)
