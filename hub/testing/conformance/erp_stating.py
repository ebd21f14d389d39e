"""Statements: an ERP lists every order, refund and payment of a period, whoever made it, as it stands now."""

from datetime import date, timedelta
from typing import Any, Final

import pytest

from hub.model.documents import Component, Document, DocumentKey, DocumentKind
from hub.model.order import OrderKey
from hub.model.statement import ErpRow, Subject
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack, StatesDocuments, TalliesDocuments
from hub.testing.conformance.erp_bench import ErpFarSide
from hub.testing.conformance.erp_stories import STORIES, Clerk, Story
from hub.testing.conformance.erp_wiring import done, told
from hub.testing.conformance.wiring import Connect, needed

SUBJECTS: Final = {
    DocumentKind.SALES_ORDER: Subject.ORDER,
    DocumentKind.REFUND: Subject.REFUND,
    DocumentKind.CASH_REFUND: Subject.REFUND,
    DocumentKind.CASH_SALE: Subject.PAYMENT,
    DocumentKind.PAYMENT: Subject.PAYMENT,
    DocumentKind.DEPOSIT: Subject.PAYMENT,
}
PARTS: Final = {
    Component.GOODS: "goods",
    Component.GIFT_CARD: "goods",
    Component.DISCOUNT: "discount",
    Component.SHIPPING: "shipping",
    Component.TAX: "tax",
    Component.MARKETPLACE_TAX: "tax",
    Component.CASH_ROUNDING: "tax",
    Component.TAX_ROUNDING: "tax",
    Component.DUTY: "charges",
    Component.TIP: "charges",
    Component.FEE: "charges",
    Component.ADJUSTMENT: "charges",
}
MARCH: Final = (date(2026, 3, 1), date(2026, 3, 31))
APRIL: Final = (date(2026, 4, 1), date(2026, 4, 30))


