"""A target that asks for a pause, lets nobody in or does not answer is left alone, and nothing is lost by it."""

from typing import Any

import pytest
from sqlalchemy import select

from hub.errors import AuthExpired, InDoubt, Misconfigured, RateLimited, Retryable
from hub.steps.exceptions import retry
from hub.steps.hub import Hub
from hub.steps.send import probe, send, send_all
from hub.store import targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import exception, step
from hub.store.targets import BREAKER_FAILURES, BREAKER_S, Breaker, Pause, Standing
from tests.conftest import Clock
from tests.hub.conftest import ConnectErp
from tests.hub.steps.conftest import OpenHub, plain_story, record, stories, take_in
from tests.hub.steps.in_parts import Announced, LedgerInParts
from tests.hub.steps.test_send import POSTED, documents_of, states


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def connect_erp(utc: Clock, announced: Announced) -> ConnectErp:
    return lambda config: LedgerInParts(config, utc, announced)


@pytest.fixture
def order_id(hub: Hub) -> str:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    return story.order_id


def standing(hub: Hub) -> Standing:
    with hub.store.connect() as connection:
        return targets.standing(connection, ERP_TARGET, hub.clock())


def opened(hub: Hub) -> list[tuple[str, str | None]]:
    with hub.store.connect() as connection:
        rows: Any = connection.execute(select(exception.c.fingerprint, exception.c.resolution)).all()
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("fault", [RateLimited("slow down", 40), Retryable("busy", 40)])
def test_a_target_that_asks_for_a_pause_is_left_alone_so_long(
    hub: Hub, open_one: OpenHub, order_id: str, announced: Announced, utc: Clock, fault: Retryable
) -> None:
    announced.raised.append(fault)
    send_all(hub)
    utc.pass_time(seconds=39)
    early = send_all(open_one())  # another process knows
    utc.pass_time(seconds=2)

    send_all(hub)

    assert (early.total, len(announced.puts) > 1) == (0, True)
    assert announced.puts[0] == announced.puts[1]
    assert documents_of(hub, order_id) == POSTED
    assert opened(hub) == []
    assert standing(hub) == Standing()


@pytest.mark.parametrize(
    ("fault", "why", "words"),
    [
        (AuthExpired("the token is no longer good"), Pause.CREDENTIALS, "AuthExpired"),
        (Misconfigured("no such subsidiary"), Pause.CONFIGURATION, "Misconfigured no such subsidiary"),
    ],
)
def test_who_is_not_let_in_opens_one_exception_which_is_cured_when_let_in(
    hub: Hub, order_id: str, announced: Announced, utc: Clock, fault: AuthExpired, why: Pause, words: str
) -> None:
    announced.raised.extend([fault, fault])
    send_all(hub)
    paused = standing(hub)
    utc.pass_time(seconds=299)
    assert send_all(hub).total == 0
    utc.pass_time(seconds=2)
    send_all(hub)
    before = opened(hub)
    utc.pass_time(seconds=301)

    send_all(hub)

    assert (paused.pause, paused.reason) == (why, words)
    assert before == [("paused:erp", None)]
    assert opened(hub) == [("paused:erp", "cured")]
    assert documents_of(hub, order_id) == POSTED


def test_a_person_who_put_it_right_need_not_wait(hub: Hub, order_id: str, announced: Announced, utc: Clock) -> None:
    announced.raised.append(AuthExpired("the token is no longer good"))
    send_all(hub)
    utc.pass_time(seconds=1)

    retry(hub, "paused:erp")

    assert opened(hub) == [("paused:erp", "cured")]
    assert documents_of(hub, order_id) == POSTED


def test_no_step_is_probed_in_a_pause(hub: Hub, order_id: str, announced: Announced, utc: Clock) -> None:
    announced.raised.append(InDoubt("no answer"))
    send(hub)
    with hub.writing() as connection, connection.begin():
        later = utc.now.replace(hour=13)
        targets.pause(connection, ERP_TARGET, Pause.ASKED, "slow down", utc.now, later)

    during = probe(hub)
    utc.pass_time(hours=1)

    assert during.total == 0
    assert probe(hub).again > 0


