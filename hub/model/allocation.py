"""What an order has of the stock that orders share, and what it still lacks."""

from dataclasses import dataclass
from typing import NamedTuple

from hub.model.frozen import frozen
from hub.model.order import LineId


class Place(NamedTuple):
    """An item at a location of an entity, in the ERP's codes; they sort, so that rows are locked in one order."""

    entity: str
    item: str
    location: str


@frozen
class Wanted:
    """Units of a line still to be shipped."""

    line: LineId
    item: str
    quantity: int


@frozen
class Reservation:
    line: LineId
    place: Place
    quantity: int  # positive


@frozen
class Backorder:
    """Units that no location had when the order asked; it asks again when stock arrives."""

    line: LineId
    entity: str
    item: str
    quantity: int  # positive


@frozen
class Allocation:
    reservations: tuple[Reservation, ...] = ()  # by line and place, each once
    backorders: tuple[Backorder, ...] = ()  # by line

    def by_place(self) -> dict[Place, int]:
        """The units reserved at each place."""
        units: dict[Place, int] = {}
        for one in self.reservations:
            units[one.place] = units.get(one.place, 0) + one.quantity
        return units

    def allocated(self, line: LineId) -> int:
        return sum(one.quantity for one in self.reservations if one.line == line)

    def backordered(self, line: LineId) -> int:
        return sum(one.quantity for one in self.backorders if one.line == line)


NOTHING_ALLOCATED = Allocation()


@dataclass(slots=True)
class StockMove:
    """What one transaction does to one place."""

    taken: int = 0
    given_back: int = 0
    left: int = 0  # of those given back, the units that were shipped and are no longer on hand
