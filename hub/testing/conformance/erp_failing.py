"""Failures: each has its class, and in the end the ERP holds what it holds when nothing fails."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest

from hub.errors import AuthExpired, HubError, InDoubt, RateLimited, Retryable
from hub.model.documents import MASTER_KINDS
from hub.model.intents import Found, Verdict, Write
from hub.ports import ChecksSetup, InUse, ProbesDocuments, PutsDocuments, ReadsBack
from hub.testing.conformance.bench import Fault
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide, Need
from hub.testing.conformance.erp_stories import STORIES, UNSAID, Clerk
from hub.testing.conformance.erp_wiring import (
    AGAIN_S,
    ErpWiring,
    assert_reads_as_told,
    carried,
    done,
    looked_for,
    said,
    told,
    wanted,
)
from hub.testing.conformance.failing import chain, names_a_remedy, shown
from hub.testing.conformance.wiring import Connect, armed, needed

UNDONE: Final = (Fault.RATE_LIMITED, Fault.THROTTLED)
"""Turned away: nothing was done, and the ERP says so."""
UNSURE: Final = (
    Fault.SERVER_ERROR,
    Fault.FAILED_AFTER,
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.BROKEN_ANSWER,
    Fault.CUT_SHORT,
)
"""Nobody can say from the answer whether it was done."""
DONE_BY_THEN: Final = (Fault.FAILED_AFTER, Fault.LOST_AFTER, Fault.BROKEN_ANSWER, Fault.CUT_SHORT)
AT_RANDOM: Final = (*UNDONE, *UNSURE, Fault.LATE_COMMIT, Fault.TOKEN_EXPIRED)
RATE_PER_MILLE: Final = 60  # of each fault
LATE_S: Final = 3600.0  # whatever was to be committed late has been
HALTS_WITHIN: Final = 5  # tries
WAITED_S_MAX: Final = 300.0  # within one call


@pytest.fixture(scope="module")
def undisturbed(bench: ErpBench, system: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """What an ERP holds that was told a story, and nothing failed."""
    known: dict[str, list[tuple[Any, ...]]] = {}

    def of(name: str) -> list[tuple[Any, ...]]:
        if name not in known:
            with bench.open() as far:
                wiring = ErpWiring(system, far, bench)
                told(STORIES[name], wiring.connect(), far)
                known[name] = said(far.held())
                wiring.close()
        return known[name]

    return of


class TestErpFailing:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack)
    rules = ("unknown_outcome_is_probed", "failures_have_their_class", "no_secret_is_told")

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    @pytest.mark.parametrize("name", ["returned", "two_shipments", "edited", "called_off"])
    @pytest.mark.parametrize("fault", [*UNDONE, *UNSURE], ids=lambda fault: fault.value)
    def test_a_write_that_meets_it_has_its_class_and_is_there_once(
        self,
        bench: ErpBench,
        adapter: Any,
        far: ErpFarSide,
        fault: Fault,
        name: str,
        undisturbed: Callable[[str], list[tuple[Any, ...]]],
    ) -> None:
        """Every write of the story meets the fault once."""
        story = STORIES[name]
        clerk = story.clerk(far.company)
        done(adapter, far, clerk.masters())
        for writes in list(story.chapters(clerk)):
            for write in clerk.learn(*writes):
                armed(bench, far.fail_write(fault), fault)

                carried_ = carried(adapter, far, write)

                far.heal()
                assert carried_.outcome.verdict is Verdict.DONE, (write.document.key, fault, carried_)
                assert_reads_as_told(adapter, [write.document])
                assert_class(fault, carried_.met)

        assert said(far.held()) == undisturbed(name)
        assert_reads_as_told(adapter, list(clerk.documents.values()))

    @pytest.mark.parametrize("name", ["returned", "two_shipments", "edited", "called_off"])
    def test_a_commit_later_than_the_first_probe_is_still_one_document(
        self,
        bench: ErpBench,
        adapter: Any,
        far: ErpFarSide,
        name: str,
        undisturbed: Callable[[str], list[tuple[Any, ...]]],
    ) -> None:
        """The first look finds nothing, and that is not believed before the settling time is over."""
        story = STORIES[name]
        clerk = story.clerk(far.company)
        done(adapter, far, clerk.masters())
        for chapter in list(story.chapters(clerk)):
            for write in clerk.learn(*chapter):
                armed(bench, far.fail_write(Fault.LATE_COMMIT), Fault.LATE_COMMIT)

                carried_ = carried(adapter, far, write)
                far.pass_time(LATE_S)

                far.heal()
                assert carried_.outcome.verdict is Verdict.DONE, (write.document.key, carried_)
                first = next((one for one in carried_.met if isinstance(one, Found)), None)
                assert first is Found.ABSENT, (write.document.key, carried_.met)
                assert_reads_as_told(adapter, [write.document])

        assert said(far.held()) == undisturbed(name)

    @pytest.mark.parametrize("seed", [1, 2, 3])
    @pytest.mark.parametrize("name", ["returned", "exchanged", "two_shipments_in_eur"])
    def test_faults_at_random_leave_what_is_there_without_any(
        self,
        bench: ErpBench,
        adapter: Any,
        far: ErpFarSide,
        name: str,
        seed: int,
        undisturbed: Callable[[str], list[tuple[Any, ...]]],
    ) -> None:
        """Reads and writes meet all there is; each seed begins at another place of the same sequence."""
        known = [fault for fault in AT_RANDOM if far.fail_in(fault, RATE_PER_MILLE)]
        assert known, "an ERP without any fault"
        clerk = STORIES[name].clerk(far.company)
        for _ in range(seed * 5):
            try:
                adapter.read_back([write.document for write in clerk.masters()][:1])
            except HubError:
                continue
        for writes in STORIES[name].told(clerk):
            for write in writes:
                outcome = carried(adapter, far, write).outcome
                assert outcome.verdict is Verdict.DONE, (write.document.key, outcome)
        far.heal()
        far.pass_time(LATE_S)

        assert said(far.held()) == undisturbed(name)
        assert_reads_as_told(adapter, list(clerk.documents.values()))

    @pytest.mark.parametrize("fault", [*UNDONE, *UNSURE], ids=lambda fault: fault.value)
    def test_a_read_that_meets_it_for_ever_is_to_be_tried_again(
        self, bench: ErpBench, adapter: Any, far: ErpFarSide, wiring: ErpWiring, fault: Fault
    ) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        documents = list(clerk.documents.values())
        writes = clerk.forget("t2")
        armed(bench, far.fail(fault, None), fault)
        wiring.waits.clear()

        for read, asked in ((adapter.read_back, documents), (adapter.probe, writes)):
            with pytest.raises(Retryable) as caught:
                read(asked)
            if fault in UNDONE:
                assert isinstance(caught.value, RateLimited)

        assert sum(wiring.waits) <= WAITED_S_MAX
        far.heal()
        assert_reads_as_told(adapter, documents)

    def test_nobody_there_changes_nothing(self, adapter: Any, far: ErpFarSide) -> None:
        """It is to be tried again, or in doubt; never done, and never refused."""
        clerk = STORIES["on_account"].clerk(far.company)
        done(adapter, far, clerk.masters())
        (write,) = clerk.learn(*next(iter(STORIES["on_account"].chapters(clerk))))
        far.leave()

        try:
            (outcome,) = adapter.put([write])
        except (Retryable, InDoubt):
            pass
        else:
            assert outcome.verdict in (Verdict.UNSENT, Verdict.IN_DOUBT), outcome
        assert far.held() == []

    def test_no_answer_is_in_doubt_and_a_look_says_what_was_done(
        self, bench: ErpBench, adapter: Any, far: ErpFarSide
    ) -> None:
        """In one batch: what stood before the lost one is done, what stands after it is done, unsent or in doubt."""
        story = STORIES["on_account"]
        clerk = story.clerk(far.company)
        done(adapter, far, clerk.masters())
        first, second, *_ = [write for chapter in list(story.chapters(clerk)) for write in clerk.learn(*chapter)]
        armed(bench, far.fail_write(Fault.LOST_AFTER), Fault.LOST_AFTER)

        try:
            verdicts = [one.verdict for one in adapter.put([first, second])]
        except InDoubt:
            verdicts = [Verdict.IN_DOUBT, Verdict.IN_DOUBT]

        far.heal()
        assert set(verdicts) <= {Verdict.DONE, Verdict.IN_DOUBT, Verdict.UNSENT}
        assert Verdict.DONE is not verdicts[0] or adapter.read_back([first.document])[0] is not None
        assert looked_for(adapter, far, first, []).found is Found.DONE
        done(adapter, far, [second])
        assert_reads_as_told(adapter, [first.document, second.document])

    # --- credentials --------------------------------------------------------------------------------------------------

    def test_an_expired_token_is_renewed_or_halts(self, bench: ErpBench, wiring: ErpWiring) -> None:
        wanted(bench, Need.CREDENTIALS)
        far = wiring.far
        for login in far.logins().values():
            wiring.vault.held.clear()
            adapter = wiring.connect(login)
            needed(adapter, *self.abilities)
            clerk = Clerk(far.company)
            done(adapter, far, clerk.masters())
            before = said(far.held())
            armed(bench, far.fail(Fault.TOKEN_EXPIRED), Fault.TOKEN_EXPIRED)

            halted = None
            try:
                done(adapter, far, clerk.masters())
            except AuthExpired as error:
                halted = error

            far.heal()
            assert halted is None or names_a_remedy(halted)
            done(wiring.connect(login), far, clerk.masters())
            assert said(far.held()) == before

    def test_credentials_that_are_revoked_halt_with_a_remedy_and_nothing_is_sent(
        self, bench: ErpBench, wiring: ErpWiring
    ) -> None:
        wanted(bench, Need.CREDENTIALS)
        far = wiring.far
        armed(bench, far.fail(Fault.REVOKED), Fault.REVOKED)
        for name, login in far.logins().items():
            wiring.vault.held.clear()
            adapter = wiring.connect(login)
            needed(adapter, *self.abilities)
            clerk = STORIES["on_account"].clerk(far.company)
            writes = [*clerk.masters(), *clerk.learn(*next(iter(STORIES["on_account"].chapters(clerk))))]

            for call in (adapter.put, adapter.probe):
                refusal = halted(call, writes, far)
                assert names_a_remedy(refusal), name
            assert far.held() == []

    def test_access_denied_is_refused_with_a_remedy(self, bench: ErpBench, adapter: Any, far: ErpFarSide) -> None:
        clerk = STORIES["on_account"].clerk(far.company)
        done(adapter, far, clerk.masters())
        (write,) = clerk.learn(*next(iter(STORIES["on_account"].chapters(clerk))))
        armed(bench, far.fail(Fault.ACCESS_DENIED), Fault.ACCESS_DENIED)

        (outcome,) = adapter.put([write])

        assert outcome.verdict is Verdict.REJECTED, outcome
        assert outcome.remedy
        far.heal()
        done(adapter, far, [write])

    def test_no_secret_and_no_person_is_in_a_repr_an_error_or_a_log(
        self, wiring: ErpWiring, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not even where the ERP says back all that it was sent."""
        caplog.set_level(logging.DEBUG)
        far = wiring.far
        for login in far.logins().values():
            for fault in (None, *Fault):
                adapter = wiring.connect(login)
                needed(adapter, PutsDocuments)
                clerk = STORIES["on_account"].clerk(far.company)
                if fault is not None and not far.fail(fault, None):
                    continue
                spoken = [*shown(adapter), *tried(adapter, clerk)]
                far.heal()
                far.pass_time(LATE_S)
                hidden = {*login.secrets.values(), *far.tokens(), *UNSAID}
                spoken += [
                    text for one in caplog.records for text in (one.getMessage(), str(one.args), str(one.exc_text))
                ]
                caplog.clear()
                for text in spoken:
                    assert not [secret[:4] for secret in hidden if secret in text], (fault, text[:200])


