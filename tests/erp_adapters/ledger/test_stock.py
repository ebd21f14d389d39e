"""Stock at moving-average cost: no minor unit of its value is ever lost."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erp_adapters.ledger import schema
from erp_adapters.ledger.simulator import LedgerSimulator
from erp_adapters.ledger.stock import Holding, issue, receive
from hub.model.documents import Document
from hub.model.intents import Action, Verdict
from tests.erp_adapters.ledger.conftest import NOW, config_of
from tests.erp_adapters.ledger.sale import MUG, fulfilment, masters, of_order, receipt, return_receipt, write
from tests.erp_adapters.ledger.test_documents_in import balances, put
from tests.hub.books.documents import document, line


def stock_of(ledger: LedgerSimulator) -> tuple[int, int]:
    """Quantity and value of the mugs."""
    with ledger.engine.connect() as connection:
        found = connection.execute(select(schema.stock.c.quantity, schema.stock.c.value_minor)).one()
    return (found.quantity, found.value_minor)


@pytest.fixture
def mugs(ledger: LedgerSimulator) -> LedgerSimulator:
    """A ledger with an item of a standard cost of 4.00 and none in stock."""
    ledger.put(masters())
    return ledger


def test_the_average_moves_with_each_receipt_and_goods_leave_at_it(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(10, 4000), receipt(5, 3500, "rcpt-2"), fulfilment(4))

    assert stock_of(mugs) == (11, 5500)
    assert balances(mugs)["5000"] == 2000


def test_a_return_comes_back_at_the_cost_it_left_with(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(10, 4000), fulfilment(2), receipt(8, 8000, "rcpt-2"), return_receipt(1))

    assert stock_of(mugs) == (17, 11600)
    assert balances(mugs)["5000"] == 400


def test_the_returns_of_all_units_bring_back_all_that_left_to_the_last_unit(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(3, 1000), fulfilment(3))
    for number in range(3):
        put(mugs, return_receipt(1, f"r{number}"))

    assert stock_of(mugs) == (3, 1000)
    assert "5000" not in balances(mugs)


def test_a_return_beyond_what_was_shipped_comes_back_at_the_average(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(10, 5000), fulfilment(1), return_receipt(2))

    assert stock_of(mugs) == (11, 5500)


def test_stock_may_go_negative_at_the_last_cost_known(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(1, 500), fulfilment(3))

    assert stock_of(mugs) == (-2, -1000)


def test_stock_that_was_never_received_leaves_at_standard_cost(mugs: LedgerSimulator) -> None:
    put(mugs, fulfilment(2))

    assert stock_of(mugs) == (-2, -800)


def test_covering_a_shortage_at_another_cost_goes_to_the_cost_of_what_was_sold(mugs: LedgerSimulator) -> None:
    put(mugs, fulfilment(2), receipt(5, 2500))

    assert stock_of(mugs) == (3, 1500)
    assert balances(mugs) == {"1300": 1500, "3000": -2500, "5000": 1000}


def test_a_count_that_finds_less_is_written_off_at_the_average(mugs: LedgerSimulator) -> None:
    count_of = document("stock_adjustment", line("stock", 0, "", MUG, -2), key="adj-1", location="main")

    put(mugs, receipt(10, 4000), count_of)

    assert balances(mugs) == {"1300": 3200, "3000": -4000, "5100": 800}


def test_on_delivery_cost_waits_in_transit_and_follows_the_revenue(mugs: LedgerSimulator) -> None:
    shipped = fulfilment(2, deferred=True)
    recognised = of_order(
        "journal_entry",
        line("account", 9000, "deferred_revenue"),
        line("account", -9000, "revenue"),
        line("stock", 0),
        fact="f1",
        applies_to=shipped.key,
    )

    put(mugs, receipt(10, 4000), shipped)
    before = balances(mugs)
    outcomes = put(mugs, recognised)
    after = balances(mugs)
    put(mugs, recognised, action=Action.VOID)

    assert outcomes[0].verdict is Verdict.DONE
    assert before == {"1300": 3200, "1350": 800, "3000": -4000}
    assert after == {"1300": 3200, "2150": 9000, "3000": -4000, "4000": -9000, "5000": 800}
    assert balances(mugs) == before


def test_a_receipt_undone_after_its_goods_left_leaves_no_value_without_stock(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(10, 1000), receipt(10, 2000, "rcpt-2"), fulfilment(10))

    put(mugs, receipt(10, 2000, "rcpt-2"), action=Action.VOID)

    assert stock_of(mugs) == (0, 0)
    assert balances(mugs) == {"3000": -1000, "5000": 1000}
    assert list(mugs.journal())[-1]["cause"] == "revaluation"


def test_a_return_voided_can_come_back_again(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(3, 1000), fulfilment(3), return_receipt(3))
    put(mugs, return_receipt(3), action=Action.VOID)
    put(mugs, return_receipt(3, "r2"))

    assert stock_of(mugs) == (3, 1000)
    assert "5000" not in balances(mugs)


@given(st.integers(-50, 50), st.integers(1, 60), st.integers(0, 10**6), st.integers(1, 60))
def test_what_covers_a_shortage_and_what_is_left_make_what_was_paid(
    start: int, received: int, cost: int, known: int
) -> None:
    holding = Holding(start, start * known, 1, known)

    after, variance = receive(holding, received, cost)
    emptied, left = issue(after, max(after.quantity, 0)) if after.quantity > 0 else (after, 0)

    assert after.value_minor - holding.value_minor + variance == cost
    assert (after.quantity == 0) <= (after.value_minor == 0)
    assert after.quantity <= 0 or (emptied.quantity, emptied.value_minor, left) == (0, 0, after.value_minor)


@pytest.fixture(scope="module")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerSimulator]:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledger = LedgerSimulator(config_of(f"sqlite:///{path}"), lambda: NOW)
    ledger.put(masters())
    yield ledger
    ledger.close_connections()


_orders = count(1)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receipt", "fulfilment", "return", "adjustment", "amend", "void", "by hand"]),
        st.integers(1, 7),
        st.integers(0, 900),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60)
@given(STEPS)
def test_any_sequence_of_documents_keeps_books_and_stock_together(
    shared_ledger: LedgerSimulator, steps: list[tuple[str, int, int]]
) -> None:
    """The ledger goes on from example to example, so that stock starts at anything."""
    ledger = shared_ledger
    order = str(next(_orders))
    made: list[Document] = []
    for number, (step, quantity, cost) in enumerate(steps):
        fact = f"f{number}"
        earlier = made[cost % len(made)] if made else None
        match step:
            case "receipt":
                made.append(receipt(quantity, cost, f"rcpt-{order}-{number}"))
            case "fulfilment":
                made.append(fulfilment(quantity, fact, order, deferred=cost % 2 == 0))
            case "return":
                made.append(return_receipt(quantity, fact, order, deferred=cost % 2 == 0))
            case "adjustment":
                signed = quantity if cost % 2 else -quantity
                name = f"adj-{order}-{number}"
                made.append(document("stock_adjustment", line("stock", 0, "", MUG, signed), key=name, location="main"))
            case "amend" if earlier:
                other = replace(earlier, lines=(replace(earlier.lines[0], quantity=quantity),))
                ledger.put([write(other, Action.AMEND)])
            case "void" if earlier:
                ledger.put([write(earlier, Action.VOID)])
            case "by hand" if earlier:
                ledger.copy(ledger.ref(earlier.key))
        if made:
            assert ledger.put([write(made[-1])])[0].verdict is Verdict.DONE

    quantity, value = stock_of(ledger)
    balance = balances(ledger)
    assert balance.get("1300", 0) == value
    assert sum(balance.values()) == 0
    assert value * quantity >= 0
    assert quantity != 0 or value == 0


@settings(max_examples=15)
@given(STEPS)
def test_everything_voided_leaves_only_what_revaluation_moved(
    shared_ledger: LedgerSimulator, steps: list[tuple[str, int, int]]
) -> None:
    """Once all of an order's fulfilments and returns are void, nothing of them is in transit."""
    order = str(next(_orders))
    transit = balances(shared_ledger).get("1350", 0)
    made = [
        make(quantity, f"f{number}", order, deferred=True)
        for number, (_, quantity, cost) in enumerate(steps)
        for make in [fulfilment if cost % 3 else return_receipt]
    ]

    shared_ledger.put([write(x) for x in made])
    shared_ledger.put([write(x, Action.VOID) for x in made])

    assert balances(shared_ledger).get("1350", 0) == transit


def test_an_amendment_that_is_refused_leaves_what_stood(mugs: LedgerSimulator) -> None:
    put(mugs, receipt(10, 4000), fulfilment(3), return_receipt(1))
    before, entries = balances(mugs), len(list(mugs.journal()))

    refused = put(mugs, fulfilment(-1), return_receipt(-1), action=Action.AMEND)
    after = balances(mugs)
    put(mugs, return_receipt(1), fulfilment(3), action=Action.VOID)

    assert [(x.verdict, x.code) for x in refused] == [(Verdict.REJECTED, "bad_quantity")] * 2
    assert after == before
    assert len(list(mugs.journal())) == entries + 2
    assert balances(mugs) == {"1300": 4000, "3000": -4000}
    assert stock_of(mugs) == (10, 4000)
