"""Stock that orders share: levels as the ERP has them, what is reserved of them, and who waits for more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, or_, select, tuple_, update

from hub.model.allocation import NOTHING_ALLOCATED, Allocation, Backorder, Place, Reservation, StockMove
from hub.model.order import LineId, OrderKey
from hub.model.records import StockLevel
from hub.store.bulk import add, upserting
from hub.store.orders import CHUNK, Overtaken, in_keys
from hub.store.schema import backorder, reservation, stock

WAITING_MAX: Final = 10_000  # backorders looked at, the oldest first, when stock arrives

_AT: Final = (stock.c.entity == bindparam("at_entity"), stock.c.item == bindparam("at_item"))
_PLACE: Final = (*_AT, stock.c.location == bindparam("at_location"))


def keep_levels(connection: Connection, levels: Iterable[StockLevel]) -> bool:
    """Each level stands, unless a newer one did; whether any rose.

    Rows are taken in the order of their places, as everywhere, so that two writers never wait for each other.
    """
    newest: dict[Place, StockLevel] = {}
    for level in levels:
        place = Place(level.entity, level.item, level.location)
        if place not in newest or newest[place].as_of < level.as_of:
            newest[place] = level
    held = lock(connection, newest)
    rows = [
        {
            "entity": place.entity,
            "item": place.item,
            "location": place.location,
            "on_hand": newest[place].on_hand,
            "reserved": 0,
            "as_of": newest[place].as_of,
        }
        for place in sorted(newest)
    ]
    statement = upserting(connection.dialect, stock)
    fresh = {name: statement.excluded[name] for name in ("on_hand", "as_of")}
    statement = statement.on_conflict_do_update(
        index_elements=["entity", "item", "location"], set_=fresh, where=stock.c.as_of < statement.excluded.as_of
    )
    connection.execute(statement, rows)
    after = lock(connection, newest)
    return any(free > held.get(place, 0) for place, free in after.items())


def lock(connection: Connection, places: Iterable[Place]) -> dict[Place, int]:
    """The units of each place that are free (negative: more is reserved than there), this transaction's to dispose of.

    A place that the ERP never spoke of is left out. On SQLite the write lock is the whole store already.
    """
    free: dict[Place, int] = {}
    wanted = sorted(set(places))
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        query = (
            select(stock.c.entity, stock.c.item, stock.c.location, stock.c.on_hand - stock.c.reserved)
            .where(tuple_(stock.c.entity, stock.c.item, stock.c.location).in_(part))
            .order_by(stock.c.entity, stock.c.item, stock.c.location)
            .with_for_update()
        )
        free.update((Place(*row[:3]), row[3]) for row in connection.execute(query))
    return free


def levels(connection: Connection, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    """What is on hand at each place, and the `as_of` of the ERP's word."""
    found: dict[Place, tuple[int, int]] = {}
    wanted = sorted(set(places))
    columns = (stock.c.entity, stock.c.item, stock.c.location)
    for start in range(0, len(wanted), CHUNK):
        query = select(*columns, stock.c.on_hand, stock.c.as_of).where(
            tuple_(*columns).in_(wanted[start : start + CHUNK])
        )
        found.update((Place(*row[:3]), (row[3], row[4])) for row in connection.execute(query))
    return found


def move(connection: Connection, moves: Mapping[Place, StockMove]) -> None:
    """Reserved and on hand are as the moves say; a unit is taken only where one is free.

    Raises:
        Overtaken: another transaction took one of the units.
    """
    rows = [
        {
            "at_entity": place.entity,
            "at_item": place.item,
            "at_location": place.location,
            "taken": moves[place].taken,
            "grown": moves[place].taken - moves[place].given_back,
            "gone": moves[place].left,
        }
        for place in sorted(moves)
    ]
    if not rows:
        return
    grown = stock.c.reserved + bindparam("grown")
    statement = (
        update(stock)
        .where(*_PLACE, or_(bindparam("taken") == 0, stock.c.on_hand - stock.c.reserved >= bindparam("taken")))
        .values(reserved=grown, on_hand=stock.c.on_hand - bindparam("gone"))
    )
    if connection.execute(statement, rows).rowcount != len(rows):
        raise Overtaken("advance: another worker took stock meanwhile; the orders are decided anew")


