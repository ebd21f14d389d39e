"""Cut-off of one order: which half is there at the month's end and which is not, typed out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from hub.flow.cutoff import Cut, Standing, cut_off
from hub.flow.fold import fold, winners
from hub.flow.plan import plan
from hub.flow.terms import Terms
from hub.model.cutoff import CutoffList, CutoffWhy, bucket, cutoff_of
from hub.model.documents import Document, DocumentKey, DocumentKind
from hub.model.facts import Fact
from hub.model.intents import StepState
from hub.testing.builders import KEY, captured, fact, given_back, line, paid_out, refunded, shipped, snapshot, terms

MARCH = Cut(date(2026, 3, 1), date(2026, 3, 31), "main", "USD", ZoneInfo("UTC"))
APRIL = Cut(date(2026, 4, 1), date(2026, 4, 30), "main", "USD", ZoneInfo("UTC"))
DAY = 1440  # minutes
ORDER = fact(snapshot(line("1", 2)))
PAID = captured("t1", 1, 2000)
SENT = shipped("f1", 2 * DAY, l1=2)
BACK = (refunded("r1", 5 * DAY, given_back("1", 1, 1000)), paid_out("t2", 5 * DAY, 1000, "r1"))

Told = list[tuple[str, str, int | None, str, str, int]]
"""list, document's kind, amount, why, detail, age in days."""


def called_for(facts: Iterable[Fact], under: Terms | None = None) -> list[Document]:
    return plan(fold(KEY, winners(facts)), under or terms())


def in_the_erp(documents: Iterable[Document]) -> dict[DocumentKey, Standing]:
    return {document.key: Standing(held=document, decided=document) for document in documents}


def told(
    facts: Iterable[Fact],
    standing: Mapping[DocumentKey, Standing],
    *,
    hold: str | None = None,
    cut: Cut = MARCH,
    under: Terms | None = None,
) -> Told:
    facts = list(facts)
    rows = cut_off(fold(KEY, winners(facts)), called_for(facts, under), standing, hold, cut)
    return [(row.list, row.kind, row.amount_minor, row.why, row.detail, row.age_days) for row in rows]


def key_of(documents: Iterable[Document], kind: DocumentKind) -> DocumentKey:
    return next(document.key for document in documents if document.kind is kind)


def test_what_the_erp_has_whole_is_not_cut() -> None:
    facts = [ORDER, PAID, SENT, *BACK]

    assert told(facts, in_the_erp(called_for(facts))) == []


def test_goods_that_left_without_an_invoice_are_listed_with_what_it_would_come_to() -> None:
    facts = [ORDER, PAID, SENT]

    assert told(facts, {}, hold="unmapped_item") == [
        ("shipped_not_invoiced", "invoice", 2000, "held", "unmapped_item", 27)
    ]


@pytest.mark.parametrize(
    ("waiting", "code", "why"),
    [
        (StepState.PLANNED, "", "not_sent"),
        (StepState.SENT, "", "in_doubt"),
        (StepState.IN_DOUBT, "", "in_doubt"),
        (StepState.REJECTED, "closed_period", "rejected"),
    ],
)
def test_what_waits_says_how(waiting: StepState, code: str, why: str) -> None:
    facts = [ORDER, PAID, SENT]
    standing = in_the_erp(called_for(facts))
    invoice = standing[key_of(called_for(facts), DocumentKind.INVOICE)]
    invoice.held, invoice.waiting, invoice.code = None, waiting, code

    assert told(facts, standing) == [("shipped_not_invoiced", "invoice", 2000, why, code, 27)]


def test_an_invoice_dated_after_the_month_leaves_the_shipment_alone_in_it() -> None:
    facts = [ORDER, PAID, SENT]
    standing = in_the_erp(called_for(facts))
    invoice = standing[key_of(called_for(facts), DocumentKind.INVOICE)]
    assert invoice.held is not None
    invoice.held = replace(invoice.held, date=date(2026, 4, 1))

    assert told(facts, standing) == [("shipped_not_invoiced", "invoice", 2000, "dated_later", "2026-04-01", 27)]
    assert told(facts, standing, cut=APRIL) == []


def test_an_invoice_of_less_than_what_left_is_short_by_the_difference() -> None:
    partly, whole = [ORDER, PAID, shipped("f1", 2 * DAY, l1=1)], [ORDER, PAID, SENT]
    standing = in_the_erp(called_for(partly))
    for one in standing.values():
        one.waiting = StepState.PLANNED

    assert ("shipped_not_invoiced", "invoice", 1000, "not_sent", "", 27) in told(whole, standing)
    assert ("invoiced_not_shipped", "invoice", 1000, "not_decided", "", 27) in told(
        partly, in_the_erp(called_for(whole))
    )


def test_an_invoice_whose_shipment_the_erp_refused_is_alone() -> None:
    facts = [ORDER, PAID, SENT]
    standing = in_the_erp(called_for(facts))
    moved = standing[key_of(called_for(facts), DocumentKind.FULFILMENT)]
    moved.held, moved.waiting, moved.code = None, StepState.REJECTED, "out_of_stock"

    assert told(facts, standing) == [("invoiced_not_shipped", "invoice", 2000, "rejected", "out_of_stock", 27)]


