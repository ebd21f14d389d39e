"""The ERP ships for a shop over a socket: every parcel is told once and heard back as the same one, whatever fails."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.shopify.fulfil import fulfilment_orders, fulfilments
from connectors.shopify.live import LiveShop
from connectors.shopify.shop.stock import LOCATIONS
from connectors.shopify.simulator import App, Setup
from erp_adapters.ledger import schema
from hub.model.crosswalk import CrosswalkKind
from hub.model.documents import DocumentKind
from hub.settings import Ships, Stock
from hub.steps.advance import advance_all
from hub.steps.crosswalks import Wanted, set_row
from hub.steps.erp_changes import pull_erp
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.showing import show_order
from hub.steps.syncing import synced
from hub.store import sending
from tests.journeys.live import live_hub

Units = dict[str, int]
"""By order line."""

ROUNDS_MAX = 40  # until all is told, an hour apart


@pytest.fixture
def app() -> App:
    app = App(
        Setup(seed=7, orders=30, start=datetime(2026, 9, 1, 4, tzinfo=UTC), ships="erp", token="shpat_x", wide=False)
    )
    app.shop.move_to(datetime(2026, 9, 20, tzinfo=UTC))
    return app


@pytest.fixture
def hub(app: App, tmp_path: Path) -> Iterator[Hub]:
    with live_hub(app, tmp_path, ships=Ships.ERP, stock=Stock.PUSH) as hub:
        yield hub


def waiting(hub: Hub, app: App) -> dict[str, Units]:
    """What the shop still waits to be told of, by order."""
    live: LiveShop = hub.connector("shopify")
    found: dict[str, Units] = {}
    for order in app.shop.present():
        units: Units = {}
        for one in fulfilment_orders(live.shop, live.orders, str(order.life.id)):
            for part in one.parts if one.fulfillable else ():
                if part.remaining:
                    units[part.line] = units.get(part.line, 0) + part.remaining
        if units:
            found[str(order.life.id)] = units
    return found


def in_ledger(hub: Hub) -> set[str]:
    """The orders whose sales order stands in the ledger."""
    document = schema.document.c
    query = select(document.order_id).where(document.kind == DocumentKind.SALES_ORDER.value)
    with hub.erp.engine.connect() as connection:
        return set(connection.execute(query).scalars())


def in_shop(hub: Hub, order: str) -> list[tuple[tuple[str, ...], Units]]:
    live: LiveShop = hub.connector("shopify")
    held = fulfilments(live.shop, live.orders, order)
    return [(one.numbers, dict(one.units)) for one in held if one.stands and one.numbers]


def settle(hub: Hub, app: App) -> None:
    """All is told, however often it takes."""
    for _ in range(ROUNDS_MAX):
        pull_erp(hub)
        advance_all(hub)
        send_all(hub)
        with hub.store.connect() as connection:
            if not sending.waiting(connection, "shopify"):
                return
        with app.lock:
            app.shop.move_to(app.shop.now + timedelta(hours=1))


@pytest.mark.parametrize("faults", ["none", "hostile"])
def test_every_parcel_is_told_once_and_heard_back_as_the_same(hub: Hub, app: App, faults: str) -> None:
    synced(hub, "shopify")
    posted = in_ledger(hub)
    parcels = {order: units for order, units in waiting(hub, app).items() if order in posted}
    for number, (order, units) in enumerate(parcels.items()):
        hub.erp.fulfil(f"so-shopify-{order}", units, carrier="UPS", tracking_number=f"1Z{number}", unstocked=units)
    app.faults.set({"preset": faults})

    settle(hub, app)

    app.faults.set({"preset": "none"})
    synced(hub, "shopify")
    assert len(parcels) > 10
    assert bool(app.faults.met) == (faults == "hostile")
    for number, (order, units) in enumerate(parcels.items()):
        told: Units = {}
        for numbers, part in in_shop(hub, order):
            assert numbers == (f"1Z{number}",)
            for line, count in part.items():
                told[line] = told.get(line, 0) + count
        assert told == units
        lines = {line.line: line.shipped for line in show_order(hub, f"shopify/{order}").lines}
        assert {line: lines[line] for line in units} == units
    with hub.store.connect() as connection:
        assert set(sending.counts(connection, "shopify")) == {"done"}


def test_a_level_of_the_erps_is_the_shops(hub: Hub, app: App) -> None:
    synced(hub, "shopify")
    stock = app.shop.stock
    product = next(one for one in stock.products.values() if one.sku in sold(hub) and one.kind == "product")
    sku, item, place = product.sku, stock.item_of(product), LOCATIONS[0]
    set_row(hub, CrosswalkKind.LOCATION, Wanted(str(place), "main"), "ann")
    hub.erp.receive(sku, 321, 1000)
    app.faults.set({"preset": "hostile"})

    settle(hub, app)

    assert stock.levels[item, place].quantity("on_hand") == hub.erp.on_hand(sku)


def sold(hub: Hub) -> set[str]:
    """The items that the ledger knows."""
    with hub.erp.engine.connect() as connection:
        return set(connection.execute(select(schema.item.c.code)).scalars())
