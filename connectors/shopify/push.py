"""Telling a shop, once: it has no key of ours, so whoever tells looks first, and looks again when no answer came.

A shipment is known in the shop by the id that it answered, else by a common tracking number with lines that fit, else,
where neither has a number, by equal lines. A part that stands is not told again, only what is missing of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from connectors.shopify import calling_off
from connectors.shopify import fulfil as wire
from connectors.shopify.client import Shop
from connectors.shopify.fulfil import Held
from connectors.shopify.orders import Orders
from connectors.shopify.stock import Level, level, set_level
from hub.errors import AuthExpired, InDoubt, Rejected, Retryable
from hub.model.documents import WHOLE, Document, DocumentKind
from hub.model.intents import REFS, Action, Found, Outcome, Probe, Verdict, Write
from hub.ports import put_each

SETTLE_S: Final = 900  # a request whose connection ended may still be carried out, minutes later
STOCK_TRIES_MAX: Final = 5  # times that a level is read anew because it moved meanwhile
STALE: Final = "change_from_quantity_stale"
FINAL: Final = "cancellation_is_final"
UNKNOWN_ORDER: Final = "unknown_order"


class Pushes:
    """Shipments, cancellations and stock levels told to one shop."""

    def __init__(self, shop: Shop, orders: Orders) -> None:
        self._shop = shop
        self._orders = orders

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in the shop; an outcome a write, in their order. Safe to repeat, one after another.

        Raises:
            Retryable, AuthExpired: none of the writes happened.
        """
        return put_each(self._put, writes)

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened, by what stands in the shop now.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return [self._probe(write) for write in writes]

    # --- shipments --------------------------------------------------------------------------------------------------

    def _put(self, write: Write) -> Outcome:
        if write.document.kind is DocumentKind.STOCK_NOTICE:
            return self._set(write)
        if write.document.kind is DocumentKind.CANCELLATION_NOTICE:
            return self._call_off(write)
        made: list[str] = []
        try:
            return self._ship(write, made)
        except (Retryable, AuthExpired) as refusal:
            if made:  # a part of it is told: what is missing is told after a look
                raise InDoubt(str(refusal)) from refusal
            raise

    def _ship(self, write: Write, changed: list[str]) -> Outcome:
        """Fills `changed` with the ids of what it changed in the shop: a failure after that is a partial one."""
        document, order = write.document, _order(write.document)
        standing = self._standing(order)
        ours = _ours(standing, write)
        wanted = _units(document)
        stale: list[Held] = []
        if write.action is Action.VOID:
            stale, ours, wanted = ours, [], Counter()
        elif not _fits(ours, wanted):
            stale, ours = ours, []
        for one in stale:
            wire.cancel(self._shop, one.id)
            changed.append(one.id)
        for one in ours:
            if document.parcels and set(one.numbers) != set(_numbers(document)):
                wire.track(self._shop, one.id, document.parcels)
                changed.append(one.id)
        refs = [one.id for one in ours]
        missing = wanted - _told(ours)
        if missing:
            open_orders = wire.fulfilment_orders(self._shop, self._orders, order)
            for call in wire.planned(self._shop, open_orders, missing, document.location):
                refs.append(wire.fulfil(self._shop, call, document.parcels))
                changed.append(refs[-1])
        if write.action is Action.VOID:
            refs = [one.id for one in stale] or list(write.held)
        return Outcome(Verdict.DONE, REFS.join(refs) or None)

    def _standing(self, order: str) -> list[Held]:
        return [one for one in wire.fulfilments(self._shop, self._orders, order) if one.stands]

    def _probe(self, write: Write) -> Probe:
        if write.document.kind is DocumentKind.STOCK_NOTICE:
            return self._look(write)
        if write.document.kind is DocumentKind.CANCELLATION_NOTICE:
            return self._look_at_units(write)
        try:
            standing = self._standing(_order(write.document))
        except Rejected as refusal:
            # Told once more, the shop refuses it, and a person reads why.
            return Probe(Found.ABSENT if refusal.code == UNKNOWN_ORDER else Found.UNKNOWN)
        if write.action is Action.VOID:
            left = [one for one in standing if one.id in write.held] if write.held else _ours(standing, write)
            return Probe(Found.ABSENT) if left else Probe(Found.DONE, REFS.join(write.held) or None)
        ours, wanted = _ours(standing, write), _units(write.document)
        if _doubled(standing, write, wanted):
            return Probe(Found.TWICE)
        tracked = all(set(one.numbers) == set(_numbers(write.document)) for one in ours)
        if _told(ours) == wanted and (tracked or not write.document.parcels):
            return Probe(Found.DONE, REFS.join(one.id for one in ours))
        return Probe(Found.ABSENT)

    # --- cancellations ----------------------------------------------------------------------------------------------

    def _call_off(self, write: Write) -> Outcome:
        document, order = write.document, _order(write.document)
        standing = calling_off.standing(self._shop, self._orders, order)
        beyond = standing.beyond(_units(document))
        if write.action is Action.VOID:
            if not standing.cancelled and not _called_off(standing, document):
                return Outcome(Verdict.DONE)
            remedy = "add the units in the shop by hand, or place the order anew, or close the lines in the ERP again"
            return Outcome(Verdict.REJECTED, None, FINAL, "lines", remedy)
        if beyond and document.memo == WHOLE:
            calling_off.cancel(self._shop, self._orders, order)
        elif beyond:
            calling_off.take_out(self._shop, order, beyond)
        return Outcome(Verdict.DONE)

    def _look_at_units(self, write: Write) -> Probe:
        try:
            standing = calling_off.standing(self._shop, self._orders, _order(write.document))
        except Rejected as refusal:
            return Probe(Found.ABSENT if refusal.code == UNKNOWN_ORDER else Found.UNKNOWN)
        if write.action is Action.VOID:
            return Probe(Found.ABSENT)  # nothing was done for it; said once more, a person reads why not
        return Probe(Found.ABSENT if standing.beyond(_units(write.document)) else Found.DONE)

    # --- stock ------------------------------------------------------------------------------------------------------

    def _set(self, write: Write) -> Outcome:
        """The level is set against the one that was read; one that moved meanwhile is read anew, and set again."""
        document = write.document
        (line,) = document.lines
        for _ in range(STOCK_TRIES_MAX):
            seen = self._level(document)
            if seen.on_hand == line.quantity:
                return Outcome(Verdict.DONE)
            try:
                set_level(self._shop, seen, line.quantity, f"{document.key}-{write.revision}-{seen.on_hand}")
            except Rejected as refusal:
                if refusal.code != STALE:
                    raise
            else:
                return Outcome(Verdict.DONE)
        remedy = "the level moves all the time: try again when the shop is quiet"
        return Outcome(Verdict.REJECTED, None, STALE, "quantity", remedy)

    def _look(self, write: Write) -> Probe:
        (line,) = write.document.lines
        try:
            seen = self._level(write.document)
        except Rejected:
            return Probe(Found.ABSENT)
        return Probe(Found.DONE if seen.on_hand == line.quantity else Found.ABSENT)

    def _level(self, document: Document) -> Level:
        (line,) = document.lines
        return level(self._shop, line.item or "", document.location or "")


