"""The abilities of a channel that has an address: it is pulled, stated, checked and told."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from connectors.shopify import app
from connectors.shopify.bulk import Bulk
from connectors.shopify.client import Shop
from connectors.shopify.connector import ShopifyConnector
from connectors.shopify.options import options_of
from connectors.shopify.orders import Orders
from connectors.shopify.push import SETTLE_S, Pushes
from connectors.shopify.statement import Export
from connectors.shopify.stating import Statements
from connectors.shopify.streams import PLACED_SIZE, STREAMS, Streams
from hub.errors import Untranslatable
from hub.model.completeness import Mark
from hub.model.intents import Outcome, Probe, Write
from hub.model.problems import Problem
from hub.model.records import Received, Record
from hub.model.statement import ChannelRow
from hub.ports import ChannelConfig, Count, Page, Stream, Subscriptions, Unreadable


class LiveShop(ShopifyConnector):
    """One Shopify shop, over its API."""

    streams: tuple[Stream, ...] = STREAMS
    settle_s = SETTLE_S
    listed_at_once = PLACED_SIZE

    def __init__(self, config: ChannelConfig) -> None:
        super().__init__(config)
        self.shop = Shop(config, options_of(config))
        self.orders = Orders(self.shop)
        self._streams = Streams(self.shop, self.orders)
        self._statements = Statements(self.shop, self.orders, self._streams)
        self._bulk = Bulk(self.shop, self.orders, self._streams)
        self._pushes = Pushes(self.shop, self.orders)

    def fetch(self, stream: str, cursor: str | None, since: datetime | None = None) -> Iterator[Page]:
        """What changed since the cursor, page by page."""
        return self._streams.fetch(stream, cursor, since)

    def fetch_orders(self, ids: Sequence[str]) -> Iterator[Received]:
        """Each order, whole; one that the shop does not know comes as the record of its deletion.

        Without the scope read_all_orders an order that is not there may only be hidden: then nothing comes.
        """
        return self._streams.by_id(list(ids))

    def backfill(self, since: datetime, cursor: str | None) -> Iterator[Page]:
        """Everything changed since then, by a bulk operation; the last cursor is one of the stream "orders"."""
        return self._bulk.backfill(since, cursor)

    def statement(self, first: date, last: date) -> Iterator[ChannelRow | Unreadable]:
        """What the shop says now of the orders placed, and the refunds and payments processed, in the period."""
        for received in self._statements.orders(first, last):
            export = Export()
            try:
                record = Record(
                    0, received.channel, received.topic, received.source, received.body, received.received_at
                )
                export.add(self.translate(record).facts)
            except Untranslatable as error:
                for problem in error.problems:
                    yield Unreadable(Problem(f"{error.order}: {problem.path}", problem.message, problem.code))
            for row in export.rows(self.config.entity, self.timezone):
                if first <= row.row.date <= last:
                    yield row

    def count(self, first: date, last: date) -> Count:
        """The shop's own count of orders placed in the period."""
        return self._statements.count(first, last)

    def count_placed(self, begin: datetime, end: datetime) -> Count:
        """The shop's own count of orders placed between two moments."""
        return self._statements.count_placed(begin, end)

    def placed(self, begin: datetime, end: datetime) -> Iterator[Mark]:
        """Every order placed between two moments, by a light query of 250 at once."""
        return self._statements.placed(begin, end)

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Shipments and stock levels are so in the shop; an outcome a write, in their order. Safe to repeat."""
        return self._pushes.put(writes)

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each has happened, by what stands in the shop now."""
        return self._pushes.probe(writes)

    def subscriptions(self, callback: str) -> Subscriptions:
        """Every topic that is accepted is delivered to the callback; what was missing is registered again."""
        return app.subscribed(self.shop, callback)

    def check(self) -> Iterator[Problem]:
        """What is wrong with credentials, scopes, access and version, each with what to do."""
        return app.problems(self.shop)

    def close(self) -> None:
        self.shop.http.close()


def connect(config: ChannelConfig) -> ShopifyConnector:
    """The channel's connector: over the wire where the channel has an address, else for files and webhooks alone."""
    return ShopifyConnector(config) if config.address is None else LiveShop(config)
