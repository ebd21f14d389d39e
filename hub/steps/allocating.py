"""Stock that orders share, disposed of inside the transaction that records them: the loser is backordered."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.flow.allocate import allocate, left_by, wanted
from hub.flow.fold import fold, winners
from hub.model.allocation import NOTHING_ALLOCATED, Allocation, Place, StockMove
from hub.model.order import LineId, OrderKey
from hub.model.records import StockLevel
from hub.steps.deciding import POSTED, DecidedOrder
from hub.steps.hub import Hub
from hub.steps.levels import tell_levels
from hub.store import stock
from hub.store.orders import Overtaken, lost_the_race
from hub.store.schema import stamp

ATTEMPTS_MAX: Final = 5  # times that levels are told anew because another worker was faster

Allocations = Mapping[OrderKey, Allocation]


def known(hub: Hub, connection: Connection, keys: Sequence[OrderKey]) -> Allocations | None:
    """What these orders have and lack; None where none of their channels allocates, which costs no query."""
    allocating = hub.allocating
    asked = [key for key in keys if key.channel in allocating] if allocating else ()
    return stock.allocations(connection, asked) if asked else None


def dispose(connection: Connection, orders: Sequence[DecidedOrder], before: Allocations | None) -> bool:
    """Each order has what it had and still wants, then what is free, the oldest order first; whether any gave back.

    One that was put aside has what it had: nobody knows what it wants.
    What is given back here is nobody's before the transaction is over: the oldest backorder is asked first.

    Raises:
        Overtaken: another worker took stock meanwhile.
    """
    if before is None:
        return False
    allocating = [one for one in orders if one.channel.channel.allocate is not None and one.fault is None]
    wants = {one.key: wanted(one.state, one.terms) if one.posting == POSTED else () for one in allocating}
    places = {place for one in allocating for place in before.get(one.key, NOTHING_ALLOCATED).by_place()}
    places |= {
        Place(one.terms.entity, want.item, location)
        for one in allocating
        for want in wants[one.key]
        for location in _locations(one)
    }
    free = stock.lock(connection, places)
    moves: dict[Place, StockMove] = {}
    after: dict[OrderKey, tuple[Allocation, str]] = {}
    for one in sorted(allocating, key=_oldest_first):
        had = before.get(one.key, NOTHING_ALLOCATED)
        has = allocate(had, wants[one.key], one.terms.entity, () if one.holds else _locations(one), free)
        _count(moves, one, had, has)
        after[one.key] = (has, _placed_at(one))
    stock.move(connection, moves)
    stock.keep_allocations(connection, before, after)
    return any(moved.given_back > moved.left for moved in moves.values())


def keep_levels(hub: Hub, levels: Sequence[StockLevel]) -> bool:
    """The ERP's levels stand, a newer one before an older, whichever is told first; whether any rose."""
    for attempt in range(ATTEMPTS_MAX):
        try:
            with hub.writing() as writing, writing.begin():
                risen = stock.keep_levels(writing, levels)
                tell_levels(hub, writing, {Place(one.entity, one.item, one.location) for one in levels})
                return risen
        except (Overtaken, DBAPIError) as fault:
            if attempt == ATTEMPTS_MAX - 1 or not lost_the_race(fault):
                raise
    return False


def waiting(hub: Hub) -> list[OrderKey]:
    """The backordered orders that what is free now can serve, the oldest first."""
    if not hub.allocating:
        return []
    with hub.store.connect() as reading:
        return stock.waiting(reading, hub.allocating)


def _count(moves: dict[Place, StockMove], one: DecidedOrder, had: Allocation, has: Allocation) -> None:
    units_before = {(x.line, x.place): x.quantity for x in had.reservations}
    units_after = {(x.line, x.place): x.quantity for x in has.reservations}
    shipped = _newly_left(one) if had.reservations else {}
    for line, place in sorted({*units_before, *units_after}):
        grown = units_after.get((line, place), 0) - units_before.get((line, place), 0)
        if not grown:
            continue
        moved = moves.setdefault(place, StockMove())
        if grown > 0:
            moved.taken += grown
            continue
        moved.given_back -= grown
        left = min(-grown, shipped.get(line, 0))
        if left:  # the ERP's level will say so once it has the fulfilment; until then it is not free
            shipped[line] -= left
            moved.left += left


def _newly_left(one: DecidedOrder) -> dict[LineId, int]:
    """Units by line that left with what is new here, and that the ERP does not know of by itself."""
    earlier = left_by(fold(one.key, winners(one.known.facts)))
    return {line: units - earlier.get(line, 0) for line, units in left_by(one.state).items()}


def _locations(one: DecidedOrder) -> tuple[str, ...]:
    rules = one.channel.channel.allocate
    return rules.locations if rules is not None else ()


def _oldest_first(one: DecidedOrder) -> tuple[str, OrderKey]:
    return _placed_at(one), one.key


def _placed_at(one: DecidedOrder) -> str:
    return stamp(one.state.snapshot.placed_at) if one.state.snapshot else stamp(one.now)
