"""The month's books in the reference ledger beside the expected ones, after people worked in it by hand."""

import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from connectors.shopify.simulator import Story
from hub.errors import Misconfigured
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine, document_key
from hub.model.postings import BooksComparison
from hub.ports import StatesPostings
from hub.steps.closing import reconcile
from hub.steps.expected_books import expected_trial_balance
from hub.steps.hub import Hub
from hub.steps.reconcile import as_json
from hub.steps.send import send_all
from hub.steps.signing import sign
from hub.store.schema import intent, step
from tests.hub.steps.conftest import record, stories, take_in

PERIOD = "2026-10"


def plain() -> list[Story]:
    return [one for one in stories(60) if "plain" in one.traits and one.final["fulfillments"]][:6]


def orders(hub: Hub) -> list[str]:
    """Six orders of October, paid, shipped, invoiced and sent; their ids."""
    told = plain()
    take_in(hub, *(record(one.final, str(one.final["id"])) for one in told))
    send_all(hub)
    return [str(one.final["id"]) for one in told]


def invoice(order: str) -> DocumentKey:
    (fulfilment,) = next(one.final for one in plain() if str(one.final["id"]) == order)["fulfillments"]
    return document_key(DocumentKind.INVOICE, "shopify", order, str(fulfilment["id"]))


def books(hub: Hub) -> BooksComparison:
    found = reconcile(hub, PERIOD, []).books
    assert found is not None
    return found


def test_what_the_hub_posted_ties_document_by_document(hub: Hub) -> None:
    orders(hub)

    found = books(hub)

    assert found.differences == ()
    assert found.documents == found.matched > 12
    assert {one.account for one in found.accounts} >= {"1100", "2100", "4000"}
    assert {one.why for one in found.left_out} == {"cost"}


def test_each_accident_is_named_with_its_amount_and_nothing_is_left(hub: Hub) -> None:
    edited, deleted, doubled, moved, *_ = orders(hub)
    erp = hub.erp
    taken = {order: erp.document(erp.ref(invoice(order))) for order in (edited, deleted, doubled, moved)}

    erp.edit_amount(erp.ref(invoice(edited)), 1250, Component.GOODS)
    erp.void(erp.ref(invoice(deleted)))
    copy = erp.copy(erp.ref(invoice(doubled)))
    erp.move(erp.ref(invoice(moved)), datetime.date(2026, 11, 3))
    typed = erp.type_in(
        Document(
            key=DocumentKey(""),
            kind=DocumentKind.INVOICE,
            entity="main",
            currency="USD",
            date=datetime.date(2026, 10, 20),
            lines=(DocumentLine(Component.GOODS, 18900, detail="by telephone"),),
            reference="PHONE-17",
            customer=taken[edited].customer,
        )
    )
    found = books(hub)

    on_receivable = {
        one.document: [(cause.code.value, cause.amount_minor) for cause in one.causes]
        for one in found.differences
        if one.account == "1100"
    }
    assert on_receivable == {
        invoice(edited): [("hand_edit", 1250)],
        invoice(deleted): [("erp_deleted", -taken[deleted].total_minor)],
        copy: [("entered_twice", taken[doubled].total_minor)],
        invoice(moved): [("cut_off", -taken[moved].total_minor)],
        typed: [("entered_in_erp_alone", 18900)],
    }
    assert (found.unexplained_minor, found.unexplained_functional_minor) == ({"USD": 0}, {"USD": 0})
    assert found.documents - found.matched == 5


def test_a_document_of_the_wrong_month_comes_back_in_the_other(hub: Hub) -> None:
    moved = orders(hub)[0]
    total = hub.erp.document(hub.erp.ref(invoice(moved))).total_minor
    hub.erp.move(hub.erp.ref(invoice(moved)), datetime.date(2026, 11, 3))

    found = reconcile(hub, "2026-11", []).books

    assert found is not None
    assert [
        (one.document, one.causes[0].code, one.delta_minor) for one in found.differences if one.account == "1100"
    ] == [(invoice(moved), "cut_off", total)]


def test_a_write_that_the_hub_has_not_sent_is_named(hub: Hub) -> None:
    one = plain()[0]
    take_in(hub, record(one.final, "one"))

    found = books(hub)

    assert {cause.code.value for line in found.differences for cause in line.causes} == {"not_sent_yet"}
    assert found.unexplained_minor == {"USD": 0}