def allocations(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, Allocation]:
    """What each of these orders has and lacks; one that has and lacks nothing is absent."""
    reserved: dict[OrderKey, list[Reservation]] = {}
    lacking: dict[OrderKey, list[Backorder]] = {}
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        rows = select(reservation).where(in_keys(reservation, part)).order_by(*reservation.primary_key.columns)
        for x in connection.execute(rows):
            one = Reservation(LineId(x.line), Place(x.entity, x.item, x.location), x.quantity)
            reserved.setdefault(OrderKey(x.channel, x.order_id), []).append(one)
        rows = select(backorder).where(in_keys(backorder, part)).order_by(*backorder.primary_key.columns)
        for x in connection.execute(rows):
            short = Backorder(LineId(x.line), x.entity, x.item, x.quantity)
            lacking.setdefault(OrderKey(x.channel, x.order_id), []).append(short)
    wanted = set(keys)
    return {
        key: Allocation(tuple(reserved.get(key, ())), tuple(lacking.get(key, ())))
        for key in sorted({*reserved, *lacking} & wanted)
    }


def keep_allocations(
    connection: Connection, before: Mapping[OrderKey, Allocation], after: Mapping[OrderKey, tuple[Allocation, str]]
) -> None:
    """The rows of these orders are what they have and lack now.

    Args:
        after: with when the order was placed, stamped: the oldest backorders are served first.
    """
    changed = [key for key in sorted(after) if before.get(key, NOTHING_ALLOCATED) != after[key][0]]
    for start in range(0, len(changed), CHUNK):
        part = changed[start : start + CHUNK]
        for table in (reservation, backorder):
            connection.execute(table.delete().where(in_keys(table, part)))
    reserved: list[dict[str, Any]] = []
    lacking: list[dict[str, Any]] = []
    for key in changed:
        allocation, placed_at = after[key]
        of_order = {"channel": key.channel, "order_id": key.external_id}
        for one in allocation.reservations:
            reserved.append({**of_order, "line": one.line, **one.place._asdict(), "quantity": one.quantity})
        for short in allocation.backorders:
            what = {"line": short.line, "entity": short.entity, "item": short.item, "quantity": short.quantity}
            lacking.append({**of_order, **what, "placed_at": placed_at})
    add(connection, reservation, reserved)
    add(connection, backorder, lacking)


def waiting(connection: Connection, locations: Mapping[str, Sequence[str]]) -> list[OrderKey]:
    """The backordered orders that what is free now can serve, at least in part, the oldest first.

    Args:
        locations: where each channel takes from.
    """
    if not locations:
        return []
    reach = [and_(backorder.c.channel == slug, stock.c.location.in_(codes)) for slug, codes in locations.items()]
    oldest_first = (backorder.c.placed_at, backorder.c.channel, backorder.c.order_id, backorder.c.line)
    query = (
        select(
            *(backorder.c[name] for name in ("channel", "order_id", "line", "entity", "item", "quantity")),
            stock.c.location,
            (stock.c.on_hand - stock.c.reserved).label("free"),
        )
        .join_from(backorder, stock, and_(stock.c.entity == backorder.c.entity, stock.c.item == backorder.c.item))
        .where(stock.c.on_hand > stock.c.reserved, or_(*reach))
        .order_by(*oldest_first)
        .limit(WAITING_MAX)
    )
    free: dict[Place, int] = {}
    lacks: dict[tuple[OrderKey, str], int] = {}
    found: dict[OrderKey, None] = {}
    for x in connection.execute(query):
        key, place = OrderKey(x.channel, x.order_id), Place(x.entity, x.item, x.location)
        there = free.setdefault(place, x.free)
        short = lacks.setdefault((key, x.line), x.quantity)
        count = min(there, short)
        if count > 0:
            free[place] = there - count
            lacks[key, x.line] = short - count
            found[key] = None
    return list(found)
