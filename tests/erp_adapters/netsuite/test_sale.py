"""A sale in the simulated account: each document is there, read back as told, and posted as the books say."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from hub.model.documents import Document, DocumentKind, Rate
from hub.model.facts import Tender, TenderKind, TenderStatus
from hub.model.intents import Action, Verdict
from hub.steps.calling import differs
from hub.testing.builders import (
    at,
    captured,
    discount,
    fact,
    given_back,
    line,
    paid_out,
    refunded,
    shipped,
    shipping,
    snapshot,
    tax,
    terms,
)
from tests.erp_adapters.netsuite.desk import ITEMS, Desk, booked, desk
from tests.hub.flow.bookkeeping import planned

K = DocumentKind


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk() as made:
        yield made


def check(netsuite: Desk, documents: list[Document]) -> None:
    for document in documents:
        read = netsuite.read(document)
        assert read is not None, document.key
        assert not differs(document, read, Action.CREATE), (document, read)
        if document.kind not in (K.SALES_ORDER,):
            assert netsuite.gl(document.key) == booked(document), document


def test_a_sale_in_two_shipments_is_booked_as_the_hub_books_it(netsuite: Desk) -> None:
    goods = line("1", 3, 1250, discounts=(discount(250),), taxes=(tax(219), tax(53, "County Tax")))
    order = fact(snapshot(goods, line("2", 1, 6995, sku="TEE"), shipping=(shipping(500, (tax(31),)),)))

    documents = netsuite.tell(
        order,
        captured("t1", 1, 11298),
        shipped("f1", 60, l1=2),
        shipped("f2", 120, l1=1, l2=1),
        refunded("r1", 180, given_back("1", 1, 1167, 91)),
        paid_out("t2", 181, 1258, "r1"),
    )

    assert [document.kind for document in documents] == [
        K.SALES_ORDER,
        K.DEPOSIT,
        K.FULFILMENT,
        K.INVOICE,
        K.DEPOSIT_APPLICATION,
        K.FULFILMENT,
        K.INVOICE,
        K.DEPOSIT_APPLICATION,
        K.RETURN_RECEIPT,
        K.CREDIT_MEMO,
        K.REFUND,
    ]
    check(netsuite, documents)


def test_money_in_another_currency_is_taken_though_it_comes_before_its_order(netsuite: Desk) -> None:
    """A deposit is told first where the order waits: the customer may not be billed in its currency yet."""
    rate = Rate(Decimal("1.08"), date(2026, 3, 1), "ecb")
    paid = Tender(TenderKind.CAPTURE, TenderStatus.SUCCESS, "card", 2500, "EUR", at(1))
    euros = snapshot(line("1", 2, 1250, currency="EUR"), currency="EUR")
    documents = planned([fact(euros), fact(paid, "t1")], terms(items=ITEMS, rate=rate))
    (deposit,) = [one for one in documents if one.kind is K.DEPOSIT]
    assert deposit.customer is not None
    netsuite.done(Document(deposit.customer, K.CUSTOMER, "main", "USD", deposit.date, memo="Guest"))

    outcome = netsuite.put(deposit)

    assert outcome.verdict is Verdict.DONE
