"""NetSuite's records in the terms of the document that they were made of: what was ignored or computed anew shows."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hub.model import documents
from hub.model.documents import BILLS, MASTER_KINDS, Component, Document, DocumentKind
from hub.model.frozen import frozen
from hub.model.intents import REFS, ReadBack
from hub.model.money import rounded_minor
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import StandingRow, counted_minor, targets_of
from mappings.netsuite.packages import packages
from mappings.netsuite.rows import SEP, rows_of
from mappings.netsuite.statement import version_of
from mappings.netsuite.words import CANCELLED, CLASS, DEPARTMENT, REVISION, VOIDED, Segments

UNSHIPPED: Final = frozenset({"othcharge", "discount", "giftcert", "subtotal", "markup", "payment", "description"})
GOODS: Final = (
    DocumentKind.FULFILMENT,
    DocumentKind.RETURN_RECEIPT,
    DocumentKind.STOCK_RECEIPT,
    DocumentKind.STOCK_ADJUSTMENT,
)
SALES: Final = frozenset({DocumentKind.SALES_ORDER}) | BILLS | documents.CREDITS
CREDITS: Final = ("creditmemo", "cashrefund", "returnauthorization")
"""Records whose rows searches show with the sign that people see."""
AMOUNTS: Final = ("payment", "total", "applied")


@frozen
class Seen:
    """A record as NetSuite shows it now, through whichever of its doors."""

    id: str
    day: date | None
    version: int
    revision: str | None
    cancelled: str | None
    total: Decimal
    tax: Decimal
    rows: tuple[StandingRow, ...]  # of items
    others: int  # rows of a journal or of an adjustment
    tracking: tuple[str, ...] = ()  # the numbers of its packages; searches do not show them
    segments: Segments = ()


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
                segments=_segments(row),
            )
        )
    return rows


def seen(record: Fields, line_field: str, currency: str) -> Seen:
    """A record of the record service, read with its sublists."""
    debit = sum((_number(row, "debit") for row in record.rows("line")), Decimal(0))
    return Seen(
        id=record.needed("id"),
        day=record.day("tranDate"),
        version=version_of(record.moment("lastModifiedDate")),
        revision=record.text(REVISION),
        cancelled=record.text(CANCELLED),
        total=next((_number(record, name) for name in AMOUNTS if name in record), debit),
        tax=_number(record, "taxTotal"),
        rows=tuple(
            row
            for row, said in zip(standing_rows(record, line_field, currency), record.rows("item"), strict=True)
            if said.flag("itemReceive") is not False
        ),
        others=len(record.rows("line")) + len(record.rows("inventory")),
        tracking=tuple(number for _, number in packages(record)),
        segments=_segments(record),
    )


def found(header: Fields, lines: Sequence[Fields], line_field: str, currency: str, zone: ZoneInfo) -> Seen:
    """A record as searches show it.

    Args:
        header: with id, recordtype, day, modified, foreigntotal and our fields.
        lines: with id, quantity, quantitybilled, quantityshiprecv, foreignamount, taxline,
            iscogs, isclosed, item and the field of our row key; amounts and quantities have the ledger's sign. The
            main one is needed for department and class alone.
        zone: of the moments that searches show.
    """
    sign = 1 if header.needed("recordtype").lower() in CREDITS else -1
    main = next((line for line in lines if line.flag("mainline")), None)
    own = [line for line in lines if not any(line.flag(name) for name in ("mainline", "taxline", "iscogs"))]
    rows = [
        StandingRow(
            line=line.whole("id") or 0,
            key=line.text(line_field),
            quantity=int(abs(_number(line, "quantity"))) or 1,
            done=int(max(abs(_number(line, "quantityshiprecv")), abs(_number(line, "quantitybilled")))),
            closed=line.flag("isclosed") or False,
            amount_minor=rounded_minor(sign * _number(line, "foreignamount"), currency),
            segments=_segments(line),
        )
        for line in own
        if "item" in line
    ]
    return Seen(
        id=header.needed("id"),
        day=header.day("day"),
        version=version_of(header.moment("modified"), zone),
        revision=header.text(REVISION),
        cancelled=header.text(CANCELLED),
        total=_number(header, "foreigntotal"),
        tax=sign * sum((_number(line, "foreignamount") for line in lines if line.flag("taxline")), Decimal(0)),
        rows=tuple(rows),
        others=len(own),
        segments=() if main is None else _segments(main),
    )


def read_back(document: Document, records: Sequence[Seen], wanted: int, currency: str) -> ReadBack:
    """The document as its records hold it.

    Args:
        records: those that stand, in their order.
        wanted: how many there should be.
        currency: of the first record, as an ISO code; the document's where it is of goods alone.
    """
    first = records[0]
    total, tax, lines = _told(document, records)
    return ReadBack(
        key=document.key,
        ref=REFS.join(one.id for one in records),
        revision=first.revision,
        total_minor=total,
        tax_minor=tax,
        currency=currency,
        date=document.date if document.kind in MASTER_KINDS else first.day or document.date,
        lines=lines - (wanted - len(records)),
        version=max(one.version for one in records),
        voided=first.revision == VOIDED,
    )


def _told(document: Document, records: Sequence[Seen]) -> tuple[int, int, int]:
    """Total, tax and number of lines, in the document's terms."""
    kind, currency, lines = document.kind, document.currency, len(document.lines)
    if kind in MASTER_KINDS:
        return 0, 0, lines
    if kind in GOODS:
        return document.total_minor, 0, lines + _goods_off(document, records[-1])
    if kind in SALES:
        return _sale(document, records[0])
    if kind in (DocumentKind.PAYOUT, DocumentKind.JOURNAL_ENTRY):
        return document.total_minor, 0, lines - (records[0].others < 2)
    return sum(rounded_minor(one.total, currency) for one in records), 0, lines


