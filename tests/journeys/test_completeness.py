"""What never came is found: an order whose webhook was lost, one that changed, a document that somebody deleted."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.shopify.simulator import App, Setup
from erp_adapters.ledger.simulator import LedgerSimulator
from hub.steps.advance import advance_all
from hub.steps.completeness import Found, check_completeness, check_open_days
from hub.steps.hub import Hub
from hub.steps.measuring import measured
from hub.steps.receiving import receive
from hub.steps.send import send_all
from hub.steps.syncing import pull, refetch, synced, waiting
from tests.connectors.shopify.shop.receiver import Receiver
from tests.journeys.live import live_hub

SEPTEMBER = date(2026, 9, 1), date(2026, 9, 30)
DAY = date(2026, 9, 1)
STEP = timedelta(minutes=5)


def check(hub: Hub, first: date, last: date, *, prove: bool = False) -> Found:
    [found] = check_completeness(hub, first, last, prove_from=first if prove else None)
    return found


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A month of sixty orders, all of their lives over, captured and posted. Its tests change nothing but as said."""
    app = App(Setup(seed=7, orders=60, start=datetime(2026, 9, 1, 4, tzinfo=UTC), token="shpat_x", wide=False))
    app.shop.move_to(datetime(2026, 11, 20, tzinfo=UTC))
    with live_hub(app, tmp_path_factory.mktemp("month")) as hub:
        synced(hub, "shopify")
        yield hub


def test_a_whole_month_is_counted_and_nothing_of_it_is_listed(month: Hub) -> None:
    found = check(month, *SEPTEMBER)

    assert found.complete
    assert (found.orders, found.missing, found.late) == (59, 0, 0)  # the sixtieth is a test
    assert found.buckets["channel"] == {"counted": 30, "read": 0, "alike": 30, "differing": 0}
    assert found.buckets["erp"] == {"counted": 30, "read": 0, "alike": 30, "differing": 0}
    assert found.proven == {"channel": 0, "erp": 0}
    assert found.not_posted == {"held": 1}


def test_the_same_month_is_proven_to_the_last_amount_on_all_sides(month: Hub) -> None:
    found = check(month, *SEPTEMBER, prove=True)

    assert found.complete
    assert found.lists == {}
    assert found.proven == {"channel": 59, "erp": 58}
    assert found.digest == check(month, *SEPTEMBER).digest


def test_a_document_that_somebody_deleted_in_the_erp_is_found_in_its_day_alone(month: Hub) -> None:
    ledger: LedgerSimulator = month.erp
    gone = next(row for row in ledger.statement(*SEPTEMBER) if row.row.subject == "order" and not row.voided)
    ledger.void(gone.ref)

    found = check(month, *SEPTEMBER)

    assert found.lists == {"missing from the ERP": [gone.row.order]}
    assert found.missing == 1
    assert found.buckets["erp"] == {"counted": 30, "read": 1, "alike": 29, "differing": 1}
    assert found.buckets["channel"]["read"] == 0


@pytest.fixture
def app() -> App:
    """A shop that takes fourteen orders in one day."""
    start = datetime(2026, 9, 1, 4, tzinfo=UTC)
    return App(Setup(seed=7, orders=14, start=start, days=1, token="shpat_x", wide=False))


@pytest.fixture
def hub(app: App, tmp_path: Path) -> Iterator[Hub]:
    with live_hub(app, tmp_path) as hub:
        yield hub


def heard(hub: Hub, app: App, until: datetime, lose: str) -> None:
    """The shop's day goes by, every webhook taken as it comes but for those of one order."""
    with Receiver() as receiver, httpx.Client(base_url=str(hub.settings.channels[0].address)) as client:
        app.outbox.subscribe_all(receiver.url)
        taken = 0
        while app.shop.now < until:
            stops = [at for at in (app.shop.next_at(), app.outbox.next_at(), until) if at is not None]
            to = min(max(min(stops), app.shop.now + STEP), until)
            client.post("/_control/advance", json={"to": to.isoformat()}).raise_for_status()
            for headers, body in receiver.came[taken:]:
                said = json.loads(body)
                if lose not in (str(said.get("id")), str(said.get("order_id"))):
                    receive(hub, "shopify", {name.lower(): value for name, value in headers.items()}, body)
            taken = len(receiver.came)
        app.outbox.subscriptions.clear()


def an_order(app: App) -> str:
    """One of the day's middle, of no trait that leaves it out."""
    placed = sorted(
        (life.processed_at, life.id) for life in (one.life for one in app.shop.orders.values()) if not life.test
    )
    return str(placed[len(placed) // 2][1])


def test_an_order_whose_webhook_was_lost_is_found_asked_for_and_counted(hub: Hub, app: App) -> None:
    lost = an_order(app)
    heard(hub, app, datetime(2026, 9, 2, 6, tzinfo=UTC), lost)
    advance_all(hub)
    refetch(hub, "shopify")
    advance_all(hub)
    send_all(hub)
    app.shop.move_to(app.shop.now + timedelta(hours=1))

    found = check(hub, DAY, date(2026, 9, 2))

    assert found.lists["missing from the hub"] == [lost]
    assert found.missing == 1
    assert found.buckets["channel"]["read"] == 1
    assert waiting(hub) == {"shopify": 1}

    refetch(hub, "shopify")
    advance_all(hub)
    after = check(hub, DAY, date(2026, 9, 2))

    assert after.orders == found.orders + 1
    assert after.missing == 0
    assert after.lists["late"] == [lost]
    assert after.lists["without a webhook"] == [lost]
    assert after.untold == 1


def test_a_pull_that_finds_it_first_counts_it_too(hub: Hub, app: App) -> None:
    lost = an_order(app)
    heard(hub, app, datetime(2026, 9, 2, 6, tzinfo=UTC), lost)
    pull(hub, "shopify", "orders")
    advance_all(hub)

    found = check(hub, DAY, date(2026, 9, 2))

    assert found.missing == 0
    assert found.lists["late"] == [lost]
    assert found.lists["without a webhook"] == [lost]
    assert found.untold == 1


def test_an_order_that_was_placed_a_moment_ago_is_on_the_way_and_not_missing(hub: Hub, app: App) -> None:
    synced(hub, "shopify")
    while not [one for one in app.shop.present() if app.shop.now - one.life.processed_at < STEP]:
        app.shop.move_to(app.shop.next_at() or app.shop.now)
    app.shop.move_to(app.shop.now + timedelta(seconds=60))

    found = check(hub, DAY, DAY)

    assert list(found.lists) == ["on the way"]
    assert (found.orders, found.missing, found.late) == (0, 0, 1)
    assert waiting(hub) == {"shopify": 0}


def test_the_clock_proves_the_last_days_and_says_what_is_missing_until_it_came(hub: Hub, app: App) -> None:
    app.shop.move_to(datetime(2026, 9, 1, 12, tzinfo=UTC))
    synced(hub, "shopify")
    app.shop.move_to(datetime(2026, 9, 2, 6, tzinfo=UTC))

    missing = check_open_days(hub)

    [checked] = measured(hub).checks
    assert (checked.channel, checked.missing) == ("shopify", 6)
    assert missing == 6

    refetch(hub, "shopify")
    advance_all(hub)

    assert check_open_days(hub) == 0
    [checked] = measured(hub).checks
    assert (checked.missing, checked.late) == (0, 5)  # the sixth is of before the shop was first heard of
