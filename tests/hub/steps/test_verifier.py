"""The verifier: a store that was left alone is clean; whatever is altered by SQL is found and named."""

import ast
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from hub import verifier
from hub.model.reconciliation import Reconciliation
from hub.settings.parts import Retention
from hub.steps.closing import reconcile
from hub.steps.deciding import chained
from hub.steps.hub import Hub
from hub.steps.privacy import purge
from hub.steps.roots import make_roots
from hub.steps.send import send_all
from hub.store.schema import event, fact, intent, orders, party, root
from hub.verifier import Report, Unreadable, verify
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import plain_story, record, stories, take_in

ENDS_S = 60


def address(hub: Hub) -> tuple[str, str | None]:
    store = hub.settings.stores.hub
    return store.url.get_secret_value(), store.schema


def verified(hub: Hub, *printed: Path) -> Report:
    return verify(*address(hub), printed)


def tamper(hub: Hub, *statements: str) -> None:
    with hub.writing() as connection, connection.begin():
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0, statement


@contextmanager
def put_right_again(hub: Hub) -> Iterator[None]:
    """After the block the tables hold what they held before."""
    tables = (orders, event, fact, intent, root)
    with hub.store.connect() as connection:
        before = {table: [dict(row) for row in connection.execute(table.select()).mappings()] for table in tables}
    yield
    with hub.writing() as connection, connection.begin():
        for table, rows in before.items():
            connection.execute(table.delete())
            connection.execute(table.insert(), rows)


def found(hub: Hub) -> list[tuple[str, str]]:
    return [(fault.code, fault.where) for fault in verified(hub).faults]


@pytest.fixture
def sealed(hub: Hub, utc: Clock) -> Hub:
    """Order 1001 placed on 2 November and paid on the 3rd; 1002 on the 2nd, 1003 on the 3rd; it is noon on the 5th."""
    take_in(hub, record(order(1001, paid=False), "1"), record(order(1002), "2"))
    utc.now = datetime(2026, 11, 3, 12, tzinfo=UTC)
    take_in(hub, record(order(1001) | {"updated_at": "2026-11-03T10:00:00Z"}, "3"), record(order(1003), "4"))
    utc.now = datetime(2026, 11, 5, 12, tzinfo=UTC)
    make_roots(hub)
    return hub


def test_a_store_left_alone_is_clean(sealed: Hub) -> None:
    report = verified(sealed)

    assert report.faults == []
    assert (report.orders, report.days, report.unsealed) == (3, 3, 0)
    assert report.events == 7
    assert report.facts > 0
    assert report.entries > 0


def test_a_month_of_a_shop_is_clean_with_all_that_happened_to_its_orders(hub: Hub, utc: Clock) -> None:
    for at, story in enumerate(stories(8)):
        for number, delivery in enumerate(story.deliveries):
            take_in(hub, record(delivery.body, f"{at}-{number}", delivery.topic))
        utc.pass_time(hours=12)
    make_roots(hub)

    report = verified(hub)

    assert report.faults == []
    assert report.days >= 3
    assert report.unsealed > 0


def test_purged_personal_data_break_nothing(sealed: Hub, utc: Clock) -> None:
    take_in(sealed, *[record(story.final, story.order_id) for story in stories(3)])
    send_all(sealed)
    utc.now = datetime(2036, 1, 1, 12, tzinfo=UTC)
    make_roots(sealed)

    purged = purge(sealed, ["shopify"], "anna", older_than_days=30)

    assert sum(one.parties for one in purged) > 0
    assert verified(sealed).faults == []


LAST = "(SELECT events FROM orders WHERE order_id = '1003')"

