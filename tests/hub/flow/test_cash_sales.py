"""Cash sales: a shipment and the one payment of its day that pays it in full."""

import pytest
from hypothesis import given

from hub.books.chart import Role
from hub.model.documents import Document, DocumentKind
from hub.model.facts import Fact
from hub.model.intents import Action
from hub.testing.builders import (
    History,
    captured,
    fact,
    given_back,
    histories,
    line,
    paid_out,
    refunded,
    shipped,
    snapshot,
    tax,
    terms,
)
from tests.hub.flow.bookkeeping import Bookkeeping, balances, expected, on, planned

K = DocumentKind
CASH = terms(cash_sales=True)
DAY = 24 * 60
ORDER = fact(snapshot(line("1", 2, 1000, taxes=(tax(160),))))
SENT = shipped("f1", 60, l1=2)


def kinds(*facts: Fact) -> list[DocumentKind]:
    return [one.kind for one in made(*facts) if one.kind is not K.SALES_ORDER]


def made(*facts: Fact) -> list[Document]:
    return planned(facts, CASH)


@pytest.mark.parametrize("minutes", [30, 90])
def test_money_of_the_day_before_or_after_the_shipment_makes_a_cash_sale(minutes: int) -> None:
    documents = made(ORDER, captured("t1", minutes, 2160), SENT)

    sale = documents[-1]
    assert [one.kind for one in documents] == [K.SALES_ORDER, K.FULFILMENT, K.CASH_SALE]
    assert (sale.key, sale.total_minor, sale.tax_minor) == ("cs-webshop-1001-t1", 2160, 160)
    assert (sale.method, sale.memo, sale.applies_to) == ("card", "t1", "ful-webshop-1001-f1")


def test_by_default_there_is_none() -> None:
    documents = planned((ORDER, captured("t1", 30, 2160), SENT), terms())

    assert [one.kind for one in documents][1:] == [K.DEPOSIT, K.FULFILMENT, K.INVOICE, K.DEPOSIT_APPLICATION]


@pytest.mark.parametrize(
    "money",
    [
        (captured("t1", -2 * DAY, 2160),),
        (captured("t1", 30, 2000),),
        (captured("t1", 30, 2161),),
        (captured("t1", 30, 1160), captured("t2", 31, 1000, "gift_card")),
        (captured("t1", 5 * DAY, 2160),),
    ],
    ids=["captured before", "not all", "too much", "two payments", "on terms"],
)
def test_what_is_not_one_payment_of_the_day_and_the_amount_is_invoiced(money: tuple[Fact, ...]) -> None:
    found = kinds(ORDER, *money, SENT)

    assert K.INVOICE in found
    assert K.CASH_SALE not in found


def test_each_shipment_is_judged_by_itself() -> None:
    found = made(ORDER, captured("t1", 61, 1080), shipped("f1", 60, l1=1), shipped("f2", 3 * DAY, l1=1))

    assert [one.key for one in found if one.kind in (K.CASH_SALE, K.INVOICE)] == [
        "cs-webshop-1001-t1",
        "inv-webshop-1001-f2",
    ]


def test_a_refund_paid_at_once_is_a_cash_refund_of_its_sale() -> None:
    back = refunded("r1", 90, given_back("1", 1, 1000, 80)), paid_out("t2", 91, 1080, "r1")

    refund = made(ORDER, captured("t1", 30, 2160), SENT, *back)[-1]

    assert (refund.key, refund.kind, refund.total_minor) == ("cr-webshop-1001-t2", K.CASH_REFUND, 1080)
    assert [one.detail for one in refund.settles] == ["cs-webshop-1001-t1"]
    assert (refund.method, refund.memo, refund.applies_to) == ("card", "t2", "ret-webshop-1001-r1")


def test_a_refund_paid_another_day_or_in_part_is_a_credit_memo_and_a_refund() -> None:
    given = ORDER, captured("t1", 30, 2160), SENT, refunded("r1", 90, given_back("1", 1, 1000, 80))

    assert kinds(*given, paid_out("t2", 3 * DAY, 1080, "r1"))[-2:] == [K.CREDIT_MEMO, K.REFUND]
    assert kinds(*given, paid_out("t2", 91, 500, "r1"))[-2:] == [K.CREDIT_MEMO, K.REFUND]


def test_an_invoice_gives_way_before_its_cash_sale_is_made() -> None:
    """The payment of the day is told when the invoice stands already: an order is not billed twice."""
    books = Bookkeeping()
    books.learn([ORDER, SENT], CASH)
    books.send(9)

    decision = books.decide(planned((ORDER, SENT, captured("t1", 90, 2160)), CASH), CASH)

    assert [(one.action, one.document.key) for one in decision.intents] == [
        (Action.VOID, "inv-webshop-1001-f1"),
        (Action.CREATE, "cs-webshop-1001-t1"),
    ]


@given(histories(currency="USD"))
def test_nothing_is_left_with_the_customer(history: History) -> None:
    left = balances(expected(planned(history.facts, CASH), CASH))

    assert [on(role, left) for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE)] == [0, 0, 0]
