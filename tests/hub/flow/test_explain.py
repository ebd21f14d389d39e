"""Each cause comes from its own evidence; what has no evidence stays a residual."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
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


def test_an_order_that_the_hub_never_got(sides: Sides, tmp_path: Path) -> None:
    del sides.hub["1002"], sides.erp["1002"]

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("channel-hub", "missing_in_hub", -10825, [("never_captured", -10825)], 0)
    assert variance.causes[0].evidence["channel_minor"] == 10825


def test_a_refund_that_was_not_booked(sides: Sides, tmp_path: Path) -> None:
    del sides.hub["r1"], sides.erp["r1"]

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("channel-hub", "missing_in_hub", 2000, [("unbooked_refund", 2000)], 0)


def test_a_refund_that_the_hub_has_and_nobody_decided(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("r1", "")

    [variance] = sides.reconcile(tmp_path).sales.variances

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
def test_an_order_that_was_not_posted_says_why(sides: Sides, tmp_path: Path, state: str, cause: str) -> None:
    sides.not_posted("1002", state, "unmapped_item")

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [(cause, -10825)], 0)
    assert variance.causes[0].evidence["exception"] == "unmapped_item"


def test_done_without_a_trace_in_the_erp_is_unexplained(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1002", "done")

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [], -10825)


@pytest.mark.parametrize("voided", [True, False])
def test_a_document_that_was_read_back_and_is_gone(sides: Sides, tmp_path: Path, *, voided: bool) -> None:
    if voided:
        sides.at_erp("1002", voided=True)
    else:
        del sides.erp["1002"]

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [("erp_deleted", -10825)], 0)
    assert variance.causes[0].evidence.get("voided_ref") == ("L1002" if voided else None)


def test_what_was_deleted_is_worth_what_was_read_back_not_what_is_missing(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", readback_minor=10000)
    del sides.erp["1002"]

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "missing_in_erp", -10825, [("erp_deleted", -10000)], -825)


@pytest.mark.parametrize("evidence", [{"by_hand": True}, {"version": 2}])
def test_a_hand_edit_is_what_the_erp_has_now_less_what_was_read_back(
    sides: Sides, tmp_path: Path, evidence: dict[str, int]
) -> None:
    sides.at_erp("1002", {"goods_minor": 9000}, **evidence)

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", -1000, [("hand_edit", -1000)], 0)


def test_a_change_in_the_erp_that_nobody_made_is_unexplained(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"goods_minor": 9000})

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", -1000, [], -1000)


def test_an_order_typed_in_twice(sides: Sides, tmp_path: Path) -> None:
    sides.typed_in("H1", sides.hub["1002"].row)

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "duplicate_in_erp", 10825, [("entered_twice", 10825)], 0)


def test_an_order_typed_in_because_ours_is_held_is_not_twice(sides: Sides, tmp_path: Path) -> None:
    sides.not_posted("1002", "held", "credit_limit")
    sides.typed_in("H1", sides.hub["1002"].row)

    found = sides.reconcile(tmp_path).sales.variances

    assert [told(x) for x in found] == [
        ("hub-erp", "duplicate_in_erp", 10825, [("entered_in_erp_alone", 10825)], 0),
        ("hub-erp", "missing_in_erp", -10825, [("held_order", -10825)], 0),
    ]


def test_an_order_that_no_channel_knows(sides: Sides, tmp_path: Path) -> None:
    sides.typed_in("H1", replace(sides.hub["1002"].row, channel="", order="", subject_id="H1", goods_minor=5000))

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "unknown_to_channel", 5825, [("entered_in_erp_alone", 5825)], 0)


def test_the_erp_rounded_a_tax_line_when_we_posted(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", readback_minor=10826, readback_tax_minor=901)
    sides.at_erp("1002", {"tax_minor": 901})

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", 1, [("rounding", 1)], 0)


def test_the_erp_computed_another_tax_when_we_posted(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1002", {"tax_minor": 810})

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", -90, [("tax_base", -90)], 0)


def test_a_hand_edit_after_another_tax_is_two_causes(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1002", {"tax_minor": 810, "goods_minor": 9000}, by_hand=True, version=2)

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", -1090, [("hand_edit", -1000), ("tax_base", -90)], 0)


def test_an_edit_in_the_channel_that_the_hub_has_not_seen(sides: Sides, tmp_path: Path) -> None:
    sides.at_channel("1002", modified_at="2026-05-28T08:00:00+02:00", edited_minor=-3000)

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("channel-hub", "amount", 3000, [("channel_edit", 3000)], 0)


def test_an_edit_that_the_hub_claims_to_have_seen_is_unexplained(sides: Sides, tmp_path: Path) -> None:
    sides.at_channel("1002", edited_minor=-3000)

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("channel-hub", "amount", 3000, [], 3000)


def test_an_amendment_that_was_not_sent_yet(sides: Sides, tmp_path: Path) -> None:
    sides.at_channel("1002", edited_minor=-3000)
    sides.at_hub("1002", {"edited_minor": -3000}, state="planned")

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "amount", 3000, [("not_sent_yet", 3000)], 0)


def test_a_write_in_doubt_that_ties_is_a_matter_of_status(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", state="in_doubt")

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("hub-erp", "status", 0, [("in_doubt", 0)], 0)


def test_a_period_that_the_hub_moved_names_the_original_date(sides: Sides, tmp_path: Path) -> None:
    sides.at_hub("1002", {"date": IN_JUNE}, original_date=IN_MAY, readback_date=IN_JUNE)
    sides.at_erp("1002", {"date": IN_JUNE})

    [variance] = sides.reconcile(tmp_path).sales.variances

    assert told(variance) == ("channel-hub", "period", -10825, [("cut_off", -10825)], 0)
    assert variance.causes[0].evidence["original_date"] == "2026-05-20"


def test_a_wrong_period_and_a_hand_edit_are_told_apart(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"date": IN_JUNE, "goods_minor": 9000}, by_hand=True, version=2)

    [in_may] = sides.reconcile(tmp_path).sales.variances
    [in_june] = sides.reconcile(tmp_path, "2026-06").sales.variances

    assert told(in_may) == ("hub-erp", "period", -10825, [("cut_off", -9825), ("hand_edit", -1000)], 0)
    assert told(in_june) == ("hub-erp", "period", 9825, [("cut_off", 10825), ("hand_edit", -1000)], 0)


def test_a_figure_under_another_currency_keeps_its_value_as_printed(sides: Sides, tmp_path: Path) -> None:
    """108.25 USD typed as 108 JPY leaves nothing; as 109 JPY it leaves one yen."""
    sides.at_erp(
        "1002",
        {"currency": "JPY", "goods_minor": 109, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0},
        by_hand=True,
    )

    found = sides.reconcile(tmp_path).sales

    assert [(x.currency, *told(x)) for x in found.variances] == [
        ("JPY", "hub-erp", "currency", 109, [("fx", 108)], 1),
        ("USD", "hub-erp", "currency", -10825, [("fx", -10825)], 0),
    ]
    assert found.unexplained_minor == {"JPY": 1, "USD": 0}


def test_another_company_is_two_variances(sides: Sides, tmp_path: Path) -> None:
    sides.at_erp("1002", {"entity": "uk"})

    found = sides.reconcile(tmp_path).sales.variances

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
    sides.at_channel("1008", modified_at="2026-05-28T08:00:00Z", edited_minor=-3000)
    sides.at_hub("1009", readback_minor=10735, readback_tax_minor=810)
    sides.at_erp("1009", {"tax_minor": 810})
    return sides


def test_a_month_of_accidents_is_explained_to_the_cent(tmp_path: Path) -> None:
    assert _eventful().reconcile(tmp_path).sales.unexplained_minor == {"USD": 0}


_QUIET = ("1001", "1005", "1010", "1011", "1012", "r1", "p1")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.sampled_from(_QUIET),
    amount=st.sampled_from(AMOUNTS),
    by=st.sampled_from([-1, 1]),
    side=st.sampled_from(["channel", "hub", "erp"]),
)
def test_one_unit_without_evidence_is_a_residual_of_one(
    number: str, amount: str, by: int, side: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sides = _eventful()
    change = {f"{amount}_minor": getattr(sides.hub[number].row, f"{amount}_minor") + by}
    if side == "channel":
        sides.at_channel(number, **change)
    else:
        (sides.at_hub if side == "hub" else sides.at_erp)(number, change)

    found = sides.reconcile(tmp_path_factory.mktemp("run"))

    measure = found.payments if number == "p1" else found.sales
    wrong = {(x.pair.value, abs(x.residual_minor)) for x in measure.variances if x.residual_minor}
    assert wrong == {
        "channel": {("channel-hub", 1)},
        "hub": {("channel-hub", 1), ("hub-erp", 1)},
        "erp": {("hub-erp", 1)},
    }[side]


@pytest.mark.parametrize("number", ["1007", "1008", "1009"])
@pytest.mark.parametrize("amount", ["goods", "discount", "shipping", "charges"])
def test_one_unit_beside_other_evidence_is_a_residual_of_one(tmp_path: Path, number: str, amount: str) -> None:
    sides = _eventful()
    row = sides.erp[number].row
    sides.at_erp(number, {f"{amount}_minor": getattr(row, f"{amount}_minor") + 1})

    found = sides.reconcile(tmp_path).sales

    assert found.unexplained_minor == {"USD": 1}
