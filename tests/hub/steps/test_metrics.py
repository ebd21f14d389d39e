"""metrics over a store and the ledger: the margin is the ledger's own, a gap is what hands did there, to the cent."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.steps.hub import Hub
from hub.steps.metrics import as_json, metrics
from hub.steps.send import send_all
from tests.hub.steps.conftest import plain_story, record, stories, take_in

MONTH = "2026-10"
LAST = datetime.date(2026, 10, 31)
BEFORE = datetime.date(2026, 9, 30)
REVENUE, COST = "4000", "5000"
MARGIN_ACCOUNTS = ("4000", "4100", "4200", "4300", "5000")


@pytest.fixture
def month(hub: Hub) -> Hub:
    """A month of orders with their refunds, edits and cancellations, all of it posted."""
    take_in(hub, *[record(story.final, story.order_id) for story in stories(60)])
    send_all(hub)
    return hub


def told(hub: Hub) -> dict[str, Any]:
    return as_json(metrics(hub, MONTH))


def moved(hub: Hub) -> dict[str, int]:
    """What the ledger's accounts of the margin moved in the month; debits are positive."""
    sums = dict.fromkeys(MARGIN_ACCOUNTS, 0)
    for until, sign in ((LAST, 1), (BEFORE, -1)):
        for row in hub.erp.trial_balance(until):
            if row["account"] in sums:
                sums[row["account"]] += sign * row["functional_minor"]
    return sums


def invoices(hub: Hub) -> list[dict[str, Any]]:
    """The ledger's entries of invoices, the largest first."""
    found = [entry for entry in hub.erp.journal(BEFORE, LAST) if entry["kind"] == "invoice"]
    return sorted(
        found, key=lambda entry: sum(x["functional_minor"] for x in entry["postings"] if x["account"] == REVENUE)
    )


def test_the_margin_is_what_the_ledgers_accounts_moved(month: Hub) -> None:
    margin = told(month)["margin"]
    accounts = moved(month)

    assert margin["ties"] is True
    assert {one["account"]: one["orders_minor"] for one in margin["accounts"]} == accounts
    assert all(accounts.values())
    assert margin["entities"][0]["margin_minor"] == -sum(accounts.values())
    assert margin["entities"][0]["cost_minor"] == accounts[COST]
    for by in ("channels", "lines", "orders"):
        assert sum(one["margin_minor"] for one in margin[by]) == -sum(accounts.values())


def test_product_lines_are_those_of_the_price_list(month: Hub) -> None:
    lines = {one["line"] for one in told(month)["margin"]["lines"]}

    assert lines >= {"Shelter", "Kitchen", "Clothing", "shipping"}


def typed(*lines: DocumentLine) -> Document:
    return Document(DocumentKey(""), DocumentKind.JOURNAL_ENTRY, "main", "USD", LAST, lines, memo="accrual")


def account(role: str, minor: int) -> DocumentLine:
    return DocumentLine(Component.ACCOUNT, minor, detail=role)


def by_key(hub: Hub, entry: dict[str, Any]) -> str:
    ref: str = hub.erp.ref(entry["document"])
    return ref


def revenue_of(entry: dict[str, Any], name: str = REVENUE) -> int:
    return sum(x["functional_minor"] for x in entry["postings"] if x["account"] == name)


def edited(hub: Hub) -> set[tuple[str, int, str]]:
    hub.erp.edit_amount(by_key(hub, invoices(hub)[0]), 1250, Component.GOODS)
    return {(REVENUE, -1250, "differs")}


def voided(hub: Hub) -> set[tuple[str, int, str]]:
    plain = next(entry for entry in invoices(hub) if not revenue_of(entry, "4100") and not revenue_of(entry, "4200"))
    hub.erp.void(by_key(hub, plain))
    return {(REVENUE, -revenue_of(plain), "gone")}


def moved_on(hub: Hub) -> set[tuple[str, int, str]]:
    plain = next(entry for entry in invoices(hub) if not revenue_of(entry, "4100") and not revenue_of(entry, "4200"))
    hub.erp.move(by_key(hub, plain), datetime.date(2026, 11, 3))
    return {(REVENUE, -revenue_of(plain), "gone")}


def typed_in(hub: Hub) -> set[tuple[str, int, str]]:
    hub.erp.type_in(typed(account("revenue", -5000), account("bank", 5000)))
    return {(REVENUE, -5000, "typed_in")}


def cost_typed_in(hub: Hub) -> set[tuple[str, int, str]]:
    hub.erp.type_in(typed(account("cost_of_goods_sold", 777), account("inventory", -777)))
    return {(COST, 777, "of_no_order")}


@pytest.mark.parametrize("accident", [edited, voided, moved_on, typed_in, cost_typed_in])
def test_the_gap_is_the_accident_to_the_cent(month: Hub, accident: Callable[[Hub], set[tuple[str, int, str]]]) -> None:
    before = told(month)["margin"]

    expected = accident(month)
    margin = told(month)["margin"]

    assert {(gap["account"], gap["gap_minor"], gap["why"]) for gap in margin["gaps"]} == expected
    assert margin["ties"] is False
    assert {one["account"]: one["ledger_minor"] for one in margin["accounts"]} == moved(month)
    assert {(one["account"], one["gap_minor"]) for one in margin["accounts"] if one["gap_minor"]} == {
        (name, minor) for name, minor, _ in expected
    }
    assert [one["residual_minor"] for one in margin["accounts"]] == [0] * 5
    assert margin["entities"] == before["entities"]


def test_what_is_not_sent_is_a_gap_of_income(hub: Hub) -> None:
    take_in(hub, record(plain_story().final, "one"))

    margin = told(hub)["margin"]

    assert {gap["why"] for gap in margin["gaps"]} == {"not_sent"}
    assert margin["entities"][0]["cost_minor"] == 0
    assert margin["entities"][0]["net_revenue_minor"] == sum(gap["gap_minor"] for gap in margin["gaps"])


def test_an_order_that_was_amended_counts_as_it_stands(hub: Hub) -> None:
    story = next(one for one in stories(60) if one.final["refunds"] and one.final["fulfillments"])
    take_in(hub, record(story.deliveries[0].body, "one", story.deliveries[0].topic))
    send_all(hub)
    for number, delivery in enumerate(story.deliveries[1:]):
        take_in(hub, record(delivery.body, f"d{number}", delivery.topic))
        send_all(hub)

    margin = told(hub)["margin"]

    assert margin["ties"] is True
    assert margin["entities"][0]["margin_minor"] == -sum(moved(hub).values())


def test_orders_go_by_channel_and_hands_are_counted(month: Hub) -> None:
    answer = told(month)
    (channel,) = answer["channels"]

    placed = [story for story in stories(60) if not story.final["test"]]
    assert (answer["orders"], channel["orders"]) == (len(placed), len(placed))
    assert 0 < channel["fill"]["rate"] <= 1
    assert channel["cycle_h"]["processing_to_shipping"]["median"] > 0
    assert channel["ship_by"]["not_told"] == len(placed)
    assert answer["touches"] == {
        "count": 0,
        "per_100_orders": 0.0,
        "by_kind": {"released_holds": 0, "crosswalk_rows": 0, "edited_records": 0},
    }


def test_a_month_that_is_none_is_refused(hub: Hub) -> None:
    with pytest.raises(Misconfigured, match="'2026-00' is not a month"):
        metrics(hub, "2026-00")
