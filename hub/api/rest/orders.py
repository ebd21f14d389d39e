"""Orders and their timelines."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Channel, Cursor, Limit, Word, cursor_of, place_of
from hub.errors import Missing
from hub.steps.hub import Hub
from hub.steps.showing import Happening, OrderSight, order_named, show_order, timeline
from hub.store.views import orders
from hub.store.views.orders import OrderRow


class Orders(BaseModel):
    orders: list[OrderRow]
    next: str | None = None


class Timeline(BaseModel):
    channel: str
    order: str
    timeline: list[Happening]


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/orders", tags=["orders"], route_class=Guarded)

    @made.get("")
    def listed(
        caller: CallerOf,
        held: bool = False,
        channel: Channel = None,
        name: Annotated[Word | None, Query(description="Those a person may mean by this id or name.")] = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> Orders:
        """The orders placed last, the newest first."""
        only = caller.only(channel)
        if name is not None:
            return Orders(orders=[row for row in orders.named(hub.store, name) if only in (None, row.channel)])
        after = tuple(place_of(cursor, str, str, str)) if cursor is not None else None
        rows = orders.listed(hub.store, held=held, channel=only, limit=limit + 1, after=after)
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_of(last.placed_at or "", last.channel, last.order) if last is not None else None
        return Orders(orders=rows[:limit], next=following)

    @made.get("/{channel}/{order:path}/timeline")
    def order_timeline(channel: str, order: str) -> Timeline:
        """All that happened to the order, in the channel, here and in the ERP, oldest first."""
        row, happened = timeline(hub, _named(hub, channel, order))
        return Timeline(channel=row.channel, order=row.order, timeline=happened)

    @made.get("/{channel}/{order:path}")
    def show(channel: str, order: str) -> OrderSight:
        """One order: totals, lines by quantity, the four stages, documents, events and holds."""
        return show_order(hub, _named(hub, channel, order))

    return made


def _named(hub: Hub, channel: str, order: str) -> str:
    """The order's full name, of that channel and no other."""
    row = order_named(hub, f"{channel}/{order}")
    if row.channel != channel:
        raise Missing(f"no order {order!r} of {channel}")
    return f"{row.channel}/{row.order}"
