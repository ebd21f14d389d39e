"""plan: the documents of an order, typed out."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given

from hub.books import Chart, Unpostable, post
from hub.flow.terms import Terms
from hub.model.crosswalk import CrosswalkKind, CrosswalkRow
from hub.model.documents import Component, Document, DocumentKind, Rate
from hub.model.facts import (
    Adjustment,
    AdjustmentKind,
    Fact,
    Fulfilment,
    Restock,
    Source,
    Tender,
    TenderKind,
    TenderStatus,
)
from hub.model.order import Charge, ChargeKind, Line, LineKind, PartyRef
from hub.testing.builders import (
    PLACED_AT,
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
    tax,
    terms,
)
from tests.hub.flow.bookkeeping import CHART, POLICY, planned

K = DocumentKind
ORDER = fact(snapshot(line("1", 2)))
PAID = captured("t1", 1, 2000)
SENT = shipped("f1", 60, l1=2)
BACK = refunded("r1", 90, given_back("1", 1, 1000))

Lines = list[tuple[Component, int]]


def told(*facts: Fact, under: Terms | None = None) -> list[tuple[DocumentKind, Lines]]:
    """Kinds and lines of the documents after the sales order."""
    made = planned(facts, under or terms())
    return [(x.kind, [(one.component, one.amount_minor) for one in x.lines]) for x in made[1:]]


def only(kind: DocumentKind, *facts: Fact, under: Terms | None = None) -> Document:
    (found,) = [x for x in planned(facts, under or terms()) if x.kind is kind]
    return found


def row(kind: CrosswalkKind, source: str, target: str, since: date = date(2026, 1, 1)) -> CrosswalkRow:
    return CrosswalkRow(kind, "*", source, target, since)


# --- which documents there are -------------------------------------------------------------------------------------


def test_what_the_erp_shipped_itself_is_invoiced_and_not_told_to_it_as_a_fulfilment() -> None:
    by_hand = replace(SENT, source=Source.ERP)

    assert told(ORDER, PAID, by_hand) == [
        (K.DEPOSIT, [(Component.DEPOSITS, 2000)]),
        (K.INVOICE, [(Component.GOODS, 2000)]),
        (K.DEPOSIT_APPLICATION, [(Component.DEPOSITS, 2000)]),
    ]
    assert only(K.INVOICE, ORDER, PAID, by_hand).applies_to is None


def test_what_the_erp_shipped_and_comes_back_under_way_is_taken_out_of_transit() -> None:
    """The return names no fulfilment of ours: the ERP finds its own by the order."""
    by_hand = replace(SENT, source=Source.ERP)

    back = only(K.RETURN_RECEIPT, ORDER, PAID, by_hand, BACK, under=terms(recognise_on_delivery=True))

    assert ([x.quantity for x in back.lines], back.applies_to, back.deferred) == ([1], None, True)


def test_an_order_paid_beforehand_is_a_deposit_applied_to_its_invoice() -> None:
    assert told(ORDER, PAID, SENT) == [
        (K.DEPOSIT, [(Component.DEPOSITS, 2000)]),
        (K.FULFILMENT, [(Component.STOCK, 0)]),
        (K.INVOICE, [(Component.GOODS, 2000)]),
        (K.DEPOSIT_APPLICATION, [(Component.DEPOSITS, 2000)]),
    ]


def test_an_order_paid_after_its_invoice_is_a_payment() -> None:
    assert told(ORDER, captured("t1", 90, 2000), SENT) == [
        (K.FULFILMENT, [(Component.STOCK, 0)]),
        (K.INVOICE, [(Component.GOODS, 2000)]),
        (K.PAYMENT, [(Component.RECEIVABLE, 2000)]),
    ]


def test_money_beyond_what_is_invoiced_is_a_deposit_of_which_a_part_is_applied_at_once() -> None:
    assert told(ORDER, shipped("f1", 60, l1=1), captured("t1", 90, 2000))[2:] == [
        (K.DEPOSIT, [(Component.DEPOSITS, 2000)]),
        (K.DEPOSIT_APPLICATION, [(Component.DEPOSITS, 1000)]),
    ]


def test_an_application_by_a_tender_and_one_by_a_shipment_of_one_id_are_two() -> None:
    """A channel that counts each kind of thing from 1 gives a tender and a shipment the same id."""
    made = planned([ORDER, shipped("1", 60, l1=1), captured("2", 90, 2000), shipped("2", 99, l1=1)], terms())

    keys = [x.key for x in made if x.kind is K.DEPOSIT_APPLICATION]
    assert len(keys) == 2
    assert len(set(keys)) == 2


def test_an_order_unknown_or_a_test_has_no_documents() -> None:
    assert planned([PAID, SENT], terms()) == []
    assert planned([fact(snapshot(line("1", 2), test=True)), PAID, SENT], terms()) == []


def test_an_order_of_no_lines_is_a_sales_order_alone() -> None:
    assert [x.kind for x in planned([fact(snapshot())], terms())] == [K.SALES_ORDER]


def test_test_money_is_not_booked() -> None:
    body = Tender(TenderKind.SALE, TenderStatus.SUCCESS, "bogus", 2000, "USD", at(1), test=True)

    assert told(ORDER, fact(body, "t1")) == []


@pytest.mark.parametrize("kind", [TenderKind.AUTHORIZATION, TenderKind.VOID])
def test_an_authorisation_or_its_void_books_no_money(kind: TenderKind) -> None:
    assert told(ORDER, fact(Tender(kind, TenderStatus.SUCCESS, "paypal", 2000, "USD", at(1)), "t1")) == []


# --- the sales order and the invoice -------------------------------------------------------------------------------

FULL = snapshot(
    line("1", 2, 1000, discounts=(discount(200),), taxes=(tax(144),)),
    line("2", 1, 5000, kind=LineKind.GIFT_CARD, sku=None),
    shipping=(shipping(500, (tax(40),)),),
    charges=(
        Charge(ChargeKind.DUTY, 300), Charge(ChargeKind.TIP, 150), Charge(ChargeKind.FEE, 75),
        Charge(ChargeKind.CASH_ROUNDING, -4), Charge(ChargeKind.TAX_ROUNDING, 1),
    ),
)  # fmt: skip
PARTS: Lines = [
    (Component.GOODS, 2000), (Component.DISCOUNT, -200), (Component.TAX, 144), (Component.GIFT_CARD, 5000),
    (Component.SHIPPING, 500), (Component.TAX, 40), (Component.DUTY, 300), (Component.TIP, 150), (Component.FEE, 75),
    (Component.CASH_ROUNDING, -4), (Component.TAX_ROUNDING, 1),
]  # fmt: skip


def test_a_sales_order_has_a_line_for_each_part() -> None:
    made = only(K.SALES_ORDER, fact(FULL))

    assert [(x.component, x.amount_minor) for x in made.lines] == PARTS
    assert (made.total_minor, made.reference, made.currency) == (8006, "#1001", "USD")


def test_the_first_invoice_carries_shipping_and_charges() -> None:
    made = only(K.INVOICE, fact(FULL), shipped("f1", 60, l1=2, l2=1))

    assert [(x.component, x.amount_minor) for x in made.lines] == PARTS


def test_a_later_invoice_carries_its_goods_alone() -> None:
    made = planned([fact(FULL), shipped("f1", 60, l1=2), shipped("f2", 90, l2=1)], terms())

    assert [(x.component, x.amount_minor) for x in made[-1].lines] == [(Component.GIFT_CARD, 5000)]


def test_a_sales_order_is_lowered_by_an_edit_in_a_line_of_its_own() -> None:
    made = only(K.SALES_ORDER, fact(snapshot(line("1", 3, removed=1))))

    assert [(x.component, x.amount_minor, x.quantity, x.detail) for x in made.lines] == [
        (Component.GOODS, 3000, 3, ""),
        (Component.ADJUSTMENT, 0, 1, "edited"),
        (Component.ADJUSTMENT, -1000, 0, "edited"),
    ]


def test_units_refunded_before_they_were_shipped_are_taken_out_of_the_sales_order() -> None:
    made = only(K.SALES_ORDER, ORDER, PAID, refunded("r1", 30, given_back("1", 1, 1000)))

    assert [
        (x.amount_minor, x.line, x.quantity, x.detail) for x in made.lines if x.component is Component.ADJUSTMENT
    ] == [
        (0, "1", 1, "cancelled"),
    ]


def test_money_names_the_documents_that_it_is_taken_from_and_settles() -> None:
    """Two captures pay two shipments, the oldest first, and a later refund is paid out of what its memo credits."""
    facts = [
        fact(snapshot(line("1", 4))),
        captured("t1", 1, 1500),
        shipped("f1", 60, l1=2),
        captured("t2", 70, 1500),
        shipped("f2", 80, l1=2),
        captured("t3", 90, 1000),
        refunded("r1", 95, given_back("1", 1, 1000)),
        paid_out("t4", 96, 1000, "r1"),
    ]

    made = planned(facts, terms())

    named = [
        (x.key.split("-")[0], [(y.component, y.amount_minor, y.detail) for y in (*x.lines, *x.settles) if y.detail])
        for x in made
        if x.kind in (K.DEPOSIT_APPLICATION, K.PAYMENT, K.REFUND)
    ]
    first, second = (x.key for x in made if x.kind is K.INVOICE)
    paid, later = (x.key for x in made if x.kind is K.DEPOSIT)
    (memo,) = (x.key for x in made if x.kind is K.CREDIT_MEMO)
    assert named == [
        ("depapp", [(Component.DEPOSITS, 1500, paid), (Component.RECEIVABLE, 1500, first)]),
        ("depapp", [(Component.DEPOSITS, 500, later), (Component.RECEIVABLE, 500, first)]),
        ("depapp", [(Component.DEPOSITS, 1000, later), (Component.RECEIVABLE, 1000, second)]),
        ("pay", [(Component.RECEIVABLE, 1000, second)]),
        ("ref", [(Component.REFUNDS_PAYABLE, 1000, memo)]),
    ]


def test_documents_are_dated_where_the_entity_keeps_its_books() -> None:
    made = planned([ORDER, captured("t1", 13 * 60, 2000)], terms(timezone="Asia/Tokyo"))

    assert [x.date for x in made] == [date(2026, 3, 2), date(2026, 3, 3)]


def test_a_foreign_order_carries_its_rate_and_its_stock_does_not() -> None:
    rate = Rate(Decimal("1.08"), date(2026, 3, 2), "by hand")
    order = fact(snapshot(line("1", 2, currency="EUR"), currency="EUR"))

    made = planned([order, SENT], terms(rate=rate))

    assert [(x.kind, x.currency, x.rate) for x in made] == [
        (K.SALES_ORDER, "EUR", rate),
        (K.FULFILMENT, "USD", None),
        (K.INVOICE, "EUR", rate),
    ]


# --- goods ---------------------------------------------------------------------------------------------------------


def test_a_fulfilment_moves_stock_of_items_from_the_main_location() -> None:
    made = only(K.FULFILMENT, ORDER, SENT)

    assert [(x.item, x.quantity) for x in made.lines] == [("mug", 2)]
    assert made.location == "main"


@pytest.mark.parametrize(
    "sold",
    [line("1", 2, kind=LineKind.CUSTOM), line("1", 2, kind=LineKind.KIT), line("1", 2, requires_shipping=False)],
    ids=["custom", "kit", "digital"],
)
def test_what_is_no_stock_is_invoiced_without_a_fulfilment(sold: Line) -> None:
    assert [kind for kind, _ in told(fact(snapshot(sold)), SENT)] == [K.INVOICE]


def test_goods_that_came_back_are_received() -> None:
    made = only(K.RETURN_RECEIPT, ORDER, PAID, SENT, BACK)

    assert [(x.item, x.quantity) for x in made.lines] == [("mug", 1)]


def test_goods_that_came_back_to_several_locations_are_received_at_each() -> None:
    """Units without a location of their own go where the refund's first one went."""
    gone = fact(snapshot(line("1"), line("2"), line("3")))
    back = [
        replace(given_back("1", 1, 1000), location="L1"),
        replace(given_back("2", 1, 1000), location="L2"),
        given_back("3", 1, 1000),
    ]
    under = terms(rows=[row(CrosswalkKind.LOCATION, "L1", "east"), row(CrosswalkKind.LOCATION, "L2", "west")])

    made = planned([gone, shipped("f1", 60, l1=1, l2=1, l3=1), refunded("r1", 90, *back)], under)

    receipts = [x for x in made if x.kind is K.RETURN_RECEIPT]
    assert [(x.location, [y.line for y in x.lines]) for x in receipts] == [("east", ["1", "3"]), ("west", ["2"])]
    assert receipts[0].key == "ret-webshop-1001-r1"
    assert receipts[1].key != receipts[0].key


