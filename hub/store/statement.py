"""What a statement of the hub's own side is made of, read by order in bulk."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select, union

from hub.model.documents import DocumentKey
from hub.model.facts import Fact, FactKind
from hub.model.intents import StepState
from hub.model.order import OrderKey
from hub.store.orders import in_keys, parse_fact
from hub.store.schema import exception, fact, intent, orders, step
from hub.store.sending import HOLDS_NOTHING

RECONCILED: Final = ("posted", "before_go_live")
"""Of `orders.posting`: what is reconciled; tests are not, and a stub has nothing to compare."""

STATED: Final = ("sales_order", "refund", "cash_refund", "payment", "deposit", "cash_sale")
"""Kinds of document that a statement lists."""


def orders_between(connection: Connection, first: date, last: date) -> dict[OrderKey, str]:
    """Orders that were placed, or had money moved, between two days, sorted, each with whether it goes to the ERP.

    Money is looked for a day wider on both ends: its day depends on the entity's time zone.
    """
    placed = select(orders.c.channel, orders.c.order_id, orders.c.posting).where(
        orders.c.placed_on.between(first.isoformat(), last.isoformat()), orders.c.posting.in_(RECONCILED)
    )
    begin, end = (first - timedelta(days=1)).isoformat(), (last + timedelta(days=2)).isoformat()
    moved = (
        select(fact.c.channel, fact.c.order_id, orders.c.posting)
        .join(orders, (orders.c.channel == fact.c.channel) & (orders.c.order_id == fact.c.order_id))
        .where(
            fact.c.kind == FactKind.TENDER.value,
            fact.c.occurred_at.between(begin, end),
            orders.c.posting.in_(RECONCILED),
        )
    )
    return {OrderKey(*row[:2]): row[2] for row in sorted(connection.execute(union(placed, moved)).all())}


def facts(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, list[Fact]]:
    """All facts of these orders."""
    found: dict[OrderKey, list[Fact]] = {}
    columns = (fact.c.kind, fact.c.external_id, fact.c.modified_at, fact.c.occurred_at, fact.c.source, fact.c.content)
    for row in connection.execute(select(*columns, fact.c.channel, fact.c.order_id).where(in_keys(fact, keys))):
        key = OrderKey(row[6], row[7])
        found.setdefault(key, []).append(parse_fact(key, row))
    return found


def documents(connection: Connection, keys: Sequence[OrderKey]) -> dict[DocumentKey, Any]:
    """The latest decision on each stated document of these orders, with its state and read-back."""
    query = (
        select(
            intent.c.document_key,
            intent.c.action,
            intent.c.content,
            step.c.state,
            step.c.name,
            step.c.code,
            step.c.readback_total_minor,
            step.c.readback_tax_minor,
            step.c.readback_date,
            step.c.readback_version,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(in_keys(intent, keys), intent.c.kind.in_(STATED), step.c.state != StepState.SUPERSEDED.value)
        .order_by(intent.c.id)
    )
    return {row.document_key: row for row in connection.execute(query)}


def holds(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """The code of an open exception of each of these orders that has one."""
    query = select(exception.c.channel, exception.c.order_id, exception.c.code).where(
        in_keys(exception, keys), exception.c.resolved_at.is_(None), exception.c.code.not_in(HOLDS_NOTHING)
    )
    return {OrderKey(channel, order_id): code for channel, order_id, code in connection.execute(query)}
