"""What happened to one rehearsed order, and what was true of it at any moment. Knows nothing of JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.shopify.rehearsal.catalogue import Product
from connectors.shopify.rehearsal.money import ZERO, Amount, Till, total

IMPORTED_FROM = ("tiktok", "facebook")


@dataclass(slots=True)
class TaxRule:
    title: str
    basis_points: int
    marketplace: bool  # True: the marketplace remits it ("channel_liable")


@dataclass(slots=True)
class Tax:
    rule: TaxRule
    amount: Amount


@dataclass(slots=True)
class Application:
    """A discount as entered; its amounts are the allocations that point at it."""

    kind: str  # discount_code | manual | automatic
    title: str  # the code, where it is one
    value: str
    value_type: str  # percentage | fixed_amount
    method: str  # across | each | one
    selection: str  # all | entitled | explicit
    target: str = "line_item"  # or shipping_line
    fixed: Amount = ZERO


@dataclass(slots=True)
class Allocation:
    application: int
    amount: Amount


@dataclass(slots=True)
class Duty:
    id: int
    hs_code: str
    origin: str
    amount: Amount


@dataclass(slots=True)
class Kit:
    id: int
    product: Product
    quantity: int


@dataclass(slots=True, eq=False)
class Line:
    id: int
    product: Product | None  # None: a custom line
    title: str
    sku: str | None
    quantity: int  # as ordered, whatever is removed or refunded later
    price: Amount
    taxable: bool = True
    ships: bool = True
    kit: Kit | None = None
    properties: list[tuple[str, str]] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    taxes: list[Tax] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    own_discount: Amount = ZERO  # the part of the allocations that was given on this line, not on the order
    added_at: datetime | None = None
    gross: Amount = ZERO
    net: Amount = ZERO
    tax: Amount = ZERO

    @property
    def gift_card(self) -> bool:
        return self.product is not None and self.product.kind == "gift_card"

    def settle(self) -> None:
        """gross, net and tax follow from the price, the allocations and the tax lines."""
        self.gross = self.price * self.quantity
        self.net = self.gross - total([allocation.amount for allocation in self.allocations])
        self.tax = total([tax.amount for tax in self.taxes])


@dataclass(slots=True)
class Shipping:
    id: int
    title: str
    price: Amount
    discount: Amount = ZERO
    application: int = -1
    taxes: list[Tax] = field(default_factory=list)

    @property
    def discounted(self) -> Amount:
        return self.price - self.discount

    @property
    def tax(self) -> Amount:
        return total([tax.amount for tax in self.taxes])


@dataclass(slots=True)
class Payment:
    """One transaction of the vendor."""

    id: int
    kind: str  # authorization | capture | sale | void | refund
    gateway: str
    status: str
    at: datetime
    amount: Amount
    parent: int | None = None
    settled_at: datetime | None = None  # pending until then
    rounding: Amount | None = None
    sequence: int = 1
    refund: int | None = None

    def status_at(self, at: datetime) -> str:
        return "pending" if self.settled_at is not None and at < self.settled_at else self.status


@dataclass(slots=True)
class Shipment:
    id: int
    sequence: int
    service: str
    at: datetime
    parts: list[tuple[int, Line, int]]  # (id, line, quantity)
    carrier: str | None
    numbers: list[str]
    delivered_at: datetime | None
    location: int | None = None  # None: the shop's first
    cancelled_at: datetime | None = None
    changed_at: datetime | None = None  # its tracking was changed
    urls: list[str] | None = None  # None: made from the numbers

    def stands_at(self, at: datetime) -> bool:
        return self.at <= at and not (self.cancelled_at is not None and self.cancelled_at <= at)

    def updated_at(self, at: datetime) -> datetime:
        stamps = (self.delivered_at, self.changed_at, self.cancelled_at)
        return max([self.at, *(stamp for stamp in stamps if stamp is not None and stamp <= at)])


@dataclass(slots=True)
class RefundLine:
    id: int
    line: Line
    quantity: int
    restock_type: str
    subtotal: Amount
    tax: Amount


@dataclass(slots=True)
class Adjustment:
    id: int
    kind: str
    reason: str
    amount: Amount
    tax: Amount


@dataclass(slots=True)
class Return:
    id: int
    sequence: int
    at: datetime
    lines: list[tuple[int, int, Line, int, str]]  # (id, shipment part id, line, quantity, reason)
    exchanged: list[tuple[int, Line]] = field(default_factory=list)
    closed_at: datetime | None = None


@dataclass(slots=True)
class Refund:
    id: int
    at: datetime
    note: str | None
    lines: list[RefundLine]
    shipping_id: int = 0
    shipping: Amount = ZERO
    shipping_tax: Amount = ZERO
    adjustments: list[Adjustment] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    part_of: Return | None = None

    def discrepancy(self) -> Amount:
        return total([part.amount + part.tax for part in self.adjustments if part.kind == "refund_discrepancy"])


@dataclass(slots=True)
class Edit:
    id: int
    at: datetime
    added: list[Line]
    removed: list[tuple[Line, int]]


@dataclass(slots=True)
class Gone:
    """Units that no longer count: removed by an edit, cancelled or refunded."""

    at: datetime
    line: Line
    quantity: int
    shipped: bool


Event = Payment | Shipment | Refund | Return | Edit | None


@dataclass(slots=True)
class Happening:
    at: datetime
    topic: str
    of: Event


@dataclass(slots=True)
class Totals:
    """As placed (with what edits added, before returns) and as it stands."""

    gross: Amount
    subtotal: Amount
    discounts: Amount
    shipping: Amount
    tax: Amount
    duties: Amount
    price: Amount
    current_subtotal: Amount
    current_discounts: Amount
    current_shipping: Amount
    current_tax: Amount
    current_price: Amount
    received: Amount
    refunded: Amount  # pending ones included
    outstanding: Amount


@dataclass(slots=True)
class Life:
    seed: int
    index: int
    id: int
    till: Till
    placed_at: datetime
    traits: set[str]
    taxes_included: bool = False
    source: str = "web"
    buyer: int | None = None  # None: a guest
    company: int | None = None
    terms_days: int | None = None
    paid_at: datetime | None = None  # when payment terms were met
    test: bool = False
    tip: Amount = ZERO
    fee: Amount | None = None
    applications: list[Application] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    shipping: Shipping | None = None
    payments: list[Payment] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    shipping_dropped: bool = False  # a cancellation let the shipping go without refunding it
    last_id: int = 0
    end: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.end = self.placed_at

    @property
    def processed_at(self) -> datetime:
        """When it was bought. One of another marketplace is brought in, and so placed here, some hours later."""
        late_h = 1 + self.index % 12 if self.source in IMPORTED_FROM else 0
        return self.placed_at - timedelta(hours=late_h)

    @property
    def number(self) -> int:
        return 1001 + self.index

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def lines_at(self, at: datetime) -> list[Line]:
        return [line for line in self.lines if line.added_at is None or line.added_at <= at]

    def payments_at(self, at: datetime) -> list[Payment]:
        return [payment for payment in self.payments if payment.at <= at]

    def gone_at(self, at: datetime, line: Line) -> int:
        return sum(gone.quantity for gone in self.gone if gone.line is line and gone.at <= at)

    def shipped_at(self, at: datetime, line: Line) -> int:
        return sum(
            quantity
            for shipment in self.shipments
            if shipment.stands_at(at)
            for _, part, quantity in shipment.parts
            if part is line
        )

    def to_ship_at(self, at: datetime, line: Line) -> int:
        """Units still to be shipped."""
        dropped = sum(gone.quantity for gone in self.gone if gone.line is line and not gone.shipped and gone.at <= at)
        return line.quantity - dropped - self.shipped_at(at, line)

    def totals(self, at: datetime) -> Totals:
        lines = self.lines_at(at)
        gross = total([line.gross for line in lines])
        subtotal = total([line.net for line in lines])
        tax = total([line.tax for line in lines])
        duties = total([duty.amount for line in lines for duty in line.duties])
        extras = duties + self.tip + (self.fee or ZERO)
        shipping = shipping_discount = shipping_now = shipping_tax_now = ZERO
        dropped = self.shipping_dropped and self.cancelled_at is not None and self.cancelled_at <= at
        refunds = [refund for refund in self.refunds if refund.at <= at]
        shipping_kept = not dropped and not any(refund.shipping for refund in refunds)
        if self.shipping is not None:
            shipping, shipping_discount = self.shipping.price, self.shipping.discount
            tax = tax + self.shipping.tax
            if not dropped:
                shipping_now = self.shipping.discounted - total([refund.shipping for refund in refunds])
                shipping_tax_now = self.shipping.tax - total([refund.shipping_tax for refund in refunds])
        price = subtotal + shipping - shipping_discount + extras
        current_subtotal, current_tax, current_gross = subtotal, tax, gross
        if self.gone:
            current_subtotal = current_gross = current_tax = ZERO
            for line in lines:
                gone = self.gone_at(at, line)
                current_gross = current_gross + line.price * (line.quantity - gone)
                current_subtotal = current_subtotal + line.net - line.net.units(line.quantity, 0, gone)
                current_tax = current_tax + line.tax - line.tax.units(line.quantity, 0, gone)
            current_tax = current_tax + shipping_tax_now
        elif refunds and self.shipping is not None:
            current_tax = tax - self.shipping.tax + shipping_tax_now
        current_price = current_subtotal + shipping_now + extras
        if not self.taxes_included:
            price = price + tax
            current_price = current_price + current_tax
        received = total(
            [
                payment.amount
                for payment in self.payments
                if payment.at <= at and payment.kind in ("sale", "capture") and payment.status_at(at) == "success"
            ]
        )
        refunded = total([p.amount for p in self.payments if p.at <= at and p.kind == "refund"])
        discrepancy = total([refund.discrepancy() for refund in refunds])
        return Totals(
            gross,
            subtotal,
            gross - subtotal + shipping_discount,
            shipping,
            tax,
            duties,
            price,
            current_subtotal,
            current_gross - current_subtotal + (shipping_discount if shipping_kept else ZERO),
            shipping_now,
            current_tax,
            current_price,
            received,
            refunded,
            current_price - received + refunded + discrepancy,
        )

    def financial_status(self, at: datetime, totals: Totals) -> str:
        """The vendor's word; a refund counts once it has succeeded."""
        payments = self.payments_at(at)
        refunded = total([p.amount for p in payments if p.kind == "refund" and p.status_at(at) == "success"])
        if totals.received:
            if refunded:
                return "refunded" if refunded.shop >= totals.received.shop else "partially_refunded"
            return "partially_paid" if totals.outstanding.shop > 0 else "paid"
        if self.cancelled_at is not None and self.cancelled_at <= at:
            return "voided"
        if any(p.kind == "authorization" and p.status == "success" for p in payments):
            return "authorized"
        return "pending" if totals.price else "paid"

    def fulfillment_status(self, at: datetime) -> str | None:
        """The vendor's word: None while nothing has shipped."""
        lines = self.lines_at(at)
        shipped = any(shipment.stands_at(at) for shipment in self.shipments)
        if not shipped:
            restocked = any(r.at <= at and any(part.restock_type == "cancel" for part in r.lines) for r in self.refunds)
            return "restocked" if restocked and not _left(self, at, lines) else None
        return "partial" if _left(self, at, lines) else "fulfilled"


def _left(life: Life, at: datetime, lines: Iterable[Line]) -> bool:
    return any(life.to_ship_at(at, line) > 0 for line in lines)
