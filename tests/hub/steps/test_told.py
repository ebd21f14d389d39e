"""push: what the ERP ships is told to the channel once, and what is heard back is the same shipment."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.event import listens_for

from erp_adapters.ledger import schema
from erp_adapters.ledger.simulator import LedgerSimulator
from hub import registry
from hub.model.crosswalk import CrosswalkKind
from hub.model.documents import DocumentKind
from hub.model.order import OrderKey
from hub.settings import Ships, Stock, load_settings
from hub.steps.advance import advance_all, reconsider
from hub.steps.capture import capture
from hub.steps.crosswalks import Wanted, set_row
from hub.steps.erp_changes import pull_erp
from hub.steps.exceptions import reconsider_due, retry
from hub.steps.hub import Hub, open_hub
from hub.steps.send import send, send_all
from hub.steps.settling import PROBE_AGAIN_S
from hub.steps.showing import show_order
from hub.store import sending
from hub.store.schema import fact, intent, orders
from hub.store.views import backlog, exceptions
from hub.testing.channel import SETTLE_S, Fault, Shipment, Shop, UnpleasantChannel
from tests.conftest import Clock
from tests.hub.steps.conftest import Killed, OpenHub, plain_story, record, take_in

Json = dict[str, Any]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def ships() -> Ships:
    return Ships.ERP


@pytest.fixture
def stock() -> Stock:
    return Stock.NONE


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def open_told(
    request: pytest.FixtureRequest, tmp_path: Path, utc: Clock, shop: Shop, ships: Ships, stock: Stock
) -> Iterator[OpenHub]:
    """Opens the hub on the same stores and the same shop, which the ERP ships for."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    settings = load_settings(None, tmp_path / "home", {})
    channels = tuple(one.model_copy(update={"ships": ships, "stock": stock}) for one in settings.channels)
    settings = settings.model_copy(update={"channels": channels})
    if url is not None:
        settings = settings.model_copy(update={"database_url": SecretStr(url)})
    opened: list[Hub] = []
    utc.now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    connect = registry.connector("shopify").connect

    def open_it() -> Hub:
        hub = open_hub(
            settings,
            utc,
            lambda config: LedgerSimulator(config, utc),
            lambda config: UnpleasantChannel(shop, connect(config)),
        )
        opened.append(hub)
        return hub

    yield open_it
    for hub in opened:
        hub.store.dispose()
        hub.inbox.dispose()
        if "erp" in vars(hub):
            hub.erp.close_connections()


@pytest.fixture
def hub(open_told: OpenHub) -> Hub:
    return open_told()


@pytest.fixture
def order(hub: Hub) -> Json:
    """A paid order, posted and not yet shipped."""
    final = plain_story().final | {"fulfillments": [], "fulfillment_status": None}
    take_in(hub, record(final, "one"))
    settle(hub)
    return final


def settle(hub: Hub) -> None:
    """The hub knows what the ERP did, and ERP and channel what follows from it."""
    pull_erp(hub)
    advance_all(hub)
    send_all(hub)


def ship(hub: Hub, order: Json, *, units: dict[str, int] | None = None, number: str | None = "1Z9") -> str:
    """Somebody ships from the ERP's sales order."""
    lines = units or units_of(order)
    carrier = "UPS" if number else None
    ref: str = hub.erp.fulfil(f"so-shopify-{order['id']}", lines, carrier=carrier, tracking_number=number)
    return ref


def units_of(order: Json) -> dict[str, int]:
    return {str(line["id"]): line["quantity"] for line in order["line_items"]}


def hear(
    hub: Hub, order: Json, made: Shipment, *, status: str = "success", delivered: bool = False, at: int = 1
) -> None:
    """The channel's webhook of one of its fulfilments."""
    body = {
        "id": int(made.id),
        "order_id": order["id"],
        "status": "success",
        "shipment_status": "delivered" if delivered else None,
        "created_at": "2026-11-02T12:00:00Z",
        "updated_at": f"2026-11-02T12:{at:02}:00Z",
        "tracking_company": "UPS",
        "tracking_numbers": list(made.numbers),
        "tracking_urls": [],
        "location_id": None,
        "line_items": [{"id": int(line), "quantity": quantity} for line, quantity in made.units.items()],
    }
    capture(hub, [record(body, f"{made.id}-{at}", topic="fulfillments/update")])
    advance_all(hub)


def of_order(order: Json) -> str:
    return f"shopify/{order['id']}"


def pushes(hub: Hub) -> dict[str, int]:
    """The steps to the channel, by state."""
    with hub.store.connect() as connection:
        return sending.counts(connection, "shopify")


def shipped(hub: Hub, order: Json) -> list[int]:
    return [line.shipped for line in show_order(hub, of_order(order)).lines]


def quantities(order: Json) -> list[int]:
    return [line["quantity"] for line in order["line_items"]]


