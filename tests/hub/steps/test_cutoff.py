"""cutoff over a store: the orders that are looked at, what is said of them, and that a run keeps it."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from hub.errors import Misconfigured
from hub.model.money import decimal_of
from hub.model.order import OrderKey
from hub.steps import cutoff as step
from hub.steps import reconcile as runs
from hub.steps.closing import reconcile
from hub.steps.cutoff import cutoff
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.views import cutoff as views
from tests.hub.steps import settled
from tests.hub.steps.conftest import plain_story, record, stories, take_in

OCTOBER = (datetime.date(2026, 10, 1), datetime.date(2026, 10, 31))
BY_HAND = {"refund_without_credit_memo", "shipped_not_invoiced", "invoiced_not_shipped", "late_fact"}


def lists(hub: Hub, period: str = "2026-10") -> list[tuple[str, str, str, str]]:
    rows = cutoff(hub, period).rows
    return [(row.list, row.order, row.why, row.detail) for row in rows if row.list in BY_HAND]


def test_a_month_that_is_posted_whole_leaves_only_money_that_no_payout_has(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    send_all(hub)

    found = cutoff(hub, "2026-10")

    assert [(row.list, row.kind, row.order, row.why, row.detail) for row in found.rows] == [
        ("unsettled_clearing", "capture", story.order_id, "not_settled", "shopify_payments")
    ]
    assert found.rows[0].amount_minor == found.totals[0].amount_minor > 0


def test_money_that_a_payout_has_by_then_is_settled_and_what_it_has_otherwise_is_named(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    send_all(hub)
    (capture,) = cutoff(hub, "2026-10").rows
    assert capture.amount_minor is not None
    paid = str(decimal_of(capture.amount_minor - 5, "USD"))
    tender = next(one for one in story.final["transactions"] if one["kind"] in ("sale", "capture"))["id"]
    of_order = {"order": int(story.order_id), "transaction": tender}

    settled.take_in(hub, settled.line(1, "CHARGE", paid, **of_order), settled.payout(paid, on="2026-10-31"))
    (left,) = cutoff(hub, "2026-10").rows

    assert (left.order, left.kind, left.amount_minor, left.why) == (story.order_id, "payout", 5, "settled_otherwise")
    assert (left.name, left.detail) == (story.final["name"], "shopify_payments, payout 3")


def test_what_is_not_sent_yet_is_cut(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))

    assert lists(hub) == [("shipped_not_invoiced", story.order_id, "not_sent", "")]
    assert lists(hub, "2026-09") == []


def test_a_held_order_is_cut_with_the_amount_its_invoice_would_have(hub: Hub) -> None:
    story = plain_story()
    body = json.loads(json.dumps(story.final))
    for row in body["line_items"]:
        row["sku"] = "UNHEARD-OF"
    take_in(hub, record(body, "one"))

    (row,) = cutoff(hub, "2026-10").rows

    assert (row.list, row.why, row.detail) == ("shipped_not_invoiced", "held", "unmapped_item")
    assert row.amount_minor == int(Decimal(body["total_price"]) * 100)


def test_a_fact_for_a_closed_month_is_late_in_both_months(hub: Hub) -> None:
    story = plain_story()
    hub.erp.close("main", "2026-10")
    take_in(hub, record(story.final, "one"))
    send_all(hub)

    out = {row for row in lists(hub) if row[0] == "late_fact"}
    into = {row[0::2] for row in lists(hub, "2026-11")}

    assert out == {("late_fact", story.order_id, "moved_out", "2026-11-01")}
    assert into == {("late_fact", "moved_in")}


def test_a_shipment_whose_order_never_came_is_counted(hub: Hub) -> None:
    story = plain_story()
    shipment = next(one for one in story.deliveries if one.topic.startswith("fulfillments/"))
    take_in(hub, record(shipment.body, "one", shipment.topic))

    (row,) = cutoff(hub, "2026-10").rows

    assert (row.list, row.order, row.why) == ("shipped_not_invoiced", story.order_id, "order_unknown")
    assert row.amount_minor is None


def test_no_order_that_is_cut_goes_unsuspected(hub: Hub) -> None:
    """Every order is gone through here, and the step, which looks at suspects alone, must find the same."""
    told = stories(60)
    refunded = [story for story in told if story.final["refunds"]]
    late = refunded[::2] + told[:20]
    take_in(hub, *[record(story.final, story.order_id) for story in told if story not in late])
    send_all(hub)
    take_in(hub, *[record(story.final, story.order_id) for story in late])
    keys = sorted((OrderKey("shopify", story.order_id) for story in told), key=lambda key: key.external_id)

    with hub.store.connect() as connection:
        suspects = views.suspects(connection, *OCTOBER, [])
        of_all = list(step._of_orders(hub, connection, keys, *OCTOBER))
        of_suspects = list(step._of_orders(hub, connection, suspects, *OCTOBER))

    assert 20 <= len(suspects) < 60
    assert {row.list for row in of_all} == {"shipped_not_invoiced", "refund_without_credit_memo"}
    assert sorted(map(repr, of_suspects)) == sorted(map(repr, of_all))


def test_a_run_keeps_the_lists_and_shows_them_again_without_their_making_its_digest(hub: Hub, tmp_path: Path) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps({"orders": [story.final]}))
    run = hub.settings.home / "runs" / reconcile(hub, "2026-10", [statement]).run

    again = runs.rerun(run)
    (run / "cutoff.json").unlink()
    without = runs.rerun(run)

    assert again.cutoff is not None
    assert [(row.list, row.order) for row in again.cutoff.rows] == [
        ("shipped_not_invoiced", story.order_id),
        ("unsettled_clearing", story.order_id),
    ]
    assert (without.cutoff, without.digest) == (None, again.digest)
    report = (run / "report.html").read_text()
    assert "Shipped, not invoiced" in report
    assert "not sent yet" in report
    sheet: Any = load_workbook(run / "report.xlsx")["Cut-off"]
    assert [sheet["A2"].value, sheet["F2"].value, sheet["L2"].value] == [
        "Shipped, not invoiced",
        story.final["name"],
        "not sent yet",
    ]
    assert Decimal(str(sheet["I2"].value)) == Decimal(story.final["total_price"])
    assert json.loads((run / "report.json").read_text())["cutoff"]["totals"][0]["count"] == 1


def test_a_month_that_is_none_is_refused(hub: Hub) -> None:
    with pytest.raises(Misconfigured, match="'2026-13' is not a month"):
        cutoff(hub, "2026-13")


def test_a_payout_takes_its_money_off_the_list_and_what_it_settled_otherwise_stays(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    send_all(hub)
    (before,) = cutoff(hub, "2026-10").rows
    tender = int(story.final["transactions"][-1]["id"])
    settled.take_in(
        hub,
        settled.line(1, "CHARGE", "1.00", order=int(story.order_id), transaction=tender),
        settled.line(2, "CHARGE", "7.00", order=4711, transaction=4712),
        settled.payout("8.00"),
    )

    rows = cutoff(hub, "2026-10").rows

    assert before.amount_minor is not None
    assert {(row.order, row.why, row.amount_minor) for row in rows} == {
        (story.order_id, "settled_otherwise", before.amount_minor - 100),
        ("4711", "not_in_books", -700),
    }
