"""echo: what was told and is heard back is one shipment, in whatever order and however often the facts come."""

from dataclasses import replace
from itertools import permutations

import pytest

from hub.flow.fold import fold, winners
from hub.model.facts import Echo, Fact, Fulfilment, FulfilmentStatus, Parcel, Source
from hub.model.order import LineId
from hub.model.state import OrderState
from hub.testing.builders import KEY, at, fact, line, shipped, snapshot

ORDER = fact(snapshot(line("1", 2), line("2", 1)))


def told(id: str, minutes: int, *numbers: str, **lines: int) -> Fact:
    """A fulfilment that people entered in the ERP."""
    made = shipped(id, minutes, **lines)
    return replace(made, source=Source.ERP, body=replace(body_of(made), parcels=parcels(*numbers), location="WH-A"))


def heard(id: str, minutes: int, *numbers: str, delivered: int | None = None, **lines: int) -> Fact:
    """A fulfilment as the channel has it."""
    made = shipped(id, minutes, delivered=delivered, **lines)
    return replace(made, body=replace(body_of(made), parcels=parcels(*numbers), location="7001"))


def body_of(one: Fact) -> Fulfilment:
    assert isinstance(one.body, Fulfilment)
    return one.body


def parcels(*numbers: str) -> tuple[Parcel, ...]:
    return tuple(Parcel("UPS", number, None) for number in numbers)


def echo(id: str, of: str) -> Fact:
    """What a settled push left."""
    return fact(Echo(of), id, modified_at=at(99), source=Source.HUB)


def cancelled(one: Fact) -> Fact:
    return replace(one, modified_at=at(500), body=replace(body_of(one), status=FulfilmentStatus.CANCELLED))


def folded(*facts: Fact) -> OrderState:
    """The state, after having held that every order of arrival gives the same."""
    states = [fold(KEY, winners(some)) for some in permutations([ORDER, *facts])]
    assert all(state == states[0] for state in states)
    return states[0]


def ids(state: OrderState) -> list[str]:
    return [one.id for one in state.fulfilments]


def units(state: OrderState, line_id: str = "1") -> int:
    return state.quantities[LineId(line_id)].shipped


def test_a_push_that_is_heard_back_is_one_shipment_by_its_echo() -> None:
    state = folded(told("erp-1", 10, "1Z1", l1=2), heard("900", 11, "1Z1", l1=2), echo("900", "erp-1"))

    assert ids(state) == ["erp-1"]
    assert state.fulfilments[0].echoes == ("900",)
    assert state.fulfilments[0].source is Source.ERP
    assert (units(state), state.problems) == (2, ())


def test_an_echo_holds_though_the_channel_says_it_otherwise() -> None:
    """Somebody changed the tracking number in the channel: it is still what was told."""
    state = folded(told("erp-1", 10, "1Z1", l1=2), heard("900", 11, "1Z9", l1=2), echo("900", "erp-1"))

    assert ids(state) == ["erp-1"]
    assert state.fulfilments[0].body.parcels == parcels("1Z1")
    assert state.fulfilments[0].heard == parcels("1Z9")


def test_a_webhook_before_the_answer_is_matched_by_tracking_number_and_lines() -> None:
    state = folded(told("erp-1", 10, "1Z1", l1=2), heard("900", 11, "1Z1", l1=2))

    assert (ids(state), units(state)) == (["erp-1"], 2)


def test_without_numbers_equal_lines_are_one_shipment() -> None:
    state = folded(told("erp-1", 10, l1=2), heard("900", 11, l1=2))

    assert (ids(state), units(state)) == (["erp-1"], 2)


@pytest.mark.parametrize(
    "by_hand",
    [
        heard("900", 11, "1Z2", l1=1),  # another parcel
        heard("900", 11, l1=1, l2=1),  # other lines
        heard("900", 11, "1Z1", l2=1),  # the same parcel, but a line that was not told
    ],
)
def test_a_shipment_made_by_hand_in_the_channel_stays_one_of_its_own(by_hand: Fact) -> None:
    assert ids(folded(told("erp-1", 10, "1Z1", l1=1), by_hand)) == ["erp-1", "900"]


def test_two_equal_shipments_are_two_and_each_is_heard_once() -> None:
    state = folded(told("erp-1", 10, l1=1), told("erp-2", 20, l1=1), heard("900", 11, l1=1), echo("900", "erp-1"))

    assert [(one.id, one.echoes) for one in state.fulfilments] == [("erp-1", ("900",)), ("erp-2", ())]
    assert units(state) == 2


def test_a_push_that_the_channel_split_is_one_shipment() -> None:
    state = folded(told("erp-1", 10, "1Z1", l1=2, l2=1), heard("900", 11, "1Z1", l1=2), heard("901", 11, "1Z1", l2=1))

    assert (ids(state), state.fulfilments[0].echoes) == (["erp-1"], ("900", "901"))


def test_delivered_in_the_channel_is_delivered() -> None:
    state = folded(told("erp-1", 10, "1Z1", l1=2), heard("900", 11, "1Z1", delivered=60, l1=2))

    assert state.fulfilments[0].body.status is FulfilmentStatus.DELIVERED
    assert state.fulfilments[0].body.delivered_at == at(60)
    assert state.quantities[LineId("1")].delivered == 2


def test_half_a_split_push_delivered_is_not_delivered() -> None:
    state = folded(told("erp-1", 10, "1Z1", l1=1, l2=1), heard("900", 11, "1Z1", delivered=60, l1=1))

    assert state.fulfilments[0].body.status is FulfilmentStatus.SHIPPED


def test_what_the_erp_took_back_is_no_shipment_though_the_channel_still_has_it() -> None:
    state = folded(cancelled(told("erp-1", 10, "1Z1", l1=2)), heard("900", 11, "1Z1", l1=2), echo("900", "erp-1"))

    assert (ids(state), units(state)) == ([], 0)


def test_what_the_channel_called_off_still_left_and_is_a_problem() -> None:
    gone = cancelled(heard("900", 11, "1Z1", l1=2))

    state = folded(told("erp-1", 10, "1Z1", l1=2), gone, echo("900", "erp-1"))

    assert (ids(state), units(state)) == (["erp-1"], 2)
    assert [problem.code for problem in state.problems] == ["called_off"]


def test_what_was_called_off_and_told_anew_is_no_problem() -> None:
    gone = cancelled(heard("900", 11, "1Z1", l1=2))

    state = folded(told("erp-1", 10, "1Z2", l1=2), gone, echo("900", "erp-1"), echo("901", "erp-1"))

    assert (ids(state), state.problems) == (["erp-1"], ())