def _ours(standing: Iterable[Held], write: Write) -> list[Held]:
    """What stands of this document: by its id, by a common number with lines that fit, or by equal lines alone."""
    wanted, numbers = _units(write.document), set(_numbers(write.document))
    free = sorted((one for one in standing if one.id not in write.taken), key=lambda one: int(one.id))
    ours = [one for one in free if one.id in write.held]
    if ours:
        return ours
    for one in free:
        if numbers.intersection(one.numbers) and Counter(one.units) <= wanted - _told(ours):
            ours.append(one)
    if not ours and not numbers:
        ours = [one for one in free if not one.numbers and Counter(one.units) == wanted][:1]
    return ours


def _doubled(standing: Iterable[Held], write: Write, wanted: Counter[str]) -> bool:
    """Whether the same parcel stands there with more units than it holds."""
    numbers = set(_numbers(write.document))
    same = [one for one in standing if one.id not in write.taken and numbers.intersection(one.numbers)]
    told = _told(same)
    return any(told[line] > count for line, count in wanted.items() if told[line])


def _called_off(standing: calling_off.Standing, document: Document) -> bool:
    """Whether the shop has some line at what it was told to have."""
    return any(standing.units.get(line, 0) <= count for line, count in _units(document).items())


def _fits(ours: list[Held], wanted: Counter[str]) -> bool:
    return _told(ours) <= wanted


def _told(ours: Iterable[Held]) -> Counter[str]:
    units: Counter[str] = Counter()
    for one in ours:
        units.update(one.units)
    return units


def _units(document: Document) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in document.lines:
        units[str(line.line)] += line.quantity
    return units


def _numbers(document: Document) -> list[str]:
    return [parcel.tracking_number for parcel in document.parcels if parcel.tracking_number]


def _order(document: Document) -> str:
    if document.order is None:
        raise Rejected(
            f"{document.key} names no order", code="no_order", field="order", remedy="a fault of the hub: report it"
        )
    return document.order.external_id
