"""What writes told one by one came to."""

from collections.abc import Callable
from datetime import date

import pytest

from hub.errors import AuthExpired, InDoubt, Rejected, Retryable
from hub.model.documents import Document, DocumentKey, DocumentKind
from hub.model.intents import Action, Outcome, Verdict, Write
from hub.model.order import Party, PartyRef
from hub.ports import put_each

DONE = Outcome(Verdict.DONE, "7")
ANN = Party(PartyRef("customer-7", "v1"), name="Ann Example", address=("1 Main St",))
REFUSAL = Rejected("refused", code="too_long", field="Ann Example", remedy="shorten 'Ann Example, 1 Main St'")


def write(number: int, *parties: Party) -> Write:
    key = DocumentKey(f"inv-webshop-{number}")
    return Write(
        Action.CREATE, Document(key, DocumentKind.INVOICE, "main", "USD", date(2026, 3, 1)), "1", parties=parties
    )


def said(*answers: Outcome | Exception) -> Callable[[Write], Outcome]:
    rest = iter(answers)

    def put(_: Write) -> Outcome:
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return put


def test_what_is_refused_or_in_doubt_stops_none_of_the_others() -> None:
    outcomes = put_each(said(REFUSAL, InDoubt("no answer"), DONE), [write(1), write(2), write(3)])

    assert [outcome.verdict for outcome in outcomes] == [Verdict.REJECTED, Verdict.IN_DOUBT, Verdict.DONE]
    assert (outcomes[0].code, outcomes[0].field) == ("too_long", "Ann Example")


@pytest.mark.parametrize("refusal", [Retryable("busy"), AuthExpired("no longer")])
def test_what_comes_after_one_that_could_not_be_sent_is_not_sent(refusal: Exception) -> None:
    outcomes = put_each(said(DONE, refusal), [write(1), write(2), write(3)])

    assert outcomes == [DONE, Outcome(Verdict.UNSENT), Outcome(Verdict.UNSENT)]


@pytest.mark.parametrize("refusal", [Retryable("busy"), AuthExpired("no longer")])
def test_where_the_first_could_not_be_sent_nothing_happened(refusal: Exception) -> None:
    with pytest.raises(type(refusal)):
        put_each(said(refusal), [write(1), write(2)])


def test_a_refusal_keeps_no_personal_data() -> None:
    (outcome,) = put_each(said(REFUSAL), [write(1, ANN)])

    assert (outcome.code, outcome.field, outcome.remedy) == ("too_long", "…", "shorten '…, …'")
