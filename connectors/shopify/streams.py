"""What is pulled again and again: orders by their change, fulfilment orders by theirs, payouts with what is in them.

A search lags behind writes by seconds, and stamps are whole seconds: each pull begins before the end of the last. What
is read twice has the same key. A cursor is a moment of the shop's own, never of this machine's clock.
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.client import Shop
from connectors.shopify.documents import BALANCE, FULFILMENT_ORDER_STAMPS, ORDER_STAMPS, PAYOUTS, PLACED, Document
from connectors.shopify.orders import Node, Orders, moment_of, next_cursor, number_of, recorded, stamped
from hub.errors import Misconfigured, RateLimited, Rejected, Retryable
from hub.model.facts import Source
from hub.model.records import Received
from hub.ports import Page, Stream

log = logging.getLogger(__name__)

OVERLAP: Final = timedelta(minutes=5)
SECOND_IS_OVER: Final = timedelta(minutes=1)  # as long as no clock is further ahead of the shop's
BALANCE_OVERLAP: Final = timedelta(days=2)
PAYOUT_OVERLAP: Final = timedelta(
    days=35
)  # a payout changes its state without a stamp; the longest schedule is a month
UNREAD_MAX: Final = 5  # orders of a page that may fail while the others are given
READ_MAX: Final = 500  # orders that a cursor names; more are read again
STAMPS_SIZE: Final = 100
PLACED_SIZE: Final = 250  # the most that the shop gives at once
PAYOUTS_SIZE: Final = 50
BALANCE_SIZE: Final = 100
PAGES_MAX: Final = 10_000

_NOTHING: Final[tuple[list[Node], bool]] = ([], False)
STREAMS: Final = (Stream("orders", 60), Stream("fulfillment_orders", 300), Stream("payouts", 3600))


class Streams:
    """The streams of one shop."""

    def __init__(self, shop: Shop, orders: Orders) -> None:
        self._shop = shop
        self._orders = orders

    def fetch(self, stream: str, cursor: str | None, since: datetime | None) -> Iterator[Page]:
        """What changed since the cursor, a page at a time.

        Raises:
            Misconfigured: there is no such stream.
        """
        match stream:
            case "orders":
                return self._changed_orders(cursor, since)
            case "fulfillment_orders":
                return self._orders_of_changed_fulfilment_orders(cursor, since)
            case "payouts":
                return self._payouts(cursor, since)
        raise Misconfigured(f"{self._shop.config.slug}: no stream {stream!r}")

    def by_id(self, ids: list[str]) -> Iterator[Received]:
        """Each order, whole; one that the shop does not know comes as the record of its deletion."""
        sees_all: bool | None = None
        for identity, node in self._orders.by_id(ids):
            if node is not None:
                yield self._orders.record(node)
                continue
            if sees_all is None:
                sees_all = self._sees_all_orders()
            if sees_all:
                body = json.dumps({"id": int(identity)}).encode()
                at = self._shop.config.clock()
                yield Received(
                    self._shop.config.slug, f"orders/delete:{identity}", "orders/delete", Source.PULL, body, at
                )

    def _read(self, ids: list[str]) -> tuple[tuple[Received, ...], tuple[str, ...]]:
        """The orders, whole, and the few that the shop fails to give though it gave the list of them just now.

        Raises:
            Retryable, Rejected: more than UNREAD_MAX failed: it is not the orders.
        """
        try:
            return tuple(self.by_id(ids)), ()
        except RateLimited:
            raise
        except (Retryable, Rejected):
            found: list[Received] = []
            unread: list[str] = []
        for identity in ids:
            try:
                found += self.by_id([identity])
            except RateLimited:
                raise
            except (Retryable, Rejected) as fault:
                if len(unread) == UNREAD_MAX:
                    raise
                log.warning("shopify.order_unread", extra={"order": identity, "fault": fault})
                unread.append(identity)
        return tuple(found), tuple(unread)

    # --- orders -----------------------------------------------------------------------------------------------------

    def _changed_orders(self, cursor: str | None, since: datetime | None) -> Iterator[Page]:
        return self._changed(ORDER_STAMPS, "orders", "id", cursor, since, by="UPDATED_AT")

    def _orders_of_changed_fulfilment_orders(self, cursor: str | None, since: datetime | None) -> Iterator[Page]:
        """A change of a fulfilment order (a hold, a move, a shipment) does not always move its order's own stamp."""
        return self._changed(FULFILMENT_ORDER_STAMPS, "fulfillmentOrders", "orderId", cursor, since)

    def _changed(
        self, document: Document, field: str, order: str, cursor: str | None, since: datetime | None, **more: str
    ) -> Iterator[Page]:
        """The orders of what changed in a list; what the overlap finds again is read only if its stamp moved.

        Args:
            order: the field of a node of the list that names its order.
        """
        begin, settled = _reached(cursor)
        begin = begin or since
        mark, read = begin, dict(settled)
        for nodes, following in self._walk(document, (field,), _since("updated_at", begin), STAMPS_SIZE, **more):
            mark = latest(mark, nodes, "updatedAt")
            changed = [node for node in nodes if read.get(number_of(str(node["id"]))) != node["updatedAt"]]
            new = {number_of(str(node["id"])): str(node["updatedAt"]) for node in changed}
            read |= new
            settled |= {identity: stamp for identity, stamp in new.items() if self._is_over(stamp, mark)}
            found, unread = self._read(list(dict.fromkeys(number_of(str(node[order])) for node in changed)))
            yield Page(found, _reach(_cursor(begin, mark, OVERLAP), settled), following, unread)

    def _is_over(self, stamp: str, mark: datetime | None) -> bool:
        """Whether the second of a stamp is over, so that whoever reads the order from now on reads its last change.

        The shop's own later stamp says so; where there is none, this machine's clock does, with a wide margin.
        """
        at = moment_of(stamp)
        return at is None or (mark is not None and at < mark) or self._shop.config.clock() - at > SECOND_IS_OVER

    def stamps(self, query: str, by: str) -> Iterator[tuple[list[Node], bool]]:
        """The ids and stamps of the orders that the query finds, and whether more follow."""
        return self._walk(ORDER_STAMPS, ("orders",), query, STAMPS_SIZE, by=by)

    def placed(self, query: str) -> Iterator[Node]:
        """The orders that the query finds, each with no more than its id, when it was placed and its total."""
        for nodes, _ in self._walk(PLACED, ("orders",), query, PLACED_SIZE):
            yield from nodes

    def _sees_all_orders(self) -> bool:
        """Whether an order that is not there is gone: without this scope the shop hides what is older than 60 days.

        Asked for each time: an app is granted and loses scopes while this runs, and a deletion is never taken back.
        """
        return "read_all_orders" in self._shop.scopes()

    # --- payouts ----------------------------------------------------------------------------------------------------

    def _payouts(self, cursor: str | None, since: datetime | None) -> Iterator[Page]:
        """Balance transactions as they happen, then the payouts with all that is in each: a payout is whole or not
        there, and a transaction that joined a payout is read anew with it.

        What is in a payout of the overlap is read again until it makes up the payout, and whenever the payout moved.
        """
        marks, whole = _marks(cursor)
        begin = moment_of(marks.get("balance")) or since
        mark = begin
        account = "shopifyPaymentsAccount"
        path = (account, "balanceTransactions")
        for nodes, _ in self._walk(BALANCE, path, _since("processed_at", begin), BALANCE_SIZE):
            mark = latest(mark, nodes, "transactionDate")
            marks["balance"] = _cursor(begin, mark, BALANCE_OVERLAP)
            yield Page(tuple(self._transaction(node) for node in nodes), _marked(marks, whole), more=True)
        begin = moment_of(marks.get("payouts")) or since
        mark = begin
        seen: dict[str, str] = {}
        for nodes, more in self._walk(PAYOUTS, (account, "payouts"), _since("issued_at", begin), PAYOUTS_SIZE):
            mark = latest(mark, nodes, "issuedAt")
            marks["payouts"] = _cursor(begin, mark, PAYOUT_OVERLAP)
            found: list[Received] = []
            for node in nodes:
                payout = recorded(self._shop, "payouts", node, str(node.get("status")))
                identity = number_of(str(node["id"]))
                if whole.pop(identity, None) != payout.digest:
                    of = f"payments_transfer_id:{identity}"
                    inside = [one for some, _ in self._walk(BALANCE, path, of, BALANCE_SIZE) for one in some]
                    found += [*map(self._transaction, inside), payout]
                    if not _made_up(node, inside):
                        continue
                seen[identity] = payout.digest
            yield Page(tuple(found), _marked(marks, {**whole, **seen} if more else seen), more)

    def _transaction(self, node: Node) -> Received:
        payout = node.get("associatedPayout") or {}
        return recorded(self._shop, "balance_transactions", node, str(payout.get("status")))

    def _walk(
        self, document: Document, path: tuple[str, ...], query: str, size: int, **more: str
    ) -> Iterator[tuple[list[Node], bool]]:
        """Nodes of a list and whether more follow; one empty page where the shop has no such account."""
        after: str | None = None
        for _ in range(PAGES_MAX):
            connection: Any = self._shop.query(document, query=query, after=after, size=size, **more)
            for field in path:
                connection = connection[field]
                if connection is None:
                    yield _NOTHING
                    return
            before, after = after, next_cursor(connection)
            if after is not None and after == before:
                raise Retryable(f"{self._shop.config.slug}: the pages of {path[-1]} do not go on", 60.0)
            yield connection["nodes"], after is not None
            if after is None:
                return
        raise Retryable(f"{self._shop.config.slug}: more than {PAGES_MAX} pages of {path[-1]}")


