"""The identity, to the unit: what an order's parts make is what its channel claims."""

import pytest
from hypothesis import given

from hub.flow.fold import fold, winners
from hub.model.facts import FactKind, adapter
from hub.model.order import Charge, ChargeKind, Collector, Snapshot
from hub.model.state import Quantities
from hub.testing.builders import (
    KEY,
    History,
    captured,
    discount,
    fact,
    histories,
    line,
    shipping,
    snapshot,
    snapshots,
    tax,
)


@given(snapshots())
def test_the_parts_of_an_order_make_its_claim(order: Snapshot) -> None:
    """List price times quantity, less discounts, with shipping, charges and the tax that is not in the prices."""
    goods = sum(x.gross_minor for x in order.lines)
    off = sum(d.amount_minor for x in (*order.lines,) for d in x.discounts)
    off += sum(d.amount_minor for x in order.shipping for d in x.discounts)
    ways = sum(x.gross_minor for x in order.shipping)
    charges = sum(x.amount_minor for x in order.charges)
    taxes = [t for x in order.lines for t in x.taxes] + [t for x in order.shipping for t in x.taxes]
    taxes += [t for x in order.charges for t in x.taxes]
    on_top = sum(t.amount_minor for t in taxes if not t.included)

    assert goods - off + ways + charges + on_top == order.claimed_total_minor
    assert fold(KEY, winners([fact(order)])).identity_gap_minor == 0


@pytest.mark.parametrize(
    ("order", "total"),
    [
        (snapshot(line("1", 3, 1999)), 5997),
        (snapshot(line("1", 1, 1000, taxes=(tax(80),))), 1080),
        (snapshot(line("1", 1, 1190, taxes=(tax(190, "VAT", included=True),))), 1190),
        (snapshot(line("1", 1, 1000, discounts=(discount(250), discount(50, Collector.MARKETPLACE)))), 700),
        (snapshot(line("1", 1, 1000), shipping=(shipping(500, (tax(40),)),)), 1540),
        (snapshot(line("1", 1, 1002), charges=(Charge(ChargeKind.CASH_ROUNDING, -2),)), 1000),
        (snapshot(line("1", 1, 1000), charges=(Charge(ChargeKind.DUTY, 300, taxes=(tax(30),)),)), 1330),
        (snapshot(line("1", 2, 1500, currency="JPY"), currency="JPY"), 3000),
        (snapshot(line("1", 2, 1234, currency="KWD"), currency="KWD"), 2468),
        (snapshot(), 0),
    ],
)
def test_an_orders_total(order: Snapshot, total: int) -> None:
    assert order.computed_total_minor == total


def test_a_tender_never_lowers_the_identity() -> None:
    state = fold(KEY, winners([fact(snapshot(line("1", 1, 1000))), captured("t1", 1, 1000, "gift_card")]))

    assert state.identity_gap_minor == 0
    assert state.snapshot is not None
    assert state.snapshot.computed_total_minor == 1000


@pytest.mark.parametrize(("claimed", "gap"), [(1000, 0), (1001, 1), (999, -1)])
def test_a_break_of_the_identity_has_an_amount(claimed: int, gap: int) -> None:
    state = fold(KEY, winners([fact(snapshot(line("1", 1, 1000), claimed_minor=claimed))]))

    assert state.identity_gap_minor == gap


def test_an_order_unknown_has_no_gap() -> None:
    assert fold(KEY, winners([captured("t1", 1, 1000)])).identity_gap_minor == 0


def test_a_line_is_found_by_its_id() -> None:
    state = fold(KEY, winners([fact(snapshot(line("1"), line("2")))]))
    sold = line("2")

    assert state.line(sold.id) == sold
    assert state.line(line("3").id) is None


@pytest.mark.parametrize(
    ("units", "left"),
    [
        (Quantities(5, 0, 0, 0, 0, 0, 0), 5),
        (Quantities(5, 1, 1, 1, 0, 0, 0), 2),
        (Quantities(5, 0, 0, 6, 0, 0, 0), 0),
        (Quantities(5, 0, 0, 5, 5, 5, 5), 0),
    ],
)
def test_units_still_to_be_shipped(units: Quantities, left: int) -> None:
    assert units.open == left


@given(histories())
def test_a_fact_survives_the_way_through_json(history: History) -> None:
    for one in history.facts:
        assert adapter(one.kind).validate_json(one.content()) == one.body


def test_two_kinds_of_fact_with_one_id_are_two_things() -> None:
    won = winners([fact(snapshot(line())), captured(KEY.external_id, 1, 1000)])

    assert set(won) == {(FactKind.SNAPSHOT, "1001"), (FactKind.TENDER, "1001")}
