"""Files are cut into records byte for byte, whatever wraps them, and one bad record costs no other."""

import json
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

import connectors.shopify
from connectors.shopify import PLUGIN
from connectors.shopify.connector import ShopifyConnector, parse
from connectors.shopify.simulator import compose
from hub.errors import Untranslatable
from hub.model.money import minor_of
from hub.model.records import Received
from hub.model.statement import ChannelRow, Subject
from hub.ports import ChannelConfig, ReadsFiles, StatesFromFile, Translates, Unreadable

SAMPLES: Final = Path(connectors.shopify.__file__).parent / "samples"
AT: Final = datetime(2026, 10, 1, tzinfo=UTC)
ORDER: Final = b'{"id": 1,  "total_price":"10.00", "name": "\xc3\xa9"}'


def connector() -> ShopifyConnector:
    return ShopifyConnector(ChannelConfig("shop", "main", "USD", "America/New_York"))


def cut(content: bytes) -> list[tuple[str, bytes] | tuple[str, str]]:
    """(topic, bytes) of each record, (path, message) of each that could not be cut out."""
    return [
        (item.topic, item.body) if isinstance(item, Received) else (item.problem.path, item.problem.message)
        for item in connector().read_file(content, AT)
    ]


def test_the_plugin_has_the_abilities_of_a_file_channel() -> None:
    connected = PLUGIN.connect(ChannelConfig("shop", "main", "USD", "UTC"))

    assert PLUGIN.system == "shopify"
    assert isinstance(connected, Translates)
    assert isinstance(connected, ReadsFiles)
    assert isinstance(connected, StatesFromFile)


@pytest.mark.parametrize(
    ("content", "topics"),
    [
        (ORDER, [""]),
        (b"\xef\xbb\xbf" + ORDER, [""]),
        (b"[" + ORDER + b" ,\n" + ORDER + b"]", ["", ""]),
        (ORDER + b"\n" + ORDER + b"\n", ["", ""]),
        (b'{"order": ' + ORDER + b', "notice": "x"}', ["order"]),
        (b'{"notice": "x", "orders": [' + ORDER + b"," + ORDER + b"]}", ["orders", "orders"]),
        (b'{"refunds":[' + ORDER + b"]}", ["refunds"]),
        (b'{"topic":"orders/create","headers":{},"body":' + ORDER + b"}", ["orders/create"]),
        (b'[{"order":' + ORDER + b'},{"order":' + ORDER + b"}]", ["order", "order"]),
        (b'{"data":{"order":' + ORDER + b'},"extensions":{}}', ["order_node"]),
        (b'{"data":{"orders":{"nodes":[' + ORDER + b"]}}}", ["order_node"]),
        (b'{"data":{"orders":{"edges":[{"cursor":"c","node":' + ORDER + b"}]}}}", ["order_node"]),
        (b'{"data":{"node":' + ORDER + b"}}", [""]),
    ],
)
def test_a_record_is_the_literal_slice_of_its_file(content: bytes, topics: list[str]) -> None:
    assert cut(content) == [(topic, ORDER) for topic in topics]


def test_a_webhook_is_keyed_by_its_delivery_and_keeps_no_seal() -> None:
    [item] = connector().read_file((SAMPLES / "order-deleted.in.json").read_bytes(), AT)

    assert isinstance(item, Received)
    delivery, _, digest = item.key.partition(":")
    assert delivery == "5b0c54a5-0d9e-4f4c-a1b1-1f4d3fd6a001"
    assert len(digest) == 16
    assert item.headers == {"x-shopify-webhook-id": "5b0c54a5-0d9e-4f4c-a1b1-1f4d3fd6a001"}


def test_two_bodies_under_one_delivery_are_two_records() -> None:
    line = b'{"headers":{"X-Shopify-Webhook-Id":"w1"},"topic":"orders/create","body":{"id":%d}}'

    items = list(connector().read_file(line % 1 + b"\n" + line % 2 + b"\n" + line % 1, AT))

    keys = [item.key for item in items if isinstance(item, Received)]
    assert len(keys) == 3
    assert keys[0] == keys[2] != keys[1]


