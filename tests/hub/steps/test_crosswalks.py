"""crosswalks: dated rows, never overwritten; what they heal is decided anew in bulk."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.errors import Misconfigured
from hub.model.crosswalk import CrosswalkKind
from hub.steps.crosswalks import BadRows, Wanted, import_rows, in_force, set_row
from hub.steps.hub import Hub
from hub.store import schema
from hub.store.views import crosswalks
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import record, take_in

ITEM = CrosswalkKind.ITEM


def test_a_new_source_holds_from_ever_and_a_change_from_today(hub: Hub) -> None:
    first = set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L"), "ann")
    second = set_row(hub, ITEM, Wanted("MUG-X", "STOVE-MINI"), "bob")

    assert [row.valid_from for row in (*first.rows, *second.rows)] == [date(1, 1, 1), date(2026, 11, 2)]


def test_a_change_of_what_the_configuration_starts_with_holds_from_today(hub: Hub) -> None:
    outcome = set_row(hub, ITEM, Wanted("TENT-2P-GRN", "TENT-4P-SND"), "ann")

    assert outcome.rows[0].valid_from == date(2026, 11, 2)


def test_today_is_where_the_entity_keeps_its_books(hub: Hub, utc: Clock) -> None:
    utc.now = utc.now.replace(hour=3)  # still the evening before in New York

    outcome = set_row(hub, ITEM, Wanted("TENT-2P-GRN", "TENT-4P-SND"), "ann")

    assert outcome.rows[0].valid_from == date(2026, 11, 1)


def test_a_row_that_holds_already_is_not_set_again(hub: Hub) -> None:
    set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L"), "ann")

    again = set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L"), "ann")

    assert (again.rows, again.unchanged) == ((), 1)
    assert len(crosswalks.history(hub.store)) == 1


def test_going_back_to_an_earlier_target_is_a_change(hub: Hub) -> None:
    for target, day in (("BOTTLE-1L", date(2026, 1, 1)), ("STOVE-MINI", date(2026, 2, 1))):
        set_row(hub, ITEM, Wanted("MUG-X", target, valid_from=day), "ann")

    back = set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L", valid_from=date(2026, 3, 1)), "ann")

    assert [row.target for row in back.rows] == ["BOTTLE-1L"]


def test_a_row_of_one_channel_heals_that_channels_orders(hub: Hub) -> None:
    take_in(hub, record(order(1001, sku="MUG-X"), "one"), record(order(1002, sku="MUG-Y"), "two"))

    outcome = set_row(hub, ITEM, Wanted("MUG-X", "TENT-2P-GRN", "shopify"), "ann")

    assert (outcome.healing.orders, outcome.healing.healed) == (1, 1)
    assert outcome.healing.sent is not None
    assert outcome.healing.sent.done == 4


def test_a_row_that_begins_after_the_order_leaves_it_held(hub: Hub) -> None:
    take_in(hub, record(order(1001, sku="MUG-X"), "one"))

    outcome = set_row(hub, ITEM, Wanted("MUG-X", "TENT-2P-GRN", valid_from=date(2026, 3, 3)), "ann")

    assert (outcome.healing.healed, outcome.healing.still_held) == (0, 1)


def test_a_correction_heals_what_the_mistake_priced_off_the_list(hub: Hub) -> None:
    take_in(hub, record(order(1001, sku="POT-X", price="54.00"), "one"), record(order(1002, sku="POT-Y"), "two"))
    wrong = set_row(hub, ITEM, Wanted("POT-X", "TENT-2P-GRN"), "ann")

    right = set_row(hub, ITEM, Wanted("POT-X", "POT-SET-2", valid_from=date(2026, 1, 1)), "ann")

    assert (wrong.healing.healed, wrong.healing.causes) == (0, {"price_off_list:POT-X": 1})
    assert (right.healing.orders, right.healing.healed, right.healing.causes) == (1, 1, {})


def test_a_change_without_a_day_is_counted_as_holding_from_today(hub: Hub) -> None:
    first = set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L"), "ann")
    second = set_row(hub, ITEM, Wanted("MUG-X", "STOVE-MINI"), "ann")
    dated = set_row(hub, ITEM, Wanted("MUG-X", "PATCH-KIT", valid_from=date(2026, 11, 1)), "ann")

    assert [outcome.from_today for outcome in (first, second, dated)] == [0, 1, 0]


def test_items_of_no_price_list_are_refused_all_by_name(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("source,target,channel\nA,NOPE,\nB,POT-SET-2,\nC,NADA,shopify\nD,NOPE,\n")

    with pytest.raises(BadRows) as raised:
        import_rows(hub, ITEM, file, "ann")
    with pytest.raises(Misconfigured, match="'NADA' is not in the price list"):
        set_row(hub, ITEM, Wanted("C", "NADA", "shopify"), "ann")

    assert re.findall(r"csv:(\d): target: item '(\w+)'", str(raised.value)) == [
        ("2", "NOPE"),
        ("4", "NADA"),
        ("5", "NOPE"),
    ]
    assert crosswalks.history(hub.store) == []


def test_items_of_no_price_list_that_a_person_vouches_for_are_set_and_named(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("source,target,channel\nA,NOPE,\nB,POT-SET-2,\nC,NADA,shopify\nD,NOPE,\n")

    outcome = import_rows(hub, ITEM, file, "ann", unlisted=True)

    assert (len(outcome.rows), outcome.unlisted) == (4, ("NOPE", "NADA"))


def test_only_items_are_looked_up_in_the_price_list(hub: Hub) -> None:
    assert set_row(hub, CrosswalkKind.LOCATION, Wanted("7001", "EAST"), "ann").unlisted == ()


def test_the_rows_in_force_are_those_of_today(hub: Hub) -> None:
    set_row(hub, ITEM, Wanted("MUG-X", "BOTTLE-1L"), "ann")
    set_row(hub, ITEM, Wanted("MUG-X", "STOVE-MINI", valid_from=date(2026, 12, 1)), "ann")

    (row,) = [row for row in in_force(hub, ITEM) if row.source == "MUG-X"]

    assert row.target == "BOTTLE-1L"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "expected the columns source,target and optionally channel,from; got nothing"),
        (b"sku,item\nA,B\n", "got sku,item"),
        (b"source,target\n", "no rows"),
        (b"source,target\nA\n", "2: not as many values as there are columns"),
        (b"source,target\nA,B,C\n", "2: not as many values as there are columns"),
        (b"source,target,channel\nA,B,amazon\n", "2: channel: no such channel: 'amazon'; there is shopify"),
        (b"source,target\nA,\xff\n", "not UTF-8 at byte 16"),
        (b'source,target\nA,"B\n', "unexpected end of data"),
        (b"source,target\nA," + b"B" * 201 + b"\n", "2: target: longer than 200 characters"),
        (b"source,target\nA,B\x1b\n", "2: target: holds a character that does not print"),
    ],
)
def test_a_bad_file_sets_nothing_and_says_where(hub: Hub, tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes(content)

    with pytest.raises(BadRows) as raised:
        import_rows(hub, ITEM, file, "ann")

    assert fault in str(raised.value)
    assert "nothing was set" in str(raised.value)
    assert crosswalks.history(hub.store) == []


def test_a_file_saved_by_a_spreadsheet_is_read(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes('\ufeffsource,target\r\n"MUG, BLUE",BOTTLE-1L\r\n'.encode())

    outcome = import_rows(hub, ITEM, file, "ann")

    assert [(row.source, row.target) for row in outcome.rows] == [("MUG, BLUE", "BOTTLE-1L")]


# --- kinds with words of the hub's own ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "source", "target", "fault"),
    [
        (CrosswalkKind.ENTITY, "*", "main", "an order belongs to its channel's entity"),
        (CrosswalkKind.CUSTOMER_CLASS, "vip", "VIP", "'vip' is none of guest, business, consumer, *"),
        (CrosswalkKind.GL_ACCOUNT, "receivable", "1100", "'receivable' is none of the roles"),
        (CrosswalkKind.GL_ACCOUNT, "revenue", "4100", "has no account '4100' of the role revenue, it has 4000"),
    ],
)
def test_a_row_that_could_have_no_effect_is_refused(
    hub: Hub, tmp_path: Path, kind: CrosswalkKind, source: str, target: str, fault: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"source,target\n{source},{target}\n")

    with pytest.raises(Misconfigured, match=re.escape(fault)):
        set_row(hub, kind, Wanted(source, target), "ann")
    with pytest.raises((Misconfigured, BadRows), match=re.escape(fault)):
        import_rows(hub, kind, file, "ann")

    assert crosswalks.history(hub.store) == []


@pytest.mark.parametrize("kind", [CrosswalkKind.SHIP_METHOD, CrosswalkKind.TAX_CODE])
def test_a_word_that_passed_through_before_is_another_from_today(hub: Hub, kind: CrosswalkKind) -> None:
    outcome = set_row(hub, kind, Wanted("Standard", "UPS"), "ann")

    assert outcome.rows[0].valid_from == date(2026, 11, 2)


def test_a_customer_class_is_on_the_customer_that_an_order_names_first(hub: Hub) -> None:
    set_row(hub, CrosswalkKind.CUSTOMER_CLASS, Wanted("*", "RETAIL", valid_from=date(2020, 1, 1)), "ann")

    take_in(hub, record(order(1001), "one"))

    with hub.store.connect() as connection:
        (content,) = connection.scalars(select(schema.intent.c.content).where(schema.intent.c.kind == "customer"))
    assert json.loads(content)["customer_class"] == "RETAIL"