def test_goods_that_did_not_come_back_are_not_received() -> None:
    gone = refunded("r1", 90, given_back("1", 1, 1000, restock=Restock.NO_RESTOCK))

    assert K.RETURN_RECEIPT not in [kind for kind, _ in told(ORDER, PAID, SENT, gone)]


def test_what_never_was_stock_does_not_come_back_into_it() -> None:
    """A download that the shop marked as restocked."""
    order = fact(snapshot(line("1", 2, requires_shipping=False)))

    assert K.RETURN_RECEIPT not in [kind for kind, _ in told(order, PAID, SENT, BACK)]


# --- recognised on delivery ----------------------------------------------------------------------------------------


def test_delivery_turns_deferred_revenue_into_revenue() -> None:
    order = fact(snapshot(line("1", 2, discounts=(discount(200),)), shipping=(shipping(500),)))

    made = planned([order, shipped("f1", 60, delivered=2000, l1=2)], terms(recognise_on_delivery=True))

    assert [x.deferred for x in made] == [False, True, True, False]
    assert [(x.detail, x.amount_minor) for x in made[-1].lines] == [
        ("deferred_revenue", 2000), ("revenue", -2000), ("deferred_revenue", -200), ("discounts", 200),
        ("deferred_revenue", 500), ("shipping_income", -500), ("", 0),
    ]  # fmt: skip
    assert (made[-1].date, made[-1].applies_to) == (date(2026, 3, 3), "ful-webshop-1001-f1")


