"""A sales order: as it was placed, then what edits and cancellations made of it.

An edit lowers the rows; a cancellation closes those that nothing more is to be shipped of. NetSuite counts a closed row
in the order's total still, so what was taken out of the order and stands there is kept beside it (`CANCELLED`) and
counted while so many rows are closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hub.model.documents import Component, Document
from hub.model.frozen import frozen
from hub.model.money import decimal_of, part, rounded_minor
from hub.model.order import LineId, Party
from mappings.netsuite.rows import SEP, SOLD, Row, row_body, rows_of, tax_body
from mappings.netsuite.words import (
    CANCELLED,
    REVISION,
    VOIDED,
    Body,
    Directory,
    Segments,
    amount,
    given,
    header,
    own,
    segments_body,
    unlike,
)

PENDING_FULFILMENT: Final = {"id": "B"}
EDITED: Final = "edited"


@frozen
class StandingRow:
    """A row of the order as NetSuite holds it."""

    line: int  # NetSuite's number of it
    key: str | None  # None: a person added it
    quantity: int
    done: int  # units fulfilled, picked or billed: the row cannot have fewer
    closed: bool
    location: str | None = None
    amount_minor: int = 0
    stocked: bool = True  # may be shipped, as far as the record says
    segments: Segments = ()


def sales_order(document: Document, revision: str, directory: Directory, parties: Mapping[str, Party]) -> Body:
    """A new order, as it stands when it is told.

    Args:
        parties: by "party" and "bill_to", those that are still known.
    """
    ship_to, bill_to = parties.get("party"), parties.get("bill_to")
    targets = targets_of(document, ())
    location = directory.order_location()
    ship_method = directory.ship_method(document.ship_method) if document.ship_method else None
    body = header(document, revision, directory, "salesOrder") | own(document, directory)
    body |= given(
        {
            "entity": directory.customer(document),
            "orderStatus": PENDING_FULFILMENT,
            "otherRefNum": document.reference,
            "location": None if location is None else {"id": location},
            "shipMethod": None if ship_method is None else {"id": ship_method},
            "shippingAddress": address(ship_to),
            "billingAddress": address(bill_to),
            CANCELLED: _left(document, targets),
        }
    )
    body["item"] = {"items": [_new_row(one, document, directory, ship_to, bill_to) for one in targets]}
    return body | tax_body([one.row for one in targets], document, directory)


def _new_row(
    target: "Target", document: Document, directory: Directory, ship_to: Party | None, bill_to: Party | None
) -> Body:
    body = row_body(target.row, document, directory)
    if target.closed:
        body["isClosed"] = True
    if target.row.component is Component.GIFT_CARD:
        to = ship_to or bill_to
        buyer = bill_to or ship_to
        body |= given(
            {
                "giftCertFrom": (buyer.name or buyer.company) if buyer else document.reference,
                "giftCertRecipientName": (to.name or to.company) if to else document.reference,
                "giftCertRecipientEmail": (to.email if to else None) or (buyer.email if buyer else None),
            }
        )
    return body


def address(party: Party | None) -> Body | None:
    """The address as a subrecord; None: none is known."""
    if party is None or not (party.address or party.city or party.country):
        return None
    lines = (*party.address, None, None, None)
    return given(
        {
            "country": None if party.country is None else {"id": party.country},
            "attention": party.name if party.company else None,
            "addressee": party.company or party.name,
            "addr1": lines[0],
            "addr2": lines[1],
            "addr3": lines[2],
            "city": party.city,
            "state": party.region,
            "zip": party.postcode,
            "addrPhone": party.phone,
        }
    )


def closed_by_hand(cancelled: str | None, closed: int) -> bool:
    """Whether people closed rows of an order: more are closed than we closed, as `CANCELLED` says."""
    return closed > int((cancelled or "").partition(SEP)[2] or 0)


def order_changes(
    document: Document,
    revision: str,
    directory: Directory,
    standing: Sequence[StandingRow],
    cancelled: str | None = None,
    *,
    voided: bool = False,
) -> Body:
    """What makes the standing order as the document has it: rows by their number, rows that are not there appended.

    Where people closed rows, none is opened again. Appended rows are appended again by a repetition: `whole_order` is
    for them, wherever it may be.

    Args:
        cancelled, voided: what the order says of itself before.

    The tax details are whole: they replace those that stand.
    """
    by_key = {row.key: row for row in standing if row.key is not None}
    targets = targets_of(document, standing)
    if not voided and closed_by_hand(cancelled, sum(row.closed for row in standing)):
        stay = {row.key for row in standing if row.closed}
        targets = [replace(one, closed=one.closed or one.row.key in stay) for one in targets]
    changes: list[Body] = []
    for one in targets:
        held = by_key.get(one.row.key)
        if held is None:
            changes.append(_new_row(one, document, directory, None, None))
            continue
        change: Body = {"line": held.line}
        if not one.row.is_discount and held.quantity != (one.row.quantity or 1):
            change["quantity"] = one.row.quantity or 1
        if held.amount_minor != one.row.amount_minor or "quantity" in change:
            change["amount"] = amount(one.row.amount_minor, document)
        if held.closed != one.closed:
            change["isClosed"] = one.closed
        change |= moved_segments(one.row, held, document, directory)
        if len(change) > 1:
            changes.append(change)
    body = _changed(document, revision, directory, targets)
    if changes:
        body["item"] = {"items": changes}
    return body


def moved_segments(row: Row, held: StandingRow, document: Document, directory: Directory) -> Body:
    """What of department and class the standing row has otherwise."""
    wanted = directory.segments(document, row.sold_as)
    return segments_body(wanted) if unlike(wanted, held.segments) else {}


def whole_order(
    document: Document,
    revision: str,
    directory: Directory,
    standing: Sequence[StandingRow],
    parties: Mapping[str, Party],
) -> Body | None:
    """As `order_changes`, with all rows, to take the place of those that stand: a repetition changes nothing.

    None where it need not or must not be: no row is missing, something was shipped, billed or closed, or a row would
    lose what a person or the first telling put there (a row without our key, the names on a gift card).

    Args:
        parties: as of `sales_order`.
    """
    by_key = {row.key: row for row in standing}
    targets = targets_of(document, standing)
    if all(one.row.key in by_key for one in targets):
        return None
    if None in by_key or any(row.done or row.closed for row in standing):
        return None
    ship_to, bill_to = parties.get("party"), parties.get("bill_to")
    rows: list[Body] = []
    for one in targets:
        held = by_key.get(one.row.key)
        if held is not None and one.row.component is Component.GIFT_CARD and not parties:
            return None
        row = _new_row(one, document, directory, ship_to, bill_to)
        if held is not None and held.location is not None and one.row.component in SOLD:
            row["location"] = {"id": held.location}
        rows.append(row)
    return _changed(document, revision, directory, targets) | {"item": {"items": rows}}


def _changed(document: Document, revision: str, directory: Directory, targets: Sequence["Target"]) -> Body:
    """All that an edit tells but the rows."""
    body: Body = {
        "tranDate": document.date,
        REVISION: revision,
        CANCELLED: _left(document, targets),
        **segments_body(directory.segments(document)),
        **directory.own_fields("salesOrder", document),
    }
    if document.rate is not None:
        body["exchangeRate"] = document.rate.value
    return body | tax_body([one.row for one in targets], document, directory)


def closed_order(standing: Sequence[StandingRow]) -> Body:
    """What makes the order void: every row closed."""
    rows = [{"line": row.line, "isClosed": True} for row in standing if not row.closed]
    return {REVISION: VOIDED, **({"item": {"items": rows}} if rows else {})}


def counted_minor(text: str | None, closed: int, currency: str) -> int:
    """Of `CANCELLED` what counts while so many rows are closed.

    Raises:
        ValueError: it is none of ours.
    """
    if not text:
        return 0
    said, _, rows = text.partition(SEP)
    return rounded_minor(Decimal(said), currency) if closed >= int(rows) else 0


@frozen
class Target:
    """A row of an order as it shall be."""

    row: Row  # with the units and amounts that it shall have
    closed: bool


def targets_of(document: Document, standing: Sequence[StandingRow]) -> list[Target]:
    """The rows as they shall be, in the document's order."""
    done = {row.key: row.done for row in standing}
    held = {row.key: row.quantity for row in standing}
    rows = rows_of(document)
    now: dict[LineId, tuple[int, int]] = {}  # units as placed, and as they shall be, by line
    closed: set[LineId] = set()  # of the rest that was taken out
    gone: set[LineId] = set()  # nothing of it was shipped, nothing will be
    sold = [(row.line, row) for row in rows if row.component in SOLD and row.line is not None]
    for line, row in sold:
        edited, cancelled = _taken_out(document, line)
        shipped = done.get(row.key, 0)
        units = row.quantity
        if units - edited >= max(1, shipped):
            units -= edited
        left = units - cancelled
        if left > shipped or 0 < left == held.get(row.key):
            units = left  # some are, or were, still to be shipped: the row goes on
        now[line] = row.quantity, units
        if (edited or cancelled) and row.quantity - edited - cancelled <= shipped < units:
            closed.add(line)
            if not shipped:
                gone.add(line)
    nothing = bool(sold) and gone == set(now)
    targets = []
    for row in rows:
        share = row
        if row.line in now:
            of, units = now[row.line]
            share = _share(row, of, units)
        closes = nothing or (row.line in closed if row.component in SOLD else row.line in gone)
        targets.append(Target(share, closes))
    return targets


def _left(document: Document, targets: Sequence[Target]) -> str | None:
    """What was taken out of the order and is in its rows still, as `CANCELLED` says it."""
    counted = sum(one.row.amount_minor + sum(minor for _, minor in one.row.taxes) for one in targets)
    left = document.total_minor - counted
    rows = sum(one.closed for one in targets)
    return f"{decimal_of(left, document.currency)}{SEP}{rows}" if left or rows else None


def _taken_out(document: Document, line: LineId | None) -> tuple[int, int]:
    """Units that edits and that cancellations took out of a line."""
    edited = cancelled = 0
    for one in document.lines:
        if one.component is Component.ADJUSTMENT and one.line is not None and one.line == line:
            if one.detail == EDITED:
                edited += one.quantity
            else:
                cancelled += one.quantity
    return edited, cancelled


def _share(row: Row, of: int, units: int) -> Row:
    """The row with so many of its line's units."""
    if units >= of:
        return row
    return replace(
        row,
        quantity=units if row.quantity else 0,
        amount_minor=part(row.amount_minor, of, 0, units),
        taxes=tuple((where, part(minor, of, 0, units)) for where, minor in row.taxes),
    )
