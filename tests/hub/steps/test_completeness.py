"""A completeness check reads the hub's own side, and notes what it found, on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connectors.shopify import PLUGIN
from hub.errors import Misconfigured
from hub.model.completeness import Mark
from hub.model.facts import Source
from hub.model.records import Record, Translation
from hub.ports import ChannelConfig, Count
from hub.steps.completeness import Found, check_completeness, period_of
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.views.completeness import answers, last_checks
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import record, take_in

DAY = date(2026, 3, 2)
PLACED = datetime.fromisoformat("2026-03-02T10:00:00-05:00")


@dataclass
class Lister:
    """A channel that says which orders it holds; Shopify's translation, and nothing else of it."""

    connector: Any
    orders: list[Mark] = field(default_factory=list)
    listed_at_once: int = 250

    def translate(self, record: Record) -> Translation:
        translation: Translation = self.connector.translate(record)
        return translation

    def count_placed(self, begin: datetime, end: datetime) -> Count:
        return Count(len(list(self.placed(begin, end))), exact=True)

    def placed(self, begin: datetime, end: datetime) -> Iterator[Mark]:
        yield from (mark for mark in self.orders if begin <= mark.at < end)


@pytest.fixture
def lister() -> Lister:
    return Lister(None)


@pytest.fixture
def listed(hub: Hub, lister: Lister) -> Iterator[Hub]:
    def connect(config: ChannelConfig) -> Lister:
        lister.connector = PLUGIN.connect(config)
        return lister

    opened = replace(hub, connect_channel=connect)
    yield opened
    opened.erp.close_connections()


def mark(id: int, total_minor: int = 24_900) -> Mark:
    return Mark(str(id), "USD", total_minor, PLACED)


def check(hub: Hub, *, prove: bool = False) -> Found:
    [found] = check_completeness(hub, DAY, DAY, prove_from=DAY if prove else None)
    return found


def test_three_sides_that_hold_the_same_order_are_complete(listed: Hub, lister: Lister) -> None:
    take_in(listed, record(order(1001), "a"))
    send_all(listed)
    lister.orders = [mark(1001)]

    found = check(listed, prove=True)

    assert found.complete
    assert (found.orders, found.sums_minor) == (1, {"USD": 24_900})
    assert found.proven == {"channel": 1, "erp": 1}
    assert found.not_posted == {}


def test_an_order_that_the_hub_lacks_and_one_that_the_channel_lacks_are_named(listed: Hub, lister: Lister) -> None:
    take_in(listed, record(order(1001), "a"))
    lister.orders = [mark(1002), mark(1003)]

    found = check(listed)

    assert found.lists["missing from the hub"] == ["1002", "1003"]
    assert found.lists["not at the channel any more"] == ["1001"]
    assert found.missing == 2
    assert found.not_posted == {"waiting": 1}


def test_an_amount_that_the_channel_changed_is_named_when_its_day_is_listed(listed: Hub, lister: Lister) -> None:
    take_in(listed, record(order(1001), "a"))
    lister.orders = [mark(1001, 19_900)]

    believed = check(listed)
    proven = check(listed, prove=True)

    assert believed.complete
    assert believed.proven == {"channel": 0, "erp": 0}
    assert proven.lists["another amount at the channel"] == ["1001"]


def test_an_order_that_could_not_be_read_is_no_missing_one(listed: Hub, lister: Lister) -> None:
    broken = order(1001)
    broken["line_items"][0]["price"] = "N/A"
    take_in(listed, record(broken, "a"))
    lister.orders = [mark(1001)]

    found = check(listed)

    assert (found.missing, found.unread) == (0, 1)
    assert found.lists == {"not legible": ["1001"]}


def test_the_last_check_of_a_channel_is_kept_with_all_it_found(listed: Hub, lister: Lister, utc: Clock) -> None:
    check(listed)
    utc.now += timedelta(hours=1)
    lister.orders = [mark(1001)]
    check(listed)

    [last] = last_checks(listed.store, ["shopify", "another"])
    [answer] = answers(listed.store, ["shopify"])

    assert (last.channel, last.first, last.missing) == ("shopify", "2026-03-02", 1)
    assert answer["lists"] == {"missing from the hub": ["1001"]}
    assert answer["complete"] is False
    assert last_checks(listed.store, ["shopify"], scheduled=True) == []


def test_an_order_that_came_by_a_pull_alone_is_told_apart(listed: Hub, lister: Lister, utc: Clock) -> None:
    def placed(id: int, at: datetime) -> dict[str, Any]:
        return {**order(id), "created_at": at.isoformat(), "processed_at": at.isoformat()}

    new = utc.now + timedelta(minutes=1)
    take_in(listed, record(order(1000), "first"))
    pulled = replace(record(placed(1002, new), "b", source=Source.PULL), received_at=new + timedelta(hours=1))
    utc.now += timedelta(hours=2)
    take_in(listed, record(placed(1001, new), "a"), pulled)

    [found] = check_completeness(listed, utc.now.date(), utc.now.date())

    assert found.lists["late"] == ["1002"]
    assert found.lists["without a webhook"] == ["1002"]
    assert (found.late, found.untold) == (1, 1)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-02-03", date(2026, 2, 3), date(2026, 2, 3)),
        ("2026-02-27..2026-03-02", date(2026, 2, 27), date(2026, 3, 2)),
    ],
)
def test_a_period_is_a_month_a_day_or_days(words: str, first: date, last: date) -> None:
    assert period_of(words) == (first, last)


@pytest.mark.parametrize("words", ["2026", "2026-13", "2026-02-30", "2026-03-02..2026-03-01", "", "..", "0001-01-01"])
def test_what_is_no_period_is_refused(words: str) -> None:
    with pytest.raises(Misconfigured):
        period_of(words)
