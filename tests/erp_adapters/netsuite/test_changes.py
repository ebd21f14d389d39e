"""What people do in the account comes back: shipped there, invoiced from here, and told once whatever searches show."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erp_adapters.netsuite import changes as feed
from erp_adapters.netsuite.account import saving
from erp_adapters.netsuite.account.bodies import Draft
from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.world import Switches
from erp_adapters.netsuite.changes import begins_before
from hub.errors import Misconfigured, Untranslatable
from hub.model.facts import FulfilmentStatus, Source
from hub.model.records import Received, Record
from hub.steps.closing import reconcile
from hub.steps.erp_changes import pull_erp
from hub.steps.showing import show_order, timeline
from hub.store.views import exceptions
from hub.testing.builders import captured, fact, line, shipped, snapshot
from hub.testing.channel import Shop
from hub.testing.conformance.wiring import record as as_record
from mappings.netsuite.changes import translate
from tests.conftest import Clock
from tests.erp_adapters.netsuite.desk import Desk, desk
from tests.erp_adapters.netsuite.hubbed import Office, office
from tests.hub.steps.conftest import plain_story, record, take_in

NEW_YORK = "America/New_York"


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk(Switches(time_zone=NEW_YORK), time_zone=NEW_YORK) as made:
        yield made


def read(netsuite: Desk, since: str | None = None) -> tuple[list[Received], str]:
    pages = list(netsuite.adapter.changes(since))
    return [one for page in pages for one in page.received], pages[-1].cursor


def facts(netsuite: Desk, received: list[Received]) -> list[Any]:
    return [one for each in received for one in netsuite.adapter.translate(as_record(each)).facts]


def ordered(netsuite: Desk, quantity: int = 3) -> int:
    """An order that waits for its goods; its internal id."""
    netsuite.tell(fact(snapshot(line("1", quantity, 1250))), captured("t1", 1, 1250 * quantity))
    netsuite.clock.passes(60)
    return netsuite.rec("so-webshop-1001").id


def ship(netsuite: Desk, order: int, quantity: int, **given: Any) -> int:
    row = netsuite.world.must(order).rows()[0].line
    return desk_hands(netsuite).fulfil(str(order), {row: quantity}, **given).id


def desk_hands(netsuite: Desk) -> Hands:
    return Hands(netsuite.world)


def test_moments_are_of_the_integration_users_clock(netsuite: Desk) -> None:
    order = ordered(netsuite)
    _, since = read(netsuite)
    ship(netsuite, order, 3)

    (told,) = facts(netsuite, read(netsuite, since)[0])

    assert told.modified_at == netsuite.clock.now()
    assert told.body.shipped_at == netsuite.clock.now()
    assert (told.source, told.order.external_id) == (Source.ERP, "1001")


def test_more_shipments_of_one_second_than_a_page_holds_are_each_told(
    netsuite: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ROWS_A_PAGE", 2)
    monkeypatch.setattr(feed, "ENTERED", feed.ENTERED.replace("FIRST 500 ROWS", "FIRST 2 ROWS"))
    order = ordered(netsuite, 7)
    ids = {f"erp-{ship(netsuite, order, 1)}" for _ in range(7)}

    pages = list(netsuite.adapter.changes(None))

    told = [one.external_id for page in pages for one in facts(netsuite, list(page.received))]
    assert (set(told), len(told)) == (ids, 7)
    assert all(len(facts(netsuite, list(page.received))) <= 2 for page in pages)


def test_what_a_search_shows_late_is_not_passed_over(netsuite: Desk) -> None:
    order = ordered(netsuite)
    netsuite.world.lag(600)
    _, since = read(netsuite)
    hidden = ship(netsuite, order, 1)
    netsuite.world.lag(0)
    netsuite.clock.passes(30)
    shown = ship(netsuite, order, 1)  # at once, and later than the other
    netsuite.clock.passes(30)
    first, since = read(netsuite, since)
    netsuite.clock.passes(900)

    late, _ = read(netsuite, since)

    assert [one.external_id for one in facts(netsuite, first)] == [f"erp-{shown}"]
    assert [one.external_id for one in facts(netsuite, late)] == [f"erp-{hidden}"]


def test_what_was_told_is_not_told_again_while_nothing_changes(netsuite: Desk) -> None:
    order = ordered(netsuite)
    ship(netsuite, order, 1)
    netsuite.clock.passes(60)
    told, since = read(netsuite)
    assert facts(netsuite, told)

    again, later = read(netsuite, since)

    assert again == []
    assert read(netsuite, later) == ([], later)


def test_the_cursor_does_not_go_by_the_time_of_day(netsuite: Desk) -> None:
    ordered(netsuite)
    _, since = read(netsuite)
    netsuite.clock.passes(30 * 86_400)

    assert read(netsuite, since)[1] == since


def test_an_hour_that_comes_twice_is_read_from_before_it() -> None:
    zone = ZoneInfo(NEW_YORK)

    assert begins_before("2026-10-31T12:00:00", zone) == "2026-10-31T11:40:00"
    assert begins_before("2026-11-01T01:50:00", zone) == "2026-11-01T00:30:00"
    assert begins_before("2026-11-01T02:05:00", zone) == "2026-11-01T01:45:00"


def test_a_shipment_after_the_clocks_went_back_is_told() -> None:
    with desk(Switches(time_zone=NEW_YORK), time_zone=NEW_YORK) as netsuite:
        netsuite.clock.at = datetime(2026, 11, 1, 5, 50, tzinfo=UTC)  # 01:50, the first time
        order = ordered(netsuite)
        ship(netsuite, order, 1)
        _, since = read(netsuite)
        netsuite.clock.at = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)  # 01:10, the second
        second = ship(netsuite, order, 1)

        told = facts(netsuite, read(netsuite, since)[0])

        assert f"erp-{second}" in {one.external_id for one in told}


def test_goods_that_are_picked_are_not_shipped(netsuite: Desk) -> None:
    order = ordered(netsuite)
    picked = desk_hands(netsuite).transform(str(order), "itemFulfillment", {"shipStatus": "A"})
    netsuite.clock.passes(60)
    first, since = read(netsuite)
    desk_hands(netsuite).edit(str(picked.id), shipStatus={"id": "C", "refName": "Shipped"})
    netsuite.clock.passes(60)

    second, _ = read(netsuite, since)

    assert facts(netsuite, first) == []
    assert [one.body.status for one in facts(netsuite, second)] == [FulfilmentStatus.SHIPPED]


def test_stock_that_the_hub_moved_is_told_as_a_level_and_nothing_else(netsuite: Desk) -> None:
    ordered(netsuite)
    _, since = read(netsuite)
    netsuite.tell(fact(snapshot(line("1", 3, 1250))), captured("t1", 1, 3750), shipped("f1", 60, l1=3))
    netsuite.clock.passes(60)

    received, _ = read(netsuite, since)

    levels = [one for each in received for one in netsuite.adapter.translate(as_record(each)).levels]
    assert {(one.item, one.location, one.on_hand) for one in levels} == {
        ("MUG-ENAMEL-BLU", "main", 99_997),
        ("MUG-ENAMEL-BLU", "east", 0),
    }
    assert len(received) == len(levels)


def test_stock_that_comes_back_by_a_deletion_is_told(netsuite: Desk) -> None:
    order = ordered(netsuite)
    ref = ship(netsuite, order, 3)
    netsuite.clock.passes(60)
    _, since = read(netsuite)
    desk_hands(netsuite).delete(str(ref))
    netsuite.clock.passes(60)

    received, _ = read(netsuite, since)

    levels = [one for each in received for one in netsuite.adapter.translate(as_record(each)).levels]
    assert ("MUG-ENAMEL-BLU", "main", 100_000) in {(one.item, one.location, one.on_hand) for one in levels}


def test_a_cursor_of_something_else_is_refused(netsuite: Desk) -> None:
    with pytest.raises(Misconfigured, match="no cursor of NetSuite's"):
        list(netsuite.adapter.changes("17"))


@pytest.mark.parametrize(
    ("topic", "body", "path"),
    [
        ("fulfilment", b"no", "$"),
        ("fulfilment", b"{}", "$.row"),
        ("fulfilment", b'{"row": {"id": "7", "status": "C"}}', "$.zone"),
        (
            "fulfilment",
            b'{"row": {"id": "7", "status": "C"}, "zone": "UTC", "lines": [{"quantity": "-1"}]}',
            "lines[0]",
        ),
        ("stock", b'{"row": {"location": "main", "quantityonhand": "x"}, "as_of": 1}', "$.row.quantityonhand"),
        ("rumour", b"{}", "$"),
    ],
)
def test_a_record_that_is_not_as_it_should_be_names_what(topic: str, body: bytes, path: str) -> None:
    at = datetime(2026, 3, 10, tzinfo=UTC)

    with pytest.raises(Untranslatable) as raised:
        translate(Record(1, "netsuite", topic, Source.ERP, body, at), {})

    assert [problem.path for problem in raised.value.problems] == [path]


# --- with the hub -----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(tmp_path: Path, utc: Clock) -> Iterator[Office]:
    """A paid order, told to an account, not yet shipped."""
    utc.now = datetime(2026, 11, 2, 20, tzinfo=UTC)
    with office(tmp_path / "office", utc, Switches(time_zone=NEW_YORK), time_zone=NEW_YORK) as made:
        bare = plain_story().final | {"fulfillments": [], "fulfillment_status": None}
        take_in(made.hub, record(bare, "one"))
        made.settle()
        utc.pass_time(minutes=5)
        pull_erp(made.hub)
        yield made


def kinds(made: Office) -> list[str]:
    documents = show_order(made.hub, f"shopify/{plain_story().order_id}").documents
    return [one.kind for one in documents if one.state == "done" and one.action != "void"]


def pulled(made: Office) -> None:
    made.clock.pass_time(minutes=5)
    pull_erp(made.hub)
    made.settle()


def test_what_was_shipped_in_netsuite_is_invoiced_by_the_hub(waiting: Office) -> None:
    waiting.hands.fulfil(f"so-shopify-{plain_story().order_id}", tracking="1Z9")

    pulled(waiting)

    assert show_order(waiting.hub, f"shopify/{plain_story().order_id}").row.fulfilment == "fulfilled"
    assert kinds(waiting) == ["sales_order", "deposit", "invoice", "deposit_application"]
    assert len(list(waiting.world.every("itemFulfillment"))) == len(list(waiting.world.every("invoice"))) == 1
    books = reconcile(waiting.hub, "2026-11", []).books
    assert books is not None
    assert set(books.unexplained_minor.values()) <= {0}


def test_a_shipment_that_was_deleted_in_netsuite_takes_its_invoice_with_it(waiting: Office) -> None:
    ref = waiting.hands.fulfil(f"so-shopify-{plain_story().order_id}").id
    pulled(waiting)
    assert "invoice" in kinds(waiting)

    waiting.hands.delete(str(ref))
    pulled(waiting)

    assert show_order(waiting.hub, f"shopify/{plain_story().order_id}").row.fulfilment == "unfulfilled"
    assert list(waiting.world.every("invoice")) == []


def test_the_shop_is_told_of_what_netsuite_shipped(tmp_path: Path, utc: Clock) -> None:
    utc.now = datetime(2026, 11, 2, 20, tzinfo=UTC)
    shop = Shop()
    with office(tmp_path / "office", utc, shop=shop) as made:
        bare = plain_story().final | {"fulfillments": [], "fulfillment_status": None}
        take_in(made.hub, record(bare, "one"))
        made.settle()
        pulled(made)
        made.hands.fulfil(f"so-shopify-{plain_story().order_id}", tracking="1Z9")

        pulled(made)
        pulled(made)

        (told,) = shop.shipments
        assert told.numbers == ("1Z9",)
        assert sorted(kinds(made)) == ["deposit", "deposit_application", "invoice", "sales_order", "shipment_notice"]


def units_of(made: Office) -> list[tuple[int, int, int]]:
    sight = show_order(made.hub, f"shopify/{plain_story().order_id}")
    return [(line.ordered, line.cancelled, line.open) for line in sight.lines]


def codes(made: Office) -> set[str]:
    return {one.code for one in exceptions.opened(made.hub.store)}


def happened(made: Office) -> list[str]:
    return [event.kind for event in show_order(made.hub, f"shopify/{plain_story().order_id}").events]


def reopen(made: Office) -> None:
    order = made.hands.rec(f"so-shopify-{plain_story().order_id}")
    rows = [{"line": row.line, "isClosed": False} for row in order.rows("item")]
    saving.update(made.world, order, Draft(sublists={"item": rows}), by_hand=True)


def test_an_order_closed_in_netsuite_is_cancelled_here_and_nothing_is_posted_of_it(waiting: Office) -> None:
    before = kinds(waiting)
    waiting.hands.cancel(f"so-shopify-{plain_story().order_id}")

    pulled(waiting)

    assert all(cancelled == ordered and still == 0 for ordered, cancelled, still in units_of(waiting))
    assert kinds(waiting) == before
    assert "cancelled_in_erp" in happened(waiting)
    assert codes(waiting) >= {"cancelled_elsewhere", "refund_due"}  # this channel ships by itself


def test_an_order_opened_again_in_netsuite_is_to_be_shipped_again(waiting: Office) -> None:
    waiting.hands.cancel(f"so-shopify-{plain_story().order_id}")
    pulled(waiting)
    reopen(waiting)

    pulled(waiting)

    assert all((cancelled, still) == (0, ordered) for ordered, cancelled, still in units_of(waiting))
    assert happened(waiting)[-1] != "cancelled_in_erp"
    assert not codes(waiting).intersection({"cancelled_elsewhere", "refund_due"})


def test_what_the_hub_closed_by_itself_is_no_cancellation_of_the_erps(waiting: Office) -> None:
    gone = plain_story().final | {
        "fulfillments": [],
        "fulfillment_status": None,
        "cancelled_at": "2026-11-20T10:00:00-05:00",
        "updated_at": "2026-11-20T10:00:00-05:00",
    }
    take_in(waiting.hub, record(gone, "two"))
    waiting.settle()
    assert all(row.get("isClosed") for row in waiting.hands.rec(f"so-shopify-{plain_story().order_id}").rows("item"))

    pulled(waiting)

    assert not {"cancelled_in_erp", "edited_in_erp"}.intersection(happened(waiting))


def test_a_hand_edit_in_netsuite_is_on_the_orders_timeline_and_changes_nothing_here(waiting: Office) -> None:
    before = units_of(waiting), kinds(waiting)
    waiting.hands.edit(f"so-shopify-{plain_story().order_id}", memo="call first")

    pulled(waiting)

    assert (units_of(waiting), kinds(waiting)) == before
    assert happened(waiting).count("edited_in_erp") == 1
    _, told = timeline(waiting.hub, f"shopify/{plain_story().order_id}")
    (edit,) = [one for one in told if one.what == "edited_in_erp"]
    assert "call first" in edit.detail


def test_an_order_that_was_deleted_in_netsuite_is_not_made_anew_by_a_later_change(waiting: Office) -> None:
    (deposit,) = waiting.world.every("customerDeposit")
    waiting.hands.delete(str(deposit.id))  # the account keeps an order that something hangs on
    waiting.hands.delete(f"so-shopify-{plain_story().order_id}")
    cancelled = "2026-11-20T10:00:00-05:00"
    bare = plain_story().final | {"fulfillments": [], "fulfillment_status": None}
    lines = [{**row, "current_quantity": 0, "fulfillable_quantity": 0} for row in bare["line_items"]]
    take_in(waiting.hub, record(bare | {"line_items": lines, "updated_at": cancelled}, "two"))

    waiting.settle()

    assert list(waiting.world.every("salesOrder")) == []
    (refused,) = [one for one in exceptions.opened(waiting.hub.store) if one.code == "rejected"]
    assert "cancel it in the channel" in refused.remedy


def test_a_channel_that_the_erp_ships_for_is_told_of_a_cancellation_once(tmp_path: Path, utc: Clock) -> None:
    shop = Shop()
    with office(tmp_path / "office", utc, shop=shop) as made:
        bare = plain_story().final | {"fulfillments": [], "fulfillment_status": None}
        take_in(made.hub, record(bare, "one"))
        made.settle()
        pulled(made)
        made.hands.cancel(f"so-shopify-{plain_story().order_id}")

        pulled(made)
        pulled(made)

        assert shop.called_off == {
            plain_story().order_id: {str(line["id"]): 0 for line in plain_story().final["line_items"]}
        }
        assert shop.calls == 1
        assert codes(made) == {"refund_due"}


def test_what_the_channel_says_of_the_cancellation_that_it_was_told_is_the_same_one(waiting: Office) -> None:
    waiting.hands.cancel(f"so-shopify-{plain_story().order_id}")
    pulled(waiting)
    before = units_of(waiting)
    gone = plain_story().final | {
        "fulfillments": [],
        "fulfillment_status": None,
        "cancelled_at": "2026-11-20T10:00:00-05:00",
        "updated_at": "2026-11-20T10:00:00-05:00",
    }

    take_in(waiting.hub, record(gone, "two"))
    waiting.settle()
    pulled(waiting)

    assert units_of(waiting) == before
    assert "reopened_in_erp" not in happened(waiting)  # the hub closed the rows itself now, and they are closed still
    assert "cancelled_elsewhere" not in codes(waiting)
    assert [x for x in reconcile(waiting.hub, "2026-11", []).sales.variances if x.residual_minor] == []