def test_a_longer_pause_stands_when_a_shorter_one_is_asked_for(hub: Hub, utc: Clock) -> None:
    with hub.writing() as connection, connection.begin():
        targets.pause(connection, ERP_TARGET, Pause.CREDENTIALS, "expired", utc.now, utc.now.replace(hour=14))
        targets.pause(connection, ERP_TARGET, Pause.ASKED, "slow down", utc.now, utc.now.replace(hour=13))

    assert standing(hub) == Standing(0, utc.now.replace(hour=14), Pause.CREDENTIALS, "expired")


def test_an_answer_to_what_was_sent_before_the_pause_does_not_end_it(hub: Hub, utc: Clock) -> None:
    sent_at = utc.now
    utc.pass_time(seconds=1)
    with hub.writing() as connection, connection.begin():
        targets.pause(connection, ERP_TARGET, Pause.ASKED, "slow down", utc.now, utc.now.replace(hour=13))

    with hub.writing() as connection, connection.begin():
        assert not targets.answered(connection, ERP_TARGET, sent_at, a_write=True)

    assert standing(hub).paused(utc.now)


def test_a_target_that_gives_no_answer_again_and_again_is_tried_by_one_step_at_a_time(
    hub: Hub, announced: Announced, utc: Clock
) -> None:
    take_in(hub, *[record(s.final, s.order_id) for s in stories(6)])
    for _ in range(BREAKER_FAILURES):
        announced.raised.append(InDoubt("no answer"))
        send(hub)
        probe(hub)
    opened_then = standing(hub)
    assert send_all(hub).total == 0
    announced.raised.append(InDoubt("still none"))
    utc.pass_time(seconds=BREAKER_S + 1)
    half_open = standing(hub).breaker(utc.now)

    send_all(hub)
    still = standing(hub)
    utc.pass_time(seconds=BREAKER_S + 1)
    send_all(hub)

    assert (opened_then.breaker(utc.now.replace(hour=12, minute=0)), opened_then.pause) == (
        Breaker.OPEN,
        Pause.BREAKER,
    )
    assert half_open is Breaker.HALF_OPEN
    assert (still.failures, still.reason) == (BREAKER_FAILURES + 1, "InDoubt")
    assert announced.puts[BREAKER_FAILURES : BREAKER_FAILURES + 2] == [1, 1]
    assert max(announced.puts[BREAKER_FAILURES + 2 :]) > 1
    assert standing(hub) == Standing()
    assert set(states(hub)) == {"done"}


def test_a_refusal_is_an_answer(hub: Hub, order_id: str, announced: Announced) -> None:
    send(hub)  # customers and items
    for _ in range(BREAKER_FAILURES - 1):
        announced.raised.append(InDoubt("no answer"))
        send(hub)
        probe(hub)
    hub.erp.close("main", "2026-10")
    send_all(hub)

    assert standing(hub).failures == 0


def test_a_step_that_could_not_be_sent_waits_longer_each_time(
    hub: Hub, order_id: str, announced: Announced, utc: Clock
) -> None:
    waits = []
    for passed in (0, 5, 30):
        utc.pass_time(seconds=passed)
        announced.raised.append(Retryable("somebody else has the record open"))
        send_all(hub)
        with hub.store.connect() as connection:
            waits.append(connection.execute(select(step.c.next_attempt_at).order_by(step.c.id)).scalars().first())

    assert waits == ["2026-11-02T12:00:05.000000Z", "2026-11-02T12:00:35.000000Z", "2026-11-02T12:02:35.000000Z"]


def test_no_order_goes_before_its_customer_that_waits_to_be_sent_again(
    hub: Hub, order_id: str, announced: Announced, utc: Clock
) -> None:
    """The connection fails for the customer alone: the order would be refused, and a person asked for nothing."""
    announced.raised.append(Retryable("no connection"))
    send(hub)

    early = send(hub)
    utc.pass_time(seconds=5)
    send_all(hub)

    assert early.total == 0
    assert documents_of(hub, order_id) == POSTED
    assert opened(hub) == []
