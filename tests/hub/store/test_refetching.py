"""Orders to be read anew: once each, and an ask that comes during a read is not lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.model.facts import Source
from hub.model.records import Received
from hub.store import inbox, refetching
from hub.store.engine import connect

EARLY = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATE = datetime(2026, 11, 1, 13, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path / 'inbox.db'}", "inbox")


def ask(store: Engine, *orders: str) -> None:
    with store.connect().execution_options(writes=True) as connection, connection.begin():
        refetching.ask(connection, [("shop", order) for order in orders])


def waiting(store: Engine) -> list[str]:
    return [one.order_id for one in refetching.waiting(store, "shop", 10)]


def received(key: str) -> Received:
    return Received("shop", key, "orders/updated", Source.PULL, b"{}", EARLY)


def test_an_order_asked_for_twice_waits_once(store: Engine) -> None:
    ask(store, "1")
    ask(store, "1")

    assert refetching.count(store, "shop") == 1


def test_an_ask_during_the_read_makes_it_read_again(store: Engine) -> None:
    ask(store, "1", "2")
    asked = refetching.waiting(store, "shop", 10)

    ask(store, "1")
    inbox.put_refetched(store, "shop", [received("a")], asked)

    assert waiting(store) == ["1"]


def test_an_ask_after_another_reader_served_the_first_is_not_taken_for_it(store: Engine) -> None:
    ask(store, "1")
    slow = quick = refetching.waiting(store, "shop", 10)

    inbox.put_refetched(store, "shop", [received("a")], quick)
    ask(store, "1")
    inbox.put_refetched(store, "shop", [received("a")], slow)

    assert waiting(store) == ["1"]


def test_orders_are_read_in_the_order_in_which_they_were_asked_for_last(store: Engine) -> None:
    ask(store, "2", "3")
    ask(store, "1")

    ask(store, "2")

    assert waiting(store) == ["3", "1", "2"]


def test_a_page_and_its_cursor_are_kept_together(store: Engine) -> None:
    assert inbox.cursor(store, "shop", "orders") is None

    new = inbox.put_page(store, [received("a")], "shop", "orders", "c1", EARLY)
    again = inbox.put_page(store, [received("a")], "shop", "orders", "c2", LATE)

    assert (len(new), len(again)) == (1, 0)
    assert inbox.cursor(store, "shop", "orders") == "c2"
    assert inbox.known(store, [("shop", "a"), ("shop", "b")]) == {("shop", "a")}
