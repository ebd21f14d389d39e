"""Orders read whole: as many at once as their cost allows, every connection in them paged to its end."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from connectors.shopify.client import QUERY_POINTS_MAX, Shop
from connectors.shopify.documents import ORDERS_BY_ID, REST, STAMPS
from hub.errors import Rejected, Retryable
from hub.model.facts import Source
from hub.model.records import Received

ORDERS_AT_ONCE_MAX: Final = 50
POINTS_AIMED_AT: Final = 0.8 * QUERY_POINTS_MAX
REST_SIZE: Final = 100  # of a page that reads on in one connection
PAGES_MAX: Final = 10_000  # of one walk
CHANGED_MAX: Final = 5  # times one order may change while it is read

Node = dict[str, Any]


@dataclass(slots=True)
class _Sizes:
    """How much is asked for at once; follows what the shop says that it costs."""

    orders: int = 8
    many: int = 25  # lines of an order
    few: int = 5  # of anything else in it

    def shrink(self) -> bool:
        """Whether there was something left to shrink."""
        if self.orders > 1:
            self.orders //= 2
        elif self.many > 1:
            self.many, self.few = max(1, self.many // 2), max(1, self.few // 2)
        else:
            return False
        return True

    def follow(self, asked: int, points: int | None) -> None:
        if points:
            self.orders = max(1, min(ORDERS_AT_ONCE_MAX, int(asked * POINTS_AIMED_AT / points)))


class Orders:
    """The orders of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._sizes = _Sizes()

    def by_id(self, ids: Sequence[str]) -> Iterator[tuple[str, Node | None]]:
        """Each order, whole; None for one that the shop does not know."""
        waiting = list(dict.fromkeys(ids))
        while waiting:
            found = self._asked(waiting)
            for identity, node in zip(waiting, found, strict=False):
                yield identity, self._whole(node) if node is not None else None
            waiting = waiting[len(found) :]

    def record(self, node: Node) -> Received:
        """The order as a record; the same bytes have the same key, however often they are read."""
        return recorded(self.shop, "order_node", node, str(node.get("updatedAt")))

    # --- parts ------------------------------------------------------------------------------------------------------

    def _asked(self, ids: Sequence[str]) -> list[Node | None]:
        """The first of these orders, as many as may be paid at once."""
        while True:
            sizes = self._sizes
            gids = [f"gid://shopify/Order/{identity}" for identity in ids[: sizes.orders]]
            try:
                found = self.shop.query(ORDERS_BY_ID, ids=gids, many=sizes.many, few=sizes.few)["nodes"]
            except Rejected as error:
                if error.code != "max_cost_exceeded" or not sizes.shrink():
                    raise
                continue
            sizes.follow(len(gids), self.shop.cost(ORDERS_BY_ID))
            # An id of something else is answered with that, and without any field of an order.
            return [node if isinstance(node, dict) and "id" in node else None for node in found]

    def _whole(self, node: Node) -> Node | None:
        """The order with all of its connections; read anew where it changed meanwhile; None: it is gone."""
        for _ in range(CHANGED_MAX):
            if not self.complete(node):
                return node
            # Its parts came in several answers: they are one order only if it stood still.
            [now] = self.shop.query(STAMPS, ids=[node["id"]])["nodes"]
            if now is None:
                return None
            if now["updatedAt"] == node["updatedAt"]:
                return node
            [again] = self._asked([number_of(node["id"])])
            if again is None:
                return None
            node = again
        raise Retryable(f"{self.shop.config.slug}: order {number_of(node['id'])} changes faster than it is read", 60.0)

    def complete(self, owner: Node) -> bool:
        """Every connection below is whole and holds its nodes alone; whether anything had to be read for it."""
        read_on = False
        for field, value in owner.items():
            children = value if isinstance(value, list) else [value]
            if isinstance(value, dict) and "pageInfo" in value:
                read_on |= self._read_on(owner, field, value)
                children = value["nodes"]
                owner[field] = {"nodes": children}
            for child in children:
                if isinstance(child, dict):
                    read_on |= self.complete(child)
        return read_on

    def _read_on(self, owner: Node, field: str, connection: Node) -> bool:
        after, read_on = next_cursor(connection), False
        for _ in range(PAGES_MAX):
            if after is None:
                return read_on
            document = REST[(str(owner["id"]).split("/")[3], field)]
            found = self.shop.query(document, id=owner["id"], after=after, size=REST_SIZE)["node"]
            if not isinstance(found, dict) or field not in found:
                return True  # the owner is gone: the order's stamp will tell
            connection["nodes"] += found[field]["nodes"]
            before, after, read_on = after, next_cursor(found[field]), True
            if after == before:
                break
        raise Retryable(f"{self.shop.config.slug}: the pages of {field} do not end", 60.0)


def next_cursor(connection: Node) -> str | None:
    """Where the next page begins; None: this was the last."""
    page = connection["pageInfo"]
    return page["endCursor"] if page["hasNextPage"] else None


def number_of(gid: str) -> str:
    """The number in a gid."""
    return gid.rpartition("/")[2].partition("?")[0]


def recorded(shop: Shop, topic: str, node: Node, version: str) -> Received:
    """The node as a record of its topic, keyed by what it is, its version and its bytes."""
    body = written(node).encode()
    key = f"{topic}:{number_of(str(node['id']))[:40]}:{version[:40]}:{sha256(body).hexdigest()[:16]}"
    return Received(shop.config.slug, key, topic, Source.PULL, body, shop.config.clock())


def written(value: Any) -> str:
    """The value as JSON, a fraction as the literal that it was."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def stamped(at: datetime) -> str:
    """A moment as a search takes it; to be quoted there, or its colons break the query."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: Any) -> datetime | None:
    """The moment; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None
