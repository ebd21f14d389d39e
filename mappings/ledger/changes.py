"""A change in the ledger → facts and stock levels."""

from typing import Final, TypeVar

from pydantic import ValidationError

from hub.errors import Untranslatable
from hub.model.facts import Fact, FactKind, Fulfilment, FulfilmentStatus, LineQuantity, Parcel, Source
from hub.model.order import LineId, OrderKey
from hub.model.problems import Problem
from hub.model.records import Record, StockLevel, Translation
from mappings.ledger.payload import (
    DOCUMENT,
    FULFILMENT,
    STOCK,
    DocumentPayload,
    FulfilmentPayload,
    Payload,
    StockPayload,
)

ID_PREFIX: Final = "erp-"
"""Before the ledger's own name of a fulfilment: no id of a channel's, which has digits or is the channel's own word."""

_PayloadT = TypeVar("_PayloadT", bound=Payload)


def translate(record: Record) -> Translation:
    """The change as facts of an order of a channel, or as a stock level.

    A fulfilment that names no order, or whose lines name no order line, is not guessed at.

    Raises:
        Untranslatable: with every fault found.
    """
    match record.topic:
        case topic if topic == FULFILMENT:
            return _fulfilment(_read(FulfilmentPayload, record.body))
        case topic if topic == STOCK:
            given = _read(StockPayload, record.body)
            return Translation(
                levels=(StockLevel(given.entity, given.item, given.location, given.on_hand, given.change),)
            )
        case topic if topic == DOCUMENT:
            edited = _read(DocumentPayload, record.body)
            return Translation(ignored=f"{edited.ref} was {_what(edited)} by hand: reconcile shows it")
    raise Untranslatable((Problem("$", f"unknown topic: {record.topic[:80]!r}"),))


def _fulfilment(given: FulfilmentPayload) -> Translation:
    if not given.order:
        return Translation(ignored=f"{given.ref} names no order")
    nameless = [
        Problem(f"lines[{number}].line", f"{given.ref} names no order line here: enter it from its sales order", "line")
        for number, line in enumerate(given.lines)
        if line.line is None
    ]
    if nameless and not given.voided:
        raise Untranslatable(tuple(nameless))
    body = Fulfilment(
        status=FulfilmentStatus.CANCELLED if given.voided else FulfilmentStatus.SHIPPED,
        lines=tuple(LineQuantity(LineId(line.line), line.quantity) for line in given.lines if line.line is not None),
        shipped_at=given.shipped_at,
        location=given.location,
        parcels=(Parcel(given.carrier, given.tracking_number, None),) if given.carrier or given.tracking_number else (),
    )
    fact = Fact(
        OrderKey(given.channel, given.order),
        FactKind.FULFILMENT,
        f"{ID_PREFIX}{given.ref.lower()}",
        given.modified_at,
        given.shipped_at,
        Source.ERP,
        body,
    )
    return Translation(facts=(fact,))


def _what(edited: DocumentPayload) -> str:
    if edited.voided:
        return "deleted"
    return "changed" if edited.key else "entered"


def _read(payload: type[_PayloadT], body: bytes) -> _PayloadT:
    try:
        return payload.model_validate_json(body)
    except ValidationError as error:
        raise Untranslatable(
            tuple(Problem(".".join(map(str, fault["loc"])) or "$", fault["msg"]) for fault in error.errors())
        ) from None
