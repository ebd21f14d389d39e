"""Changes: what people do in an ERP is told, once, in the order it was done, and nothing is passed over."""

from typing import Any, Final

import pytest

from hub.model.documents import DocumentKind
from hub.model.facts import FactKind, Fulfilment, FulfilmentStatus
from hub.model.records import Received, Translation
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack, StatesChanges, Translates
from hub.testing.conformance.erp_bench import ErpFarSide
from hub.testing.conformance.erp_stating import keys_of
from hub.testing.conformance.erp_stories import STORIES, Clerk, Story
from hub.testing.conformance.erp_wiring import SLUG, done, told
from hub.testing.conformance.wiring import Connect, needed, record

PAGES_MAX: Final = 1000


class TestChanging:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack, StatesChanges, Translates)
    rules = ("changes_are_told_once",)

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    @pytest.fixture
    def ordered(self, adapter: Any, far: ErpFarSide) -> Clerk:
        """An order that waits for its goods, and whatever was to be told before has been."""
        clerk = STORIES["two_shipments"].clerk(far.company)
        done(adapter, far, clerk.masters())
        done(adapter, far, clerk.learn(*next(iter(STORIES["two_shipments"].chapters(clerk)))))
        far.pass_time(3600)
        return clerk

    def test_a_shipment_by_hand_becomes_a_fact_of_the_channel_s_order(
        self, adapter: Any, far: ErpFarSide, ordered: Clerk
    ) -> None:
        _, since = read(adapter)
        far.ship(order_of(ordered), {"1": 2, "2": 1}, carrier="UPS", tracking_number="1Z9")
        far.pass_time(3600)

        received, cursor = read(adapter, since)

        (fact,) = [fact for one in received for fact in translated(adapter, one).facts]
        assert (fact.order, fact.kind) == (ordered.order, FactKind.FULFILMENT)
        assert isinstance(fact.body, Fulfilment)
        assert fact.body.status is FulfilmentStatus.SHIPPED
        assert {str(one.line): one.quantity for one in fact.body.lines} == {"1": 2, "2": 1}
        assert [parcel.tracking_number for parcel in fact.body.parcels] == ["1Z9"]
        assert fact.body.location == far.company.location
        assert facts_of(adapter, read(adapter, cursor)[0]) == []

    def test_shipments_of_one_moment_are_each_told_and_none_twice(
        self, adapter: Any, far: ErpFarSide, ordered: Clerk
    ) -> None:
        """Read between them, with the same stamp on both: what is told again has the same key."""
        _, since = read(adapter)
        first = far.ship(order_of(ordered), {"1": 1}, carrier="UPS", tracking_number="1Z1")
        early, cursor = read(adapter, since)
        second = far.ship(order_of(ordered), {"2": 2}, carrier="UPS", tracking_number="1Z2")
        third = far.ship(order_of(ordered), {"2": 1}, carrier="UPS", tracking_number="1Z3")
        late, cursor = read(adapter, cursor)
        far.pass_time(3600)
        later, _ = read(adapter, cursor)

        shipped = {one.key: fact for one in [*early, *late, *later] for fact in translated(adapter, one).facts}
        assert len({first, second, third}) == 3
        assert len(shipped) == 3
        assert len({fact.external_id for fact in shipped.values()}) == 3

    def test_a_shipment_that_is_deleted_is_told_as_cancelled(
        self, adapter: Any, far: ErpFarSide, ordered: Clerk
    ) -> None:
        ref = far.ship(order_of(ordered), {"1": 2}, carrier="UPS", tracking_number="1Z9")
        far.pass_time(3600)
        before, since = read(adapter)
        (first,) = facts_of(adapter, before)
        far.unship(ref)
        far.pass_time(3600)

        after, _ = read(adapter, since)

        (again,) = facts_of(adapter, after)
        assert again.external_id == first.external_id
        assert again.modified_at > first.modified_at
        assert isinstance(again.body, Fulfilment)
        assert again.body.status is FulfilmentStatus.CANCELLED

    def test_what_the_hub_wrote_is_no_change_of_an_order(self, adapter: Any, far: ErpFarSide, story: Story) -> None:
        told(story, adapter, far)
        far.pass_time(3600)

        received, _ = read(adapter)

        assert facts_of(adapter, received) == []

    def test_a_hand_edit_is_told_once(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        far.pass_time(3600)
        _, since = read(adapter)
        far.edit(keys_of(clerk, DocumentKind.PAYMENT)[0], 250)
        far.pass_time(3600)

        received, cursor = read(adapter, since)

        said = [found for one in received if not (found := translated(adapter, one)).levels]
        assert len(said) == 1
        assert said[0].ignored or said[0].facts or said[0].problems
        assert [one for one in read(adapter, cursor)[0] if one.key in {x.key for x in received}] == []

    def test_stock_that_people_count_is_told_as_what_is_there(self, adapter: Any, far: ErpFarSide) -> None:
        done(adapter, far, Clerk(far.company).masters())
        far.pass_time(3600)
        _, since = read(adapter)
        item = next(iter(far.company.items))
        on_hand = far.count(item, -3)
        far.pass_time(3600)

        received, _ = read(adapter, since)

        levels = [level for one in received for level in translated(adapter, one).levels]
        (level,) = [level for level in levels if (level.item, level.location) == (item, far.company.location)]
        assert (level.entity, level.on_hand) == (far.company.entity, on_hand)

    def test_a_cursor_is_as_good_in_another_process(self, connect: Connect, far: ErpFarSide, ordered: Clerk) -> None:
        first, second = connect(), connect()
        needed(first, PutsDocuments, StatesChanges, Translates)
        far.ship(order_of(ordered), {"1": 1}, carrier="UPS", tracking_number="1Z1")
        far.pass_time(3600)
        received, cursor = read(first)
        far.ship(order_of(ordered), {"1": 1}, carrier="UPS", tracking_number="1Z2")
        far.pass_time(3600)

        again, _ = read(second, cursor)

        assert len(facts_of(first, received)) == len(facts_of(second, again)) == 1
        assert all(one.channel == SLUG for one in [*received, *again])


def read(adapter: Any, since: str | None = None) -> tuple[list[Received], str]:
    """All that is told after the cursor, and the cursor after it."""
    received: list[Received] = []
    pages = list(adapter.changes(since))
    assert pages, "at least one page, though it be empty"
    assert len(pages) <= PAGES_MAX
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    for page in pages:
        received.extend(page.received)
    return received, pages[-1].cursor


def translated(adapter: Any, received: Received) -> Translation:
    found: Translation = adapter.translate(record(received))
    return found


def facts_of(adapter: Any, received: list[Received]) -> list[Any]:
    return [fact for one in received for fact in translated(adapter, one).facts]


def order_of(clerk: Clerk) -> str:
    (key,) = keys_of(clerk, DocumentKind.SALES_ORDER)
    return key