def fulfilments_in_ledger(hub: Hub, order: Json) -> int:
    with hub.erp.engine.connect() as connection:
        query = select(func.count()).where(
            schema.document.c.kind == DocumentKind.FULFILMENT.value,
            schema.document.c.order_id == str(order["id"]),
            schema.document.c.voided.is_(False),
        )
        return int(connection.execute(query).scalar_one())


def open_causes(hub: Hub) -> list[str]:
    return [group.fingerprint for group in exceptions.groups(hub.store)]


def holds_one_shipment(hub: Hub, order: Json, shop: Shop) -> None:
    """One in the shop, one in the ledger, one here, and nothing waits."""
    assert len(shop.of(str(order["id"]))) == 1
    assert fulfilments_in_ledger(hub, order) == 1
    assert shipped(hub, order) == quantities(order)
    assert pushes(hub) == {"done": 1}
    assert open_causes(hub) == []


def test_what_the_erp_ships_is_told_with_its_tracking(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)

    settle(hub)

    (made,) = shop.of(str(order["id"]))
    assert made.numbers == ("1Z9",)
    assert made.units == units_of(order)
    holds_one_shipment(hub, order, shop)


def test_what_was_told_stands_when_the_channel_is_said_to_ship_by_itself(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)
    settle(hub)
    (channel,) = hub.settings.channels
    settings = hub.settings.model_copy(update={"channels": (channel.model_copy(update={"ships": Ships.CHANNEL}),)})

    changed = open_hub(settings, hub.clock, lambda _: hub.erp, lambda _: hub.connector("shopify"))
    reconsider(changed, [OrderKey("shopify", str(order["id"]))])
    send_all(changed)

    holds_one_shipment(changed, order, shop)
    changed.store.dispose()
    changed.inbox.dispose()


def test_steps_to_the_erp_and_to_channels_are_counted_apart(hub: Hub, order: Json) -> None:
    to_the_erp = backlog.steps_by_state(hub.store)
    ship(hub, order)

    settle(hub)

    assert backlog.told(hub.store) == {"shopify": {"done": 1}}
    assert sum(backlog.steps_by_state(hub.store).values()) == sum(to_the_erp.values()) + 2  # invoice, application
    assert "shipment_notice" not in backlog.documents_by_kind(hub.store)


def test_what_was_told_and_is_heard_back_is_one_shipment(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)
    settle(hub)

    hear(hub, order, shop.shipments[0])
    hear(hub, order, shop.shipments[0], delivered=True, at=2)
    settle(hub)

    holds_one_shipment(hub, order, shop)
    assert show_order(hub, of_order(order)).row.fulfilment == "delivered"


def test_the_webhook_may_come_before_the_answer(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)
    pull_erp(hub)
    advance_all(hub)
    shop.fail_next(Fault.LOST_AFTER)
    send_all(hub)

    hear(hub, order, shop.shipments[0])
    before = (fulfilments_in_ledger(hub, order), shipped(hub, order))
    settle(hub)

    assert before == (1, quantities(order))
    assert fulfilments_in_ledger(hub, order) == 1
    assert shipped(hub, order) == quantities(order)


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE])
def test_a_lost_answer_ends_in_one_shipment(hub: Hub, order: Json, shop: Shop, utc: Clock, fault: Fault) -> None:
    ship(hub, order)
    shop.fail_next(fault)
    settle(hub)
    assert pushes(hub) != {"done": 1} or fault is Fault.LOST_AFTER

    for _ in range(4):
        utc.pass_time(seconds=PROBE_AGAIN_S + 1)
        settle(hub)

    holds_one_shipment(hub, order, shop)


def test_what_is_in_doubt_is_not_told_again_within_the_settling_time(
    hub: Hub, order: Json, shop: Shop, utc: Clock
) -> None:
    ship(hub, order)
    shop.fail_next(Fault.LOST_BEFORE)

    settle(hub)
    utc.pass_time(seconds=SETTLE_S - 1)
    settle(hub)

    assert shop.calls == 1
    assert pushes(hub) == {"in_doubt": 1}


@pytest.mark.parametrize(
    "opening", ["UPDATE step SET state=", "INSERT INTO fact", "UPDATE orders SET", "UPDATE exception"]
)
def test_a_worker_killed_anywhere_tells_once(
    open_told: OpenHub, hub: Hub, order: Json, shop: Shop, utc: Clock, opening: str
) -> None:
    ship(hub, order)
    pull_erp(hub)
    moments = 0
    while True:
        disarm = kill_at(hub, opening, moments)
        try:
            advance_all(hub)
            send_all(hub)
        except Killed:
            moments += 1
            disarm()
            hub = open_told()
            utc.pass_time(seconds=sending.LEASE_S + SETTLE_S)
            continue
        disarm()
        break
    reconsider_due(hub)

    assert moments >= 1
    holds_one_shipment(hub, order, shop)
    with hub.store.connect() as connection:
        assert connection.execute(select(func.count()).where(fact.c.kind == "echo")).scalar_one() == 1


