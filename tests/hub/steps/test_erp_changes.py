"""What people do in the ERP comes back: shipped there, invoiced from here, and the two agree."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listens_for

from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.order import OrderKey
from hub.steps.advance import advance_all
from hub.steps.closing import reconcile
from hub.steps.erp_changes import CHANGES, pull_erp
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.showing import show_order
from hub.store import inbox
from hub.store.schema import cursor, event, record
from hub.store.views import exceptions
from tests.conftest import Clock
from tests.hub.steps.conftest import Killed, OpenHub, plain_story, stories, take_in
from tests.hub.steps.conftest import record as received
from tests.hub.steps.test_advance import expected_balances

Json = dict[str, Any]
VALUED_BY_THE_LEDGER = ("1300", "5000")


def unshipped(final: Json) -> Json:
    return final | {"fulfillments": [], "fulfillment_status": None}


def sales_order(order_id: str) -> str:
    return f"so-shopify-{order_id}"


def units(final: Json) -> dict[str, int]:
    return {str(line["id"]): line["quantity"] for line in final["line_items"]}


def settle(hub: Hub) -> None:
    """The hub knows what the ERP did, and the ERP what follows from it."""
    pull_erp(hub)
    advance_all(hub)
    send_all(hub)


def booked(hub: Hub) -> dict[tuple[str, str], int]:
    return {
        (row["account"], row["currency"]): row["balance_minor"]
        for row in hub.erp.trial_balance()
        if row["balance_minor"] and row["account"] not in VALUED_BY_THE_LEDGER
    }


def kinds(hub: Hub, order_id: str) -> list[str]:
    """The kinds of the order's documents that the hub decided on and that stand."""
    documents = show_order(hub, f"shopify/{order_id}").documents
    return [x.kind for x in documents if x.state == "done" and x.action != "void"]


@pytest.fixture
def final(hub: Hub) -> Json:
    """A paid order, posted and not yet shipped."""
    bare = unshipped(plain_story().final)
    take_in(hub, received(bare, "one"))
    send_all(hub)
    settle(hub)
    return bare


def test_what_the_ledger_shipped_is_invoiced_and_no_second_fulfilment_is_posted(hub: Hub, final: Json) -> None:
    order_id = str(final["id"])
    hub.erp.fulfil(sales_order(order_id), units(final), carrier="UPS", tracking_number="1Z9")

    settle(hub)

    sight = show_order(hub, f"shopify/{order_id}")
    assert sight.row.fulfilment == "fulfilled"
    assert [line.open for line in sight.lines] == [0] * len(sight.lines)
    assert kinds(hub, order_id) == ["sales_order", "deposit", "invoice", "deposit_application"]
    assert booked(hub) == expected_balances(hub)
    assert {account for account, _ in booked(hub)}.isdisjoint({"1200", "2100"})  # receivable and deposits are settled


def test_what_the_hub_shipped_does_not_come_back(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, received(story.final, "one"))
    send_all(hub)

    settle(hub)

    assert kinds(hub, story.order_id) == ["sales_order", "deposit", "fulfilment", "invoice", "deposit_application"]
    with hub.inbox.connect() as connection:
        topics = select(record.c.topic, record.c.outcome).where(record.c.channel == "ledger").distinct()
        assert connection.execute(topics).all() == [("stock", "stock")]


def test_a_partial_shipment_is_invoiced_in_part_and_a_deleted_one_not_at_all(hub: Hub, final: Json) -> None:
    order_id = str(final["id"])
    line = next(iter(units(final)))
    ref = hub.erp.fulfil(sales_order(order_id), {line: 1})
    settle(hub)
    assert "invoice" in kinds(hub, order_id)

    hub.erp.void(ref)
    settle(hub)

    assert show_order(hub, f"shopify/{order_id}").row.fulfilment == "unfulfilled"
    assert booked(hub) == expected_balances(hub)
    (invoice,) = hub.erp.held([_invoice(hub, order_id)]).values()
    assert invoice.voided


def test_a_corrected_shipment_takes_the_place_of_what_was_entered(hub: Hub, final: Json) -> None:
    order_id = str(final["id"])
    every = units(final)
    line = next(iter(every))
    ref = hub.erp.fulfil(sales_order(order_id), {line: 1})
    settle(hub)
    hub.erp.refulfil(ref, sales_order(order_id), every)

    settle(hub)

    assert show_order(hub, f"shopify/{order_id}").row.fulfilment == "fulfilled"
    assert kinds(hub, order_id).count("invoice") == 2  # created, and amended
    assert booked(hub) == expected_balances(hub)


