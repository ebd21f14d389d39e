"""Webhook/REST and GraphQL map to the same facts, over orders composed by a simulator that knows no mapping."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify.simulator import Story, compose
from hub.model.facts import Fact, FactKind, Source
from hub.model.order import Snapshot
from hub.model.records import Translation
from mappings.shopify import translate

START = datetime(2026, 9, 1, tzinfo=UTC)
SHOPS = [("USD", 300), ("EUR", 150), ("JPY", 100), ("KWD", 100)]


def translated(document: dict[str, Any], currency: str) -> Translation:
    literal = json.loads(json.dumps(document), parse_float=Decimal)
    return translate("shop", "", literal, Source.PULL, currency, START)


def told(facts: tuple[Fact, ...]) -> dict[tuple[FactKind, str], tuple[object, ...]]:
    return {(f.kind, f.external_id): (f.order, f.modified_at, f.occurred_at, f.content()) for f in facts}


@pytest.fixture(params=SHOPS, ids=[currency for currency, _ in SHOPS], scope="module")
def shop(request: pytest.FixtureRequest) -> tuple[str, list[Story]]:
    currency, orders = request.param
    return currency, list(compose(11, orders, start=START, days=30, currency=currency))


def test_both_shapes_give_the_same_facts_to_the_byte(shop: tuple[str, list[Story]]) -> None:
    """GraphQL also knows the returns, which REST brings only as webhooks of their own."""
    currency, stories = shop

    for story in stories:
        rest = told(translated(story.final, currency).facts)
        graphql = told(translated(story.graphql, currency).facts)

        assert {at: fact for at, fact in graphql.items() if at[0] is not FactKind.RETURN} == rest


def test_both_shapes_name_the_same_parties(shop: tuple[str, list[Story]]) -> None:
    currency, stories = shop

    for story in stories:
        assert translated(story.graphql, currency).parties == translated(story.final, currency).parties


def test_every_order_adds_up_as_placed_and_bears_out_what_it_claims_now(shop: tuple[str, list[Story]]) -> None:
    currency, stories = shop

    for story in stories:
        found = translated(story.final, currency)
        snapshot = found.facts[0].body
        assert isinstance(snapshot, Snapshot)
        assert snapshot.computed_total_minor == snapshot.claimed_total_minor
        assert [problem for problem in found.problems if problem.code == "current_claim"] == []
        if (shown := snapshot.presentment) is not None:
            assert shown.computed_total_minor == shown.claimed_total_minor


def test_a_webhook_alone_says_the_same_as_its_order_does_later(shop: tuple[str, list[Story]]) -> None:
    """A refund or fulfilment that came alone is the fact that the order later repeats.

    Left out are foreign buyers' transactions: alone they do not say the shop's amount, and are held for that.
    """
    currency, stories = shop
    compared = 0

    for story in stories:
        whole = told(translated(story.final, currency).facts)
        for delivery in story.deliveries:
            if delivery.topic not in ("refunds/create", "fulfillments/update") or "foreign_presentment" in story.traits:
                continue
            literal = json.loads(json.dumps(delivery.body), parse_float=Decimal)
            alone = translate("shop", delivery.topic, literal, Source.WEBHOOK, currency, START)
            for at, fact in told(alone.facts).items():
                if at[0] in (FactKind.REFUND, FactKind.FULFILMENT):
                    compared += 1
                    assert fact == whole[at]

    assert compared > 5
