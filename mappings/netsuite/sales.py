"""Invoices and credit memos, cash sales and cash refunds: each row says which row of its source it is of."""

from collections.abc import Sequence
from typing import Final

from hub.model.documents import Component, Document, DocumentKind
from hub.model.money import decimal_of
from mappings.netsuite.order import StandingRow, moved_segments
from mappings.netsuite.rows import SOLD, Row, row_body, rows_of, tax_body
from mappings.netsuite.words import (
    RECORDS,
    Body,
    Directory,
    amount,
    by_key,
    given,
    header,
    own,
    rate,
    refused_if_deferred,
    segments_body,
)

LEFT_OUT: Final = 0


def invoice(
    document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow], *, apart: bool = False
) -> Body:
    """What the order is billed with this time; rows that the order has not are added.

    Args:
        apart: discounts are rows of their own, as where the order's are billed whole already: what refunds before a
            shipment give back is not the share of a line that an order's row has.
    """
    refused_if_deferred(document)
    body = header(document, revision, directory, RECORDS[document.kind]) | _money(document, directory)
    return body | _made_of(document, directory, standing, moved=True, apart=apart)


def has_discounts(document: Document) -> bool:
    return any(row.is_discount for row in rows_of(document))


def credit_of_return(document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]) -> Body:
    """What of a return is credited; amounts besides are rows of their own."""
    body = header(document, revision, directory, RECORDS[document.kind]) | _money(document, directory)
    return body | _made_of(document, directory, standing, moved=False) | _applied(document)


def credit_memo(document: Document, revision: str, directory: Directory) -> Body:
    """A credit memo of no return: no goods come back with it, so that it credits amounts, never items of stock."""
    rows = rows_of(document)
    body = header(document, revision, directory, "creditMemo") | own(document, directory)
    body["entity"] = directory.customer(document)
    body["item"] = {"items": [row_body(row, document, directory, moved=False) for row in rows]}
    return body | tax_body(rows, document, directory) | _applied(document)


def cash_refund(document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]) -> Body:
    """What of a cash sale is given back though no goods come back: amounts, as `credit_memo`; its rows are left out."""
    rows = rows_of(document)
    body = header(document, revision, directory, "cashRefund") | _money(document, directory)
    body |= given({"exchangeRate": rate(document)})
    items = [row_body(row, document, directory, moved=False) for row in rows]
    items += [{"orderLine": row.line, "quantity": LEFT_OUT} for row in standing]
    return body | {"item": {"items": items}} | tax_body(rows, document, directory)


def _money(document: Document, directory: Directory) -> Body:
    """Where the money of a sale or refund for cash lies."""
    if document.kind not in (DocumentKind.CASH_SALE, DocumentKind.CASH_REFUND):
        return {}
    body: Body = {"account": {"id": directory.clearing(document)}}
    return body | ({"undepFunds": False} if document.kind is DocumentKind.CASH_SALE else {})


def _made_of(
    document: Document, directory: Directory, standing: Sequence[StandingRow], *, moved: bool, apart: bool = False
) -> Body:
    rows = rows_of(document)
    sources = {row.key: row for row in standing if row.key is not None}
    items: list[Body] = []
    named: set[str] = set()
    for row in rows:
        source = sources.get(row.key)
        if source is None or not _fits(row) or (apart and row.is_discount):
            items.append(row_body(row, document, directory, moved=moved))
            continue
        named.add(row.key)
        items.append(_row_of(row, source.line, document, directory))
    items += [{"orderLine": row.line, "quantity": LEFT_OUT} for row in standing if row.key not in named]
    body: Body = given({"exchangeRate": rate(document)})
    body["item"] = {"items": items}
    return body | tax_body(rows, document, directory)


def _fits(row: Row) -> bool:
    """Whether the row can be of one of the source's: goods without units are an amount alone."""
    return bool(row.quantity) or row.component not in SOLD


def _row_of(row: Row, line: int, document: Document, directory: Directory) -> Body:
    body: Body = {"orderLine": line}
    if not row.is_discount:
        body["quantity"] = row.quantity or 1
    body["amount"] = decimal_of(row.amount_minor, document.currency)
    body["taxDetailsReference"] = row.key
    body[directory.line_field] = row.key
    return body | segments_body(directory.segments(document, row.sold_as))


def _applied(document: Document) -> Body:
    """The invoices that the credit settles; what is to be paid out stays open until its refund."""
    rows: dict[str, int] = {}
    for line in document.settles if document.kind is DocumentKind.CREDIT_MEMO else ():
        if line.component is Component.RECEIVABLE and line.detail:
            rows[line.detail] = rows.get(line.detail, 0) + line.amount_minor
    applied = [
        {"doc": by_key(key), "apply": True, "amount": amount(minor, document)} for key, minor in rows.items() if minor
    ]
    return {"apply": {"items": applied}} if applied else {}


def changes(document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]) -> Body | None:
    """What makes the standing invoice or credit memo as the document has it; None: its rows are other ones."""
    rows = rows_of(document)
    by_key = {row.key: row for row in standing if row.key is not None}
    if set(by_key) != {row.key for row in rows} or len(standing) != len(rows):
        return None
    body = header(document, revision, directory, "") | given({"exchangeRate": rate(document)})
    body |= _money(document, directory)
    items: list[Body] = []
    for row in rows:
        held = by_key[row.key]
        change: Body = {"line": held.line}
        if not row.is_discount and held.quantity != (row.quantity or 1):
            change["quantity"] = row.quantity or 1
        if held.amount_minor != row.amount_minor or "quantity" in change:
            change["amount"] = decimal_of(row.amount_minor, document.currency)
        change |= moved_segments(row, held, document, directory)
        if len(change) > 1:
            items.append(change)
    if items:
        body["item"] = {"items": items}
    return body | tax_body(rows, document, directory) | _applied(document)
