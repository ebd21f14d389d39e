"""Writes: each document is there once and as it was told, however often, by however many and in whatever parts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import pytest

from hub.errors import InDoubt, Retryable
from hub.model.documents import MASTER_KINDS, NOTICE_KINDS, DocumentKind
from hub.model.facts import Tender
from hub.model.intents import REFS, Action, Found, Outcome, Verdict, Write
from hub.model.order import OrderKey
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack
from hub.testing.builders import PLACED_AT, shipped, tracked
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide, Need
from hub.testing.conformance.erp_stories import SHIPPED_ANEW, STORIES, Clerk, Story
from hub.testing.conformance.erp_wiring import (
    assert_reads_as_told,
    by_key,
    carried,
    done,
    faults_of_reading,
    said,
    told,
    wanted,
)
from hub.testing.conformance.wiring import Connect, needed

OF_STOCK: Final = (DocumentKind.STOCK_RECEIPT, DocumentKind.STOCK_ADJUSTMENT)
"""Nothing that the hub decides: goods that come in are the ERP's own matter."""


@pytest.fixture(params=list(STORIES.values()), ids=list(STORIES))
def story(request: pytest.FixtureRequest, bench: ErpBench) -> Story:
    """Each story in turn, where the ERP has what it needs."""
    one: Story = request.param
    wanted(bench, one.need)
    return one


