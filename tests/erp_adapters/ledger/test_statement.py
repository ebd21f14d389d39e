"""The statement, hand operations and changes: what reconciliation reads."""

import datetime

import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.errors import Rejected
from hub.model.documents import Component
from hub.model.statement import ErpRow, StatementRow, Subject
from tests.erp_adapters.ledger.sale import deposit, fulfilment, invoice, masters, of_order, sales_order, write
from tests.erp_adapters.ledger.test_documents_in import balances, put
from tests.hub.books.documents import DAY, line

OCTOBER = (datetime.date(2026, 10, 1), datetime.date(2026, 10, 31))
NOVEMBER = (datetime.date(2026, 11, 1), datetime.date(2026, 11, 30))


@pytest.fixture
def sold(ledger: LedgerSimulator) -> LedgerSimulator:
    ledger.put(masters())
    refund = of_order("refund", line("deposits", 500), fact="t2", method="shopify_payments", memo="t2")
    put(ledger, sales_order(), deposit(), fulfilment(), invoice(), refund)
    return ledger


def test_a_statement_has_a_row_an_order_a_payment_and_a_refund(sold: LedgerSimulator) -> None:
    at = {"entity": "main", "channel": "shopify", "order": "1001", "currency": "USD", "date": DAY}
    placed = StatementRow(
        **at,  # type: ignore[arg-type]
        subject=Subject.ORDER,
        subject_id="1001",
        goods_minor=10000,
        discount_minor=-1000,
        shipping_minor=500,
        tax_minor=760,
    )
    paid = StatementRow(**at, subject=Subject.PAYMENT, subject_id="t1", payment_minor=10260)  # type: ignore[arg-type]
    given_back = StatementRow(**at, subject=Subject.REFUND, subject_id="t2", refund_minor=-500)  # type: ignore[arg-type]

    assert list(sold.statement(*OCTOBER)) == [
        ErpRow(placed, "so-shopify-1001", "SO-3", "#1001", 1, voided=False, by_hand=False),
        ErpRow(paid, "dep-shopify-1001-t1", "DEP-4", "#1001", 1, voided=False, by_hand=False),
        ErpRow(given_back, "ref-shopify-1001-t2", "REF-7", "#1001", 1, voided=False, by_hand=False),
    ]
    assert list(sold.statement(*NOVEMBER)) == []


def test_every_component_of_an_order_has_its_column_and_they_sum_to_its_total(ledger: LedgerSimulator) -> None:
    ledger.put(masters())
    lines = (
        line("goods", 10000),
        line("gift_card", 2000),
        line("discount", -300),
        line("shipping", 400),
        line("tax", 50, "State Tax"),
        line("marketplace_tax", 60, "WA"),
        line("duty", 7),
        line("tip", 8),
        line("fee", 9),
        line("cash_rounding", -1),
        line("tax_rounding", 2),
        line("adjustment", -1000, "edited"),
        line("adjustment", -500, "cancelled"),
    )
    placed = of_order("sales_order", *lines)
    put(ledger, placed)

    (row,) = ledger.statement(*OCTOBER)

    assert (row.row.goods_minor, row.row.discount_minor, row.row.shipping_minor) == (12000, -300, 400)
    assert (row.row.tax_minor, row.row.charges_minor, row.row.rounding_minor) == (110, 24, 1)
    assert (row.row.edited_minor, row.row.cancelled_minor) == (-1000, -500)
    assert row.row.total_minor == placed.total_minor == 10735


def test_an_amount_edited_by_hand_shows_and_is_reversed_and_posted_anew(sold: LedgerSimulator) -> None:
    sold.edit_amount(sold.ref("so-shopify-1001"), 250, Component.GOODS)
    sold.edit_amount(sold.ref("inv-shopify-1001-f1"), 250, Component.GOODS)

    row = next(iter(sold.statement(*OCTOBER)))
    assert (row.row.goods_minor, row.version, row.by_hand) == (10250, 2, True)
    assert row.key == "so-shopify-1001"
    assert balances(sold)["4000"] == -10250
    (held,) = sold.read_back([sales_order()])
    assert held is not None
    assert (held.total_minor, held.version) == (10510, 2)
    assert held.revision == write(sales_order()).revision  # of what we wrote last


def test_a_document_deleted_by_hand_stays_in_the_statement_as_void(sold: LedgerSimulator) -> None:
    sold.void("SO-3")

    row = next(iter(sold.statement(*OCTOBER)))
    assert (row.key, row.voided, row.by_hand, row.row.total_minor) == ("so-shopify-1001", True, True, 10260)


def test_a_document_typed_in_twice_has_no_key_and_the_same_order(sold: LedgerSimulator) -> None:
    ref = sold.copy("SO-3")

    copy = list(sold.statement(*OCTOBER))[-1]
    assert (copy.ref, copy.key, copy.row.order, copy.reference, copy.by_hand) == (ref, "", "1001", "#1001", True)


def test_a_refund_without_a_transaction_goes_by_the_ledger_s_own_name(sold: LedgerSimulator) -> None:
    ref = sold.type_in(of_order("refund", line("deposits", 1), order="9", method="paypal"))

    assert list(sold.statement(*OCTOBER))[-1].row.subject_id == ref


def test_a_document_moved_by_hand_is_in_the_other_period(sold: LedgerSimulator) -> None:
    sold.move("SO-3", datetime.date(2026, 11, 3))

    assert [row.key for row in sold.statement(*NOVEMBER)] == ["so-shopify-1001"]
    assert "so-shopify-1001" not in [row.key for row in sold.statement(*OCTOBER)]


def test_a_person_too_is_refused_by_a_closed_period(sold: LedgerSimulator) -> None:
    sold.close("main", "2026-11")

    with pytest.raises(Rejected) as caught:
        sold.move("SO-3", datetime.date(2026, 11, 3))

    assert caught.value.code == "closed_period"
    assert list(sold.statement(*NOVEMBER)) == []
