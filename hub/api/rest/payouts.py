"""Payouts of payment providers, and what is still with them."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Channel, Content, Cursor, Limit, Send, Word, offset_of, page, takes
from hub.model.payouts import PayoutState, SettlementKind
from hub.steps import clearing as clearings
from hub.steps.advance import advance_all
from hub.steps.answers import clearing_answer, payout_answer
from hub.steps.clearing import Left
from hub.steps.hub import Hub
from hub.steps.payouts import show_payout
from hub.steps.send import send_all
from hub.steps.settlement_files import capture_content
from hub.steps.settling import Sent
from hub.store.views import payouts
from hub.store.views.exceptions import OpenException
from hub.store.views.orders import DocumentRow
from hub.store.views.payouts import PayoutRow, Pending


class Payouts(BaseModel):
    payouts: list[PayoutRow]
    pending: list[Pending]
    """What of a provider's balance is in no payout yet."""
    next: str | None = None


class Lines(BaseModel):
    """The lines of a payout that are alike, added up."""

    kind: SettlementKind
    word: str
    currency: str
    adds_up: bool
    count: int
    amount_minor: int
    fee_minor: int
    net_minor: int


class PayoutSight(BaseModel):
    channel: str
    payout: str
    status: str | None
    on: str | None
    amount_minor: int | None
    currency: str | None
    method: str | None
    reference: str | None
    opening_minor: int | None
    closing_minor: int | None
    state: str
    net_minor: int
    missing_minor: int | None
    """Its amount less the opening balance and its lines."""
    lines: list[Lines]
    documents: list[DocumentRow]
    tasks: list[OpenException]


class ClearingTotal(BaseModel):
    entity: str
    method: str
    currency: str
    captures_minor: int
    refunds_minor: int
    payouts_minor: int
    erp_minor: int | None
    balance_minor: int


class Piece(BaseModel):
    """What is left in clearing of one payment, refund or line."""

    entity: str
    method: str
    currency: str
    channel: str
    order: str | None
    subject: str
    payout: str | None
    on: datetime.date
    age_days: int
    why: Left
    amount_minor: int


class Clearing(BaseModel):
    """The pieces, over all pages, sum to the totals' balances."""

    until: datetime.date
    totals: list[ClearingTotal]
    pieces: list[Piece]
    next: str | None = None


class Settled(BaseModel):
    new: bool
    """False: the report was there before."""
    sent: Sent | None


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api", tags=["payouts"], route_class=Guarded)

    @made.get("/payouts")
    def listed(
        caller: CallerOf,
        channel: Channel = None,
        state: PayoutState | None = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> Payouts:
        """The payouts, the newest first, and what is in none yet."""
        only, offset = caller.only(channel), offset_of(cursor)
        found = payouts.listed(hub.store, channel=only, state=state, limit=offset + limit + 1)
        rows, following = page(found, offset, limit)
        pending = [one for one in payouts.pending(hub.store) if only in (None, one.channel)]
        return Payouts(payouts=rows, pending=pending, next=following)

    @made.get("/payouts/clearing")
    def clearing(
        until: Annotated[datetime.date | None, Query(description="The last day.")] = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> Clearing:
        """What payment providers still have of us: captures less refunds less payouts, and the rest piece by piece."""
        found = clearing_answer(clearings.clearing(hub, until))
        found["pieces"], following = page(found["pieces"], offset_of(cursor), limit)
        return Clearing(**found, next=following)

    @made.get("/payouts/{channel}/{payout:path}")
    def show(channel: str, payout: str) -> PayoutSight:
        """One payout: opening balance, lines by kind, what it pays, its document, and what is open."""
        return PayoutSight(**payout_answer(show_payout(hub, f"{channel}/{payout}")))

    @made.post("/channels/{channel}/settlements", openapi_extra=takes("text/csv", "id,day,what,gross,fee\n"))
    def take(
        channel: str,
        content: Content,
        mapping: Annotated[Word, Query(description="Its columns: a name under `settlements` in hub.yaml.")],
        send: Send = True,
    ) -> Settled:
        """Takes a payment provider's settlement report; its payouts are booked like a channel's own."""
        new = capture_content(hub, channel, content, mapping)
        advance_all(hub)
        return Settled(new=new, sent=send_all(hub) if send else None)

    return made
