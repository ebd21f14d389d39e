"""Return, order edit and deletion payloads → facts."""

from datetime import datetime
from typing import Any, Final

from hub.model.facts import Deletion, Edit, Fact, FactKind, LineQuantity, Return, ReturnStatus, Source
from hub.model.order import LineId, OrderKey
from hub.model.problems import Problem
from mappings.shopify.payload import DeletionPayload, DeltaPayload, EditPayload, ReturnPayload
from mappings.shopify.reading import Part, Reading

STATUS: Final = {
    "requested": ReturnStatus.REQUESTED,
    "open": ReturnStatus.OPEN,
    "closed": ReturnStatus.CLOSED,
    "canceled": ReturnStatus.CANCELLED,
    "cancelled": ReturnStatus.CANCELLED,
    "declined": ReturnStatus.DECLINED,
}


def return_fact(
    given: ReturnPayload,
    order: OrderKey,
    source: Source,
    received_at: datetime,
    read: Reading,
    problems: list[Problem],
    *path: Part,
) -> Fact:
    """The return as a fact of its order. A webhook does not say when it happened: that dates from its receipt."""
    lines = []
    for i, line in enumerate(given.return_line_items or ()):
        at = (*path, "return_line_items", i)
        item = line.line_item
        if item is None and isinstance(line.fulfillment_line_item, dict):
            item = line.fulfillment_line_item.get("line_item")
        if identity := _line_id(item, read, *at, "line_item"):
            lines.append(LineQuantity(identity, line.quantity))
    exchange = []
    for i, new in enumerate(given.exchange_line_items or ()):
        at = (*path, "exchange_line_items", i)
        if new.line_item is None:  # seen in the vendor's example: the goods are not yet on the order
            problems.append(Problem(f"exchange_line_items[{i}].line_item", "not yet on the order", "incomplete"))
        elif identity := _line_id(new.line_item, read, *at, "line_item"):
            exchange.append(LineQuantity(identity, new.quantity or 1))
    reasons = dict.fromkeys(line.return_reason for line in given.return_line_items or () if line.return_reason)
    created = read.optional_moment(given.created_at, *path, "created_at")
    closed = read.optional_moment(given.closed_at, *path, "closed_at")
    body = Return(
        read.word(STATUS, given.status, *path, "status"),
        None if given.return_line_items is None else tuple(lines),
        None if given.exchange_line_items is None else tuple(exchange),
        ", ".join(reasons) or None,
    )
    return Fact(
        order,
        FactKind.RETURN,
        read.id(given.id, *path, "id"),
        closed or created or received_at,
        created or received_at,
        source,
        body,
    )


def edit_fact(given: EditPayload, channel: str, source: Source, received_at: datetime, read: Reading) -> Fact:
    """The edit as a fact of its order: units in and out; their amounts are in the order that follows."""
    stamp = given.committed_at if given.committed_at is not None else given.created_at
    committed = received_at if stamp is None else read.moment(stamp, "order_edit", "committed_at")
    body = Edit(
        committed,
        _deltas(given.line_items.additions, read, "additions"),
        _deltas(given.line_items.removals, read, "removals"),
    )
    order = OrderKey(channel, read.id(given.order_id, "order_edit", "order_id"))
    return Fact(order, FactKind.EDIT, read.id(given.id, "order_edit", "id"), committed, committed, source, body)


def deletion_fact(given: DeletionPayload, channel: str, source: Source, received_at: datetime, read: Reading) -> Fact:
    """The order is gone; Shopify says not when."""
    identity = read.id(given.id, "id")
    return Fact(OrderKey(channel, identity), FactKind.DELETION, identity, received_at, received_at, source, Deletion())


def _deltas(deltas: list[DeltaPayload], read: Reading, word: str) -> tuple[LineQuantity, ...]:
    return tuple(
        LineQuantity(LineId(read.id(item.id, "order_edit", "line_items", word, i, "id")), item.delta)
        for i, item in enumerate(deltas)
    )


def _line_id(item: Any, read: Reading, *path: Part) -> LineId | None:
    identity = item.get("id") if isinstance(item, dict) else None
    if identity is None:
        read.fault("missing", *path, "id")
        return None
    return LineId(read.id(identity, *path, "id"))