def latest(mark: datetime | None, nodes: list[Node], field: str) -> datetime | None:
    """The latest moment so far."""
    for node in nodes:
        at = moment_of(node.get(field))
        if at is not None and (mark is None or at > mark):
            mark = at
    return mark


def _since(field: str, begin: datetime | None) -> str:
    return f"{field}:>='{stamped(begin)}'" if begin is not None else ""


def _cursor(begin: datetime | None, mark: datetime | None, overlap: timedelta) -> str:
    """The latest change seen less the overlap, never before where this pull began; "" where nothing ever was."""
    if mark is None:
        return ""
    back = mark - overlap
    return (back if begin is None else max(back, begin)).astimezone(UTC).isoformat()


def _reached(cursor: str | None) -> tuple[datetime | None, dict[str, str]]:
    """Where the stream goes on, and what of the overlap was read, each with its stamp.

    They stand in the cursor because it alone is kept if, and only if, the orders were.
    """
    if cursor is None or not cursor.startswith("{"):
        return moment_of(cursor), {}
    held = json.loads(cursor)
    return moment_of(held["from"]), {str(identity): str(stamp) for identity, stamp in held["read"].items()}


def _reach(reached: str, read: dict[str, str]) -> str:
    begin = moment_of(reached)
    if begin is None:
        return reached
    inside = {identity: stamp for identity, stamp in read.items() if (at := moment_of(stamp)) and at >= begin}
    latest_last = sorted(inside.items(), key=lambda item: item[1])[-READ_MAX:]
    return json.dumps({"from": reached, "read": dict(latest_last)}) if latest_last else reached


def _marks(cursor: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Where each list of the stream goes on, and which payouts were whole when they were read, each with its digest."""
    held = json.loads(cursor or "{}")
    whole = held.pop("whole", {})
    return held, whole


def _marked(marks: dict[str, str], whole: dict[str, str]) -> str:
    return json.dumps({**marks, "whole": dict(list(whole.items())[-READ_MAX:])} if whole else marks)


def _made_up(payout: Node, inside: list[Node]) -> bool:
    """Whether what is in the payout sums to it; its own transfer to the bank is not of it."""
    if any("net" not in one for one in (payout, *inside)):
        return False
    nets = [Decimal(one["net"]["amount"]) for one in inside if one.get("sourceType") != "TRANSFER"]
    return sum(nets) == Decimal(payout["net"]["amount"])
