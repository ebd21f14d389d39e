"""exceptions: released, retried, given to a person; by cause, in bulk."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from hub.errors import Misconfigured
from hub.model.crosswalk import CrosswalkKind
from hub.model.order import OrderKey
from hub.steps.crosswalks import Wanted, set_row
from hub.steps.exceptions import assign, heal, reconsider_held, redecide, resolve, retry, retry_due
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.schema import exception
from hub.store.views import exceptions
from hub.store.views.backlog import steps_by_state
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import record, take_in

UNPAID = "payment_not_captured:pending"


def holding(hub: Hub, *bodies: dict[str, Any]) -> Hub:
    take_in(hub, *(record(body, str(body["id"])) for body in bodies))
    return hub


def test_a_release_lets_every_order_of_the_cause_go_on(hub: Hub) -> None:
    holding(hub, order(1001, paid=False), order(1002, paid=False, price="100.00", sku="MUG-X"), order(1003))

    healing = resolve(hub, UNPAID, "ann")

    # The second is held for its unmapped SKU as well.
    assert (healing.orders, healing.healed, healing.still_held) == (2, 1, 1)
    assert healing.healed_minor == {"USD": 24900}
    assert [one.fingerprint for one in exceptions.opened(hub.store)] == ["unmapped_item:MUG-X"]


def test_a_release_twice_is_one_release(hub: Hub) -> None:
    holding(hub, order(1001, paid=False))
    resolve(hub, UNPAID, "ann")

    with pytest.raises(Misconfigured, match="no exception 'payment_not_captured:pending' is open"):
        resolve(hub, UNPAID, "bob")


def test_a_refused_document_is_sent_again_when_its_cause_is_gone(hub: Hub) -> None:
    holding(hub, order())
    hub.erp.close("main", "2026-03")
    send_all(hub)
    (refused,) = exceptions.groups(hub.store)
    hub.erp.open("main", "2026-03")

    healing = retry(hub, refused.fingerprint)

    assert refused.code == "rejected"
    assert healing.steps_again >= 1
    assert steps_by_state(hub.store) == {"done": 4}
    assert exceptions.groups(hub.store) == []


def test_a_hold_that_runs_out_is_decided_anew_when_it_is_due(hub: Hub, utc: Clock) -> None:
    holds = hub.settings.holds.model_copy(update={"edit_window_minutes": 60})
    erp = hub.erp
    hub = replace(hub, settings=hub.settings.model_copy(update={"holds": holds}), connect_erp=lambda _: erp)
    body = order()
    for name in ("created_at", "processed_at", "updated_at"):
        body[name] = "2026-11-02T11:30:00Z"
    holding(hub, body)

    early = retry_due(hub)
    utc.pass_time(minutes=31)
    late = retry_due(hub)

    assert (early.orders, late.orders, late.healed) == (0, 1, 1)
    assert exceptions.opened(hub.store) == []


def test_what_was_read_back_otherwise_is_let_stand_by_name(hub: Hub) -> None:
    holding(hub, order())
    send_all(hub)
    with hub.writing() as connection, connection.begin():
        connection.execute(
            exception.insert().values(
                channel="shopify",
                order_id="1001",
                fingerprint="read_back:sales_order",
                code="read_back",
                message="so-shopify-1001 was read back otherwise than it was sent",
                remedy="compare",
                opened_at="2026-11-02T12:00:00.000000Z",
            )
        )

    resolve(hub, "read_back:sales_order", "ann")

    assert exceptions.opened(hub.store) == []


def test_keys_that_are_no_orders_are_left_alone(hub: Hub) -> None:
    healing = heal(hub, [OrderKey("shopify", "record-1"), OrderKey("shopify", "cust-shopify-guest")])

    assert healing.orders == 0
    assert exceptions.states(hub.store, [OrderKey("shopify", "record-1")]) == {}


def test_a_cause_is_assigned_while_it_is_open(hub: Hub) -> None:
    holding(hub, order(1001, paid=False), order(1002, paid=False))
    with hub.writing() as connection, connection.begin():
        closed = update(exception).where(exception.c.order_id == "1002").values(resolved_at="2026-11-02T12:00:00Z")
        connection.execute(closed)

    assert assign(hub, UNPAID, "ann") == 1
    assert [one.assignee for one in exceptions.opened(hub.store)] == ["ann"]


# --- rules that change ----------------------------------------------------------------------------------------------


def under(hub: Hub, **rules: Any) -> Hub:
    """The same hub started with other hold rules."""
    holds = hub.settings.holds.model_copy(update=rules)
    erp = hub.erp
    return replace(hub, settings=hub.settings.model_copy(update={"holds": holds}), connect_erp=lambda _: erp)


def test_held_orders_are_decided_under_the_rules_of_now_when_the_hub_starts(hub: Hub) -> None:
    holding(hub, order(1001, sku="MUG-X"), order(1002, paid=False))

    healing = reconsider_held(under(hub, unmapped_item=False))

    assert (healing.orders, healing.healed, healing.still_held, healing.sent) == (2, 1, 1, None)
    assert [one.order for one in exceptions.opened(hub.store)] == ["1002"]


def test_an_order_that_stands_is_amended_when_it_is_decided_anew(hub: Hub) -> None:
    """A row with an earlier day changes nothing by itself."""
    holding(hub, order(1001), order(1002))
    send_all(hub)
    wanted = Wanted("TENT-2P-GRN", "TENT-NEW", valid_from=date(2026, 1, 1))
    set_row(hub, CrosswalkKind.ITEM, wanted, "ann", unlisted=True)
    before = steps_by_state(hub.store)["done"]

    after_all = redecide(hub, "shopify", date(2026, 3, 3))
    since = redecide(hub, "shopify", date(2026, 3, 1))

    assert (before, after_all.orders, since.orders) == (6, 0, 2)
    assert since.sent is not None
    assert since.sent.done == 3  # the new item, and a sales order each
    assert redecide(hub, "shopify", date(2026, 3, 1)).sent.done == 0  # type: ignore[union-attr]


def test_a_stricter_rule_takes_nothing_back(hub: Hub) -> None:
    holding(under(hub, unmapped_item=False), order(1001, sku="MUG-X"))
    send_all(hub)
    done = steps_by_state(hub.store)["done"]

    redecide(hub, "shopify", date(2026, 3, 1))

    assert steps_by_state(hub.store) == {"done": done}
    assert [one.fingerprint for one in exceptions.opened(hub.store)] == ["unmapped_item:MUG-X"]


def test_a_channel_that_is_not_configured_is_named(hub: Hub) -> None:
    with pytest.raises(Misconfigured, match="no 'amazon' among the channels"):
        redecide(hub, "amazon", date(2026, 3, 1))
