"""Stock that orders share: never promised twice, the loser is backordered, what arrives goes to the oldest."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listens_for

from hub.model.allocation import Place
from hub.model.records import StockLevel
from hub.settings.parts import Allocate
from hub.steps import allocating
from hub.steps.advance import advance, advance_all
from hub.steps.capture import capture
from hub.steps.erp_changes import pull_erp
from hub.steps.exceptions import reconsider_due
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.showing import show_order
from hub.store.schema import backorder, reservation, stock
from hub.store.views import backlog
from tests.hub.steps.conftest import OpenHub, plain_story, record, take_in

Json = dict[str, Any]
MUG = "MUG-ENAMEL-BLU"
STOVE = "STOVE-MINI"
LINE = "770001"
OTHER_LINE = "770002"


def allocate_from(hub: Hub, *locations: str) -> Hub:
    """The hub, its channel allocating from these locations."""
    (channel,) = hub.settings.channels
    channel = channel.model_copy(update={"allocate": Allocate(locations=locations)})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"channels": (channel,)}))
    return hub


@pytest.fixture
def shop(hub: Hub) -> Hub:
    return allocate_from(hub, "main", "east")


def level(hub: Hub, on_hand: int, *, at: str = "main", item: str = MUG, as_of: int = 1) -> None:
    """The ERP says so; those who wait are asked."""
    if allocating.keep_levels(hub, [StockLevel("main", item, at, on_hand, as_of)]):
        reconsider_due(hub)


def order(number: int, quantity: int = 1, *, mugs: bool = True, stoves: int = 0, minute: int | None = None) -> Json:
    """A paid order of mugs and stoves, placed in minute `number` unless said otherwise."""
    story = plain_story().final
    template = story["line_items"][0]
    placed = f"2026-10-20T10:{number if minute is None else minute:02}:00+00:00"
    lines = [_line(template, LINE, MUG, "12.50", quantity)] if mugs else []
    if stoves:
        lines.append(_line(template, OTHER_LINE, STOVE, "44.50", stoves))
    total = f"{12.5 * quantity * mugs + 44.5 * stoves:.2f}"
    sale = story["transactions"][0] | {"id": 9_000 + number, "amount": total, "kind": "sale", "parent_id": None}
    return story | {
        "id": 5_000_000 + number,
        "name": f"#{number}",
        "created_at": placed,
        "processed_at": placed,
        "updated_at": placed,
        "line_items": lines,
        "fulfillments": [],
        "fulfillment_status": None,
        "refunds": [],
        "shipping_lines": [],
        "tax_lines": [],
        "discount_codes": [],
        "discount_applications": [],
        "total_discounts": "0.00",
        "total_tax": "0.00",
        "total_shipping_price_set": _money("0.00"),
        "total_price": total,
        "subtotal_price": total,
        "total_line_items_price": total,
        "current_total_price": total,
        "transactions": [sale | {"order_id": 5_000_000 + number}],
    }


def _line(template: Json, id: str, sku: str, price: str, quantity: int) -> Json:
    return template | {
        "id": int(id),
        "sku": sku,
        "title": sku,
        "price": price,
        "price_set": _money(price),
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "requires_shipping": True,
        "gift_card": False,
        "tax_lines": [],
        "discount_allocations": [],
        "total_discount": "0.00",
    }


def _money(amount: str) -> Json:
    money = {"amount": amount, "currency_code": "USD"}
    return {"shop_money": money, "presentment_money": money}


def fulfilled(final: Json, quantity: int, status: str = "success", line: str = LINE) -> Json:
    when = "2026-10-25T10:00:00+00:00"
    parcel = {
        "id": 88_000 + final["id"],
        "order_id": final["id"],
        "status": status,
        "created_at": when,
        "updated_at": when,
        "location_id": None,
        "line_items": [{"id": int(line), "quantity": quantity}],
    }
    return final | {"fulfillments": [parcel], "updated_at": when}


def cancelled(final: Json) -> Json:
    when = "2026-10-26T10:00:00+00:00"
    return final | {"cancelled_at": when, "cancel_reason": "customer", "updated_at": when}


def sight(hub: Hub, final: Json, line: str = LINE) -> tuple[int, int]:
    """What the order's line has and lacks."""
    (found,) = [x for x in show_order(hub, f"shopify/{final['id']}").lines if x.line == line]
    return found.allocated, found.backordered


def levels(hub: Hub) -> dict[tuple[str, str], tuple[int, int]]:
    """On hand and reserved by item and location."""
    with hub.store.connect() as connection:
        return {(x.item, x.location): (x.on_hand, x.reserved) for x in connection.execute(select(stock))}


