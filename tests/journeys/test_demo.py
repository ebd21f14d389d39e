"""The demo as a person runs it: what went wrong is found from the shop's export and the ledger's own statement, then
looked up in the report; nothing here knows which orders the demo chose."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml
from beancount import loader
from beancount.core.data import Transaction

BIN = Path(sys.executable).parent
CONFIG = Path(__file__).parents[2] / "config"
BOOKS_ZONE = ZoneInfo("America/New_York")
PERIOD = "2026-10"
DEMO = ("demo", "--orders", "120", "--seed", "7", "--no-serve", "--format", "json")
PROMISED = {
    "captured",
    "orders",
    "held",
    "events",
    "documents",
    "in_doubt",
    "trial_balance",
    "reconciliation",
    "report",
    "elapsed_s",
}
WORDS = {
    "never_captured": "Never captured",
    "unbooked_refund": "Refund not booked",
    "held_order": "Held, not posted",
    "hand_edit": "Edited by hand in the ERP",
    "erp_deleted": "Deleted in the ERP",
    "entered_twice": "Entered twice",
    "entered_in_erp_alone": "Entered in the ERP alone",
    "cut_off": "Booked into another period",
}

pytestmark = pytest.mark.slow

Found = tuple[str, str, str, str | None, int]
"""pair, kind, cause, order, amount."""


def orderhub(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without what this machine's environment says of orderhub."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}
    command = [str(BIN / "orderhub"), *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def answer_of(home: Path, *words: str) -> Any:
    """What the command says in JSON; it must have ended well."""
    done = orderhub(home, *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Demo:
    home: Path
    answer: dict[str, Any]

    @property
    def run(self) -> Path:
        return self.home / "runs" / str(self.answer["reconciliation"]["run"])

    def rows(self, side: str, where: str = "true") -> list[dict[str, Any]]:
        """The rows of a side's statement as the run keeps it, each with its total."""
        query = duckdb.execute(f"SELECT * FROM '{self.run / side}.parquet' WHERE {where}")
        columns = [str(column[0]) for column in query.description or ()]
        found = [dict(zip(columns, row, strict=True)) for row in query.fetchall()]
        parts = (
            "goods_minor discount_minor shipping_minor tax_minor charges_minor rounding_minor edited_minor "
            "cancelled_minor refund_minor payment_minor"
        ).split()
        return [row | {"total_minor": sum(row[part] for part in parts)} for row in found]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One demo, which the tests only look at."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return Demo(home, answer_of(home, *DEMO))


@pytest.fixture(scope="module")
def shop(demo: Demo) -> dict[str, dict[str, Any]]:
    """The shop's own export, by order id; test orders are no business."""
    exported = json.loads((demo.home / "channel-statement.json").read_text())["orders"]
    return {str(order["id"]): order for order in exported if not order["test"]}


@pytest.fixture(scope="module")
def known(demo: Demo) -> dict[str, dict[str, Any]]:
    """The hub's orders, by order id."""
    listed = answer_of(demo.home, "orders", "list", "--limit", "1000", "--format", "json")["orders"]
    return {order["order"]: order for order in listed}


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


def refunded(order: dict[str, Any]) -> int:
    paid = [x for x in order["transactions"] if x["kind"] == "refund" and x["status"] == "success" and not x["test"]]
    return sum(minor(x["amount"]) for x in paid)


def in_period(row: dict[str, Any]) -> bool:
    return f"{row['date']:%Y-%m}" == PERIOD


