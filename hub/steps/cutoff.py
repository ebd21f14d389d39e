"""cutoff: what the end of a month cuts in two, by order, with amounts and ages; as things stand now."""

import datetime
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection

from hub.flow.cutoff import Cut, Standing, cut_off
from hub.flow.match import month_of
from hub.model.cutoff import Cutoff, CutoffList, CutoffRow, CutoffWhy, cutoff_of
from hub.model.decisions import HoldCode
from hub.model.documents import DOCUMENT, Document, DocumentKey
from hub.model.intents import Action, StepState
from hub.model.order import OrderKey
from hub.steps.clearing import Left, clearing
from hub.steps.deciding import Decider
from hub.steps.hub import Hub
from hub.store import orders
from hub.store.orders import Known
from hub.store.sending import HOLDS_NOTHING
from hub.store.views import cutoff as views

CHUNK_ORDERS: Final = 200

HOLD_CODES: Final = frozenset(code.value for code in HoldCode) - HOLDS_NOTHING

_CUTOFF: Final = TypeAdapter(Cutoff)


def cutoff(hub: Hub, period: str, channels: Collection[str] | None = None) -> Cutoff:
    """The lists of the period's end.

    Args:
        channels: only these, by slug; None: all.

    Raises:
        Misconfigured: the period is not written `2026-05`.
    """
    first, last = month_of(period)
    only = {channel.slug for channel in hub.settings.channels} if channels is None else set(channels)
    with hub.store.connect() as connection:
        rows = _rows(hub, connection, first, last)
        return cutoff_of(period, last, (row for row in rows if row.channel in only))


def as_json(found: Cutoff) -> dict[str, Any]:
    """The lists with JSON-ready values."""
    answer: dict[str, Any] = _CUTOFF.dump_python(found, mode="json")
    return answer


def _rows(hub: Hub, connection: Connection, first: datetime.date, last: datetime.date) -> Iterator[CutoffRow]:
    slugs = [channel.slug for channel in hub.settings.channels]
    on_delivery = [slug for slug in slugs if hub.channel(slug).recognise_on_delivery]
    keys = [key for key in views.suspects(connection, first, last, on_delivery) if key.channel in slugs]
    for start in range(0, len(keys), CHUNK_ORDERS):
        yield from _of_orders(hub, connection, keys[start : start + CHUNK_ORDERS], first, last)
    yield from _unsettled(hub, connection, last)


def _of_orders(
    hub: Hub, connection: Connection, keys: Sequence[OrderKey], first: datetime.date, last: datetime.date
) -> Iterator[CutoffRow]:
    known = orders.load(connection, keys)
    decider = Decider(hub, connection, known, hub.clock())
    standing = _standing(connection, keys)
    for key in keys:
        channel = hub.channel(key.channel)
        state, planned = decider.planned(key)
        cut = Cut(first, last, channel.entity.slug, channel.channel.currency, channel.timezone)
        yield from cut_off(state, planned, standing.get(key, {}), _hold(known.get(key)), cut)


def _hold(known: Known | None) -> str | None:
    codes = sorted(code for code in known.open_exceptions.values() if code in HOLD_CODES) if known else []
    return codes[0] if codes else None


def _standing(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, dict[DocumentKey, Standing]]:
    """What the ERP has of each document of these orders, and what waits; by the last answer that it gave."""
    found: dict[OrderKey, dict[DocumentKey, Standing]] = {}
    for row in views.decisions(connection, keys):
        one = found.setdefault(row.key, {}).setdefault(DocumentKey(row.document), Standing())
        document: Document = DOCUMENT.validate_json(row.content)
        state = StepState(row.state)
        voided = row.action == Action.VOID.value
        one.decided = None if voided else document
        one.waiting, one.code = (None, "") if state is StepState.DONE else (state, row.code)
        if state is StepState.DONE:
            one.held = None if voided else document
    return found


def _unsettled(hub: Hub, connection: Connection, last: datetime.date) -> Iterator[CutoffRow]:
    """What is in payment clearing at the end of that day, piece by piece."""
    pieces = clearing(hub, last).pieces
    keys = {OrderKey(piece.channel, piece.order) for piece in pieces if piece.order is not None}
    names = views.names(connection, sorted(keys))
    for piece in pieces:
        order = piece.order or ""
        yield CutoffRow(
            list=CutoffList.UNSETTLED_CLEARING,
            entity=piece.entity,
            channel=piece.channel,
            order=order,
            name=names.get(OrderKey(piece.channel, order), ""),
            document="",
            kind="payout" if piece.payout is not None else "capture" if piece.amount_minor > 0 else "refund",
            currency=piece.currency,
            amount_minor=piece.amount_minor,
            since=piece.on,
            age_days=piece.age_days,
            why=_LEFT[piece.why],
            detail=f"{piece.method}, payout {piece.payout}" if piece.payout is not None else piece.method,
        )


_LEFT: Final = {
    Left.NOT_SETTLED: CutoffWhy.NOT_SETTLED,
    Left.OTHERWISE: CutoffWhy.SETTLED_OTHERWISE,
    Left.NOT_IN_BOOKS: CutoffWhy.NOT_IN_BOOKS,
}
