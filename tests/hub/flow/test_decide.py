"""decide: what is new against what stands; a decision once sent is amended or voided, one unsent is replaced."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.books import Policy
from hub.flow import hold
from hub.flow.decide import decide
from hub.flow.hold import HoldRules
from hub.flow.terms import Terms
from hub.model.decisions import Decision
from hub.model.documents import DocumentKey
from hub.model.facts import Fact, Parcel
from hub.model.intents import Action
from hub.testing.builders import (
    History,
    at,
    captured,
    fact,
    histories,
    line,
    retold,
    shipped,
    snapshot,
    terms,
    tracked,
)
from tests.hub.flow.bookkeeping import CHART, Bookkeeping, balances, expected, planned

ORDER = [fact(snapshot(line("1", 2))), captured("t1", 5, 2000)]
SHIPPED = shipped("f1", 60, l1=2)


def only_superseding(*keys: str) -> Decision:
    return Decision([], [DocumentKey(key) for key in keys])


def told(made: Decision) -> list[tuple[Action, str]]:
    return [(intent.action, intent.document.key) for intent in made.intents]


# --- nothing new ---------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(histories(currency="USD"), st.integers(0, 9))
def test_an_unchanged_plan_decides_nothing(history: History, sent: int) -> None:
    facts = list(history.facts)
    books = Bookkeeping()
    books.learn(facts, terms())
    books.send(sent)

    again = books.decide(planned(facts, terms()), terms())

    assert again == Decision([], [])


@settings(max_examples=40)
@given(histories(currency="USD").flatmap(lambda history: retold(history.facts)), st.data())
def test_a_closed_period_and_a_new_policy_change_no_document_that_stands(
    facts: list[Fact], data: st.DataObject
) -> None:
    books = Bookkeeping()
    books.learn(facts, terms())
    books.send(data.draw(st.integers(0, 9)))

    later = terms(policy="p2", closed_until=date(2026, 6, 30))
    again = decide(planned(facts, later), books.decided(), later, CHART, Policy.parse({"allowance": "discounts"}))

    assert again == Decision([], [])


# --- new, amended, superseded, voided ------------------------------------------------------------------------------


def test_a_new_order_creates_its_documents_in_the_order_of_their_references() -> None:
    made = Bookkeeping().learn([*ORDER, SHIPPED], terms())

    assert told(made) == [
        (Action.CREATE, "so-webshop-1001"),
        (Action.CREATE, "dep-webshop-1001-t1"),
        (Action.CREATE, "ful-webshop-1001-f1"),
        (Action.CREATE, "inv-webshop-1001-f1"),
        (Action.CREATE, "depapp-webshop-1001-f1"),
    ]


def test_a_shipment_adds_its_documents_alone() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())

    made = books.learn([SHIPPED], terms())

    assert [key for _, key in told(made)] == [
        "ful-webshop-1001-f1", "inv-webshop-1001-f1", "depapp-webshop-1001-f1",
    ]  # fmt: skip
    assert made.superseded == []


def test_a_change_of_an_unsent_document_supersedes_it() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())

    made = books.learn([_edited()], terms())

    assert told(made) == [(Action.CREATE, "so-webshop-1001")]
    assert made.superseded == ["so-webshop-1001"]


def test_what_stands_behind_an_unsent_document_that_changed_is_decided_again_behind_it() -> None:
    """The queue goes by age: the shipment, which did not change, would be told before the order that it ships."""
    books = Bookkeeping()
    books.learn([fact(snapshot(line("1", 2), line("2", 1))), captured("t1", 5, 3000), SHIPPED], terms())

    made = books.learn([fact(snapshot(line("1", 2), line("2", 1, removed=1)), modified_at=at(2))], terms())

    keys = ["so-webshop-1001", "ful-webshop-1001-f1", "inv-webshop-1001-f1", "depapp-webshop-1001-f1"]
    assert told(made) == [(Action.CREATE, key) for key in keys]
    assert made.superseded == keys


def test_a_change_of_a_sent_document_amends_it() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())
    books.send()

    made = books.learn([_edited()], terms())

    assert told(made) == [(Action.AMEND, "so-webshop-1001")]
    assert made.superseded == []


def test_an_amendment_unsent_is_superseded_and_what_was_sent_is_amended_in_its_place() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.learn([_edited(2)], terms())

    made = books.learn([_edited(3, removed=2)], terms())

    assert (Action.AMEND, "so-webshop-1001") in told(made)
    assert "so-webshop-1001" in made.superseded


def test_going_back_to_what_was_sent_supersedes_the_amendment_and_sends_nothing() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())
    books.send()
    books.learn([_edited(2)], terms())

    made = books.learn([fact(snapshot(line("1", 2)), modified_at=_edited(3).modified_at)], terms())

    assert made == only_superseding("so-webshop-1001")


def test_going_back_after_the_amendment_was_sent_amends_to_the_first_content() -> None:
    books = Bookkeeping()
    first = books.learn(ORDER, terms())
    books.send()
    books.learn([_edited(2)], terms())
    books.send()

    made = books.learn([fact(snapshot(line("1", 2)), modified_at=_edited(3).modified_at)], terms())

    assert told(made) == [(Action.AMEND, "so-webshop-1001")]
    assert made.intents[0].revision == first.intents[0].revision


def test_documents_whose_cause_is_gone_are_voided_in_reverse_order() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()

    made = books.decide(planned(ORDER, terms()), terms())

    assert told(made) == [
        (Action.VOID, "depapp-webshop-1001-f1"),
        (Action.VOID, "inv-webshop-1001-f1"),
        (Action.VOID, "ful-webshop-1001-f1"),
    ]


def test_what_is_shipped_anew_takes_the_place_of_what_was_called_off() -> None:
    """An ERP refuses to ship units twice, and to apply more of a deposit than is open: the old ones go first."""
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    elsewhere = shipped("f2", 60, l1=2)

    made = books.decide(planned([*ORDER, elsewhere], terms()), terms())

    assert told(made) == [
        (Action.VOID, "depapp-webshop-1001-f1"),
        (Action.VOID, "inv-webshop-1001-f1"),
        (Action.VOID, "ful-webshop-1001-f1"),
        (Action.CREATE, "ful-webshop-1001-f2"),
        (Action.CREATE, "inv-webshop-1001-f2"),
        (Action.CREATE, "depapp-webshop-1001-f2"),
    ]


def test_what_was_decided_before_the_goods_were_called_off_waits_behind_that() -> None:
    """The new shipment was heard of first, and not sent or refused: it must not stand before the old one's end."""
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    elsewhere = shipped("f2", 60, l1=2)
    books.learn([elsewhere], terms())

    made = books.decide(planned([*ORDER, elsewhere], terms()), terms())

    assert [key for action, key in told(made) if action is Action.VOID][-1] == "ful-webshop-1001-f1"
    assert [key for action, key in told(made) if action is Action.CREATE] == [
        "ful-webshop-1001-f2",
        "inv-webshop-1001-f2",
        "depapp-webshop-1001-f2",
    ]
    assert [action for action, _ in told(made)] == [Action.VOID] * 3 + [Action.CREATE] * 3
    assert made.superseded == ["ful-webshop-1001-f2"]


