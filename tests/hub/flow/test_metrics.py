"""The figures of orders: stages, fill, promises and returns, typed out."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.fold import fold, winners
from hub.flow.metrics import ChannelFigures, Promises, Stage, hours, percentile
from hub.model.facts import Fact, Promise, Restock
from hub.testing.builders import (
    KEY,
    PLACED_AT,
    at,
    captured,
    fact,
    given_back,
    line,
    paid_out,
    refunded,
    shipped,
    snapshot,
)

ORDER = fact(snapshot(line("1", 3), line("2", 1, 500)))
PAID = captured("t1", 60, 3500)
LATER = PLACED_AT + timedelta(days=30)


def figures(*facts: Fact, now: datetime = LATER) -> ChannelFigures:
    found = ChannelFigures("webshop", "USD")
    found.add(fold(KEY, winners(facts)), now)
    return found


def test_each_stage_takes_from_one_moment_to_the_next() -> None:
    back = (refunded("r1", 600, given_back("1", 1, 1000)), paid_out("t2", 600, 1000, "r1"))

    found = figures(ORDER, PAID, shipped("f1", 180, delivered=420, l1=3, l2=1), *back)

    assert {stage: [seconds / 3600 for seconds in of] for stage, of in found.seconds.items()} == {
        Stage.PLACEMENT_TO_PROCESSING: [1],
        Stage.PROCESSING_TO_SHIPPING: [2],
        Stage.SHIPPING_TO_DELIVERY: [4],
        Stage.DELIVERY_TO_POST_SALE: [3],
    }


def test_the_fill_rate_is_what_the_first_shipment_held_of_all_there_was_to_ship() -> None:
    whole = figures(ORDER, PAID, shipped("f1", 180, l1=3, l2=1))
    parted = figures(ORDER, PAID, shipped("f1", 180, l1=2), shipped("f2", 240, l1=1, l2=1))
    waiting = figures(ORDER, PAID)

    assert (whole.first_units, whole.due_units, whole.complete_orders) == (4, 4, 1)
    assert (parted.first_units, parted.due_units, parted.complete_orders) == (2, 4, 0)
    assert (waiting.shipped_orders, waiting.due_units) == (0, 0)


def test_units_called_off_before_they_left_were_not_to_be_shipped() -> None:
    facts = [ORDER, PAID, refunded("r1", 90, given_back("1", 1, 1000, restock=Restock.CANCEL))]
    facts.append(shipped("f1", 180, l1=2, l2=1))

    found = figures(*facts)

    assert (found.first_units, found.due_units, found.complete_orders) == (3, 3, 1)
    assert (found.returned_units, found.shipped_units) == (0, 3)


def test_what_came_back_is_counted_in_units_and_in_value_of_what_left() -> None:
    back = (refunded("r1", 600, given_back("1", 2, 1900)), paid_out("t2", 600, 1900, "r1"))

    found = figures(ORDER, PAID, shipped("f1", 180, l1=3, l2=1), *back)

    assert (found.returned_units, found.shipped_units) == (2, 4)
    assert (found.returned_minor, found.shipped_minor) == (1900, 3500)


@pytest.mark.parametrize(
    ("facts", "now", "kept"),
    [
        ((shipped("f1", 180, l1=3, l2=1),), LATER, Promises(on_time=1)),
        ((shipped("f1", 180, l1=2), shipped("f2", 300, l1=1, l2=1)), LATER, Promises(late=1)),
        ((shipped("f1", 180, l1=2),), at(190), Promises(open=1)),
        ((shipped("f1", 180, l1=2),), LATER, Promises(late=1)),
    ],
)
def test_a_promise_to_ship_is_kept_by_the_last_unit(facts: tuple[Fact, ...], now: datetime, kept: Promises) -> None:
    promise = fact(Promise(ship_by=at(240)), "p1")

    found = figures(ORDER, PAID, promise, *facts, now=now)

    assert found.ship_by == kept
    assert found.delivery_by == Promises(not_told=1)


def test_a_promise_to_deliver_is_kept_by_arrival() -> None:
    promise = fact(Promise(delivery_by=at(400)), "p1")
    sent = shipped("f1", 180, delivered=420, l1=3, l2=1)

    assert figures(ORDER, PAID, promise, sent).delivery_by == Promises(late=1)
    assert figures(ORDER, PAID, promise, shipped("f1", 180, delivered=390, l1=3, l2=1)).delivery_by.share == 1.0


@given(st.lists(st.integers(0, 10**6), min_size=1), st.sampled_from([50, 90]))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)

    def share(limit: int) -> Fraction:
        return Fraction(sum(value <= limit for value in values), len(values))

    assert found in values
    assert share(found) >= Fraction(percent, 100)
    assert share(found - 1) < Fraction(percent, 100)


def test_of_nothing_there_are_no_hours() -> None:
    assert hours([], 50) is None
    assert hours([5400, 3600, 7200], 50) == 1.5