def accidents(demo: Demo, shop: dict[str, Any], known: dict[str, Any]) -> dict[str, Found]:
    """What went wrong, told from the shop's export, the hub's list of orders and the ledger's statement alone."""
    items = {row["code"] for row in yaml.safe_load((CONFIG / "items.yaml").read_text())["items"]}
    (lost,) = shop.keys() - known.keys()
    (unbooked,) = [id for id in shop.keys() & known.keys() if refunded(shop[id]) and not known[id]["refunded_minor"]]
    (unmapped,) = [
        id for id in shop if any(line["sku"] and line["sku"] not in items for line in shop[id]["line_items"])
    ]
    by_hand = demo.rows("erp", "subject = 'order' AND by_hand")
    (deleted,) = [row for row in by_hand if row["voided"]]
    (alone,) = [row for row in by_hand if not row["order_id"]]
    (twice,) = [row for row in by_hand if row["order_id"] and not row["key"]]
    (moved,) = [row for row in by_hand if row["order_id"] and not in_period(row)]
    (edited,) = [row for row in by_hand if row not in (deleted, alone, twice, moved)]
    placed = datetime.fromisoformat(shop[moved["order_id"]]["processed_at"]).astimezone(BOOKS_ZONE)
    assert f"{placed:%Y-%m}" == PERIOD

    def sold(id: str) -> int:
        return minor(shop[id]["total_price"])

    def erp(kind: str, cause: str, order: str | None, amount: int) -> Found:
        return ("hub-erp", kind, cause, order, amount)

    return {
        "never captured": ("channel-hub", "missing_in_hub", "never_captured", lost, -sold(lost)),
        "refund": ("channel-hub", "missing_in_hub", "unbooked_refund", unbooked, refunded(shop[unbooked])),
        "unmapped": erp("missing_in_erp", "held_order", unmapped, -sold(unmapped)),
        "edited": erp("amount", "hand_edit", edited["order_id"], edited["total_minor"] - sold(edited["order_id"])),
        "deleted": erp("missing_in_erp", "erp_deleted", deleted["order_id"], -sold(deleted["order_id"])),
        "twice": erp("duplicate_in_erp", "entered_twice", twice["order_id"], twice["total_minor"]),
        "alone": erp("unknown_to_channel", "entered_in_erp_alone", None, alone["total_minor"]),
        "moved": erp("period", "cut_off", moved["order_id"], -sold(moved["order_id"])),
    }


def explained(variances: list[dict[str, Any]]) -> list[Found]:
    """Variances of one cause each, as the accidents are told."""
    found = []
    for one in variances:
        (cause,) = one["causes"]
        assert cause["amount_minor"] == one["delta_minor"]
        found.append((one["pair"], one["kind"], cause["code"], one["order"], one["delta_minor"]))
    return sorted(found, key=str)


def held_rows(demo: Demo, subjects: str) -> list[dict[str, Any]]:
    """What the shop states of this period for orders that the hub holds."""
    held = {
        order["order"]
        for order in answer_of(demo.home, "orders", "list", "--held", "--limit", "1000", "--format", "json")["orders"]
    }
    return [row for row in demo.rows("channel", f"subject IN ({subjects})") if row["order_id"] in held]


def test_the_answer_has_what_was_promised(demo: Demo) -> None:
    answer = demo.answer

    assert answer.keys() >= PROMISED
    assert answer["in_doubt"] == 0
    assert answer["held"] > 0
    assert answer["orders"] == 119  # of 120, one was never captured
    assert {"sales_order", "invoice", "deposit", "refund", "credit_memo", "fulfilment"} <= answer["documents"].keys()


def test_each_accident_is_found_with_its_order_and_amount_and_nothing_else_differs(
    demo: Demo, shop: dict[str, Any], known: dict[str, Any]
) -> None:
    waiting = [
        ("hub-erp", "missing_in_erp", "held_order", row["order_id"], -row["total_minor"])
        for row in held_rows(demo, "'order', 'refund'")
        if in_period(row)
    ]

    told = accidents(demo, shop, known)

    assert told["unmapped"] in waiting
    expected = {*told.values(), *waiting}
    assert explained(demo.answer["reconciliation"]["variances"]) == sorted(expected, key=str)


def test_payments_differ_only_where_their_orders_are_missing(
    demo: Demo, shop: dict[str, Any], known: dict[str, Any]
) -> None:
    (lost,) = shop.keys() - known.keys()
    unknown = [
        ("channel-hub", "missing_in_hub", "never_captured", lost, -row["total_minor"])
        for row in demo.rows("channel", "subject = 'payment'")
        if row["order_id"] == lost and in_period(row)
    ]
    waiting = [
        ("hub-erp", "missing_in_erp", "held_order", row["order_id"], -row["total_minor"])
        for row in held_rows(demo, "'payment'")
        if in_period(row)
    ]

    found = explained(demo.answer["reconciliation"]["payments"]["variances"])

    assert unknown
    assert found == sorted([*unknown, *waiting], key=str)


