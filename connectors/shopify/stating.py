"""The shop's statement of a period, read anew: orders by placed date, refunds and payments by processed date."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.shopify.client import Shop
from connectors.shopify.documents import ORDERS_COUNT
from connectors.shopify.orders import Orders, number_of, stamped
from connectors.shopify.streams import Streams
from hub.model.completeness import Mark
from hub.model.money import minor_of
from hub.model.records import Received
from hub.ports import Count


class Statements:
    """What one shop says of a period; its days are the entity's."""

    def __init__(self, shop: Shop, orders: Orders, streams: Streams) -> None:
        self._shop = shop
        self._orders = orders
        self._streams = streams
        self._timezone = ZoneInfo(shop.config.timezone)

    def orders(self, first: date, last: date) -> Iterator[Received]:
        """Every order placed in the period, and every one changed since it began: among them all that were refunded or
        paid in it. Each once, whole."""
        begin, end = self.bounds(first, last)
        placed = _placed(begin, end)
        read: set[str] = set()
        for query, by in ((placed, "PROCESSED_AT"), (f"updated_at:>='{stamped(begin)}'", "UPDATED_AT")):
            for nodes, _ in self._streams.stamps(query, by):
                new = [identity for node in nodes if (identity := number_of(str(node["id"]))) not in read]
                read.update(new)
                for _, node in self._orders.by_id(new):
                    if node is not None:
                        yield self._orders.record(node)

    def count(self, first: date, last: date) -> Count:
        """The shop's own count of orders placed in the period, tests left out as they are of every statement."""
        return self.count_placed(*self.bounds(first, last))

    def count_placed(self, begin: datetime, end: datetime) -> Count:
        """The same, between two moments."""
        query = f"{_placed(begin, end)} AND test:false"
        said = self._shop.query(ORDERS_COUNT, query=query)["ordersCount"]
        return Count(int(said["count"]), said["precision"] == "EXACT")

    def placed(self, begin: datetime, end: datetime) -> Iterator[Mark]:
        """Every order placed between two moments, tests left out, with its total as placed; each once."""
        seen: set[str] = set()
        for node in self._streams.placed(_placed(begin, end)):
            identity = number_of(str(node["id"]))
            if node["test"] or identity in seen:
                continue
            seen.add(identity)
            money = node["totalPriceSet"]["shopMoney"]
            currency = str(money["currencyCode"])
            total_minor = minor_of(Decimal(money["amount"]), currency)
            yield Mark(identity, currency, total_minor, datetime.fromisoformat(node["processedAt"]))

    def bounds(self, first: date, last: date) -> tuple[datetime, datetime]:
        """From the first day's midnight to the midnight after the last, in the entity's time zone."""
        return (
            datetime.combine(first, time(), self._timezone).astimezone(UTC),
            datetime.combine(last + timedelta(days=1), time(), self._timezone).astimezone(UTC),
        )


def _placed(begin: datetime, end: datetime) -> str:
    return f"processed_at:>='{stamped(begin)}' AND processed_at:<'{stamped(end)}'"
