"""orderhub verify: clean, or what was altered, as a person and a script get it."""

import sqlite3
from contextlib import closing

from tests.hub.cli.shop import Orderhub, order


def test_a_home_left_alone_is_clean(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002)]))
    orderhub("reconcile", "2026-03")

    ran = orderhub("verify")

    assert (ran.status, ran.err) == (0, "orderhub: nothing was altered\n")
    assert "daily roots" in ran.out
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 100
    answer = orderhub.json("verify")
    assert (answer["clean"], answer["orders"], answer["unsealed"], answer["faults"]) == (True, 2, 4, [])


def test_an_amount_changed_by_hand_is_named_and_the_status_is_1(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002)]))
    with closing(sqlite3.connect(orderhub.home / "hub.db")) as connection, connection:
        connection.execute("UPDATE event SET amount_minor = 1 WHERE order_id = '1002' AND seq = 1")

    ran = orderhub("verify", "--format", "json")
    told = orderhub("verify")

    assert (ran.status, told.status) == (1, 1)
    assert [(fault["code"], fault["where"]) for fault in ran.json["faults"]] == [("event_altered", "shopify/1002")]
    assert "shopify/1002" in told.out
    assert told.err == "orderhub: 1 fault\n"


def test_a_report_that_cannot_be_read_is_one_clear_line(orderhub: Orderhub) -> None:
    ran = orderhub("verify", "--printed", orderhub.file(b"%PDF", "old.json"))

    assert ran.status == 1
    assert ran.err.startswith(f"orderhub: {orderhub.folder}/old.json: no manifest or JSON report of a reconciliation")