def test_goods_shipped_beyond_the_order_leave_transit_when_they_arrive() -> None:
    """They are on no invoice, but their cost went into transit."""
    extra = shipped("f2", 90, delivered=120, l1=1)

    made = planned([ORDER, shipped("f1", 60, delivered=80, l1=2), extra], terms(recognise_on_delivery=True))

    moved = {x.applies_to for x in made if x.kind is K.JOURNAL_ENTRY}
    assert moved == {"ful-webshop-1001-f1", "ful-webshop-1001-f2"}


def test_what_is_given_back_under_way_comes_out_of_deferred_revenue_as_it_was_billed() -> None:
    """The channel gives 9.99 for a unit billed at 10.00: the cent is not deferred any more."""
    back = refunded("r1", 90, given_back("1", 1, 999))
    conditions = terms(recognise_on_delivery=True)

    memo = only(K.CREDIT_MEMO, ORDER, PAID, SENT, back, under=conditions)
    receipt = only(K.RETURN_RECEIPT, ORDER, PAID, SENT, back, under=conditions)

    assert [(x.amount_minor, x.quantity, x.detail) for x in memo.lines] == [(1000, 1, "deferred"), (-1, 0, "")]
    assert (receipt.deferred, receipt.applies_to) == (True, "ful-webshop-1001-f1")


