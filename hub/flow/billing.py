"""What of an order line is to be billed, unit by unit, so that all invoices and credits add up to the line exactly.

Units are numbered: the first are those that ship, in order of shipment; then those cancelled by refunds; the last are
those removed by edits. A cancelled unit carries what the channel's refund says, a removed one its share of the line,
and what is left is shared by the units that remain.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from hub.books.chart import Role
from hub.books.post import DEFERRABLE, MARKETPLACE
from hub.model.documents import Component, DocumentKey, DocumentLine
from hub.model.money import part, spread
from hub.model.order import Collector, Line, LineId, LineKind, TaxLine, included_tax
from hub.model.refunding import RefundedLine


class Bill:
    """What is billed of one line; `take` hands out its units in order of shipment."""

    def __init__(self, line: Line, cancelled: Sequence[RefundedLine], item: str | None = None) -> None:
        self.line = line
        self.item = item
        self.placed = list(placed(line, item))
        self._cancelled = cancelled
        self._units = max(0, line.quantity - line.removed_quantity - sum(row.cancelled for row in cancelled))
        self._taken = 0

    def take(self, quantity: int, item: str | None) -> list[DocumentLine]:
        """The document lines of the next units; units beyond what can be billed carry nothing."""
        start = self._taken
        count = min(quantity, self._units - start)
        if count <= 0:
            return []
        self._taken += count
        if count == self.line.quantity and item == self.item:
            return self.placed  # all of it in one shipment: as it was ordered
        return list(self._portion(start, count, item))

    @property
    def exhausted(self) -> bool:
        """Whether all that can be billed was taken."""
        return self._taken >= self._units

    def _portion(self, start: int, count: int, item: str | None) -> Iterator[DocumentLine]:
        line = self.line
        net = part(self._amounts.net, self._units, start, count)
        component = Component.GIFT_CARD if line.kind is LineKind.GIFT_CARD else Component.GOODS
        goods = part(_goods_minor(line), line.quantity, start, count)
        yield DocumentLine(component, goods, line.id, item, count)
        if net != goods:
            yield from discount_lines(line, net - goods)
        for tax, amount in zip(line.taxes, self._amounts.taxes, strict=True):
            if taken := part(amount, self._units, start, count):
                yield tax_line(tax, taken, line.id)

    @cached_property
    def _amounts(self) -> "_Amounts":
        line, quantity, removed = self.line, self.line.quantity, self.line.removed_quantity
        net = line.net_minor
        taxes = [tax.amount_minor for tax in line.taxes]
        if removed and quantity:
            net -= part(net, quantity, quantity - removed, removed)
            taxes = [tax - part(tax, quantity, quantity - removed, removed) for tax in taxes]
        net -= sum(row.cancelled_net_minor for row in self._cancelled)
        off = sum(row.cancelled_tax_minor for row in self._cancelled)
        if off:
            taxes = [tax - share for tax, share in zip(taxes, spread_like(off, taxes), strict=True)]
        return _Amounts(net, taxes)


class _Amounts(NamedTuple):
    """What the units that ship carry together."""

    net: int
    taxes: list[int]  # a tax line each


class Shipment:
    """What one shipment holds back until it arrives: revenue that its invoice defers, and goods in transit.

    It ends when it arrives, or when all its units were credited before; what is left then is recognised.
    """

    def __init__(
        self,
        units: Iterable[tuple[LineId, int]],
        moved: DocumentKey | None,
        stock: Iterable[DocumentLine],
        billed: Iterable[DocumentLine],
    ) -> None:
        self.units: dict[LineId, int] = {}  # not credited
        self.moved = moved  # the document that took its stock
        self.ended = False
        self.shipping_minor = 0
        self._transit: dict[LineId | None, DocumentLine] = {}
        self._deferred: dict[LineId, tuple[int, int, int]] = {}  # units, goods and discounts
        for id, count in units:
            if count > 0:
                self.units[id] = self.units.get(id, 0) + count
        for line in stock:
            before = self._transit.get(line.line)
            quantity = line.quantity + (before.quantity if before else 0)
            self._transit[line.line] = DocumentLine(Component.STOCK, 0, line.line, line.item, quantity)
        for line in billed:
            if line.component not in DEFERRABLE or line.detail == MARKETPLACE:
                continue
            if line.line is None:
                self.shipping_minor += line.amount_minor
                continue
            count, goods, off = self._deferred.get(line.line, (0, 0, 0))
            if line.component is Component.GOODS:
                count, goods = count + line.quantity, goods + line.amount_minor
            else:
                off += line.amount_minor
            self._deferred[line.line] = (count, goods, off)

    def credit(self, line: LineId, count: int) -> int:
        """What is deferred for the next so many units of a line, no longer to be recognised."""
        units, goods, off = self._deferred.get(line, (0, 0, 0))
        count = min(count, units)
        goods_part, off_part = part(goods, units, 0, count), part(off, units, 0, count)
        self._deferred[line] = (units - count, goods - goods_part, off - off_part)
        return goods_part + off_part

    def credit_shipping(self, amount_minor: int) -> int:
        """As much of it as is deferred, no longer to be recognised."""
        taken = max(0, min(amount_minor, self.shipping_minor))
        self.shipping_minor -= taken
        return taken

    def take_back(self, line: LineId, count: int) -> DocumentLine | None:
        """So many units of a line out of transit; None where none are there."""
        there = self._transit.get(line)
        if there is None or there.quantity < count:
            return None
        self._transit[line] = DocumentLine(Component.STOCK, 0, line, there.item, there.quantity - count)
        return DocumentLine(Component.STOCK, 0, line, there.item, count)

    def recognised(self) -> Iterator[DocumentLine]:
        """The lines of the journal entry that ends it: deferred revenue becomes revenue, and cost leaves transit."""
        roles = (
            (Role.REVENUE, sum(goods for _, goods, _ in self._deferred.values())),
            (Role.DISCOUNTS, sum(off for _, _, off in self._deferred.values())),
            (Role.SHIPPING_INCOME, self.shipping_minor),
        )
        for role, amount in roles:
            if amount:
                yield DocumentLine(Component.ACCOUNT, amount, detail=Role.DEFERRED_REVENUE.value)
                yield DocumentLine(Component.ACCOUNT, -amount, detail=role.value)
        yield from (line for line in self._transit.values() if line.quantity)


def placed(line: Line, item: str | None) -> Iterator[DocumentLine]:
    """The whole line as it was ordered."""
    component = Component.GIFT_CARD if line.kind is LineKind.GIFT_CARD else Component.GOODS
    yield DocumentLine(component, _goods_minor(line), line.id, item, line.quantity)
    if line.discounts:
        yield from discount_lines(line, -line.discount_minor)
    for tax in line.taxes:
        if tax.amount_minor:
            yield tax_line(tax, tax.amount_minor, line.id)


def _goods_minor(line: Line) -> int:
    """The line at list price, without tax."""
    return line.gross_minor - included_tax(line.taxes)


def discount_lines(line: Line, amount_minor: int) -> Iterator[DocumentLine]:
    """A (negative) discount on a line by who funds it."""
    marketplace = sum(d.amount_minor for d in line.discounts if d.funder is Collector.MARKETPLACE)
    seller = line.discount_minor - marketplace
    if not marketplace:
        yield DocumentLine(Component.DISCOUNT, amount_minor, line.id, detail=Collector.SELLER)
        return
    by_seller, by_marketplace = spread(amount_minor, (seller, marketplace))
    if by_seller:
        yield DocumentLine(Component.DISCOUNT, by_seller, line.id, detail=Collector.SELLER)
    if by_marketplace:
        yield DocumentLine(Component.DISCOUNT, by_marketplace, line.id, detail=Collector.MARKETPLACE)


def tax_line(tax: TaxLine, amount_minor: int, line: LineId | None = None) -> DocumentLine:
    """A tax amount under its jurisdiction, on the side of who remits it."""
    component = Component.MARKETPLACE_TAX if tax.collector is Collector.MARKETPLACE else Component.TAX
    return DocumentLine(component, amount_minor, line, detail=tax.title)


def tax_lines(taxes: tuple[TaxLine, ...], amount_minor: int, line: LineId | None = None) -> Iterator[DocumentLine]:
    """A tax amount spread over jurisdictions as the original taxes lie; under "unspecified" where there are none."""
    if not amount_minor:
        return
    if not taxes:
        yield DocumentLine(Component.TAX, amount_minor, line, detail="unspecified")
        return
    for tax, share in zip(taxes, spread_like(amount_minor, [t.amount_minor for t in taxes]), strict=True):
        if share:
            yield tax_line(tax, share, line)


def spread_like(total: int, amounts: list[int]) -> tuple[int, ...]:
    """A total spread in proportion to amounts; evenly where they are all zero."""
    weights = [abs(amount) for amount in amounts]
    return spread(total, weights if any(weights) else [1] * len(weights)) if weights else ()