def assert_class(fault: Fault, met: list[Any]) -> None:
    """What was met says truly what is known of the write."""
    kinds = [type(one) for one in met if isinstance(one, HubError)]
    if fault in UNDONE:  # it may have waited and asked again itself
        assert all(issubclass(kind, RateLimited) for kind in kinds), met
        assert Verdict.IN_DOUBT not in met, met
    if fault in DONE_BY_THEN:  # so it is no lie to look, and one to say that nothing happened
        assert not any(issubclass(kind, Retryable) for kind in kinds), met
        assert Verdict.UNSENT not in met, met


def halted(call: Callable[[Any], Any], writes: Sequence[Write], far: ErpFarSide) -> AuthExpired:
    """How the call ends that nobody is let in for: at once, or after some tries where an overload reads like that."""
    for _ in range(HALTS_WITHIN):
        try:
            found = call(writes)
        except AuthExpired as error:
            return error
        except Retryable as error:
            far.pass_time(error.after_s or AGAIN_S)
        else:
            raise AssertionError(f"somebody was let in: {found}")
    raise AssertionError(f"not halted within {HALTS_WITHIN} tries")


def tried(adapter: Any, clerk: Clerk) -> Iterator[str]:
    """What is said in the course of some writes, looks and a check."""
    chapter = next(iter(STORIES["on_account"].chapters(clerk)))
    writes = [*clerk.masters(), *clerk.learn(*chapter)]
    for write in writes:
        yield repr(write)
        for call in (adapter.put, adapter.probe):
            try:
                yield repr(call([write]))
            except HubError as error:
                yield from chain(error)
    documents = [write.document for write in writes if write.document.kind not in MASTER_KINDS]
    try:
        yield repr(adapter.read_back(documents))
    except HubError as error:
        yield from chain(error)
    if isinstance(adapter, ChecksSetup):
        try:
            yield from (repr(looked) for looked in adapter.check_setup(InUse()))
        except HubError as error:
            yield from chain(error)
