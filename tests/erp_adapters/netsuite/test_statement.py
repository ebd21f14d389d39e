"""What NetSuite says of a period, by query."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from erp_adapters.netsuite.account.hands import Hands
from hub.model.documents import Rate
from hub.model.statement import ErpRow, Subject
from hub.testing.builders import captured, discount, fact, line, paid_out, refunded, shipping, snapshot, tax
from tests.erp_adapters.netsuite.desk import Desk, desk


@pytest.fixture
def netsuite() -> Iterator[Desk]:
    with desk() as made:
        yield made


def stated(netsuite: Desk) -> dict[Subject, ErpRow]:
    return {one.row.subject: one for one in netsuite.adapter.statement(date(2026, 3, 1), date(2026, 3, 31))}


def test_an_order_its_payment_and_its_refund_are_stated_by_component(netsuite: Desk) -> None:
    goods = line("1", 3, 1250, discounts=(discount(250),), taxes=(tax(219), tax(53, "County Tax")))
    netsuite.tell(
        fact(snapshot(goods, shipping=(shipping(500, (tax(31),)),))),
        captured("t1", 1, 4303),
        refunded("r1", 30),
        paid_out("t2", 31, 303, "r1"),
    )

    rows = stated(netsuite)

    order, paid, back = rows[Subject.ORDER], rows[Subject.PAYMENT], rows[Subject.REFUND]
    assert (order.key, order.row.channel, order.row.order) == ("so-webshop-1001", "webshop", "1001")
    assert (order.row.goods_minor, order.row.discount_minor) == (3750, -250)
    assert (order.row.shipping_minor, order.row.tax_minor, order.row.total_minor) == (500, 303, 4303)
    assert (paid.row.subject_id, paid.row.payment_minor) == ("t1", 4303)
    assert (back.row.subject_id, back.row.refund_minor) == ("t2", -303)
    assert not any(one.by_hand or one.voided for one in rows.values())


def test_a_cancelled_order_comes_to_nothing_while_its_rows_are_closed(netsuite: Desk) -> None:
    order = snapshot(line("1", 3, 1250))
    netsuite.tell(fact(order))
    cancelled = snapshot(line("1", 3, 1250), cancelled_at=order.placed_at, modified_at=order.placed_at)
    netsuite.told = netsuite.tell(fact(cancelled))

    assert stated(netsuite)[Subject.ORDER].row.total_minor == 0

    rec = netsuite.rec("so-webshop-1001")
    for row in rec.rows():
        row.fields["isClosed"] = False
    netsuite.world.touch(rec)

    assert stated(netsuite)[Subject.ORDER].row.total_minor == 3750


def test_amounts_are_in_the_orders_own_currency(netsuite: Desk) -> None:
    rate = Rate(Decimal("1.08"), date(2026, 3, 2), "ecb")
    netsuite.tell(fact(snapshot(line("1", 1, 1250), currency="EUR")), rate=rate)

    order = stated(netsuite)[Subject.ORDER].row

    assert (order.currency, order.total_minor) == ("EUR", 1250)


def test_what_a_person_changed_has_a_later_version_than_the_read_back(netsuite: Desk) -> None:
    (order,) = netsuite.tell(fact(snapshot(line("1", 3, 1250))))
    read = netsuite.read(order)
    assert read is not None
    assert stated(netsuite)[Subject.ORDER].version == read.version

    netsuite.clock.passes(60)
    Hands(netsuite.world).edit_amount("so-webshop-1001", Decimal("1.00"))

    edited = stated(netsuite)[Subject.ORDER]
    assert edited.row.total_minor == 3850
    assert edited.version > read.version


def test_what_a_person_typed_in_is_stated_too(netsuite: Desk) -> None:
    netsuite.tell(fact(snapshot(line("1", 3, 1250))))
    Hands(netsuite.world).copy("so-webshop-1001")

    rows = list(netsuite.adapter.statement(date(2026, 3, 1), date(2026, 3, 31)))

    assert [(one.key, one.by_hand, one.row.total_minor) for one in rows] == [
        ("so-webshop-1001", False, 3750),
        ("", True, 3750),
    ]


def test_a_day_is_tallied_by_channel_and_currency_without_being_read(netsuite: Desk) -> None:
    netsuite.tell(fact(snapshot(line("1", 3, 1250))))

    [tallied] = netsuite.adapter.tally(date(2026, 3, 1), date(2026, 3, 31))

    assert (tallied.channel, tallied.day, tallied.currency) == ("webshop", date(2026, 3, 2), "USD")
    assert (tallied.orders, tallied.total_minor) == (1, 3750)


def test_a_document_that_was_deleted_is_tallied_no_more(netsuite: Desk) -> None:
    netsuite.tell(fact(snapshot(line("1", 3, 1250))))
    Hands(netsuite.world).delete("so-webshop-1001")

    assert list(netsuite.adapter.tally(date(2026, 3, 1), date(2026, 3, 31))) == []