def _sale(document: Document, record: Seen) -> tuple[int, int, int]:
    currency, standing = document.currency, record.rows
    total = rounded_minor(record.total, currency)
    passed_on = sum(row.amount_minor for row in standing if _is_marketplace_tax(row))
    tax = rounded_minor(record.tax, currency) + passed_on
    if document.kind is DocumentKind.SALES_ORDER:
        total += counted_minor(record.cancelled, sum(row.closed for row in standing), currency)
        tax += document.tax_minor - sum(
            sum(minor for _, minor in one.row.taxes)
            + (one.row.amount_minor if one.row.component is Component.MARKETPLACE_TAX else 0)
            for one in targets_of(document, standing)
        )
    return total, tax, len(document.lines) + len(standing) - len(rows_of(document))


def _is_marketplace_tax(row: StandingRow) -> bool:
    return row.key is not None and Component.MARKETPLACE_TAX in row.key.split(SEP)


def _goods_off(document: Document, record: Seen) -> int:
    """How many rows there are too many, or not as the document has them (negative)."""
    if document.kind in (DocumentKind.STOCK_RECEIPT, DocumentKind.STOCK_ADJUSTMENT):
        return record.others - len(document.lines)
    wanted: Counter[str] = Counter()
    for line in document.lines:
        wanted[str(line.line)] += line.quantity
    held = Counter[str]()
    for row in record.rows:
        held[row.key or ""] += row.quantity
    told = {one.tracking_number for one in document.parcels if one.tracking_number}
    if missing := told.difference(record.tracking):
        return -len(missing)  # a number that was ignored
    same = len(record.rows) == len(wanted)
    if held == wanted or (set(held) == {""} and held.total() == wanted.total() and same):
        return 0  # a column that fulfilments do not show is no fault
    return (len(record.rows) - len(wanted)) or -1


def _segments(fields: Fields) -> Segments:
    held = ((name, fields.ref(name)) for name in (DEPARTMENT, CLASS))
    return tuple((name, found.id) for name, found in held if found is not None)


def _number(fields: Fields, name: str) -> Decimal:
    return fields.amount(name) or Decimal(0)
