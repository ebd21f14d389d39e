"""Refusals: each names its fault, the field and the remedy, hurts no neighbour and leaves nothing behind."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hub.model.documents import Component, Document, DocumentKey, DocumentKind
from hub.model.intents import Action, Found, Outcome, Verdict, Write
from hub.model.order import OrderKey
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide, Need
from hub.testing.conformance.erp_stories import STORIES, Clerk, write_of
from hub.testing.conformance.erp_wiring import assert_reads_as_told, done, said, told, wanted
from hub.testing.conformance.wiring import Connect, needed

Broken = Callable[[ErpBench, Document], Document]


def _unknown_item(_bench: ErpBench, document: Document) -> Document:
    lines = tuple(
        replace(line, item="NO-SUCH-ITEM") if line.component in (Component.GOODS, Component.STOCK) else line
        for line in document.lines
    )
    return replace(document, lines=lines)


def _unknown_customer(_bench: ErpBench, document: Document) -> Document:
    return replace(document, customer=DocumentKey("cust-nobody"))


def _unknown_location(_bench: ErpBench, document: Document) -> Document:
    return replace(document, location="no-such-place")


def _too_long(bench: ErpBench, document: Document) -> Document:
    return replace(document, reference="#" * bench.too_long)


def _unknown_currency(_bench: ErpBench, document: Document) -> Document:
    return replace(document, currency="XTS")


class TestRefusing:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack)
    rules = ("rejections_name_the_field", "closed_periods_refuse")

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    @pytest.mark.parametrize(
        ("code", "kind", "broken", "need"),
        [
            ("unknown_item", DocumentKind.SALES_ORDER, _unknown_item, None),
            ("unknown_customer", DocumentKind.SALES_ORDER, _unknown_customer, None),
            ("unknown_location", DocumentKind.FULFILMENT, _unknown_location, Need.LOCATIONS),
            ("too_long", DocumentKind.SALES_ORDER, _too_long, Need.FIELD_LENGTHS),
            ("unknown_currency", DocumentKind.SALES_ORDER, _unknown_currency, None),
        ],
        ids=lambda one: one if isinstance(one, str) else "",
    )
    def test_what_is_not_known_is_refused_by_name_and_goes_through_once_it_is_mended(
        self, bench: ErpBench, adapter: Any, far: ErpFarSide, code: str, kind: DocumentKind, broken: Broken, need: Need
    ) -> None:
        wanted(bench, need)
        story = STORIES["on_account"]
        clerk = story.clerk(far.company)
        done(adapter, far, clerk.masters())
        writes = [write for chapter in list(story.chapters(clerk)) for write in clerk.learn(*chapter)]
        at = next(number for number, write in enumerate(writes) if write.document.kind is kind)
        done(adapter, far, writes[:at])
        before = said(far.held())
        refused = write_of(Action.CREATE, broken(bench, writes[at].document))

        outcome = rejected(adapter, refused)

        assert outcome.code == code
        assert said(far.held()) == before
        assert adapter.probe([refused])[0].found is Found.ABSENT
        done(adapter, far, writes[at:])
        assert_reads_as_told(adapter, list(clerk.documents.values()))

    def test_one_that_is_refused_hurts_no_neighbour(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        clerks = [Clerk(far.company, order=OrderKey("webshop", name)) for name in ("1001", "1002", "1003")]
        done(adapter, far, clerks[0].masters())
        first, second, third = [clerk.learn(*next(iter(STORIES["on_account"].chapters(clerk))))[0] for clerk in clerks]
        second = write_of(Action.CREATE, _unknown_item(bench, second.document))

        outcomes = adapter.put([first, second, third])

        assert [one.verdict for one in outcomes] == [Verdict.DONE, Verdict.REJECTED, Verdict.DONE]
        assert_reads_as_told(adapter, [first.document, third.document])

    def test_a_closed_period_refuses_each_kind_that_is_of_one_until_it_is_opened(
        self, bench: ErpBench, adapter: Any, far: ErpFarSide
    ) -> None:
        story = STORIES["returned"]
        clerk = story.clerk(far.company)
        posting = set()
        done(adapter, far, clerk.masters())
        for chapter in list(story.chapters(clerk)):
            for write in clerk.learn(*chapter):
                day = write.document.date
                far.close_period(day)
                before = said(far.held())
                (outcome,) = adapter.put([write])
                if outcome.verdict is Verdict.REJECTED:
                    posting.add(write.document.kind)
                    assert outcome.code == "closed_period", (write.document.key, outcome)
                    assert outcome.field
                    assert outcome.remedy
                    assert said(far.held()) == before
                else:  # it posts nothing there
                    assert clerk.entries.get(write.document.key) is None or stock_alone(write.document), outcome
                far.open_period(day)
                done(adapter, far, [write])

        assert posting >= {
            DocumentKind.INVOICE,
            DocumentKind.DEPOSIT,
            DocumentKind.DEPOSIT_APPLICATION,
            DocumentKind.CREDIT_MEMO,
            DocumentKind.REFUND,
            DocumentKind.FULFILMENT,
        }
        assert_reads_as_told(adapter, list(clerk.documents.values()))

    def test_what_a_closed_period_refuses_is_dated_in_the_next_and_says_its_own_day(
        self, adapter: Any, far: ErpFarSide
    ) -> None:
        """As the hub decides it under `late_facts: next_open_period`."""
        clerk = STORIES["on_account"].clerk(far.company)
        done(adapter, far, clerk.masters())
        first, *later = list(STORIES["on_account"].chapters(clerk))
        writes = clerk.learn(*first)
        done(adapter, far, writes)
        far.close_period(writes[0].document.date)
        far.pass_time(30 * 86_400)
        clerk.closed_until = writes[0].document.date.replace(day=31)

        for chapter in later:
            done(adapter, far, clerk.learn(*chapter))

        moved = [one for one in clerk.documents.values() if one.original_date is not None]
        assert {one.date.isoformat() for one in moved} == {"2026-04-01"}
        assert_reads_as_told(adapter, moved)

    def test_a_key_that_another_has_is_not_taken_for_ours(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        wanted(bench, Need.TAKEN_KEYS)
        story = STORIES["on_account"]
        clerk = story.clerk(far.company)
        done(adapter, far, clerk.masters())
        (write,) = clerk.learn(*next(iter(story.chapters(clerk))))
        far.take_key(write.document.key)
        before = far.held()

        outcome = rejected(adapter, write)

        assert outcome.code
        assert said(far.held()) == said(before)

    def test_two_records_of_one_key_are_an_alarm(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        wanted(bench, Need.DOUBLE_KEYS)
        clerk = told(STORIES["on_account"], adapter, far)
        payment = next(one for one in clerk.documents.values() if one.kind is DocumentKind.PAYMENT)
        far.double(payment.key)

        (probe,) = adapter.probe([write_of(Action.CREATE, payment)])

        assert probe.found is Found.TWICE


def rejected(adapter: Any, write: Write) -> Outcome:
    """The refusal, of whichever part of the write it is; a second try hears the same."""
    outcomes = [_last(adapter, write) for _ in range(2)]
    for outcome in outcomes:
        assert outcome.verdict is Verdict.REJECTED, (write.document.key, outcome)
        assert outcome.code, outcome
        assert outcome.field, outcome
        assert outcome.remedy, outcome
    return outcomes[0]


def _last(adapter: Any, write: Write) -> Outcome:
    outcomes: Sequence[Outcome] = list(_parts(adapter, write))
    return outcomes[-1]


def _parts(adapter: Any, write: Write) -> Iterator[Outcome]:
    while True:
        (outcome,) = adapter.put([write])
        yield outcome
        if outcome.verdict is not Verdict.DONE or outcome.then is None:
            return
        write = replace(write, part=outcome.then, held=(outcome.ref,))


def stock_alone(document: Document) -> bool:
    return all(line.component is Component.STOCK for line in document.lines)
