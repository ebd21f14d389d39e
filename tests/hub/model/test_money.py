"""Money never loses a unit: spreading, parts of a line, conversion between units and decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.money import Money, decimal_of, exponent, format_minor, minor_of, part, rounded_minor, spread

totals = st.integers(-(10**9), 10**9)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


# --- spread --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "by", "shares"),
    [
        (100, [1, 1, 1], (34, 33, 33)),
        (-100, [1, 1, 1], (-34, -33, -33)),
        (5, [1, 2], (2, 3)),
        (1, [1, 1], (1, 0)),
        (10, [0, 1], (0, 10)),
        (7, [3], (7,)),
        (0, [1, 2], (0, 0)),
        (2, [1, 1, 1, 1], (1, 1, 0, 0)),
        (100, [50, 30, 20], (50, 30, 20)),
        (99, [50, 30, 20], (49, 30, 20)),
    ],
)
def test_shares_by_weight(total: int, by: list[int], shares: tuple[int, ...]) -> None:
    assert spread(total, by) == shares


@given(totals, weights)
def test_shares_sum_to_the_total(total: int, by: list[int]) -> None:
    assert sum(spread(total, by)) == total


@given(totals, weights)
def test_a_share_is_within_a_unit_of_its_proportion(total: int, by: list[int]) -> None:
    whole = sum(by)

    for share, weight in zip(spread(total, by), by, strict=True):
        assert abs(share * whole - total * weight) < whole


@given(totals, weights)
def test_a_negative_total_is_shared_as_its_positive_negated(total: int, by: list[int]) -> None:
    assert spread(-total, by) == tuple(-share for share in spread(total, by))


@given(st.integers(0, 10**6), st.integers(1, 10**4), st.integers(2, 9))
def test_on_a_tie_the_earlier_share_is_the_larger(total: int, weight: int, shares: int) -> None:
    made = spread(total, [weight] * shares)

    assert list(made) == sorted(made, reverse=True)


@given(totals, weights)
def test_nothing_is_shared_with_no_weight(total: int, by: list[int]) -> None:
    assert all(share == 0 for share, weight in zip(spread(total, by), by, strict=True) if weight == 0)


@pytest.mark.parametrize("by", [[], [0], [0, 0], [1, -1], [3, -1]])
def test_weights_that_share_nothing_are_refused(by: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        spread(100, by)


# --- part ----------------------------------------------------------------------------------------------------------


@st.composite
def portions(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """A total, a number of units, and portions that take all of them."""
    total, of = draw(totals), draw(st.integers(1, 40))
    taken: list[int] = []
    while sum(taken) < of:
        taken.append(draw(st.integers(1, of - sum(taken))))
    return total, of, taken


@given(portions())
def test_parts_in_any_portions_sum_to_the_whole(drawn: tuple[int, int, list[int]]) -> None:
    total, of, taken = drawn
    starts = [sum(taken[:i]) for i in range(len(taken))]

    assert sum(part(total, of, start, count) for start, count in zip(starts, taken, strict=True)) == total


@given(portions(), st.data())
def test_partial_refunds_in_any_order_give_back_the_line_exactly(
    drawn: tuple[int, int, list[int]], data: st.DataObject
) -> None:
    total, of, taken = drawn
    starts = [sum(taken[:i]) for i in range(len(taken))]
    left = total

    for i in data.draw(st.permutations(range(len(taken)))):
        left -= part(total, of, starts[i], taken[i])

    assert left == 0


@given(totals, st.integers(1, 40))
def test_a_part_of_one_unit_is_its_share_of_an_even_spread(total: int, of: int) -> None:
    assert tuple(part(total, of, unit, 1) for unit in range(of)) == spread(total, [1] * of)


@given(totals, st.integers(1, 40), st.integers(0, 40))
def test_no_units_carry_nothing(total: int, of: int, start: int) -> None:
    assert part(total, of, min(start, of), 0) == 0


@pytest.mark.parametrize(
    ("total", "of", "start", "count", "carried"),
    [(10, 3, 0, 1, 4), (10, 3, 1, 2, 6), (-10, 3, 0, 1, -4), (1, 3, 2, 1, 0), (999, 1, 0, 1, 999), (0, 0, 0, 0, 0)],
)
def test_what_units_carry(total: int, of: int, start: int, count: int, carried: int) -> None:
    assert part(total, of, start, count) == carried


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (0, 4), (3, 1), (1, -1)])
def test_units_that_the_line_does_not_have_are_refused(start: int, count: int) -> None:
    with pytest.raises(ValueError, match="not among 3"):
        part(10, 3, start, count)


# --- units and decimals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.34", "USD", 1234), ("1234", "JPY", 1234), ("1.234", "KWD", 1234), ("1.0000", "CLF", 10000),
     ("1E+2", "JPY", 100), ("-0.05", "EUR", -5), ("10.50000", "USD", 1050)],
)  # fmt: skip
def test_an_amount_in_minor_units(amount: str, currency: str, minor: int) -> None:
    assert minor_of(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.001", "USD"), ("0.5", "JPY"), ("0.0001", "KWD"), ("NaN", "USD"), ("Infinity", "USD"),
     ("1e20", "USD"), ("1", "XXX")],
)  # fmt: skip
def test_what_is_no_amount_of_the_currency_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError):
        minor_of(Decimal(amount), currency)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_minor_units_survive_the_way_through_a_decimal(minor: int, currency: str) -> None:
    amount = decimal_of(minor, currency)

    assert minor_of(amount, currency) == minor
    assert rounded_minor(amount, currency) == minor
    assert -int(str(amount.as_tuple().exponent)) == exponent(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.005", "USD", 1), ("-0.005", "USD", -1), ("0.0049", "USD", 0), ("0.5", "JPY", 1), ("2.5", "JPY", 3)],
)
def test_halves_are_rounded_away_from_zero(amount: str, currency: str, minor: int) -> None:
    assert rounded_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(-123450, "USD", "-1,234.50 USD"), (1234, "JPY", "1,234 JPY"), (1, "KWD", "0.001 KWD"), (0, "EUR", "0.00 EUR")],
)
def test_an_amount_for_people(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text


# --- money that travels alone --------------------------------------------------------------------------------------


def test_money_of_one_currency_adds_and_splits() -> None:
    assert Money(150, "USD") + Money(50, "USD") - Money(1, "USD") == Money(199, "USD")
    assert Money(-100, "USD").split([1, 2]) == (Money(-33, "USD"), Money(-67, "USD"))
    assert -Money(5, "USD") == Money(-5, "USD")


def test_money_of_two_currencies_does_not_add() -> None:
    with pytest.raises(ValueError, match="EUR is not USD"):
        Money(1, "USD") + Money(1, "EUR")
