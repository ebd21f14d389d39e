"""A backup taken in the middle is put back after all was lost, and the end is the one of a run without a loss."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.shopify.simulator import App, Setup
from erp_adapters.ledger import schema
from hub.model.intents import StepState
from hub.settings import Ships, Stock
from hub.steps.backup import backup, restore
from hub.steps.calling import CATCH_UP_S
from hub.steps.erp_changes import pull_erp
from hub.steps.hub import Hub
from hub.steps.send import send
from hub.steps.syncing import synced
from hub.store.schema import step
from tests.journeys.live import live_hub
from tests.journeys.test_shipping_for_a_shop import in_ledger, waiting

MIDDLE = datetime(2026, 9, 12, tzinfo=UTC)
LOST = datetime(2026, 9, 20, tzinfo=UTC)
END = datetime(2026, 9, 28, tzinfo=UTC)

Held = tuple[str, str, int, int, str, str]
"""Kind, key, total, tax, currency and date of a document that stands."""


def shop(ships: Ships) -> App:
    start = datetime(2026, 9, 1, 4, tzinfo=UTC)
    return App(
        Setup(
            seed=7, orders=30, start=start, ships="erp" if ships is Ships.ERP else "shop", token="shpat_x", wide=False
        )
    )


@contextmanager
def opened(app: App, folder: Path, ships: Ships) -> Iterator[Hub]:
    with live_hub(app, folder, ships=ships, stock=Stock.NONE) as hub:
        yield hub


def go_on(hub: Hub, app: App, until: datetime) -> None:
    """The day goes on: what people did in ERP and shop is taken in, decided and sent."""
    app.shop.move_to(max(until, app.shop.now))
    synced(hub, "shopify")
    for _ in range(3):
        pull_erp(hub)
        synced(hub, "shopify")
        app.shop.move_to(app.shop.now + timedelta(seconds=CATCH_UP_S + 60))


def ship(hub: Hub, app: App) -> None:
    """People in the warehouse ship what the ERP has orders for and the shop waits for."""
    posted = in_ledger(hub)
    for order, units in waiting(hub, app).items():
        if order in posted:
            number = f"1Z{order}"
            hub.erp.fulfil(f"so-shopify-{order}", units, carrier="UPS", tracking_number=number, unstocked=units)


def in_the_middle(hub: Hub, app: App) -> None:
    """Some is sent, some decided and not sent, some captured and not read."""
    app.shop.move_to(datetime(2026, 9, 8, tzinfo=UTC))
    synced(hub, "shopify")
    app.shop.move_to(MIDDLE)
    synced(hub, "shopify", send=False)
    send(hub, 5)


def standing(hub: Hub) -> list[Held]:
    document = schema.document.c
    query = select(
        document.kind, document.key, document.total_minor, document.tax_minor, document.currency, document.date
    ).where(document.voided.is_(False))
    with hub.erp.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def balances(hub: Hub) -> dict[str, int]:
    """The ledger's own balances that are not zero, by account."""
    return {row["account"]: row["balance_minor"] for row in hub.erp.trial_balance() if row["balance_minor"]}


def states(hub: Hub) -> set[str]:
    with hub.store.connect() as connection:
        return set(connection.execute(select(step.c.state).distinct()).scalars())


@pytest.mark.parametrize(("lost", "ships"), [("hub", Ships.ERP), ("hub and ledger", Ships.CHANNEL)])
def test_the_end_is_the_one_of_a_run_without_a_loss(tmp_path: Path, lost: str, ships: Ships) -> None:
    app = shop(ships)
    with opened(app, tmp_path / "kept", ships) as hub:
        in_the_middle(hub, app)
        go_on(hub, app, LOST)
        if ships is Ships.ERP:
            ship(hub, app)
            go_on(hub, app, app.shop.now)
        go_on(hub, app, END)
        wanted, balance = standing(hub), balances(hub)

    app, home = shop(ships), tmp_path / "lost" / "home"
    with opened(app, tmp_path / "lost", ships) as hub:
        in_the_middle(hub, app)
        backup(hub.settings, tmp_path / "backup", hub.clock)
        go_on(hub, app, LOST)
        if ships is Ships.ERP:
            ship(hub, app)
            go_on(hub, app, app.shop.now)
        settings, ahead = hub.settings, standing(hub)
    shutil.move(home, tmp_path / "gone")
    app.shop.move_to(LOST + timedelta(days=1))
    restored = restore(settings, tmp_path / "backup", lambda: app.shop.now)
    if lost == "hub":
        shutil.copy2(tmp_path / "gone" / "ledger.db", home / "ledger.db")
    with opened(app, tmp_path / "lost", ships) as hub:
        go_on(hub, app, END)
        found = standing(hub)

        assert restored.in_doubt > 20
        assert len(ahead) > 100
        assert found == wanted
        assert balances(hub) == balance
        assert states(hub) <= {StepState.DONE.value, StepState.SUPERSEDED.value}