ALTERED: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "an amount": (
        ["UPDATE event SET amount_minor = amount_minor + 1 WHERE order_id = '1001' AND seq = 2"],
        [("event_altered", "shopify/1001")],
    ),
    "the last event": (
        [f"UPDATE event SET kind = 'refunded' WHERE order_id = '1003' AND seq = {LAST}"],
        [("event_altered", "shopify/1003")],
    ),
    "a hash": (
        [f"UPDATE event SET hash = '{'a' * 64}' WHERE order_id = '1003' AND seq = {LAST}"],
        [("event_altered", "shopify/1003"), ("order_altered", "shopify/1003"), ("root_altered", "2026-11-03")],
    ),
    "the last event is gone": (
        [f"DELETE FROM event WHERE order_id = '1003' AND seq = {LAST}"],
        [("event_missing", "shopify/1003"), ("root_altered", "2026-11-03")],
    ),
    "a middle event is gone": (
        ["DELETE FROM event WHERE order_id = '1001' AND seq = 2"],
        [("event_missing", "shopify/1001"), ("root_altered", "2026-11-03")],
    ),
    "a middle event is gone, the later ones moved up": (
        [
            "DELETE FROM event WHERE order_id = '1001' AND seq = 2",
            "UPDATE event SET seq = 2 WHERE order_id = '1001' AND seq = 3",
            "UPDATE orders SET events = 2 WHERE order_id = '1001'",
        ],
        [("event_altered", "shopify/1001"), ("root_altered", "2026-11-03")],
    ),
    "two events are swapped": (
        [
            "UPDATE event SET seq = 9 WHERE order_id = '1001' AND seq = 3",
            "UPDATE event SET seq = 3 WHERE order_id = '1001' AND seq = 2",
            "UPDATE event SET seq = 2 WHERE order_id = '1001' AND seq = 9",
        ],
        [("event_reordered", "shopify/1001"), ("root_altered", "2026-11-03")],
    ),
    "an event is inserted": (
        [
            (
                "INSERT INTO event SELECT channel, order_id, 3, kind, fact_kind, fact_id, occurred_at, recorded_at, "
                "amount_minor, fact_hash, hash FROM event WHERE order_id = '1002' AND seq = 2"
            )
        ],
        [("event_inserted", "shopify/1002"), ("root_altered", "2026-11-02")],
    ),
    "an order's last hash": (
        [f"UPDATE orders SET chain = '{'b' * 64}' WHERE order_id = '1002'"],
        [("order_altered", "shopify/1002")],
    ),
    "an order is gone": (
        ["DELETE FROM orders WHERE order_id = '1002'"],
        [("order_missing", "shopify/1002")],
    ),
    "an order is gone with its events": (
        ["DELETE FROM orders WHERE order_id = '1002'", "DELETE FROM event WHERE order_id = '1002'"],
        [("root_altered", "2026-11-02")],
    ),
    "a root": (
        [f"UPDATE root SET root = '{'c' * 64}' WHERE day = '2026-11-03'"],
        [("root_altered", "2026-11-03")],
    ),
    "a root's count": (
        ["UPDATE root SET events = 5 WHERE day = '2026-11-03'"],
        [("root_altered", "2026-11-03")],
    ),
    "the first root is gone": (
        ["DELETE FROM root WHERE day = '2026-11-02'"],
        [
            ("older_than_roots", "shopify/1001"),
            ("older_than_roots", "shopify/1002"),
            ("older_than_roots", "shopify/1002"),
            ("root_altered", "2026-11-03"),
        ],
    ),
    "a root between is gone": (["DELETE FROM root WHERE day = '2026-11-03'"], [("root_missing", "2026-11-03")]),
    "the last root is gone": (["DELETE FROM root WHERE day = '2026-11-04'"], [("root_missing", "2026-11-04")]),
    "all roots are gone": (
        ["DELETE FROM root"],
        [("root_missing", "2026-11-02"), ("root_missing", "2026-11-03"), ("root_missing", "2026-11-04")],
    ),
    "a root is put in": (
        [f"INSERT INTO root VALUES ('2026-11-06', 0, 0, '{'d' * 64}', '2026-11-05T12:00:00.000000Z')"],
        [("root_missing", "2026-11-05"), ("root_altered", "2026-11-06")],
    ),
    "a root of no day": (
        [f"INSERT INTO root VALUES ('tomorrow', 0, 0, '{'d' * 64}', '2026-11-05T12:00:00.000000Z')"],
        [("root_altered", "tomorrow")],
    ),
    "a fact": (
        ["UPDATE fact SET content = replace(content, '249', '248') WHERE order_id = '1003' AND kind = 'snapshot'"],
        [("fact_altered", "shopify/1003")],
    ),
    "a fact is gone": (
        ["DELETE FROM fact WHERE order_id = '1003' AND kind = 'tender'"],
        [("fact_missing", "shopify/1003")],
    ),
    "one side of an entry": (
        [
            (
                """UPDATE intent SET entry = replace(entry, '"amount_minor":24900', '"amount_minor":24901') """
                "WHERE id = (SELECT min(id) FROM intent WHERE entry IS NOT NULL)"
            )
        ],
        [("entry_unbalanced", "dep-shopify-1002-10022")],
    ),
}


