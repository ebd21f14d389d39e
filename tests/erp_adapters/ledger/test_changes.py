"""changes: what people did and what moved stock, each commit told, none passed over."""

import datetime
import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from erp_adapters.ledger import changes, schema
from erp_adapters.ledger.adapter import LedgerAdapter
from erp_adapters.ledger.journal import Batch, Operation
from erp_adapters.ledger.simulator import LedgerSimulator
from hub.errors import Misconfigured, Untranslatable
from hub.model.facts import Fact, Fulfilment, FulfilmentStatus, LineQuantity, Parcel, Source
from hub.model.intents import Action
from hub.model.order import LineId, OrderKey
from hub.model.records import Received, Record, StockLevel
from hub.ports import Page
from tests.erp_adapters.ledger.conftest import NOW, OpenLedger
from tests.erp_adapters.ledger.sale import MUG, fulfilment, key, masters, of_order, receipt, sales_order, write
from tests.hub.books.documents import line

BY_LINE = (
    replace(line("goods", 5000, "", MUG, 1), line=LineId("11")),
    replace(line("goods", 5000, "", MUG, 1), line=LineId("12")),
    replace(line("goods", 700, "", None, 1), line=LineId("13")),
)


@pytest.fixture
def ordered(ledger: LedgerSimulator) -> LedgerSimulator:
    """Ten mugs in stock, and an order of two, a line each, with an engraving that is no stock."""
    ledger.put([*masters(), write(receipt(10, 4000)), write(of_order("sales_order", *BY_LINE))])
    return ledger


def told(ledger: LedgerAdapter, since: str | None = None) -> tuple[list[Received], str]:
    """All that is told after the cursor, and the cursor after it."""
    found = list(ledger.changes(since))
    return [one for page in found for one in page.received], found[-1].cursor


def bodies(received: list[Received], topic: str) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in received if one.topic == topic]


def fact_of(ledger: LedgerAdapter, received: Received) -> Fact:
    record = Record(1, received.channel, received.topic, received.source, received.body, received.received_at)
    (fact,) = ledger.translate(record).facts
    return fact