def test_an_earlier_run_gives_the_same_books_and_notices_a_touched_file(hub: Hub) -> None:
    orders(hub)
    first = reconcile(hub, PERIOD, [])
    folder = hub.settings.home / "runs" / first.run

    again = reconcile(hub, PERIOD, [], folder)
    (folder / "books-posted.parquet").write_bytes((folder / "books-opening.parquet").read_bytes())

    assert (again.digest, again.books) == (first.digest, first.books)
    with pytest.raises(Misconfigured, match=r"books-posted\.parquet cannot be read"):
        reconcile(hub, PERIOD, [], folder)


def test_the_reports_show_the_books(hub: Hub) -> None:
    edited = orders(hub)[0]
    hub.erp.edit_amount(hub.erp.ref(invoice(edited)), 1250, Component.GOODS)

    found = reconcile(hub, PERIOD, [])

    folder = hub.settings.home / "runs" / found.run
    html = (folder / "report.html").read_text()
    assert invoice(edited) in html
    assert "1300 Inventory (the ERP alone values stock)" in html
    sheets = openpyxl.load_workbook(folder / "report.xlsx")
    rows = list(sheets["Book differences"].iter_rows(values_only=True))
    assert [(row[1], row[3], row[9], row[10]) for row in rows[1:]] == [
        ("1100", invoice(edited), "Edited by hand in the ERP", 12.5),
        ("4000", invoice(edited), "Edited by hand in the ERP", -12.5),
    ]
    told: dict[str, Any] = as_json(found)["books"]
    assert [one["delta_minor"] for one in told["accounts"] if one["account"] == "4000"] == [-1250]
    assert told["unexplained_minor"] == {"USD": 0}


def test_books_that_leave_something_unexplained_are_not_signed_without_a_note(hub: Hub, tmp_path: Path) -> None:
    """An invoice was edited by hand, and what was read back of it before proves nothing: it is not what was sent."""
    edited = orders(hub)[0]
    hub.erp.edit_amount(hub.erp.ref(invoice(edited)), 1250, Component.GOODS)
    of_it = select(intent.c.id).where(intent.c.document_key == invoice(edited)).scalar_subquery()
    with hub.writing() as connection, connection.begin():
        connection.execute(update(step).where(step.c.intent_id == of_it).values(readback_total_minor=1))
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": [one.final for one in plain()]}))

    found = reconcile(hub, PERIOD, [statement])

    assert (found.complete, found.sales.unexplained_minor) == (True, {"USD": 0})
    assert found.books is not None
    assert found.books.unexplained_minor == {"USD": 2500}
    html = (hub.settings.home / "runs" / found.run / "report.html").read_text()
    assert "The books do not tie: amounts are unexplained." in html
    with pytest.raises(Misconfigured, match="leaves amounts unexplained; say with --note"):
        sign(hub, Path(found.run), "Ann")


def test_the_expected_trial_balance_is_the_ledgers_but_for_stock(hub: Hub) -> None:
    orders(hub)

    expected = {one.account: one.balance_minor for one in expected_trial_balance(hub)}

    held = {row["account"]: row["balance_minor"] for row in hub.erp.trial_balance()}
    assert expected == {account: minor for account, minor in held.items() if account not in ("1300", "5000") and minor}
    assert sum(expected.values()) == 0


def test_the_expected_trial_balance_of_a_day_has_nothing_later(hub: Hub) -> None:
    orders(hub)
    day = datetime.date(2026, 10, 15)

    expected = {one.account: one.balance_minor for one in expected_trial_balance(hub, day)}

    held = {row["account"]: row["balance_minor"] for row in hub.erp.trial_balance(day)}
    assert expected == {account: minor for account, minor in held.items() if account not in ("1300", "5000") and minor}


def test_an_erp_that_states_no_postings_is_reconciled_without_them(hub: Hub) -> None:
    class Plain:
        statement = hub.erp.statement
        close_connections = hub.erp.close_connections

    orders(hub)
    vars(hub)["erp"] = plain_erp = Plain()

    found = reconcile(hub, PERIOD, [])

    assert not isinstance(plain_erp, StatesPostings)
    assert found.books is None
    assert "books" not in as_json(found)
