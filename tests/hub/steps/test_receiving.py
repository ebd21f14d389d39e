"""Deliveries that come together share a commit, on either database; none is acknowledged that is not stored."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select

from hub.errors import Misconfigured, Retryable
from hub.model.facts import Source
from hub.model.records import Received
from hub.steps.hub import Hub
from hub.steps.receiving import WAITING_MAX, Answer, Intake
from hub.store.schema import record

ANSWERED_S = 60


def delivery(key: str, topic: str = "orders/create") -> Received:
    return Received("shopify", key, topic, Source.WEBHOOK, b"{}", datetime(2026, 11, 2, 12, tzinfo=UTC))


class Answers:
    """What became of each ticket."""

    def __init__(self) -> None:
        self.of: dict[int, Answer] = {}
        self._changed = threading.Condition()

    def __call__(self, group: Sequence[tuple[int, Answer]]) -> None:
        with self._changed:
            self.of.update(group)
            self._changed.notify_all()

    def wait_for(self, count: int) -> dict[int, Answer]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of) == count, ANSWERED_S)
        return self.of


@contextmanager
def gathered(hub: Hub, *received: Received) -> Iterator[tuple[Intake[int], Answers]]:
    """All wait when the writer starts, so that they are one group."""
    answers = Answers()
    intake = Intake(hub, answers)
    for number, one in enumerate(received):
        assert intake.offer(one, number)
    intake.start()
    yield intake, answers
    intake.stop()


def keys(hub: Hub) -> list[str]:
    with hub.inbox.connect() as connection:
        return list(connection.execute(select(record.c.key).order_by(record.c.id)).scalars())


def test_what_waits_together_is_one_commit(hub: Hub) -> None:
    with gathered(hub, *[delivery(f"w-{number}") for number in range(40)]) as (intake, answers):
        answered = answers.wait_for(40)

        assert all(answer is True for answer in answered.values())
        assert intake.counts.commits == 1
        assert len(keys(hub)) == 40


def test_two_of_one_key_in_a_group_are_one_row_and_the_second_is_a_duplicate(hub: Hub) -> None:
    with gathered(hub, delivery("w-1"), delivery("w-2"), delivery("w-1")) as (_, answers):
        assert answers.wait_for(3) == {0: True, 1: True, 2: False}

    assert keys(hub) == ["w-1", "w-2"]


def test_one_that_the_store_refuses_does_not_fail_its_mates(hub: Hub) -> None:
    bad = delivery("w-bad", topic="a lone \ud800")

    with gathered(hub, delivery("w-1"), delivery("w-2"), bad, delivery("w-3")) as (_, answers):
        answered = answers.wait_for(4)

    assert isinstance(answered.pop(2), Retryable)
    assert answered == {0: True, 1: True, 3: True}
    assert sorted(keys(hub)) == ["w-1", "w-2", "w-3"]


def test_more_than_can_wait_are_turned_away(hub: Hub) -> None:
    intake: Intake[int] = Intake(hub, Answers())  # its writer is never started

    taken = [intake.offer(delivery(f"w-{number}"), number) for number in range(WAITING_MAX + 2)]

    assert taken.count(True) == WAITING_MAX
    assert taken[-2:] == [False, False]


def test_a_full_disk_is_no_acknowledgement_and_heals(hub: Hub) -> None:
    if hub.inbox.dialect.name != "sqlite":
        pytest.skip("a PostgreSQL server's disk is not filled here")

    @event.listens_for(hub.inbox, "checkout")
    def full(connection: Any, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    big = [Received("shopify", f"w-{n}", "t", Source.WEBHOOK, b"x" * 200_000, delivery("").received_at) for n in (1, 2)]
    with gathered(hub, *big) as (intake, answers):
        assert all(isinstance(answer, Retryable) for answer in answers.wait_for(2).values())
        assert keys(hub) == []

        event.remove(hub.inbox, "checkout", full)
        with closing(hub.inbox.raw_connection()) as room:
            room.cursor().execute("PRAGMA max_page_count=1000000").close()
        assert intake.offer(delivery("w-3"), 2)
        assert answers.wait_for(3)[2] is True


def test_the_committing_connection_says_that_its_commits_are_on_disk(hub: Hub) -> None:
    with gathered(hub, delivery("w-1")) as (intake, answers):
        answers.wait_for(1)

    full = {"sqlite": "synchronous=FULL", "postgresql": "synchronous_commit=on"}
    assert intake.counts.commit_mode == full[hub.inbox.dialect.name]


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_one_whose_commits_can_be_lost_is_refused_at_the_start(hub: Hub, level: str) -> None:
    sqlite = hub.inbox.dialect.name == "sqlite"
    weaker = f"PRAGMA synchronous={level}" if sqlite else "SET synchronous_commit = 'off'"

    @event.listens_for(hub.inbox, "checkout")
    def weaken(connection: Any, *_: object) -> None:
        connection.cursor().execute(weaker)

    hub.inbox.dispose()
    with pytest.raises(Misconfigured, match="commits with synchronous"):
        Intake(hub, Answers()).start()
