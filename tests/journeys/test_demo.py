"""The demo as a person runs it: what went wrong is found from the shop's export and the ledger's own statement, then
looked up in the report; nothing here knows which orders the demo chose."""

import json
import os
import re
import shutil
import socket
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
from beancount import loader
from beancount.core.data import Transaction

BIN = Path(sys.executable).parent
CONFIG = Path(__file__).parents[2] / "config"
BOOKS_ZONE = ZoneInfo("America/New_York")
PERIOD = "2026-10"
DEMO = ("demo", "--orders", "60", "--seed", "7", "--no-serve", "--format", "json")
PROMISED = {
    "captured",
    "orders",
    "held",
    "events",
    "documents",
    "in_doubt",
    "payouts",
    "webhook_loss",
    "pushed",
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

KILLED = """
import json, sys
from pathlib import Path
from hub.rehearsal.demo import run
from hub.settings import load_settings
settings = load_settings(None, Path(sys.argv[1]), {}, of_home=False)
print(json.dumps(run(settings, 60, 7, kills=int(sys.argv[2])), default=str))
"""
"""The demo with a hub that is killed so often."""

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
    """What the shop itself says at the end, by order id; test orders are no business."""
    told = json.loads((demo.home / "demo-shop.json").read_text())["orders"]
    return {order["id"]: order for order in told if not order["test"]}


@pytest.fixture(scope="module")
def known(demo: Demo) -> dict[str, dict[str, Any]]:
    """The hub's orders, by order id."""
    listed = answer_of(demo.home, "orders", "list", "--limit", "1000", "--format", "json")["orders"]
    return {order["order"]: order for order in listed}


def in_period(row: dict[str, Any]) -> bool:
    return f"{row['date']:%Y-%m}" == PERIOD


def accidents(demo: Demo, shop: dict[str, Any], known: dict[str, Any]) -> dict[str, Found]:
    """What went wrong, told from the shop itself, the hub's list of orders and the ledger's statement alone."""
    (lost,) = shop.keys() - known.keys()
    (unbooked,) = [id for id in shop.keys() & known.keys() if shop[id]["refunded_minor"] > known[id]["refunded_minor"]]
    by_hand = demo.rows("erp", "subject = 'order' AND by_hand")
    (deleted,) = [row for row in by_hand if row["voided"]]
    (alone,) = [row for row in by_hand if not row["order_id"]]
    (twice,) = [row for row in by_hand if row["order_id"] and not row["key"]]
    (moved,) = [row for row in by_hand if row["order_id"] and not in_period(row)]
    (edited,) = [row for row in by_hand if row not in (deleted, alone, twice, moved)]
    placed = datetime.fromisoformat(shop[moved["order_id"]]["placed_at"]).astimezone(BOOKS_ZONE)
    assert f"{placed:%Y-%m}" == PERIOD

    def sold(id: str) -> int:
        total: int = shop[id]["total_minor"]
        return total

    def erp(kind: str, cause: str, order: str | None, amount: int) -> Found:
        return ("hub-erp", kind, cause, order, amount)

    return {
        "never captured": ("channel-hub", "missing_in_hub", "never_captured", lost, -sold(lost)),
        "refund": ("channel-hub", "missing_in_hub", "unbooked_refund", unbooked, 500),
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
    assert {"sales_order", "invoice", "deposit", "refund", "credit_memo"} <= answer["documents"].keys()
    assert answer["pushed"] > 20
    assert answer["webhook_loss"]["lost"] > 0


def test_what_was_lost_on_the_way_came_in_by_a_pull(demo: Demo, shop: dict[str, Any], known: dict[str, Any]) -> None:
    """Webhooks were lost, and one order alone is unknown: that of the hours when the hub was down."""
    assert len(shop.keys() - known.keys()) == 1
    assert demo.answer["orders"] >= len(shop) - 1


def test_every_parcel_of_the_warehouse_stands_in_the_shop_once(
    demo: Demo, shop: dict[str, Any], known: dict[str, Any]
) -> None:
    told = [order for order in shop.values() if order["fulfillments"]]

    assert len(told) > 20
    for order in told:
        shown = answer_of(demo.home, "orders", "show", order["id"], "--format", "json")
        for line in shown["lines"]:
            assert line["shipped"] <= line["ordered"], order["name"]


def test_each_accident_is_found_with_its_order_and_amount_and_nothing_else_differs(
    demo: Demo, shop: dict[str, Any], known: dict[str, Any]
) -> None:
    waiting = [
        ("hub-erp", "missing_in_erp", "held_order", row["order_id"], -row["total_minor"])
        for row in held_rows(demo, "'order', 'refund'")
        if in_period(row)
    ]

    told = accidents(demo, shop, known)

    assert any("unmapped_item" in str(one["causes"]) for one in demo.answer["reconciliation"]["variances"])
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
    assert {found[2] for found in told.values()} | {"held_order"} == WORDS.keys()
    orders = {found[3] for found in told.values() if found[3] is not None}
    assert [id for id in orders if id not in text and shop[id]["name"] not in text] == []
    assert "PHONE-17" in text


def test_other_commands_find_what_the_demo_left(demo: Demo, known: dict[str, Any]) -> None:
    run = str(demo.run)

    balance = answer_of(demo.home, "ledger", "trial-balance", "--format", "json")
    again = answer_of(demo.home, "reconcile", PERIOD, "--from", run, "--format", "json")
    causes = answer_of(demo.home, "exceptions", "list", "--format", "json")["exceptions"]
    unmapped = [one for one in causes if one["fingerprint"].startswith("unmapped_item:")]

    assert len(known) >= 40
    assert balance["totals"] == demo.answer["trial_balance"]
    assert again["digest"] == demo.answer["reconciliation"]["digest"]
    assert len(unmapped) == 1


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


def test_a_hub_that_is_killed_on_the_way_ends_the_same_and_a_second_demo_starts_afresh(
    demo: Demo, tmp_path: Path
) -> None:
    """`orderhub serve` is ended by SIGKILL again and again while webhooks come in, documents go out and pulls run."""
    home = tmp_path / "home"
    shutil.copytree(demo.home, home)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), "6"], capture_output=True, text=True, check=False, cwd=CONFIG.parent
    )

    assert killed.returncode == 0, killed.stderr
    again = json.loads(killed.stdout)
    assert len(list((home / "runs").iterdir())) == 1
    same = ("orders", "held", "documents", "in_doubt", "pushed", "trial_balance")
    assert {name: again[name] for name in same} == {name: demo.answer[name] for name in same}
    left, right = again["reconciliation"], demo.answer["reconciliation"]
    assert left["sides"] == right["sides"]
    assert explained(left["variances"]) == explained(right["variances"])
    assert set(left["unexplained_minor"].values()) == {0}


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


def test_a_demo_that_stays_shows_its_report_first_is_reached_by_others_and_takes_all_with_it(tmp_path: Path) -> None:
    """A person looks around in another terminal; then the demo is told to stop."""
    home = tmp_path / "demo"
    command = [str(BIN / "orderhub"), "demo", "--orders", "40", "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}
    said = ""
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as staying:
        assert staying.stderr is not None
        try:
            for line in staying.stderr:
                said += line.decode()
                if "stop it with Ctrl-C" in said:
                    break
            secrets = dict(word.split("=") for word in said.partition("export ")[2].split("\n")[0].split())
            looked = subprocess.run(
                [str(BIN / "orderhub"), "reconcile", PERIOD, "--home", str(home), "--format", "json"],
                env=environment | secrets,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            staying.terminate()
            said += staying.stderr.read().decode()
            status = staying.wait()

    assert looked.returncode == 0, looked.stderr
    assert "channel" in json.loads(looked.stdout)["sides"]
    assert said.index("the report: ") < said.index("serving on ")
    assert status == 0
    for address in re.findall(r"http://127\.0\.0\.1:(\d+)", said):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(address)), 1)
