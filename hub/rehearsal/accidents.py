"""What people do by hand in the ledger, and to which orders; what explains it knows nothing of this file."""

import random
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from hub.errors import Misconfigured
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine, document_key
from hub.model.order import FinancialStatus, OrderKey
from hub.model.state import FulfilmentState
from hub.steps.hub import Hub
from hub.store.views import orders
from hub.store.views.orders import OrderRow

WRONG_DAY: Final = date(2026, 11, 3)
TYPED_DAY: Final = date(2026, 10, 20)
HAND_EDIT_MINOR: Final = 1_250
REFUND_MINOR: Final = 500
TYPED_MINOR: Final = 18_900
LOOKED_AT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Cast:
    """Which order each accident happens to."""

    edited: OrderKey
    deleted: OrderKey
    typed_twice: OrderKey
    wrong_period: OrderKey
    refunded: OrderKey  # at the shop, while the hub is down


def choose(hub: Hub, slug: str, since: datetime, chance: random.Random) -> Cast:
    """Plain orders, placed since then, that were paid and shipped, another one for each accident.

    Raises:
        Misconfigured: there are too few.
    """
    currency = hub.channel(slug).entity.currency
    plain = [row for row in orders.listed(hub.store, channel=slug, limit=LOOKED_AT) if _is_plain(row, currency)]
    plain = [row for row in plain if _is_placed(row, since) and _is_posted(hub, slug, row)]
    if len(plain) < 5:
        raise Misconfigured(f"demo: only {len(plain)} orders are plain enough for its accidents; take more orders")
    keys = [OrderKey(slug, row.order) for row in sorted(plain, key=lambda row: row.order)]
    return Cast(*chance.sample(keys, 5))


def meddle(hub: Hub, slug: str, cast: Cast) -> None:
    """What people do by hand in the ledger."""
    erp, channel = hub.erp, hub.settings.channel(slug)
    erp.edit_amount(erp.ref(_sales_order(cast.edited)), HAND_EDIT_MINOR, Component.GOODS)
    erp.void(erp.ref(_sales_order(cast.deleted)))
    erp.copy(erp.ref(_sales_order(cast.typed_twice)))
    erp.move(erp.ref(_sales_order(cast.wrong_period)), WRONG_DAY)
    erp.type_in(
        Document(
            key=DocumentKey(""),
            kind=DocumentKind.SALES_ORDER,
            entity=channel.entity,
            currency=channel.currency,
            date=TYPED_DAY,
            lines=(DocumentLine(Component.GOODS, TYPED_MINOR, detail="by telephone"),),
            reference="PHONE-17",
            customer=erp.document(erp.ref(_sales_order(cast.edited))).customer,
        )
    )


def _is_plain(row: OrderRow, currency: str) -> bool:
    return (
        row.posting == "posted"
        and not row.holds
        and row.currency == currency
        and row.financial == FinancialStatus.PAID
        and row.fulfilment in (FulfilmentState.FULFILLED, FulfilmentState.DELIVERED)
        and not row.refunded_minor
        and row.claimed_minor == row.computed_minor
        and (row.claimed_minor or 0) > REFUND_MINOR
    )


def _is_placed(row: OrderRow, since: datetime) -> bool:
    """One that was brought in later may have been bought before the month."""
    return row.placed_at is not None and datetime.fromisoformat(row.placed_at) >= since


def _is_posted(hub: Hub, slug: str, row: OrderRow) -> bool:
    key = document_key(DocumentKind.SALES_ORDER, slug, row.order)
    found: Any = hub.erp.held([key]).get(key)
    return found is not None and not found.voided


def _sales_order(key: OrderKey) -> DocumentKey:
    return document_key(DocumentKind.SALES_ORDER, key.channel, key.external_id)