def test_a_document_that_stays_is_told_otherwise_before_what_it_refers_to_goes() -> None:
    """A payment of the old invoice is put to the new one first: no ERP deletes an invoice that is paid."""
    books = Bookkeeping()
    order = fact(snapshot(line("1", 2)))
    paid = captured("t1", 90, 2000)
    books.learn([order, SHIPPED, paid], terms())
    books.send()
    elsewhere = shipped("f2", 60, l1=2)

    made = books.decide(planned([order, elsewhere, paid], terms()), terms())

    assert told(made) == [
        (Action.CREATE, "ful-webshop-1001-f2"),
        (Action.CREATE, "inv-webshop-1001-f2"),
        (Action.AMEND, "pay-webshop-1001-t1"),
        (Action.VOID, "inv-webshop-1001-f1"),
        (Action.VOID, "ful-webshop-1001-f1"),
    ]


def test_a_later_tracking_number_amends_the_shipment_in_place() -> None:
    """Nothing else is told: the invoice refers to a document that stays, and no posting moves."""
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()

    made = books.learn([_tracked("1Z1", 90)], terms())

    (amended,) = made.intents
    assert told(made) == [(Action.AMEND, "ful-webshop-1001-f1")]
    assert amended.in_place
    assert amended.document.parcels == (Parcel("UPS", "1Z1", None),)
    assert (amended.entry, amended.reversal) == (None, None)


