"""What changed in NetSuite → facts and stock levels. Pure.

A record is JSON of the rows that NetSuite gave, and of what they cannot say themselves: the time zone of the moments,
and whether the hub was told of the thing before.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.errors import Untranslatable
from hub.model.facts import (
    Cancellation,
    Cut,
    Fact,
    FactKind,
    Fulfilment,
    FulfilmentStatus,
    HandEdit,
    LineQuantity,
    Parcel,
    Source,
)
from hub.model.order import LineId, OrderKey
from hub.model.problems import Problem
from hub.model.records import Record, StockLevel, Translation
from mappings.netsuite.fields import Fields
from mappings.netsuite.packages import packages
from mappings.netsuite.postings import kind_of
from mappings.netsuite.rows import SEP

FULFILMENT: Final = "fulfilment"
DELETED: Final = "deleted"
DOCUMENT: Final = "document"
CLOSED: Final = "closed"
STOCK: Final = "stock"
"""The topics."""
ID_PREFIX: Final = "erp-"
"""Before NetSuite's id of a fulfilment: no id of a channel's."""
SHIPPED: Final = "C"
NOON: Final = time(12)


def translate(record: Record, locations: Mapping[str, str]) -> Translation:
    """The change as a fact of a channel's order, or as a stock level.

    Args:
        locations: NetSuite's name of a location -> the hub's, where they differ.

    Raises:
        Untranslatable: with every fault found.
    """
    try:
        given = json.loads(record.body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Untranslatable((Problem("$", "no JSON object"),))
    said = Fields(given)
    match record.topic:
        case topic if topic == FULFILMENT:
            return _fulfilment(said, locations)
        case topic if topic == DELETED:
            return _deleted(said)
        case topic if topic == DOCUMENT:
            row = _part(said, "row")
            word = f"{kind_of(row)} {row.text('externalid') or row.needed('id')}"
            if row.text("externalid") and row.text("of_channel") and row.text("of_order"):
                return _edited(row, ZoneInfo(said.needed("zone")))
            how = "changed" if row.text("externalid") else "entered"
            return Translation(ignored=f"{word} was {how} by hand: reconcile shows it")
        case topic if topic == CLOSED:
            return _closed(said)
        case topic if topic == STOCK:
            return _level(said, locations)
    raise Untranslatable((Problem("$", f"unknown topic: {record.topic[:80]!r}"),))


def moment(stamp: str, zone: ZoneInfo) -> datetime:
    """The moment that a search showed by a clock of this zone; of an hour that comes twice, the first."""
    return datetime.fromisoformat(stamp).replace(tzinfo=zone).astimezone(UTC)


def units_cut(line: Fields) -> int:
    """How many units of a closed row were ordered, and are neither shipped nor billed."""
    done = max(abs(line.whole("quantityshiprecv") or 0), abs(line.whole("quantitybilled") or 0))
    return max(0, abs(line.whole("quantity") or 0) - done)


def _fulfilment(said: Fields, locations: Mapping[str, str]) -> Translation:
    row, zone = _part(said, "row"), ZoneInfo(said.needed("zone"))
    ref = row.needed("id")
    shipped = row.text("status") == SHIPPED
    if not shipped and not said.flag("told"):
        return Translation(ignored=f"item fulfilment {ref} is not shipped yet")
    lines = said.rows("lines")
    problems = [
        Problem(
            f"lines[{number}]", f"item fulfilment {ref}: no order line here: fulfil it from its sales order", "line"
        )
        for number, line in enumerate(lines)
        if line.text("orderline") is None
    ]
    if shipped and not lines:
        problems.append(Problem("lines", f"item fulfilment {ref} names no line of its sales order", "lines"))
    if shipped and problems:
        raise Untranslatable(tuple(problems))
    places = [name for line in lines if (name := line.text("location")) is not None]
    body = Fulfilment(
        status=FulfilmentStatus.SHIPPED if shipped else FulfilmentStatus.CANCELLED,
        lines=tuple(
            LineQuantity(LineId(key), abs(line.whole("quantity") or 0))
            for line in lines
            if (key := line.text("orderline")) is not None
        ),
        shipped_at=_shipped_at(row, zone, ZoneInfo(said.needed("timezone"))),
        location=locations.get(places[0], places[0]) if places else "",
        parcels=_parcels(said.part("record")),
    )
    return Translation(facts=(_fact(row.needed("of_channel"), row.needed("of_order"), ref, row, zone, body),))


def _deleted(said: Fields) -> Translation:
    row, zone = _part(said, "row"), ZoneInfo(said.needed("zone"))
    at = moment(row.needed("modified"), zone)
    body = Fulfilment(status=FulfilmentStatus.CANCELLED, lines=(), shipped_at=at)
    return Translation(facts=(_fact(said.needed("channel"), said.needed("order"), row.needed("id"), row, zone, body),))


def _closed(said: Fields) -> Translation:
    """What people closed of an order: a closed row keeps the units that were ordered, and what was done of them."""
    row, zone = _part(said, "row"), ZoneInfo(said.needed("zone"))
    cuts = []
    for line in said.rows("lines"):
        key = line.text("orderline")
        if key is None or SEP in key:  # a person's own row, or no goods
            continue
        ordered, cut = abs(line.whole("quantity") or 0), units_cut(line)
        # Told of a row once, it is told on: the hub may have made the row what the channel then said of it.
        if cut or said.flag("known"):
            cuts.append(Cut(LineId(key), ordered, ordered - cut))
    at = moment(row.needed("modified"), zone)
    body = Cancellation(at, tuple(sorted(cuts, key=lambda cut: cut.line)))
    of = OrderKey(row.needed("of_channel"), row.needed("of_order"))
    id = f"{ID_PREFIX}{row.needed('id')}"
    return Translation(facts=(Fact(of, FactKind.CANCELLATION, id, at, at, Source.ERP, body),))


def _edited(row: Fields, zone: ZoneInfo) -> Translation:
    at = moment(row.needed("modified"), zone)
    body = HandEdit(
        document=row.needed("externalid"),
        by=row.text("editor"),
        date=row.day("day"),
        currency=row.text("currency"),
        total=row.amount("foreigntotal"),
        memo=row.text("memo"),
    )
    key = OrderKey(row.needed("of_channel"), row.needed("of_order"))
    id = f"{ID_PREFIX}{row.needed('id')}"
    return Translation(facts=(Fact(key, FactKind.HAND_EDIT, id, at, at, Source.ERP, body),))


def _level(said: Fields, locations: Mapping[str, str]) -> Translation:
    row = _part(said, "row")
    place = row.needed("location")
    as_of = said.whole("as_of")
    if as_of is None:
        said.fault("as_of", "missing")
    on_hand = int(row.amount("quantityonhand") or 0)
    level = StockLevel(said.needed("entity"), row.needed("item"), locations.get(place, place), on_hand, as_of)
    return Translation(levels=(level,))


def _fact(channel: str, order: str, ref: str, row: Fields, zone: ZoneInfo, body: Fulfilment) -> Fact:
    modified_at = moment(row.needed("modified"), zone)
    key = OrderKey(channel, order)
    return Fact(key, FactKind.FULFILMENT, f"{ID_PREFIX}{ref}", modified_at, body.shipped_at, Source.ERP, body)


def _shipped_at(row: Fields, zone: ZoneInfo, timezone: ZoneInfo) -> datetime:
    """When it was entered, if that is the day that it is dated; else noon of that day, where the entity is."""
    day = row.day("day")
    if day is None:
        row.fault("day", "missing")
    entered = moment(row.needed("created"), zone)
    if entered.astimezone(timezone).date() == day:
        return entered
    return datetime.combine(day, NOON, timezone).astimezone(UTC)


def _parcels(record: Fields | None) -> tuple[Parcel, ...]:
    """The packages that have a tracking number."""
    if record is None:
        return ()
    return tuple(Parcel(carrier, number, None) for carrier, number in packages(record))


def _part(said: Fields, name: str) -> Fields:
    part: Any = said.part(name)
    if part is None:
        said.fault(name, "missing")
    found: Fields = part
    return found
