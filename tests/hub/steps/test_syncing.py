"""sync: a cursor never moves past what was not captured, and one order that cannot be read keeps no other waiting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import Retryable
from hub.model.facts import Source
from hub.model.records import Received, Record, Translation
from hub.ports import Page, Stream
from hub.steps.hub import Hub
from hub.steps.syncing import backfill, pull, refetch
from hub.store import inbox, refetching
from tests.conftest import Clock
from tests.hub.steps.conftest import record

DAYS = [datetime(2026, 10, day, tzinfo=UTC) for day in (1, 10, 20)]


@dataclass
class Shop:
    """A channel with one order of each day; its cursor is the day of the latest that it gave."""

    streams: tuple[Stream, ...] = (Stream("orders", 60),)
    unreadable: set[str] = field(default_factory=set)

    def translate(self, record: Record) -> Translation:
        return Translation(ignored="nothing")

    def fetch(self, stream: str, cursor: str | None, since: datetime | None = None) -> Iterator[Page]:
        begin = datetime.fromisoformat(cursor) if cursor else since or DAYS[0]
        found = [at for at in DAYS if at >= begin]
        received = tuple(of_day(at) for at in found)
        yield Page(received, max([begin, *found]).isoformat(), more=False, unread=tuple(sorted(self.unreadable)))

    def backfill(self, since: datetime, cursor: str | None) -> Iterator[Page]:
        yield from self.fetch("orders", None, since)

    def fetch_orders(self, ids: Sequence[str]) -> Iterator[Received]:
        for id in ids:
            if id in self.unreadable:
                raise Retryable(f"order {id}: an inner fault")
            yield record({}, f"order {id}", source=Source.PULL)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def live(hub: Hub, shop: Shop) -> Hub:
    return replace(hub, connect_channel=lambda _: shop)


def of_day(at: datetime) -> Received:
    return record({}, f"{at:%Y-%m-%d}", source=Source.PULL)


def captured(hub: Hub) -> set[str]:
    return {key for _, key in inbox.known(hub.inbox, [("shopify", f"{at:%Y-%m-%d}") for at in DAYS])}


def ask(hub: Hub, *orders: str) -> None:
    with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
        refetching.ask(connection, [("shopify", order) for order in orders])


@pytest.mark.parametrize("way", [pull, backfill])
def test_what_lies_between_the_cursor_and_a_later_beginning_is_still_pulled(live: Hub, way: object) -> None:
    inbox.put_page(live.inbox, (), "shopify", "orders", DAYS[0].isoformat(), live.clock())

    if way is pull:
        pull(live, "shopify", "orders", DAYS[2])
    else:
        backfill(live, "shopify", DAYS[2])
    pull(live, "shopify", "orders")

    assert captured(live) == {"2026-10-01", "2026-10-10", "2026-10-20"}


def test_pulls_go_on_from_where_a_backfill_ended_if_nothing_was_pulled_before(live: Hub) -> None:
    backfill(live, "shopify", DAYS[1])

    assert inbox.cursor(live.inbox, "shopify", "orders") == "2026-10-20T00:00:00+00:00"


def test_an_order_that_cannot_be_read_keeps_no_other_from_its_turn(live: Hub, shop: Shop, utc: Clock) -> None:
    shop.unreadable = {"2"}
    ask(live, "1", "2", "3")

    for _ in range(2):
        utc.now += timedelta(seconds=30)
        with pytest.raises(Retryable):
            refetch(live, "shopify")

    assert [one.order_id for one in refetching.waiting(live.inbox, "shopify", 10)] == ["2"]
    assert len(inbox.known(live.inbox, [("shopify", "order 1"), ("shopify", "order 3")])) == 2


@pytest.mark.parametrize("since", [None, DAYS[1]])
def test_an_order_that_a_page_lacks_waits_to_be_read_anew(live: Hub, shop: Shop, since: datetime | None) -> None:
    inbox.put_page(live.inbox, (), "shopify", "orders", DAYS[0].isoformat(), live.clock())
    shop.unreadable = {"2"}

    pull(live, "shopify", "orders", since)

    assert [one.order_id for one in refetching.waiting(live.inbox, "shopify", 10)] == ["2"]