def test_a_fulfilment_entered_by_hand_becomes_a_fact_of_the_channel_s_order(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    ref = ordered.fulfil("so-shopify-1001", {"11": 1, "13": 1}, carrier="UPS", tracking_number="1Z9")

    received, _ = told(ordered, seen)

    assert (received[0].channel, received[0].key, received[0].topic, received[0].source) == (
        "ledger",
        f"{ref}-v1",
        "fulfilment",
        Source.ERP,
    )
    fact = fact_of(ordered, received[0])
    assert (fact.order, fact.external_id, fact.source) == (
        OrderKey("shopify", "1001"),
        f"erp-{ref.lower()}",
        Source.ERP,
    )
    assert fact.body == Fulfilment(
        status=FulfilmentStatus.SHIPPED,
        lines=(LineQuantity(LineId("11"), 1), LineQuantity(LineId("13"), 1)),
        shipped_at=NOW,
        location="main",
        parcels=(Parcel("UPS", "1Z9", None),),
    )
    assert ordered.on_hand(MUG) == 9


def test_a_correction_and_a_deletion_are_later_versions_of_the_same_fact(ordered: LedgerSimulator) -> None:
    ref = ordered.fulfil("so-shopify-1001", {"11": 1})
    first, seen = told(ordered)
    ordered.refulfil(ref, "so-shopify-1001", {"12": 1})
    second, seen = told(ordered, seen)
    ordered.void(ref)
    third, _ = told(ordered, seen)

    versions = [fact_of(ordered, next(x for x in page if x.topic == "fulfilment")) for page in (first, second, third)]

    assert len({one.external_id for one in versions}) == 1
    assert versions[0].modified_at < versions[1].modified_at < versions[2].modified_at
    assert isinstance(versions[1].body, Fulfilment)
    assert versions[1].body.lines == (LineQuantity(LineId("12"), 1),)
    assert isinstance(versions[2].body, Fulfilment)
    assert versions[2].body.status is FulfilmentStatus.CANCELLED
    assert ordered.on_hand(MUG) == 10


def test_what_the_hub_shipped_is_told_as_a_level_alone(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    ordered.put([write(fulfilment(2))])

    received, _ = told(ordered, seen)

    assert [one.topic for one in received] == ["stock"]
    record = Record(1, "ledger", "stock", Source.ERP, received[0].body, NOW)
    assert ordered.translate(record).levels == (StockLevel("main", MUG, "main", 8, int(told(ordered)[1])),)


def test_receipts_adjustments_and_returns_are_told_as_the_level_after_them(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    ordered.receive(MUG, 5, 2000, location="east")
    ordered.adjust(MUG, -3)

    levels = bodies(told(ordered, seen)[0], "stock")

    assert [(x["location"], x["on_hand"]) for x in levels] == [("east", 5), ("main", 7)]
    assert levels[0]["change"] < levels[1]["change"]


def test_a_document_of_the_hub_s_that_a_person_changed_is_told_and_is_no_fact(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    ordered.edit_amount("SO-4", 1)

    received, _ = told(ordered, seen)

    assert [(x["ref"], x["key"], x["voided"]) for x in bodies(received, "document")] == [
        ("SO-4", "so-shopify-1001", False)
    ]
    record = Record(1, "ledger", "document", Source.ERP, received[0].body, NOW)
    translation = ordered.translate(record)
    assert (translation.facts, translation.ignored) == ((), "SO-4 was changed by hand: reconcile shows it")


def test_a_fulfilment_whose_lines_name_no_order_line_is_not_guessed_at(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    ref = ordered.type_in(of_order("fulfilment", line("stock", 0, "", MUG, 1), location="main"))

    received, _ = told(ordered, seen)

    with pytest.raises(Untranslatable, match=rf"lines\[0\].line: {ref} names no order line"):
        fact_of(ordered, received[0])


def test_a_fulfilment_is_dated_on_the_day_that_its_cost_is_posted(ordered: LedgerSimulator) -> None:
    ref = ordered.fulfil("so-shopify-1001", {"11": 1})
    ordered.move(ref, datetime.date(2026, 10, 30))

    (body,) = bodies(told(ordered)[0], "fulfilment")

    assert body["shipped_at"] == "2026-10-30T16:00:00Z"  # noon in New York


def test_pages_end_between_changes_and_together_tell_all(ordered: LedgerSimulator) -> None:
    whole = [one.key for one in told(ordered)[0]]
    for number in range(7):
        ordered.receive(MUG, 1, 400, location=f"bin-{number}")

    pages = list(changes.pages(ordered.engine, "ledger", {"main": "America/New_York"}, None, NOW, rows_a_page=4))

    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert len(pages) >= 4
    keys = [one.key for page in pages for one in page.received]
    assert len(keys) == len(set(keys)) == len(whole) + 14  # a receipt typed in is a document and a level
    assert list(ordered.changes(pages[-1].cursor)) == [Page((), pages[-1].cursor, more=False)]


def test_a_change_of_more_rows_than_a_page_is_one_page(ordered: LedgerSimulator) -> None:
    _, seen = told(ordered)
    cup = line("stock", 100, "", MUG, 1)
    ordered.put([write(of_order("stock_receipt", cup, fact=f"r{n}", location=f"bin-{n}")) for n in range(9)])
    ordered.receive(MUG, 1, 400)

    pages = list(changes.pages(ordered.engine, "ledger", {"main": "America/New_York"}, seen, NOW, rows_a_page=3))

    assert [len(page.received) for page in pages] == [9, 2]


def test_a_writer_that_commits_late_is_not_passed_over(ordered: LedgerSimulator, open_ledger: OpenLedger) -> None:
    """A number is taken, and nothing that is numbered after it can be seen before it is committed."""
    _, seen = told(ordered)
    other = open_ledger()
    reader = open_ledger()
    typed_in = Operation(
        Action.CREATE, of_order("refund", line("deposits", 1), order="9", method="paypal"), by_hand=True
    )
    second = threading.Thread(target=lambda: other.receive(MUG, 1, 400))
    with ordered.engine.connect().execution_options(writes=True) as slow, slow.begin():
        Batch(slow, ordered._books, NOW, set()).keep([typed_in])
        second.start()
        second.join(0.3)
        early, at = told(reader, seen)
        waits = second.is_alive()
    second.join(10)

    late, _ = told(reader, at)

    assert (early, at, waits) == ([], seen, True)
    assert [one.topic for one in late] == ["document", "document", "stock"]


def test_a_cursor_of_something_else_is_refused(ordered: LedgerSimulator) -> None:
    with pytest.raises(Misconfigured, match="'gid://1' is no cursor"):
        list(ordered.changes("gid://1"))


def test_a_refused_batch_leaves_no_shipment_behind(ordered: LedgerSimulator) -> None:
    ordered.close("main", "2026-11")

    with pytest.raises(Exception, match="closed_period"):
        ordered.fulfil("so-shopify-1001", {"11": 1})

    with ordered.engine.connect() as connection:
        assert connection.execute(schema.shipment.select()).all() == []
    assert ordered.on_hand(MUG) == 10


def test_lines_of_a_sales_order_keep_their_ids(ordered: LedgerSimulator) -> None:
    document = ordered.document(ordered.ref(key(sales_order())))

    assert [one.line for one in document.lines] == ["11", "12", "13"]
