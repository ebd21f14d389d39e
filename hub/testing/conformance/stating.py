"""Statements: what a channel says of a period is what it has, and its own count agrees."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.model.statement import ChannelRow, Subject
from hub.ports import Fetches, StatesPeriod
from hub.testing.conformance.bench import FarSide
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
