"""Figures of the orders placed in a period: how long each stage took, what left at once, in time, and what came back.

Each order is looked at as it is known now, whenever its later stages were.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.flow.terms import STOCKED
from hub.model.facts import FulfilmentStatus
from hub.model.money import part
from hub.model.order import Line, LineId
from hub.model.refunding import cut_refunds
from hub.model.state import OrderState

HOUR_S: Final = 3600


class Stage(StrEnum):
    PLACEMENT_TO_PROCESSING = "placement_to_processing"
    PROCESSING_TO_SHIPPING = "processing_to_shipping"
    SHIPPING_TO_DELIVERY = "shipping_to_delivery"
    DELIVERY_TO_POST_SALE = "delivery_to_post_sale"


class Kept(StrEnum):
    """What became of a promise."""

    ON_TIME = "on_time"
    LATE = "late"
    OPEN = "open"  # not done, and not due yet
    NOT_TOLD = "not_told"  # no promise is known


@dataclass(slots=True)
class Promises:
    """How many orders, by what became of their promise."""

    on_time: int = 0
    late: int = 0
    open: int = 0
    not_told: int = 0

    def add(self, kept: Kept) -> None:
        setattr(self, kept.value, getattr(self, kept.value) + 1)

    @property
    def share(self) -> float | None:
        """On time of all that were due; None: none was."""
        return ratio(self.on_time, self.on_time + self.late)


@dataclass(slots=True)
class ChannelFigures:
    """The orders of one channel."""

    channel: str
    currency: str
    orders: int = 0
    seconds: dict[Stage, list[int]] = field(default_factory=lambda: {stage: [] for stage in Stage})
    shipped_orders: int = 0
    complete_orders: int = 0  # whose first shipment held all there was to ship
    due_units: int = 0  # of orders that shipped
    first_units: int = 0  # in their first shipments
    shipped_units: int = 0
    returned_units: int = 0  # refunded after shipment
    shipped_minor: int = 0  # in the channel's currency, net of discounts, without tax
    returned_minor: int = 0
    ship_by: Promises = field(default_factory=Promises)
    delivery_by: Promises = field(default_factory=Promises)

    def add(self, state: OrderState, now: datetime.datetime) -> None:
        """The order is counted; one in another currency has no part in the amounts."""
        self.orders += 1
        for stage, seconds in _seconds(state):
            self.seconds[stage].append(seconds)
        self._add_units(state)
        shipped_at, delivered_at = _all_at(state)
        self.ship_by.add(_kept(state.promised_ship_by, shipped_at, now))
        self.delivery_by.add(_kept(state.promised_delivery_by, delivered_at, now))

    def _add_units(self, state: OrderState) -> None:
        goods = _goods(state)
        if not state.fulfilments or not goods:
            return
        first = dict.fromkeys(goods, 0)
        for row in state.fulfilments[0].body.lines:
            if row.line in first:
                first[row.line] += row.quantity
        due = {id: _due(state, id) for id in goods}
        self.shipped_orders += 1
        self.complete_orders += all(first[id] >= due[id] for id in goods)
        self.due_units += sum(due.values())
        self.first_units += sum(min(first[id], due[id]) for id in goods)
        self._add_returns(state, goods)

    def _add_returns(self, state: OrderState, goods: dict[LineId, Line]) -> None:
        units = state.quantities
        cuts = cut_refunds(
            ((refund.id, refund.body) for refund in state.refunds),
            {id: of.shipped for id, of in units.items()},
            {id: max(0, of.ordered - of.removed - of.shipped) for id, of in units.items()},
        )
        back = [row for rows in cuts.values() for row in rows if row.given.line in goods]
        self.shipped_units += sum(units[id].shipped for id in goods)
        self.returned_units += sum(row.credited for row in back)
        if state.snapshot is not None and state.snapshot.currency == self.currency:
            self.shipped_minor += sum(_net_of_shipped(line, units[id].shipped) for id, line in goods.items())
            self.returned_minor += sum(row.credited_net_minor for row in back)


def percentile(sorted_values: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not sorted_values:
        raise ValueError("no values")
    rank = -(-percent * len(sorted_values) // 100)
    return sorted_values[max(rank, 1) - 1]


def hours(values: Iterable[int], percent: int) -> float | None:
    """A percentile of seconds, in hours to a tenth; None: there are none."""
    ordered = sorted(values)
    return round(percentile(ordered, percent) / HOUR_S, 1) if ordered else None


def ratio(part_of: int, whole: int) -> float | None:
    """A share to a ten-thousandth; None of nothing."""
    return round(part_of / whole, 4) if whole else None


def _seconds(state: OrderState) -> list[tuple[Stage, int]]:
    """How long each stage took whose two ends are known; what began before its stage ended took no time."""
    _, delivered_at = _all_at(state)
    ends = (
        (Stage.PLACEMENT_TO_PROCESSING, state.placed_at, state.processing_at),
        (Stage.PROCESSING_TO_SHIPPING, state.processing_at, state.shipped_at),
        (Stage.SHIPPING_TO_DELIVERY, state.shipped_at, delivered_at),
        (Stage.DELIVERY_TO_POST_SALE, delivered_at, state.post_sale_at),
    )
    return [
        (stage, max(0, int((end - begin).total_seconds())))
        for stage, begin, end in ends
        if begin is not None and end is not None
    ]


def _goods(state: OrderState) -> dict[LineId, Line]:
    """The lines that a warehouse ships."""
    lines = state.snapshot.lines if state.snapshot else ()
    return {
        line.id: line
        for line in lines
        if line.kind in STOCKED and line.requires_shipping and line.id in state.quantities
    }


def _due(state: OrderState, id: LineId) -> int:
    of = state.quantities[id]
    return max(0, of.ordered - of.removed - of.cancelled)


def _net_of_shipped(line: Line, shipped: int) -> int:
    """The line's price after discounts, without tax, for so many of its units."""
    return part(line.net_minor, line.quantity, 0, min(shipped, line.quantity)) if line.quantity else 0


def _all_at(state: OrderState) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """When the last of it left and arrived; None: not all of it has."""
    goods = _goods(state)
    if not state.fulfilments or any(state.quantities[id].open for id in goods):
        return None, None
    shipped_at = max(one.body.shipped_at for one in state.fulfilments)
    arrived = [one.body.delivered_at for one in state.fulfilments if one.body.status is FulfilmentStatus.DELIVERED]
    if len(arrived) < len(state.fulfilments) or None in arrived:
        return shipped_at, None
    return shipped_at, max(at for at in arrived if at is not None)


def _kept(promised: datetime.datetime | None, done: datetime.datetime | None, now: datetime.datetime) -> Kept:
    if promised is None:
        return Kept.NOT_TOLD
    if done is None:
        return Kept.LATE if now > promised else Kept.OPEN
    return Kept.ON_TIME if done <= promised else Kept.LATE
