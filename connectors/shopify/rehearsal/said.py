"""What the vendor's webhooks say of a happening: the body that belongs to its topic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.shopify.rehearsal import happenings, rest
from connectors.shopify.rehearsal.life import Edit, Event, Life, Payment, Refund, Return, Shipment


def body(life: Life, of: Event, at: datetime) -> dict[str, Any]:
    """The body of the webhook that tells the event; the whole order where the event is the order itself."""
    match of:
        case Payment():
            return happenings.transaction(life, of, at)
        case Shipment():
            return happenings.fulfillment(life, of, at)
        case Refund():
            return happenings.refund(life, of, at)
        case Edit():
            return happenings.order_edit(life, of)
        case Return():
            closed = of.closed_at is not None and of.closed_at <= at
            return happenings.closed_return(life, of) if closed else happenings.approved_return(life, of)
        case None:
            return rest.order(life, at, transactions=False)