def test_delivery_recognises_what_was_not_given_back_before() -> None:
    arrived = shipped("f1", 60, delivered=120, l1=2)

    made = only(K.JOURNAL_ENTRY, ORDER, PAID, arrived, BACK, under=terms(recognise_on_delivery=True))

    assert [(x.detail, x.amount_minor, x.quantity) for x in made.lines] == [
        ("deferred_revenue", 1000, 0), ("revenue", -1000, 0), ("", 0, 1),
    ]  # fmt: skip


def test_what_is_given_back_is_taken_from_what_arrived_before_what_is_under_way() -> None:
    sent = [shipped("f1", 60, l1=1), shipped("f2", 60, delivered=70, l1=1)]

    receipt = only(K.RETURN_RECEIPT, ORDER, PAID, *sent, BACK, under=terms(recognise_on_delivery=True))

    assert (receipt.deferred, receipt.applies_to) == (False, "ful-webshop-1001-f2")


def test_one_refund_of_arrived_units_and_of_units_under_way_is_one_memo_and_two_receipts() -> None:
    sent = [shipped("f1", 60, delivered=70, l1=1), shipped("f2", 60, l1=1)]
    both = refunded("r1", 90, given_back("1", 2, 2000))

    made = planned([ORDER, PAID, *sent, both], terms(recognise_on_delivery=True))

    assert [(x.key, x.deferred) for x in made if x.kind is K.RETURN_RECEIPT] == [
        ("ret-webshop-1001-r1-f1", False),
        ("ret-webshop-1001-r1-f2", True),
    ]
    (memo,) = [x for x in made if x.kind is K.CREDIT_MEMO]
    assert [(x.amount_minor, x.detail) for x in memo.lines] == [(1000, "deferred"), (1000, "")]


