"""A channel in memory that is told of shipments and stock, and is as unpleasant as one may be.

It does what it is told once more each time it is told: nothing here is idempotent, so that a blind resend shows as a
second shipment. Its answers get lost, before and after the fact, and what was lost may still happen later.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hub.errors import AuthExpired, InDoubt, RateLimited
from hub.model.documents import Document, DocumentKind
from hub.model.intents import REFS, Action, Found, Outcome, Probe, Verdict, Write
from hub.model.records import Record, Translation
from hub.ports import Translates

SETTLE_S: Final = 90


class Fault(StrEnum):
    """What goes wrong with one write."""

    LOST_BEFORE = "lost_before"  # no answer, and nothing happened
    LOST_AFTER = "lost_after"  # no answer, and it did happen
    LATE = "late"  # no answer, and it happens only after the next look has found nothing
    REFUSED = "refused"
    LIMITED = "limited"
    SHUT_OUT = "shut_out"


@dataclass(slots=True)
class Shipment:
    """A fulfilment in the channel, ours or made there by hand."""

    id: str
    order: str
    units: dict[str, int]  # by the channel's line
    numbers: tuple[str, ...]
    location: str | None
    cancelled: bool = False


@dataclass
class Shop:
    """What the channel holds; it outlives the hub's processes."""

    shipments: list[Shipment] = field(default_factory=list)
    called_off: dict[str, dict[str, int]] = field(default_factory=dict)  # by order: units that are left, by line
    levels: dict[tuple[str, str | None], int] = field(default_factory=dict)  # by item and location
    faults: deque[Fault] = field(default_factory=deque)
    late: list[Write] = field(default_factory=list)
    calls: int = 0

    def fail_next(self, *faults: Fault) -> None:
        """The next writes go wrong so, one each."""
        self.faults.extend(faults)

    def of(self, order: str) -> list[Shipment]:
        """The order's shipments that stand."""
        return [one for one in self.shipments if one.order == order and not one.cancelled]

    def ship(self, order: str, units: dict[str, int], *numbers: str, location: str | None = None) -> Shipment:
        """Somebody ships in the channel."""
        made = Shipment(str(9001 + len(self.shipments)), order, dict(units), numbers, location)
        self.shipments.append(made)
        return made


class UnpleasantChannel:
    """Talks to the shop for one hub process; translates as the channel's own connector does."""

    settle_s = SETTLE_S

    def __init__(self, shop: Shop, connector: Translates) -> None:
        self._shop = shop
        self._connector = connector

    def translate(self, record: Record) -> Translation:
        return self._connector.translate(record)

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write has happened once more.

        Raises:
            RateLimited, AuthExpired: nothing happened.
        """
        fault = self._shop.faults[0] if self._shop.faults else None
        if fault is Fault.LIMITED:
            self._shop.faults.popleft()
            raise RateLimited("the channel asks for a pause", 20)
        if fault is Fault.SHUT_OUT:
            self._shop.faults.popleft()
            raise AuthExpired("the channel's token is no longer good")
        return [self._put_one(write) for write in writes]

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each has happened, by what it would have made; what was late happens after."""
        found = [self._find(write) for write in writes]
        while self._shop.late:
            self._do(self._shop.late.pop(0))
        return found

    def _put_one(self, write: Write) -> Outcome:
        self._shop.calls += 1
        fault = self._shop.faults.popleft() if self._shop.faults else None
        match fault:
            case Fault.REFUSED:
                return Outcome(Verdict.REJECTED, None, "not_fulfillable", "lines", "look at the order in the channel")
            case Fault.LOST_BEFORE:
                return Outcome(Verdict.IN_DOUBT)
            case Fault.LATE:
                self._shop.late.append(write)
                return Outcome(Verdict.IN_DOUBT)
            case Fault.LOST_AFTER:
                self._do(write)
                return Outcome(Verdict.IN_DOUBT)
            case None:
                return Outcome(Verdict.DONE, self._do(write))
        raise InDoubt(f"no such fault in the middle of a call: {fault}")

    def _do(self, write: Write) -> str | None:
        document = write.document
        order = document.order.external_id if document.order else ""
        if document.kind is DocumentKind.STOCK_NOTICE:
            (line,) = document.lines
            self._shop.levels[line.item or "", document.location] = line.quantity
            return None
        if document.kind is DocumentKind.CANCELLATION_NOTICE:
            self._shop.called_off[order] = {} if write.action is Action.VOID else _units(document)
            return None
        held = [one for one in self._shop.shipments if one.id in write.held]
        same = [one for one in held if one.units == _units(document) and not one.cancelled]
        if write.action is Action.AMEND and same:
            same[0].numbers = _numbers(document)
            return same[0].id
        if write.action is not Action.CREATE:
            for one in held:
                one.cancelled = True
        if write.action is Action.VOID:
            return REFS.join(write.held) or None
        return self._shop.ship(order, _units(document), *_numbers(document), location=document.location).id

    def _find(self, write: Write) -> Probe:
        document = write.document
        order = document.order.external_id if document.order else ""
        if document.kind is DocumentKind.STOCK_NOTICE:
            (line,) = document.lines
            stands = self._shop.levels.get((line.item or "", document.location)) == line.quantity
            return Probe(Found.DONE if stands else Found.ABSENT)
        if document.kind is DocumentKind.CANCELLATION_NOTICE:
            wanted = {} if write.action is Action.VOID else _units(document)
            return Probe(Found.DONE if self._shop.called_off.get(order, {}) == wanted else Found.ABSENT)
        if write.action is Action.VOID:
            standing = [one for one in self._shop.of(order) if one.id in write.held]
            return Probe(Found.ABSENT) if standing else Probe(Found.DONE, REFS.join(write.held) or None)
        matches = [
            one
            for one in self._shop.of(order)
            if one.id not in write.taken and one.units == _units(document) and one.numbers == _numbers(document)
        ]
        if len(matches) > 1:
            return Probe(Found.TWICE)
        return Probe(Found.DONE, matches[0].id) if matches else Probe(Found.ABSENT)


def connected(shop: Shop, connect: Any) -> Any:
    """Connects channels to the shop instead of the wire; their records are translated by what `connect` gives."""
    return lambda config: UnpleasantChannel(shop, connect(config))


def _units(document: Document) -> dict[str, int]:
    return {str(line.line): line.quantity for line in document.lines}


def _numbers(document: Document) -> tuple[str, ...]:
    return tuple(parcel.tracking_number for parcel in document.parcels if parcel.tracking_number)