def test_a_page_that_comes_again_changes_nothing(hub: Hub, final: Json, open_one: OpenHub) -> None:
    order_id = str(final["id"])
    hub.erp.fulfil(sales_order(order_id), units(final))
    before = inbox.cursor(hub.inbox, "ledger", CHANGES)
    settle(hub)
    with hub.inbox.begin() as connection:
        connection.execute(update(cursor).values(value=before))
    again = open_one()

    settle(again)

    with again.inbox.connect() as connection:
        told = select(func.count()).where(record.c.channel == "ledger", record.c.topic == "fulfilment")
        assert connection.execute(told).scalar_one() == 1
    with again.store.connect() as connection:
        happened = select(func.count()).where(event.c.order_id == order_id, event.c.kind == "shipped")
        assert connection.execute(happened).scalar_one() == 1
    assert booked(again) == expected_balances(again)


def test_records_and_cursor_are_committed_together(hub: Hub, final: Json, open_one: OpenHub) -> None:
    hub.erp.fulfil(sales_order(str(final["id"])), units(final))
    before = inbox.cursor(hub.inbox, "ledger", CHANGES)

    @listens_for(hub.inbox, "before_cursor_execute")
    def kill(_c: Any, _d: Any, statement: str, *_: Any) -> None:
        if "INTO cursor" in statement:
            raise Killed

    with pytest.raises(Killed):
        pull_erp(hub)
    again = open_one()

    assert inbox.cursor(again.inbox, "ledger", CHANGES) == before
    assert pull_erp(again) == 1 + len({line["sku"] for line in final["line_items"]})


def test_an_order_of_a_channel_that_is_not_configured_is_let_be(hub: Hub, final: Json) -> None:
    document = hub.erp.document(hub.erp.ref(sales_order(str(final["id"]))))
    _type_fulfilment(hub, document, OrderKey("elsewhere", "1"))

    settle(hub)

    assert exceptions.opened(hub.store) == []


def test_a_month_shipped_by_hand_ties_to_the_unit(hub: Hub, utc: Clock, tmp_path: Path) -> None:
    """Orders shipped in the ledger, in parts, corrected and deleted, pulled at any time between."""
    chance = random.Random(9)
    month = [s for s in stories(60) if "test" not in s.traits]
    by_hand = {s.order_id: s.final for s in month if s.final["fulfillments"] and not s.final["refunds"]}
    finals = [unshipped(s.final) if s.order_id in by_hand else s.final for s in month]
    take_in(hub, *[received(f, str(f["id"])) for f in finals])
    send_all(hub)
    shipped = 0
    for order_id, final in by_hand.items():
        if not hub.erp.held([sales_order(order_id)]):
            continue  # held, so nobody there knows of it
        shipped += 1
        _ship_somehow(hub, sales_order(order_id), units(final), chance)
        utc.pass_time(minutes=chance.randint(0, 5))
        if chance.random() < 0.4:
            settle(hub)

    settle(hub)

    assert shipped > 10
    assert booked(hub) == expected_balances(hub)
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": finals}))
    found = reconcile(hub, "2026-10", [statement])
    unexplained = [v for v in found.sales.variances if [c.code.value for c in v.causes] != ["held_order"]]
    assert unexplained == []
    assert found.sales.unexplained_minor == {"USD": 0}
    assert found.payments.unexplained_minor == {"USD": 0}


def _ship_somehow(hub: Hub, order: str, every: dict[str, int], chance: random.Random) -> None:
    left = dict(every)
    while left:
        line = chance.choice(sorted(left))
        count = chance.randint(1, left[line])
        ref = hub.erp.fulfil(order, {line: count})
        match chance.random():
            case x if x < 0.2:
                hub.erp.void(ref)
                continue
            case x if x < 0.4:
                count = left[line]
                hub.erp.refulfil(ref, order, {line: count})
        left[line] -= count
        if not left[line]:
            del left[line]
        if chance.random() < 0.2:
            return


def _invoice(hub: Hub, order_id: str) -> DocumentKey:
    documents = show_order(hub, f"shopify/{order_id}").documents
    return DocumentKey(next(x.document for x in documents if x.kind == "invoice"))


def _type_fulfilment(hub: Hub, sold: Document, order: OrderKey) -> None:
    line = next(x for x in sold.lines if x.item is not None)
    stock = DocumentLine(Component.STOCK, 0, line.line, line.item, 1)
    hub.erp.type_in(
        replace(sold, kind=DocumentKind.FULFILMENT, lines=(stock,), order=order, location="main", rate=None, party=None)
    )