# --- money and goods back ------------------------------------------------------------------------------------------


def test_a_refund_after_shipment_is_a_credit_memo_and_its_payout() -> None:
    assert told(ORDER, PAID, SENT, BACK, paid_out("t2", 91, 1000, "r1"))[4:] == [
        (K.RETURN_RECEIPT, [(Component.STOCK, 0)]),
        (K.CREDIT_MEMO, [(Component.GOODS, 1000)]),
        (K.REFUND, [(Component.REFUNDS_PAYABLE, 1000)]),
    ]


def test_a_payout_stamped_before_its_refund_pays_it_all_the_same() -> None:
    """Money may be stamped seconds before the refund that it belongs to; the deposit of what waits is not touched."""
    order, half = fact(snapshot(line("1", 4))), shipped("f1", 60, l1=2)

    made = told(order, captured("t1", 1, 4000), half, BACK, paid_out("t2", 89, 1000, "r1"))

    assert made[-1] == (K.REFUND, [(Component.REFUNDS_PAYABLE, 1000)])


def test_a_refund_before_shipment_comes_out_of_the_deposit_and_is_never_billed() -> None:
    off = refunded("r1", 10, given_back("1", 1, 1000, restock=Restock.CANCEL))

    assert told(ORDER, PAID, off, paid_out("t2", 10, 1000, "r1"), shipped("f1", 60, l1=1)) == [
        (K.DEPOSIT, [(Component.DEPOSITS, 2000)]),
        (K.REFUND, [(Component.DEPOSITS, 1000)]),
        (K.FULFILMENT, [(Component.STOCK, 0)]),
        (K.INVOICE, [(Component.GOODS, 1000)]),
        (K.DEPOSIT_APPLICATION, [(Component.DEPOSITS, 1000)]),
    ]


def test_a_refund_of_shipped_and_waiting_units_pays_out_of_both() -> None:
    both = refunded("r1", 90, given_back("1", 2, 2000, restock=Restock.NO_RESTOCK))

    made = told(ORDER, PAID, shipped("f1", 60, l1=1), both, paid_out("t2", 91, 2000, "r1"))

    assert made[-2:] == [
        (K.CREDIT_MEMO, [(Component.GOODS, 1000)]),
        (K.REFUND, [(Component.REFUNDS_PAYABLE, 1000), (Component.DEPOSITS, 1000)]),
    ]


