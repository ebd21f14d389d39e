"""Rows of a search as rows of a statement: what NetSuite says of an order, a refund or a payment, ours or not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hub.model.documents import Component
from hub.model.frozen import frozen
from hub.model.money import rounded_minor
from hub.model.statement import ErpRow, StatementRow, Subject
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import counted_minor
from mappings.netsuite.rows import SEP
from mappings.netsuite.words import CANCELLED, CHANNEL, ORDER, REVISION, SUBJECT, VOIDED

SUBJECTS: Final = {
    "SalesOrd": Subject.ORDER,
    "CustRfnd": Subject.REFUND,
    "CashRfnd": Subject.REFUND,
    "CashSale": Subject.PAYMENT,
    "Journal": Subject.REFUND,  # of money that no document of the order held
    "CustPymt": Subject.PAYMENT,
    "CustDep": Subject.PAYMENT,
}
COLUMNS: Final = {
    Component.GOODS: "goods_minor",
    Component.GIFT_CARD: "goods_minor",
    Component.DISCOUNT: "discount_minor",
    Component.SHIPPING: "shipping_minor",
    Component.TAX: "tax_minor",
    Component.MARKETPLACE_TAX: "tax_minor",
    Component.DUTY: "charges_minor",
    Component.TIP: "charges_minor",
    Component.FEE: "charges_minor",
    Component.ADJUSTMENT: "charges_minor",
    Component.CASH_ROUNDING: "rounding_minor",
    Component.TAX_ROUNDING: "rounding_minor",
}
COMPONENTS: Final = {component.value: component for component in COLUMNS}


@frozen
class Amounts:
    """What an order's rows come to."""

    by_column: Mapping[str, Decimal]
    closed: int

    @property
    def total(self) -> Decimal:
        return sum(self.by_column.values(), Decimal(0))


def amounts_of(lines: Iterable[Fields], charges: Mapping[str, Component], line_field: str) -> Amounts:
    """The rows of one order by component.

    Args:
        lines: with foreignamount (of the ledger's sign: what is sold is negative), taxline, isclosed, itemtype, itemid
            and the field of our row key.
        charges: what the items are that stand for no goods, by code.
    """
    sums: dict[str, Decimal] = {}
    closed = 0
    for line in lines:
        column = COLUMNS[_component(line, charges, line_field)]
        sums[column] = sums.get(column, Decimal(0)) - (line.amount("foreignamount") or Decimal(0))
        closed += line.flag("isclosed") or False
    return Amounts(sums, closed)


def erp_row(header: Fields, amounts: Amounts | None, entity: str, zone: ZoneInfo) -> ErpRow:
    """The row of a statement.

    Args:
        header: id, externalid, type, day, modified, symbol, foreigntotal, voided, otherrefnum, memo, our fields.
        amounts: of an order.
        zone: of the moments that searches show.
    """
    kind = header.needed("type")
    subject = SUBJECTS[kind]
    currency = header.needed("symbol")
    total = header.amount("foreigntotal") or Decimal(0)
    ref = header.needed("id")
    order = header.text(ORDER) or ""
    day = header.day("day")
    if day is None:
        header.fault("day", "missing")
    minors: dict[str, int] = {}
    match subject:
        case Subject.ORDER:
            minors = _order(header, amounts or Amounts({}, 0), total, currency)
        case Subject.REFUND:
            minors = {"refund_minor": -rounded_minor(total, currency)}
        case Subject.PAYMENT:
            minors = {"payment_minor": rounded_minor(total, currency)}
    row = StatementRow(
        entity=entity,
        channel=header.text(CHANNEL) or "",
        order=order,
        subject=subject,
        subject_id=(order if subject is Subject.ORDER else header.text(SUBJECT)) or ref,
        currency=currency,
        date=day,
        **minors,
    )
    key = header.text("externalid") or ""
    return ErpRow(
        row=row,
        key=key,
        ref=ref,
        reference=header.text("otherrefnum") or (header.text("memo") or "").partition(" of ")[0],
        version=version_of(header.moment("modified"), zone),
        voided=bool(header.flag("voided")) or header.text(REVISION) == VOIDED,
        by_hand=not key,
    )


def version_of(modified: datetime | None, zone: tzinfo = UTC) -> int:
    """When it changed last, in seconds: what searches show as a clock of that zone, the record service in UTC."""
    if modified is None:
        return 0
    if modified.tzinfo is UTC:  # a clock's time, read as if it were in UTC
        modified = modified.replace(tzinfo=zone)
    return int(modified.timestamp())


def charge_items(codes: Mapping[str, str | None]) -> dict[str, Component]:
    """The codes of items that stand for no goods, by the component's name, turned around."""
    return {code: COMPONENTS[name] for name, code in codes.items() if code is not None and name in COMPONENTS}


def _order(header: Fields, amounts: Amounts, total: Decimal, currency: str) -> dict[str, int]:
    minors = {column: rounded_minor(amount, currency) for column, amount in amounts.by_column.items()}
    besides = rounded_minor(total, currency) - sum(minors.values())  # a person's shipping cost or discount of the whole
    minors["shipping_minor"] = minors.get("shipping_minor", 0) + besides
    try:
        minors["cancelled_minor"] = counted_minor(header.text(CANCELLED), amounts.closed, currency)
    except (ValueError, ArithmeticError):
        header.fault(CANCELLED, "not as the hub writes it: -12.50/2")
    return minors


def _component(line: Fields, charges: Mapping[str, Component], line_field: str) -> Component:
    if line.flag("taxline"):
        return Component.TAX
    key = line.text(line_field)
    if key is not None:
        named: Sequence[Component] = [COMPONENTS[part] for part in key.split(SEP) if part in COMPONENTS]
        return named[0] if named else Component.GOODS
    code = line.text("itemid") or ""
    if code in charges:
        return charges[code]
    return Component.DISCOUNT if line.text("itemtype") == "Discount" else Component.GOODS
