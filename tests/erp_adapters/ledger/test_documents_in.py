"""Documents become entries, once, and a refused one names what is wrong with it."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.model.documents import Document, DocumentKey, Rate
from hub.model.intents import Action, Found, Outcome, Verdict
from tests.erp_adapters.ledger.conftest import OpenLedger
from tests.erp_adapters.ledger.sale import (
    application,
    deposit,
    fulfilment,
    invoice,
    masters,
    of_order,
    receipt,
    sales_order,
    write,
)
from tests.hub.books.documents import DAY, document, line


def balances(ledger: LedgerSimulator) -> dict[str, int]:
    """Functional balance by account, those at zero left out."""
    return {x["account"]: x["functional_minor"] for x in ledger.trial_balance() if x["functional_minor"]}


def put(ledger: LedgerSimulator, *documents: Document, action: Action = Action.CREATE) -> list[Outcome]:
    return ledger.put([write(document, action) for document in documents])


@pytest.fixture
def stocked(ledger: LedgerSimulator) -> LedgerSimulator:
    """A ledger with a customer and ten mugs at 4.00."""
    ledger.put([*masters(), write(receipt(10, 4000))])
    return ledger


def test_a_sale_from_deposit_to_invoice_leaves_receivable_and_deposits_at_zero(stocked: LedgerSimulator) -> None:
    outcomes = put(stocked, sales_order(), deposit(), fulfilment(), invoice(), application())

    assert [outcome.ref for outcome in outcomes] == ["SO-4", "DEP-5", "FUL-6", "INV-7", "DEPAPP-8"]
    assert balances(stocked) == {
        "1200:shopify_payments": 10260,
        "1300": 3200,
        "2200:State Tax": -760,
        "3000": -4000,
        "4000": -10000,
        "4100": -500,
        "4200": 1000,
        "5000": 800,
    }


def test_the_read_back_equals_what_was_sent(stocked: LedgerSimulator) -> None:
    sent = write(sales_order())

    stocked.put([sent])
    (held, nothing) = stocked.read_back([sent.document, invoice()])

    assert held is not None
    assert (held.ref, held.revision, held.version, held.voided) == ("SO-4", sent.revision, 1, False)
    assert (held.total_minor, held.tax_minor, held.currency) == (10260, 760, "USD")
    assert (held.date, held.lines) == (DAY, 4)
    assert nothing is None


def test_the_same_key_and_revision_again_books_nothing(stocked: LedgerSimulator) -> None:
    put(stocked, invoice())

    again = put(stocked, invoice(), invoice())

    assert [(outcome.verdict, outcome.ref) for outcome in again] == [(Verdict.DONE, "INV-4")] * 2
    assert len(list(stocked.journal())) == 2  # the stock receipt's and this one


def test_a_key_that_exists_with_other_content_is_adopted_and_the_read_back_shows_it(stocked: LedgerSimulator) -> None:
    put(stocked, invoice())
    other = replace(invoice(), lines=(line("goods", 1),))

    (outcome,) = put(stocked, other)

    assert (outcome.verdict, outcome.ref) == (Verdict.DONE, "INV-4")
    (held,) = stocked.read_back([other])
    assert held is not None
    assert held.total_minor == 10260
    assert held.revision != write(other).revision


def test_an_amendment_reverses_and_posts_anew(stocked: LedgerSimulator) -> None:
    put(stocked, invoice())
    amended = replace(invoice(), lines=(line("goods", 9000), line("tax", 700, "State Tax")))

    put(stocked, amended, action=Action.AMEND)
    put(stocked, amended, action=Action.AMEND)  # heard twice

    entries = list(stocked.journal())[1:]
    assert [(entry["cause"], entry["reverses"]) for entry in entries] == [
        ("document", None),
        ("reversal", 2),
        ("document", None),
    ]
    assert balances(stocked) == {"1100": 9700, "1300": 4000, "2200:State Tax": -700, "3000": -4000, "4000": -9000}


def test_a_void_reverses_and_is_done_again_without_effect(stocked: LedgerSimulator) -> None:
    put(stocked, invoice(), fulfilment())

    put(stocked, invoice(), fulfilment(), action=Action.VOID)
    put(stocked, invoice(), fulfilment(), action=Action.VOID)

    assert balances(stocked) == {"1300": 4000, "3000": -4000}
    (held,) = stocked.read_back([invoice()])
    assert held is not None
    assert (held.voided, held.version) == (True, 2)


def test_what_was_never_there_is_void_already(stocked: LedgerSimulator) -> None:
    (outcome,) = put(stocked, invoice(), action=Action.VOID)

    assert (outcome.verdict, outcome.ref) == (Verdict.DONE, None)


def test_created_amended_and_voided_in_one_batch(stocked: LedgerSimulator) -> None:
    amended = replace(invoice(), lines=(line("goods", 9000),))

    outcomes = stocked.put([write(invoice()), write(amended, Action.AMEND), write(amended, Action.VOID)])

    assert [outcome.ref for outcome in outcomes] == ["INV-4", "INV-4", "INV-4"]
    assert balances(stocked) == {"1300": 4000, "3000": -4000}
    assert len(list(stocked.journal())) == 5


REFUSED = [
    ("unknown_item", "lines[0].item", of_order("sales_order", line("goods", 100, "", "CUP", 1))),
    ("unknown_customer", "customer", replace(sales_order(), customer=DocumentKey("cust-nobody"))),
    ("unknown_entity", "entity", replace(sales_order(), entity="moon")),
    ("unknown_currency", "currency", replace(sales_order(), currency="XTS")),
    ("unknown_method", "method", replace(deposit(), method=None)),
    ("missing_rate", "rate", replace(invoice(), currency="EUR")),
    ("unbalanced", "settles", of_order("credit_memo", line("goods", 100), settles=(line("receivable", 99),))),
    ("unbalanced", "lines", document("journal_entry", line("account", 1, "bank"), key="je-1")),
    (
        "unknown_account",
        "lines.detail",
        document("journal_entry", line("account", 1, "x"), line("account", -1, "y"), key="je-1"),
    ),
    ("bad_quantity", "lines[0].quantity", fulfilment(-1)),
    ("bad_amount", "lines[0].amount_minor", receipt(1, -5, "rcpt-2")),
    ("bad_amount", "lines[0].amount_minor", of_order("invoice", line("goods", 10**16))),
    (
        "bad_amount",
        "rate",
        replace(of_order("invoice", line("goods", 10**14)), currency="EUR", rate=Rate(Decimal("1e6"), DAY, "by hand")),
    ),
    ("duplicate_item", "lines[0].item", document("item", line("stock", 1, item="MUG"), key="item-other")),
]


@pytest.mark.parametrize(("code", "field", "refused"), REFUSED, ids=[f"{x[0]}-{i}" for i, x in enumerate(REFUSED)])
def test_a_refused_document_names_its_fault_and_hurts_no_neighbour(
    stocked: LedgerSimulator, code: str, field: str, refused: Document
) -> None:
    before, after = deposit("1"), deposit("2")

    outcomes = put(stocked, before, refused, after)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE, Verdict.REJECTED, Verdict.DONE]
    assert (outcomes[1].code, outcomes[1].field) == (code, field)
    assert outcomes[1].remedy
    assert balances(stocked) == {"1200:shopify_payments": 20520, "1300": 4000, "2100": -20520, "3000": -4000}
    assert stocked.probe([write(refused)])[0].found is Found.ABSENT


def test_a_document_in_a_closed_period_is_refused_until_the_period_is_opened(stocked: LedgerSimulator) -> None:
    stocked.close("main", "2026-10")

    (outcome,) = put(stocked, invoice())
    stocked.open("main", "2026-10")
    (later,) = put(stocked, invoice())

    assert (outcome.verdict, outcome.code, outcome.field) == (Verdict.REJECTED, "closed_period", "date")
    assert "2026-11-01" in outcome.remedy
    assert later.verdict is Verdict.DONE


def test_a_reversal_of_a_closed_period_stands_on_the_first_open_day_and_names_its_own(stocked: LedgerSimulator) -> None:
    put(stocked, invoice())
    for period in ("2026-10", "2026-11"):
        stocked.close("main", period)

    put(stocked, invoice(), action=Action.VOID)

    *_, reversal = stocked.journal()
    assert (reversal["cause"], reversal["date"], reversal["original_date"]) == ("reversal", "2026-12-01", "2026-10-05")
    assert stocked.closed_until("main") == datetime.date(2026, 11, 30)
    assert stocked.closed_until("eu") is None


def test_the_probe_tells_created_amended_and_voided_apart(stocked: LedgerSimulator) -> None:
    amended = replace(invoice(), lines=(line("goods", 9000),))
    put(stocked, invoice())

    probes = stocked.probe(
        [
            write(invoice()),
            write(amended, Action.AMEND),
            write(invoice(), Action.VOID),
            write(deposit()),
            write(deposit(), Action.VOID),
        ]
    )

    assert [probe.found for probe in probes] == [Found.DONE, Found.ABSENT, Found.ABSENT, Found.ABSENT, Found.DONE]


def test_the_same_documents_through_two_connections_at_once_are_there_once(open_ledger: OpenLedger) -> None:
    first, second = open_ledger(), open_ledger()
    first.put([*masters(), write(receipt(1000, 400_000))])
    batches = [
        [write(x) for n in range(start, start + 10) for x in (sales_order(f"{n}"), fulfilment(1, order=f"{n}"))]
        for start in range(0, 60, 10)
    ]

    def put_all(on: LedgerSimulator) -> list[list[Outcome]]:
        return [on.put(batch) for batch in batches]

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(put_all, on) for on in (first, second)]
        outcomes = [[x.ref for batch in future.result() for x in batch] for future in both]

    assert outcomes[0] == outcomes[1]
    assert len(set(outcomes[0])) == 120
    assert balances(first) == {"1300": 376_000, "3000": -400_000, "5000": 24_000}


def test_two_connections_that_open_an_empty_database_at_once_both_find_its_tables(open_ledger: OpenLedger) -> None:
    with ThreadPoolExecutor(2) as threads:
        ledgers = [future.result() for future in [threads.submit(open_ledger) for _ in range(2)]]

    assert [ledger.trial_balance() for ledger in ledgers] == [[], []]


def test_foreign_documents_balance_in_both_currencies(stocked: LedgerSimulator) -> None:
    rate = Rate(Decimal("1.5"), DAY, "by hand")
    euros = of_order("invoice", line("goods", 1), line("tip", 1), order="9", currency="EUR", rate=rate)

    put(stocked, euros)

    rows = [x for x in stocked.trial_balance() if x["currency"] == "EUR"]
    assert [(x["account"], x["balance_minor"], x["functional_minor"]) for x in rows] == [
        ("1100", 2, 3),
        ("2500", -1, -2),
        ("4000", -1, -2),
        ("4900", 0, 1),
    ]


def test_a_stored_document_names_its_party_and_holds_nothing_of_it(stocked: LedgerSimulator) -> None:
    with stocked.engine.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM document WHERE kind = 'customer'").scalars().all()
    assert '"party":{"id":"customer-7","version":"v1"}' in bodies[0]


def test_text_that_the_database_cannot_hold_is_refused_by_name(stocked: LedgerSimulator) -> None:
    """PostgreSQL takes no NUL in a text; whichever database it is, the neighbours are booked."""
    outcomes = put(stocked, deposit("1"), replace(deposit("2"), reference="#\x002"), deposit("3"))

    assert [outcomes[0].verdict, outcomes[2].verdict] == [Verdict.DONE, Verdict.DONE]
    assert outcomes[1].verdict is Verdict.DONE or outcomes[1].code == "unstorable"
