"""An order's facts as subjects of a statement: components as placed, less what edits and cancellation took out."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hub.flow.fold import fold, winners
from hub.model.edits import line_value
from hub.model.facts import Fact, Fulfilment, Refund, Restock, Tender, TenderStatus
from hub.model.order import Charge, ChargeKind, Snapshot
from hub.model.statement import StatementRow, Subject
from hub.model.subjects import order_subject, shipped_value, subjects
from hub.testing.builders import (
    KEY,
    UTC_ZONE,
    History,
    at,
    called_off,
    captured,
    discount,
    fact,
    given_back,
    histories,
    line,
    paid_out,
    refunded,
    shipped,
    shipping,
    snapshot,
    snapshots,
    tax,
)


def order_row(order: Snapshot, *facts: Fact, timezone: ZoneInfo = UTC_ZONE) -> StatementRow:
    bodies = [one.body for one in facts]
    return order_subject(
        KEY,
        "main",
        timezone,
        order,
        [body for body in bodies if isinstance(body, Fulfilment)],
        [(one.external_id, one.body) for one in facts if isinstance(one.body, Refund)],
        [body for body in bodies if isinstance(body, Tender)],
    )


def rows(*facts: Fact) -> list[StatementRow]:
    state = fold(KEY, winners(facts))
    assert state.snapshot is not None
    return subjects(
        KEY,
        "main",
        UTC_ZONE,
        state.snapshot,
        [x.body for x in state.fulfilments],
        [(x.id, x.body) for x in state.refunds],
        [(x.id, x.body) for x in state.tenders],
    )


@given(snapshots())
def test_the_components_of_an_order_make_its_computed_total(order: Snapshot) -> None:
    assert order_row(order).total_minor == order.computed_total_minor


@given(histories())
def test_an_order_is_lowered_by_its_edits(history: History) -> None:
    row = rows(*history.facts)[0]

    assert row.edited_minor == -history.removed_minor
    assert row.total_minor == history.total_minor


@given(st.one_of(histories(), called_off()))
def test_payments_and_refunds_are_the_money_that_moved(history: History) -> None:
    made = rows(*history.facts)

    assert sum(row.payment_minor for row in made) == sum(history.captured_minor.values())
    assert sum(row.refund_minor for row in made) == -sum(history.paid_out_minor.values())


@given(called_off())
def test_an_order_called_off_and_refunded_comes_to_nothing(history: History) -> None:
    """Refunded in full, cancellation takes nothing more out: the refunds are subjects of their own."""
    made = rows(*history.facts)

    assert sum(row.total_minor - row.payment_minor for row in made) == 0


def test_tax_in_the_price_is_told_apart_from_the_goods() -> None:
    row = order_row(snapshot(line("1", 2, 1190, taxes=(tax(380, "VAT", included=True),))))

    assert (row.goods_minor, row.tax_minor, row.total_minor) == (2000, 380, 2380)


def test_each_component_is_told() -> None:
    row = order_row(
        snapshot(
            line("1", 1, 1000, discounts=(discount(100),), taxes=(tax(72),)),
            shipping=(shipping(500, (tax(40),)),),
            charges=(Charge(ChargeKind.TIP, 200), Charge(ChargeKind.CASH_ROUNDING, -2)),
        )
    )

    told = (
        row.goods_minor,
        row.discount_minor,
        row.shipping_minor,
        row.tax_minor,
        row.charges_minor,
        row.rounding_minor,
    )
    assert told == (1000, -100, 500, 112, 200, -2)


def test_an_order_is_dated_where_the_entity_keeps_its_books() -> None:
    order = replace(snapshot(line()), placed_at=at(13 * 60))  # 01:00 UTC of the next day

    assert order_row(order).date == date(2026, 3, 3)
    assert order_row(order, timezone=ZoneInfo("America/New_York")).date == date(2026, 3, 2)


def test_a_cancelled_order_never_paid_comes_to_nothing() -> None:
    row = order_row(snapshot(line("1", 3), shipping=(shipping(500),), cancelled_at=at(9)))

    assert (row.cancelled_minor, row.total_minor) == (-3500, 0)


def test_cancelling_a_half_shipped_order_leaves_what_shipped() -> None:
    order = snapshot(line("1", 3), shipping=(shipping(500),), cancelled_at=at(90))

    row = order_row(order, shipped("f1", 60, l1=1))

    assert (row.cancelled_minor, row.total_minor) == (-2000, 1500)


def test_a_cancelled_order_that_gave_back_more_than_it_cost_is_not_raised_again() -> None:
    back = refunded("r1", 9, given_back("1", 3, 3500, restock=Restock.CANCEL))

    paid = paid_out("t2", 9, 3500, "r1")

    assert order_row(snapshot(line("1", 3), cancelled_at=at(9)), back, paid).cancelled_minor == 0


def test_a_refund_without_money_gives_nothing_back() -> None:
    back = refunded("r1", 9, given_back("1", 3, 3000, restock=Restock.CANCEL))

    row = order_row(snapshot(line("1", 3), cancelled_at=at(9)), back)

    assert (row.cancelled_minor, row.total_minor) == (-3000, 0)


def test_what_shipped_and_came_back_does_not_count_for_what_was_cancelled() -> None:
    order = snapshot(line("1", 2), cancelled_at=at(90))
    back = refunded("r1", 80, given_back("1", 1, 1000, restock=Restock.RETURN))

    row = order_row(order, shipped("f1", 60, l1=1), back, paid_out("t2", 80, 1000, "r1"))

    assert (row.cancelled_minor, row.total_minor) == (-1000, 1000)


def test_a_cancelled_order_refunded_but_for_a_fee_comes_to_the_fee() -> None:
    made = rows(
        fact(snapshot(line("1", 3), cancelled_at=at(9))),
        captured("t1", 1, 3000),
        refunded("r1", 9, given_back("1", 3, 3000, restock=Restock.CANCEL)),
        paid_out("t2", 9, 2500, "r1"),
    )

    assert sum(row.total_minor - row.payment_minor for row in made) == 500


def test_money_that_failed_or_is_pending_is_no_subject() -> None:
    made = rows(
        fact(snapshot(line())),
        captured("t1", 1, 1000),
        captured("t2", 1, 1000, status=TenderStatus.FAILED),
        paid_out("t3", 9, 100, "r1", status=TenderStatus.PENDING),
    )

    assert [(row.subject, row.subject_id, row.payment_minor) for row in made[1:]] == [(Subject.PAYMENT, "t1", 1000)]


def test_a_test_order_is_no_subject() -> None:
    assert rows(fact(snapshot(line(), test=True)), captured("t1", 1, 1000)) == []


def test_a_lines_units_sell_for_their_net_with_their_tax() -> None:
    sold = line("1", 3, 1000, discounts=(discount(1),), taxes=(tax(100),))

    assert [line_value(sold, unit, 1) for unit in range(3)] == [1034, 1033, 1032]


def test_shipping_and_charges_go_with_the_first_units_that_leave() -> None:
    order = snapshot(line("1", 2), shipping=(shipping(500),), charges=(Charge(ChargeKind.TIP, 50),))
    (body,) = [one.body for one in [shipped("f1", 60, l1=1)] if isinstance(one.body, Fulfilment)]

    assert shipped_value(order, [body]) == 1550
    assert shipped_value(order, []) == 0
