"""orderhub ledger: the ERP's own books, by the abilities that it has."""

from datetime import date

import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from tests.erp_adapters.ledger.conftest import NOW, config_of
from tests.hub.cli.shop import Orderhub, order


@pytest.fixture
def posted(orderhub: Orderhub) -> Orderhub:
    """One paid order of 249.00 USD, not shipped: its money is a deposit."""
    orderhub.json("import", "shopify", orderhub.file(order()))
    return orderhub


def test_the_trial_balance_has_both_sides_equal(posted: Orderhub) -> None:
    answer = posted.json("ledger", "trial-balance")

    assert answer["totals"] == {"USD": {"debit_minor": 24900, "credit_minor": 24900}}
    assert {row["account"]: row["balance_minor"] for row in answer["accounts"]} == {
        "1200:shopify_payments": 24900,
        "2100": -24900,
    }


def test_a_trial_balance_stops_at_its_day(posted: Orderhub) -> None:
    assert posted.json("ledger", "trial-balance", "--until", "2026-03-01") == {"accounts": [], "totals": {}}


def test_the_expected_balances_are_those_of_the_decisions_and_end_at_their_day(posted: Orderhub) -> None:
    answer = posted.json("ledger", "expected")
    before = posted.json("ledger", "expected", "--until", "2026-03-01")

    assert answer["totals"] == {"USD": {"debit_minor": 24900, "credit_minor": 24900}}
    assert {row["account"]: row["balance_minor"] for row in answer["accounts"]} == {
        "1200:shopify_payments": 24900,
        "2100": -24900,
    }
    assert before == {"accounts": [], "totals": {}}


def test_the_journal_has_the_entries_with_their_documents(posted: Orderhub) -> None:
    (entry,) = posted.json("ledger", "journal")["entries"]

    assert entry["document"].startswith("dep-shopify-1001-")
    assert sorted(posting["amount_minor"] for posting in entry["postings"]) == [-24900, 24900]


@pytest.mark.parametrize(
    ("form", "begins"),
    [("beancount", 'option "title"'), ("csv", "entry,cause,"), ("json", '{"entry": 1,')],
)
def test_the_journal_is_exported_in_the_form_named(posted: Orderhub, form: str, begins: str) -> None:
    ran = posted("ledger", "export", "--format", form)

    assert ran.status == 0
    assert ran.out.startswith(begins)


def test_a_form_that_does_not_exist_is_a_wrong_command_line(posted: Orderhub) -> None:
    assert posted("ledger", "export", "--format", "xml").status == 2


def test_a_closed_month_takes_nothing_until_it_is_opened(posted: Orderhub) -> None:
    posted.json("ledger", "close", "2026-03")
    posted.json("import", "shopify", posted.file(order(1002)))
    moved = posted.json("orders", "show", "1002")["documents"][0]["date"]
    posted.json("ledger", "open", "2026-03")
    posted.json("import", "shopify", posted.file(order(1003)))
    kept = posted.json("orders", "show", "1003")["documents"][0]["date"]

    assert (moved, kept) == ("2026-04-01", "2026-03-02")


def test_a_period_is_a_month(posted: Orderhub) -> None:
    ran = posted("ledger", "close", "March")

    assert (ran.status, ran.err) == (1, "orderhub: not a period like 2026-10: 'March'\n")


def test_an_entity_that_does_not_exist_is_said_so(posted: Orderhub) -> None:
    assert "no 'else' among the entities of " in posted("ledger", "close", "2026-03", "--entity", "else").err


def test_accounts_and_ageing_answer(posted: Orderhub) -> None:
    assert "2100" in [row["id"] for row in posted.json("ledger", "accounts")["accounts"]]
    assert posted.json("ledger", "ageing", "--on", "2026-04-01") == {"on": "2026-04-01", "receivables": []}


def test_sync_of_the_erp_brings_in_what_people_shipped_there(posted: Orderhub) -> None:
    ledger = LedgerSimulator(config_of(f"sqlite:///{posted.home / 'ledger.db'}"), lambda: NOW)
    (sold,) = [x for x in ledger.statement(date(2026, 3, 1), date(2026, 3, 31)) if x.key.startswith("so-")]
    line = next(x.line for x in ledger.document(sold.ref).lines if x.line is not None)
    ledger.fulfil(sold.key, {line: 1})
    ledger.close_connections()

    answer = posted.json("sync", "ledger")

    assert (answer["new"], answer["sent"], answer["rejected"]) == (2, 2, 0)  # invoice and application
    shown = posted.json("orders", "show", "1001")
    assert (shown["row"]["fulfilment"], shown["lines"][0]["shipped"]) == ("fulfilled", 1)
