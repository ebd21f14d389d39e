"""Goods that go and come: fulfilments, returns with their receipts, and stock adjustments."""

from collections.abc import Sequence
from decimal import Decimal

from hub.errors import Rejected
from hub.model.documents import Document, DocumentKind
from hub.model.money import decimal_of
from hub.model.order import LineId
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import StandingRow
from mappings.netsuite.words import Body, Directory, given, header, own, refused_if_deferred, return_key

SHIPPED = {"id": "C"}
PENDING_RECEIPT = "B"  # a text in the vendor's specs, unlike an order's


def units_of(document: Document) -> dict[LineId, int]:
    """Units by order line.

    Raises:
        Rejected: a line of stock is of no order line.
    """
    units: dict[LineId, int] = {}
    for line in document.lines:
        if line.line is None:
            raise Rejected(
                f"{document.key}: {line.quantity} of {line.item} are of no order line",
                code="unknown_line",
                field="lines.line",
                remedy="enter it in NetSuite by hand, from its sales order",
            )
        units[line.line] = units.get(line.line, 0) + line.quantity
    return units


def moves(document: Document, standing: Sequence[StandingRow], directory: Directory) -> Body | None:
    """What puts the order's rows to the location that the goods leave from; None: they are there."""
    wanted = directory.location(document.location or "main")
    units = units_of(document)
    rows = [
        {"line": row.line, "location": {"id": wanted}}
        for row in standing
        if row.key is not None and units.get(LineId(row.key)) and row.location != wanted
    ]
    return {"item": {"items": rows}} if rows else None


def fulfilment(document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]) -> Body:
    """What of the order is shipped; every row that could be is named, since what is not named would go whole."""
    refused_if_deferred(document)
    units = _found(document, standing)
    location = {"id": directory.location(document.location or "main")}
    rows: list[Body] = []
    for row in standing:
        wanted = units.get(LineId(row.key or ""), 0)
        if wanted:
            rows.append({"orderLine": row.line, "itemReceive": True, "quantity": wanted, "location": location})
        elif row.stocked and not row.closed:
            rows.append({"orderLine": row.line, "itemReceive": False})
    body = header(document, revision, directory, "itemFulfillment") | {"shipStatus": SHIPPED}
    ship_method = directory.ship_method(document.ship_method) if document.ship_method else None
    if ship_method is not None:
        body["shipMethod"] = {"id": ship_method}
    body["item"] = {"items": rows}
    if packages := _packages(document):
        body["package"] = {"items": packages}
    return body


def fulfilment_changes(
    document: Document, revision: str, directory: Directory, held: Fields, standing: Sequence[StandingRow]
) -> Body | None:
    """What brings a fulfilment that ships the same units from the same place up to date; None: it is made anew.

    Its packages are told as a whole, to be replaced: they have no key, and a row told again would be one more.

    Args:
        held: the fulfilment, read with its sublists.
        standing: the rows of its order.
    """
    wanted = directory.location(document.location or "main")
    keys = {row.line: row.key for row in standing}
    units: dict[str | None, Decimal] = {}
    for row in held.rows("item"):
        if row.flag("itemReceive") is False:
            continue
        at = row.ref("location") or held.ref("location")
        if at is not None and at.id != wanted:
            return None
        key = keys.get(row.whole("orderLine") or 0)
        units[key] = units.get(key, Decimal(0)) + (row.amount("quantity") or 0)
    if units != {line: count for line, count in units_of(document).items() if count}:
        return None
    body = header(document, revision, directory, "itemFulfillment")
    ship_method = directory.ship_method(document.ship_method) if document.ship_method else None
    if ship_method is not None:
        body["shipMethod"] = {"id": ship_method}
    return body | {"package": {"items": _packages(document)}}


def _packages(document: Document) -> list[Body]:
    """A package a tracking number: NetSuite keeps no other of a parcel's marks but a description."""
    return [
        given({"packageTrackingNumber": one.tracking_number, "packageDescr": one.carrier})
        for one in document.parcels
        if one.tracking_number
    ]


def return_authorization(
    document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]
) -> Body:
    """The return that the receipt is made of: of the order's rows those that came back, every other left out."""
    refused_if_deferred(document)
    units = _found(document, standing)
    body = header(document, revision, directory, "returnAuthorization")
    body |= {"externalId": return_key(document.key), "orderStatus": PENDING_RECEIPT}
    rows: list[Body] = []
    for row in standing:
        wanted = units.get(LineId(row.key or ""), 0)
        rows.append({"orderLine": row.line, "quantity": wanted})
        if wanted and row.key:
            rows[-1][directory.line_field] = row.key
    body["item"] = {"items": rows}
    return body


def item_receipt(document: Document, revision: str, directory: Directory, standing: Sequence[StandingRow]) -> Body:
    """What of the return is received, and where."""
    units = _found(document, standing)
    location = {"id": directory.location(document.location or "main")}
    rows: list[Body] = []
    for row in standing:
        wanted = units.get(LineId(row.key or ""), 0)
        if wanted:
            received = {"itemReceive": True, "quantity": wanted, "location": location, "restock": True}
            rows.append({"orderLine": row.line, **received})
        else:
            rows.append({"orderLine": row.line, "itemReceive": False})
    return header(document, revision, directory, "itemReceipt") | {"item": {"items": rows}}


def inventory_adjustment(document: Document, revision: str, directory: Directory) -> Body:
    """Stock that was found or lost, against the account of its kind."""
    role = "opening_equity" if document.kind is DocumentKind.STOCK_RECEIPT else "write_off"
    location = {"id": directory.location(document.location or "main")}
    rows: list[Body] = []
    for line in document.lines:
        row: Body = {
            "item": {"id": directory.item(line.item or "")},
            "location": location,
            "adjustQtyBy": line.quantity,
        }
        if line.amount_minor and line.quantity > 0:
            row["unitCost"] = decimal_of(line.amount_minor, document.currency) / line.quantity
        rows.append(row)
    body = header(document, revision, directory, "inventoryAdjustment")
    subsidiary = own(document, directory).get("subsidiary")
    body |= given({"subsidiary": subsidiary, "account": {"id": directory.account(document, role)}})
    return body | {"inventory": {"items": rows}}


def _found(document: Document, standing: Sequence[StandingRow]) -> dict[LineId, int]:
    units = units_of(document)
    keys = {row.key for row in standing}
    for line in units:
        if line not in keys:
            raise Rejected(
                f"{document.key}: no row of its source is of order line {line}",
                code="unknown_line",
                field="lines.line",
                remedy="look at the sales order in NetSuite: somebody removed the row, or its line key",
            )
    return units
