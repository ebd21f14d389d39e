"""Statements: what a channel says of a period is what it has, and its own count agrees."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.model.statement import ChannelRow, Subject
from hub.ports import Fetches, ListsPlaced, StatesPeriod
from hub.testing.conformance.bench import FarSide, OrderTruth
from hub.testing.conformance.pulling import main
from hub.testing.conformance.wiring import SLUG, Connect, needed, walked


class TestStating:
    abilities = (StatesPeriod,)
    rules = ("statement_and_count_agree_with_the_truth",)

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    @pytest.fixture
    def days(self, far: FarSide) -> list[date]:
        """The days in the entity's time zone on which orders were placed; tests and deleted ones are no orders."""
        zone = ZoneInfo(far.timezone)
        return sorted(o.placed_at.astimezone(zone).date() for o in far.truth() if not o.test and not o.deleted)

    def test_statement_and_count_agree_with_what_the_far_side_has(
        self, connector: Any, far: FarSide, days: list[date]
    ) -> None:
        zone = ZoneInfo(far.timezone)
        late = [order for order in far.truth() if order.placed_at.astimezone(zone).date() < order.placed_at.date()]
        assert late, "a bench has an order of an evening, which is the next day elsewhere"
        first, last = days[0], max(order.placed_at for order in late).astimezone(zone).date()
        assert any(order.test for order in far.truth() if first <= order.placed_at.astimezone(zone).date() <= last), (
            "a bench has a test order"
        )
        truth = {
            order.id: (order.claimed_minor, order.currency, order.placed_at.astimezone(zone).date())
            for order in far.truth()
            if not order.test and not order.deleted
        }

        stated = list(connector.statement(first, last))
        counted = connector.count(first, last)
        after = connector.count(last + timedelta(days=1), days[-1])

        assert all(isinstance(row, ChannelRow) for row in stated)
        rows = [row.row for row in stated]
        orders = [row for row in rows if row.subject is Subject.ORDER]
        assert {row.order for row in orders} == {id for id, (_, _, day) in truth.items() if first <= day <= last}
        assert (counted.orders, counted.exact) == (len(orders), True)
        assert after.orders == sum(1 for _, _, day in truth.values() if day > last) > 0
        assert Counter((row.subject, row.subject_id) for row in rows).most_common(1)[0][1] == 1
        for row in rows:
            assert (row.channel, row.entity) == (SLUG, "main")
            assert first <= row.date <= last
        for row in orders:
            assert (row.total_minor - row.edited_minor - row.cancelled_minor, row.currency, row.date) == truth[
                row.order
            ], row.order

    def test_the_days_of_a_period_add_up_to_the_period(self, connector: Any, days: list[date]) -> None:
        first, last = days[0], days[-1]
        middle = first + (last - first) / 2

        whole, begun, ended = (
            {(row.row.subject, row.row.subject_id): row.row for row in connector.statement(*period)}
            for period in ((first, last), (first, middle), (middle + timedelta(days=1), last))
        )

        assert begun.keys() & ended.keys() == set()
        assert {**begun, **ended} == whole
        assert (
            connector.count(first, middle).orders + connector.count(middle + timedelta(days=1), last).orders
            == connector.count(first, last).orders
        )

    def test_a_deleted_order_is_stated_and_counted_no_more(
        self, connector: Any, far: FarSide, days: list[date]
    ) -> None:
        gone = next(order for order in far.truth() if not order.test)
        before = connector.count(days[0], days[-1]).orders

        far.delete(gone.id)

        assert connector.count(days[0], days[-1]).orders == before - 1
        assert gone.id not in {row.row.order for row in connector.statement(days[0], days[-1])}

    def test_a_statement_keeps_nothing_from_the_pulls(self, connector: Any, days: list[date]) -> None:
        """It is read anew, so it says the same before and after everything was pulled."""
        needed(connector, Fetches)
        before = list(connector.statement(days[0], days[-1]))

        walked(connector.fetch(main(connector), None))

        assert list(connector.statement(days[0], days[-1])) == before


class TestListingPlaced:
    """What completeness asks of a channel: a count between two moments, and the set where counts differ."""

    abilities = (ListsPlaced,)
    rules = ("placed_orders_are_counted_and_listed_to_the_moment",)

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    @pytest.fixture
    def orders(self, far: FarSide) -> list[OrderTruth]:
        """Those that count, by when they were placed."""
        some = sorted((one for one in far.truth() if not one.test and not one.deleted), key=lambda one: one.placed_at)
        assert any(one.test for one in far.truth()), "a bench has a test order"
        assert len({one.placed_at for one in some}) > 4, "a bench has orders of several moments"
        return some

    def test_each_order_is_listed_once_with_what_it_came_to_and_when(
        self, connector: Any, orders: list[OrderTruth]
    ) -> None:
        begin, end = whole(orders)

        listed = list(connector.placed(begin, end))

        assert sorted((one.order, one.currency, one.total_minor, one.at) for one in listed) == sorted(
            (one.id, one.currency, one.claimed_minor, one.placed_at) for one in orders
        )

    def test_the_count_is_that_of_the_list_and_it_is_exact(self, connector: Any, orders: list[OrderTruth]) -> None:
        begin, end = whole(orders)

        count = connector.count_placed(begin, end)

        assert (count.orders, count.exact) == (len(orders), True)

    def test_the_first_moment_is_within_and_the_last_is_not(self, connector: Any, orders: list[OrderTruth]) -> None:
        begin, end = orders[1].placed_at, orders[-2].placed_at
        within = {one.id for one in orders if begin <= one.placed_at < end}
        assert 0 < len(within) < len(orders)

        listed, count = list(connector.placed(begin, end)), connector.count_placed(begin, end)

        assert {one.order for one in listed} == within
        assert count.orders == len(listed) == len(within)

    def test_what_lies_beside_each_other_adds_up(self, connector: Any, orders: list[OrderTruth]) -> None:
        begin, end = whole(orders)
        between = orders[len(orders) // 2].placed_at

        counts = [connector.count_placed(begin, between).orders, connector.count_placed(between, end).orders]

        assert sum(counts) == len(orders)
        assert min(counts) > 0

    def test_an_order_that_is_deleted_is_counted_and_listed_no_more(
        self, connector: Any, far: FarSide, orders: list[OrderTruth]
    ) -> None:
        begin, end = whole(orders)

        far.delete(orders[0].id)

        assert connector.count_placed(begin, end).orders == len(orders) - 1
        assert orders[0].id not in {one.order for one in connector.placed(begin, end)}

    def test_it_says_how_many_a_call_lists(self, connector: Any) -> None:
        assert connector.listed_at_once >= 1


def whole(orders: list[OrderTruth]) -> tuple[datetime, datetime]:
    """From the first order to after the last one."""
    return orders[0].placed_at, orders[-1].placed_at + timedelta(seconds=1)