@pytest.mark.parametrize("measure", ["sales", "payments"])
def test_variances_make_the_difference_of_the_sides_and_nothing_is_unexplained(demo: Demo, measure: str) -> None:
    answer = demo.answer["reconciliation"]
    compared = answer if measure == "sales" else answer["payments"]

    assert answer["complete"] is True
    assert set(compared["unexplained_minor"].values()) == {0}
    for pair in ("channel-hub", "hub-erp"):
        left, right = pair.split("-")
        differences: defaultdict[tuple[str, str], int] = defaultdict(int)
        for side, sign in ((left, -1), (right, 1)):
            for total in compared["sides"][side]:
                differences[(total["entity"], total["currency"])] += sign * total["total_minor"]
        deltas: defaultdict[tuple[str, str], int] = defaultdict(int)
        for one in compared["variances"]:
            if one["pair"] == pair:
                deltas[(one["entity"], one["currency"])] += one["delta_minor"]
        assert {cell: minor for cell, minor in differences.items() if minor} == dict(deltas)


def test_the_trial_balance_has_both_sides_alike(demo: Demo) -> None:
    balance = demo.answer["trial_balance"]

    assert balance["USD"]["debit_minor"] > 0
    assert all(sums["debit_minor"] == sums["credit_minor"] for sums in balance.values())


def test_the_report_names_every_cause_and_every_order_that_an_accident_met(
    demo: Demo, shop: dict[str, Any], known: dict[str, Any]
) -> None:
    text = Path(demo.answer["report"]).read_text()

    assert [cause for cause, words in WORDS.items() if words not in text] == []
    told = accidents(demo, shop, known)
    assert {found[2] for found in told.values()} == WORDS.keys()
    orders = {found[3] for found in told.values() if found[3] is not None}
    assert [id for id in orders if id not in text and shop[id]["name"] not in text] == []
    assert "PHONE-17" in text


def test_other_commands_find_what_the_demo_left(demo: Demo, known: dict[str, Any]) -> None:
    run = str(demo.run)

    balance = answer_of(demo.home, "ledger", "trial-balance", "--format", "json")
    again = answer_of(demo.home, "reconcile", PERIOD, "--from", run, "--format", "json")
    causes = answer_of(demo.home, "exceptions", "list", "--format", "json")["exceptions"]
    unmapped = [one for one in causes if one["fingerprint"].startswith("unmapped_item:")]

    assert len(known) == 119
    assert balance["totals"] == demo.answer["trial_balance"]
    assert again["digest"] == demo.answer["reconciliation"]["digest"]
    assert [one["orders"] for one in unmapped] == [1]


def test_bean_check_passes_and_its_balances_are_the_trial_balance(demo: Demo, tmp_path: Path) -> None:
    exported = orderhub(demo.home, "ledger", "export", "--format", "beancount")
    file = tmp_path / "ledger.beancount"
    file.write_text(exported.stdout)

    checked = subprocess.run([str(BIN / "bean-check"), str(file)], capture_output=True, text=True, check=False)
    entries, _, _ = loader.load_file(str(file))

    assert (exported.returncode, checked.returncode, checked.stdout, checked.stderr) == (0, 0, "", "")
    summed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None
            assert posting.units.number is not None
            assert posting.units.currency == "USD"
            summed[posting.account.split(":")[-1]] += posting.units.number
    accounts = answer_of(demo.home, "ledger", "trial-balance", "--format", "json")["accounts"]
    by_number: defaultdict[str, int] = defaultdict(int)
    for account in accounts:
        by_number[account["account"].partition(":")[0]] += account["balance_minor"]
    beancount: defaultdict[str, int] = defaultdict(int)
    for name, amount in summed.items():
        beancount[name.partition("-")[0]] += int(amount * 100)
    assert {x: y for x, y in beancount.items() if y} == {x: y for x, y in by_number.items() if y}
    assert len(summed) > 15


def test_a_second_demo_in_the_same_home_starts_afresh(demo: Demo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo.home, home)
    fix = orderhub(home, "exceptions", "resolve", "payment_not_captured:pending", "--as", "clerk", "--format", "json")
    assert json.loads(fix.stdout)["healed"] > 0

    again = answer_of(home, *DEMO)

    assert again["held"] == demo.answer["held"]
    assert again["trial_balance"] == demo.answer["trial_balance"]
    assert again["reconciliation"]["digest"] == demo.answer["reconciliation"]["digest"]
    assert len(list((home / "runs").iterdir())) == 1


@pytest.mark.parametrize("state", ["notes", "stores"])
def test_a_home_that_is_no_demo_s_is_refused_and_left_as_it_was(tmp_path: Path, state: str) -> None:
    home = tmp_path / "home"
    if state == "notes":
        home.mkdir()
        (home / "notes.txt").write_text("mine")
    else:
        answer_of(home, "migrate", "--format", "json")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    refused = orderhub(home, *DEMO)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert str(home) in refused.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
