"""A channel's own policies: its revenue waits for delivery though its entity's does not, in all books alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hub.books.chart import Role
from hub.settings.parts import ChannelPolicies
from hub.steps.closing import reconcile
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.views import orders
from tests.hub.steps.conftest import plain_story, record, take_in


@pytest.fixture
def delivery(hub: Hub) -> Iterator[Hub]:
    """The same hub, its one channel recognising on delivery."""
    own = hub.settings.channels[0].model_copy(update={"policies": ChannelPolicies(recognise="delivery")})
    hub.erp.close_connections()
    opened = replace(hub, settings=hub.settings.model_copy(update={"channels": (own,)}))
    yield opened
    opened.erp.close_connections()


def undelivered() -> dict[str, Any]:
    """A paid and shipped order whose parcel is still on its way."""
    final = plain_story().final
    for fulfilment in final["fulfillments"]:
        fulfilment["shipment_status"] = "in_transit"
    return final


def balance(hub: Hub, role: Role) -> int:
    """What the ledger has on the role's account; + is a debit."""
    account = hub.channel("shopify").chart.account(role)
    rows = [row for row in hub.erp.trial_balance() if row["account"].startswith(account)]
    total: int = sum(row["debit_minor"] - row["credit_minor"] for row in rows)
    return total


def test_shipped_goods_of_the_channel_are_no_revenue_yet(delivery: Hub) -> None:
    take_in(delivery, record(undelivered(), "one"))
    send_all(delivery)

    assert balance(delivery, Role.REVENUE) == 0
    assert balance(delivery, Role.DEFERRED_REVENUE) < 0


def test_without_policies_of_its_own_they_are(hub: Hub) -> None:
    take_in(hub, record(undelivered(), "one"))
    send_all(hub)

    assert balance(hub, Role.REVENUE) < 0
    assert balance(hub, Role.DEFERRED_REVENUE) == 0


def test_the_ledger_and_the_expected_books_agree_on_it(delivery: Hub) -> None:
    take_in(delivery, record(undelivered(), "one"))
    send_all(delivery)

    found = reconcile(delivery, "2026-10", [])

    assert (found.sales.variances, found.payments.variances) == ((), ())
    assert orders.listed(delivery.store)[0].posting == "posted"
