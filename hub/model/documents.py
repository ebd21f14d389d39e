"""Documents: what an ERP holds or is told, one type for all kinds, in signed lines that sum to the total."""

import datetime
import re
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NewType

from pydantic import TypeAdapter

from hub.model.facts import Parcel
from hub.model.frozen import frozen
from hub.model.order import LineId, OrderKey, PartyRef
from hub.model.words import Word

DocumentKey = NewType("DocumentKey", str)
"""`{kind}-{channel}-{order}[-{fact}]`: the ERP's external id. Made by `document_key` alone."""

KEY_CHARS_MAX: Final = 40
_FOREIGN = re.compile(r"[^a-z0-9]+")
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII).fullmatch


class DocumentKind(Word):
    CUSTOMER = "customer"
    ITEM = "item"
    STOCK_RECEIPT = "stock_receipt"
    STOCK_ADJUSTMENT = "stock_adjustment"
    SALES_ORDER = "sales_order"
    FULFILMENT = "fulfilment"
    INVOICE = "invoice"
    CASH_SALE = "cash_sale"  # an invoice that is paid at once: no receivable
    PAYMENT = "payment"
    DEPOSIT = "deposit"  # customer money before the invoice
    DEPOSIT_APPLICATION = "deposit_application"
    CREDIT_MEMO = "credit_memo"
    CASH_REFUND = "cash_refund"  # a credit of a cash sale, paid out at once
    REFUND = "refund"
    RETURN_RECEIPT = "return_receipt"
    JOURNAL_ENTRY = "journal_entry"  # recognition on delivery, write-off
    PAYOUT = "payout"  # what a payment provider paid into the bank
    SHIPMENT_NOTICE = "shipment_notice"  # told to a channel: goods left, with tracking
    CANCELLATION_NOTICE = "cancellation_notice"  # told to a channel: what is never to be shipped
    STOCK_NOTICE = "stock_notice"  # told to a channel: how much of an item is at a location


MASTER_KINDS: Final = frozenset({DocumentKind.CUSTOMER, DocumentKind.ITEM})
"""Documents that orders refer to and that stand before them."""

NOTICE_KINDS: Final = frozenset(
    {DocumentKind.SHIPMENT_NOTICE, DocumentKind.CANCELLATION_NOTICE, DocumentKind.STOCK_NOTICE}
)
"""What a channel is told: of no period, and nothing in the books."""

WHOLE: Final = "whole"
"""The memo of a cancellation that leaves nothing of its order."""

BILLS: Final = frozenset({DocumentKind.INVOICE, DocumentKind.CASH_SALE})
"""What bills goods."""

CREDITS: Final = frozenset({DocumentKind.CREDIT_MEMO, DocumentKind.CASH_REFUND})
"""What takes back of what was billed; their lines are positive where they lower what the customer owes."""

KEY_WORDS: Final = {
    DocumentKind.CUSTOMER: "cust",
    DocumentKind.ITEM: "item",
    DocumentKind.STOCK_RECEIPT: "rcpt",
    DocumentKind.STOCK_ADJUSTMENT: "adj",
    DocumentKind.SALES_ORDER: "so",
    DocumentKind.FULFILMENT: "ful",
    DocumentKind.INVOICE: "inv",
    DocumentKind.CASH_SALE: "cs",
    DocumentKind.PAYMENT: "pay",
    DocumentKind.DEPOSIT: "dep",
    DocumentKind.DEPOSIT_APPLICATION: "depapp",
    DocumentKind.CREDIT_MEMO: "cm",
    DocumentKind.CASH_REFUND: "cr",
    DocumentKind.REFUND: "ref",
    DocumentKind.RETURN_RECEIPT: "ret",
    DocumentKind.JOURNAL_ENTRY: "je",
    DocumentKind.PAYOUT: "po",
    DocumentKind.SHIPMENT_NOTICE: "ship",
    DocumentKind.CANCELLATION_NOTICE: "cancel",
    DocumentKind.STOCK_NOTICE: "level",
}


def document_key(kind: DocumentKind, *parts: str) -> DocumentKey:
    """The key of a document from what caused it: `[a-z0-9-]`, at most 40 characters.

    A longer one, or one whose parts do not survive the alphabet or could be cut in two ways, ends in 12 hex digits of
    the SHA-256 of its parts.
    """
    plain = "-".join((KEY_WORDS[kind], *parts))
    ambiguous = "-" in "".join(parts[1:])  # only a channel's slug may have a hyphen of its own
    key = plain if _PLAIN(plain) else _FOREIGN.sub("-", plain.lower()).strip("-")
    if key == plain and len(key) <= KEY_CHARS_MAX and not ambiguous:
        return DocumentKey(key)
    digest = sha256("\x1f".join((kind, *parts)).encode(errors="surrogatepass")).hexdigest()[:12]
    return DocumentKey(f"{key[: KEY_CHARS_MAX - 13].rstrip('-')}-{digest}")


class Component(Word):
    """What a line of a document is, hence which account it touches."""

    GOODS = "goods"  # at list price, without tax
    GIFT_CARD = "gift_card"  # a gift card sold
    DISCOUNT = "discount"  # negative; `detail` is the funder (seller, marketplace)
    SHIPPING = "shipping"  # after shipping discounts, without tax
    TAX = "tax"  # seller-collected; `detail` is the jurisdiction
    MARKETPLACE_TAX = "marketplace_tax"
    DUTY = "duty"
    TIP = "tip"
    FEE = "fee"
    CASH_ROUNDING = "cash_rounding"
    TAX_ROUNDING = "tax_rounding"
    ADJUSTMENT = "adjustment"  # an allowance (+ in a credit memo) or a fee kept (−)
    DEPOSITS = "deposits"  # money that the refund or application takes from deposits
    RECEIVABLE = "receivable"  # money that settles the receivable
    REFUNDS_PAYABLE = "refunds_payable"  # credited, to be paid out
    STOCK = "stock"  # quantity at a cost: `amount_minor` is the cost where the document states one, else 0
    SETTLEMENT = "settlement"  # of a payout; `detail` is a SettlementKind, after a colon the channel's word for it
    ACCOUNT = "account"  # a journal line: `detail` is the account's role, + is a debit


