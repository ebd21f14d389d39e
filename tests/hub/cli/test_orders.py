"""orderhub orders and records: an order found as a person names it, all that is known of it in one look."""

from typing import Any

import pytest

from tests.hub.cli.shop import Orderhub, order


def test_an_order_is_found_by_its_id_with_its_channel_and_by_its_name(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))

    found = [orderhub.json("orders", "show", name)["row"]["order"] for name in ("1001", "shopify/1001", "#1001")]

    assert found == ["1001", "1001", "1001"]


def test_a_name_that_two_orders_share_asks_which(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002) | {"name": "#1001"}]))

    ran = orderhub("orders", "show", "#1001")

    assert ran.status == 1
    assert ran.err == "orderhub: '#1001' is several orders: name one of shopify/1001, shopify/1002\n"


def test_an_order_that_is_not_there_says_where_to_look(orderhub: Orderhub) -> None:
    ran = orderhub("orders", "show", "4711")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "orderhub: no order '4711': see orderhub orders list; a record may wait in orderhub records list\n"
    )


def test_one_look_has_quantities_stages_and_what_was_read_back(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))

    sight = orderhub.json("orders", "show", "1001")

    assert [(line["sku"], line["ordered"], line["shipped"], line["open"]) for line in sight["lines"]] == [
        ("TENT-2P-GRN", 1, 0, 1)
    ]
    assert sight["stages"] == {
        "placed_at": "2026-03-02T15:00:00Z",
        "processing_at": "2026-03-02T15:00:01Z",
        "shipped_at": None,
        "post_sale_at": None,
        "promised_ship_by": None,
        "promised_delivery_by": None,
    }
    assert [(one["kind"], one["matches"]) for one in sight["documents"]] == [("sales_order", True), ("deposit", True)]


def test_the_table_of_an_order_fits_a_hundred_columns(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))

    out = orderhub("orders", "show", "1001").out

    assert max(len(line.rstrip()) for line in out.splitlines()) <= 100
    assert "249.00 USD" in out
    assert "dep-shopify-1001-" in out


def test_a_timeline_runs_from_the_placement_to_the_posting(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))

    happened = [one["what"] for one in orderhub.json("orders", "timeline", "1001")["timeline"]]

    assert happened == ["placed", "paid", "captured", "decided", "decided", "posted", "posted"]


def test_the_list_says_what_is_held(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file([order(1001), order(1002, paid=False)]))

    held = orderhub.json("orders", "list", "--held")["orders"]

    assert [(row["order"], row["holds"], row["financial"]) for row in held] == [("1002", 1, "pending")]


def test_a_record_is_shown_as_it_was_received(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order()))
    (row,) = orderhub.json("records", "list")["records"]

    shown = orderhub.json("records", "show", str(row["id"]))

    assert (shown["outcome"], shown["order"]) == ("order", "1001")
    assert '"price": "249.00"' in shown["body"]
    assert '\n  "name": "#1001",\n' in orderhub("records", "show", str(row["id"])).out


def test_records_are_listed_by_what_they_came_to(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([order(1001), order(1002, total="1.00")]))

    held = orderhub.json("records", "list", "--outcome", "held")["records"]

    assert [row["order"] for row in held] == ["1002"]


@pytest.mark.parametrize("outcome", ["order", "held", "facts", "stock", "payout", "not_an_order", "waiting"])
def test_records_of_every_outcome_can_be_asked_for(orderhub: Orderhub, outcome: str) -> None:
    assert orderhub.json("records", "list", "--outcome", outcome) == {"records": []}


def test_a_record_that_is_not_there_is_said_so(orderhub: Orderhub) -> None:
    ran = orderhub("records", "show", "7")

    assert (ran.status, ran.err) == (1, "orderhub: no record 7: see orderhub records list\n")


def late_payment() -> list[dict[str, Any]]:
    """An order that was shipped before the hub heard of its payment."""
    paid = order() | {"updated_at": "2026-03-04T10:00:00-05:00"}
    shipment = {
        "id": 31,
        "order_id": 1001,
        "status": "success",
        "created_at": "2026-03-03T10:00:00-05:00",
        "updated_at": "2026-03-03T10:00:00-05:00",
        "line_items": [{"id": 10011, "quantity": 1}],
    }
    shipped = order(paid=False) | {"fulfillments": [shipment], "updated_at": "2026-03-03T10:00:00-05:00"}
    return [shipped, paid | {"fulfillments": [shipment]}]


def test_events_and_the_timeline_run_by_when_things_occurred(orderhub: Orderhub) -> None:
    first, second = late_payment()
    orderhub.json("import", "shopify", orderhub.file(first))
    orderhub.json("import", "shopify", orderhub.file(second))

    events = orderhub.json("orders", "show", "1001")["events"]
    happened = orderhub.json("orders", "timeline", "1001")["timeline"]

    assert [one["kind"] for one in events] == ["placed", "paid", "shipped", "changed"]
    assert [one["seq"] for one in events] != sorted(one["seq"] for one in events)
    assert [one["what"] for one in happened][:3] == ["placed", "paid", "shipped"]


def test_an_order_id_stays_on_one_line_of_the_list(orderhub: Orderhub) -> None:
    orderhub.json("import", "shopify", orderhub.file(order(5551234567890, paid=False)))

    out = orderhub("orders", "list").out

    assert "shopify/5551234567890 " in out
    assert " 2026-03-02 " in out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 100


def test_a_sku_renamed_in_the_channel_is_told_and_changes_nothing_that_stands(orderhub: Orderhub) -> None:
    renamed = order(sku="TENT-NEW") | {"updated_at": "2026-03-03T10:00:00-05:00"}
    orderhub.json("import", "shopify", orderhub.file(order()))
    before = orderhub.json("orders", "show", "1001")["documents"]

    orderhub.json("import", "shopify", orderhub.file(renamed))

    sight = orderhub.json("orders", "show", "1001")
    assert sight["documents"] == before
    assert [(x["kind"], x["value"], x["valid_from"]) for x in sight["lines"][0]["references"][1:]] == [
        ("sku", "TENT-2P-GRN", "2026-03-02T15:00:00+00:00"),
        ("sku", "TENT-NEW", "2026-03-03T15:00:00+00:00"),
    ]
    told = orderhub.json("orders", "timeline", "1001")["timeline"]
    assert "TENT-2P-GRN is TENT-NEW from here on" in next(x["detail"] for x in told if x["what"] == "sku_renamed")
    assert "TENT-2P-GRN (also TENT-NEW)" in orderhub("orders", "show", "1001").out
