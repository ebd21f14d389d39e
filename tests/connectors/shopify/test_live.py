"""The connector against the rehearsed shop, over a real socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify.accept import TOPICS
from connectors.shopify.fulfil import fulfilment_orders
from connectors.shopify.live import LiveShop
from connectors.shopify.rehearsal import rest
from connectors.shopify.shop.bench import Tried
from connectors.shopify.simulator import App, Server, Setup
from connectors.shopify.statement import Export
from hub.errors import AuthExpired, Forged
from hub.model.facts import FactKind, Source
from hub.model.order import Snapshot
from hub.model.records import Received, Record
from hub.ports import Backfills, Checks, Delivery, Fetches, FetchesOrders, KeepsSubscriptions, StatesPeriod
from tests.connectors.shopify.shop.receiver import Receiver
from tests.connectors.shopify.wired import MemoryVault, Time, connected

DOMAIN = "rehearsal.myshopify.com"
START = datetime(2026, 9, 1, 4, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)  # when every order's life is over
SECRETS = {"token": "shpat_x", "client_id": "orderhub", "client_secret": "hush", "webhook": "hush"}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    """A shop whose thirty orders, and one of 300 lines, are over and done with."""
    app = App(Setup(seed=7, orders=30, start=START, days=20, token="shpat_x"))
    app.shop.move_to(LATER)
    with Server(app) as server:
        yield server


Connect = Callable[..., LiveShop]


@pytest.fixture
def connect(time: Time) -> Iterator[Connect]:
    """Connectors, closed after the test."""
    opened: list[LiveShop] = []

    def one(server: Server, **more: Any) -> LiveShop:
        live = connected(time, address=server.url, domain=DOMAIN, **{"secrets": SECRETS, **more})
        opened.append(live)
        return live

    yield one
    for live in opened:
        live.close()


@pytest.fixture
def live(shop: Server, connect: Connect) -> LiveShop:
    return connect(shop)


@pytest.fixture(scope="module")
def everything(shop: Server) -> Iterator[list[Received]]:
    """All orders, pulled once."""
    live = connected(Time(), address=shop.url, secrets=SECRETS, domain=DOMAIN)
    yield pulled(live)
    live.close()


def names(received: list[Received]) -> list[str]:
    return sorted(json.loads(one.body)["name"] for one in received)


def pulled(live: LiveShop, cursor: str | None = None) -> list[Received]:
    return [received for page in live.fetch("orders", cursor) for received in page.received]


def test_it_has_the_abilities_of_a_live_channel(live: LiveShop) -> None:
    for ability in (Fetches, FetchesOrders, Backfills, StatesPeriod, KeepsSubscriptions, Checks):
        assert isinstance(live, ability)


def test_a_channel_that_is_well_has_no_problem(live: LiveShop) -> None:
    assert list(live.check()) == []


def test_every_order_is_pulled_once_though_many_have_one_stamp(everything: list[Received], shop: Server) -> None:
    assert len(everything) == 31
    assert names(everything) == sorted(f"#{order.life.number}" for order in shop.app.shop.orders.values())


def test_a_pulled_order_gives_the_facts_of_the_shops_own_export(
    everything: list[Received], live: LiveShop, shop: Server
) -> None:
    """The export has the REST shape; returns and promises are told by GraphQL alone."""
    alone = (FactKind.RETURN, FactKind.PROMISE)

    for received in everything:
        number = int(json.loads(received.body)["id"].rpartition("/")[2])
        exported = json.loads(
            json.dumps(rest.order(shop.app.shop.orders[number].life, LATER, transactions=True)), parse_float=Decimal
        )
        told = live.translate(Record(1, "x", "", Source.PULL, json.dumps(exported, default=str).encode(), LATER))
        found = live.translate(Record(1, "x", received.topic, Source.PULL, received.body, LATER))

        assert {(f.kind, f.external_id, f.content()) for f in found.facts if f.kind not in alone} == {
            (f.kind, f.external_id, f.content()) for f in told.facts
        }


def test_the_order_of_three_hundred_lines_loses_none(everything: list[Received], live: LiveShop) -> None:
    most = 0

    for received in everything:
        record = Record(1, "x", received.topic, Source.PULL, received.body, LATER)
        for fact in live.translate(record).facts:
            if isinstance(fact.body, Snapshot):
                most = max(most, len(fact.body.lines))

    assert most == 300


def test_a_second_pull_from_the_cursor_brings_nothing_new(shop: Server, connect: Connect) -> None:
    first = connect(shop)
    pages = list(first.fetch("orders", None))
    keys = {received.key for page in pages for received in page.received}

    again = connect(shop)  # another process

    plain = json.loads(pages[-1].cursor)["from"]  # without what it names as read
    found = pulled(again, plain)
    assert 0 < len(found) < len(keys)
    assert {received.key for received in found} <= keys
    assert [page.received for page in again.fetch("orders", pages[-1].cursor)] == [()]


def test_the_orders_of_fulfilment_orders_are_the_same_records(everything: list[Received], live: LiveShop) -> None:
    keys = {received.key for received in everything}

    read = [received for page in live.fetch("fulfillment_orders", None) for received in page.received]

    assert len(read) > 20
    assert {received.key for received in read} <= keys


@pytest.mark.slow
def test_the_statement_is_that_of_the_shops_own_export(live: LiveShop, shop: Server) -> None:
    export = Export()
    for order in shop.app.shop.orders.values():
        body = json.dumps(rest.order(order.life, LATER, transactions=True), default=str).encode()
        export.add(live.translate(Record(1, "shopify-us", "order", Source.FILE, body, LATER)).facts)
    first, last = date(2026, 9, 1), date(2026, 9, 30)

    stated = [row.row for row in live.statement(first, last) if hasattr(row, "row")]
    exported = [row.row for row in export.rows("main", live.timezone) if first <= row.row.date <= last]

    assert len(stated) > 60
    assert sorted(stated, key=str) == sorted(exported, key=str)
    counted = live.count(first, last)
    assert (counted.orders, counted.exact) == (len([row for row in stated if row.subject == "order"]), True)


class TimeOfBoth(Time):
    """Waiting here makes the shop older too."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        with self.app.lock:
            self.app.shop.move_to(self.app.shop.now + timedelta(seconds=seconds))


