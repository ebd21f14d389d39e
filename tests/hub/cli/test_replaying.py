"""records edit and replay, and the preview: one fix, seen in money before it is made, the original kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hub.cli.shop import Orderhub, order

UNMAPPED = "unmapped_item:LAMP-X"


def broken() -> dict[str, Any]:
    made = order(1001)
    made["line_items"][0]["price"] = "N/A"
    return made


def record_of(orderhub: Orderhub) -> int:
    [row] = orderhub.json("records", "list")["records"]
    number: int = row["id"]
    return number


def test_a_record_is_edited_by_the_path_that_its_problem_names(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([broken()]))
    id = record_of(orderhub)

    price = "line_items[0].price=249.00"
    answer = orderhub.json("records", "edit", str(id), "--set", price, "--as", "ann", "--reason", "a typing error")

    assert answer["result"]["outcome"] == "order"
    shown = orderhub.json("orders", "show", "1001")
    assert shown["documents"][0]["state"] == "done"
    assert orderhub.json("exceptions", "list")["exceptions"] == []


def test_the_original_of_an_edited_record_is_kept(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([broken()]))
    id = record_of(orderhub)

    orderhub("records", "edit", str(id), "--set", "line_items[0].price=249.00", "--as", "ann", "--reason", "typo")

    shown = orderhub.json("records", "show", str(id))
    assert json.loads(shown["body"])["line_items"][0]["price"] == "N/A"


def test_an_edit_wins_over_the_version_it_corrects_and_loses_to_the_channels_next(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([order(1001)]))
    id = str(record_of(orderhub))

    orderhub("records", "edit", id, "--set", "name=#RIGHT", "--as", "ann", "--reason", "one")
    orderhub("records", "edit", id, "--set", "name=#WRONG", "--as", "ann", "--reason", "two")
    orderhub("records", "edit", id, "--set", "name=#RIGHT", "--as", "ann", "--reason", "three")
    edited = orderhub.json("orders", "list")["orders"][0]["name"]
    newer = order(1001)
    newer["updated_at"] = "2026-03-03T10:00:00-05:00"
    orderhub("import", "shopify", orderhub.file([newer]))

    assert edited == "#RIGHT"
    assert orderhub.json("orders", "list")["orders"][0]["name"] == "#1001"


@pytest.mark.parametrize(
    ("assignment", "said"),
    [("line_items[7].price=1", "leads nowhere"), ("nothing", "PATH=VALUE"), ("=1", "no path")],
)
def test_a_path_that_leads_nowhere_changes_nothing(orderhub: Orderhub, assignment: str, said: str) -> None:
    orderhub("import", "shopify", orderhub.file([broken()]))

    ran = orderhub("records", "edit", str(record_of(orderhub)), "--set", assignment, "--as", "ann", "--reason", "x")

    assert ran.status in (1, 2)
    assert said in ran.err


def test_an_unknown_record_is_said_so(orderhub: Orderhub) -> None:
    ran = orderhub("records", "replay", "99")

    assert (ran.status, ran.err) == (1, "orderhub: no record 99: see orderhub records list\n")


def test_a_record_read_again_by_the_same_mapping_changes_no_document(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([order(1001)]))
    before = orderhub.json("orders", "show", "1001")["documents"]

    orderhub("records", "replay", str(record_of(orderhub)))

    assert orderhub.json("orders", "show", "1001")["documents"] == before


# --- the preview ----------------------------------------------------------------------------------------------------


@pytest.fixture
def holding(orderhub: Orderhub) -> Orderhub:
    orders = [order(1001, sku="LAMP-X", price="10.00"), order(1002, sku="LAMP-X", price="20.00"), order(1003)]
    orderhub.json("import", "shopify", orderhub.file(orders))
    return orderhub


@pytest.fixture
def rows(tmp_path: Path) -> str:
    file = tmp_path / "items.csv"
    file.write_text("source,target\nLAMP-X,LAMP-ERP\n")
    return str(file)


def test_a_preview_says_in_money_what_rows_would_heal_and_writes_nothing(holding: Orderhub, rows: str) -> None:
    answer = holding.json("replay", "--since", "2026-01-01", "--crosswalk", rows)

    assert (answer["orders"], answer["changed"], answer["released"]) == (3, 2, 2)
    assert answer["released_minor"] == {"USD": 3000}
    assert answer["sales_minor"] == {"USD": 3000}
    assert sum(row["delta_minor"] for row in answer["accounts"]) == 0
    assert [example["name"] for example in answer["examples"]] == ["#1001", "#1002"]
    assert holding.json("crosswalk", "history")["history"] == []
    assert len(holding.json("exceptions", "show", UNMAPPED)["exceptions"]) == 2


def test_the_preview_is_what_then_happens(holding: Orderhub, rows: str) -> None:
    before = balances(holding)
    answer = holding.json("replay", "--since", "2026-01-01", "--crosswalk", rows)

    holding("crosswalk", "import", "item", rows, "--unlisted")

    said = {row["account"]: row["delta_minor"] for row in answer["accounts"]}
    after = balances(holding)
    moved = {name: after.get(name, 0) - before.get(name, 0) for name in after}
    assert said
    assert {name: minor for name, minor in moved.items() if minor} == said


def test_nothing_changes_where_nothing_is_proposed(holding: Orderhub) -> None:
    answer = holding.json("replay", "--since", "2026-01-01")

    assert (answer["orders"], answer["changed"], answer["accounts"]) == (3, 0, [])


def balances(orderhub: Orderhub) -> dict[str, int]:
    rows = orderhub.json("ledger", "trial-balance")["accounts"]
    return {row["account"]: row["debit_minor"] - row["credit_minor"] for row in rows}


def test_a_release_is_shown_in_money_before_it_is_made(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001, paid=False), order(1002, paid=False)]))
    cause = "payment_not_captured:pending"

    answer = orderhub.json("exceptions", "resolve", cause, "--as", "ann", "--dry-run")

    assert (answer["released"], answer["released_minor"]) == (2, {"USD": 49800})
    assert answer["documents"]["create"] > 0
    assert orderhub.json("exceptions", "list")["exceptions"][0]["orders"] == 2


def test_a_row_is_shown_in_money_before_it_is_set(holding: Orderhub) -> None:
    answer = holding.json("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--dry-run")

    assert (answer["released"], answer["released_minor"]) == (2, {"USD": 3000})
    assert holding.json("crosswalk", "history")["history"] == []
