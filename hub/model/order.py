"""An order as its channel states it at one moment, in the hub's words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NewType

from pydantic import TypeAdapter

from hub.model.frozen import frozen
from hub.model.words import Word

LineId = NewType("LineId", str)
"""The hub's id of a line, for life: the channel's line id when the line was first seen."""


@dataclass(frozen=True, slots=True, order=True)
class OrderKey:
    channel: str  # slug
    external_id: str  # the channel's own order id

    def __str__(self) -> str:
        return f"{self.channel}/{self.external_id}"


class LineKind(Word):
    PRODUCT = "product"
    GIFT_CARD = "gift_card"  # sold as a product: a liability, not revenue
    CUSTOM = "custom"  # no product behind it
    KIT = "kit"  # sold as one; its components are lines with `parent` set
    COMPONENT = "component"


class Collector(Word):
    SELLER = "seller"
    MARKETPLACE = "marketplace"  # remits the tax itself: never the seller's liability


class Scope(Word):
    ORDER = "order"
    LINE = "line"
    SHIPPING = "shipping"


class ChargeKind(Word):
    DUTY = "duty"
    TIP = "tip"
    FEE = "fee"
    CASH_ROUNDING = "cash_rounding"
    TAX_ROUNDING = "tax_rounding"  # the channel's order tax less the sum of its tax lines


class FinancialStatus(Word):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    EXPIRED = "expired"


@frozen
class TaxLine:
    title: str  # the jurisdiction in the channel's words
    amount_minor: int
    rate: Decimal | None  # 0.06 for 6 %; None where the channel gives none
    collector: Collector = Collector.SELLER
    included: bool = False  # already in the price


@frozen
class Discount:
    """A discount as it falls on one line or one shipping line; `amount_minor` is positive."""

    amount_minor: int
    title: str
    scope: Scope
    funder: Collector = Collector.SELLER


@frozen
class Line:
    id: LineId
    external_id: str
    kind: LineKind
    sku: str | None  # None: the channel gives none
    product: str | None  # the channel's variant, else product, id
    title: str
    quantity: int  # as ordered, later removals and refunds included
    unit_price: Decimal  # list price of one, before discounts
    gross_minor: int  # unit_price x quantity
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    requires_shipping: bool = True
    removed_quantity: int = 0  # taken out by an edit, never to be shipped; refunded units are not counted here
    parent: LineId | None = None  # the kit that this is a component of

    @property
    def discount_minor(self) -> int:
        return sum([discount.amount_minor for discount in self.discounts]) if self.discounts else 0

    @property
    def net_minor(self) -> int:
        """What the line sells for after discounts, without tax."""
        return self.gross_minor - self.discount_minor - included_tax(self.taxes)


@frozen
class ShippingLine:
    external_id: str
    title: str
    code: str | None
    gross_minor: int
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()

    @property
    def discount_minor(self) -> int:
        return sum([discount.amount_minor for discount in self.discounts]) if self.discounts else 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.discount_minor - included_tax(self.taxes)


@frozen
class Charge:
    kind: ChargeKind
    amount_minor: int  # signed for the roundings
    title: str = ""
    taxes: tuple[TaxLine, ...] = ()


@frozen
class Presentment:
    """The same order in the buyer's currency, where the channel has two."""

    currency: str
    claimed_total_minor: int
    computed_total_minor: int


@frozen
class PartyRef:
    """Points to an immutable version of a party; the personal data itself lives in the parties table."""

    id: str
    version: str

    @property
    def of_account(self) -> bool:
        """Whether it is a customer whom the channel knows by an id, not a guest or an address."""
        return self.id.startswith(ACCOUNT)


ACCOUNT: Final = "customer-"
"""How the id of a channel's own customer begins; the channel's id of the customer follows."""


@frozen
class Party:
    """Personal data: kept apart, redacted in logs, purgeable. `repr` shows the reference only."""

    ref: PartyRef
    name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    address: tuple[str, ...] = ()  # street lines
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None  # ISO 3166 alpha-2

    def __repr__(self) -> str:
        return f"Party({self.ref.id}@{self.ref.version})"


PARTY: Final[TypeAdapter[Any]] = TypeAdapter(Party)


@frozen
class Snapshot:
    """All that the channel says of an order at `modified_at`.

    Invariant, to the unit: `computed_total_minor` equals `claimed_total_minor`, else the order is held.
    """

    name: str  # "#1001": for people, not unique
    currency: str  # the shop's; every `*_minor` here is in it
    placed_at: datetime
    modified_at: datetime
    claimed_total_minor: int  # as placed
    lines: tuple[Line, ...]
    shipping: tuple[ShippingLine, ...] = ()
    charges: tuple[Charge, ...] = ()
    claimed_current_minor: int | None = None  # as it stands now, where the channel says so
    claimed_financial: FinancialStatus | None = None
    presentment: Presentment | None = None
    customer: PartyRef | None = None
    bill_to: PartyRef | None = None
    ship_to: PartyRef | None = None
    ship_to_country: str | None = None
    business: bool = False  # a B2B buyer on terms
    po_number: str | None = None
    test: bool = False
    source: str | None = None  # the channel's own word for where the order came from
    methods: tuple[str, ...] = ()  # payment gateways named
    unread_money: tuple[str, ...] = ()  # where in the record money stands whose amount in `currency` it does not say
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    promised_ship_by: datetime | None = None  # where the order itself says it; else in facts of kind promise
    promised_delivery_by: datetime | None = None
    ship_method: str | None = None  # the channel's word, where it is not the shipping line's; see mappings/overlay.py
    customer_class: str | None = None  # the channel's word for the buyer's class, where it has one

    @property
    def computed_total_minor(self) -> int:
        """Lines at list price − discounts + shipping + charges + tax that is not in the prices."""
        total = 0
        parts: tuple[Line | ShippingLine, ...] = self.lines + self.shipping
        for sold in parts:
            total += sold.gross_minor
            for discount in sold.discounts:
                total -= discount.amount_minor
            for tax in sold.taxes:
                if not tax.included:
                    total += tax.amount_minor
        for charge in self.charges:
            total += charge.amount_minor + added_tax(charge.taxes)
        return total


def included_tax(taxes: tuple[TaxLine, ...]) -> int:
    """Minor units of tax that are already in the price."""
    total = 0
    for tax in taxes:
        if tax.included:
            total += tax.amount_minor
    return total


def added_tax(taxes: tuple[TaxLine, ...]) -> int:
    """Minor units of tax that come on top of the price."""
    total = 0
    for tax in taxes:
        if not tax.included:
            total += tax.amount_minor
    return total
