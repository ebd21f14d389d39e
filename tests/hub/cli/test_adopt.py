"""adopt on the command line: a dry run first, then the deed, then nothing left to do."""

from datetime import UTC, date, datetime

import pytest

from erp_adapters.ledger.simulator import LedgerSimulator
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.settings import load_settings
from hub.steps.hub import open_hub
from tests.conftest import Clock
from tests.hub.cli.shop import Orderhub, order

PERIOD = ("--since", "2026-03-01", "--until", "2026-03-31")


@pytest.fixture
def typed_in(orderhub: Orderhub) -> Orderhub:
    """An order that the hub captured and did not post, and that somebody typed into the ledger 1.00 too high."""
    orderhub("import", "shopify", orderhub.file([order(1001)]), "--no-send")
    clock = Clock(datetime(2026, 4, 1, 12, tzinfo=UTC))
    hub = open_hub(load_settings(None, orderhub.home, {}), clock, lambda config: LedgerSimulator(config, clock))
    lines = (DocumentLine(Component.GOODS, 25_000),)
    hub.erp.type_in(
        Document(DocumentKey(""), DocumentKind.SALES_ORDER, "main", "USD", date(2026, 3, 2), lines, None, "#1001")
    )
    hub.store.dispose()
    hub.inbox.dispose()
    hub.erp.close_connections()
    return orderhub


def test_a_dry_run_names_the_difference_in_money(typed_in: Orderhub) -> None:
    answer = typed_in.json("adopt", "shopify", *PERIOD, "--dry-run")

    assert answer["dry_run"]
    assert answer["difference_minor"] == {"USD": 100}
    [link] = answer["linked"]
    assert (link["document"], link["ref"], link["planned_minor"], link["erp_minor"]) == (
        "so-shopify-1001",
        "SO-1",
        24_900,
        25_000,
    )
    assert link["differences"] == ["total"]
    assert [one["kind"] for one in answer["absent"]] == ["deposit"]


def test_what_was_adopted_is_shown_with_the_order_and_not_adopted_again(typed_in: Orderhub) -> None:
    typed_in("adopt", "shopify", *PERIOD, "--as", "ann")

    again = typed_in.json("adopt", "shopify", *PERIOD)

    assert (again["orders"], again["linked"], again["linked_before"]) == (0, [], 1)
    documents = typed_in.json("orders", "show", "1001")["documents"]
    assert [(one["document"], one["state"], one["ref"]) for one in documents if one["state"] == "done"] == [
        ("so-shopify-1001", "done", "SO-1")
    ]


def test_without_a_last_day_it_says_what_is_missing(orderhub: Orderhub) -> None:
    ran = orderhub("adopt", "shopify")

    assert ran.status == 1
    assert "--until" in ran.err
