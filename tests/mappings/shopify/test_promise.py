"""What GraphQL's fulfilment orders promise the buyer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify.simulator import compose
from hub.errors import Untranslatable
from hub.model.facts import Fact, FactKind, Promise, Source
from mappings.shopify import translate

START = datetime(2026, 9, 1, tzinfo=UTC)
WAITING = {
    "id": "gid://shopify/FulfillmentOrder/77",
    "status": "OPEN",
    "createdAt": "2026-09-01T10:00:00Z",
    "updatedAt": "2026-09-01T11:00:00Z",
    "fulfillBy": "2026-09-04T16:00:00Z",
    "deliveryMethod": {
        "methodType": "SHIPPING",
        "minDeliveryDateTime": "2026-09-06T00:00:00Z",
        "maxDeliveryDateTime": "2026-09-08T23:59:59Z",
    },
}


def translated(**changed: Any) -> tuple[Fact, ...]:
    node = {"id": "gid://shopify/Order/5", "fulfillmentOrders": {"nodes": [WAITING | changed]}}
    return translate("shop", "", {"data": {"order": node}}, Source.PULL, "USD", START).facts


def test_a_fulfilment_order_promises_when_it_ships_and_when_it_arrives_at_the_latest() -> None:
    (fact,) = translated()

    assert (fact.kind, fact.external_id, fact.order.external_id) == (FactKind.PROMISE, "77", "5")
    assert fact.modified_at == datetime(2026, 9, 1, 11, tzinfo=UTC)
    assert fact.body == Promise(
        ship_by=datetime(2026, 9, 4, 16, tzinfo=UTC), delivery_by=datetime(2026, 9, 8, 23, 59, 59, tzinfo=UTC)
    )


def test_dates_of_null_say_that_nothing_is_promised() -> None:
    (fact,) = translated(fulfillBy=None, deliveryMethod=None)

    assert fact.body == Promise()


def test_dates_that_were_not_asked_for_say_nothing() -> None:
    silent = {name: value for name, value in WAITING.items() if name not in ("fulfillBy", "deliveryMethod")}
    node = {"id": "gid://shopify/Order/5", "fulfillmentOrders": {"nodes": [silent]}}

    assert translate("shop", "", {"data": {"order": node}}, Source.PULL, "USD", START).facts == ()


def test_a_cancelled_fulfilment_order_promises_no_more() -> None:
    (fact,) = translated(status="CANCELLED")

    assert isinstance(fact.body, Promise)
    assert fact.body.called_off


def test_a_date_that_is_none_is_named_by_its_path() -> None:
    with pytest.raises(Untranslatable) as caught:
        translated(fulfillBy="soon")

    assert [problem.path for problem in caught.value.problems] == ["fulfillBy"]


def test_the_order_itself_is_the_same_with_and_without_its_promises() -> None:
    """REST's order has no fulfilment orders: what both shapes say stays the same to the byte."""
    (story,) = compose(3, 1, start=START, days=1, currency="USD")
    with_promise = story.graphql | {"fulfillmentOrders": {"nodes": [WAITING]}}

    plain = translate("shop", "", _literal(story.graphql), Source.PULL, "USD", START).facts
    told = translate("shop", "", _literal(with_promise), Source.PULL, "USD", START).facts

    assert [fact for fact in told if fact.kind is not FactKind.PROMISE] == list(plain)
    assert len(told) == len(plain) + 1


def _literal(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list) else value
