"""A month read from the shop itself: what it says is compared with its own count, what is missing is healed once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.shopify.live import LiveShop
from connectors.shopify.simulator import App, Setup
from hub.errors import Retryable
from hub.model.causes import CauseCode
from hub.model.records import Received
from hub.steps import healing
from hub.steps.closing import reconcile
from hub.steps.exceptions import resolve
from hub.steps.hub import Hub
from hub.steps.syncing import backfill, preview, refetch, sweep, synced
from hub.store import inbox, refetching
from hub.store.views import exceptions
from tests.journeys.live import live_hub

PERIOD = "2026-09"
MONTHS_END = datetime(2026, 9, 30, 23, tzinfo=UTC)


@pytest.fixture
def app() -> App:
    app = App(Setup(seed=11, orders=40, start=datetime(2026, 9, 1, 4, tzinfo=UTC), token="shpat_x", wide=False))
    app.shop.move_to(datetime(2026, 9, 20, 12, tzinfo=UTC))
    return app


@pytest.fixture
def hub(app: App, tmp_path: Path) -> Iterator[Hub]:
    with live_hub(app, tmp_path) as hub:
        yield hub


def differing(hub: Hub) -> set[CauseCode]:
    found = reconcile(hub, PERIOD, [])
    variances = (*found.sales.variances, *found.payments.variances)
    assert all(variance.residual_minor == 0 for variance in variances)
    return {cause.code for variance in variances for cause in variance.causes}


def released(hub: Hub) -> None:
    """No order waits for a person."""
    for group in exceptions.groups(hub.store):
        resolve(hub, group.fingerprint, "ann")


def test_a_month_that_was_pulled_whole_ties_with_the_shop_and_its_own_count(hub: Hub, app: App) -> None:
    app.shop.move_to(MONTHS_END)
    synced(hub, "shopify")
    released(hub)

    found = reconcile(hub, PERIOD, [])

    assert found.complete
    assert (found.sales.variances, found.payments.variances) == ((), ())
    assert found.sales.channel[0].orders > 20


def test_what_came_while_nobody_pulled_is_named_and_healed_once(hub: Hub, app: App) -> None:
    synced(hub, "shopify")
    released(hub)
    app.shop.move_to(MONTHS_END)
    found = reconcile(hub, PERIOD, [])

    planned = healing.plan(hub, found)
    read_before = app.requests
    done = healing.heal(hub, planned)
    released(hub)

    assert CauseCode.NEVER_CAPTURED in {c.code for v in found.sales.variances for c in v.causes}
    assert len(planned.pull["shopify"]) == done.read_anew
    assert app.requests > read_before
    assert differing(hub) == set()


def test_a_plan_to_heal_does_nothing_by_itself(hub: Hub, app: App) -> None:
    synced(hub, "shopify")
    app.shop.move_to(MONTHS_END)
    found = reconcile(hub, PERIOD, [])

    planned = healing.plan(hub, found)

    assert planned.as_json()["pull_minor"]["USD"] != 0
    assert reconcile(hub, PERIOD, []).sales == found.sales


def test_a_backfill_brings_all_at_once_and_pulls_go_on_from_there(hub: Hub, app: App) -> None:
    app.shop.move_to(MONTHS_END)
    began = datetime(2026, 8, 1, tzinfo=UTC)

    pulled = backfill(hub, "shopify", began)
    synced(hub, "shopify")
    released(hub)

    assert pulled.new > 20
    assert inbox.cursor(hub.inbox, "shopify", "backfill") == ""
    assert differing(hub) == set()


class Poisoned:
    """A channel that cannot give one of its orders."""

    def __init__(self, connector: LiveShop, order: str) -> None:
        self._connector = connector
        self._order = order

    def fetch_orders(self, ids: Sequence[str]) -> Iterator[Received]:
        if self._order in ids:
            raise Retryable("no whole answer")
        return self._connector.fetch_orders(ids)


def test_an_order_that_the_shop_cannot_give_keeps_no_other_from_being_read(hub: Hub, app: App) -> None:
    synced(hub, "shopify")
    sweep(hub, "shopify")
    waiting = [one.order_id for one in refetching.waiting(hub.inbox, "shopify", 100)]
    opened = hub.channel("shopify")
    vars(hub)["_channels"]["shopify"] = replace(opened, connector=Poisoned(opened.connector, waiting[3]))

    with pytest.raises(Retryable, match="no whole answer"):
        refetch(hub, "shopify")

    vars(hub)["_channels"]["shopify"] = opened
    assert len(waiting) > 5
    assert [one.order_id for one in refetching.waiting(hub.inbox, "shopify", 100)] == [waiting[3]]
    assert [one.code for one in exceptions.opened(hub.store) if one.order == "channel"] == ["channel_failing"]
    assert refetch(hub, "shopify") == 1
    assert [one.code for one in exceptions.opened(hub.store) if one.order == "channel"] == []


def test_a_preview_of_a_pull_says_how_much_is_new_and_keeps_nothing(hub: Hub, app: App) -> None:
    first = preview(hub, "shopify")
    pulled = synced(hub, "shopify")
    again = preview(hub, "shopify")

    assert first.new == pulled["new"] > 20
    assert again.new == 0