def test_the_same_bytes_have_the_same_key_and_one_changed_byte_another() -> None:
    def key(content: bytes) -> str:
        [item] = connector().read_file(content, AT)
        assert isinstance(item, Received)
        return item.key

    order = b'{"id": 5, "updated_at": "2026-09-01T00:00:00Z", "total_price": "1.00"}'

    assert key(order) == key(order)
    assert key(order).startswith("record:5:2026-09-01T00:00:00Z:")
    assert key(order.replace(b"1.00", b"1.01")) != key(order)


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (b"", "$", "the file is empty"),
        (b"nope", "$", "not JSON: begins with 'nope'"),
        (b'{"id": 1, "lines": [', "$", "the file ends in the middle of it"),
        (b'{"id": 1, "price": N/A}', "$", "Expecting value"),
        (b"[" * 100_000, "[0][0][0][0][0][0]", "nested too deeply"),
        (b'{"id":' * 50_000, "$", "nested too deeply"),
        (b'{"id": "' + b"x" * 50_000_000 + b'"}', "$", "a record of more than 10000000 bytes"),
    ],
    ids=["empty", "text", "cut off", "not a value", "deep lists", "deep objects", "50 MB"],
)
def test_what_cannot_be_cut_out_is_named_with_its_path(content: bytes, path: str, reason: str) -> None:
    [(where, message)] = cut(content)

    assert where == path
    assert reason in str(message)


def test_a_bad_element_of_a_list_costs_no_other() -> None:
    content = b'{"orders": [' + ORDER + b', {"id": N/A}, ' + ORDER + b", " + b'{"x":' * 3_000 + b"1" + b"}" * 3_000

    seen = cut(content + b", " + ORDER + b', {"id": 9, "na')

    assert [where for where, _ in seen] == ["orders", "orders[1]", "orders", "orders[3]", "orders", "orders[5]"]


def test_a_bad_line_among_good_lines_costs_no_other() -> None:
    content = ORDER + b'\n{"id": 2, "lines": [\n' + ORDER + b'\n{"id": N/A}\n{"id": "open\n' + ORDER + b"\n"

    seen = cut(content)

    assert [where for where, _ in seen] == ["", "line 2", "", "line 4", "line 5", ""]


def test_a_list_that_breaks_off_does_not_bring_its_records_twice() -> None:
    seen = cut(b"[\n" + ORDER + b",\n" + ORDER + b',\n{"id": 3, "na')

    assert [where for where, _ in seen] == ["", "", "line 1[2]"]


def test_a_record_that_is_too_large_costs_no_other() -> None:
    content = b'{"orders": [' + ORDER + b', {"id": "' + b"x" * 11_000_000 + b'"}, ' + ORDER + b"]}"

    seen = cut(content)

    assert [where for where, _ in seen] == ["orders", "orders[1]", "orders"]


def test_memory_follows_the_file_and_not_what_parsing_it_would_take() -> None:
    """30 MB of numbers parse into hundreds of megabytes of objects; cutting holds one record's worth at a time."""
    content = b'{"orders": [' + b",".join([b'{"id":1,"x":[' + b"1," * 50_000 + b"1]}"] * 300) + b"]}"
    tracemalloc.start()

    count = sum(1 for _ in connector().read_file(content, AT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 300
    assert peak < 2 * len(content)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"id": NaN}', "$: not JSON: NaN"),
        (b'{"id": -Infinity}', "$: not JSON: -Infinity"),
        (b'{"id": "\xff"}', "$: not UTF-8 at byte 8"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "$: Exceeds the limit"),
        (b"[" * 100_000 + b"]" * 100_000, "$: nested too deeply"),
        (b'{"a": [{"name": "\\ud800"}]}', "a[0].name: holds half of a character"),
        (b'{"name": "a\\u0000b"}', "name: holds a NUL character"),
    ],
)
def test_hostile_json_is_named_and_never_a_traceback(body: bytes, message: str) -> None:
    with pytest.raises(Untranslatable) as held:
        parse(body)

    assert str(held.value).startswith(message)