TAXES: Final = (Component.TAX, Component.MARKETPLACE_TAX)

DEFERRED: Final = "deferred"
"""The `detail` of a credit memo's goods or shipping that were not revenue yet: they come out of deferred revenue."""


@frozen
class DocumentLine:
    component: Component
    amount_minor: int  # signed as it adds to the document's total
    line: LineId | None = None  # the order line it comes from
    item: str | None = None  # the ERP's item, after crosswalk
    quantity: int = 0
    detail: str = ""


@frozen
class Rate:
    """One unit of the document's currency in the entity's functional currency."""

    value: Decimal
    on: datetime.date
    source: str


@frozen
class Document:
    """Frozen when decided. `total_minor` = Σ lines, always.

    What the kinds' lines are:
      sales_order, invoice, credit_memo: goods, discounts, shipping, tax, charges; a credit memo's are positive where
        they lower what the customer owes, and `settles` says how its total is credited. Of a sales order, lines
        ADJUSTMENT of no amount say how many units an edit or a cancellation took out, and those of no line the money.
      cash_sale: lines as an invoice; `method` says where the money is, `memo` is the id of the payment.
      cash_refund: lines as a credit memo, `method` and `memo` as a refund; `settles` names the cash sale that it is of.
      deposit, payment: lines DEPOSITS or RECEIVABLE; `method` says where the money is.
      deposit_application: lines DEPOSITS, and `settles` says which receivables. refund: REFUNDS_PAYABLE and DEPOSITS.
      The `detail` of a line DEPOSITS, RECEIVABLE or REFUNDS_PAYABLE is the key of the deposit, invoice or credit memo
        that the money is taken from or settles; "" where no document of the order holds it.
      fulfilment, return_receipt, stock_*: lines STOCK with item and quantity (signed for an adjustment).
      journal_entry: lines ACCOUNT that sum to zero.
      payout: lines SETTLEMENT that sum to what came to the bank; `method` says out of which clearing.
      customer, item: no lines; `item` carries `memo` as its name.
      shipment_notice: lines STOCK with the channel's line id and quantity; `location` is the channel's, None where it
        has its choice; `memo` is the id of the fulfilment that is told.
      stock_notice: one line STOCK with the channel's word for the item and the level; `location` is the channel's.
    """

    key: DocumentKey
    kind: DocumentKind
    entity: str
    currency: str
    date: datetime.date  # the accounting date
    lines: tuple[DocumentLine, ...] = ()
    order: OrderKey | None = None
    reference: str | None = None  # the order's name, for people: "#1001"
    method: str | None = None  # payment method, after crosswalk
    location: str | None = None
    party: PartyRef | None = None  # customer: who it is; sales order: where it goes. Never more than the reference
    bill_to: PartyRef | None = None  # sales order: who pays
    customer: DocumentKey | None = None  # the key of the ERP's customer document
    applies_to: DocumentKey | None = None  # invoice of an application, fulfilment of an invoice or return, return of …
    settles: tuple[DocumentLine, ...] = ()  # credit memo, application: the balances that its total settles, in lines
    deferred: bool = (
        False  # invoice before recognition: revenue is credited to deferred revenue; fulfilment: in transit
    )
    original_date: datetime.date | None = None  # where a closed period moved `date`
    rate: Rate | None = None  # None: the document's currency is the functional one
    memo: str = ""
    ship_method: str | None = None  # of an order and its fulfilments, after crosswalk
    customer_class: str | None = None  # of a customer; None: the ERP's own default
    accounts: tuple[tuple[str, str], ...] = ()  # role -> account number, where not the role's usual account
    rounding: tuple[DocumentLine, ...] = ()  # lines ACCOUNT in *functional* minor units; see hub/books/foreign.py
    parcels: tuple[Parcel, ...] = ()  # of a fulfilment or a shipment notice: they post nothing

    @property
    def parties(self) -> tuple[PartyRef, ...]:
        """Whose personal data an ERP is told with it, each once."""
        return tuple(dict.fromkeys(ref for ref in (self.party, self.bill_to) if ref is not None))

    def same_but_for_parcels(self, other: "Document") -> bool:
        """Whether the two differ at most in their parcels: one takes the other's place and no posting moves."""
        return replace(self, parcels=()) == replace(other, parcels=())

    @property
    def total_minor(self) -> int:
        return sum([line.amount_minor for line in self.lines])

    @property
    def tax_minor(self) -> int:
        return sum([x.amount_minor for x in self.lines if x.component in TAXES])


DOCUMENT: Final[TypeAdapter[Any]] = TypeAdapter(Document)


def content_of(document: Document) -> bytes:
    """The document as canonical JSON: what the store keeps and `revision_of` covers."""
    return DOCUMENT.serializer.to_json(document, exclude_defaults=True)  # without the adapter's wrapper: 0.6 µs of 2


def revision_of(content: bytes) -> str:
    """12 hex digits of the SHA-256 of a document's canonical JSON: which version of a document an ERP has."""
    return sha256(content).hexdigest()[:12]