def take(hub: Hub, *finals: Json) -> None:
    take_in(hub, *[record(f, f"{f['id']}-{random.random()}") for f in finals])


def test_an_order_reserves_what_is_there_and_lacks_the_rest(shop: Hub) -> None:
    level(shop, 3)
    final = order(1, 5)

    take(shop, final)

    assert sight(shop, final) == (3, 2)
    assert levels(shop) == {(MUG, "main"): (3, 3)}
    assert backlog.backordered(shop.store) == backlog.Backordered(orders=1, units=2, items=1)
    assert show_order(shop, f"shopify/{final['id']}").holds == []


def test_stock_is_taken_from_the_first_location_that_has_it(shop: Hub) -> None:
    level(shop, 2, at="east")
    level(shop, 1, at="main")
    level(shop, 9, at="west")

    take(shop, order(1, 3))

    assert levels(shop) == {(MUG, "main"): (1, 1), (MUG, "east"): (2, 2), (MUG, "west"): (9, 0)}


def test_the_older_order_of_a_batch_is_served_first(shop: Hub) -> None:
    level(shop, 1)
    younger, older = order(1, minute=30), order(2, minute=10)

    take(shop, younger, older)

    assert (sight(shop, older), sight(shop, younger)) == ((1, 0), (0, 1))


def test_what_arrives_goes_to_the_oldest_backorder_first(shop: Hub) -> None:
    level(shop, 0)
    younger, older = order(1, minute=30), order(2, minute=10)
    take(shop, younger)
    take(shop, older)

    level(shop, 1, as_of=2)
    one = (sight(shop, older), sight(shop, younger))
    level(shop, 2, as_of=3)

    assert one == ((1, 0), (0, 1))
    assert (sight(shop, older), sight(shop, younger)) == ((1, 0), (1, 0))
    assert backlog.backordered(shop.store).orders == 0


def test_an_older_level_told_later_changes_nothing(shop: Hub) -> None:
    level(shop, 4, as_of=7)

    level(shop, 9, as_of=6)

    assert levels(shop) == {(MUG, "main"): (4, 0)}


def test_a_cancelled_order_gives_back_to_the_oldest_that_waits(shop: Hub) -> None:
    level(shop, 1)
    first, second, third = order(1), order(2), order(3)
    take(shop, first, second, third)

    take(shop, cancelled(first))

    assert [sight(shop, x) for x in (first, second, third)] == [(0, 0), (1, 0), (0, 1)]


def test_what_shipped_is_no_longer_reserved_nor_free_before_the_erp_says_so(shop: Hub) -> None:
    level(shop, 2)
    first, second = order(1, 2), order(2)
    take(shop, first, second)

    take(shop, fulfilled(first, 2))

    assert sight(shop, second) == (0, 1)
    assert levels(shop) == {(MUG, "main"): (0, 0)}


def test_a_shipment_that_is_announced_and_still_here_is_picked(shop: Hub) -> None:
    level(shop, 2)
    final = order(1, 2)

    take(shop, fulfilled(final, 1, "pending"))

    (line,) = show_order(shop, f"shopify/{final['id']}").lines
    assert (line.allocated, line.picked, line.shipped, line.open) == (2, 1, 0, 2)


def test_a_held_order_takes_nothing(shop: Hub) -> None:
    level(shop, 1)
    held = order(1)
    held["transactions"] = []
    held["financial_status"] = "pending"

    take(shop, held)

    assert show_order(shop, f"shopify/{held['id']}").row.holds == 1
    assert (sight(shop, held), levels(shop)) == ((0, 0), {(MUG, "main"): (1, 0)})


def test_what_the_erp_shipped_leaves_its_level_and_its_reservation_alike(shop: Hub) -> None:
    """The whole way round: received there, reserved here, shipped there, told back."""
    take(shop, order(9, mugs=False, stoves=1))  # makes an item known to the ledger
    send_all(shop)
    shop.erp.receive(STOVE, 3, 5205)
    pull_erp(shop)
    advance_all(shop)
    final = order(1, mugs=False, stoves=2)
    take(shop, final)
    send_all(shop)
    before = levels(shop)

    shop.erp.fulfil(f"so-shopify-{final['id']}", {OTHER_LINE: 2})
    pull_erp(shop)
    advance_all(shop)

    assert before == {(STOVE, "main"): (3, 3)}
    assert levels(shop) == {(STOVE, "main"): (1, 1)}
    assert sight(shop, final, OTHER_LINE) == (0, 0)