class TestStatingDocuments:
    abilities = (PutsDocuments, ProbesDocuments, ReadsBack, StatesDocuments)
    rules = ("statement_is_whole", "hand_changes_are_seen")

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    def test_each_document_has_a_row_of_what_it_was_told_as(self, adapter: Any, far: ErpFarSide, story: Story) -> None:
        clerk = told(story, adapter, far)

        rows = list(adapter.statement(*MARCH))

        wanted = {one.key: one for one in clerk.documents.values() if one.kind in SUBJECTS}
        assert sorted(row.key for row in rows) == sorted(wanted)
        for row in rows:
            document = wanted[DocumentKey(row.key)]
            assert as_row(row) == as_told(document), row.key
            assert (row.voided, row.by_hand) == (False, False), row.key
            assert row.ref
            if row.row.subject is Subject.ORDER and not taken_out(document, row):
                assert parts_stated(row) == parts_told(document), row.key

    def test_the_period_bounds_it_to_the_day(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["returned"], adapter, far)
        days = {one.date for one in clerk.documents.values() if one.kind in SUBJECTS}
        first, last = min(days), max(days)

        assert len(list(adapter.statement(first, last))) == len(list(adapter.statement(*MARCH)))
        assert list(adapter.statement(date(2026, 2, 1), first - timedelta(days=1))) == []
        assert list(adapter.statement(last + timedelta(days=1), date(2026, 4, 30))) == []

    def test_many_orders_are_each_listed_once(self, adapter: Any, far: ErpFarSide) -> None:
        clerks = [Clerk(far.company, order=OrderKey("webshop", str(number))) for number in range(2001, 2013)]
        done(adapter, far, clerks[0].masters())
        for clerk in clerks:
            for chapter in list(STORIES["paid_and_shipped"].chapters(clerk))[:1]:
                done(adapter, far, clerk.learn(*chapter))

        rows = list(adapter.statement(*MARCH))

        assert len({row.ref for row in rows}) == len(rows) == 24
        assert {row.row.order for row in rows} == {clerk.order.external_id for clerk in clerks}

    def test_what_is_typed_in_by_hand_has_no_key(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        payment = keys_of(clerk, DocumentKind.PAYMENT)[0]
        ref = far.copy(payment)

        rows = list(adapter.statement(*MARCH))

        (typed,) = [row for row in rows if not row.key]
        assert (typed.ref, typed.by_hand, typed.voided) == (ref, True, False)
        assert typed.row.payment_minor == clerk.documents[payment].total_minor
        assert len(rows) == len([one for one in clerk.documents.values() if one.kind in SUBJECTS]) + 1

    @pytest.mark.parametrize("kind", [DocumentKind.SALES_ORDER, DocumentKind.PAYMENT])
    def test_what_is_edited_by_hand_shows_as_it_stands_now(
        self, adapter: Any, far: ErpFarSide, kind: DocumentKind
    ) -> None:
        clerk = STORIES["on_account"].clerk(far.company)
        chapters = list(STORIES["on_account"].chapters(clerk))
        done(adapter, far, clerk.masters())
        for chapter in chapters:
            done(adapter, far, clerk.learn(*chapter))
        key = keys_of(clerk, kind)[0]
        far.pass_time(3600)
        (read,) = adapter.read_back([clerk.documents[key]])
        far.edit(key, 250)

        (edited,) = [row for row in adapter.statement(*MARCH) if row.key == key]

        before = clerk.documents[key].total_minor
        after = edited.row.payment_minor if kind is DocumentKind.PAYMENT else edited.row.total_minor
        assert after == before + 250
        assert edited.by_hand or edited.version > read.version  # so that it is told from what we wrote
        others = [row for row in adapter.statement(*MARCH) if row.key != key]
        assert not [row.key for row in others if row.by_hand]

    def test_what_is_deleted_by_hand_is_gone_or_marked(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        key = keys_of(clerk, DocumentKind.PAYMENT)[-1]
        far.delete(key)

        rows = [row for row in adapter.statement(*MARCH) if row.key == key]
        (read,) = adapter.read_back([clerk.documents[key]])

        assert all(row.voided for row in rows)
        assert read is None or read.voided

    def test_what_is_moved_by_hand_is_in_the_other_period(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["on_account"], adapter, far)
        key = keys_of(clerk, DocumentKind.PAYMENT)[-1]
        (read,) = adapter.read_back([clerk.documents[key]])
        far.pass_time(3600)
        far.move(key, date(2026, 4, 2))

        assert key not in {row.key for row in adapter.statement(*MARCH)}
        (moved,) = adapter.statement(*APRIL)
        assert (moved.key, moved.row.date) == (key, date(2026, 4, 2))
        assert moved.by_hand or moved.version > read.version

    def test_what_the_hub_amends_is_not_by_hand(self, adapter: Any, far: ErpFarSide) -> None:
        """Written hours after it was first."""
        clerk = STORIES["edited"].clerk(far.company)
        for writes in STORIES["edited"].told(clerk):
            far.pass_time(7200)
            done(adapter, far, writes)

        assert [row.key for row in adapter.statement(*MARCH) if row.by_hand] == []


class TestTallyingDocuments:
    """What is counted without being listed: a sum may be another than the listed one, a count may not."""

    abilities = (PutsDocuments, ProbesDocuments, ReadsBack, StatesDocuments, TalliesDocuments)
    rules = ("tallies_count_what_the_statement_lists",)

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    def test_orders_of_each_day_are_counted_and_summed_as_the_statement_lists_them(
        self, adapter: Any, far: ErpFarSide
    ) -> None:
        listed = stated_by_day(adapter, many_orders(adapter, far))

        tallied = {(one.channel, one.day, one.currency): (one.orders, one.total_minor) for one in adapter.tally(*MARCH)}

        assert tallied == listed
        assert sum(orders for orders, _ in listed.values()) == 7

    def test_the_period_bounds_it_to_the_day(self, adapter: Any, far: ErpFarSide) -> None:
        days = {day for _, day, _ in stated_by_day(adapter, many_orders(adapter, far))}
        first, last = min(days), max(days)

        assert sum(one.orders for one in adapter.tally(first, last)) == 7
        assert list(adapter.tally(date(2026, 2, 1), first - timedelta(days=1))) == []
        assert list(adapter.tally(last + timedelta(days=1), date(2026, 4, 30))) == []

    def test_an_order_that_is_deleted_by_hand_is_counted_no_more(self, adapter: Any, far: ErpFarSide) -> None:
        many_orders(adapter, far)
        alone = Clerk(far.company, order=OrderKey("webshop", "2099"))  # nothing hangs on it yet
        done(adapter, far, alone.learn(*next(iter(STORIES["on_account"].chapters(alone)))))
        before = sum(one.orders for one in adapter.tally(*MARCH))

        far.delete(keys_of(alone, DocumentKind.SALES_ORDER)[0])

        assert (before, sum(one.orders for one in adapter.tally(*MARCH))) == (8, 7)

    def test_an_order_that_is_edited_by_hand_is_counted_still_and_its_day_says_so(
        self, adapter: Any, far: ErpFarSide
    ) -> None:
        clerk = many_orders(adapter, far)[0]
        before = sum(one.total_minor for one in adapter.tally(*MARCH))
        far.pass_time(3600)

        far.edit(keys_of(clerk, DocumentKind.SALES_ORDER)[0], 250)

        after = list(adapter.tally(*MARCH))
        assert sum(one.orders for one in after) == 7
        assert sum(one.total_minor for one in after) == before + 250

    def test_nothing_is_tallied_of_what_is_no_order(self, adapter: Any, far: ErpFarSide) -> None:
        clerk = told(STORIES["returned"], adapter, far)

        tallied = list(adapter.tally(*MARCH))

        assert len(clerk.documents) > 1
        assert sum(one.orders for one in tallied) == len(keys_of(clerk, DocumentKind.SALES_ORDER)) == 1


def many_orders(adapter: Any, far: ErpFarSide) -> list[Clerk]:
    """Seven orders that were paid or placed, each with its documents in the ERP."""
    clerks = [Clerk(far.company, order=OrderKey("webshop", str(number))) for number in range(2001, 2008)]
    done(adapter, far, clerks[0].masters())
    for clerk in clerks:
        for chapter in list(STORIES["paid_and_shipped"].chapters(clerk))[:1]:
            done(adapter, far, clerk.learn(*chapter))
    return clerks


def stated_by_day(adapter: Any, clerks: list[Clerk]) -> dict[tuple[str, date, str], tuple[int, int]]:
    """By channel, day and currency: how many orders the statement lists, and what they come to."""
    found: dict[tuple[str, date, str], tuple[int, int]] = {}
    for one in adapter.statement(*MARCH):
        row = one.row
        if row.subject is Subject.ORDER and not one.voided:
            count, total = found.get((row.channel, row.date, row.currency), (0, 0))
            found[row.channel, row.date, row.currency] = (count + 1, total + row.total_minor)
    assert sum(count for count, _ in found.values()) == len(clerks)
    return found


def keys_of(clerk: Clerk, kind: DocumentKind) -> list[DocumentKey]:
    return [one.key for one in clerk.documents.values() if one.kind is kind]


def taken_out(document: Document, row: ErpRow) -> bool:
    """An edit or a cancellation took something out: a component of its own for one side, less goods for another."""
    told = any(line.component is Component.ADJUSTMENT and line.amount_minor for line in document.lines)
    return told or bool(row.row.edited_minor or row.row.cancelled_minor)


def parts_stated(row: ErpRow) -> dict[str, int]:
    said = row.row
    tax = said.tax_minor + said.rounding_minor  # which an export may have in one figure
    parts = {"goods": said.goods_minor, "discount": said.discount_minor, "shipping": said.shipping_minor, "tax": tax}
    return parts | {"charges": said.charges_minor}


def parts_told(document: Document) -> dict[str, int]:
    parts = dict.fromkeys(("goods", "discount", "shipping", "tax", "charges"), 0)
    for line in document.lines:
        parts[PARTS[line.component]] += line.amount_minor
    return parts


def as_row(row: ErpRow) -> tuple[Any, ...]:
    said = row.row
    amount = {Subject.ORDER: said.total_minor, Subject.REFUND: said.refund_minor, Subject.PAYMENT: said.payment_minor}
    return (said.entity, said.channel, said.order, said.subject, said.currency, said.date, amount[said.subject])


def as_told(document: Document) -> tuple[Any, ...]:
    subject = SUBJECTS[document.kind]
    order = document.order
    assert order is not None
    amount = -document.total_minor if subject is Subject.REFUND else document.total_minor
    return (document.entity, order.channel, order.external_id, subject, document.currency, document.date, amount)
