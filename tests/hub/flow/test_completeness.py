"""Two sets by buckets: whatever differs is found where it is, and nothing else is looked into."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hub.flow.completeness import Compared, compare, days, digest, hours, sums
from hub.model.completeness import Bucket, Mark, Proof, Tally

NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 7)  # on the first of November the clocks change
BEGIN = datetime(2026, 11, 1, 4, tzinfo=UTC)

LISTED_AT_ONCE = 3

marks = st.builds(
    Mark,
    st.integers(1, 10_000).map(str),
    st.sampled_from(["USD", "EUR"]),
    st.integers(0, 100_000),
    st.integers(0, 7 * 24 * 60 - 1).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
)
sets = st.lists(marks, min_size=1, max_size=40, unique_by=lambda mark: mark.order)


@dataclass
class There:
    """The other side; it says which buckets were listed."""

    orders: Sequence[Mark]
    counts: bool = True
    adds_up: bool = True  # says sums too
    listed: list[Bucket] = field(default_factory=list)

    def tally(self, bucket: Bucket) -> Tally | None:
        inside = self._inside(bucket)
        return Tally(len(inside), sums(inside) if self.adds_up else None) if self.counts else None

    def split(self, bucket: Bucket, said: Tally) -> Sequence[Bucket]:
        return hours(bucket) if said.orders > LISTED_AT_ONCE else []

    def marks(self, bucket: Bucket) -> Iterable[Mark]:
        self.listed.append(bucket)
        return self._inside(bucket)

    def _inside(self, bucket: Bucket) -> list[Mark]:
        return [mark for mark in self.orders if bucket.begin <= mark.at < bucket.end]


def compared(here: Sequence[Mark], there: There, *, prove: bool = False) -> Compared:
    return compare(days(FIRST, LAST, NEW_YORK), here, there, lambda _: prove)


def holds(bucket: Bucket, mark: Mark) -> bool:
    return bucket.begin <= mark.at < bucket.end


@given(sets, st.randoms(use_true_random=False))
def test_the_digest_knows_no_order(orders: list[Mark], random: Random) -> None:
    shuffled = list(orders)
    random.shuffle(shuffled)

    assert digest(shuffled) == digest(orders)


@given(sets, st.data())
def test_the_digest_of_a_set_with_one_order_changed_is_another(orders: list[Mark], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(orders) - 1))
    one = orders[at]
    other = Mark(one.order, one.currency, one.total_minor + data.draw(st.integers(1, 10**9)), one.at)

    assert digest([*orders[:at], other, *orders[at + 1 :]]) != digest(orders)
    assert digest([*orders[:at], *orders[at + 1 :]]) != digest(orders)
    assert digest([*orders, one]) != digest(orders)


def test_a_digest_is_the_same_on_every_machine() -> None:
    one = Mark("1001", "USD", 4303, BEGIN)

    assert digest([]) == "0" * 64
    assert digest([one]) == "968a0e71d4c0758b83171dc07e17d84f35dbd2de6a940032328180a7d94401b6"


@given(sets)
def test_sides_that_hold_the_same_are_counted_and_not_listed(orders: list[Mark]) -> None:
    there = There(orders)

    found = compared(orders, there)

    assert there.listed == []
    assert (found.only_here, found.only_there, found.differing, found.twice) == ([], [], [], [])
    assert found.tallies == 7
    assert found.proven == 0


@given(sets, st.data(), st.booleans())
def test_an_order_that_is_missing_here_is_found_and_only_its_bucket_is_listed(
    orders: list[Mark], data: st.DataObject, adds_up: bool
) -> None:
    lost = data.draw(st.sampled_from(orders))
    there = There(orders, adds_up=adds_up)

    found = compared([mark for mark in orders if mark is not lost], there)

    assert found.only_there == [lost]
    assert (found.only_here, found.differing) == ([], [])
    [listed] = there.listed
    assert holds(listed, lost)


@given(sets, st.data(), st.booleans())
def test_an_order_that_is_too_many_here_is_found_and_only_its_bucket_is_listed(
    orders: list[Mark], data: st.DataObject, adds_up: bool
) -> None:
    extra = data.draw(st.sampled_from(orders))
    there = There([mark for mark in orders if mark is not extra], adds_up=adds_up)

    found = compared(orders, there)

    assert found.only_here == [extra]
    assert (found.only_there, found.differing) == ([], [])
    [listed] = there.listed
    assert holds(listed, extra)


@given(sets, st.data(), st.integers(1, 1_000))
def test_an_amount_that_changed_is_found_where_sums_are_told(
    orders: list[Mark], data: st.DataObject, more: int
) -> None:
    one = data.draw(st.sampled_from(orders))
    changed = Mark(one.order, one.currency, one.total_minor + more, one.at)
    there = There([changed if mark is one else mark for mark in orders])

    found = compared(orders, there)

    assert found.differing == [(one, changed)]
    [listed] = there.listed
    assert holds(listed, one)


@given(sets, st.data())
def test_an_order_in_place_of_another_passes_a_count_and_no_proof(orders: list[Mark], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(orders))
    stranger = Mark("stranger", one.currency, one.total_minor, one.at)
    there = There([stranger if mark is one else mark for mark in orders])

    believed = compared(orders, there)
    proven = compared(orders, there, prove=True)

    assert believed.only_there == []
    assert proven.only_there == [stranger]
    assert proven.only_here == [one]
    assert proven.proven == len(orders)


@given(sets)
def test_a_side_that_cannot_count_is_listed_once_a_day(orders: list[Mark]) -> None:
    there = There(orders, counts=False)

    found = compared(orders, there)

    assert there.listed == list(days(FIRST, LAST, NEW_YORK))
    assert {leaf.proof for leaf in found.leaves} == {Proof.READ}
    assert all(leaf.same for leaf in found.leaves)


def test_an_order_that_is_there_twice_is_named() -> None:
    one = Mark("1001", "USD", 4303, BEGIN)

    found = compared([one], There([one, one]))

    assert found.twice == [one]


def test_a_count_that_is_only_a_least_is_not_believed() -> None:
    one = Mark("1001", "USD", 4303, BEGIN)
    there = There([one])
    there.tally = lambda bucket: Tally(len(there._inside(bucket)), exact=False)  # type: ignore[method-assign]

    found = compared([one], there)

    assert len(there.listed) == 7
    assert found.only_there == []


def test_a_day_on_which_the_clocks_go_back_has_25_hours() -> None:
    [sunday, monday] = days(date(2026, 11, 1), date(2026, 11, 2), NEW_YORK)

    assert len(hours(sunday)) == 25
    assert len(hours(monday)) == 24
    assert hours(sunday)[-1].end == monday.begin == datetime(2026, 11, 2, 5, tzinfo=UTC)
    assert hours(hours(sunday)[0]) == []
