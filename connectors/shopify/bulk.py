"""A backfill by a bulk operation: the shop writes a file of everything, and it is put together again here.

A row is an order, or a child that names its parent. A bulk operation cannot tell what is in refunds and fulfilments
(documents.BULK_ORDERS), nor a return's lines: an order that has any is read whole by its id, at the usual price. So is
one whose rows do not stand together.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.client import Shop
from connectors.shopify.documents import BULK_ORDERS, BULK_RUN, BULK_STATE
from connectors.shopify.orders import Node, Orders, moment_of, number_of, stamped
from connectors.shopify.streams import OVERLAP, Streams, latest
from hub.errors import InDoubt, Rejected, Retryable
from hub.model.records import Received
from hub.ports import Page

PAGE_ORDERS: Final = 100
WAIT_S: Final = 2.0
WAIT_S_MAX: Final = 30.0
WAITED_S_MAX: Final = 3600.0  # in one go; the operation goes on, and the cursor finds it again
PLACES: Final = {"LineItem": "lineItems", "ShippingLine": "shippingLines", "FulfillmentOrder": "fulfillmentOrders"}


class Bulk:
    """Backfills of one shop."""

    def __init__(self, shop: Shop, orders: Orders, streams: Streams) -> None:
        self._shop = shop
        self._orders = orders
        self._streams = streams

    def backfill(self, since: datetime, cursor: str | None) -> Iterator[Page]:
        """Every order changed since then. The last page's cursor is one of the stream "orders", to go on from.

        Args:
            cursor: of a backfill that was broken off: its operation is waited for and its file read from where it was,
                unless it began later than this one is to.
        """
        state = _state(cursor)
        identity, begun = state.get("operation"), moment_of(state.get("since"))
        if identity is None or begun is None or begun > since:
            identity = self._started(since)
            state = {"operation": identity, "since": since.isoformat(), "orders": 0, "mark": None}
            yield Page((), json.dumps(state), more=True)
        address = self._finished(identity)
        done, mark = int(state.get("orders") or 0), moment_of(state.get("mark"))
        if address is None:
            yield Page((), since.isoformat(), more=False)
            return
        with self._shop.http.file(address) as lines:
            apart = _apart(lines(), self._shop.config.slug)
            waiting: list[Node] = []
            for place, node in enumerate(_put_together(lines(), apart, self._shop.config.slug), 1):
                mark = latest(mark, [node], "updatedAt")
                if place <= done:
                    continue
                waiting.append(node)
                if len(waiting) == PAGE_ORDERS:
                    here = {**state, "orders": place, "mark": mark.isoformat() if mark is not None else None}
                    yield Page(self._records(waiting), json.dumps(here), more=True)
                    waiting = []
        records = self._records(waiting) + tuple(self._streams.by_id(sorted(apart)))
        yield Page(records, ((mark - OVERLAP) if mark is not None else since).isoformat(), more=False)

    def _started(self, since: datetime) -> str:
        query = BULK_ORDERS.text.replace("SINCE", stamped(since))
        try:
            operation = self._shop.mutate(BULK_RUN, query=query)["bulkOperation"]
        except InDoubt as error:
            # It reads and changes nothing: at worst one runs that nobody waits for.
            raise Retryable(str(error), 60.0) from None
        return str(operation["id"])

    def _finished(self, identity: str) -> str | None:
        """The address of the operation's file; None: nothing was found."""
        waited_s, wait_s = 0.0, WAIT_S
        while waited_s < WAITED_S_MAX:
            operation = self._shop.query(BULK_STATE, id=identity)["bulkOperation"]
            status = operation["status"] if operation is not None else "EXPIRED"
            if status == "COMPLETED":
                return str(operation["url"]) if operation["url"] else None
            if status not in ("CREATED", "RUNNING"):
                code = str((operation or {}).get("errorCode") or status).lower()
                raise Rejected(
                    f"{self._shop.config.slug}: the bulk operation ended as {status} ({code})",
                    code=f"bulk_{code}",
                    field="bulkOperationRunQuery",
                    remedy="begin the backfill again, from a later day if it takes too long",
                )
            self._shop.config.sleep(wait_s)
            waited_s, wait_s = waited_s + wait_s, min(wait_s * 1.5, WAIT_S_MAX)
        raise Retryable(f"{self._shop.config.slug}: the bulk operation still runs", 60.0)

    def _records(self, nodes: list[Node]) -> tuple[Received, ...]:
        """Each order as a record: as the file has it where that is all, else read by its id."""
        whole = {number_of(str(node["id"])): node for node in nodes if _told_whole(node)}
        apart = [identity for node in nodes if (identity := number_of(str(node["id"]))) not in whole]
        return (
            *(self._orders.record(_shaped(node)) for node in whole.values()),
            *self._streams.by_id(apart),
        )


def _apart(lines: Iterator[bytes], who: str) -> set[str]:
    """The orders whose rows do not stand together behind them, or hold something unknown: read by id instead."""
    found: set[str] = set()
    current = None
    for line in lines:
        row = _parsed(line, who)
        parent = row.get("__parentId")
        if parent is None:
            current = row.get("id")
        elif parent != current or _place(row) is None:
            found.add(number_of(str(parent)))
    return found


def _put_together(lines: Iterator[bytes], apart: set[str], who: str) -> Iterator[Node]:
    """The orders of the file with their children, in its order, without those that are apart."""
    order: Node | None = None
    for line in lines:
        row = _parsed(line, who)
        parent = row.pop("__parentId", None)
        if parent is None:
            if order is not None:
                yield order
            order = None
            if number_of(str(row["id"])) not in apart:
                order = {**row, **{place: {"nodes": []} for place in (*PLACES.values(), "discountApplications")}}
        elif order is not None and parent == order["id"] and (place := _place(row)) is not None:
            if place in PLACES.values():
                row.pop("__typename")
            order[place]["nodes"].append(row)
    if order is not None:
        yield order


def _place(row: Node) -> str | None:
    """The connection of the order that the row is of."""
    kind = str(row.get("__typename"))
    return "discountApplications" if kind.endswith(("DiscountApplication", "CodeApplication")) else PLACES.get(kind)


def _told_whole(node: Node) -> bool:
    return not node.get("refunds") and not node.get("fulfillments") and node.get("returnStatus") == "NO_RETURN"


def _shaped(node: Node) -> Node:
    """As the same order comes when it is read by its id."""
    inside = {key: value for key, value in node.items() if key not in ("__typename", "returnStatus")}
    return {**inside, "refunds": [], "fulfillments": [], "returns": {"nodes": []}}


def _parsed(line: bytes, who: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode(), parse_float=Decimal)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Retryable(f"{who}: a row of the bulk file is not JSON: the file is fetched again", 60.0)
    return row


def _state(cursor: str | None) -> dict[str, Any]:
    try:
        held = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}
