"""Revenue on delivery: whatever is told when, the ledger ends as expected, and nothing stays in transit."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.flow.decide import decide
from hub.flow.fold import fold, winners
from hub.flow.plan import plan
from hub.flow.terms import Terms
from hub.model.documents import Rate
from hub.model.facts import Fact, Refund
from hub.model.intents import Verdict, Write
from hub.model.order import OrderKey
from hub.testing.builders import (
    History,
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
    terms,
)
from tests.erp_adapters.ledger.conftest import NOW, config_of
from tests.erp_adapters.ledger.sale import write
from tests.hub.books.documents import DAY, document
from tests.hub.books.documents import line as row
from tests.hub.flow.bookkeeping import CHART, POLICY, Bookkeeping

NUMBERS = count(1)
TERMS = terms(recognise_on_delivery=True)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerSimulator]:
    """One ledger for all examples, with mugs and tees at costs that no number of units divides."""
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledger = LedgerSimulator(config_of(f"sqlite:///{path}"), lambda: NOW)
    ledger.put([write(document("item", row("stock", 377, item=item), key=f"item-{item}")) for item in ("mug", "tee")])
    for item, cost in (("mug", 37_701), ("tee", 12_347)):
        stock = row("stock", cost, "", item, 1000)
        ledger.put([write(document("stock_receipt", stock, key=f"rcpt-{item}", location="main", date=DAY))])
    yield ledger
    ledger.close_connections()


class Told:
    """One order, told to hub and ledger piece by piece."""

    def __init__(self, ledger: LedgerSimulator, conditions: Terms = TERMS) -> None:
        self.ledger = ledger
        self.terms = conditions
        self.key = OrderKey("webshop", str(next(NUMBERS)))
        self.kept = Bookkeeping()
        self.before = _balances(ledger)

    def tell(self, *facts: Fact) -> None:
        """The hub learns these facts, decides, and sends all of it."""
        self.kept.facts.extend(facts)
        planned = plan(fold(self.key, winners(self.kept.facts)), self.terms)
        made = decide(planned, self.kept.decided(), self.terms, CHART, POLICY)
        self.kept.record(made)
        self.kept.send()
        names = {x.customer for x in planned if x.customer is not None}
        self.ledger.put([write(document("customer", key=name)) for name in sorted(names)])
        outcomes = self.ledger.put([Write(x.action, x.document, x.revision) for x in made.intents])
        assert [x for x in outcomes if x.verdict is not Verdict.DONE] == []

    def booked(self) -> dict[tuple[str, str], tuple[int, int]]:
        """What the order has done to the ledger's accounts, in their currency and in the functional one."""
        after = _balances(self.ledger)
        moved = {at: _less(both, self.before.get(at, (0, 0))) for at, both in after.items()}
        return {at: both for at, both in moved.items() if both != (0, 0)}

    def expected(self) -> dict[tuple[str, str], tuple[int, int]]:
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        for entry in self.kept.entries():
            for x in entry.postings:
                minor, worth = sums.get((x.account, x.currency), (0, 0))
                sums[(x.account, x.currency)] = (minor + x.amount_minor, worth + x.functional_minor)
        return {at: both for at, both in sums.items() if both != (0, 0)}


def _balances(ledger: LedgerSimulator) -> dict[tuple[str, str], tuple[int, int]]:
    return {(x["account"], x["currency"]): (x["balance_minor"], x["functional_minor"]) for x in ledger.trial_balance()}


def _less(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] - b[0], a[1] - b[1])


def _without_cost(sums: dict[tuple[str, str], tuple[int, int]]) -> dict[tuple[str, str], tuple[int, int]]:
    return {at: both for at, both in sums.items() if at[0] not in ("1300", "5000")}


ORDER = fact(snapshot(line("1", 3)))
PAID = captured("t1", 1, 3000)


def test_a_return_before_delivery_leaves_no_trace_in_the_books(stocked: LedgerSimulator) -> None:
    told = Told(stocked)

    told.tell(ORDER, PAID, shipped("f1", 60, l1=3))
    told.tell(refunded("r1", 90, given_back("1", 3, 3000)), paid_out("t2", 91, 3000, "r1"))

    assert told.booked() == {}


def test_a_delivery_releases_what_had_not_come_back(stocked: LedgerSimulator) -> None:
    told = Told(stocked)
    back = refunded("r1", 90, given_back("1", 1, 1000))

    told.tell(ORDER, PAID, shipped("f1", 60, l1=3))
    told.tell(back, paid_out("t2", 91, 1000, "r1"))
    told.tell(replace(shipped("f1", 60, delivered=120, l1=3), modified_at=at(120)))

    booked = told.booked()
    assert (booked[("4000", "USD")], booked[("1200:card", "USD")]) == ((-2000, -2000), (2000, 2000))
    assert not {("1350", "USD"), ("2150", "USD"), ("4300", "USD")} & set(booked)


