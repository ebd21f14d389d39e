"""The terms under which an order is decided: entity, policies, crosswalks, rate. Data in, handed to every decision."""

import datetime
from dataclasses import replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from hub.model.crosswalk import CrosswalkKind, Crosswalks, CustomerWord
from hub.model.documents import DocumentKey, DocumentKind, Rate, document_key
from hub.model.frozen import frozen
from hub.model.order import ACCOUNT, Line, LineKind, OrderKey, Snapshot, TaxLine

MAIN = "main"
"""The ERP's location of what names none."""

STOCKED = (LineKind.PRODUCT, LineKind.COMPONENT)
"""Line kinds that are goods in a warehouse: a kit is its components, a custom line and a gift card are none."""


@frozen
class Item:
    """An ERP item as the price list has it; amounts in the entity's functional currency."""

    code: str
    name: str
    list_price_minor: int | None
    cost_minor: int
    line: str | None = None  # the product line that margins are told by; None: of none


@frozen
class Terms:
    entity: str
    functional: str  # the entity's currency
    timezone: ZoneInfo
    recognise_on_delivery: bool
    policy: str  # its version, with the crosswalks': stored with every decision
    crosswalks: Crosswalks
    rate: Rate | None = None  # None: the order's currency is the functional one
    closed_until: datetime.date | None = None
    cash_sales: bool = False  # a shipment that one payment of its day pays in full is billed together with it

    def day(self, at: datetime.datetime) -> datetime.date:
        """The calendar day of a moment where the entity keeps its books."""
        return _day(at, self.timezone)

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
            return MAIN
        return self.crosswalks.find(CrosswalkKind.LOCATION, location, on) or MAIN

    def ship_method(self, snapshot: Snapshot, on: datetime.date) -> str | None:
        """The ERP's ship method by the order's own word, else the first shipping line's code, else its title.

        The channel's word where it is not mapped.
        """
        asked = [(snapshot.ship_method,)] if snapshot.ship_method else [(x.code, x.title) for x in snapshot.shipping]
        for given in asked:
            words = [word for word in given if word]
            if CrosswalkKind.SHIP_METHOD in self.crosswalks.kinds:
                mapped = (self.crosswalks.find(CrosswalkKind.SHIP_METHOD, word, on) for word in words)
                return next((word for word in mapped if word is not None), next(iter(words), None))
            return words[0] if words else None
        return None

    def tax_codes(self, snapshot: Snapshot, on: datetime.date) -> Snapshot:
        """The order with the ERP's tax codes for its jurisdictions; unmapped ones keep the channel's word."""
        if CrosswalkKind.TAX_CODE not in self.crosswalks.kinds:
            return snapshot

        def coded(taxes: tuple[TaxLine, ...]) -> tuple[TaxLine, ...]:
            return tuple(replace(tax, title=self.tax_code(tax.title, on)) for tax in taxes)

        return replace(
            snapshot,
            lines=tuple(replace(line, taxes=coded(line.taxes)) for line in snapshot.lines),
            shipping=tuple(replace(line, taxes=coded(line.taxes)) for line in snapshot.shipping),
            charges=tuple(replace(charge, taxes=coded(charge.taxes)) for charge in snapshot.charges),
        )

    def tax_code(self, jurisdiction: str, on: datetime.date) -> str:
        """The ERP's tax code; the channel's own word where no row says otherwise."""
        return self.crosswalks.find(CrosswalkKind.TAX_CODE, jurisdiction, on) or jurisdiction

    def accounts(self, on: datetime.date) -> tuple[tuple[str, str], ...]:
        """The accounts to post to for their roles, where they are not the usual ones."""
        return tuple(self.crosswalks.all(CrosswalkKind.GL_ACCOUNT, on).items())

    def customer_class(self, snapshot: Snapshot, on: datetime.date) -> str | None:
        """The ERP's class for the order's customer; None: no row says any."""
        if CrosswalkKind.CUSTOMER_CLASS not in self.crosswalks.kinds:
            return None
        word = CustomerWord.BUSINESS if snapshot.business else CustomerWord.CONSUMER
        if snapshot.customer is None or not snapshot.customer.of_account:
            word = CustomerWord.GUEST
        words = [one for one in (snapshot.customer_class, word, CustomerWord.ANY) if one]
        found = (self.crosswalks.find(CrosswalkKind.CUSTOMER_CLASS, one, on) for one in words)
        return next((target for target in found if target is not None), None)

    def channel_location(self, location: str | None, on: datetime.date) -> str | None:
        """The channel's location for the ERP's; None where no row, or more than one, says which."""
        known = self.crosswalks.sources(CrosswalkKind.LOCATION, location, on) if location is not None else []
        return known[0] if len(known) == 1 else None

    def customer(self, key: OrderKey, snapshot: Snapshot) -> DocumentKey:
        """The key of the ERP's customer: the channel's customer, or the channel's one guest account."""
        if snapshot.customer is None or not snapshot.customer.of_account:
            return _customer_key(key.channel, "guest")
        return _customer_key(key.channel, snapshot.customer.id.removeprefix(ACCOUNT))


@lru_cache(maxsize=1_000)  # an order has few moments, and each is asked for many times
def _day(at: datetime.datetime, timezone: ZoneInfo) -> datetime.date:
    return at.astimezone(timezone).date()


@lru_cache(maxsize=1_000)  # a decision asks for its customer's several times
def _customer_key(channel: str, customer: str) -> DocumentKey:
    return document_key(DocumentKind.CUSTOMER, channel, customer)
