"""Test orders, drafts and abandoned checkouts: captured however they arrive, and never told to an ERP."""

from typing import Any

import pytest
from sqlalchemy import func, select

from hub.model.facts import Source
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.schema import intent, orders
from hub.store.schema import record as record_table
from tests.hub.steps.conftest import plain_story, record, take_in

Json = dict[str, Any]

STORY = plain_story()
DRAFT = {
    "id": 994118539,
    "name": "#D2",
    "status": "open",
    "currency": "USD",
    "invoice_sent_at": None,
    "invoice_url": "https://shop.example/invoices/994118539",
    "line_items": STORY.final["line_items"],
    "total_price": "160.05",
    "order_id": None,
}
CHECKOUT = {
    "id": 450789469,
    "token": "2a1ace52255252df566af0faaedfbfa7",
    "abandoned_checkout_url": "https://shop.example/checkouts/2a1ace",
    "currency": "USD",
    "line_items": STORY.final["line_items"],
    "total_price": "160.05",
    "completed_at": None,
}


def node(kind: str) -> Json:
    whole = STORY.graphql | {"id": f"gid://shopify/{kind}/1", "__typename": kind}
    return {"data": {"node": whole}}


ARRIVING = [
    pytest.param("orders/create", Source.WEBHOOK, STORY.final | {"test": True}, "test", id="test-webhook"),
    pytest.param("", Source.PULL, {"data": {"order": STORY.graphql | {"test": True}}}, "test", id="test-pull"),
    pytest.param("draft_orders/create", Source.WEBHOOK, DRAFT, None, id="draft-webhook"),
    pytest.param("draft_order", Source.PULL, DRAFT, None, id="draft-pull-rest"),
    pytest.param("", Source.PULL, node("DraftOrder"), None, id="draft-pull"),
    pytest.param("checkouts/update", Source.WEBHOOK, CHECKOUT, None, id="checkout-webhook"),
    pytest.param("", Source.PULL, node("AbandonedCheckout"), None, id="checkout-pull"),
]


@pytest.mark.parametrize(("topic", "source", "body", "posting"), ARRIVING)
def test_it_is_captured_and_never_posted(hub: Hub, topic: str, source: Source, body: Json, posting: str | None) -> None:
    take_in(hub, record(body, "one", topic, source))

    sent = send_all(hub)

    with hub.inbox.connect() as inbox, hub.store.connect() as store:
        assert inbox.scalar(select(func.count()).select_from(record_table)) == 1
        assert list(store.scalars(select(orders.c.posting))) == ([posting] if posting else [])
        assert store.scalar(select(func.count()).select_from(intent)) == 0
    assert sent.total == 0
    assert hub.erp.trial_balance() == []
