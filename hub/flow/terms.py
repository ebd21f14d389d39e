"""The terms under which an order is decided: entity, policies, crosswalks, rate. Data in, handed to every decision."""

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hub.model.crosswalk import CrosswalkKind, Crosswalks
from hub.model.documents import DocumentKey, DocumentKind, Rate, document_key
from hub.model.order import ACCOUNT, Line, LineKind, OrderKey, Snapshot

STOCKED = (LineKind.PRODUCT, LineKind.COMPONENT)
"""Line kinds that are goods in a warehouse: a kit is its components, a custom line and a gift card are none."""


@dataclass(frozen=True, slots=True)
class Item:
    """An ERP item as the price list has it; amounts in the entity's functional currency."""

    code: str
    name: str
    list_price_minor: int | None
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    entity: str
    functional: str  # the entity's currency
    timezone: ZoneInfo
    recognise_on_delivery: bool
    policy: str  # its version, with the crosswalks': stored with every decision
    crosswalks: Crosswalks
    rate: Rate | None = None  # None: the order's currency is the functional one
    closed_until: datetime.date | None = None

    def day(self, at: datetime.datetime) -> datetime.date:
        """The calendar day of a moment where the entity keeps its books."""
        return at.astimezone(self.timezone).date()

    def open_day(self, on: datetime.date) -> datetime.date:
        """The day itself, or the first day after the closed periods."""
        if self.closed_until is not None and on <= self.closed_until:
            return self.closed_until + datetime.timedelta(days=1)
        return on

    def item(self, line: Line, on: datetime.date) -> str | None:
        """The ERP's item for an order line; None where it has none or its SKU is unmapped."""
        if line.sku is None:
            return None
        return self.crosswalks.find(CrosswalkKind.ITEM, line.sku, on)

    def method(self, gateway: str, on: datetime.date) -> str:
        """The ERP's payment method; the channel's own word where no row says otherwise."""
        return self.crosswalks.find(CrosswalkKind.PAYMENT_METHOD, gateway, on) or gateway

    def location(self, location: str | None, on: datetime.date) -> str:
        """The ERP's location; the only warehouse, `main`, where no row says otherwise."""
        if location is None:
            return "main"
        return self.crosswalks.find(CrosswalkKind.LOCATION, location, on) or "main"

    def customer(self, key: OrderKey, snapshot: Snapshot) -> DocumentKey:
        """The key of the ERP's customer: the channel's customer, or the channel's one guest account."""
        if snapshot.customer is None or not snapshot.customer.of_account:
            return document_key(DocumentKind.CUSTOMER, key.channel, "guest")
        return document_key(DocumentKind.CUSTOMER, key.channel, snapshot.customer.id.removeprefix(ACCOUNT))