def test_a_tracking_number_not_yet_told_is_superseded_by_the_next() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.learn([_tracked("1Z1", 90)], terms())

    made = books.learn([_tracked("1Z2", 95)], terms())

    assert made.superseded == ["ful-webshop-1001-f1"]
    assert [(one.action, one.document.parcels[0].tracking_number) for one in made.intents] == [(Action.AMEND, "1Z2")]


def test_a_tracking_number_of_a_closed_period_leaves_the_shipment_on_its_day() -> None:
    """It is neither moved into an open period nor held as something late."""
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    closed = replace(terms(), closed_until=date(2026, 3, 31))

    made = books.learn([_tracked("1Z1", 90)], closed)

    (amended,) = made.intents
    assert (amended.document.date, amended.document.original_date) == (date(2026, 3, 2), None)
    assert hold.late(made, closed, HoldRules(hold_late=True)) == []


def test_a_tracking_number_of_a_shipment_that_was_moved_is_not_late_once_more() -> None:
    closed = replace(terms(), closed_until=date(2026, 3, 31))
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], closed)
    books.send()

    made = books.learn([_tracked("1Z1", 90)], closed)

    (amended,) = made.intents
    assert (amended.document.date, amended.document.original_date) == (date(2026, 4, 1), date(2026, 3, 2))
    assert hold.late(made, closed, HoldRules(hold_late=True)) == []


def test_a_tracking_number_that_comes_with_other_units_is_an_ordinary_amendment() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()

    made = books.learn([_tracked("1Z1", 90, units=1)], terms())

    assert [one.in_place for one in made.intents if one.document.key == "ful-webshop-1001-f1"] == [False]


def test_an_amended_invoice_is_voided_after_the_application_to_it() -> None:
    """The amendment was decided last, but the application still refers to the invoice."""
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    other_item = fact(snapshot(replace(line("1", 2, sku="TEE"), title="Tee")), modified_at=at(70))
    amended = books.learn([other_item], terms())
    books.send()

    made = books.decide(planned([*ORDER, other_item], terms()), terms())

    assert [key for _, key in told(amended)] == ["so-webshop-1001", "ful-webshop-1001-f1", "inv-webshop-1001-f1"]
    voided = [key for action, key in told(made) if action is Action.VOID]
    assert voided == ["depapp-webshop-1001-f1", "inv-webshop-1001-f1", "ful-webshop-1001-f1"]


def test_unsent_documents_whose_cause_is_gone_are_superseded() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())

    made = books.decide(planned(ORDER, terms()), terms())

    assert made == only_superseding("depapp-webshop-1001-f1", "inv-webshop-1001-f1", "ful-webshop-1001-f1")


def test_an_unsent_amendment_whose_cause_is_gone_voids_what_was_sent() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    dearer = fact(snapshot(line("1", 2, 999)), modified_at=_edited().modified_at)
    books.learn([dearer], terms())

    made = books.decide(planned([*ORDER, dearer], terms()), terms())

    assert (Action.VOID, "inv-webshop-1001-f1") in told(made)
    assert "inv-webshop-1001-f1" in made.superseded


def test_a_voided_document_that_is_called_for_again_is_told_again() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.decide(planned(ORDER, terms()), terms())
    books.send()

    made = books.decide(planned([*ORDER, SHIPPED], terms()), terms())

    assert told(made) == [
        (Action.AMEND, "ful-webshop-1001-f1"),
        (Action.AMEND, "inv-webshop-1001-f1"),
        (Action.AMEND, "depapp-webshop-1001-f1"),
    ]
    assert [intent.reversal for intent in made.intents] == [None, None, None]


