"""tell: what a channel is to be told of an order's shipments, planned whole from its state like the ERP's documents.

A notice is a document: one intent a content, superseded while unsent, amended when the tracking changes, voided when
the ERP takes the shipment back. It makes no entries in the books.
"""

from collections.abc import Iterator
from datetime import date

from hub.flow.terms import Terms
from hub.model.allocation import Place
from hub.model.decisions import Hold, HoldCode
from hub.model.documents import Component, Document, DocumentKind, DocumentLine, document_key
from hub.model.facts import Source
from hub.model.order import LineId, Snapshot
from hub.model.state import DatedFulfilment, OrderState


def tell(state: OrderState, terms: Terms) -> list[Document]:
    """A notice for each shipment that the ERP told; none while the order is unknown or a test.

    What the channel had of a shipment already is found there by the write itself, so the notice stands all the same.
    """
    snapshot = state.snapshot
    if snapshot is None or snapshot.test:
        return []
    return [_notice(state, snapshot, one, terms) for one in state.fulfilments if one.source is Source.ERP]


def level_notice(
    channel: str, place: Place, sku: str, location: str, on_hand: int, as_of: int, on: date, currency: str
) -> Document:
    """How much of an item is at a location, in the channel's words; one key an item and location."""
    return Document(
        key=document_key(DocumentKind.STOCK_NOTICE, channel, sku, location),
        kind=DocumentKind.STOCK_NOTICE,
        entity=place.entity,
        currency=currency,
        date=on,
        lines=(DocumentLine(Component.STOCK, 0, item=sku, quantity=on_hand),),
        location=location,
        memo=str(as_of),  # what moved away and back is told again
    )


def untold(state: OrderState) -> Iterator[Hold]:
    """Shipments that the ERP told and a channel that ships by itself does not know: a person decides which is so."""
    for one in state.fulfilments:
        if one.source is Source.ERP and not one.echoes:
            yield Hold(
                HoldCode.SHIPPED_ELSEWHERE,
                "shipped_elsewhere",
                f"the ERP shipped {one.id} of an order that its channel ships by itself; the channel was not told",
                "set ships: erp for the channel and retry, or cancel it in the ERP, or fulfil it in the channel",
            )


def _notice(state: OrderState, snapshot: Snapshot, fulfilment: DatedFulfilment, terms: Terms) -> Document:
    on = terms.day(fulfilment.body.shipped_at)
    names = {line.id: LineId(line.external_id) for line in snapshot.lines}  # as the channel calls them now
    return Document(
        key=document_key(DocumentKind.SHIPMENT_NOTICE, state.key.channel, state.key.external_id, fulfilment.id),
        kind=DocumentKind.SHIPMENT_NOTICE,
        entity=terms.entity,
        currency=terms.functional,
        date=on,
        lines=tuple(
            DocumentLine(Component.STOCK, 0, names.get(row.line, row.line), quantity=row.quantity)
            for row in fulfilment.body.lines
            if row.quantity > 0
        ),
        order=state.key,
        reference=snapshot.name,
        location=terms.channel_location(fulfilment.body.location, on),
        memo=fulfilment.id,
        parcels=fulfilment.body.parcels,
    )
