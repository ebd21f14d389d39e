"""Reports and exports; Beancount, which nobody here wrote, adds the journal up again."""

import csv
import datetime
import io
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.convert import get_weight
from beancount.core.data import Transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_adapters.ledger.export import beancount_names
from erp_adapters.ledger.simulator import LedgerSimulator
from hub.books import Role
from hub.model.documents import Document, DocumentKey, Rate
from hub.model.intents import Action
from hub.model.money import decimal_of
from hub.ports import (
    KeepsBooks,
    KeepsPeriods,
    ProbesDocuments,
    PutsDocuments,
    ReadsBack,
    StatesCosts,
    StatesDocuments,
    StatesPostings,
)
from tests.erp_adapters.ledger.conftest import NOW, config_of
from tests.erp_adapters.ledger.sale import (
    MUG,
    application,
    deposit,
    fulfilment,
    invoice,
    masters,
    of_order,
    receipt,
    return_receipt,
    sales_order,
    write,
)
from tests.erp_adapters.ledger.test_documents_in import put
from tests.hub.books.documents import DAY, document, documents, line
from tests.hub.books.test_examples import CHART


@pytest.fixture
def busy(ledger: LedgerSimulator) -> LedgerSimulator:
    """A ledger where much has happened, in four currencies, by the hub and by hand."""
    ledger.put([*masters(), write(receipt(10, 4001))])
    put(ledger, sales_order(), deposit(), fulfilment(), invoice(), application(), return_receipt())
    rates = {"EUR": "1.0837", "JPY": "0.006731", "KWD": "3.25417"}
    for order, (currency, rate) in enumerate(rates.items(), start=2001):
        stated = Rate(Decimal(rate), DAY, "by hand")
        lines = [line("goods", 3333), line("tip", 101), line("tax", 777, 'MwSt: "19 %"\n消費税')]
        put(ledger, of_order("invoice", *lines, order=str(order), currency=currency, rate=stated))
        put(
            ledger,
            of_order(
                "payment", line("receivable", 1999), order=str(order), currency=currency, rate=stated, method="pay_pal"
            ),
            of_order(
                "payment", line("receivable", 1), order=f"{order}x", currency=currency, rate=stated, method="pay-pal"
            ),
        )
    put(ledger, of_order("invoice", line("goods", 5000), order="eu1", entity="eu", currency="EUR"))
    put(ledger, invoice("3001"))
    put(ledger, invoice("3001"), action=Action.VOID)
    ledger.edit_amount("INV-8", 5)
    ledger.copy("INV-8")
    return ledger


def test_the_ledger_has_its_abilities(ledger: LedgerSimulator) -> None:
    for ability in (PutsDocuments, ProbesDocuments, ReadsBack, StatesDocuments, StatesCosts, KeepsPeriods, KeepsBooks):
        assert isinstance(ledger, ability)
    assert isinstance(ledger, StatesPostings)


def test_the_trial_balance_sums_to_zero_in_each_currency(busy: LedgerSimulator) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    worth: Counter[str] = Counter()
    for row in busy.trial_balance():
        sums[(row["entity"], row["currency"])] += row["debit_minor"] - row["credit_minor"]
        worth[row["entity"]] += row["functional_minor"]

    assert {currency for _, currency in sums} == {"USD", "EUR", "JPY", "KWD"}
    assert set(sums.values()) == {0}
    assert set(worth.values()) == {0}


def test_the_trial_balance_of_a_day_leaves_out_what_came_later(busy: LedgerSimulator) -> None:
    before = busy.trial_balance(DAY)

    put(busy, invoice("4001", date=DAY + datetime.timedelta(days=1)))

    assert busy.trial_balance(DAY) == before
    assert busy.trial_balance() != before


def test_what_goods_cost_is_told_by_item_and_sums_to_what_its_account_moved(ledger: LedgerSimulator) -> None:
    tee = document("item", line("stock", 350, item="TEE"), key="item-tee", memo="Tee")
    ledger.put([*masters(), write(receipt(10, 4001)), write(tee)])
    ledger.receive("TEE", 3, 1000)
    both = (line("stock", 0, "", MUG, 2), line("stock", 0, "", "TEE", 1))
    put(ledger, of_order("fulfilment", *both, fact="f1", location="main"), return_receipt())
    typed = (line("account", 250, "cost_of_goods_sold"), line("account", -250, "inventory"))
    ledger.type_in(document("journal_entry", *typed))

    told = [(x.kind, x.order, x.item, x.functional_minor) for x in ledger.costs(DAY, NOW.date())]

    assert told == [
        ("fulfilment", "1001", "MUG", 800),
        ("fulfilment", "1001", "TEE", 333),
        ("return_receipt", "1001", "MUG", -400),
        ("journal_entry", None, None, 250),
    ]
    (cost,) = [row for row in ledger.trial_balance() if row["account"] == CHART.account(Role.COST_OF_GOODS_SOLD)]
    assert cost["balance_minor"] == sum(minor for *_, minor in told)
    assert list(ledger.costs(DAY + datetime.timedelta(days=90), DAY + datetime.timedelta(days=91))) == []