@pytest.mark.slow
def test_a_narrow_bucket_is_waited_for_and_never_overdrawn() -> None:
    app = Tried(Setup(seed=7, orders=30, start=START, days=20, token="shpat_x", restore_per_s=10))
    app.shop.move_to(LATER)
    time = TimeOfBoth(app)
    with Server(app) as server, closing(connected(time, address=server.url, secrets=SECRETS, domain=DOMAIN)) as live:
        assert len(pulled(live)) == 31

    assert sum(time.waits) > 5
    assert app.throttled == 0


@pytest.mark.parametrize("kind", ["client_credentials", "expiring"])
def test_tokens_are_had_and_renewed(kind: str, connect: Connect) -> None:
    app = App(Setup(seed=7, orders=1, start=START, days=1, wide=False))
    _, pair = app.tokens.grant({"client_id": "orderhub", "client_secret": "hush", "code": "c"}, app.shop.now)
    secrets = {**SECRETS, "refresh_token": pair["refresh_token"]}
    vault = MemoryVault()
    with Server(app) as server:
        live = connect(server, secrets=secrets, vault=vault, token=kind)
        assert live.shop.scopes()
        for _ in range(3):
            app.tokens.expire_all(app.shop.now)  # before their time
            assert list(live.fetch_orders(["1"])) != []
            live = connect(server, secrets=secrets, vault=vault, token=kind)


def test_a_revoked_token_halts(shop: Server, connect: Connect) -> None:
    revoked = connect(shop, secrets={**SECRETS, "token": "shpat_revoked"})

    with pytest.raises(AuthExpired, match="check the credentials"):
        pulled(revoked)
    assert [problem.code for problem in revoked.check()] == ["credentials"]


def test_fulfilment_orders_are_read_with_their_lines_to_the_end(live: LiveShop, shop: Server) -> None:
    wide = max(shop.app.shop.orders.values(), key=lambda order: len(order.life.lines))

    found = fulfilment_orders(live.shop, live.orders, str(wide.life.id))

    assert sum(len(one.parts) for one in found) >= 290


