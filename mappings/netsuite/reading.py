"""NetSuite's records in the terms of the document that they were made of: what was ignored or computed anew shows."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from hub.model.documents import MASTER_KINDS, Component, Document, DocumentKind
from hub.model.intents import REFS, ReadBack
from hub.model.money import rounded_minor
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import StandingRow, counted_minor, targets_of
from mappings.netsuite.rows import SEP, rows_of
from mappings.netsuite.words import CANCELLED, REVISION, VOIDED

UNSHIPPED: Final = frozenset({"othcharge", "discount", "giftcert", "subtotal", "markup", "payment", "description"})
GOODS: Final = (
    DocumentKind.FULFILMENT,
    DocumentKind.RETURN_RECEIPT,
    DocumentKind.STOCK_RECEIPT,
    DocumentKind.STOCK_ADJUSTMENT,
)
SALES: Final = (DocumentKind.SALES_ORDER, DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO)
AMOUNTS: Final = ("payment", "total", "applied")


def standing_rows(record: Fields, line_field: str, currency: str) -> list[StandingRow]:
    """The rows of an order, an invoice or a return, read with its sublists."""
    at = record.ref("location")
    rows = []
    for row in record.rows("item"):
        line = row.whole("line")
        if line is None:
            row.fault("line", "missing")
        location = row.ref("location") or at
        done = max(_number(row, name) for name in ("quantityFulfilled", "quantityPicked", "quantityBilled"))
        kind = (row.code("itemType") or "").lower()
        rows.append(
            StandingRow(
                line=line,
                key=row.text(line_field),
                quantity=int(_number(row, "quantity") or 1),
                done=int(done),
                closed=row.flag("isClosed") or False,
                location=None if location is None else location.id,
                amount_minor=rounded_minor(_number(row, "amount"), currency),
                stocked=kind not in UNSHIPPED,
            )
        )
    return rows


def read_back(document: Document, records: Sequence[Fields], wanted: int, currency: str, line_field: str) -> ReadBack:
    """The document as its records hold it.

    Args:
        records: those that stand, in their order.
        wanted: how many there should be.
        currency: of the first record, as an ISO code; the document's where records of goods have none.
    """
    first = records[0]
    day = first.day("tranDate") or document.date
    modified = max((at for one in records if (at := one.moment("lastModifiedDate")) is not None), default=None)
    total, tax, lines = _told(document, records, line_field)
    return ReadBack(
        key=document.key,
        ref=REFS.join(one.needed("id") for one in records),
        revision=first.text(REVISION),
        total_minor=total,
        tax_minor=tax,
        currency=currency,
        date=document.date if document.kind in MASTER_KINDS else day,
        lines=lines - (wanted - len(records)),
        version=0 if modified is None else int(modified.timestamp()),
        voided=first.text(REVISION) == VOIDED,
    )


def _told(document: Document, records: Sequence[Fields], line_field: str) -> tuple[int, int, int]:
    """Total, tax and number of lines, in the document's terms."""
    kind, currency, lines = document.kind, document.currency, len(document.lines)
    if kind in MASTER_KINDS:
        return 0, 0, lines
    if kind in GOODS:
        return document.total_minor, 0, lines + _goods_off(document, records[-1], line_field)
    if kind in SALES:
        return _sale(document, records[0], line_field)
    if kind in (DocumentKind.PAYOUT, DocumentKind.JOURNAL_ENTRY):
        return document.total_minor, 0, lines + _uneven(records[0])
    total = sum(_amount(one, currency) for one in records)
    if kind is DocumentKind.DEPOSIT_APPLICATION:
        total = sum(rounded_minor(_number(one, "applied") or _number(one, "total"), currency) for one in records)
    return total, 0, lines


def _sale(document: Document, record: Fields, line_field: str) -> tuple[int, int, int]:
    currency = document.currency
    standing = standing_rows(record, line_field, currency)
    total = rounded_minor(_number(record, "total"), currency)
    passed_on = sum(row.amount_minor for row in standing if _is_marketplace_tax(row))
    tax = rounded_minor(_number(record, "taxTotal"), currency) + passed_on
    rows = rows_of(document)
    if document.kind is DocumentKind.SALES_ORDER:
        closed = sum(row.closed for row in standing)
        total += counted_minor(record.text(CANCELLED), closed, currency)
        targets = targets_of(document, standing)
        tax += document.tax_minor - sum(
            sum(minor for _, minor in one.row.taxes)
            + (one.row.amount_minor if one.row.component is Component.MARKETPLACE_TAX else 0)
            for one in targets
        )
    return total, tax, len(document.lines) + len(standing) - len(rows)


def _is_marketplace_tax(row: StandingRow) -> bool:
    return row.key is not None and Component.MARKETPLACE_TAX in row.key.split(SEP)


def _goods_off(document: Document, record: Fields, line_field: str) -> int:
    """How many rows there are too many, or not as the document has them (negative)."""
    if document.kind in (DocumentKind.STOCK_RECEIPT, DocumentKind.STOCK_ADJUSTMENT):
        return len(record.rows("inventory")) - len(document.lines)
    wanted: Counter[str] = Counter()
    for line in document.lines:
        wanted[str(line.line)] += line.quantity
    rows = [row for row in record.rows("item") if row.flag("itemReceive") is not False]
    held = Counter[str]()
    for row in rows:
        held[row.text(line_field) or ""] += int(_number(row, "quantity"))
    if held == wanted or (set(held) == {""} and held.total() == wanted.total() and len(rows) == len(wanted)):
        return 0  # a column that fulfilments do not show is no fault
    return (len(rows) - len(wanted)) or -1


def _uneven(record: Fields) -> int:
    return 0 if len(record.rows("line")) > 1 else -1


def _amount(record: Fields, currency: str) -> int:
    for name in AMOUNTS:
        if name in record:
            return rounded_minor(_number(record, name), currency)
    debit = sum((_number(row, "debit") for row in record.rows("line")), Decimal(0))
    return rounded_minor(debit, currency)


def _number(fields: Fields, name: str) -> Decimal:
    return fields.amount(name) or Decimal(0)
