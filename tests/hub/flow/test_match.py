"""What counts as the same thing, as different, and as missing; and that the variances sum to the sides' difference."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import Misconfigured
from hub.flow.match import AMOUNTS, DoesNotAddUp, month_of, window
from hub.model.reconciliation import Comparison, Pair, SideTotal
from tests.hub.flow.sides import IN_JUNE, MAY, Sides, told


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    for number in ("1001", "1002", "1003"):
        sides.order(number)
    sides.refund("r1", "1001")
    return sides


def test_sides_that_tie_have_no_variance(sides: Sides) -> None:
    found = sides.compared().sales

    assert found.variances == ()
    assert found.matched == 4
    assert found.hub == (SideTotal("us", "USD", 3, 30475),)
    assert found.unexplained_minor == {"USD": 0}


def test_payments_never_mix_with_sales(sides: Sides) -> None:
    sides.payment("p1", "1001")
    sides.at_erp("p1", {"payment_minor": 10800})

    found = sides.compared()

    assert found.sales.variances == ()
    assert found.payments.hub == (SideTotal("us", "USD", 1, 10825),)
    assert [told(x) for x in found.payments.variances] == [("hub-erp", "amount", -25, [], -25)]


def test_an_amount_that_differs_is_named_by_component(sides: Sides) -> None:
    sides.at_erp("1002", {"shipping_minor": 400, "tax_minor": 910})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", -15, [], -15)
    assert variance.components == {"shipping": -25, "tax": 10}
    assert variance.order == "1002"


def test_money_that_moved_between_components_is_a_variance_of_nothing(sides: Sides) -> None:
    sides.at_erp("1002", {"goods_minor": 10100, "shipping_minor": 325})

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "amount", 0, [], 0)
    assert variance.components == {"goods": 100, "shipping": -100}


def test_tax_and_its_rounding_are_one(sides: Sides) -> None:
    """A channel's export has the order's tax in one figure, the order itself has tax lines and a rest."""
    sides.at_channel("1002", {"tax_minor": 899, "rounding_minor": 1})

    assert sides.compared().sales.variances == ()


def test_what_an_edit_took_out_may_be_less_goods_on_the_other_side(sides: Sides) -> None:
    for change in (sides.at_hub, sides.at_erp):
        change("1002", {"goods_minor": 9000} if change == sides.at_erp else {"edited_minor": -1000})
    sides.at_hub("1002", readback_minor=9825)
    sides.at_channel("1002", {"edited_minor": -1000})

    assert sides.compared().sales.variances == ()


def test_another_currency_is_two_variances_one_in_each(sides: Sides) -> None:
    sides.at_erp("1002", {"currency": "EUR"})

    found = sides.compared().sales.variances

    assert [(x.currency, *told(x)) for x in found] == [
        ("EUR", "hub-erp", "currency", 10825, [("fx", 10825)], 0),
        ("USD", "hub-erp", "currency", -10825, [("fx", -10825)], 0),
    ]


def test_a_wrong_period_shows_in_both(sides: Sides) -> None:
    sides.at_erp("1002", {"date": IN_JUNE})

    [in_may] = sides.compared().sales.variances
    [in_june] = sides.compared("2026-06").sales.variances

    assert told(in_may) == ("hub-erp", "period", -10825, [("cut_off", -10825)], 0)
    assert told(in_june) == ("hub-erp", "period", 10825, [("cut_off", 10825)], 0)


def test_another_day_of_the_same_month_is_no_variance(sides: Sides) -> None:
    sides.at_erp("1002", {"date": IN_JUNE.replace(month=5, day=31)})

    assert sides.compared().sales.variances == ()


def test_a_second_document_of_one_key_stands_alone(sides: Sides) -> None:
    sides.erp["again"] = replace(sides.erp["1002"], ref="L9")

    [variance] = sides.compared().sales.variances

    assert told(variance) == ("hub-erp", "duplicate_in_erp", 10825, [("entered_twice", 10825)], 0)


def test_a_typed_in_document_is_laid_to_the_order_that_it_names(sides: Sides) -> None:
    sides.typed_in("H1", sides.hub["1002"].row)

    [variance] = sides.compared().sales.variances

    assert variance.kind == "duplicate_in_erp"
    assert variance.order == "1002"


def test_a_typed_in_document_may_name_the_order_by_its_reference(sides: Sides) -> None:
    sides.typed_in("H1", replace(sides.hub["1002"].row, channel="", order="", subject_id="H1"), reference="#1002")

    [variance] = sides.compared().sales.variances

    assert (variance.kind, variance.channel, variance.order) == ("duplicate_in_erp", "shopify", "1002")


def test_a_reference_that_two_orders_bear_names_neither(sides: Sides) -> None:
    sides.at_erp("1003", reference="#1002")
    sides.typed_in("H1", replace(sides.hub["1002"].row, channel="", order="", subject_id="H1"), reference="#1002")

    [variance] = sides.compared().sales.variances

    assert (variance.kind, variance.order) == ("unknown_to_channel", None)


def test_a_likeness_is_no_match(sides: Sides) -> None:
    """The same amount, day and customer under a foreign key is two findings, never a guess."""
    sides.at_erp("1002", key="SO-77", row={"order": "", "channel": ""}, reference="")

    found = sides.compared().sales.variances

    assert sorted(x.kind for x in found) == ["missing_in_erp", "unknown_to_channel"]


def test_voided_documents_count_for_nothing(sides: Sides) -> None:
    sides.erp["old"] = replace(sides.erp["1002"], ref="L0", voided=True)

    found = sides.compared().sales

    assert found.variances == ()
    assert found.erp == (SideTotal("us", "USD", 3, 30475),)


def test_without_a_statement_only_hub_and_erp_are_compared(sides: Sides) -> None:
    del sides.erp["1002"]

    found = sides.compared(channel_given=False)

    assert {x.pair for x in found.sales.variances} == {Pair.HUB_ERP}
    assert found.sales.channel == ()


def test_two_rows_that_claim_one_document_are_refused(sides: Sides) -> None:
    sides.at_hub("1003", document="so-shopify-1002")
    sides.erp.pop("1003")

    with pytest.raises(DoesNotAddUp, match="hub-erp sales us USD: 10825 minor units"):
        sides.compared()


def test_the_window_is_the_month_and_both_its_neighbours() -> None:
    assert [day.isoformat() for day in month_of("2026-02")] == ["2026-02-01", "2026-02-28"]
    assert [day.isoformat() for day in window("2026-01")] == ["2025-12-01", "2026-02-28"]


@pytest.mark.parametrize("period", ["0001-01", "9999-11", "9999-12"])
def test_a_month_at_the_calendars_ends_is_none(period: str) -> None:
    with pytest.raises(Misconfigured, match="is not a month"):
        window(period)


# --- whatever happens, it adds up -----------------------------------------------------------------------------------

_HANDS = st.sampled_from(
    [
        "tie",
        "no channel",
        "no hub",
        "no erp",
        "void",
        "erp",
        "typed",
        "unknown",
        "june",
        "eur",
        "uk",
        "held",
        "hub",
        "late",
    ]
)


@settings(max_examples=15)
@given(
    hands=st.lists(st.tuples(_HANDS, st.sampled_from(AMOUNTS), st.integers(-900, 900)), min_size=1, max_size=30),
    period=st.sampled_from([MAY, "2026-06"]),
)
def test_variances_sum_to_the_difference_and_causes_to_the_variance(
    hands: list[tuple[str, str, int]], period: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sides = Sides()
    for index, (hand, amount, by) in enumerate(hands):
        number = str(1001 + index)
        sides.order(number)
        _meddle(sides, number, hand, f"{amount}_minor", by)

    found = sides.reconcile(tmp_path_factory.mktemp("run"), period)

    for variance in found.sales.variances:
        assert variance.delta_minor == sum(x.amount_minor for x in variance.causes) + variance.residual_minor
        assert variance.delta_minor == sum(variance.components.values())
    for pair, left, right in (
        (Pair.CHANNEL_HUB, found.sales.channel, found.sales.hub),
        (Pair.HUB_ERP, found.sales.hub, found.sales.erp),
    ):
        assert _deltas(found.sales, pair) == _difference(left, right)


def _meddle(sides: Sides, number: str, hand: str, amount: str, by: int) -> None:
    change = {amount: getattr(sides.hub[number].row, amount) + by}
    match hand:
        case "no channel":
            del sides.channel[number]
        case "no hub":
            del sides.hub[number]
        case "no erp":
            del sides.erp[number]
        case "void":
            sides.at_erp(number, voided=True)
        case "erp":
            sides.at_erp(number, change, version=1 + by % 2)
        case "typed":
            sides.typed_in(f"H{number}", replace(sides.hub[number].row, **change))
        case "unknown":
            sides.typed_in(f"H{number}", replace(sides.hub[number].row, order="", channel="", subject_id=f"H{number}"))
        case "june":
            sides.at_erp(number, change | {"date": IN_JUNE})
        case "eur":
            sides.at_erp(number, change | {"currency": "EUR"})
        case "uk":
            sides.at_erp(number, change | {"entity": "uk"})
        case "held":
            sides.not_posted(number, "held", "unmapped_item")
        case "hub":
            sides.at_hub(number, change)
        case "late":
            sides.at_channel(number, change, modified_at="2026-07-01T00:00:00Z")


def _deltas(found: Comparison, pair: Pair) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for variance in found.variances:
        if variance.pair is pair:
            cell = (variance.entity, variance.currency)
            sums[cell] = sums.get(cell, 0) + variance.delta_minor
    return {cell: minor for cell, minor in sums.items() if minor}


def _difference(left: tuple[SideTotal, ...], right: tuple[SideTotal, ...]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for totals, sign in ((left, -1), (right, 1)):
        for total in totals:
            cell = (total.entity, total.currency)
            sums[cell] = sums.get(cell, 0) + sign * total.total_minor
    return {cell: minor for cell, minor in sums.items() if minor}
