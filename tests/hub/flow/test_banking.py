"""Bank lines and payouts: only what has each other alone is matched, whatever order they come in."""

import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hub.flow.banking import match
from hub.model.bank import BankLine, Match, PaidPayout

DAY = datetime.date(2026, 10, 21)


def paid(name: str, minor: int = 5805, *, day: int = 0, currency: str = "USD", ref: str | None = None) -> PaidPayout:
    return PaidPayout("shopify", name, DAY + datetime.timedelta(day), minor, currency, ref)


def booked(
    key: str, minor: int = 5805, *, day: int = 1, currency: str = "USD", text: str = "", said: str | None = None
) -> BankLine:
    on = DAY + datetime.timedelta(day)
    return BankLine("checking", key, on, minor, currency, "", text, ("shopify", said) if said else None)


def found(lines: list[BankLine], payouts: list[PaidPayout]) -> dict[str, tuple[Match, list[str]]]:
    return {
        one.line.key: (one.match, sorted(payout.payout for payout in one.payouts))
        for one in match(lines, payouts).lines
    }


def test_amount_currency_and_day_make_a_match() -> None:
    lines = [booked("same"), booked("rent", -90000), booked("euro", 700, currency="EUR"), booked("late", 800, day=20)]
    payouts = [paid("3"), paid("4", 700), paid("5", 800)]

    assert found(lines, payouts) == {
        "same": (Match.PAYOUT, ["3"]),
        "rent": (Match.NONE, []),
        "euro": (Match.NONE, []),
        "late": (Match.NONE, []),
    }
    assert [one.payout for one in match(lines, payouts).unseen] == ["4", "5"]


def test_two_of_one_amount_are_a_persons_to_tell_apart() -> None:
    assert found([booked("a"), booked("b")], [paid("3"), paid("4", day=1)]) == {
        "a": (Match.AMBIGUOUS, ["3", "4"]),
        "b": (Match.AMBIGUOUS, ["3", "4"]),
    }


def test_a_line_that_names_its_payout_is_that_one_even_late() -> None:
    lines = [booked("a", text="TRACE 99887766 SHOPIFY"), booked("b")]

    assert found(lines, [paid("3", ref="99887766", day=-20), paid("4")]) == {
        "a": (Match.PAYOUT, ["3"]),
        "b": (Match.PAYOUT, ["4"]),
    }


def test_a_persons_word_stands_and_settles_the_other() -> None:
    assert found([booked("a", said="4"), booked("b")], [paid("3"), paid("4")]) == {
        "a": (Match.PAYOUT, ["4"]),
        "b": (Match.PAYOUT, ["3"]),
    }


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(-2, 9)), max_size=6),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5)), max_size=6),
    st.integers(0, 99),
)
def test_no_payout_is_two_lines_and_order_does_not_matter(
    booked_: list[tuple[int, int]], paid_: list[tuple[int, int]], seed: int
) -> None:
    lines = [booked(str(number), minor, day=day) for number, (minor, day) in enumerate(booked_)]
    payouts = [paid(str(number), minor, day=day) for number, (minor, day) in enumerate(paid_)]

    first = found(lines, payouts)
    Random(seed).shuffle(lines)
    Random(seed + 1).shuffle(payouts)

    matched = [names[0] for kind, names in first.values() if kind is Match.PAYOUT]
    assert len(matched) == len(set(matched))
    assert found(lines, payouts) == first
    assert sum(1 for one in match(lines, payouts).unseen) == len(payouts) - len(matched)
