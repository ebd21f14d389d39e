"""Fulfilment order payload → facts: what the buyer was promised, and nothing else of it."""

from datetime import datetime

from hub.model.facts import Fact, FactKind, Promise, Source
from hub.model.order import OrderKey
from mappings.shopify.payload import FulfilmentOrderPayload
from mappings.shopify.reading import Reading

CALLED_OFF = "cancelled"


def promise_fact(
    given: FulfilmentOrderPayload, order: OrderKey, source: Source, received_at: datetime, read: Reading
) -> Fact | None:
    """The promise as a fact of its order; None where nothing was asked of it.

    No shape of the order itself has it, so a payload without it says nothing and takes no promise back; a fulfilment
    order whose dates are null says that there is none, and does.
    """
    if not given.model_fields_set & {"fulfill_by", "delivery_method"}:
        return None
    created = read.optional_moment(given.created_at, "created_at")
    updated = read.optional_moment(given.updated_at, "updated_at") or created or received_at
    ship_by = read.optional_moment(given.fulfill_by, "fulfill_by")
    method = given.delivery_method
    latest = None if method is None else method.max_delivery_date_time
    delivery_by = read.optional_moment(latest, "delivery_method", "max_delivery_date_time")
    body = Promise(ship_by, delivery_by, given.status == CALLED_OFF)
    return Fact(order, FactKind.PROMISE, read.id(given.id, "id"), updated, created or updated, source, body)