def test_a_delivery_told_late_turns_a_return_under_way_into_a_return_of_revenue(stocked: LedgerSimulator) -> None:
    """It had arrived before it came back: what was taken out of transit is recognised, and returned."""
    told = Told(stocked)
    gone = [refunded(f"r{n}", 90 + n, given_back("1", 1, 1000)) for n in (1, 2)]

    told.tell(ORDER, PAID, shipped("f1", 60, l1=3))
    told.tell(*gone)
    told.tell(replace(shipped("f1", 60, delivered=80, l1=3), modified_at=at(500)))

    booked = told.booked()
    assert (booked[("4000", "USD")], booked[("4300", "USD")]) == ((-3000, -3000), (2000, 2000))
    assert not {("1350", "USD"), ("2150", "USD")} & set(booked)


def test_a_foreign_order_ends_at_nothing_in_both_currencies(stocked: LedgerSimulator) -> None:
    rate = Rate(Decimal("1.08"), DAY, "by hand")
    told = Told(stocked, terms(rate=rate))

    told.tell(fact(snapshot(line("1", 2, 1006, currency="EUR"), currency="EUR")), captured("t1", 1, 2012))
    told.tell(shipped("f1", 60, l1=1))
    told.tell(shipped("f2", 90, l1=1))

    assert _without_cost(told.booked()) == {
        ("1200:card", "EUR"): (2012, 2173),
        ("4000", "EUR"): (-2012, -2172),
        ("4900", "EUR"): (0, -1),
    }


@settings(max_examples=40)
@given(st.data())
def test_however_it_is_told_nothing_stays_in_transit_and_the_books_are_those_expected(
    stocked: LedgerSimulator, data: st.DataObject
) -> None:
    """Earlier and contradicting versions come first, in pieces, each of them booked; the truth comes last."""
    history: History = data.draw(histories(delivered=True))
    foreign = history.snapshot.currency != "USD"
    rate = Rate(Decimal("1.0831"), DAY, "by hand") if foreign else None
    told = Told(stocked, terms(recognise_on_delivery=True, rate=rate))
    said = data.draw(retold(history.facts))

    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=4)))
    for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True):
        told.tell(*said[start:end])

    told.tell(*[replace(one, modified_at=at(10_000)) for one in history.facts])

    booked = told.booked()
    assert _without_cost(booked) == told.expected()
    assert not [account for account, _ in booked if account in ("1100", "1350", "2100", "2150", "2400")]


@settings(max_examples=40)
@given(st.data())
def test_refunds_taken_back_after_all_has_arrived_leave_nothing_in_transit(
    stocked: LedgerSimulator, data: st.DataObject
) -> None:
    """What came out of transit for a refund that never was is recognised with the rest after all."""
    history: History = data.draw(histories(delivered=True, currency="USD"))
    told = Told(stocked)
    told.tell(*history.facts)

    for minutes in range(10_000, 10_000 + data.draw(st.integers(1, 3))):
        refunds = [one for one in history.facts if isinstance(one.body, Refund) and data.draw(st.booleans())]
        told.tell(*[replace(one, modified_at=at(minutes), body=_other(one.body, data)) for one in refunds])

    booked = told.booked()
    assert _without_cost(booked) == told.expected()
    assert not [account for account, _ in booked if account in ("1350", "2150")]


def _other(body: Any, data: st.DataObject) -> Refund:
    """The refund with some of its lines, of some of their units."""
    assert isinstance(body, Refund)
    kept = [replace(x, quantity=data.draw(st.integers(0, x.quantity))) for x in body.lines if data.draw(st.booleans())]
    return replace(body, lines=tuple(kept))


def test_of_two_returns_under_way_one_taken_back_leaves_no_rounding_in_transit(ledger: LedgerSimulator) -> None:
    """Three mugs cost 1.13: 0.38 came back, then 0.37, which is taken back after the third, at 0.38, has arrived."""
    ledger.put([write(document("item", row("stock", 0, item="mug"), key="item-mug"))])
    ledger.put([write(document("stock_receipt", row("stock", 113, "", "mug", 3), key="rcpt-1", location="main"))])
    told = Told(ledger)
    first, second = (refunded(f"r{n}", 90 + n, given_back("1", 1, 1000)) for n in (1, 2))

    told.tell(ORDER, PAID, shipped("f1", 60, delivered=120, l1=3), first, second)
    told.tell(replace(second, modified_at=at(500), body=Refund(at(92), ())))

    booked = told.booked()
    assert (booked[("1300", "USD")], booked[("5000", "USD")]) == ((-75, -75), (75, 75))
    assert not {("1350", "USD"), ("2150", "USD")} & set(booked)
