"""An answer that is lost, or a commit that comes late, books a document once."""

import pytest

from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.errors import InDoubt
from hub.model.intents import Found, Verdict
from tests.erp_adapters.ledger.sale import invoice, masters, write
from tests.erp_adapters.ledger.test_documents_in import balances


@pytest.fixture
def ready(ledger: LedgerSimulator) -> LedgerSimulator:
    ledger.put(masters())
    return ledger


def test_an_answer_lost_after_the_commit_is_found_by_the_probe(ready: LedgerSimulator) -> None:
    ready.fail_next(Fault.LOST_AFTER)

    with pytest.raises(InDoubt):
        ready.put([write(invoice())])

    assert ready.probe([write(invoice())])[0].found is Found.DONE


def test_an_answer_lost_before_the_commit_is_absent_and_can_be_sent_again(ready: LedgerSimulator) -> None:
    ready.fail_next(Fault.LOST_BEFORE)

    with pytest.raises(InDoubt):
        ready.put([write(invoice())])
    probe = ready.probe([write(invoice())])
    (outcome,) = ready.put([write(invoice())])

    assert probe[0].found is Found.ABSENT
    assert outcome.verdict is Verdict.DONE
    assert balances(ready)["1100"] == 10260


def test_a_commit_later_than_the_probe_is_still_booked_once(ready: LedgerSimulator) -> None:
    ready.fail_next(Fault.LATE)

    with pytest.raises(InDoubt):
        ready.put([write(invoice())])
    probe = ready.probe([write(invoice())])
    (outcome,) = ready.put([write(invoice())])

    assert probe[0].found is Found.ABSENT
    assert outcome.verdict is Verdict.DONE
    assert balances(ready)["1100"] == 10260
    assert len(list(ready.journal())) == 1


def test_random_faults_are_the_same_for_the_same_seed(ready: LedgerSimulator) -> None:
    def failures() -> list[bool]:
        ready.fail_at_random(seed=3, share=0.5)
        failed = []
        for _ in range(12):
            try:
                ready.put([write(invoice())])
                failed.append(False)
            except InDoubt:
                failed.append(True)
        return failed

    first, second = failures(), failures()

    assert first == second
    assert {True, False} == set(first)
    assert balances(ready)["1100"] == 10260