def test_an_amount_alone_after_shipment_is_credited_as_an_allowance() -> None:
    allowance = refunded("r1", 90, adjustments=(Adjustment(AdjustmentKind.DISCREPANCY, 300),))

    assert told(ORDER, PAID, SENT, allowance, paid_out("t2", 91, 300, "r1"))[4:] == [
        (K.CREDIT_MEMO, [(Component.ADJUSTMENT, 300)]),
        (K.REFUND, [(Component.REFUNDS_PAYABLE, 300)]),
    ]


def test_an_amount_for_a_line_but_no_units_is_credited_without_a_return() -> None:
    some = refunded("r1", 90, given_back("1", 0, 300))

    assert told(ORDER, PAID, SENT, some, paid_out("t2", 91, 300, "r1"))[4:] == [
        (K.CREDIT_MEMO, [(Component.GOODS, 300)]),
        (K.REFUND, [(Component.REFUNDS_PAYABLE, 300)]),
    ]


def test_an_amount_alone_before_shipment_lowers_the_first_invoice() -> None:
    allowance = refunded("r1", 10, adjustments=(Adjustment(AdjustmentKind.DISCREPANCY, 300),))

    made = only(K.INVOICE, ORDER, PAID, allowance, paid_out("t2", 10, 300, "r1"), SENT)

    assert [(x.component, x.amount_minor) for x in made.lines] == [
        (Component.GOODS, 2000),
        (Component.ADJUSTMENT, -300),
    ]


def test_shipping_given_back_is_credited_with_its_tax() -> None:
    order = fact(snapshot(line("1", 2), shipping=(shipping(500, (tax(40),)),)))
    back = refunded("r1", 90, adjustments=(Adjustment(AdjustmentKind.SHIPPING, 500, 40),))

    made = only(K.CREDIT_MEMO, order, SENT, back, paid_out("t2", 91, 540, "r1"))

    assert [(x.component, x.amount_minor, x.detail) for x in made.lines] == [
        (Component.SHIPPING, 500, "shipping"),
        (Component.TAX, 40, "State Tax"),
    ]


def test_a_restocking_fee_lowers_the_credit() -> None:
    back = refunded("r1", 90, given_back("1", 1, 1000), adjustments=(Adjustment(AdjustmentKind.FEE, -150),))

    made = only(K.CREDIT_MEMO, ORDER, PAID, SENT, back, paid_out("t2", 91, 850, "r1"))

    assert [(x.component, x.amount_minor) for x in made.lines] == [
        (Component.GOODS, 1000),
        (Component.ADJUSTMENT, -150),
    ]
    assert [(x.component, x.amount_minor) for x in made.settles] == [(Component.REFUNDS_PAYABLE, 850)]


def test_tax_given_back_with_an_order_of_no_lines_is_credited_all_the_same() -> None:
    order = fact(snapshot(charges=(Charge(ChargeKind.TIP, 100),)))
    back = refunded("r1", 90, adjustments=(Adjustment(AdjustmentKind.DISCREPANCY, 100, 8),))

    assert told(order, captured("t1", 1, 100), back) == [(K.DEPOSIT, [(Component.DEPOSITS, 100)])]


def test_goods_given_in_exchange_are_paid_by_the_credit() -> None:
    """A mug of 10.00 comes back, a bottle of 12.00 goes out; the customer adds 2.00."""
    order = fact(snapshot(line("1"), line("2", 1, 1200, sku="TEE")))

    made = planned(
        [
            order,
            captured("t1", 1, 1000),
            shipped("f1", 60, l1=1),
            BACK,
            captured("t2", 95, 200),
            shipped("f2", 99, l2=1),
        ],
        terms(),
    )

    memo = next(x for x in made if x.kind is K.CREDIT_MEMO)
    assert [(x.component, x.amount_minor) for x in memo.settles] == [(Component.RECEIVABLE, 1000)]
    assert [(x.kind, x.total_minor) for x in made[-3:]] == [
        (K.FULFILMENT, 0), (K.INVOICE, 1200), (K.DEPOSIT_APPLICATION, 200),
    ]  # fmt: skip


