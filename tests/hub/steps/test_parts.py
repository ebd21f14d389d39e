"""A write in several requests: each part once, in order, wherever the answer or the worker is lost."""

from typing import Any

import pytest
from sqlalchemy import select

from erp_adapters.ledger.simulator import Fault
from hub.model.documents import DocumentKind, document_key
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.steps.send import probe, send, send_all
from hub.store.schema import intent, step
from tests.conftest import Clock
from tests.hub.conftest import ConnectErp
from tests.hub.steps.conftest import plain_story, record, take_in
from tests.hub.steps.in_parts import Announced, LedgerInParts
from tests.hub.steps.test_send import POSTED, documents_of, states


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def connect_erp(utc: Clock, announced: Announced) -> ConnectErp:
    return lambda config: LedgerInParts(config, utc, announced)


@pytest.fixture
def order_id(hub: Hub) -> str:
    """One paid and shipped order; its customer and items stand, its documents are next."""
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    send(hub)
    return story.order_id


def key_of(order_id: str) -> str:
    return document_key(DocumentKind.SALES_ORDER, "shopify", order_id)


def of_order(hub: Hub, order_id: str) -> list[tuple[str, str | None, str | None]]:
    """State, part and reference of the steps of the sales order."""
    with hub.store.connect() as connection:
        query = (
            select(step.c.state, step.c.part, step.c.ref)
            .join(intent, intent.c.id == step.c.intent_id)
            .where(intent.c.document_key == key_of(order_id))
            .order_by(step.c.id)
        )
        rows: Any = connection.execute(query).all()
    return [tuple(row) for row in rows]


def test_a_part_that_happened_is_followed_by_the_next(hub: Hub, order_id: str, announced: Announced) -> None:
    first = send(hub)
    between = of_order(hub, order_id)

    rest = send_all(hub)

    key = key_of(order_id)
    assert (first.parts, first.done, rest.done) == (1, 0, 5)
    assert between == [("planned", "order", f"note-{key}")]
    assert announced.calls == [(key, "", ()), (key, "order", (f"note-{key}",))]
    assert documents_of(hub, order_id) == POSTED
    assert of_order(hub, order_id) == [("done", "order", f"note-{key},{hub.erp.ref(key)}")]


def test_nothing_of_the_order_goes_between_two_parts(hub: Hub, order_id: str) -> None:
    send(hub)

    second = send(hub)

    assert second.done == 1
    assert documents_of(hub, order_id) == ["sales_order"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_part_whose_answer_was_lost_is_found_and_not_made_again(
    hub: Hub, order_id: str, announced: Announced, fault: Fault
) -> None:
    announced.faults.append(fault)
    assert send(hub).in_doubt == 1

    found = probe(hub)
    send_all(hub)

    assert (found.parts, found.again) == ((1, 0) if fault is Fault.LOST_AFTER else (0, 1))
    assert announced.keys == [key_of(order_id)]
    assert documents_of(hub, order_id) == POSTED


@pytest.mark.parametrize("fault", list(Fault))
def test_a_second_part_whose_answer_was_lost_does_not_bring_the_first_again(
    hub: Hub, order_id: str, announced: Announced, fault: Fault
) -> None:
    send(hub)
    hub.erp.fail_next(fault)

    send_all(hub)

    assert announced.keys == [key_of(order_id)]
    assert documents_of(hub, order_id) == POSTED
    assert set(states(hub)) == {"done"}


def test_a_write_begun_is_finished_before_it_is_amended(hub: Hub, order_id: str, announced: Announced) -> None:
    """The far side has its first part, so a later decision may not take its place."""
    send(hub)
    changed = plain_story().final | {"updated_at": "2026-11-01T09:00:00+00:00", "name": "#1001-B"}

    capture(hub, [record(changed, "changed")])
    advance_all(hub)
    send_all(hub)

    assert [part for _, part, _ in announced.calls] == ["", "order"]
    assert [state for state, _, _ in of_order(hub, order_id)] == ["done", "done"]
    assert documents_of(hub, order_id) == POSTED
