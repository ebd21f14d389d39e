"""The hub's side of a reconciliation, from the store, against the channel's and the ledger's."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.model.reconciliation import Pair, Reconciliation, Variance
from hub.steps.closing import reconcile
from hub.steps.expected import KINDS
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.statement import STATED
from tests.hub.steps.conftest import OpenHub, plain_story, record, stories, take_in

PERIOD = "2026-10"


def closed(hub: Hub, tmp_path: Path, *orders: Any) -> Reconciliation:
    """October, with these orders as the shop's own export."""
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": list(orders)}))
    return reconcile(hub, PERIOD, [statement])


def told(found: Reconciliation) -> list[tuple[Pair, str, int, list[tuple[str, int]], int]]:
    return [
        (v.pair, v.kind.value, v.delta_minor, [(c.code.value, c.amount_minor) for c in v.causes], v.residual_minor)
        for v in found.sales.variances
    ]


def test_every_kind_that_may_stand_for_a_subject_is_read_from_the_store() -> None:
    assert set(STATED) == {kind.value for kinds in KINDS.values() for kind in kinds}


def test_a_month_that_went_well_ties(hub: Hub, tmp_path: Path) -> None:
    month = [s for s in stories(60) if "test" not in s.traits]
    take_in(hub, *[record(s.final, s.order_id) for s in month])
    send_all(hub)

    found = closed(hub, tmp_path, *[s.final for s in month])

    held = [v for v in found.sales.variances if [c.code.value for c in v.causes] != ["held_order"]]
    assert held == []
    assert found.sales.unexplained_minor == {"USD": 0}
    assert found.payments.unexplained_minor == {"USD": 0}
    assert found.complete


def test_a_cent_on_the_claimed_total_alone_is_a_residual_of_one(hub: Hub, tmp_path: Path) -> None:
    final = plain_story().final
    take_in(hub, record(final, "one"))
    send_all(hub)
    claimed = f"{float(final['total_price']) + 0.01:.2f}"

    found = closed(hub, tmp_path, final | {"total_price": claimed})

    assert told(found) == [(Pair.CHANNEL_HUB, "amount", -1, [], -1)]
    assert found.sales.unexplained_minor == {"USD": 1}


def test_an_order_posted_and_held_since_differs_by_what_is_held(hub: Hub, tmp_path: Path) -> None:
    final = plain_story().final
    take_in(hub, record(final, "one"))
    send_all(hub)
    later = with_line(final, sku="NEVER-SEEN", price="5.00")

    take_in(hub, record(later, "later"))
    send_all(hub)

    assert told(closed(hub, tmp_path, later)) == [(Pair.HUB_ERP, "amount", -500, [("held_order", -500)], 0)]


def with_line(final: dict[str, Any], sku: str, price: str) -> dict[str, Any]:
    """The order after an edit that added one unit of something."""
    extra = final["line_items"][0] | {
        "id": 4_200_000_000_001,
        "sku": sku,
        "price": price,
        "quantity": 1,
        "current_quantity": 1,
        "tax_lines": [],
        "discount_allocations": [],
        "total_discount": "0.00",
        "fulfillment_status": None,
    }
    total = f"{float(final['total_price']) + float(price):.2f}"
    return final | {
        "line_items": [*final["line_items"], extra],
        "total_price": total,
        "current_total_price": total,
        "updated_at": "2026-11-01T09:00:00+00:00",
    }


def test_orders_from_before_the_go_live_are_known_and_not_posted(open_one: OpenHub, tmp_path: Path) -> None:
    hub = open_one()
    channel = hub.channel("shopify")
    live = channel.channel.model_copy(update={"go_live": date(2026, 11, 1)})
    vars(hub)["_channels"]["shopify"] = replace(channel, channel=live)
    final = plain_story().final
    take_in(hub, record(final, "one"))
    assert send_all(hub).done == 0

    (variance,) = closed(hub, tmp_path, final).sales.variances

    assert variance.pair is Pair.HUB_ERP
    assert cause_of(variance) == ("held_order", "before_go_live")


def cause_of(variance: Variance) -> tuple[str, str]:
    (cause,) = variance.causes
    return cause.code.value, cause.evidence["exception"]


def test_a_statement_of_one_channel_leaves_the_other_channels_alone(open_one: OpenHub, tmp_path: Path) -> None:
    hub = open_one()
    second = hub.settings.channels[0].model_copy(update={"slug": "shopify-2"})
    both = (*hub.settings.channels, second)
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"channels": both}))
    first_order, second_order = plain_story(seed=7).final, plain_story(seed=8).final
    take_in(hub, record(first_order, "one"), replace(record(second_order, "two"), channel="shopify-2"))
    send_all(hub)
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": [second_order]}))

    found = reconcile(hub, PERIOD, [statement], slug="shopify-2")

    assert found.sales.variances == ()
    assert [side.orders for side in (*found.sales.channel, *found.sales.hub, *found.sales.erp)] == [1, 1, 1]
    with pytest.raises(Misconfigured, match="--channel"):
        reconcile(hub, PERIOD, [statement])
