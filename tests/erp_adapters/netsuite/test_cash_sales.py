"""Cash sales and cash refunds in the simulated account: made, read back, posted, stated and looked for."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.hands import Hands
from hub.model.documents import DocumentKind
from hub.model.facts import Restock
from hub.model.intents import Action, Found, Verdict
from hub.model.statement import Subject
from hub.testing.builders import (
    History,
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
from hub.testing.conformance.bench import Fault
from tests.erp_adapters.netsuite.desk import ITEMS, Desk, booked, desk
from tests.erp_adapters.netsuite.test_histories import PHASES, check
from tests.hub.flow.bookkeeping import planned

K = DocumentKind
GOODS = line("1", 3, 1250, discounts=(discount(250),), taxes=(tax(300),)), line("2", 1, 6995, sku="TEE")
ORDER = fact(snapshot(*GOODS, shipping=(shipping(500),)))
PAID = captured("t1", 1, 11295)
SENT = shipped("f1", 60, l1=3, l2=1)
CASH = {"cash_sales": True}


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk() as made:
        yield made


def test_an_order_paid_at_shipment_is_one_cash_sale_and_owes_nothing(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID, SENT, **CASH)

    assert [one.kind for one in documents] == [K.SALES_ORDER, K.FULFILMENT, K.CASH_SALE]
    assert netsuite.posted(documents[-1]) == booked(documents[-1])
    assert netsuite.rec("so-webshop-1001").letter() == "G"
    assert list(netsuite.world.every("invoice", "customerDeposit", "customerPayment")) == []
    read = netsuite.read(documents[-1])
    assert read is not None
    assert (read.total_minor, read.tax_minor, read.lines) == (11295, 300, len(documents[-1].lines))


def test_a_cash_sale_whose_answer_was_lost_is_found_by_its_key(netsuite: Desk) -> None:
    netsuite.tell(ORDER)
    *before, sale = planned((ORDER, PAID, SENT), terms(items=ITEMS, cash_sales=True))
    netsuite.done(before[-1])
    netsuite.app.faults.fail_write(Fault.LOST_AFTER)

    outcome = netsuite.put(sale)
    (probe,) = netsuite.adapter.probe([netsuite.write(sale)])

    assert (outcome.verdict, probe.found) == (Verdict.IN_DOUBT, Found.DONE)
    assert probe.ref == str(netsuite.rec("cs-webshop-1001-t1").id)
    assert netsuite.put(sale).ref == probe.ref


@pytest.mark.parametrize("restock", [Restock.RETURN, Restock.NO_RESTOCK])
def test_its_refund_is_a_cash_refund_with_goods_back_or_without(netsuite: Desk, restock: Restock) -> None:
    back = refunded("r1", 90, given_back("1", 1, 1166, 100, restock)), paid_out("t2", 91, 1266, "r1")

    *_, refund = netsuite.tell(ORDER, PAID, SENT, *back, **CASH)

    assert refund.kind is K.CASH_REFUND
    assert netsuite.posted(refund) == booked(refund)
    made_from = netsuite.world.must(netsuite.rec(refund.key).created_from)
    assert made_from.type == ("returnAuthorization" if restock is Restock.RETURN else "cashSale")
    (sale,) = netsuite.world.every("cashSale")
    moved = [rec.get("_moves") or [] for rec in (sale, netsuite.rec(refund.key))]
    assert moved == [[], []]


def test_a_cash_sale_is_undone_and_its_order_billed_anew(netsuite: Desk) -> None:
    documents = netsuite.tell(ORDER, PAID, SENT, **CASH)

    netsuite.done(documents[-1], Action.VOID)
    netsuite.told = documents[:-1]
    netsuite.tell(ORDER, PAID, SENT)

    assert [rec.type for rec in netsuite.world.every("invoice", "cashSale")] == ["invoice"]


def test_cash_sales_are_the_payments_and_cash_refunds_the_refunds_of_a_statement(netsuite: Desk) -> None:
    back = refunded("r1", 90, given_back("1", 1, 1166, 100)), paid_out("t2", 91, 1266, "r1")
    netsuite.tell(ORDER, PAID, SENT, *back, **CASH)

    rows = {one.row.subject: one for one in netsuite.adapter.statement(date(2026, 3, 1), date(2026, 3, 31))}

    assert (rows[Subject.PAYMENT].key, rows[Subject.PAYMENT].row.subject_id) == ("cs-webshop-1001-t1", "t1")
    assert rows[Subject.PAYMENT].row.payment_minor == 11295
    assert rows[Subject.PAYMENT].row.goods_minor == 0
    assert (rows[Subject.REFUND].row.subject_id, rows[Subject.REFUND].row.refund_minor) == ("t2", -1266)


def test_a_cash_sale_typed_in_by_hand_is_stated_and_posted(netsuite: Desk) -> None:
    netsuite.tell(ORDER)
    hands = Hands(netsuite.world)
    account = netsuite.world.account_ref("1200")

    typed = hands.transform("so-webshop-1001", "cashSale", {"account": account, "tranDate": "2026-03-09"})

    (row,) = [one for one in netsuite.adapter.statement(date(2026, 3, 9), date(2026, 3, 9)) if one.ref == str(typed.id)]
    assert (row.row.subject, row.row.payment_minor, row.by_hand) == (
        Subject.PAYMENT,
        11682,
        True,
    )  # with NetSuite's own tax
    posted = [one for one in netsuite.adapter.postings(date(2026, 3, 9), date(2026, 3, 9)) if one.ref == str(typed.id)]
    assert {one.kind for one in posted} == {"cash_sale"}
    assert sum(one.functional_minor for one in posted) == 0


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(histories(currency="USD"))
def test_any_history_is_told_and_booked_with_cash_sales(history: History) -> None:
    with desk() as netsuite:
        seed.charge_item(netsuite.world, "ENGRAVING", "4000")
        check(netsuite, history, cash_sales=True)