def test_its_postings_of_all_days_are_the_trial_balance(busy: LedgerSimulator) -> None:
    sums: Counter[tuple[str, str, str]] = Counter()
    for one in busy.postings(datetime.date.min, datetime.date.max):
        sums[one.entity, one.account, one.currency] += one.amount_minor

    held = {(x["entity"], x["account"], x["currency"]): x["balance_minor"] for x in busy.trial_balance()}
    assert {place: minor for place, minor in sums.items() if minor} == {
        at: minor for at, minor in held.items() if minor
    }


def test_an_edited_document_is_told_as_it_stands_and_a_voided_one_not_at_all(ledger: LedgerSimulator) -> None:
    ledger.put(masters())
    put(ledger, sales_order(), invoice())
    ref = ledger.ref(invoice().key)
    before = {one.account: one for one in ledger.postings(DAY, NOW.date())}

    ledger.edit_amount(ref, 500)
    edited = {one.account: one for one in ledger.postings(DAY, NOW.date())}
    ledger.void(ref)

    assert edited["1100"].amount_minor == before["1100"].amount_minor + 500
    assert [
        (one.document, one.ref, one.kind, one.by_hand, one.version) for one in (before["1100"], edited["1100"])
    ] == [
        (invoice().key, ref, "invoice", False, 1),
        (invoice().key, ref, "invoice", True, 2),
    ]
    assert list(ledger.postings(DAY, NOW.date())) == []


