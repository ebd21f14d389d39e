"""Which orders may be cut by a month's end, and what the ERP has of their documents; a few sets, no order at a time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, text

from hub.model.documents import DocumentKind
from hub.model.facts import FactKind
from hub.model.intents import StepState
from hub.model.order import OrderKey
from hub.model.state import FulfilmentState
from hub.store.orders import ERP_TARGET, in_keys
from hub.store.schema import IS_OPEN, fact, intent, orders, step

DONE: Final = StepState.DONE.value
CHUNK: Final = 500  # values bound at once in an IN list
NO_ORDER: Final = ""
HALVES: Final = (FactKind.FULFILMENT.value, FactKind.REFUND.value)
"""Facts that may stand alone: their order's own record is missing or does not translate."""


def suspects(connection: Connection, first: date, last: date, on_delivery: Collection[str]) -> list[OrderKey]:
    """Every order that may be one-sided at the end of the last day, sorted: none that is, is left out.

    Those with something undone or held; those that shipped and have no invoice, or arrived and were not recognised, or
    came back and have no credit memo; those invoiced and never shipped; those that a closed period moved. The days of
    facts are looked at a day wider: they depend on the entity's time zone.

    Args:
        on_delivery: the channels that recognise revenue on delivery.
    """
    found: set[OrderKey] = set()
    for query in _suspicions(first, last, on_delivery):
        found.update(OrderKey(channel, order_id) for channel, order_id in connection.execute(query))
    return sorted(found)


def _suspicions(first: date, last: date, on_delivery: Collection[str]) -> Iterator[Select[Any]]:
    until = (last + timedelta(days=2)).isoformat()
    order = select(orders.c.channel, orders.c.order_id).where(orders.c.posting == "posted")
    yield order.where(orders.c.holds > 0)
    told = fact.c.kind.in_(HALVES), fact.c.occurred_at < until, orders.c.posting == "stub"
    of_it = and_(orders.c.channel == fact.c.channel, orders.c.order_id == fact.c.order_id)
    yield select(fact.c.channel, fact.c.order_id).join(orders, of_it).where(*told).distinct()
    to_the_erp = step.c.target == ERP_TARGET, step.c.order_id != NO_ORDER
    yield select(step.c.channel, step.c.order_id).where(text(IS_OPEN), *to_the_erp).distinct()
    yield order.where(orders.c.shipped_at < until, ~_has(DocumentKind.INVOICE), ~_has(DocumentKind.CASH_SALE))
    credited = _has(DocumentKind.CREDIT_MEMO), _has(DocumentKind.CASH_REFUND)
    yield order.where(orders.c.post_sale_at < until, *(~one for one in credited))
    yield order.where(or_(orders.c.shipped_at.is_(None), orders.c.shipped_at >= last.isoformat()), _has_invoice(last))
    for channel in on_delivery:
        arrived = orders.c.fulfilment == FulfilmentState.DELIVERED.value
        yield order.where(orders.c.channel == channel, arrived, ~_has(DocumentKind.JOURNAL_ENTRY))
    yield (
        select(intent.c.channel, intent.c.order_id)
        .where(intent.c.date >= first.isoformat(), intent.c.content.like('%"original_date"%'))
        .distinct()
    )


def _has(kind: DocumentKind, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(
        select(intent.c.id)
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            intent.c.channel == orders.c.channel,
            intent.c.order_id == orders.c.order_id,
            intent.c.kind == kind.value,
            step.c.state == DONE,
            *more,
        )
    )


def _has_invoice(last: date) -> ColumnElement[bool]:
    by_then = intent.c.date <= last.isoformat()
    return or_(_has(DocumentKind.INVOICE, by_then), _has(DocumentKind.CASH_SALE, by_then))


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision on a document for the ERP that was not overtaken before it was sent."""

    key: OrderKey
    document: str
    action: str
    content: str  # the document as JSON
    state: str
    code: str


def decisions(connection: Connection, keys: Sequence[OrderKey]) -> Iterator[DecisionRow]:
    """The decisions on these orders' documents, in the order they were made."""
    query = (
        select(
            intent.c.channel,
            intent.c.order_id,
            intent.c.document_key,
            intent.c.action,
            intent.c.content,
            step.c.state,
            func.coalesce(step.c.code, ""),
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(in_keys(intent, keys), step.c.target == ERP_TARGET, step.c.state != StepState.SUPERSEDED.value)
        .order_by(intent.c.id)
    )
    for channel, order_id, *rest in connection.execute(query):
        yield DecisionRow(OrderKey(channel, order_id), *rest)


def names(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """The names of these orders, for people; one without a name is absent."""
    found: dict[OrderKey, str] = {}
    for start in range(0, len(keys), CHUNK):
        part = in_keys(orders, keys[start : start + CHUNK])
        for row in connection.execute(select(orders.c.channel, orders.c.order_id, orders.c.name).where(part)):
            if row.name is not None:
                found[OrderKey(row.channel, row.order_id)] = row.name
    return found