def kill_at(hub: Hub, opening: str, number: int) -> Callable[[], None]:
    """Ctrl-C at the number-th statement of that opening in the hub's store; call it to disarm."""
    seen, armed = [0], [True]

    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if armed[0] and statement.startswith(opening):
            seen[0] += 1
            if seen[0] == number + 1:
                raise Killed

    listens_for(hub.store, "before_cursor_execute")(kill)

    def disarm() -> None:
        armed[0] = False

    return disarm


def test_a_worker_killed_after_the_answer_was_settled_leaves_its_order_due(
    open_told: OpenHub, hub: Hub, order: Json, shop: Shop
) -> None:
    ship(hub, order)
    pull_erp(hub)
    advance_all(hub)
    send(hub)
    disarm = kill_at(hub, "UPDATE orders SET", 1)  # the first is in the settling transaction
    with pytest.raises(Killed):
        send(hub, target="shopify")
    disarm()

    again = open_told()

    assert pushes(again) == {"done": 1}
    assert [key.external_id for key in exceptions.due(again.store, again.clock())] == [str(order["id"])]
    reconsider_due(again)
    assert exceptions.due(again.store, again.clock()) == []


def test_a_changed_tracking_number_is_told(hub: Hub, order: Json, shop: Shop, utc: Clock) -> None:
    ref = ship(hub, order)
    settle(hub)
    utc.pass_time(minutes=5)

    hub.erp.refulfil(ref, f"so-shopify-{order['id']}", units_of(order), carrier="UPS", tracking_number="1Z10")
    settle(hub)

    (made,) = shop.of(str(order["id"]))
    assert made.numbers == ("1Z10",)
    assert pushes(hub) == {"done": 2}
    assert shipped(hub, order) == quantities(order)


def test_a_corrected_shipment_is_cancelled_and_made_anew_in_the_channel(
    hub: Hub, order: Json, shop: Shop, utc: Clock
) -> None:
    lines = units_of(order)
    last = next(reversed(lines))
    fewer = {line: units for line, units in lines.items() if line != last}
    ref = ship(hub, order)
    settle(hub)
    utc.pass_time(minutes=5)

    hub.erp.refulfil(ref, f"so-shopify-{order['id']}", fewer, carrier="UPS", tracking_number="1Z9")
    settle(hub)
    for made in shop.shipments:
        if not made.cancelled:
            hear(hub, order, made)

    assert [made.units for made in shop.of(str(order["id"]))] == [fewer]
    assert shipped(hub, order) == [fewer.get(line, 0) for line in lines]
    assert fulfilments_in_ledger(hub, order) == 1


def test_what_the_erp_takes_back_is_cancelled_in_the_channel(hub: Hub, order: Json, shop: Shop, utc: Clock) -> None:
    ref = ship(hub, order)
    settle(hub)
    hear(hub, order, shop.shipments[0])
    utc.pass_time(minutes=5)

    hub.erp.void(ref)
    settle(hub)

    assert shop.of(str(order["id"])) == []
    assert shipped(hub, order) == [0] * len(order["line_items"])
    assert fulfilments_in_ledger(hub, order) == 0


def test_shipments_in_parts_are_told_each(hub: Hub, order: Json, shop: Shop, utc: Clock) -> None:
    line, *others = [(str(line["id"]), line["quantity"]) for line in order["line_items"]]
    first = {line[0]: 1}
    rest = {line[0]: line[1] - 1, **dict(others)}
    ship(hub, order, units=first, number=None)
    settle(hub)
    utc.pass_time(minutes=5)

    if rest := {id: units for id, units in rest.items() if units}:
        ship(hub, order, units=rest, number=None)
        settle(hub)
    for made in shop.shipments:
        hear(hub, order, made)
    settle(hub)

    assert [made.units for made in shop.of(str(order["id"]))] == [units for units in (first, rest) if units]
    assert shipped(hub, order) == quantities(order)
    assert open_causes(hub) == []


def test_a_shipment_by_hand_in_the_channel_goes_to_the_erp(hub: Hub, order: Json, shop: Shop) -> None:
    made = shop.ship(str(order["id"]), units_of(order), "by-hand")

    hear(hub, order, made)
    settle(hub)

    assert fulfilments_in_ledger(hub, order) == 1
    assert pushes(hub) == {}
    assert shipped(hub, order) == quantities(order)


