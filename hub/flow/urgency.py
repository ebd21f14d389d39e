"""urgency: by when an order's documents must be where they go, so that what is about to be late goes first."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hub.model.documents import Document
from hub.model.state import Commercial, FulfilmentState, OrderState

SHIPS: Final = frozenset({FulfilmentState.UNFULFILLED, FulfilmentState.PARTIAL})


def urgent_by(documents: Sequence[Document], state: OrderState | None, timezone: ZoneInfo) -> datetime:
    """The first of two deadlines: the end of the documents' accounting period, and the day that shipping is promised.

    Args:
        documents: at least one; those of one order go in their order, so the first deadline is that of all.
        state: of their order; None: they are of none. What is shipped or called off keeps no promise any more.
        timezone: of the entity, where its periods end.
    """
    ends = period_end(min(document.date for document in documents), timezone)
    if state is None or state.promised_ship_by is None:
        return ends
    ships = state.commercial is Commercial.OPEN and state.fulfilment in SHIPS
    return min(ends, state.promised_ship_by) if ships else ends


def period_end(on: date, timezone: ZoneInfo) -> datetime:
    """The moment at which the month of that day is over."""
    if (on.year, on.month) >= (date.max.year, date.max.month):  # the month after is of no calendar
        return datetime.combine(date.max, time(), timezone)
    following = on.replace(day=1) + timedelta(days=32)
    return datetime.combine(following.replace(day=1), time(), timezone)