def test_what_was_altered_is_found_and_named(sealed: Hub) -> None:
    """All of them on one store, put right again after each: what is left over from one would show in the next."""
    told = {}

    for what, (statements, _) in ALTERED.items():
        with put_right_again(sealed):
            tamper(sealed, *statements)
            told[what] = found(sealed)

    assert told == {what: faults for what, (_, faults) in ALTERED.items()}
    assert found(sealed) == []


def test_events_that_were_swapped_are_told_in_the_order_in_which_they_stand(sealed: Hub) -> None:
    tamper(sealed, *ALTERED["two events are swapped"][0])

    first = verified(sealed).faults[0]

    assert (first.where, first.what) == ("shopify/1001", "its events stand in the order 1, 3, 2")


def append_forged(hub: Hub, recorded_at: str) -> None:
    """Order 1003 has an event more, with a hash that fits and an order that counts it."""
    with hub.writing() as connection, connection.begin():
        last = (
            connection.execute(text(f"SELECT * FROM event WHERE order_id = '1003' AND seq = {LAST}")).mappings().one()
        )
        row = {**last, "seq": last["seq"] + 1, "amount_minor": -1, "recorded_at": recorded_at}
        row["hash"] = chained(last["hash"], row)
        connection.execute(event.insert(), row)
        changed = update(orders).where(orders.c.order_id == "1003").values(events=row["seq"], chain=row["hash"])
        connection.execute(changed)


def test_an_event_put_in_behind_a_root_is_told_with_its_order(sealed: Hub) -> None:
    append_forged(sealed, "2026-11-02T09:00:00.000000Z")

    [fault] = verified(sealed).faults

    assert (fault.code, fault.where) == ("root_altered", "2026-11-02")
    assert fault.what.endswith("recorded behind an event of a later day: event 3 of shopify/1003")


def test_an_event_older_than_all_roots_is_named(sealed: Hub) -> None:
    append_forged(sealed, "2026-11-01T09:00:00.000000Z")

    assert found(sealed) == [("older_than_roots", "shopify/1003")]


def test_an_order_forged_with_all_its_hashes_breaks_the_root(sealed: Hub) -> None:
    append_forged(sealed, "2026-11-03T13:00:00.000000Z")

    assert found(sealed) == [("root_altered", "2026-11-03")]


def test_a_store_forged_with_all_its_roots_disagrees_with_a_printed_one(sealed: Hub) -> None:
    """It agrees with itself: only what left the house tells."""
    printed = runs_of(sealed, reconcile(sealed, "2026-11", [])) / "manifest.json"
    append_forged(sealed, "2026-11-03T13:00:00.000000Z")
    tamper(sealed, "DELETE FROM root")
    make_roots(sealed)

    assert found(sealed) == []
    assert [(one.code, one.where) for one in verified(sealed, printed).faults] == [("printed_root", "2026-11-04")]


def runs_of(hub: Hub, run: Reconciliation) -> Path:
    return hub.settings.home / "runs" / run.run


def test_a_reconciliation_prints_the_last_root(sealed: Hub) -> None:
    run = reconcile(sealed, "2026-11", [])

    folder = runs_of(sealed, run)
    with sealed.store.connect() as connection:
        seal = connection.execute(text("SELECT root FROM root WHERE day = '2026-11-04'")).scalar_one()
    said = {"day": "2026-11-04", "orders": 0, "events": 0, "root": seal}
    assert json.loads((folder / "manifest.json").read_bytes())["event_chain"] == said
    assert json.loads((folder / "report.json").read_bytes())["event_chain"] == said
    assert "<dt>Event chain</dt>" in (folder / "report.html").read_text()
    assert seal in (folder / "report.html").read_text()
    assert verified(sealed, folder / "manifest.json", folder / "report.json").printed == 2


def test_a_reconciliation_seals_the_days_that_are_over(sealed: Hub, utc: Clock) -> None:
    utc.now = datetime(2026, 11, 7, 1, tzinfo=UTC)

    run = reconcile(sealed, "2026-11", [])

    assert run.event_chain is not None
    assert run.event_chain.day == date(2026, 11, 6)


def test_the_root_is_no_part_of_the_digest(sealed: Hub, utc: Clock) -> None:
    first = reconcile(sealed, "2026-11", [])
    utc.now = datetime(2026, 11, 6, 12, tzinfo=UTC)

    second = reconcile(sealed, "2026-11", [])
    again = reconcile(sealed, "2026-11", [], runs_of(sealed, first))

    assert second.event_chain != first.event_chain
    assert second.digest == first.digest == again.digest
    assert again.event_chain == first.event_chain


