"""All invoices and credits of a line add up to the line, whatever its units go through."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.flow.billing import Bill, discount_lines, placed, spread_like, tax_lines
from hub.flow.fold import fold, winners
from hub.model.documents import Component, DocumentLine
from hub.model.facts import Fact, Restock
from hub.model.order import Collector, Line, LineKind
from hub.model.refunding import RefundedLine, cut_refunds
from hub.testing.builders import (
    KEY,
    History,
    discount,
    fact,
    given_back,
    histories,
    line,
    lines,
    refunded,
    shipped,
    snapshot,
    tax,
)


def cut(*facts: Fact) -> dict[str, list[RefundedLine]]:
    state = fold(KEY, winners(facts))
    return cut_refunds(
        [(refund.id, refund.body) for refund in state.refunds],
        {line: units.shipped for line, units in state.quantities.items()},
        {line: max(0, units.ordered - units.removed - units.shipped) for line, units in state.quantities.items()},
    )


def told(made: list[DocumentLine]) -> list[tuple[Component, int, str]]:
    return [(x.component, x.amount_minor, x.detail) for x in made]


# --- by units ------------------------------------------------------------------------------------------------------


@given(lines("1", "USD"), st.data())
def test_a_line_billed_in_any_portions_is_billed_exactly(sold: Line, data: st.DataObject) -> None:
    bill, left, billed = Bill(sold, []), sold.quantity, 0

    while left:
        some = data.draw(st.integers(1, left))
        left -= some
        billed += sum(x.amount_minor for x in bill.take(some, "mug"))

    assert billed == sold.net_minor + sum(x.amount_minor for x in sold.taxes)


@given(lines("1", "USD"))
def test_a_line_as_placed_makes_what_it_sells_for(sold: Line) -> None:
    made = sum(x.amount_minor for x in placed(sold, "mug"))

    assert made == sold.net_minor + sum(x.amount_minor for x in sold.taxes)


@given(histories())
def test_what_of_a_refund_never_left_and_what_is_credited_make_the_refund(history: History) -> None:
    made = cut(*history.facts)

    for row in (row for rows in made.values() for row in rows):
        assert row.cancelled + row.credited == row.given.quantity
        assert row.cancelled_net_minor + row.credited_net_minor == row.given.net_minor
        assert row.cancelled_tax_minor + row.credited_tax_minor == row.given.tax_minor


def test_three_units_of_ten_cents_and_a_cent_less_are_billed_one_by_one() -> None:
    bill = Bill(line("1", 3, 10, discounts=(discount(1),), taxes=(tax(2),)), [])

    made = [told(list(bill.take(1, "mug"))) for _ in range(3)]

    assert made == [
        [(Component.GOODS, 10, ""), (Component.TAX, 1, "State Tax")],
        [(Component.GOODS, 10, ""), (Component.TAX, 1, "State Tax")],
        [(Component.GOODS, 10, ""), (Component.DISCOUNT, -1, "seller")],
    ]


def test_a_unit_removed_by_an_edit_is_not_billed() -> None:
    bill = Bill(line("1", 3, 1000, taxes=(tax(100),), removed=1), [])

    made = told(list(bill.take(2, "mug")))

    assert made == [(Component.GOODS, 2000, ""), (Component.TAX, 67, "State Tax")]


def test_a_unit_refunded_before_it_shipped_is_billed_at_what_the_refund_leaves() -> None:
    """The channel gave back 3.34 of 10.00 for one of three: two carry 6.66, though their list price is 6.67."""
    sold = replace(line("1", 3, 333), unit_price=Decimal("3.3333"), gross_minor=1000)
    (row,) = cut(fact(snapshot(sold)), refunded("r1", 5, given_back("1", 1, 334, restock=Restock.CANCEL)))["r1"]

    made = told(list(Bill(sold, [row]).take(2, "mug")))

    assert made == [(Component.GOODS, 667, ""), (Component.DISCOUNT, -1, "seller")]


def test_units_beyond_what_can_be_billed_carry_nothing() -> None:
    bill = Bill(line("1", 2, 1000), [])

    assert told(list(bill.take(3, "mug"))) == [(Component.GOODS, 2000, "")]
    assert list(bill.take(1, "mug")) == []


def test_a_gift_card_is_billed_as_one() -> None:
    bill = Bill(line("1", 1, 5000, kind=LineKind.GIFT_CARD), [])

    assert told(list(bill.take(1, None))) == [(Component.GIFT_CARD, 5000, "")]


def test_tax_in_the_price_is_billed_beside_the_goods() -> None:
    bill = Bill(line("1", 1, 1190, taxes=(tax(190, "VAT", included=True),)), [])

    assert told(list(bill.take(1, "mug"))) == [(Component.GOODS, 1000, ""), (Component.TAX, 190, "VAT")]


def test_tax_that_the_marketplace_remits_is_told_apart() -> None:
    bill = Bill(line("1", 1, 1000, taxes=(tax(80, collector=Collector.MARKETPLACE),)), [])

    assert told(list(bill.take(1, "mug")))[1:] == [(Component.MARKETPLACE_TAX, 80, "State Tax")]


# --- refunds cut ---------------------------------------------------------------------------------------------------


def test_a_refund_of_more_units_than_wait_is_cut_in_two() -> None:
    """Two of three shipped; three are refunded for 10.00: one never left, two are credited."""
    (row,) = cut(
        fact(snapshot(line("1", 3, 400))),
        shipped("f1", 5, l1=2),
        refunded("r1", 9, given_back("1", 3, 1000, 50, Restock.NO_RESTOCK)),
    )["r1"]

    assert (row.cancelled, row.cancelled_net_minor, row.cancelled_tax_minor) == (1, 333, 16)
    assert (row.credited, row.credited_net_minor, row.credited_tax_minor) == (2, 667, 34)


def test_of_two_refunds_the_first_takes_the_units_that_wait() -> None:
    made = cut(
        fact(snapshot(line("1", 2, 400))),
        shipped("f1", 5, l1=1),
        refunded("r1", 8, given_back("1", 1, 400, restock=Restock.NO_RESTOCK)),
        refunded("r2", 9, given_back("1", 1, 400, restock=Restock.NO_RESTOCK)),
    )

    assert [(row.cancelled, row.credited) for row in (*made["r1"], *made["r2"])] == [(1, 0), (0, 1)]


def test_an_amount_for_no_units_is_credited() -> None:
    (row,) = cut(fact(snapshot(line("1", 2, 400))), refunded("r1", 8, given_back("1", 0, 150, 12)))["r1"]

    assert (row.cancelled, row.credited_net_minor, row.credited_tax_minor) == (0, 150, 12)


# --- sharing -------------------------------------------------------------------------------------------------------


def test_a_discount_is_shared_by_who_funds_it() -> None:
    sold = line("1", 2, 1000, discounts=(discount(100), discount(300, Collector.MARKETPLACE)))

    assert told(list(discount_lines(sold, -201))) == [
        (Component.DISCOUNT, -50, "seller"),
        (Component.DISCOUNT, -151, "marketplace"),
    ]


def test_refunded_tax_lies_as_the_original_taxes() -> None:
    taxes = (tax(60, "State Tax"), tax(30, "County Tax"))

    assert told(list(tax_lines(taxes, 46))) == [(Component.TAX, 31, "State Tax"), (Component.TAX, 15, "County Tax")]


def test_refunded_tax_of_an_untaxed_line_is_named_unspecified() -> None:
    assert told(list(tax_lines((), 46))) == [(Component.TAX, 46, "unspecified")]


def test_amounts_that_are_all_zero_share_evenly() -> None:
    assert spread_like(3, [0, 0]) == (2, 1)
    assert spread_like(3, []) == ()
