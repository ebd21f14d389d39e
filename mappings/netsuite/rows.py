"""A document's lines as the rows of a NetSuite sale: each with a key of ours, and its taxes told, never computed.

A tax line of an order line belongs to that line's goods, one of no line to the charge before it; a tax that has no row
to stand on gets one of no amount. A discount follows the goods that it is on. What a marketplace collects or gives is a
row on its clearing account.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hub.errors import Rejected
from hub.model.documents import CREDITS, DEFERRED, Component, Document, DocumentKind, DocumentLine
from hub.model.frozen import frozen
from hub.model.money import decimal_of
from hub.model.order import LineId
from mappings.netsuite.words import Body, Directory, segments_body

SEP: Final = "/"
"""Between the parts of a row's key; a row of goods has the id of its order line alone."""
MARKETPLACE: Final = "marketplace"
RATE_PLACES: Final = Decimal("0.0001")
SOLD: Final = (Component.GOODS, Component.GIFT_CARD)
CUSTOM_PRICE: Final = {"id": "-1"}


@frozen
class Row:
    key: str
    component: Component
    line: LineId | None
    item: str | None  # its code; None: that of a charge
    quantity: int
    amount_minor: int
    taxes: tuple[tuple[str, int], ...] = ()  # by jurisdiction, minor units
    detail: str = ""
    sold_as: str = ""  # by what its class is found: the item code of its order line's goods, else its component's word

    @property
    def is_discount(self) -> bool:
        return self.component is Component.DISCOUNT and self.detail != MARKETPLACE


def rows_of(document: Document) -> tuple[Row, ...]:
    """The rows of an order, an invoice or a credit memo, in their order.

    Raises:
        Rejected: it defers revenue.
    """
    made: list[Row] = []
    at: dict[LineId | None, int] = {}  # the row that taxes of a line stand on
    for line in document.lines:
        if line.component is Component.TAX:
            if line.line not in at:
                at[line.line] = len(made)
                made.append(_row(made, DocumentLine(Component.ADJUSTMENT, 0, line.line)))
            row = made[at[line.line]]
            made[at[line.line]] = replace(row, taxes=_added(row.taxes, line.detail, line.amount_minor))
        elif line.component is Component.ADJUSTMENT and document.kind is DocumentKind.SALES_ORDER:
            continue  # what was taken out: see order.py
        else:
            if line.detail == DEFERRED and line.component is not Component.DISCOUNT:
                raise Rejected(
                    f"{document.key} takes {line.component} out of deferred revenue",
                    code="deferred_revenue",
                    field="lines.detail",
                    remedy="NetSuite recognises revenue by its own schedules: set recognise: shipment for this entity",
                )
            if line.component is Component.DISCOUNT and not line.amount_minor:
                continue  # a discount of nothing could never be billed
            row = _row(made, line)
            if line.line in at and not row.is_discount and line.component not in SOLD and line.line is not None:
                row = replace(row, quantity=made[at[line.line]].quantity)  # billed unit by unit with its goods
            if line.component in SOLD or line.line is None or line.line not in at:
                at[line.line] = len(made)
            made.append(row)
    goods = [row for row in made if row.component in SOLD and row.line is not None]
    codes: dict[LineId | None, str | None] = {row.line: row.item for row in goods}
    return tuple(replace(row, sold_as=codes.get(row.line) or row.item or row.component.value) for row in made)


def _row(made: list[Row], line: DocumentLine) -> Row:
    component = line.component
    detail = line.detail if component is Component.DISCOUNT else ""
    key = _key(line, detail)
    taken = {row.key for row in made}
    number = 2
    while key in taken:
        key = SEP.join((_key(line, detail), str(number)))
        number += 1
    return Row(key, component, line.line, line.item, line.quantity, line.amount_minor, (), detail)


def _key(line: DocumentLine, detail: str) -> str:
    if line.component in SOLD and line.line is not None:
        return line.line
    return SEP.join(part for part in (line.line, line.component.value, detail) if part)


def _added(taxes: tuple[tuple[str, int], ...], jurisdiction: str, minor: int) -> tuple[tuple[str, int], ...]:
    sums = dict(taxes)
    sums[jurisdiction] = sums.get(jurisdiction, 0) + minor
    return tuple(sums.items())


def item_of(row: Row, document: Document, directory: Directory, *, moved: bool = True) -> str:
    """The internal id of the row's item.

    Args:
        moved: the goods go or come with this document or one beside it; else their amount alone is credited.
    """
    if row.component in SOLD and moved:
        if row.item is not None:
            return directory.item(row.item)
        return directory.charge(row.component, custom=True)
    if row.component is Component.DISCOUNT and row.detail == MARKETPLACE:
        return directory.charge(Component.MARKETPLACE_TAX)
    given = row.amount_minor if document.kind in CREDITS else -row.amount_minor
    kept = row.component is Component.ADJUSTMENT and given < 0
    return directory.charge(row.component, kept=kept)


def row_body(row: Row, document: Document, directory: Directory, *, moved: bool = True) -> Body:
    """A new row of a sale."""
    body: Body = {"item": {"id": item_of(row, document, directory, moved=moved)}}
    if not row.is_discount:
        body["quantity"] = row.quantity or 1
        body["price"] = CUSTOM_PRICE
    body["amount"] = decimal_of(row.amount_minor, document.currency)
    body["taxDetailsReference"] = row.key
    body[directory.line_field] = row.key
    return body | segments_body(directory.segments(document, row.sold_as))


def tax_body(rows: Sequence[Row], document: Document, directory: Directory) -> Body:
    """The override with its tax details; without one where no code is set up even for what bears no tax."""
    details: dict[tuple[str, str], Body] = {}
    for row in rows:
        for jurisdiction, minor in row.taxes:
            _detail(details, row, directory.tax(jurisdiction), minor, document)
    if not details and rows and (untaxed := directory.untaxed()) is not None:
        _detail(details, rows[0], untaxed, 0, document)  # an override without details is none
    if not details:
        return {}
    return {"taxDetailsOverride": True, "taxDetails": {"items": list(details.values())}}


def _detail(
    details: dict[tuple[str, str], Body], row: Row, found: tuple[str, str], minor: int, document: Document
) -> None:
    code, kind = found
    basis = decimal_of(row.amount_minor, document.currency)
    body = details.setdefault(
        (row.key, code),
        {
            "taxDetailsReference": row.key,
            "taxCode": {"id": code},
            "taxType": kind,  # a text in the vendor's specs, unlike the code
            "taxBasis": basis,
            "taxRate": Decimal(0),
            "taxAmount": decimal_of(0, document.currency),
        },
    )
    body["taxAmount"] += decimal_of(minor, document.currency)
    if basis:
        body["taxRate"] = (body["taxAmount"] * 100 / basis).quantize(RATE_PLACES)
