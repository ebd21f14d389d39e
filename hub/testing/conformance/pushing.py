"""Telling a channel: a shipment is told once, whatever becomes of the answers and wherever it is broken off."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any, Final

import pytest

from hub.errors import AuthExpired, InDoubt, Retryable
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.facts import Parcel
from hub.model.intents import Action, Found, Outcome, Verdict, Write
from hub.model.order import LineId, OrderKey
from hub.ports import ProbesDocuments, PutsDocuments
from hub.testing.conformance.bench import STOCK, Bench, Fault, Ships
from hub.testing.conformance.wiring import SLUG, Wiring, armed, needed

ORDERS: Final = 80
WHOLE_ORDERS: Final = 6
TRIES_MAX: Final = 40
LATEST_S: Final = 7_200  # whatever a far side was still to do is done by then
LASTING: Final = 40  # requests on end that are turned away
NO_ANSWER: Final = (
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.LATE_COMMIT,
    Fault.BROKEN_ANSWER,
    Fault.CUT_SHORT,
    Fault.SERVER_ERROR,
    Fault.FAILED_AFTER,
)
TURNED_AWAY: Final = (Fault.RATE_LIMITED, Fault.THROTTLED, Fault.TOKEN_EXPIRED)


class Told:
    """A shipment to be told, and what stands of its order in the far side."""

    def __init__(self, wiring: Wiring, numbers: Iterator[int], *, whole: bool = False) -> None:
        self._wiring = wiring
        self._ships = ships_of(wiring)
        self.connector = wiring.connect()
        needed(self.connector, PutsDocuments, ProbesDocuments)
        # The order of most lines, to its last unit; or one unit of many, so that a second would find room.
        waiting = self._ships.waiting()
        self.order = max(waiting, key=lambda order: len(waiting[order]) if whole else max(waiting[order].values()))
        units = waiting[self.order]
        self.units: Mapping[str, int] = units if whole else {max(units, key=lambda line: units[line]): 1}
        assert whole or max(units.values()) > 1, "a bench has enough to ship"
        self.write = notice(self.order, self.units, next(numbers))
        self._before = self._standing()

    def made(self) -> list[dict[str, int]]:
        """The shipments that stand there now and did not before."""
        return [dict(units) for units, times in (self._standing() - self._before).items() for _ in range(times)]

    def put(self, *writes: Write) -> list[Outcome]:
        """As the hub calls it: no answer at all is in doubt."""
        try:
            found: Sequence[Outcome] = self.connector.put(list(writes) or [self.write])
        except InDoubt:
            return [Outcome(Verdict.IN_DOUBT)] * max(1, len(writes))
        return list(found)

    def probed(self) -> Found:
        (probe,) = self.connector.probe([self.write])
        found: Found = probe.found
        return found

    def told_at_last(self) -> None:
        """Told as the hub tells: in doubt it waits as long as the connector says, looks, and sends again if absent."""
        far = self._wiring.far
        doubtful = False
        for _ in range(TRIES_MAX):
            try:
                if doubtful:
                    far.pass_time(self.connector.settle_s)
                    match self.probed():
                        case Found.DONE:
                            return
                        case Found.TWICE:
                            pytest.fail("it stands there twice")
                        case Found.ABSENT:
                            doubtful = False
                    continue
                (outcome,) = self.put()
            except Retryable as error:
                far.pass_time(error.after_s or 60)
                continue
            except AuthExpired:
                self.connector = self._wiring.connect()
                continue
            if outcome.verdict is Verdict.DONE:
                return
            assert outcome.verdict is not Verdict.REJECTED, outcome
            doubtful = outcome.verdict is Verdict.IN_DOUBT
            far.pass_time(60)
        pytest.fail(f"not told in {TRIES_MAX} tries")

    def _standing(self) -> Counter[tuple[tuple[str, int], ...]]:
        return Counter(tuple(sorted(units.items())) for units in self._ships.shipped(self.order))


class TestTellingShipments:
    abilities = (PutsDocuments, ProbesDocuments)
    rules = ("shipments_are_told_once",)

    @pytest.fixture(scope="class")
    @classmethod
    def waiting(cls, bench: Bench, system: str) -> Iterator[Wiring]:
        """A far side whose goods wait to be shipped; each test ships a unit of them."""
        with bench.open(ORDERS, unshipped=True) as far, closing(Wiring(system, far)) as wiring:
            yield wiring

    @pytest.fixture(scope="class")
    @classmethod
    def numbers(cls) -> Iterator[int]:
        return count(1)

    @pytest.fixture
    def told(self, waiting: Wiring, numbers: Iterator[int]) -> Iterator[Told]:
        yield Told(waiting, numbers)
        waiting.far.heal()

    def test_a_shipment_told_three_times_is_one_shipment(self, told: Told, waiting: Wiring) -> None:
        outcomes = [told.put()[0] for _ in range(2)]
        told.connector = waiting.connect()
        outcomes += told.put()

        assert {outcome.verdict for outcome in outcomes} == {Verdict.DONE}
        assert len({outcome.ref for outcome in outcomes}) == 1
        assert told.made() == [told.units]

    def test_looking_tells_what_stands_and_changes_nothing(self, told: Told) -> None:
        before = told.probed()
        made_by_looking = told.made()
        told.put()

        assert (before, made_by_looking) == (Found.ABSENT, [])
        assert told.probed() is Found.DONE
        assert told.made() == [told.units]

    @pytest.mark.parametrize("fault", NO_ANSWER)
    def test_a_write_without_an_answer_is_in_doubt_and_ends_in_one(
        self, bench: Bench, told: Told, waiting: Wiring, fault: Fault
    ) -> None:
        armed(bench, ships_of(waiting).fail_write(fault), fault)

        (outcome,) = told.put()

        assert outcome.verdict is Verdict.IN_DOUBT
        assert len(told.made()) <= 1, "it was sent again though nobody knew what became of it"
        waiting.far.pass_time(told.connector.settle_s)
        told.told_at_last()
        waiting.far.pass_time(LATEST_S)
        assert told.made() == [told.units]

    @pytest.mark.parametrize("fault", TURNED_AWAY)
    def test_a_write_that_is_turned_away_did_not_happen_and_is_sent_again(
        self, bench: Bench, told: Told, waiting: Wiring, fault: Fault
    ) -> None:
        armed(bench, ships_of(waiting).fail_write(fault), fault)

        told.told_at_last()

        assert told.made() == [told.units]

    @pytest.mark.parametrize("fault", [*NO_ANSWER, *TURNED_AWAY])
    def test_wherever_it_is_broken_off_it_ends_in_one(
        self, bench: Bench, waiting: Wiring, numbers: Iterator[int], fault: Fault
    ) -> None:
        clean = Told(waiting, numbers)
        before = waiting.far.requests
        clean.put()

        for after in range(waiting.far.requests - before):
            told = Told(waiting, numbers)
            armed(bench, waiting.far.fail(fault, after=after), fault)

            told.told_at_last()

            waiting.far.heal()
            waiting.far.pass_time(LATEST_S)
            assert told.made() == [told.units], f"after {after} requests"

    def test_whole_orders_told_through_bad_weather_are_whole_and_shipped_once(
        self, waiting: Wiring, numbers: Iterator[int]
    ) -> None:
        """Their goods lie in several places, so that one shipment is several calls; half of all requests fail."""
        for _ in range(WHOLE_ORDERS):
            told = Told(waiting, numbers, whole=True)
            for fault in (*NO_ANSWER, *TURNED_AWAY):
                waiting.far.fail_in(fault, 50)

            told.told_at_last()

            waiting.far.heal()
            waiting.far.pass_time(LATEST_S)
            assert sum(map(Counter, told.made()), Counter[str]()) == told.units, told.order

    def test_turned_away_in_the_middle_nothing_happened_or_it_is_in_doubt(
        self, waiting: Wiring, numbers: Iterator[int]
    ) -> None:
        """Of a shipment in several calls some may stand: then nobody may take it for unsent."""
        for _ in range(WHOLE_ORDERS):
            told = Told(waiting, numbers, whole=True)
            for after in range(LASTING):
                waiting.far.fail(Fault.RATE_LIMITED, LASTING, after=after)
                try:
                    (outcome,) = told.put()
                except Retryable:
                    outcome = Outcome(Verdict.UNSENT)
                waiting.far.heal()
                if outcome.verdict is Verdict.DONE:
                    break
                assert outcome.verdict is Verdict.IN_DOUBT or told.made() == [], f"after {after} requests"

            assert outcome.verdict is Verdict.DONE
            assert sum(map(Counter, told.made()), Counter[str]()) == told.units, told.order

    def test_two_equal_parcels_without_a_number_are_two(self, told: Told, waiting: Wiring) -> None:
        ships = ships_of(waiting)
        order, line = next(
            (order, line) for order, units in ships.waiting().items() for line, left in units.items() if left >= 2
        )
        before = len(ships.shipped(order))
        first, second = (notice(order, {line: 1}, number, tracked=False) for number in (9001, 9002))

        (done,) = told.put(first)
        outcomes = [*told.put(first), *told.put(replace(second, taken=frozenset({done.ref or ""})))]

        assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE, Verdict.DONE]
        assert outcomes[0].ref == done.ref != outcomes[1].ref
        assert len(ships.shipped(order)) == before + 2

    def test_more_than_is_left_is_refused_by_name_and_hurts_no_other(self, told: Told) -> None:
        line = next(iter(told.units))

        refused, done = told.put(notice(told.order, {line: 9_999}, 9003), told.write)

        assert refused.verdict is Verdict.REJECTED
        assert refused.code
        assert refused.field
        assert refused.remedy
        assert done.verdict is Verdict.DONE
        assert told.made() == [told.units]

    def test_an_order_that_nobody_knows_is_refused_by_name(self, told: Told) -> None:
        (refused,) = told.put(notice("1", told.units, 9004))

        assert (refused.verdict, bool(refused.code), bool(refused.remedy)) == (Verdict.REJECTED, True, True)

    def test_a_shipment_taken_back_stands_no_more(self, told: Told) -> None:
        (done,) = told.put()
        void = replace(told.write, action=Action.VOID, held=(done.ref or "",))

        outcomes = [told.put(void)[0] for _ in range(2)]

        assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE, Verdict.DONE]
        assert told.made() == []

    @pytest.mark.parametrize("fault", [Fault.REVOKED, Fault.ACCESS_DENIED])
    def test_who_is_not_let_in_has_told_nothing(self, bench: Bench, told: Told, waiting: Wiring, fault: Fault) -> None:
        armed(bench, waiting.far.fail(fault), fault)

        try:
            (outcome,) = told.put()
        except AuthExpired:
            pass
        else:
            assert outcome.verdict is Verdict.REJECTED
            assert outcome.remedy
        assert told.made() == []
        waiting.far.heal()
        told.told_at_last()
        assert told.made() == [told.units]


class TestTellingStock:
    abilities = (PutsDocuments, ProbesDocuments)
    rules = ("stock_is_told_once",)

    @pytest.fixture
    def ships(self, bench: Bench, system: str) -> Iterator[Wiring]:
        with bench.open(2, unshipped=True) as far, closing(Wiring(system, far)) as wiring:
            yield wiring

    @pytest.fixture
    def connector(self, bench: Bench, ships: Wiring) -> Any:
        connector = ships.connect()
        needed(connector, *self.abilities)
        if not ships_of(ships).levels():
            pytest.skip(f"this system keeps no stock: {bench.lacks[STOCK]}")
        return connector

    def test_a_level_is_set_whatever_it_was_and_setting_it_again_changes_nothing(
        self, connector: Any, ships: Wiring
    ) -> None:
        before = dict(ships_of(ships).levels())
        (item, location), held = next(iter(before.items()))
        write = level(item, location, held + 17)

        for _ in range(2):
            (outcome,) = connector.put([write])
            assert outcome.verdict is Verdict.DONE

        assert ships_of(ships).levels() == {**before, (item, location): held + 17}
        assert connector.probe([write])[0].found is Found.DONE

    @pytest.mark.parametrize("fault", NO_ANSWER)
    def test_a_level_whose_answer_is_lost_is_set_in_the_end(
        self, bench: Bench, connector: Any, ships: Wiring, fault: Fault
    ) -> None:
        far = ships_of(ships)
        (item, location), held = next(iter(far.levels().items()))
        write = level(item, location, held + 5)
        armed(bench, far.fail_write(fault), fault)

        (outcome,) = connector.put([write])
        if outcome.verdict is Verdict.IN_DOUBT:
            ships.far.pass_time(connector.settle_s)
            if connector.probe([write])[0].found is Found.ABSENT:
                (outcome,) = connector.put([write])
        ships.far.pass_time(connector.settle_s)

        assert far.levels()[item, location] == held + 5

    def test_what_nobody_stocks_is_refused_by_name(self, connector: Any, ships: Wiring) -> None:
        (_, location), *_ = ships_of(ships).levels()

        (outcome,) = connector.put([level("no such thing", location, 1)])

        assert (outcome.verdict, bool(outcome.code), bool(outcome.field), bool(outcome.remedy)) == (
            Verdict.REJECTED,
            True,
            True,
            True,
        )


def ships_of(wiring: Wiring) -> Ships:
    """The far side as one that ships: a connector that can tell it so must be tested."""
    assert isinstance(wiring.far, Ships), "the connector tells of shipments, so what its bench opens must be Ships"
    return wiring.far


def notice(order: str, units: Mapping[str, int], number: int, *, tracked: bool = True) -> Write:
    """A shipment as the hub tells it."""
    document = Document(
        key=DocumentKey(f"ship-{SLUG}-{number}"),
        kind=DocumentKind.SHIPMENT_NOTICE,
        entity="main",
        currency="USD",
        date=date(2026, 9, 20),
        lines=tuple(DocumentLine(Component.STOCK, 0, LineId(line), quantity=count) for line, count in units.items()),
        order=OrderKey(SLUG, order),
        memo=f"erp-{number}",
        parcels=(Parcel("UPS", f"1Z{number:08d}", None),) if tracked else (),
    )
    return Write(Action.CREATE, document, f"{number:012x}")


def level(item: str, location: str, quantity: int) -> Write:
    """A stock level as the hub tells it."""
    document = Document(
        key=DocumentKey(f"level-{SLUG}-1"),
        kind=DocumentKind.STOCK_NOTICE,
        entity="main",
        currency="USD",
        date=date(2026, 9, 20),
        lines=(DocumentLine(Component.STOCK, 0, item=item, quantity=quantity),),
        location=location,
        memo="17",
    )
    return Write(Action.CREATE, document, "0" * 12)
