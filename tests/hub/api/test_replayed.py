"""A sealed delivery that is played again: Shopify's seal is over the body alone, so another id on it is let in."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from hub.api.app import create_app
from hub.cli.door import now
from hub.settings import load_settings
from hub.steps.advance import advance_all
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.steps.send import send_all
from hub.store.schema import event, fact, intent, record, step
from hub.testing.serving import served
from tests.hub.api.test_nothing_leaks import _Quiet
from tests.hub.api.test_webhooks import PATH, SECRET, headers
from tests.hub.steps.conftest import plain_story


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with opened(load_settings(None, tmp_path, {"SHOPIFY_WEBHOOK_SECRET": SECRET}), now) as hub:
        yield hub


def held(hub: Hub) -> dict[str, int]:
    """How many rows there are of what follows from records."""
    with hub.store.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (fact, event, intent, step)
        }


def test_a_delivery_under_another_id_is_a_second_record_and_no_second_fact(hub: Hub) -> None:
    order = json.dumps(plain_story().final).encode()
    with served(create_app(hub, _Quiet(hub))) as address, httpx.Client(base_url=address) as client:
        first = client.post(PATH, content=order, headers=headers(order, delivery="w-1")).status_code
        advance_all(hub)
        sent = send_all(hub)
        before = held(hub)

        replayed = client.post(PATH, content=order, headers=headers(order, delivery="w-2")).status_code
        advance_all(hub)
        sent_again = send_all(hub)

    with hub.inbox.connect() as connection:
        rows = connection.execute(select(record.c.key, record.c.outcome).order_by(record.c.id)).all()
    assert (first, replayed) == (200, 200)
    assert [(row.key.partition(":")[0], row.outcome) for row in rows] == [("w-1", "order"), ("w-2", "order")]
    assert before["fact"] > 0
    assert held(hub) == before
    assert (sent.done > 0, sent_again.total) == (True, 0)