# --- a backfill, payouts, webhooks ----------------------------------------------------------------------------------


def facts(live: LiveShop, received: list[Received]) -> set[tuple[FactKind, str, str, bytes]]:
    return {
        (fact.kind, fact.order.external_id, fact.external_id, fact.content())
        for one in received
        for fact in live.translate(Record(1, "x", one.topic, Source.PULL, one.body, LATER)).facts
    }


@pytest.mark.slow
def test_a_backfill_gives_the_facts_of_a_pull_and_its_last_cursor_goes_on(connect: Connect) -> None:
    """In this shop parcels leave when an integration says so: most orders wait, and are told by the file alone."""
    app = App(Setup(seed=7, orders=30, start=START, days=20, token="shpat_x", ships="erp"))
    app.shop.move_to(LATER)
    with Server(app) as server:
        live = connect(server)
        pages = list(live.backfill(START, None))
        everything = pulled(connect(server))
        overlap = pulled(connect(server), pages[-1].cursor)

    received = [one for page in pages for one in page.received]
    by_file = [one for one in received if b'"fulfillments":[]' in one.body and b'"refunds":[]' in one.body]
    assert facts(live, received) == facts(live, everything)
    assert len(by_file) > 10
    assert 0 < len(overlap) < 5


def test_payouts_come_with_what_they_are_made_of(live: LiveShop) -> None:
    received = [one for page in live.fetch("payouts", None) for one in page.received]
    bodies = [json.loads(one.body, parse_float=Decimal) for one in received]
    payouts = {body["id"]: body for one, body in zip(received, bodies, strict=True) if one.topic == "payouts"}
    inside: dict[str, dict[str, Decimal]] = {}
    for body in bodies:
        if body["__typename"] == "ShopifyPaymentsBalanceTransaction" and body["type"] != "TRANSFER":
            payout = body["associatedPayout"]["id"]
            inside.setdefault(payout, {})[body["id"]] = Decimal(body["net"]["amount"])

    assert len(payouts) > 5
    for identity, payout in payouts.items():
        assert sum(inside[identity].values()) == Decimal(payout["net"]["amount"])


def test_subscriptions_that_the_shop_dropped_are_registered_again(connect: Connect) -> None:
    app = App(Setup(seed=7, orders=1, start=START, days=1, token="shpat_x", wide=False))
    callback = "https://hub.example/webhooks/shopify-us"
    with Server(app) as server:
        live = connect(server)

        first, second = live.subscriptions(callback), live.subscriptions(callback)
        dropped = next(iter(app.outbox.subscriptions.values()))
        del app.outbox.subscriptions[dropped.number]
        third = live.subscriptions(callback)

    assert (first.kept, first.registered, first.problems) == ((), TOPICS, ())
    assert (second.kept, second.registered) == (TOPICS, ())
    assert third.registered == (dropped.topic.lower().replace("_", "/", 1),)


def test_what_the_shop_tells_by_webhook_is_let_in_and_a_forged_one_is_not(connect: Connect) -> None:
    app = App(Setup(seed=7, orders=5, start=START, days=5, token="shpat_x", wide=False))
    app.faults.set({"rates": {"forged": 200}})
    with Server(app) as server, Receiver() as receiver:
        app.outbox.subscribe_all(receiver.url)
        live = connect(server)
        app.control.advance(LATER)

        accepted, forged = [], 0
        for given, body in receiver.came:
            headers = {name.lower(): text for name, text in given.items()}
            try:
                accepted.append(live.accept(Delivery(headers, body, LATER)))
            except Forged:
                forged += 1
        asked: set[str] = set()
        for one in accepted:
            asked.update(live.translate(Record(1, "x", one.topic, one.source, one.body, LATER)).refetch)
        read = list(live.fetch_orders(sorted(asked)))

    assert forged > 0
    assert asked == {str(order.id) for order in app.shop.orders.values()}
    assert names(read) == sorted(f"#{order.life.number}" for order in app.shop.orders.values())
