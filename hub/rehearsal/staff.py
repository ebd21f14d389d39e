"""People who work at the ERP by hand: they keep its shelves full, ship, and at the month's end do what goes wrong."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from hub.errors import Misconfigured
from hub.model.documents import DocumentKey, DocumentKind, document_key
from hub.model.order import FinancialStatus, OrderKey
from hub.model.state import FulfilmentState
from hub.steps.hub import Hub
from hub.store.views import orders
from hub.store.views.orders import OrderRow

REFUND_MINOR: Final = 500
LOOKED_AT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Accident:
    """What went wrong with a document; what explains it knows nothing of this."""

    what: str
    order: str | None  # of the channel; None: a document of no order
    document: str  # our key, or the ERP's own id of one that has none


class Staff(Protocol):
    """People at one ERP."""

    accidents_min: int
    """So many plain orders they need, another one for each thing that goes wrong."""

    def open_books(self) -> None:
        """The ERP has what a company has before its first order: items, and stock of them."""

    def standing(self, keys: Sequence[DocumentKey]) -> set[DocumentKey]:
        """Which of these documents the ERP has, and were not called off."""

    def fulfil(
        self, key: DocumentKey, units: Mapping[str, int], *, carrier: str, tracking_number: str, shipped_at: datetime
    ) -> bool:
        """These units of an order's lines have left; False: nothing of it is to be shipped there."""

    def rows(self, key: DocumentKey) -> Mapping[str, bool]:
        """The order's rows of goods by their lines, and whether each is closed; none where nobody closes rows there."""

    def close_rows(self, key: DocumentKey, lines: Sequence[str], *, closed: bool) -> bool:
        """These rows of an order are closed, or opened again; False: the ERP does not let them."""

    def edit_amount(self, key: DocumentKey, line: str, by: str) -> bool:
        """The row has another amount, by so much; False: the ERP does not let them."""

    def meddle(self, victims: Sequence[OrderKey]) -> list[Accident]:
        """Everything went wrong that there are orders for."""


def plain_orders(hub: Hub, staff: Staff, slug: str, since: datetime, chance: random.Random) -> list[OrderKey]:
    """Plain orders, placed since then, that were paid and shipped and stand in the ERP, in a drawn order.

    Raises:
        Misconfigured: there are too few for the accidents, and one more that is refunded at the shop.
    """
    currency = hub.channel(slug).entity.currency
    listed = orders.listed(hub.store, channel=slug, limit=LOOKED_AT)
    rows = [row for row in listed if _is_plain(row, currency) and _is_placed(row, since)]
    keys = {sales_order(OrderKey(slug, row.order)): OrderKey(slug, row.order) for row in rows}
    stand = staff.standing(list(keys))
    plain = sorted((order for key, order in keys.items() if key in stand), key=lambda one: one.external_id)
    if len(plain) < staff.accidents_min + 1:
        raise Misconfigured(f"demo: only {len(plain)} orders are plain enough for its accidents; take more orders")
    chance.shuffle(plain)
    return plain


def sales_order(key: OrderKey) -> DocumentKey:
    return document_key(DocumentKind.SALES_ORDER, key.channel, key.external_id)


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
