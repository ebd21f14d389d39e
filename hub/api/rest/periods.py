"""A month: what its end cuts in two, how its orders went and what they earned."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, MONTH, Channel, Cursor, Limit, offset_of, page
from hub.model.cutoff import CutoffRow, CutoffTotal
from hub.steps import metrics as figures
from hub.steps.cutoff import cutoff
from hub.steps.hub import Hub

Period = Annotated[str, Path(pattern=MONTH, description="A month like 2026-05.")]


class CutoffPage(BaseModel):
    """The totals are of all rows."""

    period: str
    on: datetime.date
    rows: list[CutoffRow]
    totals: list[CutoffTotal]
    next: str | None = None


class Cycle(BaseModel):
    """Hours from one stage to the next."""

    orders: int
    median: float | None
    p90: float | None


class Fill(BaseModel):
    orders: int
    complete_orders: int
    units: int
    first_units: int
    """In the first shipment."""
    rate: float | None


class Promised(BaseModel):
    on_time: int
    late: int
    open: int
    not_told: int
    on_time_rate: float | None


class Returned(BaseModel):
    units: int
    of_units: int
    unit_rate: float | None
    currency: str
    amount_minor: int
    of_amount_minor: int
    value_rate: float | None


class ChannelFigures(BaseModel):
    channel: str
    orders: int
    cycle_h: dict[str, Cycle]
    fill: Fill
    ship_by: Promised
    delivery_by: Promised
    returns: Returned


class Touches(BaseModel):
    """What people had to do by hand."""

    count: int
    per_100_orders: float | None
    by_kind: dict[str, int]


class Earned(BaseModel):
    entity: str
    currency: str
    net_revenue_minor: int
    cost_minor: int
    margin_minor: int
    margin_share: float | None


class OfChannel(Earned):
    channel: str


class OfLine(Earned):
    line: str


class OfOrder(Earned):
    channel: str
    order: str
    name: str | None


class Tie(BaseModel):
    entity: str
    account: str
    name: str
    role: str
    currency: str
    orders_minor: int
    ledger_minor: int
    residual_minor: int
    gap_minor: int


class Gap(BaseModel):
    entity: str
    account: str
    document: str
    kind: str
    reference: str
    orders_minor: int
    ledger_minor: int
    why: str
    gap_minor: int


class Margin(BaseModel):
    ties: bool | None
    """None: the ERP does not say what goods cost, and the margin is income alone."""
    entities: list[Earned]
    channels: list[OfChannel]
    lines: list[OfLine]
    orders_count: int
    orders: list[OfOrder]
    """Those with the least margin first, a page at a time."""
    accounts: list[Tie]
    gaps: list[Gap]
    """A page at a time."""


class MetricsPage(BaseModel):
    period: str
    orders: int
    channels: list[ChannelFigures]
    touches: Touches
    margin: Margin
    next: str | None = None


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api", tags=["periods"], route_class=Guarded)

    @made.get("/cutoff/{period}")
    def cut_off(
        caller: CallerOf, period: Period, channel: Channel = None, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> CutoffPage:
        """What a month's end cuts in two: shipped not invoiced, refunds without credit memo …, aged, with amounts."""
        only = caller.only(channel)
        found = cutoff(hub, period, None if only is None else {hub.settings.channel(only).slug})
        rows, following = page(found.rows, offset_of(cursor), limit)
        return CutoffPage(period=found.period, on=found.on, rows=rows, totals=found.totals, next=following)

    @made.get("/metrics/{period}")
    def metrics(period: Period, limit: Limit = LIMIT, cursor: Cursor = None) -> MetricsPage:
        """How a month's orders went: cycle times, fill rate, promises, returns, touches, and the gross margin."""
        found, offset = figures.as_json(figures.metrics(hub, period)), offset_of(cursor)
        margin = found["margin"]
        margin["orders"], more_orders = page(margin["orders"], offset, limit)
        margin["gaps"], more_gaps = page(margin["gaps"], offset, limit)
        return MetricsPage(**found, next=more_orders or more_gaps)

    return made
