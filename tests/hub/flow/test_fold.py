"""An order's state is a pure function of the set of its facts."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.flow.fold import events, fold, winners
from hub.model.facts import (
    Cancellation,
    Cut,
    Deletion,
    Fact,
    FactKind,
    Fulfilment,
    FulfilmentStatus,
    LineQuantity,
    Promise,
    Restock,
    Return,
    ReturnStatus,
    Source,
    Tender,
    TenderKind,
    TenderStatus,
)
from hub.model.order import FinancialStatus, LineId
from hub.model.state import Commercial, EventKind, FulfilmentState, OrderState, Quantities
from hub.testing.builders import (
    KEY,
    at,
    captured,
    fact,
    given_back,
    histories,
    line,
    paid_out,
    refunded,
    retold,
    shipped,
    snapshot,
    tax,
    terms,
)
from tests.hub.flow.bookkeeping import Bookkeeping, balances, expected, planned


def folded(*facts: Fact) -> OrderState:
    return fold(KEY, winners(facts))


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """One set of facts, told twice: in two orders, each with repetitions of its own."""
    told = draw(retold(draw(histories(currency="USD")).facts))
    twice = draw(st.lists(st.sampled_from(told), max_size=3))
    return told, draw(st.permutations([*told, *twice]))


@settings(max_examples=40)
@given(tellings())
def test_any_order_of_arrival_and_any_repetition_give_the_same_state(told: tuple[list[Fact], list[Fact]]) -> None:
    one, other = told

    assert folded(*one) == folded(*other)


@settings(max_examples=40)
@given(tellings())
def test_any_order_of_arrival_gives_the_same_plan(told: tuple[list[Fact], list[Fact]]) -> None:
    one, other = told

    assert planned(one, terms()) == planned(other, terms())


@settings(max_examples=40)
@given(tellings(), st.data())
def test_facts_that_come_one_by_one_give_the_balances_of_all_at_once(
    told: tuple[list[Fact], list[Fact]], data: st.DataObject
) -> None:
    """Whatever of it was sent in between: what is amended, voided and superseded leaves nothing behind."""
    arriving, at_once = told
    books = Bookkeeping()

    while arriving:
        some = data.draw(st.integers(1, len(arriving)))
        books.learn(arriving[:some], terms())
        del arriving[:some]
        books.send(data.draw(st.integers(0, 6)))

    whole = expected(planned(at_once, terms()), terms())
    assert balances(books.entries()) == balances(whole)


@settings(max_examples=40)
@given(tellings())
def test_no_event_tells_of_a_fact_that_says_nothing_new(told: tuple[list[Fact], list[Fact]]) -> None:
    one, other = told

    assert events(winners(one), winners(other)) == []


@settings(max_examples=40)
@given(tellings())
def test_units_shipped_cancelled_and_removed_are_at_most_those_ordered(told: tuple[list[Fact], list[Fact]]) -> None:
    state = folded(*told[0])

    for units in state.quantities.values():
        assert units.shipped + units.cancelled + units.removed <= max(units.ordered, units.shipped + units.removed)
        assert units.credited >= units.returned >= 0
        assert min(units.ordered, units.removed, units.cancelled, units.shipped, units.delivered, units.open) >= 0


# --- which version wins --------------------------------------------------------------------------------------------

EARLY = captured("t1", 5, 1000, status=TenderStatus.PENDING)
LATE = replace(captured("t1", 5, 1000), modified_at=at(9))


@pytest.mark.parametrize("facts", [[EARLY, LATE], [LATE, EARLY]])
def test_the_version_modified_last_wins(facts: list[Fact]) -> None:
    assert folded(*facts).captured_minor == 1000


HOOK = replace(captured("t1", 5, 700), source=Source.WEBHOOK)
PULL = replace(captured("t1", 5, 300), source=Source.PULL)


@pytest.mark.parametrize("facts", [[HOOK, PULL], [PULL, HOOK]])
def test_of_versions_modified_at_once_a_pull_wins_over_a_webhook(facts: list[Fact]) -> None:
    assert folded(*facts).captured_minor == 300


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_a_version_that_two_sources_tell_has_the_weight_of_the_better_one(order: tuple[int, int, int]) -> None:
    """A file and a pull say the same; the webhook that contradicts them must not win because the file came first."""
    facts = [
        replace(captured("t1", 5, 300), source=Source.FILE),
        replace(captured("t1", 5, 300), source=Source.PULL),
        replace(captured("t1", 5, 700), source=Source.WEBHOOK),
    ]

    assert folded(*(facts[i] for i in order)).captured_minor == 300


def test_of_versions_alike_in_time_and_source_the_same_one_always_wins() -> None:
    one, other = captured("t1", 5, 300), captured("t1", 5, 700)

    assert folded(one, other).captured_minor == folded(other, one).captured_minor


# --- quantities ----------------------------------------------------------------------------------------------------


def units(ordered: int, **others: int) -> Quantities:
    return replace(Quantities(ordered, 0, 0, 0, 0, 0, 0), **others)


def test_units_refunded_before_shipment_are_cancelled() -> None:
    state = folded(fact(snapshot(line("1", 3))), refunded("r1", 5, given_back("1", 2, 2000, restock=Restock.CANCEL)))

    assert state.quantities[LineId("1")] == units(3, cancelled=2)
    assert state.quantities[LineId("1")].open == 1


def test_units_refunded_after_shipment_are_credited_and_returned() -> None:
    state = folded(
        fact(snapshot(line("1", 3))),
        shipped("f1", 5, l1=3),
        refunded("r1", 9, given_back("1", 2, 2000, restock=Restock.RETURN)),
    )

    assert state.quantities[LineId("1")] == units(3, shipped=3, credited=2, returned=2)


def test_units_refunded_after_shipment_without_restock_are_credited_alone() -> None:
    state = folded(
        fact(snapshot(line("1", 3))),
        shipped("f1", 5, l1=3),
        refunded("r1", 9, given_back("1", 2, 2000, restock=Restock.NO_RESTOCK)),
    )

    assert state.quantities[LineId("1")] == units(3, shipped=3, credited=2)


def test_a_refund_of_a_half_shipped_line_says_by_its_word_which_units_it_means() -> None:
    """One of two has shipped, one unit is refunded: goods that came back are the one that left."""
    order, half = fact(snapshot(line("1", 2))), shipped("f1", 5, l1=1)

    back = folded(order, half, refunded("r1", 9, given_back("1", 1, 1000, restock=Restock.RETURN)))
    never_left = folded(order, half, refunded("r1", 9, given_back("1", 1, 1000, restock=Restock.CANCEL)))

    assert back.quantities[LineId("1")] == units(2, shipped=1, credited=1, returned=1)
    assert never_left.quantities[LineId("1")] == units(2, shipped=1, cancelled=1)


def test_cancelling_the_order_cancels_what_has_not_shipped() -> None:
    state = folded(fact(snapshot(line("1", 3), cancelled_at=at(9))), shipped("f1", 5, l1=1))

    assert state.quantities[LineId("1")] == units(3, shipped=1, cancelled=2)
    assert state.commercial is Commercial.CANCELLED


def test_units_removed_by_an_edit_are_not_open() -> None:
    state = folded(fact(snapshot(line("1", 3, removed=2))), shipped("f1", 5, l1=1))

    assert state.quantities[LineId("1")] == units(3, removed=2, shipped=1)
    assert state.fulfilment is FulfilmentState.FULFILLED


@pytest.mark.parametrize(
    ("status", "picked"), [(FulfilmentStatus.OPEN, 1), (FulfilmentStatus.CANCELLED, 0), (FulfilmentStatus.FAILED, 0)]
)
def test_a_fulfilment_that_did_not_leave_ships_nothing(status: FulfilmentStatus, picked: int) -> None:
    body = Fulfilment(status, (LineQuantity(LineId("1"), 1),), at(5))

    state = folded(fact(snapshot(line("1"))), fact(body, "f1"))

    assert state.quantities[LineId("1")] == units(1, picked=picked)
    assert state.fulfilment is FulfilmentState.UNFULFILLED


def test_no_more_is_picked_than_is_open() -> None:
    """A channel may announce a shipment again under another id before it calls off the first."""
    announced = Fulfilment(FulfilmentStatus.OPEN, (LineQuantity(LineId("1"), 2),), at(5))

    state = folded(fact(snapshot(line("1", 3))), fact(announced, "f1"), fact(announced, "f2"))

    assert state.quantities[LineId("1")] == units(3, picked=3)


# --- statuses, stages, problems ------------------------------------------------------------------------------------


def test_a_closed_return_keeps_the_lines_that_its_opening_told() -> None:
    """Closing a return says its id and status alone."""
    opened = Return(ReturnStatus.OPEN, (LineQuantity(LineId("1"), 1),), (), "too small")
    told = [fact(snapshot(line())), fact(opened, "r1", modified_at=at(5))]

    state = folded(*told, fact(Return(ReturnStatus.CLOSED), "r1", modified_at=at(9)))

    assert state.returns[0].body == replace(opened, status=ReturnStatus.CLOSED)


def test_a_return_that_says_it_has_no_lines_has_none() -> None:
    opened = Return(ReturnStatus.OPEN, (LineQuantity(LineId("1"), 1),))
    emptied = Return(ReturnStatus.CANCELLED, ())

    state = folded(fact(opened, "r1", modified_at=at(5)), fact(emptied, "r1", modified_at=at(9)))

    assert state.returns[0].body.lines == ()


def test_paid_may_come_before_created() -> None:
    money = captured("t1", 5, 1000)

    alone, whole = folded(money), folded(money, fact(snapshot(line())))

    assert (alone.commercial, alone.captured_minor) == (Commercial.STUB, 1000)
    assert (whole.commercial, whole.financial) == (Commercial.OPEN, FinancialStatus.PAID)


def test_an_order_with_less_captured_than_it_claims_is_partly_paid() -> None:
    state = folded(fact(snapshot(line("1", 3))), captured("t1", 5, 2999))

    assert state.financial is FinancialStatus.PARTIALLY_PAID


def test_an_order_lowered_by_an_edit_is_paid_by_what_is_left() -> None:
    state = folded(fact(snapshot(line("1", 3, removed=1))), captured("t1", 5, 2000))

    assert state.financial is FinancialStatus.PAID


def test_an_order_lowered_by_an_edit_is_paid_by_what_the_channel_makes_of_the_rest() -> None:
    """Of 0.95 of tax on two units the one that stays carries 0.48; the channel rounds it to 0.47."""
    sold = line("1", 2, taxes=(tax(95),), removed=1)
    order = replace(snapshot(sold), claimed_current_minor=1047)

    assert folded(fact(order), captured("t1", 5, 1047)).financial is FinancialStatus.PAID
    assert folded(fact(order), captured("t1", 5, 1046)).financial is FinancialStatus.PARTIALLY_PAID


def test_an_order_lowered_before_its_money_was_captured_is_paid_by_what_is_left() -> None:
    state = folded(
        fact(snapshot(line("1", 3))),
        refunded("r1", 4, given_back("1", 1, 1000, restock=Restock.CANCEL)),
        captured("t1", 5, 2000),
    )

    assert state.financial is FinancialStatus.PAID


def test_money_given_back_makes_an_order_partly_refunded_then_refunded() -> None:
    facts = [fact(snapshot(line("1", 3))), captured("t1", 5, 3000), paid_out("t2", 9, 1000, "r1")]

    assert folded(*facts).financial is FinancialStatus.PARTIALLY_REFUNDED
    assert folded(*facts, paid_out("t3", 10, 2000, "r2")).financial is FinancialStatus.REFUNDED


def test_an_authorisation_whose_void_is_known_is_voided() -> None:
    hold = fact(Tender(TenderKind.AUTHORIZATION, TenderStatus.SUCCESS, "paypal", 1000, "USD", at(1)), "t1")
    void = fact(Tender(TenderKind.VOID, TenderStatus.SUCCESS, "paypal", 1000, "USD", at(2), parent="t1"), "t2")

    assert folded(fact(snapshot(line())), hold).financial is FinancialStatus.AUTHORIZED
    assert folded(fact(snapshot(line())), hold, void).financial is FinancialStatus.VOIDED


def test_the_stages_carry_their_times() -> None:
    state = folded(
        fact(snapshot(line("1", 2))), captured("t1", 5, 2000), shipped("f1", 60, l1=2),
        refunded("r1", 90, given_back("1", 1, 1000)),
    )  # fmt: skip

    stages = (state.placed_at, state.processing_at, state.shipped_at, state.post_sale_at)
    assert stages == (at(0), at(5), at(60), at(90))


def test_the_first_promise_of_several_deliveries_is_the_orders() -> None:
    first = fact(Promise(ship_by=at(600), delivery_by=at(3000)), "d1")
    second = fact(Promise(ship_by=at(900), delivery_by=at(2000)), "d2")
    off = fact(Promise(ship_by=at(100), called_off=True), "d3")

    state = folded(fact(snapshot(line())), first, second, off)

    assert (state.promised_ship_by, state.promised_delivery_by) == (at(600), at(2000))


def test_a_promise_outlives_a_snapshot_that_says_nothing_of_it_and_ends_where_it_is_taken_back() -> None:
    made = [fact(snapshot(line())), fact(Promise(ship_by=at(600)), "d1")]
    silent = fact(snapshot(line(), modified_at=at(50)), modified_at=at(50))
    none = fact(Promise(), "d1", modified_at=at(60))

    assert folded(*made, silent).promised_ship_by == at(600)
    assert folded(*made, silent, none).promised_ship_by is None


def test_what_the_order_itself_promises_counts_where_no_delivery_says_more() -> None:
    told = fact(replace(snapshot(line()), promised_ship_by=at(600)))

    assert folded(told).promised_ship_by == at(600)
    assert folded(told, fact(Promise(ship_by=at(300)), "d1")).promised_ship_by == at(300)


def test_a_delivery_that_promises_nothing_is_no_event() -> None:
    before = [fact(snapshot(line()))]

    assert events(winners(before), winners([*before, fact(Promise(), "d1")])) == []


def test_a_deleted_order_says_so_and_keeps_what_is_known() -> None:
    state = folded(fact(snapshot(line())), fact(Deletion(), KEY.external_id), captured("t1", 5, 1000))

    assert (state.commercial, state.captured_minor) == (Commercial.DELETED, 1000)


def test_a_line_that_the_order_does_not_have_is_a_problem_of_the_fact_that_names_it() -> None:
    state = folded(fact(snapshot(line("1"))), shipped("f1", 5, l9=1), refunded("r1", 9, given_back("8", 1, 5)))

    assert [(x.path, x.code) for x in state.problems] == [("fulfilments[f1]", "line"), ("refunds[r1]", "line")]


def test_more_shipped_than_ordered_is_a_problem() -> None:
    state = folded(fact(snapshot(line("1", 1))), shipped("f1", 5, l1=2))

    assert [(x.path, x.code) for x in state.problems] == [("lines[1]", "overshipped")]


# --- events --------------------------------------------------------------------------------------------------------


def test_events_are_what_happened_between_two_sets_of_facts() -> None:
    before = [fact(snapshot(line("1", 2))), captured("t1", 5, 2000)]
    after = [
        *before,
        shipped("f1", 60, l1=2),
        refunded("r1", 90, given_back("1", 1, 1000)),
        paid_out("t2", 91, 1000, "r1"),
    ]

    made = events(winners(before), winners(after))

    assert [(event.kind, event.fact_id, event.amount_minor) for event in made] == [
        (EventKind.SHIPPED, "f1", 0),
        (EventKind.REFUND_DECIDED, "r1", 1000),
        (EventKind.REFUNDED, "t2", 1000),
    ]


def test_a_delivery_is_told_when_its_fulfilment_changes() -> None:
    sent = shipped("f1", 60, l1=1)
    arrived = replace(shipped("f1", 60, delivered=99, l1=1), modified_at=at(99))

    made = events(winners([sent]), winners([sent, arrived]))

    assert [event.kind for event in made] == [EventKind.DELIVERED]


def test_the_same_statement_from_a_better_source_is_no_event() -> None:
    money = captured("t1", 5, 1000)
    hook = replace(money, source=Source.WEBHOOK)

    assert events(winners([hook]), winners([hook, money])) == []
    assert winners([hook, money])[FactKind.TENDER, "t1"].source is Source.PULL


def test_what_the_erp_cancelled_and_the_channel_then_takes_out_are_the_same_units_in_any_order() -> None:
    placed = fact(snapshot(line("1", 3, 1000)))
    closed = fact(Cancellation(at(30), (Cut(LineId("1"), 3, 1),)), "erp-7", source=Source.ERP)
    edited = fact(snapshot(line("1", 3, 1000, removed=2)), modified_at=at(40))

    for told in permutations([placed, closed, edited, closed]):
        units = fold(KEY, winners(told)).quantities[LineId("1")]
        assert (units.removed, units.cancelled, units.cancelled_in_erp, units.open) == (2, 0, 0, 1)
    before = fold(KEY, winners([closed, placed])).quantities[LineId("1")]
    assert (before.removed, before.cancelled, before.cancelled_in_erp, before.open) == (0, 2, 2, 1)


def test_units_that_the_channel_adds_later_are_not_cancelled_with_those_before() -> None:
    closed = fact(Cancellation(at(30), (Cut(LineId("1"), 3, 1),)), "erp-7", source=Source.ERP)

    units = fold(KEY, winners([fact(snapshot(line("1", 5, 1000))), closed])).quantities[LineId("1")]

    assert (units.ordered, units.cancelled, units.open) == (5, 2, 3)


def test_what_was_opened_again_in_the_erp_is_to_be_shipped_whichever_is_told_first() -> None:
    closed = fact(Cancellation(at(30), (Cut(LineId("1"), 3, 0),)), "erp-7", source=Source.ERP)
    opened = fact(Cancellation(at(50)), "erp-7", source=Source.ERP)
    placed = fact(snapshot(line("1", 3, 1000)))

    for told in permutations([placed, closed, opened]):
        assert fold(KEY, winners(told)).quantities[LineId("1")].open == 3
