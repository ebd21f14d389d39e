"""allocate: what an order is to have of the stock that is there; pure, the store makes it so by conditional updates."""

from collections.abc import Sequence

from hub.flow.terms import STOCKED, Terms
from hub.model.allocation import Allocation, Backorder, Place, Reservation, Wanted
from hub.model.facts import Source
from hub.model.order import LineId
from hub.model.state import OrderState


def wanted(state: OrderState, terms: Terms) -> tuple[Wanted, ...]:
    """The units that are still to be shipped out of stock; of a kit its components, which are lines of their own."""
    if state.snapshot is None:
        return ()
    on = terms.day(state.snapshot.placed_at)
    found = []
    for line in state.snapshot.lines:
        open_units = state.quantities[line.id].open
        item = terms.item(line, on)
        if open_units and item is not None and line.kind in STOCKED and line.requires_shipping:
            found.append(Wanted(line.id, item, open_units))
    return tuple(found)


def allocate(
    before: Allocation, wants: Sequence[Wanted], entity: str, locations: Sequence[str], free: dict[Place, int]
) -> Allocation:
    """What the order has already, as far as it is wanted, then what the locations have, in their order.

    Args:
        locations: where to take from; none: it keeps what it has, and nothing is backordered.
        free: units that may be taken, by place; what is taken is counted off.
    """
    has = {(one.line, one.place): one.quantity for one in before.reservations}
    reservations: list[Reservation] = []
    backorders: list[Backorder] = []
    for want in wants:
        left = want.quantity
        takes: dict[Place, int] = {}
        for (line, place), quantity in has.items():
            if line == want.line and (place.entity, place.item) == (entity, want.item) and left:
                takes[place] = min(quantity, left)
                left -= takes[place]
        for location in locations:
            place = Place(entity, want.item, location)
            count = min(left, max(0, free.get(place, 0)))
            if count:
                free[place] -= count
                takes[place] = takes.get(place, 0) + count
                left -= count
        reservations.extend(Reservation(want.line, place, quantity) for place, quantity in takes.items())
        if left and locations:
            backorders.append(Backorder(want.line, entity, want.item, left))
    return Allocation(tuple(reservations), tuple(backorders))


def left_by(state: OrderState) -> dict[LineId, int]:
    """Units by line that left and that the ERP does not know of by itself."""
    units: dict[LineId, int] = {}
    for fulfilment in state.fulfilments:
        if fulfilment.source is not Source.ERP:
            for row in fulfilment.body.lines:
                units[row.line] = units.get(row.line, 0) + row.quantity
    return units