def test_a_deposit_settles_no_more_than_the_customer_still_owes() -> None:
    """10.00 came back without money and stand to the customer's credit: of the 12.00 invoiced 2.00 are due."""
    order = fact(snapshot(line("1"), line("2", 1, 1200, sku="TEE")))
    money = [captured("t1", 1, 1000), captured("t2", 95, 1200)]

    assert told(order, *money, shipped("f1", 60, l1=1), BACK, shipped("f2", 99, l2=1))[-1] == (
        K.DEPOSIT_APPLICATION,
        [(Component.DEPOSITS, 200)],
    )


def test_money_after_a_credit_pays_what_the_credit_left() -> None:
    """Invoiced 20.00, credited 10.00 without money: of 15.00 that come in, 10.00 are due."""
    assert told(ORDER, SENT, BACK, captured("t1", 120, 1500))[-2:] == [
        (K.DEPOSIT, [(Component.DEPOSITS, 1500)]),
        (K.DEPOSIT_APPLICATION, [(Component.DEPOSITS, 1000)]),
    ]


def test_the_second_payout_of_a_refund_takes_what_the_first_left() -> None:
    both = refunded("r1", 90, given_back("1", 2, 2000, restock=Restock.NO_RESTOCK))
    money = [paid_out("t2", 91, 1200, "r1"), paid_out("t3", 92, 800, "r1")]

    assert told(ORDER, PAID, shipped("f1", 60, l1=1), both, *money)[-2:] == [
        (K.REFUND, [(Component.REFUNDS_PAYABLE, 1000), (Component.DEPOSITS, 200)]),
        (K.REFUND, [(Component.DEPOSITS, 800)]),
    ]


def test_a_payout_names_its_method_and_its_tender() -> None:
    made = only(K.REFUND, ORDER, PAID, SENT, BACK, paid_out("t2", 91, 1000, "r1", method="paypal"))

    assert (made.method, made.memo, made.key) == ("paypal", "t2", "ref-webshop-1001-t2")


# --- for any order -------------------------------------------------------------------------------------------------


@given(histories(currency="USD"))
def test_stock_goes_out_as_shipped_and_comes_back_as_returned(history: History) -> None:
    sold = {x.id for x in history.snapshot.lines if x.kind is LineKind.PRODUCT}
    made = planned(history.facts, terms())

    out = sum(one.quantity for x in made if x.kind is K.FULFILMENT for one in x.lines)
    bodies = [one.body for one in history.facts if isinstance(one.body, Fulfilment)]
    sent = sum(row.quantity for body in bodies for row in body.lines if row.line in sold)
    back = sum(one.quantity for x in made if x.kind is K.RETURN_RECEIPT for one in x.lines)
    assert out == sent
    assert back <= out


@given(called_off(currency="USD"))
def test_an_order_called_off_before_shipment_is_money_in_and_money_out(history: History) -> None:
    kinds = {x.kind for x in planned(history.facts, terms())}

    assert kinds <= {K.SALES_ORDER, K.DEPOSIT, K.REFUND}


# --- the ERP's own words -------------------------------------------------------------------------------------------


def test_a_ship_method_is_the_erps_on_the_order_and_its_fulfilment() -> None:
    facts = [fact(snapshot(line(), shipping=(shipping(500),))), shipped("f1", 60, l1=1)]

    plain = planned(facts, terms())
    mapped = planned(facts, terms(rows=[row(CrosswalkKind.SHIP_METHOD, "Standard", "UPS-GND")]))

    assert [(x.kind, x.ship_method) for x in plain if x.ship_method] == [
        (K.SALES_ORDER, "Standard"),
        (K.FULFILMENT, "Standard"),
    ]
    assert {x.ship_method for x in mapped} == {"UPS-GND", None}


