"""What a document is called in NetSuite: its record, its keys, our own fields, and what names stand for there."""

from hashlib import sha256
from typing import Any, Final, Protocol

from hub.errors import Rejected
from hub.model.documents import KEY_CHARS_MAX, Component, Document, DocumentKey, DocumentKind, document_key
from hub.model.money import decimal_of

CHANNEL: Final = "custbody_orderhub_channel"
ORDER: Final = "custbody_orderhub_order"
SUBJECT: Final = "custbody_orderhub_subject"
"""The channel's own id of what a payment or refund tells of."""
ORIGINAL_DATE: Final = "custbody_orderhub_date"
REVISION: Final = "custbody_orderhub_revision"
CANCELLED: Final = "custbody_orderhub_cancelled"
"""What was taken out of an order and stands in its total still, and how many closed rows it stands in: "-12.50/2"."""
PARTY: Final = "custentity_orderhub_party"
VOIDED: Final = "voided"
"""The revision of an order that is void: NetSuite keeps a closed order."""

CUSTOM_FIELDS: Final = (CHANNEL, ORDER, SUBJECT, ORIGINAL_DATE, REVISION, CANCELLED, PARTY)

RECORDS: Final = {
    DocumentKind.CUSTOMER: "customer",
    DocumentKind.STOCK_RECEIPT: "inventoryAdjustment",
    DocumentKind.STOCK_ADJUSTMENT: "inventoryAdjustment",
    DocumentKind.SALES_ORDER: "salesOrder",
    DocumentKind.FULFILMENT: "itemFulfillment",
    DocumentKind.INVOICE: "invoice",
    DocumentKind.CASH_SALE: "cashSale",
    DocumentKind.PAYMENT: "customerPayment",
    DocumentKind.DEPOSIT: "customerDeposit",
    DocumentKind.DEPOSIT_APPLICATION: "depositApplication",
    DocumentKind.CREDIT_MEMO: "creditMemo",
    DocumentKind.CASH_REFUND: "cashRefund",
    DocumentKind.REFUND: "customerRefund",
    DocumentKind.RETURN_RECEIPT: "itemReceipt",
    DocumentKind.JOURNAL_ENTRY: "journalEntry",
    DocumentKind.PAYOUT: "journalEntry",
}

Body = dict[str, Any]
Segments = tuple[tuple[str, str], ...]
"""The internal ids of a department and a class, each by the name of its field; what is not told is left out."""

DEPARTMENT: Final = "department"
CLASS: Final = "class"


class Directory(Protocol):
    """The internal ids of what documents name; a name that NetSuite does not know is Rejected, with its field."""

    line_field: str  # the custom column that holds the key of a row

    def item(self, code: str) -> str: ...

    def charge(self, component: Component, *, kept: bool = False, custom: bool = False) -> str:
        """The item of a row that is no goods, or credits goods that stay away.

        Args:
            kept: of an adjustment: a fee.
            custom: of goods: a line that names no item.
        """

    def tax(self, jurisdiction: str) -> tuple[str, str]:
        """The tax code and its tax type."""

    def untaxed(self) -> tuple[str, str] | None:
        """As `tax`, of what bears none; None: none is set up."""

    def location(self, name: str) -> str: ...

    def currency(self, code: str) -> str: ...

    def account(self, document: Document, role: str, detail: str = "") -> str: ...

    def clearing(self, document: Document) -> str:
        """The account where the money of the document's payment method is."""

    def subsidiary(self, entity: str) -> str | None: ...

    def customer(self, document: Document) -> Body: ...

    def ship_method(self, word: str) -> str | None: ...

    def customer_class(self, word: str) -> str | None: ...

    def form(self, record: str) -> str | None: ...

    def own_fields(self, record: str, document: Document) -> Body:
        """The account's own fields of a record, by their ids."""

    def order_location(self) -> str | None: ...

    def segments(self, document: Document, sold_as: str | None = None) -> Segments:
        """The department and the class of a document, or of one of its rows.

        Args:
            sold_as: of a row: the item code of its goods, else the word of its component.
        """


def by_key(key: str) -> dict[str, str]:
    """A reference to the record that has this external id."""
    return {"id": f"eid:{key}"}


def order_key(document: Document) -> DocumentKey:
    """The key of the sales order that a document is of.

    Raises:
        Rejected: it is of none.
    """
    if document.order is None:
        raise Rejected(
            f"{document.key} is of no order",
            code="no_order",
            field="order",
            remedy="a fault of the hub: report it",
        )
    return document_key(DocumentKind.SALES_ORDER, document.order.channel, document.order.external_id)


def return_key(receipt: DocumentKey) -> str:
    """The key of the return authorization that a receipt is made of."""
    return _derived("rma", receipt.partition("-")[2])


def part_key(key: DocumentKey, part: int) -> str:
    """The key of one of several records that a document is kept in; the first has the document's own."""
    return key if part == 0 else _derived(key, f"p{part + 1}")


def _derived(*parts: str) -> str:
    plain = "-".join(parts)
    if len(plain) <= KEY_CHARS_MAX:
        return plain
    return f"{plain[: KEY_CHARS_MAX - 13].rstrip('-')}-{sha256(plain.encode()).hexdigest()[:12]}"


def header(document: Document, revision: str, directory: Directory, record: str) -> Body:
    """What every new record says of the document."""
    order = document.order
    late = document.original_date
    body: Body = {
        "externalId": document.key,
        "customForm": _id(directory.form(record)),
        "tranDate": document.date,
        "memo": memo(document),
        REVISION: revision,
        CHANNEL: order.channel if order else None,
        ORDER: order.external_id if order else None,
        SUBJECT: document.memo or None,
        ORIGINAL_DATE: late.isoformat() if late else None,
    }
    body |= segments_body(directory.segments(document))
    return given(body) | directory.own_fields(record, document)


def segments_body(segments: Segments) -> Body:
    return {name: {"id": id} for name, id in segments}


def unlike(wanted: Segments, held: Segments) -> bool:
    """Whether what is wanted is not what stands; what is not wanted may be anything."""
    return any(id != dict(held).get(name) for name, id in wanted)


def own(document: Document, directory: Directory) -> Body:
    """What a record that is not made of another says besides."""
    return given(
        {
            "subsidiary": _id(directory.subsidiary(document.entity)),
            "currency": {"id": directory.currency(document.currency)},
            "exchangeRate": rate(document),
        }
    )


def rate(document: Document) -> Any:
    return document.rate.value if document.rate else None


def memo(document: Document) -> str | None:
    """For people: the order's name, and the day that it happened on where its period was closed."""
    late = f"of {document.original_date}" if document.original_date else ""
    return " ".join(part for part in (document.reference, late) if part) or None


def amount(minor: int, document: Document) -> Any:
    """Minor units of the document's currency as NetSuite's number."""
    return decimal_of(minor, document.currency)


def given(body: Body) -> Body:
    """The fields that are not empty."""
    return {name: value for name, value in body.items() if value is not None}


def _id(id: str | None) -> dict[str, str] | None:
    return None if id is None else {"id": id}


def refused_if_deferred(document: Document) -> None:
    """
    Raises:
        Rejected: it defers revenue.
    """
    if document.deferred:
        raise Rejected(
            f"{document.key} defers revenue until delivery",
            code="deferred_revenue",
            field="deferred",
            remedy="NetSuite recognises revenue by its own schedules: set recognise: shipment for this entity",
        )
