"""Fulfilment payload → facts."""

from typing import Final

from hub.model.facts import Fact, FactKind, Fulfilment, FulfilmentStatus, LineQuantity, Parcel, Source
from hub.model.order import LineId, OrderKey
from mappings.shopify.payload import FulfilmentPayload
from mappings.shopify.reading import Part, Reading, text

STATUS: Final = {
    "success": FulfilmentStatus.SHIPPED,
    "pending": FulfilmentStatus.OPEN,
    "open": FulfilmentStatus.OPEN,
    "cancelled": FulfilmentStatus.CANCELLED,
    "error": FulfilmentStatus.FAILED,
    "failure": FulfilmentStatus.FAILED,
}
# Only `delivered` says that the buyer has it. These are the rest of REST's shipment_status and GraphQL's displayStatus.
ON_THE_WAY: Final = frozenset(
    (
        "attempted_delivery canceled carrier_picked_up confirmed delayed failure fulfilled in_transit label_printed "
        "label_purchased label_voided marked_as_fulfilled not_delivered out_for_delivery picked_up ready_for_pickup "
        "submitted"
    ).split()
)


def fulfilment_fact(given: FulfilmentPayload, order: OrderKey, source: Source, read: Reading, *path: Part) -> Fact:
    """The fulfilment as a fact of its order."""
    created = read.moment(given.created_at, *path, "created_at")
    updated = created if given.updated_at is None else read.moment(given.updated_at, *path, "updated_at")
    status = FulfilmentStatus.OPEN
    if given.status is not None:  # null: not yet decided, in old fixtures
        status = read.word(STATUS, given.status, *path, "status")
    delivered = given.shipment_status == "delivered"
    if given.shipment_status and not delivered and given.shipment_status not in ON_THE_WAY:
        read.fault(f"unknown word: {given.shipment_status[:80]!r}", *path, "shipment_status")
    delivered_at = None
    if delivered and status is FulfilmentStatus.SHIPPED:
        status = FulfilmentStatus.DELIVERED
        # REST has no time of delivery; its updated_at moved when the carrier's word came.
        delivered_at = read.optional_moment(given.delivered_at, *path, "delivered_at") or updated
    body = Fulfilment(
        status,
        tuple(
            LineQuantity(LineId(read.id(line.id, *path, "line_items", i, "id")), line.quantity)
            for i, line in enumerate(given.line_items)
        ),
        created,
        delivered_at,
        read.optional_id(given.location_id, *path, "location_id"),
        _parcels(given),
    )
    identity = read.id(given.id, *path, "id")
    return Fact(order, FactKind.FULFILMENT, identity, updated, created, source, body)


def _parcels(given: FulfilmentPayload) -> tuple[Parcel, ...]:
    numbers = given.tracking_numbers or ([given.tracking_number] if given.tracking_number else [])
    urls = given.tracking_urls or ([given.tracking_url] if given.tracking_url else [])
    carrier = text(given.tracking_company)
    if not numbers:
        return (Parcel(carrier, None, urls[0] if urls else None),) if carrier or urls else ()
    return tuple(
        Parcel(carrier, text(number), text(urls[i]) if i < len(urls) else None) for i, number in enumerate(numbers)
    )
