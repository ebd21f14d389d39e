"""margin: shares of an entry by product line add up to it, and a gap is the documents that differ, no more."""

from collections import Counter
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.books import post
from hub.flow.margin import Booked, GapWhy, by_product_line, gaps, margin_sums
from hub.flow.plan import EARNING
from hub.flow.terms import Terms
from hub.model.documents import Document, DocumentKind, Rate
from hub.model.facts import Fact
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
from tests.hub.flow.bookkeeping import CHART, POLICY, planned

REVENUE, SHIPPING_INCOME, DISCOUNTS, RETURNS = "4000", "4100", "4200", "4300"
SOLD = [
    fact(
        snapshot(
            line("1", 2, 1000, taxes=(tax(150),)),
            line("2", 1, 3000, sku="TEE", discounts=(discount(500),)),
            line("3", 1, 700, sku="UNKNOWN"),
            shipping=(shipping(400),),
        )
    ),
    captured("t1", 1, 5750),
    shipped("f1", 60, l1=2, l2=1, l3=1),
]
BACK = [refunded("r1", 90, given_back("1", 1, 1000), given_back("2", 1, 2500)), paid_out("t2", 90, 3500, "r1")]


def cups_and_cloth(item: str | None) -> str:
    return {"mug": "Cups", "tee": "Cloth"}.get(item or "", "none")


def split(facts: list[Fact], kind: DocumentKind, under: Terms | None = None) -> dict[str, dict[str, int]]:
    documents = planned(facts, under or terms())
    (document,) = [one for one in documents if one.kind is kind]
    return shares(document, documents)


def shares(document: Document, documents: list[Document]) -> dict[str, dict[str, int]]:
    entry = post(document, CHART, POLICY, "USD")
    assert entry is not None
    invoices = [x for x in documents if x.kind is DocumentKind.INVOICE and x.applies_to == document.applies_to]
    return by_product_line(document, entry, cups_and_cloth, CHART, POLICY, invoices)


def test_an_invoice_is_shared_by_its_items_with_discounts_where_their_goods_are() -> None:
    assert split(SOLD, DocumentKind.INVOICE) == {
        "Cups": {REVENUE: -2000},
        "Cloth": {REVENUE: -3000, DISCOUNTS: 500},
        "none": {REVENUE: -700},
        "shipping": {SHIPPING_INCOME: -400},
    }


def test_a_credit_memo_is_shared_alike() -> None:
    assert split(SOLD + BACK, DocumentKind.CREDIT_MEMO) == {"Cups": {RETURNS: 1000}, "Cloth": {RETURNS: 2500}}


def test_a_recognition_is_shared_as_the_goods_of_its_invoice() -> None:
    arrived = [*SOLD[:2], shipped("f1", 60, delivered=120, l1=2, l2=1, l3=1)]

    found = split(arrived, DocumentKind.JOURNAL_ENTRY, terms(recognise_on_delivery=True))

    assert found == {
        "Cups": {REVENUE: -2000},
        "Cloth": {REVENUE: -3000, DISCOUNTS: 500},
        "none": {REVENUE: -700},
        "shipping": {SHIPPING_INCOME: -400},
    }


ABROAD = Rate(Decimal("1.0837"), date(2026, 3, 2), "by hand")


@given(histories(), st.booleans(), st.booleans())
def test_shares_add_up_to_the_entry(history: History, on_delivery: bool, abroad: bool) -> None:
    at_home = history.snapshot.currency
    functional, rate = ("CHF", ABROAD) if abroad else (at_home, None)
    documents = planned(history.facts, terms(functional=functional, rate=rate, recognise_on_delivery=on_delivery))
    for document in documents:
        entry = post(document, CHART, POLICY, functional) if document.kind in EARNING else None
        if entry is None:
            continue
        invoices = [x for x in documents if x.kind is DocumentKind.INVOICE and x.applies_to == document.applies_to]

        found = by_product_line(document, entry, cups_and_cloth, CHART, POLICY, invoices)

        added: Counter[str] = Counter()
        for sums in found.values():
            added.update(sums)
        assert {name: minor for name, minor in added.items() if minor} == {
            name: minor for name, minor in margin_sums(entry, CHART).items() if minor
        }


def booked(document: str, minor: int, why: GapWhy, account: str = REVENUE) -> Booked:
    return Booked("main", account, document, "invoice", "", minor, why)


def test_a_gap_is_every_document_that_differs_and_why() -> None:
    ours = [
        booked("inv-1", -1000, GapWhy.GONE),
        booked("inv-2", -2000, GapWhy.GONE),
        booked("inv-3", -300, GapWhy.NOT_SENT),
        booked("inv-4", -400, GapWhy.GONE),
        booked("inv-4", 400, GapWhy.GONE),
        booked("inv-5", -500, GapWhy.GONE),
    ]
    theirs = [
        booked("inv-1", -1000, GapWhy.NOT_EXPECTED),
        booked("inv-2", -2001, GapWhy.NOT_EXPECTED),
        booked("inv-5", -500, GapWhy.NOT_EXPECTED),
        booked("inv-5", 500, GapWhy.NOT_EXPECTED),
        booked("JE-7", 50, GapWhy.TYPED_IN),
        booked("inv-1", 9, GapWhy.OF_NO_ORDER, "5000"),
    ]

    found = [(x.account, x.document, x.ledger_minor - x.orders_minor, x.why) for x in gaps(ours, theirs)]

    assert found == [
        ("4000", "JE-7", 50, GapWhy.TYPED_IN),
        ("4000", "inv-2", -1, GapWhy.DIFFERS),
        ("4000", "inv-3", 300, GapWhy.NOT_SENT),
        ("4000", "inv-5", 500, GapWhy.GONE),
        ("5000", "inv-1", 9, GapWhy.OF_NO_ORDER),
    ]