class TestPutting:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack)
    rules = ("keys_are_unique", "read_back_is_exact", "repeats_are_harmless", "amended_and_voided")

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    def test_each_document_is_there_once_and_as_it_was_told(self, adapter: Any, far: ErpFarSide, story: Story) -> None:
        """Read back after its own write, and once more when the story is over: nothing that came later changed it."""
        clerk = story.clerk(far.company)
        for writes in story.told(clerk):
            for write in writes:
                done(adapter, far, [write])
                assert_reads_as_told(adapter, [write.document])

        assert_reads_as_told(adapter, list(clerk.documents.values()))
        standing = by_key(far.held())
        assert set(clerk.documents) <= set(standing)

    def test_telling_all_of_it_again_changes_nothing(self, adapter: Any, far: ErpFarSide, story: Story) -> None:
        """Each write, and each part of it, a second time when its answer came and a third by another process."""
        clerk = story.clerk(far.company)
        for writes in story.told(clerk):
            for write in writes:
                first = part_by_part(adapter, write, times=1)
                before = far.held()

                again = part_by_part(adapter, write, times=2)

                assert again == first
                assert said(far.held()) == said(before)

        assert_reads_as_told(adapter, list(clerk.documents.values()))

    def test_a_write_that_was_done_is_found_and_one_that_was_not_is_absent(
        self, adapter: Any, far: ErpFarSide, story: Story
    ) -> None:
        clerk = story.clerk(far.company)
        for writes in story.told(clerk):
            for write in writes:
                if write.document.kind in MASTER_KINDS:
                    done(adapter, far, [write])
                    continue
                (before,) = adapter.probe([write])
                outcome = carried(adapter, far, write).outcome
                (after,) = adapter.probe([write])

                assert before.found is Found.ABSENT, write.document.key
                assert outcome.verdict is Verdict.DONE, outcome
                assert after.found is Found.DONE, write.document.key
                assert after.ref

    def test_a_probe_does_not_wait_for_a_search(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        wanted(bench, Need.SEARCH_LAG)
        story = STORIES["returned"]
        done(adapter, far, story.clerk(far.company).masters())
        far.lag(3600)
        clerk = story.clerk(far.company)
        for writes in story.told(clerk):
            for write in writes:
                done(adapter, far, [write])
                (probe,) = adapter.probe([write])
                assert probe.found is Found.DONE or write.document.kind in MASTER_KINDS, write.document.key
                assert_reads_as_told(adapter, [write.document])

    @pytest.mark.parametrize("amends", [False, True], ids=["", "amends_too"])
    def test_two_workers_at_once_make_one_document(
        self, bench: ErpBench, connect: Connect, far: ErpFarSide, story: Story, amends: bool
    ) -> None:
        """Both tell everything at the same moment; what one of them hears no answer to is looked for."""
        adapters = [connect(), connect()]
        needed(adapters[0], *self.abilities)
        if amends:
            wanted(bench, Need.AMENDS_AT_ONCE)
        clerk = story.clerk(far.company)
        for writes in story.told(clerk):
            for write in writes:
                if write.action is not Action.CREATE and not amends:
                    done(adapters[0], far, [write])
                    continue
                both = at_once(adapters, write)
                assert all(one is None or one.verdict is not Verdict.REJECTED for one in both), (write, both)
                done(adapters[0], far, [write])

        assert_reads_as_told(adapters[1], list(clerk.documents.values()))
        assert set(clerk.documents) <= set(by_key(far.held()))

    def test_a_document_whose_cause_is_gone_is_void_and_can_come_again(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        before = said(far.held())

        gone = clerk.forget("t2")
        done(adapter, far, gone)
        done(adapter, far, gone)

        assert [write.action for write in gone] == [Action.VOID]
        (read,) = adapter.read_back([gone[0].document])
        assert read is None or read.voided
        assert gone[0].document.key not in by_key(far.held())
        chapters = list(STORIES["on_account"].chapters(clerk))
        done(adapter, far, clerk.learn(*chapters[-1]))
        assert said(far.held()) == before
        assert_reads_as_told(adapter, list(clerk.documents.values()))

    def test_what_was_never_there_is_void_already(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        (payment,) = [one for one in clerk.documents.values() if one.key.endswith("t2")]
        gone = clerk.forget("t2")
        done(adapter, far, gone)
        before = said(far.held())

        done(adapter, far, [replace(gone[0], document=payment)])

        assert said(far.held()) == before

    def test_an_amount_that_changes_is_amended_and_the_document_stays_one(self, adapter: Any, far: ErpFarSide) -> None:
        """The channel corrects what was paid, after all of it was told."""
        clerk = told(STORIES["on_account"], adapter, far)
        facts = {one.external_id: one for one in clerk.facts}
        body = facts["t2"].body
        assert isinstance(body, Tender)
        body = replace(body, amount_minor=1_234)

        writes = clerk.forget("t2", replace(facts["t2"], body=body))
        done(adapter, far, writes)

        assert {write.action for write in writes} == {Action.AMEND}
        assert_reads_as_told(adapter, list(clerk.documents.values()))
        assert set(by_key(far.held())) == set(clerk.documents)
        before = said(far.held())
        done(adapter, far, writes)
        assert said(far.held()) == before

    def test_a_later_tracking_number_changes_the_shipment_where_it_stands(self, adapter: Any, far: ErpFarSide) -> None:
        """Nothing is made anew, nothing posted or taken back; however often it is told, a parcel is there once."""
        clerk = STORIES["tracked"].clerk(far.company)
        chapters = STORIES["tracked"].told(clerk)
        for writes in (next(chapters), next(chapters), next(chapters)):
            done(adapter, far, writes)
        first = {one.key: one for one in far.held()}

        for numbers in (("1Z1", "1Z2"), ("1Z9", "1Z2")):
            writes = next(chapters)
            (outcome,) = done(adapter, far, writes)
            done(adapter, far, writes)

            (write,) = writes
            assert (write.action, write.document.kind) == (Action.AMEND, DocumentKind.FULFILMENT)
            before = first[write.document.key]
            assert outcome.ref == before.ref
            now = {one.key: one for one in far.held()}
            assert now == first | {before.key: replace(before, tracking=numbers)}
            assert adapter.probe(writes)[0].found is Found.DONE

    def test_a_tracking_number_of_a_closed_period_takes_nothing_back(self, adapter: Any, far: ErpFarSide) -> None:
        """It posts nothing; an ERP that lets nobody edit there says so by name, and the shipment stands as it did."""
        clerk = told(STORIES["paid_and_shipped"], adapter, far)
        far.close_period(PLACED_AT.date())
        before = {one.key: one for one in far.held()}

        (write,) = clerk.learn(tracked(shipped("f1", 60, l1=2, l2=3), 90, "1Z1"))
        outcome = carried(adapter, far, write).outcome

        refused = outcome.verdict is Verdict.REJECTED
        assert (outcome.verdict, outcome.code) in ((Verdict.DONE, ""), (Verdict.REJECTED, "closed_period"))
        key = write.document.key
        now = {one.key: one for one in far.held()}
        assert now == before | {key: replace(before[key], tracking=() if refused else ("1Z1",))}

    def test_goods_that_are_shipped_anew_are_taken_back_first(self, adapter: Any, far: ErpFarSide) -> None:
        """The order that the hub decides on is one that no ERP refuses: units are never shipped, or billed, twice."""
        clerk = told(SHIPPED_ANEW, adapter, far)

        assert_reads_as_told(adapter, list(clerk.documents.values()))
        assert set(by_key(far.held())) == set(clerk.documents)

    def test_no_document_is_silently_wrong_without_the_one_before_it(
        self, connect: Connect, bench: ErpBench, story: Story
    ) -> None:
        """Left out one by one: what is told then is refused or put off, or stands exactly as it was told."""
        with bench.open() as aside:
            clerk = story.clerk(aside.company)
            chapters = list(story.told(clerk))
        for missing in [write for writes in chapters[1:] for write in writes if write.action is Action.CREATE]:
            with bench.open() as far:
                adapter = connect(far=far)
                refused = set()
                for write in [write for writes in chapters for write in writes]:
                    if write is missing or write.document.key in refused:
                        continue
                    outcome = tried(adapter, write)
                    if outcome is None or outcome.verdict is not Verdict.DONE:
                        refused.add(write.document.key)
                        if outcome is not None and outcome.verdict is Verdict.REJECTED:
                            assert outcome.code, (write.document.key, outcome)
                            assert outcome.remedy, (write.document.key, outcome)
                        continue
                    (read,) = adapter.read_back([write.document])
                    assert list(faults_of_reading(write.document, read)) == [], f"without {missing.document.key}"
                adapter.close_connections()

    def test_orders_do_not_meet(self, adapter: Any, far: ErpFarSide) -> None:
        """Two orders of one customer, told in turns, have each its own."""
        first = Clerk(far.company)
        second = Clerk(far.company, order=OrderKey(first.order.channel, "1002"))
        story = STORIES["returned"]
        for chapters in zip(story.told(first), story.told(second), strict=True):
            for writes in zip(*chapters, strict=True):
                done(adapter, far, writes)

        both = [*first.documents.values(), *second.documents.values()]
        assert_reads_as_told(adapter, both)
        assert len(by_key(far.held())) >= len(both) == 2 * len(first.documents)

    def test_a_payout_is_told(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        wanted(bench, Need.PAYOUTS)
        clerk = Clerk(far.company)
        (write,) = clerk.paid_out()

        done(adapter, far, [write])
        done(adapter, far, [write])

        assert_reads_as_told(adapter, [write.document])
        assert list(by_key(far.held())) == [write.document.key]

    def test_the_stories_have_every_kind_of_document(self, far: ErpFarSide) -> None:
        """So that a kind that comes to be is not forgotten here."""
        kinds = {DocumentKind.PAYOUT}
        for story in STORIES.values():
            clerk = story.clerk(far.company)
            kinds |= {write.document.kind for writes in story.told(clerk) for write in writes}

        assert kinds == set(DocumentKind) - NOTICE_KINDS - set(OF_STOCK)


def part_by_part(adapter: Any, write: Write, times: int) -> list[Outcome]:
    """The outcomes of each part of a write, each part told so many times on end; they do not differ."""
    outcomes: list[Outcome] = []
    while True:
        answers = [adapter.put([write])[0] for _ in range(times)]
        assert all(one == answers[0] for one in answers), (write.document.key, answers)
        outcome: Outcome = answers[0]
        assert outcome.verdict is Verdict.DONE, (write.action, write.document.key, outcome)
        outcomes.append(outcome)
        if outcome.then is None:
            return outcomes
        write = replace(write, part=outcome.then, held=tuple((outcome.ref or "").split(REFS)) if outcome.ref else ())


def at_once(adapters: list[Any], write: Write) -> list[Outcome | None]:
    """What each worker hears who tells the same at the same moment; None: no answer, or to try again."""
    gate = threading.Barrier(len(adapters))

    def tell(adapter: Any) -> Outcome | None:
        gate.wait()
        return tried(adapter, write)

    with ThreadPoolExecutor(len(adapters)) as threads:
        return list(threads.map(tell, adapters))


def tried(adapter: Any, write: Write) -> Outcome | None:
    """What becomes of all parts of a write that is told once; None: no answer, or to try again."""
    while True:
        try:
            (outcome,) = adapter.put([write])
        except (InDoubt, Retryable):
            return None
        if outcome.verdict is not Verdict.DONE or outcome.then is None:
            found: Outcome = outcome
            return found if outcome.verdict in (Verdict.DONE, Verdict.REJECTED) else None
        write = replace(write, part=outcome.then, held=tuple((outcome.ref or "").split(REFS)) if outcome.ref else ())
