"""Whatever was done to the shop's orders, what it says of them adds up, in both shapes, and is the same."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify.rehearsal import graphql, rest
from connectors.shopify.rehearsal.hand import Hand
from connectors.shopify.shop.fulfilling import Fulfilling
from connectors.shopify.simulator import App, Setup
from hub.model.facts import FactKind, Source
from hub.model.order import Snapshot
from hub.model.records import Translation
from mappings.shopify import translate

START = datetime(2026, 9, 1, tzinfo=UTC)


def translated(document: dict[str, Any]) -> Translation:
    literal = json.loads(json.dumps(document), parse_float=Decimal)
    return translate("shop", "", literal, Source.PULL, "USD", START)


def told(found: Translation) -> dict[tuple[FactKind, str], object]:
    return {(fact.kind, fact.external_id): fact.content() for fact in found.facts if fact.kind is not FactKind.RETURN}


def by_hand(app: App, rng: random.Random) -> None:
    """People do things to a third of the orders, in any order."""
    shop = app.shop
    for order in list(shop.present()):
        if order.life.till.foreign or rng.random() > 0.35:
            continue
        hand = Hand(rng, order.life, shop.shelf, shop.stamp())
        for name in rng.sample(["add_line", "pay", "refund_unit", "remove_unit", "ship_all", "cancel"], 2):
            getattr(hand, name)()
            shop.move_to(shop.now + timedelta(minutes=1))
            hand.now = shop.stamp()
        order.waits_for = None
        shop.rewritten(order)


def pushed(app: App, rng: random.Random) -> None:
    """An integration ships what waits, part of it in parts."""
    shipping = Fulfilling(app.shop)
    for order in list(app.shop.present()):
        for group in order.fulfilment_orders(app.shop.now):
            asked: dict[str, Any] = {"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{group.id}"}
            if rng.random() < 0.3:
                line = {"id": f"gid://shopify/FulfillmentOrderLineItem/{group.lines[0].id}", "quantity": 1}
                asked["fulfillmentOrderLineItems"] = [line]
            shipping.create({"lineItemsByFulfillmentOrder": [asked], "trackingInfo": {"number": "1Z"}})


@pytest.mark.slow
@pytest.mark.parametrize(("ships", "seed"), [("shop", 7), ("erp", 7), ("erp", 11)])
def test_what_the_shop_says_after_all_that_adds_up_in_both_shapes(ships: str, seed: int) -> None:
    rng = random.Random(seed)
    app = App(Setup(seed=seed, orders=120, start=START, ships=ships))
    for day in (12, 24, 36):
        app.shop.move_to(START + timedelta(days=day))
        pushed(app, rng)
        by_hand(app, rng)
    app.shop.move_to(START + timedelta(days=120))

    compared = 0
    for order in app.shop.present():
        life, now = order.life, app.shop.now
        in_rest = translated(rest.order(life, now, transactions=True))
        in_graphql = translated(graphql.order(life, now))
        snapshot = in_rest.facts[0].body
        assert isinstance(snapshot, Snapshot)
        assert snapshot.computed_total_minor == snapshot.claimed_total_minor
        assert told(in_graphql) == told(in_rest)
        for line in life.lines_at(now):
            assert 0 <= life.to_ship_at(now, line) <= line.quantity
            assert life.gone_at(now, line) <= line.quantity
        compared += 1

    assert compared == 121
    assert any(order.life.refunds for order in app.shop.present())