def test_bean_check_passes_and_beancount_s_balances_equal_the_trial_balance(
    busy: LedgerSimulator, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.beancount"
    file.write_text("".join(busy.export("beancount")))

    checked = subprocess.run(
        [str(Path(sys.executable).parent / "bean-check"), str(file)], capture_output=True, text=True, check=False
    )
    entries, errors, _ = loader.load_file(str(file))

    assert (checked.returncode, checked.stdout, checked.stderr, errors) == (0, "", "", [])
    units: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    worth: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None
            assert posting.units.number is not None
            units[(posting.account, posting.units.currency)] += posting.units.number
            worth[posting.account] += get_weight(posting).number  # type: ignore[no-untyped-call]
    names = beancount_names(["main", "eu"], busy.accounts())
    expected: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    expected_worth: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in busy.trial_balance():
        name = names[(row["entity"], row["account"])]
        expected[(name, row["currency"])] += decimal_of(row["balance_minor"], row["currency"])
        expected_worth[name] += decimal_of(row["functional_minor"], row["functional"])
        if row["account"] == "4900":  # roundings of a conversion have a worth and no foreign amount
            expected[(name, row["functional"])] += decimal_of(row["functional_minor"], row["functional"])
    assert {x: n for x, n in units.items() if n} == {x: n for x, n in expected.items() if n}
    assert {x: round(n, 6) for x, n in worth.items() if round(n, 6)} == {x: n for x, n in expected_worth.items() if n}
    assert len(units) > 20


def test_an_export_that_is_off_by_one_does_not_pass_beancount(busy: LedgerSimulator, tmp_path: Path) -> None:
    file = tmp_path / "ledger.beancount"
    file.write_text("".join(busy.export("beancount")).replace("-40.01 USD", "-40.00 USD", 1))

    _, errors, _ = loader.load_file(str(file))

    assert len(errors) == 1


def test_words_that_beancount_would_make_one_stay_two_accounts(busy: LedgerSimulator) -> None:
    names = beancount_names(["main"], busy.accounts())

    assert names[("main", "1200:pay_pal")] != names[("main", "1200:pay-pal")]
    assert len(set(names.values())) == len(names)


def test_csv_and_json_have_every_posting(busy: LedgerSimulator) -> None:
    entries = list(busy.journal())
    postings = sum(len(entry["postings"]) for entry in entries)

    rows = list(csv.DictReader("".join(busy.export("csv")).splitlines()))
    lines = [json.loads(row) for row in busy.export("json")]

    assert len(rows) == postings
    assert sum(Decimal(row["functional_amount"]) for row in rows) == 0
    assert lines == entries


@pytest.mark.parametrize(
    ("typed", "exported"),
    [
        ("=HYPERLINK(0)", "'=HYPERLINK(0)"),
        ("+1-800", "'+1-800"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        ("＝1", "'＝1"),
        ("#8;=1", "#8;'=1"),
        ('#8","=1', '#8","=1'),
        ("#8\n=1", "#8 =1"),
        ("a=b - c", "a=b - c"),
    ],
)
def test_text_is_no_formula_in_a_csv_and_amounts_stay_numbers(
    ledger: LedgerSimulator, typed: str, exported: str
) -> None:
    """As OWASP's page on CSV injection has it; a semicolon divides cells where the comma is the decimal sign."""
    ledger.put(masters())
    put(ledger, replace(deposit(), reference=typed))

    rows = list(csv.reader(io.StringIO("".join(ledger.export("csv")))))

    column = rows[0].index("reference")
    assert {row[column] for row in rows[1:]} == {exported}
    assert {row[rows[0].index("amount")] for row in rows[1:]} == {"102.60", "-102.60"}


def test_another_form_of_export_is_refused(ledger: LedgerSimulator) -> None:
    with pytest.raises(ValueError, match="no export as 'pdf'"):
        ledger.export("pdf")


def test_ageing_lets_credits_pay_the_oldest_debts_first(ledger: LedgerSimulator) -> None:
    ledger.put(masters())
    on = datetime.date(2026, 12, 31)
    old, new = DAY, datetime.date(2026, 12, 20)
    put(
        ledger,
        of_order("invoice", line("goods", 1000), order="1", fact="a", date=old),
        of_order("invoice", line("goods", 500), order="1", fact="b", date=new),
        of_order("payment", line("receivable", 1200), order="1", fact="c", date=new, method="paypal"),
        of_order("payment", line("receivable", 70), order="2", fact="c", date=new, method="paypal"),
        of_order("invoice", line("goods", 900), order="3", fact="a", date=old),
        of_order("payment", line("receivable", 900), order="3", fact="b", date=new, method="paypal"),
    )

    rows = ledger.ageing(on)

    assert [(x["order"], x["oldest"], x["buckets"], x["credit_minor"], x["total_minor"]) for x in rows] == [
        ("1", "2026-12-20", {"0-30": 300, "31-60": 0, "61-90": 0, "over 90": 0}, 0, 300),
        ("2", None, {"0-30": 0, "31-60": 0, "61-90": 0, "over 90": 0}, 70, -70),
    ]
    assert ledger.ageing(datetime.date(2026, 12, 1))[0]["buckets"] == {
        "0-30": 0,
        "31-60": 1000,
        "61-90": 0,
        "over 90": 0,
    }


def test_accounts_name_what_was_opened(busy: LedgerSimulator) -> None:
    by_id = {row["id"]: row for row in busy.accounts()}

    assert by_id["2200:State Tax"] == {
        "id": "2200:State Tax",
        "number": "2200",
        "name": "Sales tax payable: State Tax",
        "type": "liability",
        "role": "sales_tax_payable",
    }
    assert by_id["1000"]["name"] == "Bank"


@settings(max_examples=40)
@given(st.lists(documents(CHART), min_size=1, max_size=12), st.sampled_from(list(Action)))
def test_whatever_is_put_the_books_balance(
    shared_ledger: LedgerSimulator, drawn: list[Document], again: Action
) -> None:
    """One ledger for all examples: what is drawn meets what was there, refused documents among it."""
    keyed = [replace(x, key=DocumentKey(f"{x.kind}-{n}")) for n, x in enumerate(drawn)]

    outcomes = shared_ledger.put([write(x) for x in keyed] + [write(x, again) for x in keyed])

    assert len(outcomes) == 2 * len(drawn)
    sums: Counter[str] = Counter()
    for row in shared_ledger.trial_balance():
        sums[row["currency"]] += row["balance_minor"]
        sums["functional"] += row["functional_minor"]
    assert set(sums.values()) <= {0}


@pytest.fixture(scope="module")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerSimulator]:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledger = LedgerSimulator(config_of(f"sqlite:///{path}"), lambda: NOW)
    ledger.put([write(document("item", line("stock", 100, item="mug"), key="item-mug"))])
    yield ledger
    ledger.close_connections()