def test_each_channel_is_purged_by_its_own_retention_and_the_chain_holds(hub: Hub, utc: Clock) -> None:
    one = hub.settings.channels[0]
    short = one.model_copy(update={"retention": Retention(parties_days=30, bodies_days=30)})
    long = one.model_copy(update={"slug": "shopify-eu", "retention": Retention(parties_days=400, bodies_days=400)})
    kept = one.model_copy(update={"slug": "shopify-uk", "retention": Retention()})
    hub.settings.__dict__["channels"] = (short, long, kept)
    sold = plain_story()
    for channel in ("shopify", "shopify-eu", "shopify-uk"):
        take_in(hub, replace(record(sold.final, f"{channel}-1"), channel=channel))
    send_all(hub)
    utc.pass_time(days=100)
    make_roots(hub)
    slugs = [channel.slug for channel in hub.settings.channels]

    early = purge(hub, slugs, "anna")
    utc.pass_time(days=400)
    late = purge(hub, slugs, "anna")

    assert {one.channel: one.records for one in early if one.records} == {"shopify": 1}
    assert {one.channel: one.records for one in late if one.records} == {"shopify-eu": 1}
    with hub.store.connect() as connection:
        named = select(party.c.channel).where(party.c.body.is_not(None))
        assert set(connection.execute(named).scalars()) == {"shopify-uk"}
    make_roots(hub)
    report = verified(hub)
    assert report.faults == []
    assert report.orders == 3


def test_it_needs_nothing_of_the_hub(sealed: Hub, tmp_path: Path) -> None:
    """A copy, where no package of ours can be imported, on a Python that sees no path but its own."""
    copy = tmp_path / "verifier.py"
    copy.write_text(Path(verifier.__file__).read_text())
    shut_out = "sys.modules.update(dict.fromkeys(['hub', 'mappings', 'connectors', 'erp_adapters', 'pydantic']))"
    url, schema = address(sealed)
    given = ["--format", "json", *(["--schema", schema] if schema else [])]
    run = f"import runpy, sys; {shut_out}; sys.argv[0] = 'verifier'; runpy.run_path({str(copy)!r}, run_name='__main__')"
    command = [sys.executable, "-I", "-W", "error", "-c", run, *given]
    environ = {**os.environ, "ORDERHUB_DATABASE_URL": url}

    clean = subprocess.run(command, capture_output=True, env=environ, timeout=ENDS_S, cwd=tmp_path, check=False)
    tamper(sealed, "UPDATE event SET amount_minor = 1 WHERE order_id = '1001' AND seq = 2")
    altered = subprocess.run(command, capture_output=True, env=environ, timeout=ENDS_S, cwd=tmp_path, check=False)

    assert (clean.returncode, clean.stderr) == (0, b"")
    assert json.loads(clean.stdout)["events"] == 7
    assert (altered.returncode, altered.stderr) == (1, b"")
    assert [fault["where"] for fault in json.loads(altered.stdout)["faults"]] == ["shopify/1001"]


def test_it_imports_the_standard_library_and_sqlalchemy_alone() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(Path(verifier.__file__).read_text())):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).split(".")[0])

    assert imported - sys.stdlib_module_names == {"sqlalchemy"}


def test_a_file_that_is_not_there_is_no_clean_store(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file"):
        verify(str(tmp_path / "nothing.db"))


def test_a_file_of_other_tables_is_no_clean_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE event (id INTEGER)")

    assert verifier.main([str(tmp_path / "other.db")]) == 2
    assert "no such table: root" in capsys.readouterr().err


def test_a_report_that_is_none_is_refused(sealed: Hub, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")

    with pytest.raises(Unreadable, match=r"manifest\.json: no manifest"):
        verified(sealed, tmp_path / "manifest.json")


def test_people_read_what_was_checked_and_a_line_a_fault() -> None:
    report = Report(orders=1200, events=5000, facts=6000, entries=3000, days=30, printed=2)
    report.add("event_altered", "shopify/1001", "event 2 (paid) is not what its hash says")

    assert list(report.lines()) == [
        "checked 1,200 orders, 5,000 events, 6,000 facts, 3,000 entries, 30 daily roots, 2 printed roots",
        "event_altered: shopify/1001: event 2 (paid) is not what its hash says",
        "1 fault",
    ]