def test_a_void_not_yet_sent_is_taken_back_when_the_cause_returns() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.decide(planned(ORDER, terms()), terms())

    made = books.decide(planned([*ORDER, SHIPPED], terms()), terms())

    assert made == only_superseding("ful-webshop-1001-f1", "inv-webshop-1001-f1", "depapp-webshop-1001-f1")


def test_what_was_voided_is_not_voided_again_when_its_revival_was_never_sent() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.decide(planned(ORDER, terms()), terms())
    books.send()
    books.decide(planned([*ORDER, SHIPPED], terms()), terms())

    made = books.decide(planned(ORDER, terms()), terms())

    assert made == only_superseding("depapp-webshop-1001-f1", "inv-webshop-1001-f1", "ful-webshop-1001-f1")


# --- late ----------------------------------------------------------------------------------------------------------

CLOSED = terms(closed_until=date(2026, 3, 31))


def test_a_late_document_is_dated_the_first_open_day_and_names_its_own() -> None:
    made = Bookkeeping().learn(ORDER, CLOSED)

    deposit = made.intents[1]
    assert (deposit.document.date, deposit.document.original_date) == (date(2026, 4, 1), date(2026, 3, 2))
    assert deposit.entry is not None
    assert (deposit.entry.date, deposit.entry.original_date) == (date(2026, 4, 1), date(2026, 3, 2))


def test_a_document_of_an_open_period_keeps_its_date() -> None:
    made = Bookkeeping().learn(ORDER, terms(closed_until=date(2026, 3, 1)))

    assert {(x.document.date, x.document.original_date) for x in made.intents} == {(date(2026, 3, 2), None)}


def test_what_amends_an_entry_of_a_closed_period_reverses_it_in_an_open_one() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())
    books.send()

    made = books.learn([_captured_again(1500)], CLOSED)

    (amended,) = made.intents
    assert amended.reversal is not None
    assert amended.entry is not None
    assert (amended.reversal.date, amended.entry.date) == (date(2026, 4, 1), date(2026, 4, 1))


def test_an_intent_names_the_policy_that_decided_it() -> None:
    made = Bookkeeping().learn(ORDER, terms(policy="2026-03.ab12"))

    assert {intent.policy for intent in made.intents} == {"2026-03.ab12"}


# --- the expected books --------------------------------------------------------------------------------------------


def test_an_amended_document_counts_once() -> None:
    books = Bookkeeping()
    books.learn(ORDER, terms())
    books.send()
    books.learn([_captured_again(1500)], terms())

    assert balances(books.entries()) == {
        ("1200:card", "USD"): (1500, 1500),
        ("2100", "USD"): (-1500, -1500),
    }


def test_a_voided_document_counts_for_nothing() -> None:
    books = Bookkeeping()
    books.learn([*ORDER, SHIPPED], terms())
    books.send()
    books.decide([], terms())

    assert balances(books.entries()) == {}


@settings(max_examples=50)
@given(
    histories(currency="USD").flatmap(lambda history: retold(history.facts)),
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=6),
)
def test_however_often_the_plan_changes_the_expected_books_are_those_of_the_last_plan(
    facts: list[Fact], turns: list[tuple[int, bool]]
) -> None:
    """The plan goes forth and back, policies and periods change, some of it was sent each time."""
    books = Bookkeeping()
    for count, late in turns:
        under: Terms = terms(policy="p2", closed_until=date(2026, 5, 31)) if late else terms()
        books.decide(planned(facts[:count], under), under)
        books.send(count)

    books.decide(planned(facts, terms()), terms())

    assert balances(books.entries()) == balances(expected(planned(facts, terms()), terms()))


def _tracked(number: str, minutes: int, units: int = 2) -> Fact:
    return tracked(shipped("f1", 60, l1=units), minutes, number)


def _edited(minutes: int = 2, removed: int = 1) -> Fact:
    return fact(snapshot(line("1", 2, removed=removed)), modified_at=at(minutes))


def _captured_again(amount_minor: int) -> Fact:
    return replace(captured("t1", 5, amount_minor), modified_at=at(50))