def test_what_a_channel_refuses_holds_nothing_of_the_erps(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)
    shop.fail_next(Fault.REFUSED)

    settle(hub)

    assert open_causes(hub) == ["not_told:not_fulfillable:lines"]
    with hub.store.connect() as connection:
        assert set(sending.counts(connection, "erp")) == {"done"}
    assert retry(hub, "not_told:not_fulfillable:lines").steps_again == 1
    holds_one_shipment(hub, order, shop)


def test_what_the_erp_refuses_holds_nothing_that_a_channel_is_told(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)
    pull_erp(hub)
    advance_all(hub)
    hub.erp.close("main", "2026-11")

    sent = send_all(hub)

    assert sent.rejected == 1
    assert sent.told["shopify"].done == 1


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.SHUT_OUT])
def test_a_channel_that_lets_nobody_in_is_asked_later(
    hub: Hub, order: Json, shop: Shop, utc: Clock, fault: Fault
) -> None:
    ship(hub, order)
    shop.fail_next(fault)

    settle(hub)

    assert shop.calls == 0
    assert open_causes(hub) == (["paused:shopify"] if fault is Fault.SHUT_OUT else [])
    utc.pass_time(minutes=6)
    settle(hub)
    holds_one_shipment(hub, order, shop)


@pytest.mark.parametrize("ships", [Ships.CHANNEL])
def test_a_channel_that_ships_itself_is_told_nothing_and_a_person_is(hub: Hub, order: Json, shop: Shop) -> None:
    ship(hub, order)

    settle(hub)

    assert shop.shipments == []
    assert open_causes(hub) == ["shipped_elsewhere"]
    with hub.store.connect() as connection:
        assert connection.execute(select(orders.c.holds)).scalars().all() == [0]
        assert connection.execute(select(intent.c.kind).where(intent.c.kind == "shipment_notice")).all() == []


# --- stock levels --------------------------------------------------------------------------------------------------

pushing_stock = pytest.mark.parametrize("stock", [Stock.PUSH])


@pytest.fixture
def sku(hub: Hub, order: Json, shop: Shop) -> str:
    """An item of the order, at a location that the channel calls 7001; all levels so far are told."""
    set_row(hub, CrosswalkKind.LOCATION, Wanted("7001", "main"), "ann")
    settle(hub)
    shop.calls = 0
    return str(order["line_items"][0]["sku"])


def learn(hub: Hub) -> None:
    pull_erp(hub)
    advance_all(hub)


@pushing_stock
def test_a_level_that_moves_in_the_erp_is_told_in_the_channels_words(hub: Hub, sku: str, shop: Shop) -> None:
    hub.erp.receive(sku, 5, 1000)

    settle(hub)

    assert shop.levels[sku, "7001"] == hub.erp.on_hand(sku) >= 5
    assert shop.calls == 1


def test_no_level_is_told_where_it_is_not_configured(hub: Hub, sku: str, shop: Shop) -> None:
    hub.erp.receive(sku, 5, 1000)

    settle(hub)

    assert (shop.levels, pushes(hub)) == ({}, {})


@pushing_stock
def test_only_the_latest_level_is_told(hub: Hub, sku: str, shop: Shop) -> None:
    for _ in range(3):
        hub.erp.receive(sku, 5, 1000)
        learn(hub)

    settle(hub)

    assert shop.levels[sku, "7001"] == hub.erp.on_hand(sku)
    assert shop.calls == 1
    assert pushes(hub)["superseded"] == 2


@pushing_stock
@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE])
def test_a_level_in_doubt_is_followed_by_the_newer_one(
    hub: Hub, sku: str, shop: Shop, utc: Clock, fault: Fault
) -> None:
    hub.erp.receive(sku, 5, 1000)
    shop.fail_next(fault)
    settle(hub)
    hub.erp.receive(sku, 7, 1000)

    for _ in range(4):
        settle(hub)
        utc.pass_time(seconds=PROBE_AGAIN_S + 1)

    assert shop.levels[sku, "7001"] == hub.erp.on_hand(sku)
    assert set(pushes(hub)) == {"done"}


@pushing_stock
def test_a_level_in_doubt_keeps_no_shipment_back(hub: Hub, order: Json, sku: str, shop: Shop) -> None:
    hub.erp.receive(sku, 5, 1000)
    shop.fail_next(Fault.LOST_BEFORE)
    settle(hub)

    ship(hub, order)
    settle(hub)

    assert len(shop.of(str(order["id"]))) == 1


@pushing_stock
def test_a_refused_level_is_released_by_the_newer_one(hub: Hub, sku: str, shop: Shop) -> None:
    hub.erp.receive(sku, 5, 1000)
    shop.fail_next(Fault.REFUSED)
    settle(hub)
    assert open_causes(hub) == ["not_told:not_fulfillable:lines"]

    hub.erp.receive(sku, 7, 1000)
    settle(hub)

    assert shop.levels[sku, "7001"] == hub.erp.on_hand(sku)
    assert open_causes(hub) == []
