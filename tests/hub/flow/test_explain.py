"""Each cause comes from its own evidence; what has no evidence stays a residual."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.flow.match import AMOUNTS
from tests.hub.flow.sides import IN_JUNE, IN_MAY, Sides, told


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    for number in ("1001", "1002", "1003"):
        sides.order(number)
    sides.refund("r1", "1001")
    return sides


def test_an_order_that_the_hub_never_got(sides: Sides) -> None:
    del sides.hub["1002"], sides.erp["1002"]

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("channel-hub", "missing_in_hub", -10825, [("never_captured", -10825)], 0)
    assert variance.causes[0].evidence["channel_minor"] == 10825


def test_a_refund_that_was_not_booked(sides: Sides) -> None:
    del sides.hub["r1"], sides.erp["r1"]

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("channel-hub", "missing_in_hub", 2000, [("unbooked_refund", 2000)], 0)


def test_a_refund_that_the_hub_has_and_nobody_decided(sides: Sides) -> None:
    sides.not_posted("r1", "")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", 2000, [("unbooked_refund", 2000)], 0)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("held", "held_order"),
        ("rejected", "held_order"),
        ("planned", "not_sent_yet"),
        ("sent", "not_sent_yet"),
        ("", "not_sent_yet"),
        ("in_doubt", "in_doubt"),
    ],
)
def test_an_order_that_was_not_posted_says_why(sides: Sides, state: str, cause: str) -> None:
    sides.not_posted("1002", state, "unmapped_item")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [(cause, -10825)], 0)
    assert variance.causes[0].evidence["exception"] == "unmapped_item"


def test_done_without_a_trace_in_the_erp_is_unexplained(sides: Sides) -> None:
    sides.not_posted("1002", "done")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [], -10825)


@pytest.mark.parametrize("voided", [True, False])
def test_a_document_that_was_read_back_and_is_gone(sides: Sides, *, voided: bool) -> None:
    if voided:
        sides.at_erp("1002", voided=True)
    else:
        del sides.erp["1002"]

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [("erp_deleted", -10825)], 0)
    assert variance.causes[0].evidence.get("voided_ref") == ("L1002" if voided else None)


def test_what_was_deleted_is_worth_what_was_read_back_not_what_is_missing(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10000)
    del sides.erp["1002"]

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [("erp_deleted", -10000)], -825)


@pytest.mark.parametrize("evidence", [{"by_hand": True}, {"version": 2}])
def test_a_hand_edit_is_what_the_erp_has_now_less_what_was_read_back(sides: Sides, evidence: dict[str, int]) -> None:
    sides.at_erp("1002", {"goods_minor": 9000}, **evidence)

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -1000, [("hand_edit", -1000)], 0)


def test_a_change_in_the_erp_that_nobody_made_is_unexplained(sides: Sides) -> None:
    sides.at_erp("1002", {"goods_minor": 9000})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -1000, [], -1000)


def test_an_order_typed_in_twice(sides: Sides) -> None:
    sides.typed_in("H1", sides.hub["1002"].row)

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "duplicate_in_erp", 10825, [("entered_twice", 10825)], 0)


def test_an_order_typed_in_because_ours_is_held_is_not_twice(sides: Sides) -> None:
    sides.not_posted("1002", "held", "credit_limit")
    sides.typed_in("H1", sides.hub["1002"].row)

    found = sides.compared().sales.variances

    assert [told(x) for x in found] == [
        ("hub-erp", "duplicate_in_erp", 10825, [("entered_in_erp_alone", 10825)], 0),
        ("hub-erp", "missing_in_erp", -10825, [("held_order", -10825)], 0),
    ]


def test_an_order_that_no_channel_knows(sides: Sides) -> None:
    sides.typed_in("H1", replace(sides.hub["1002"].row, channel="", order="", subject_id="H1", goods_minor=5000))

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "unknown_to_channel", 5825, [("entered_in_erp_alone", 5825)], 0)


def test_the_erp_rounded_a_tax_line_when_we_posted(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10826, readback_tax_minor=901)
    sides.at_erp("1002", {"tax_minor": 901})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", 1, [("rounding", 1)], 0)


def test_the_erp_computed_another_tax_when_we_posted(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1002", {"tax_minor": 810})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -90, [("tax_base", -90)], 0)


def test_a_hand_edit_after_another_tax_is_two_causes(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1002", {"tax_minor": 810, "goods_minor": 9000}, by_hand=True, version=2)

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -1090, [("hand_edit", -1000), ("tax_base", -90)], 0)


@pytest.mark.parametrize("off_minor", [-1000, 1])  # a unit of tax alone would be rounding
def test_what_a_person_changed_before_it_was_read_back_is_a_hand_edit(sides: Sides, off_minor: int) -> None:
    sides.at_hub("1002", readback_minor=10825 + off_minor, readback_tax_minor=900 + off_minor, readback_by_hand=True)
    sides.at_erp("1002", {"tax_minor": 900 + off_minor})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", off_minor, [("hand_edit", off_minor)], 0)


def test_changed_by_hand_before_it_was_read_back_and_again_after(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10725, readback_tax_minor=900, readback_by_hand=True)
    sides.at_erp("1002", {"goods_minor": 9000}, by_hand=True, version=2)

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -1000, [("hand_edit", -100), ("hand_edit", -900)], 0)


def test_an_edit_in_the_channel_that_the_hub_has_not_seen(sides: Sides) -> None:
    sides.at_channel("1002", {"edited_minor": -3000}, modified_at="2026-05-28T08:00:00+02:00")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("channel-hub", "amount", 3000, [("channel_edit", 3000)], 0)


def test_an_edit_that_the_hub_claims_to_have_seen_is_unexplained(sides: Sides) -> None:
    sides.at_channel("1002", {"edited_minor": -3000})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("channel-hub", "amount", 3000, [], 3000)


def test_an_amendment_that_was_not_sent_yet(sides: Sides) -> None:
    sides.at_channel("1002", {"edited_minor": -3000})
    sides.at_hub("1002", {"edited_minor": -3000}, state="planned")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", 3000, [("not_sent_yet", 3000)], 0)


def test_a_write_in_doubt_that_ties_is_a_matter_of_status(sides: Sides) -> None:
    sides.at_hub("1002", state="in_doubt")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "status", 0, [("in_doubt", 0)], 0)


def test_a_period_that_the_hub_moved_names_the_original_date(sides: Sides) -> None:
    sides.at_hub("1002", {"date": IN_JUNE}, original_date=IN_MAY, readback_date=IN_JUNE)
    sides.at_erp("1002", {"date": IN_JUNE})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("channel-hub", "period", -10825, [("cut_off", -10825)], 0)
    assert variance.causes[0].evidence["original_date"] == "2026-05-20"


def test_a_wrong_period_and_a_hand_edit_are_told_apart(sides: Sides) -> None:
    sides.at_erp("1002", {"date": IN_JUNE, "goods_minor": 9000}, by_hand=True, version=2)

    [in_may] = sides.compared().sales.variances
    [in_june] = sides.compared("2026-06").sales.variances

    assert told(in_may) == ("hub-erp", "period", -10825, [("cut_off", -9825), ("hand_edit", -1000)], 0)
    assert told(in_june) == ("hub-erp", "period", 9825, [("cut_off", 10825), ("hand_edit", -1000)], 0)


def test_a_figure_under_another_currency_keeps_its_value_as_printed(sides: Sides) -> None:
    """108.25 USD typed as 108 JPY leaves nothing; as 109 JPY it leaves one yen."""
    sides.at_erp(
        "1002",
        {"currency": "JPY", "goods_minor": 109, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0},
        by_hand=True,
    )

    found = sides.compared().sales

    assert [(x.currency, *told(x)) for x in found.variances] == [
        ("JPY", "hub-erp", "currency", 109, [("fx", 108)], 1),
        ("USD", "hub-erp", "currency", -10825, [("fx", -10825)], 0),
    ]
    assert found.unexplained_minor == {"JPY": 1, "USD": 0}


def test_another_company_is_two_variances(sides: Sides) -> None:
    sides.at_erp("1002", {"entity": "uk"})

    found = sides.compared().sales.variances

    assert [(x.entity, *told(x)) for x in found] == [
        ("uk", "hub-erp", "entity", 10825, [("wrong_entity", 10825)], 0),
        ("us", "hub-erp", "entity", -10825, [("wrong_entity", -10825)], 0),
    ]


# --- one unit without evidence --------------------------------------------------------------------------------------


def _eventful() -> Sides:
    """A month in which all kinds of things happened, each with evidence."""
    sides = Sides()
    for number in range(1001, 1013):
        sides.order(str(number))
    sides.refund("r1", "1001")
    sides.payment("p1", "1001")
    del sides.hub["1002"], sides.erp["1002"]
    sides.at_erp("1003", {"goods_minor": 9000}, by_hand=True, version=2)
    sides.at_erp("1004", voided=True)
    sides.typed_in("H1", sides.hub["1005"].row)
    sides.not_posted("1006", "held", "unmapped_item")
    sides.at_erp("1007", {"date": IN_JUNE})
    sides.at_channel("1008", {"edited_minor": -3000}, modified_at="2026-05-28T08:00:00Z")
    sides.at_hub("1009", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1009", {"tax_minor": 810})
    return sides


def test_a_month_of_accidents_is_explained_to_the_cent() -> None:
    assert _eventful().compared().sales.unexplained_minor == {"USD": 0}


@settings(max_examples=5)
@given(before=st.lists(st.integers(-50000, 50000), min_size=len(AMOUNTS), max_size=len(AMOUNTS)))
def test_one_unit_without_evidence_is_a_residual_of_one(before: list[int]) -> None:
    """Every amount of every side, up and down, each on an order of its own among a month of accidents."""
    sides = _eventful()
    orders = {}
    for index, (side, amount, by) in enumerate(product(("channel", "hub", "erp"), AMOUNTS, (-1, 1))):
        number = str(2000 + index)
        sides.order(number, **{f"{name}_minor": minor for name, minor in zip(AMOUNTS, before, strict=True)})
        change = {f"{amount}_minor": before[AMOUNTS.index(amount)] + by}
        if side == "channel":
            sides.at_channel(number, change)
        elif side == "hub":
            sides.at_hub(number, change)
        else:
            sides.at_erp(number, change)
        orders[number] = (side, by)

    found = sides.compared().sales

    residuals = {(x.order, x.pair.value): x.residual_minor for x in found.variances if x.residual_minor}
    wanted = {}
    for number, (side, by) in orders.items():
        if side in ("channel", "hub"):
            wanted[number, "channel-hub"] = -by if side == "channel" else by
        if side in ("hub", "erp"):
            wanted[number, "hub-erp"] = -by if side == "hub" else by
    assert residuals == wanted


@pytest.mark.parametrize("number", ["1007", "1008", "1009"])
@pytest.mark.parametrize("amount", ["goods", "discount", "shipping", "charges"])
def test_one_unit_beside_other_evidence_is_a_residual_of_one(number: str, amount: str) -> None:
    sides = _eventful()
    row = sides.erp[number].row
    sides.at_erp(number, {f"{amount}_minor": getattr(row, f"{amount}_minor") + 1})

    found = sides.compared().sales

    assert found.unexplained_minor == {"USD": 1}


def test_tax_that_alone_was_computed_anew_is_not_taken_for_a_hand_edit(sides: Sides) -> None:
    sides.at_hub("1002", readback_minor=10825, readback_tax_minor=900)
    sides.at_erp("1002", {"tax_minor": 810}, by_hand=True, version=2)

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -90, [("tax_recomputed", -90)], 0)