def test_goods_received_in_the_erp_go_to_who_waits_before_who_comes_with_them(shop: Hub) -> None:
    """The level and a new order are advanced in one batch."""
    older, younger = order(1, mugs=False, stoves=2), order(2, mugs=False, stoves=2)
    take(shop, older)
    send_all(shop)
    level(shop, 0, item=STOVE, as_of=0)
    shop.erp.receive(STOVE, 3, 5205)
    pull_erp(shop)

    take(shop, younger)

    assert sight(shop, older, OTHER_LINE) == (2, 0)
    assert sight(shop, younger, OTHER_LINE) == (1, 1)


def test_two_workers_for_the_last_unit_exactly_one_gets_it(open_one: OpenHub) -> None:
    hub = allocate_from(open_one(), "main")
    other = allocate_from(open_one(), "main")
    level(hub, 1)
    first, second = order(1), order(2)
    capture(hub, [record(first, "one")])
    races: list[str] = []

    @listens_for(hub.store, "before_cursor_execute")
    def race(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """All was read and nothing written when the other comes along."""
        if not races and statement.startswith("SELECT DISTINCT intent.document_key"):
            races.append(statement)
            thread = threading.Thread(target=take, args=(other, second))
            thread.start()
            thread.join()

    advance(hub)

    assert races
    got = sorted([sight(hub, first), sight(hub, second)])
    assert got == [(0, 1), (1, 0)]
    assert levels(hub) == {(MUG, "main"): (1, 1)}


def test_workers_at_once_never_promise_a_unit_twice_nor_wait_for_each_other_for_ever(open_one: OpenHub) -> None:
    hubs = [allocate_from(open_one(), "main", "east") for _ in range(3)]
    for item in (MUG, STOVE):
        level(hubs[0], 7, item=item)
        level(hubs[0], 5, item=item, at="east")

    def work(hub: Hub, numbers: range) -> None:
        for number in numbers:
            final = order(number, 1 + number % 2, stoves=number % 3)
            capture(hub, [record(final, f"w-{final['id']}")])
            advance_all(hub)

    with ThreadPoolExecutor(3) as workers:
        done = [workers.submit(work, hub, range(n, 30, 3)) for n, hub in enumerate(hubs)]
    for one in done:
        one.result()

    check_books(hubs[0])
    assert levels(hubs[0])[MUG, "main"] == (7, 7)


def test_whatever_happens_what_is_reserved_is_the_sum_of_reservations(shop: Hub) -> None:
    chance = random.Random(11)
    finals: dict[int, Json] = {}
    told = 0
    for step in range(60):
        match chance.choice(["order", "order", "ship", "cancel", "level", "level"]):
            case "order":
                final = order(step, chance.randint(1, 4), stoves=chance.randint(0, 2))
                finals[step] = final
                take(shop, final)
            case "ship" if finals:
                number = chance.choice(sorted(finals))
                units = finals[number]["line_items"][0]["quantity"]
                finals[number] = fulfilled(finals[number], chance.randint(1, units))
                take(shop, finals[number])
            case "cancel" if finals:
                number = chance.choice(sorted(finals))
                finals[number] = cancelled(finals[number])
                take(shop, finals[number])
            case _:
                told += 1
                item, at = chance.choice([MUG, STOVE]), chance.choice(["main", "east"])
                level(shop, chance.randint(0, 9), at=at, item=item, as_of=told)
        check_books(shop)


def check_books(hub: Hub) -> None:
    """Reservations and stock agree, nothing is negative, and nobody waits beside a free unit."""
    with hub.store.connect() as connection:
        places = (reservation.c.entity, reservation.c.item, reservation.c.location)
        sums = select(*places, func.sum(reservation.c.quantity)).group_by(*places)
        by_place = {Place(*row[:3]): int(row[3]) for row in connection.execute(sums)}
        kept = {Place(x.entity, x.item, x.location): x.reserved for x in connection.execute(select(stock))}
        least = connection.execute(select(func.min(reservation.c.quantity))).scalar()
        lacking = connection.execute(select(func.min(backorder.c.quantity))).scalar()
    assert {place: units for place, units in kept.items() if units} == by_place
    assert min(kept.values(), default=0) >= 0
    assert (least or 1) > 0
    assert (lacking or 1) > 0
    assert allocating.waiting(hub) == []


def test_where_nothing_is_allocated_no_question_is_asked(hub: Hub) -> None:
    asked: list[str] = []

    @listens_for(hub.store, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    take(hub, order(1))

    assert [x for x in asked if "reservation" in x or "stock" in x or "backorder" in x] == []