def test_a_row_that_begins_after_the_order_was_placed_changes_none_of_its_documents() -> None:
    facts = [fact(snapshot(line(taxes=(tax(80),)), shipping=(shipping(500),))), SENT, BACK]
    late = [
        row(CrosswalkKind.SHIP_METHOD, "standard", "UPS-GND", date(2026, 12, 31)),
        row(CrosswalkKind.TAX_CODE, "State Tax", "CA", date(2026, 12, 31)),
        row(CrosswalkKind.GL_ACCOUNT, "revenue", "4010", date(2026, 12, 31)),
    ]

    assert planned(facts, terms(rows=late)) == planned(facts, terms())


def test_a_tax_code_stands_for_its_jurisdiction_on_every_document_of_the_order() -> None:
    """A refund credits the account that the sale posted to, though the row has changed in between."""
    facts = [
        fact(snapshot(line(quantity=2, taxes=(tax(160),)))),
        SENT,
        refunded("r1", 90, given_back("1", 1, 1000, 80)),
    ]
    rows = [
        row(CrosswalkKind.TAX_CODE, "State Tax", "CA-STATE"),
        row(CrosswalkKind.TAX_CODE, "State Tax", "CA-NEW", PLACED_AT.date() + timedelta(days=1)),
    ]

    made = planned(facts, terms(rows=rows))

    taxes = {(x.kind, y.detail) for x in made for y in x.lines if y.component is Component.TAX}
    assert taxes == {(kind, "CA-STATE") for kind in (K.SALES_ORDER, K.INVOICE, K.CREDIT_MEMO)}


@pytest.mark.parametrize("on_delivery", [False, True])
def test_a_channels_own_account_takes_all_that_its_role_would_have_taken(on_delivery: bool) -> None:
    raw = yaml.safe_load((Path(__file__).parents[3] / "config" / "chart.yaml").read_text())
    online = {"number": "4010", "name": "Online revenue", "type": "income", "role": "revenue", "alternative": True}
    raw["accounts"].append(online)
    sent = shipped("f1", 60, delivered=90, l1=2)
    facts = [fact(snapshot(line("1", 2, discounts=(discount(100),)))), sent]
    under = terms(recognise_on_delivery=on_delivery, rows=[row(CrosswalkKind.GL_ACCOUNT, "revenue", "4010")])

    entries = [post(x, Chart.parse(raw), POLICY, "USD") for x in planned(facts, under)]

    sums: dict[str, int] = {}
    for posting in [one for entry in entries if entry for one in entry.postings]:
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    assert (sums["4010"], sums.get("4000"), sums["4200"]) == (-2000, None, 100)


def test_an_account_that_the_chart_lacks_is_refused_by_name() -> None:
    under = terms(rows=[row(CrosswalkKind.GL_ACCOUNT, "revenue", "4010")])
    invoice = only(K.INVOICE, ORDER, SENT, under=under)

    with pytest.raises(Unpostable, match="no account 4010 of the role revenue"):
        post(invoice, CHART, POLICY, "USD")


@pytest.mark.parametrize(
    ("customer", "business", "rows", "expected"),
    [
        ("customer-7", False, [], None),
        ("customer-7", False, [("*", "RETAIL")], "RETAIL"),
        ("customer-7", True, [("*", "RETAIL"), ("business", "WHOLESALE")], "WHOLESALE"),
        ("customer-7", True, [("consumer", "RETAIL")], None),
        ("guest-7", False, [("guest", "GUESTS"), ("consumer", "RETAIL")], "GUESTS"),
    ],
)
def test_a_customers_class_goes_by_who_buys(
    customer: str, business: bool, rows: list[tuple[str, str]], expected: str | None
) -> None:
    under = terms(rows=[row(CrosswalkKind.CUSTOMER_CLASS, *words) for words in rows])
    bought = replace(snapshot(line(), business=business), customer=PartyRef(customer, "1"))

    assert under.customer_class(bought, date(2026, 6, 1)) == expected
