"""Turns and the plan: one worker at a time, given back by silence, asked again; an outage of days is one ring."""

from datetime import UTC, datetime, timedelta

from hub.steps import turns
from hub.steps.hub import Hub
from hub.worker.schedule import following
from tests.conftest import Clock


def test_a_turn_is_one_workers_until_it_is_given_back(hub: Hub) -> None:
    first = turns.take(hub, "pull shopify orders", "one")
    second = turns.take(hub, "pull shopify orders", "two")
    turns.give_back(hub, "pull shopify orders", "one")

    assert (first, second, turns.take(hub, "pull shopify orders", "two")) == (True, False, True)


def test_who_came_in_vain_is_answered_by_one_more_look(hub: Hub) -> None:
    turns.take(hub, "pull shopify orders", "one")
    turns.take(hub, "pull shopify orders", "two")

    assert turns.give_back(hub, "pull shopify orders", "one") is True
    turns.take(hub, "pull shopify orders", "one")
    assert turns.give_back(hub, "pull shopify orders", "one") is False


def test_a_worker_that_goes_on_keeps_its_turn_and_one_that_is_silent_loses_it(hub: Hub, utc: Clock) -> None:
    turns.take(hub, "sweep shopify", "one")
    utc.pass_time(seconds=45)
    turns.keep(hub, ["sweep shopify"], "one")
    utc.pass_time(seconds=45)

    kept = turns.take(hub, "sweep shopify", "two")
    utc.pass_time(seconds=16)

    assert (kept, turns.take(hub, "sweep shopify", "two")) == (False, True)


def test_one_whose_turn_was_lost_takes_nothing_from_the_next(hub: Hub, utc: Clock) -> None:
    turns.take(hub, "sweep shopify", "one")
    utc.pass_time(seconds=61)
    turns.take(hub, "sweep shopify", "two")

    turns.keep(hub, ["sweep shopify"], "one")
    turns.give_back(hub, "sweep shopify", "one")

    assert turns.standing(hub)["sweep shopify"].holder == "two"


def test_what_was_rung_and_not_begun_is_found_in_the_store(hub: Hub, utc: Clock) -> None:
    turns.ring_due(hub, {"pull shopify orders": following(300, "UTC")})
    at_once = turns.unanswered(hub)
    utc.pass_time(seconds=15)
    later = turns.unanswered(hub)
    turns.take(hub, "pull shopify orders", "one")

    assert (at_once, later, turns.unanswered(hub)) == ([], ["pull shopify orders"], [])


def test_the_job_of_a_worker_that_died_is_found_in_the_store(hub: Hub, utc: Clock) -> None:
    turns.take(hub, "pull shopify orders", "one")

    utc.pass_time(seconds=61)

    assert turns.unanswered(hub) == ["pull shopify orders"]


def test_days_of_outage_are_caught_up_by_one_ring(hub: Hub, utc: Clock) -> None:
    plan = {"pull shopify orders": following(300, "UTC"), "sweep shopify": following("0 3 * * *", "UTC")}
    turns.ring_due(hub, plan)

    utc.pass_time(days=4)
    rung = [turns.ring_due(hub, plan), turns.ring_due(hub, plan)]
    utc.pass_time(seconds=300)

    assert rung == [["pull shopify orders", "sweep shopify"], []]
    assert turns.ring_due(hub, plan) == ["pull shopify orders"]


def test_a_job_that_failed_is_left_alone(hub: Hub, utc: Clock) -> None:
    plan = {"pull shopify orders": following(5, "UTC")}
    turns.take(hub, "pull shopify orders", "one")
    turns.give_back(hub, "pull shopify orders", "one", failed_for_s=30)

    early = turns.ring_due(hub, plan)
    utc.pass_time(seconds=30)

    assert (early, turns.ring_due(hub, plan)) == ([], ["pull shopify orders"])


def test_a_beat_that_is_made_shorter_does_not_wait_for_the_old_one(hub: Hub, utc: Clock) -> None:
    turns.ring_due(hub, {"sweep shopify": following(86_400, "UTC")})
    shorter = {"sweep shopify": following(60, "UTC")}
    turns.ring_due(hub, shorter)

    utc.pass_time(seconds=60)

    assert turns.ring_due(hub, shorter) == ["sweep shopify"]


def test_a_cron_goes_by_the_wall_clocks_of_its_time_zone() -> None:
    """New York sets its clocks back on 2026-11-01: half past two is an hour later in UTC from then on."""
    nightly = following("30 2 * * *", "America/New_York")
    first = nightly(datetime(2026, 10, 30, 12, tzinfo=UTC))

    assert first == datetime(2026, 10, 31, 6, 30, tzinfo=UTC)
    assert nightly(first + timedelta(hours=1)) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
