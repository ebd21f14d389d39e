"""tell: what a channel is to be told of an order, planned whole from its state like the ERP's documents.

A notice is a document: one intent a content, superseded while unsent, amended when the tracking changes, voided when
the ERP takes the shipment or the cancellation back. It makes no entries in the books.
"""

from collections.abc import Iterator
from datetime import date

from hub.flow.terms import Terms
from hub.model.allocation import Place
from hub.model.decisions import Hold, HoldCode
from hub.model.documents import WHOLE, Component, Document, DocumentKind, DocumentLine, document_key
from hub.model.edits import line_value
from hub.model.facts import Source
from hub.model.money import format_minor
from hub.model.order import LineId, Snapshot
from hub.model.state import DatedCancellation, DatedFulfilment, OrderState
from hub.model.subjects import order_subject


def tell(state: OrderState, terms: Terms) -> list[Document]:
    """A notice for each shipment and cancellation that the ERP told; none while the order is unknown or a test.

    What the channel had of a shipment already is found there by the write itself, so the notice stands all the same.
    """
    snapshot = state.snapshot
    if snapshot is None or snapshot.test:
        return []
    shipped = [_notice(state, snapshot, one, terms) for one in state.fulfilments if one.source is Source.ERP]
    return shipped + [_called_off(state, snapshot, one, terms) for one in state.cancellations if one.body.cuts]


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
    """What the ERP told and a channel that ships by itself does not know: a person decides which is so."""
    for one in state.fulfilments:
        if one.source is Source.ERP and not one.echoes:
            yield Hold(
                HoldCode.SHIPPED_ELSEWHERE,
                "shipped_elsewhere",
                f"the ERP shipped {one.id} of an order that its channel ships by itself; the channel was not told",
                "set ships: erp for the channel and retry, or cancel it in the ERP, or fulfil it in the channel",
            )

    if any(units.cancelled_in_erp for units in state.quantities.values()):
        yield Hold(
            HoldCode.CANCELLED_ELSEWHERE,
            "cancelled_elsewhere",
            "lines were closed in the ERP of an order that its channel ships by itself; the channel was not told",
            "set ships: erp for the channel and retry, or open them in the ERP, or cancel them in the channel",
        )


def refund_due(state: OrderState, terms: Terms) -> Iterator[Hold]:
    """Money was taken for what people in the ERP cancelled, and not given back: that is never done by itself."""
    snapshot = state.snapshot
    if snapshot is None or snapshot.test or not any(one.body.cuts for one in state.cancellations):
        return
    subject = order_subject(
        state.key,
        terms.entity,
        terms.timezone,
        snapshot,
        [f.body for f in state.fulfilments],
        [(r.id, r.body) for r in state.refunds],
        [t.body for t in state.tenders],
    )
    owed = subject.total_minor
    for line in snapshot.lines:
        units = state.quantities[line.id]
        owed -= line_value(line, line.quantity - units.removed - units.cancelled, units.cancelled_in_erp)
    if not any(units.open or units.shipped for units in state.quantities.values()):
        owed = 0  # nor is anything shipped that shipping and charges could be for
    due = state.captured_minor - state.refunded_minor - owed
    if due > 0:
        yield Hold(
            HoldCode.REFUND_DUE,
            "refund_due",
            f"{format_minor(due, snapshot.currency)} were taken for what was cancelled in the ERP and not given back",
            "refund it in the channel, or open the lines again in the ERP, or resolve this with the reason",
        )


def _called_off(state: OrderState, snapshot: Snapshot, one: DatedCancellation, terms: Terms) -> Document:
    """How many units of each line are to be left in the channel at most.

    It says the same whether or not the channel has them out already: what it took out is the same units.
    """
    names = {line.id: LineId(line.external_id) for line in snapshot.lines}
    cuts = {cut.line: cut for cut in one.body.cuts}
    lines = []
    for line in snapshot.lines:
        if (cut := cuts.get(line.id)) is not None:
            units = state.quantities[line.id]
            wanted = units.ordered - units.removed - units.cancelled + units.cancelled_in_erp
            left = max(cut.kept, units.shipped) + max(0, wanted - cut.of)
            lines.append(DocumentLine(Component.STOCK, 0, names[line.id], quantity=left))
    nothing = all(line.id in cuts and not state.quantities[line.id].shipped for line in snapshot.lines)
    return Document(
        key=document_key(DocumentKind.CANCELLATION_NOTICE, state.key.channel, state.key.external_id, one.id),
        kind=DocumentKind.CANCELLATION_NOTICE,
        entity=terms.entity,
        currency=terms.functional,
        date=terms.day(one.body.cancelled_at),
        lines=tuple(lines),
        order=state.key,
        reference=snapshot.name,
        memo=WHOLE if nothing and not any(line.quantity for line in lines) else "",
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