def test_an_invoice_whose_shipment_was_called_off_is_alone_until_it_is_voided() -> None:
    was = called_for([ORDER, PAID, SENT])
    standing = in_the_erp(was)
    standing[key_of(was, DocumentKind.INVOICE)].waiting = StepState.PLANNED

    assert told([ORDER, PAID], standing) == [("invoiced_not_shipped", "invoice", 2000, "not_sent", "", 27)]


def test_goods_that_arrived_with_their_revenue_deferred_are_listed_with_the_revenue() -> None:
    on_delivery = terms(recognise_on_delivery=True)
    facts = [ORDER, PAID, shipped("f1", 2 * DAY, delivered=4 * DAY, l1=2)]
    standing = in_the_erp(d for d in called_for(facts, on_delivery) if d.kind is not DocumentKind.JOURNAL_ENTRY)

    assert told(facts, standing, under=on_delivery) == [
        ("delivered_not_recognised", "journal_entry", 2000, "not_decided", "", 25)
    ]


def test_a_refund_without_its_credit_memo_is_listed_and_one_paid_from_a_deposit_is_none() -> None:
    facts = [ORDER, PAID, SENT, *BACK]
    standing = in_the_erp(d for d in called_for(facts) if d.kind is not DocumentKind.CREDIT_MEMO)
    before = [ORDER, PAID, refunded("r1", DAY, given_back("1", 2, 2000)), paid_out("t2", DAY, 2000, "r1")]

    assert told(facts, standing) == [("refund_without_credit_memo", "credit_memo", 1000, "not_decided", "", 24)]
    assert told(before, in_the_erp(called_for(before))) == []


def test_money_that_went_back_for_no_refund_is_listed() -> None:
    facts = [ORDER, PAID, SENT, paid_out("t2", 5 * DAY, 300, None)]

    assert told(facts, in_the_erp(called_for(facts))) == [
        ("refund_without_credit_memo", "refund", 300, "no_refund_known", "", 24)
    ]


def test_a_late_fact_is_told_in_the_month_it_belongs_to_and_in_the_one_it_is_booked_in() -> None:
    facts = [ORDER, PAID, SENT]
    standing = in_the_erp(called_for(facts))
    invoice = standing[key_of(called_for(facts), DocumentKind.INVOICE)]
    assert invoice.held is not None
    moved = replace(invoice.held, date=date(2026, 4, 1), original_date=date(2026, 3, 4))
    invoice.held = invoice.decided = moved

    assert told(facts, standing) == [
        ("shipped_not_invoiced", "invoice", 2000, "dated_later", "2026-04-01", 27),
        ("late_fact", "invoice", 2000, "moved_out", "2026-04-01", 27),
    ]
    assert told(facts, standing, cut=APRIL) == [("late_fact", "invoice", 2000, "moved_in", "2026-03-04", 57)]


def test_what_a_closed_period_holds_is_late_too() -> None:
    facts = [ORDER, PAID, SENT]
    standing = in_the_erp(d for d in called_for(facts) if d.kind is not DocumentKind.INVOICE)

    assert told(facts, standing, hold="closed_period") == [
        ("shipped_not_invoiced", "invoice", 2000, "held", "closed_period", 27),
        ("late_fact", "invoice", 2000, "held", "closed_period", 27),
    ]


def test_halves_of_an_order_that_never_came_are_counted_without_an_amount_where_none_is_told() -> None:
    state = fold(KEY, winners([SENT, BACK[0]]))

    rows = list(cut_off(state, None, {}, None, MARCH))

    assert [(row.list, row.amount_minor, row.why) for row in rows] == [
        (CutoffList.SHIPPED_NOT_INVOICED, None, CutoffWhy.ORDER_UNKNOWN),
        (CutoffList.REFUND_WITHOUT_CREDIT_MEMO, 1000, CutoffWhy.ORDER_UNKNOWN),
    ]


def test_nothing_that_happened_after_the_month_is_cut_by_it() -> None:
    facts = [ORDER, PAID, shipped("f1", 40 * DAY, l1=2)]

    assert told(facts, {}) == []


def test_totals_sum_each_list_by_kind_and_age() -> None:
    facts = [ORDER, PAID, SENT, *BACK]
    rows = list(cut_off(fold(KEY, winners(facts)), called_for(facts), {}, "held", APRIL))

    found = cutoff_of("2026-04", date(2026, 4, 30), rows)

    assert [(x.list, x.kind, x.count, x.amount_minor, x.oldest_days) for x in found.totals] == [
        ("shipped_not_invoiced", "invoice", 1, 2000, 57),
        ("refund_without_credit_memo", "credit_memo", 1, 1000, 54),
    ]
    assert found.totals[0].buckets_minor == {"0-30": 0, "31-60": 2000, "61-90": 0, "over 90": 0}
    assert [bucket(days) for days in (0, 30, 31, 90, 91)] == ["0-30", "0-30", "31-60", "61-90", "over 90"]
