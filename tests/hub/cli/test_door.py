"""What all commands share: options anywhere, faults without a traceback, stdout for the answer alone."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from hub.cli.door import age, clean, monies, now
from tests.hub.cli.shop import Orderhub, order

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from hub.cli import main; main()"]
WAITS_S = 30


def start(home: Path, *arguments: str, stdin: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *arguments, "--home", str(home)],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")},
    )


def test_the_options_may_stand_before_or_after_the_command(tmp_path: Path, orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))
    process = start(orderhub.home, "--format", "json", "orders", "list")
    before, _ = process.communicate(timeout=WAITS_S)

    assert json.loads(before) == orderhub.json("orders", "list")


def test_a_port_that_is_taken_is_said_so_before_anything_is_served(orderhub: Orderhub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = orderhub("serve", "--port", str(port))

    assert ran.status == 1
    assert f"serve: 127.0.0.1:{port}: Address already in use" in ran.err
    assert "serving on" not in ran.err


def test_a_store_without_a_table_of_now_is_said_to_be_too_old(orderhub: Orderhub) -> None:
    with closing(sqlite3.connect(orderhub.home / "hub.db")) as store:
        store.execute("DROP TABLE backorder")

    ran = orderhub("status")

    assert ran.status == 1
    assert "it was made by a version from before the first release" in ran.err


def test_every_fault_of_the_configuration_is_named_with_its_line(orderhub: Orderhub) -> None:
    config = orderhub.file(b"entities: []\nchannels: []\nerp:\n  slug: LEDGER\n", "hub.yaml")

    ran = orderhub("check", "--config", config)

    assert ran.status == 1
    lines = [line.partition("hub.yaml:")[2] for line in ran.err.splitlines()]
    assert lines == [
        "1: entities: at least one is needed",
        "2: channels: at least one is needed",
        "3: erp.system: required, not given",
        "4: erp.slug: not a slug: 'LEDGER'; expected at most 20 of a-z, 0-9 and '-'",
    ]


def test_a_good_configuration_is_tried_to_its_last_part(orderhub: Orderhub) -> None:
    assert orderhub.json("check") == {
        "faults": [],
        "notes": [],
        "checked": [
            "stores",
            "rates",
            "crosswalks",
            "channel shopify: plugin, chart, policies, items",
            "erp ledger",
        ],
    }


def test_every_fault_of_every_file_is_named_at_once_with_its_line_and_path(orderhub: Orderhub) -> None:
    for file in (ROOT / "config").glob("*.yaml"):
        orderhub.file(file.read_bytes(), file.name)
    orderhub.file(b"rates:\n  - {from: EUR, to: USD, date: soon, rate: 1.1, source: ECB}\n", "rates.yaml")
    orderhub.file(b"accounts:\n  - number: 1000\n    name: Bank\n    type: asset\n    role: banc\n", "chart.yaml")
    orderhub.file(b"recognise: shipment\nallowance: gifts\n", "policies.yaml")
    orderhub.file(b"items:\n  - code: A\n    name: A\n    list_price: 1.005\n", "items.yaml")
    seeds = b'entity:\n  "*":\n    "*": main\nlocation:\n  amazon:\n    "1": EAST\ncolour:\n  "*": {}\n'
    orderhub.file(seeds, "crosswalks.yaml")
    config = orderhub.folder / "hub.yaml"
    config.write_text(config.read_text().replace("  require_capture:", "  require_captures:"))

    ran = orderhub("check", "--config", str(config))

    assert ran.status == 1
    named = {line.removeprefix("orderhub: ").removeprefix(f"{orderhub.folder}/") for line in ran.err.splitlines()}
    told = {":".join(line.split(":")[:3]) for line in named}
    assert told >= {
        "rates.yaml:2: rates[0].date",
        "chart.yaml:2: accounts[0].number",
        "chart.yaml:5: accounts[0].role",
        "policies.yaml:2: allowance",
        "items.yaml:4: items[0].list_price",
        "crosswalks.yaml:7: colour",
    }
    assert [one for one in told if one.startswith("hub.yaml:") and one.endswith(": holds.require_captures")]


def test_a_crosswalk_row_that_could_have_no_effect_is_a_fault_of_its_file(orderhub: Orderhub) -> None:
    for file in (ROOT / "config").glob("*.yaml"):
        orderhub.file(file.read_bytes(), file.name)
    rows = 'entity:\n  "*":\n    "*": main\nlocation:\n  amazon:\n    "1": EAST\n'
    orderhub.file(f'{rows}gl_account:\n  "*":\n    revenue: "4100"\n'.encode(), "crosswalks.yaml")

    ran = orderhub("check", "--config", str(orderhub.folder / "hub.yaml"))

    lines = [line.partition("crosswalks.yaml:")[2] for line in ran.err.splitlines()]
    assert ran.status == 1
    assert [":".join(line.split(":")[:2]) for line in lines] == [
        "3: entity.*.*",
        "5: location.amazon",
        "9: gl_account.*.revenue",
    ]
    assert "no such channel: 'amazon'; there is shopify" in lines[1]
    assert "the chart of main has no account '4100' of the role revenue, it has 4000" in lines[2]


@pytest.mark.parametrize("command", [["status"], ["orders", "list"], ["import", "shopify", "x.json"], ["migrate"]])
def test_a_file_that_is_no_database_is_said_so_and_left_as_it_was(homeless: Orderhub, command: list[str]) -> None:
    homeless.home.mkdir()
    (homeless.home / "hub.db").write_bytes(b"these are not the bytes of a database" * 100)

    ran = homeless(*command)

    assert ran.status == 1
    assert "file is not a database" in ran.err
    assert (homeless.home / "hub.db").read_bytes() == b"these are not the bytes of a database" * 100


def test_a_home_that_is_a_file_is_said_so(homeless: Orderhub) -> None:
    homeless.home.write_text("")

    ran = homeless("status")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"orderhub: {homeless.home}")


def test_an_empty_home_is_made_and_said_to_be_empty(homeless: Orderhub) -> None:
    answer = homeless.json("status")

    assert answer["records"] == {"records": 0, "waiting": 0, "oldest_waiting": None, "by_outcome": {}}
    assert answer["orders"]["orders"] == 0
    assert answer["exceptions"] == []


def test_status_counts_what_waits_what_is_held_and_what_was_posted(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002, paid=False)]))

    answer = orderhub.json("status")

    assert answer["records"]["by_outcome"] == {"order": 2}
    assert (answer["orders"]["held"], answer["orders"]["held_minor"]) == (1, {"USD": 24900})
    assert answer["documents"] == {"customer": 1, "deposit": 1, "item": 1, "sales_order": 1}
    assert answer["steps"] == {"done": 4}


def test_migrate_says_the_versions(homeless: Orderhub) -> None:
    assert homeless.json("migrate") == {"hub": "0001", "inbox": "0001"}


def test_a_reader_that_goes_away_is_no_fault(orderhub: Orderhub) -> None:
    process = start(orderhub.home, "crosswalk", "list")
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.close()
    said = process.stderr.read()
    status = process.wait(WAITS_S)
    process.stderr.close()

    assert (said, status) == (b"", 141)


def test_an_interrupt_is_one_line_and_loses_nothing_that_was_captured(orderhub: Orderhub) -> None:
    good = orderhub.file(order())
    process = start(orderhub.home, "import", "shopify", good, "-", stdin=subprocess.PIPE)
    _until(lambda: orderhub.json("status")["records"]["by_outcome"], "the first file")  # it waits for the second

    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=WAITS_S)

    assert process.returncode == 130
    assert said == (
        b"orderhub: interrupted: what was captured is kept and nothing is sent twice; "
        b"run the same command again to go on\n"
    )
    assert out == b""
    assert orderhub.json("orders", "show", "1001")["row"]["claimed_minor"] == 24900


def test_an_interrupted_demo_says_that_the_next_one_starts_afresh(tmp_path: Path) -> None:
    process = start(tmp_path / "demo", "demo", "--no-serve")
    _until((tmp_path / "demo" / "demo.json").exists, "its marker")

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=WAITS_S)

    assert process.returncode == 130
    assert said == b"orderhub: interrupted: the next demo in this home starts afresh\n"


def _until(there: Callable[[], object], what: str) -> None:
    for _ in range(WAITS_S * 20):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} was never there")


def test_text_for_a_terminal_has_nothing_that_steers_it() -> None:
    assert clean("a\x1b[2Jb\nc\udc80") == "a [2Jb c "


def test_amounts_of_several_currencies_stand_side_by_side() -> None:
    assert monies({"USD": 123456, "JPY": 500}) == "500 JPY, 1,234.56 USD"


@pytest.mark.parametrize("while_loading", ["typer", "sqlalchemy", "hub.cli.rehearsing"])
def test_an_interrupt_while_the_commands_load_is_one_line(tmp_path: Path, while_loading: str) -> None:
    """The process sends itself the signal when the import of that module begins."""
    script = f"""
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {while_loading!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from hub.cli import main
main()
"""

    ran = subprocess.run(
        [sys.executable, "-c", script, "status", "--home", str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        timeout=WAITS_S,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (130, b"")
    assert ran.stderr == b"orderhub: interrupted before anything was done\n"


def test_the_process_spares_the_collector_from_its_start(tmp_path: Path) -> None:
    script = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_threshold()[0])); from hub.cli import main; main()"
    )

    ran = subprocess.run(
        [sys.executable, "-c", script, "migrate", "--home", str(tmp_path), "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        timeout=WAITS_S,
        check=True,
    )

    assert ran.stdout.splitlines()[-1] == b"400000"


def test_two_commands_that_open_a_fresh_home_at_once_both_succeed(homeless: Orderhub) -> None:
    """Both have loaded and wait for a word, so that they meet at the stores."""
    script = "import sys, hub.cli.commands; print(flush=True); sys.stdin.readline(); hub.cli.main()"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, "migrate", "--home", str(homeless.home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()

    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    said = [process.communicate(timeout=WAITS_S)[1] for process in both]

    assert ([process.returncode for process in both], said) == ([0, 0], [b"", b""])


def test_faults_of_the_configuration_stand_below_no_empty_table(orderhub: Orderhub) -> None:
    ran = orderhub("check", "--config", orderhub.file(b"entities: []\n", "hub.yaml"))

    assert (ran.status, ran.out) == (1, "")


def test_status_counts_held_orders_apart_from_those_posted(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002, paid=False)]))

    assert orderhub.json("status")["orders"]["by_posting"] == {"held": 1, "posted": 1}


@pytest.mark.parametrize(
    ("minutes", "shown"), [(0, "0 min"), (59, "59 min"), (60, "1 h"), (47 * 60 + 59, "47 h"), (48 * 60, "2 d")]
)
def test_an_age_is_told_in_minutes_hours_or_days(minutes: int, shown: str) -> None:
    assert age((now() - timedelta(minutes=minutes)).isoformat()) == shown
