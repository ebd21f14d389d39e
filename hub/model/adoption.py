"""Adoption: documents that an older integration made in the ERP, and the hub's documents that they are taken for."""

import datetime
from enum import StrEnum
from typing import Final

from hub.model.documents import Document, DocumentKey, DocumentKind
from hub.model.frozen import frozen
from hub.model.order import OrderKey

ADOPTED: Final = "adopted"
"""What a step that was never sent but adopted goes by, and the cause of a difference that was there from the start."""

ADOPTABLE: Final = frozenset(
    {
        DocumentKind.SALES_ORDER,
        DocumentKind.FULFILMENT,
        DocumentKind.INVOICE,
        DocumentKind.CASH_SALE,
        DocumentKind.PAYMENT,
        DocumentKind.DEPOSIT,
        DocumentKind.DEPOSIT_APPLICATION,
        DocumentKind.CREDIT_MEMO,
        DocumentKind.CASH_REFUND,
        DocumentKind.REFUND,
        DocumentKind.RETURN_RECEIPT,
    }
)
"""Documents of an order."""


@frozen
class ErpDocument:
    """A document of an order as the ERP holds it, whoever made it."""

    ref: str  # the ERP's own id
    key: str  # the external id that it carries; "": none
    kind: DocumentKind
    entity: str
    channel: str  # with `order`: the order that it names by id; "": none
    order: str
    reference: str  # the order's name as the document has it; "": none
    external: str  # the channel's own id of its cause (transaction, refund, fulfilment), where it has one
    currency: str
    date: datetime.date
    total_minor: int
    tax_minor: int
    lines: int
    version: int


@frozen
class Claim:
    """A document of the ERP that is to carry our key."""

    ref: str
    key: DocumentKey
    order: OrderKey
    was: str  # the external id that it carried when it was read; "": none


@frozen
class Link:
    """A planned document, and the one in the ERP that it is."""

    document: Document
    erp: ErpDocument

    @property
    def difference_minor(self) -> int:
        """What the ERP has more than the hub plans; stock is valued by the ERP alone."""
        return 0 if self.document.kind in COSTED else self.erp.total_minor - self.document.total_minor

    @property
    def differences(self) -> tuple[str, ...]:
        """In what the two are not the same."""
        document, erp = self.document, self.erp
        found = []
        if document.kind is not erp.kind:
            found.append(f"kind: {erp.kind} for {document.kind}")
        if self.difference_minor:
            found.append("total")
        if document.kind not in COSTED and document.tax_minor != erp.tax_minor:
            found.append("tax")
        if document.date != erp.date:
            found.append(f"date: {erp.date} for {document.date}")
        return tuple(found)


COSTED: Final = frozenset({DocumentKind.FULFILMENT, DocumentKind.RETURN_RECEIPT})


class Doubt(StrEnum):
    """Why a document is for a person to look at."""

    SEVERAL_ORDERS = "several_orders"  # it names more than one
    SEVERAL_DOCUMENTS = "several_documents"  # more than one fits, or it fits more than one
    OURS_STANDS = "ours_stands"  # the hub has posted the same already: one of the two is too much
    CURRENCY = "currency"  # the one that fits is in another
    NO_SALE = "no_sale"  # of its order the ERP has neither sales order nor invoice
    NOT_PLANNED = "not_planned"  # the hub knows of nothing that calls for it
    PLACED_LATER = "placed_later"  # its order was placed after the last day of the older integration
    NOT_POSTED = "not_posted"  # its order is a test, or known only by name
    ON_HOLD = "on_hold"  # its order cannot be planned before something is mended


@frozen
class Unsure:
    """A document of the ERP that is not adopted."""

    erp: ErpDocument
    doubt: Doubt
    orders: tuple[OrderKey, ...]
    detail: str = ""
