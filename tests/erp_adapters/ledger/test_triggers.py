"""The database itself keeps the books: raw SQL cannot store what does not balance, nor change what is posted."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from erp_adapters.ledger.schema import write as writing
from erp_adapters.ledger.simulator import LedgerSimulator
from tests.erp_adapters.ledger.sale import invoice, masters, write

DRAFT = (
    "INSERT INTO entry (id, document, cause, entity, date, period, memo, functional, posted) "
    "VALUES (99, 1, 'document', 'main', '2026-10-05', '2026-10', 'by hand', 'USD', false)"
)
POST = "UPDATE entry SET posted = true WHERE id = 99"


def posting(line: int, minor: int, functional: int, currency: str = "USD", entry: int = 99) -> str:
    return (
        "INSERT INTO posting (entry, line, account, amount_minor, currency, functional_minor) "
        f"VALUES ({entry}, {line}, '1100', {minor}, '{currency}', {functional})"
    )


@pytest.fixture
def booked(ledger: LedgerSimulator) -> LedgerSimulator:
    """A ledger with one posted entry, number 1."""
    ledger.put([*masters(), write(invoice())])
    return ledger


Run = Callable[..., None]


@pytest.fixture
def run(booked: LedgerSimulator) -> Run:
    """Runs statements as one transaction."""

    def run_all(*statements: str) -> None:
        with writing(booked.engine) as connection:
            for statement in statements:
                connection.execute(text(statement))

    return run_all


def test_a_balanced_draft_can_be_posted(run: Run, booked: LedgerSimulator) -> None:
    run(DRAFT, posting(1, 5, 5), posting(2, -5, -5), POST)

    assert [entry["memo"] for entry in booked.journal()] == ["invoice #1001", "by hand"]


def test_a_draft_is_in_no_report(run: Run, booked: LedgerSimulator) -> None:
    before = booked.trial_balance()

    run(DRAFT, posting(1, 5, 5))

    assert booked.trial_balance() == before
    assert len(list(booked.journal())) == 1


@pytest.mark.parametrize(
    "postings",
    [
        [posting(1, 5, 5), posting(2, -4, -4)],
        [posting(1, 5, 5), posting(2, -5, -4)],
        [posting(1, 5, 5, "EUR"), posting(2, -5, -5, "USD")],
        [],
    ],
    ids=["off by one", "off by one in the functional currency", "two currencies", "no postings"],
)
def test_an_entry_that_does_not_balance_cannot_be_posted(
    run: Run, booked: LedgerSimulator, postings: list[str]
) -> None:
    with pytest.raises(IntegrityError, match="ledger: unbalanced entry"):
        run(DRAFT, *postings, POST)

    assert len(list(booked.journal())) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET memo = 'other' WHERE id = 1",
        "UPDATE entry SET posted = false WHERE id = 1",
        "DELETE FROM entry WHERE id = 1",
        "UPDATE posting SET amount_minor = 0 WHERE entry = 1",
        "DELETE FROM posting WHERE entry = 1",
        posting(9, 0, 0, entry=1),
        DRAFT.replace("false", "true"),
    ],
)
def test_a_posted_entry_cannot_change_and_none_is_born_posted(
    run: Run, booked: LedgerSimulator, statement: str
) -> None:
    before = list(booked.journal())

    with pytest.raises(IntegrityError, match="ledger: "):
        run(statement)

    assert list(booked.journal()) == before


def test_a_posting_cannot_move_into_or_out_of_a_posted_entry(run: Run) -> None:
    run(DRAFT, posting(9, 5, 5))

    with pytest.raises(IntegrityError, match="ledger: "):
        run("UPDATE posting SET entry = 1 WHERE entry = 99")
    with pytest.raises(IntegrityError, match="ledger: "):
        run("UPDATE posting SET entry = 99 WHERE entry = 1")


def test_nothing_is_posted_into_a_closed_period(run: Run, booked: LedgerSimulator) -> None:
    booked.close("main", "2026-10")

    with pytest.raises(IntegrityError, match="ledger: closed period"):
        run(DRAFT, posting(1, 5, 5), posting(2, -5, -5), POST)


def test_a_period_that_is_not_the_date_s_does_not_open_a_closed_one(run: Run, booked: LedgerSimulator) -> None:
    booked.close("main", "2026-10")

    with pytest.raises(IntegrityError, match="the period is not that of the date"):
        run(DRAFT.replace("'2026-10'", "'2026-11'"), posting(1, 5, 5), posting(2, -5, -5), POST)


def test_an_entry_is_reversed_once(run: Run) -> None:
    reversal = DRAFT.replace("cause,", "cause, reverses,").replace("'document',", "'reversal', 1,")

    run(reversal)

    with pytest.raises(IntegrityError):
        run(reversal.replace("99", "98"))


def test_no_statement_that_only_one_database_knows_gets_round_the_triggers(run: Run, booked: LedgerSimulator) -> None:
    before = list(booked.journal())
    sneaky = {
        "sqlite": [
            DRAFT.replace("INSERT", "INSERT OR REPLACE").replace("99", "1"),
            posting(1, 1, 1, entry=1).replace("INSERT", "INSERT OR REPLACE"),
            "UPDATE OR REPLACE posting SET amount_minor = 1 WHERE entry = 1",
        ],
        "postgresql": ["TRUNCATE posting", "TRUNCATE entry CASCADE"],
    }[booked.engine.dialect.name]

    for statement in sneaky:
        with pytest.raises(IntegrityError, match="ledger: "):
            run(statement)

    assert list(booked.journal()) == before


def test_a_document_that_the_triggers_refuse_is_rejected_alone(
    booked: LedgerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The adapter checks periods itself; where another closes one under its feet the trigger still refuses."""
    booked.close("main", "2026-10")
    monkeypatch.setattr("erp_adapters.ledger.journal.Batch._check", lambda *_: None)

    outcomes = booked.put([write(invoice("1")), write(invoice("2"))])

    assert [(x.verdict, x.code, x.field) for x in outcomes] == [("rejected", "closed_period", "date")] * 2