def rows(content: bytes) -> list[ChannelRow]:
    found = list(connector().statement_from_file(content))
    assert not [item for item in found if isinstance(item, Unreadable)]
    return [item for item in found if isinstance(item, ChannelRow)]


def test_a_statement_has_a_row_for_the_order_and_each_payment_and_refund_that_succeeded() -> None:
    content = (SAMPLES / "cancelled-shipping-refunded.in.json").read_bytes()

    stated = [(row.row.subject, row.row.subject_id, row.row.date, row.row.total_minor) for row in rows(content)]

    assert stated == [
        (Subject.ORDER, "7000000002011", date(2026, 9, 14), 3710),
        (Subject.REFUND, "48", date(2026, 9, 14), -3710),
        (Subject.PAYMENT, "49", date(2026, 9, 14), 3710),
    ]


def test_a_statement_shows_an_order_by_component_on_the_channels_day() -> None:
    [row] = rows((SAMPLES / "tax-included.in.json").read_bytes())

    stated = row.row
    assert (stated.entity, stated.channel, stated.currency, stated.date) == ("main", "shop", "EUR", date(2026, 9, 14))
    assert (stated.goods_minor, stated.discount_minor, stated.shipping_minor) == (10190, -1190, 412)
    assert (stated.tax_minor, stated.total_minor) == (1788, 11200)
    assert row.modified_at == "2026-09-14T14:20:00+00:00"


def test_an_edit_lowers_the_order_by_what_it_took_out() -> None:
    [order, *payments] = rows((SAMPLES / "edited.in.json").read_bytes())

    assert (order.row.edited_minor, order.row.total_minor) == (-1250, 6250)
    assert [row.row.payment_minor for row in payments] == [5000, 1250]


def test_a_pending_refund_and_a_test_order_have_no_row() -> None:
    pending = rows((SAMPLES / "yen-amount-refund-pending.in.json").read_bytes())
    test = json.loads((SAMPLES / "edited.in.json").read_text()) | {"test": True}

    assert [row.row.subject for row in pending] == [Subject.ORDER, Subject.PAYMENT]
    assert rows(json.dumps(test).encode()) == []


def test_a_deleted_order_has_no_row() -> None:
    order = (SAMPLES / "cancelled-shipping-refunded.in.json").read_bytes()
    deletion = (SAMPLES / "order-deleted.in.json").read_bytes()

    assert rows(b"[" + order + b"," + deletion + b"]") == []


def test_a_later_version_of_an_order_replaces_an_earlier_one_wherever_it_stands() -> None:
    early = json.loads((SAMPLES / "edited.in.json").read_text())
    late = early | {"updated_at": "2026-09-16T00:00:00Z", "name": "#late"}

    forward = rows(json.dumps([early, late]).encode())
    backward = rows(json.dumps([late, early]).encode())

    assert forward == backward
    assert forward[0].modified_at == "2026-09-16T00:00:00+00:00"


def test_what_does_not_translate_in_an_export_is_named_and_the_rest_is_stated() -> None:
    good = (SAMPLES / "edited.in.json").read_bytes()
    bad = good.replace(b'"75.00"', b'"N/A"', 1)

    found = list(connector().statement_from_file(b"[" + bad + b"," + good + b"]"))

    [fault] = [item.problem for item in found if isinstance(item, Unreadable)]
    assert (fault.path, fault.message) == ("7000000002006: total_price", "not a decimal: 'N/A'")
    assert len(found) == 4


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_a_whole_shops_export_is_stated_to_the_unit(currency: str) -> None:
    """What the rows sum to is what the shop says of itself: placed totals, less what edits and cancellations took."""
    stories = list(compose(3, 120, start=AT, days=20, currency=currency))
    exported = [story.final for story in stories]

    stated = rows(json.dumps({"orders": exported}).encode())

    placed = {
        str(order["id"]): minor_of(Decimal(order["total_price"]), currency) for order in exported if not order["test"]
    }
    orders = [row.row for row in stated if row.row.subject is Subject.ORDER]
    assert {row.order: row.total_minor - row.edited_minor - row.cancelled_minor for row in orders} == placed
