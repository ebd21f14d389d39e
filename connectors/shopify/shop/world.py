"""The state of the shop: its orders at the present moment of a clock that only `advance` and requests move."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from connectors.shopify.rehearsal.basket import Shelf
from connectors.shopify.rehearsal.catalogue import chosen
from connectors.shopify.rehearsal.course import draw, draw_wide
from connectors.shopify.rehearsal.hand import cut, give_way, shift
from connectors.shopify.rehearsal.life import Edit, Happening, Line, Refund, Shipment
from connectors.shopify.shop import orders as nodes
from connectors.shopify.shop.faults import Faults
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.stamps import DOMAIN, drawn
from connectors.shopify.shop.stock import LOCATIONS, Stock

CLIENT_SECRET = "hush"  # noqa: S105 - of an invented shop
REQUEST_S = 0.25  # of virtual time that every request takes
INDEX_LAG_S_MAX = 8
WIDE_LINES = 300  # one order has so many lines: more than a page of any connection holds
AWAITED = timedelta(days=3650)  # so much later than drawn is what waits for an integration
BULK_TOUCH_ONE_IN = 7  # so many orders were touched in one and the same second, as by a bulk edit of tags


@dataclass(frozen=True, slots=True)
class Setup:
    """What a shop is made from; the same setup and the same requests give the same answers, byte for byte."""

    seed: int
    orders: int
    start: datetime  # aware; orders are placed in the `days` from here
    days: int = 30
    currency: str = "USD"
    skus: Sequence[str] | None = None
    ships: str = "shop"  # or "erp": a parcel leaves when an integration says so
    domain: str = DOMAIN
    client_id: str = "orderhub"
    client_secret: str = CLIENT_SECRET
    token: str | None = None  # an access token that never expires, as a custom app of the old kind has
    restore_per_s: int = 100
    wide: bool = True  # with the order of WIDE_LINES lines


class Shop:
    """The orders, the stock and the clock."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.now = setup.start
        self.recent_only: timedelta | None = None  # how far back an app without read_all_orders sees
        self.faults: Faults | None = None
        self.additions: list[Callable[[Order, dict[str, Any]], None]] = []  # what other parts know of an order
        self.shelf = Shelf(chosen(setup.skus), setup.currency)
        self.stock = Stock(self.shelf, setup.start)
        self.orders: dict[int, Order] = {}
        for life in self._lives():
            self.orders[life.id] = Order(life, setup.seed, split=setup.ships == "erp")
        for order in self.orders.values():
            self._await_pushes(order)
        self._touch_in_bulk()
        self.listeners: list[Callable[[Order, Happening], None]] = [self._move_stock]
        self._due: list[tuple[datetime, int, int, Happening]] = []  # at, number, order, happening
        self._jobs: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        self._expected: dict[int, Happening] = {}
        for order in self.orders.values():
            self.expect(order)
        self._rows: dict[tuple[int, datetime], dict[str, Any]] = {}
        self._ids = sorted(self.orders)
        self._nodes: dict[int, dict[str, Any]] = {}

    def _lives(self) -> Iterator[Any]:
        setup = self.setup
        for index in range(setup.orders):
            yield draw(setup.seed, index, setup.start, setup.days, self.shelf)
        if setup.wide and setup.orders:
            yield draw_wide(setup.seed, setup.orders, setup.start, setup.days, self.shelf, WIDE_LINES)

    def _await_pushes(self, order: Order) -> None:
        """A parcel that an integration has to send, and all that follows it, waits."""
        drawn_parcels = [
            each for each in order.life.shipments if each.service == "manual" and each.carrier and each.at > self.now
        ]
        if self.setup.ships != "erp" or not drawn_parcels:
            order.waits_for = None
            return
        first = min(drawn_parcels, key=lambda each: each.at)
        if first.at < self.setup.start + AWAITED / 2:
            shift(order.life, first.at, AWAITED)
        order.waits_for = first.at

    def follow(self, order: Order, shipped: Shipment) -> None:
        """An integration shipped; the drawn parcel gives way, and what was to follow it follows now."""
        gone = give_way(order.life, shipped, self.now)
        if gone is not None and order.waits_for is not None and gone.at >= order.waits_for:
            shift(order.life, gone.at, self.stamp() - gone.at)
            self._await_pushes(order)
        life = order.life
        if any(life.to_ship_at(gone.at, line) < 0 for gone in life.gone for line in life.lines):
            cut(life, self.now)  # units that would have been cancelled are on their way already
            order.waits_for = None
        self.rewritten(order)

    def _touch_in_bulk(self) -> None:
        """Many orders are updated in the same second, so that a page of them ends among equals."""
        at = self.setup.start + timedelta(days=self.setup.days / 2)
        at = at.replace(microsecond=0)
        for order in self.orders.values():
            if drawn(1, BULK_TOUCH_ONE_IN, self.setup.seed, order.id, "touched") == 1 and order.life.placed_at < at:
                order.life.happenings.append(Happening(at, "orders/updated", None))
                order.life.happenings.sort(key=lambda happening: happening.at)

    def move_to(self, to: datetime) -> None:
        """Everything that happens until then has happened, each at its time. Time never goes back."""
        while (at := self.next_at()) is not None and at <= to:
            self.now = max(self.now, at)
            if self._jobs and self._jobs[0][0] == at:
                heappop(self._jobs)[2]()
                continue
            _, _, number, happening = heappop(self._due)
            order = self.orders[number]
            told = any(happening is each for each in order.life.happenings)  # else the life went another way
            if told and (order.deleted_at is None or at < order.deleted_at):
                self.forget()
                for listener in self.listeners:
                    listener(order, happening)
        self.now = max(self.now, to)
        self.forget()

    def next_at(self) -> datetime | None:
        """When the next thing happens."""
        return min((heap[0][0] for heap in (self._due, self._jobs) if heap), default=None)

    def later(self, at: datetime, job: Callable[[], object]) -> None:
        """The job is done when its time comes."""
        heappush(self._jobs, (at, next(self._numbers), job))

    def expect(self, order: Order) -> None:
        """What is still to happen to the order will; to be said again whenever its life was rewritten."""
        for happening in order.life.happenings:
            # An equal entry that is in the heap already is told once: what was told is remembered.
            if happening.at >= self.stamp() and id(happening) not in self._expected:
                self._expected[id(happening)] = happening
                heappush(self._due, (happening.at, next(self._numbers), order.id, happening))

    def _move_stock(self, order: Order, happening: Happening) -> None:
        life, of, at = order.life, happening.of, happening.at
        moves: list[tuple[Line, int, int, int]] = []  # line, location, available, committed
        match of:
            case Shipment() if happening.topic == "fulfillments/create":
                place = of.location or LOCATIONS[0]
                moves = [(line, place, 0, -quantity) for _, line, quantity in of.parts]
            case Refund():
                for part in of.lines:
                    back = part.quantity if part.restock_type != "no_restock" else 0
                    unshipped = part.quantity if part.restock_type == "cancel" else 0
                    moves.append((part.line, order.location_of(part.line), back, -unshipped))
            case Edit():
                moves = [(line, order.location_of(line), -line.quantity, line.quantity) for line in of.added]
                moves += [(line, order.location_of(line), quantity, -quantity) for line, quantity in of.removed]
            case None if happening.topic == "orders/create":
                placed = [line for line in life.lines if line.added_at is None]
                moves = [(line, order.location_of(line), -line.quantity, line.quantity) for line in placed]
        for line, place, available, committed in moves:
            self.stock.move(line.product, place, at, available, committed)

    def forget(self) -> None:
        """What was composed for the moment before is composed anew."""
        self._nodes.clear()

    def rewritten(self, order: Order) -> None:
        """The life of the order is no longer what it was: nothing remembered of it holds."""
        self._rows = {key: row for key, row in self._rows.items() if key[0] != order.id}
        self.forget()
        self.expect(order)

    def find(self, number: int) -> Order | None:
        order = self.orders.get(number)
        return order if order is not None and self._shown(order) else None

    def _shown(self, order: Order) -> bool:
        recent = self.recent_only is None or order.life.placed_at >= self.now - self.recent_only
        return recent and order.exists(self.now)

    def owner(self, number: int) -> Order | None:
        """The order in whose range of ids the number lies: the last one that begins at or below it."""
        at = bisect_right(self._ids, number) - 1
        return self.find(self._ids[at]) if at >= 0 else None

    def node(self, order: Order) -> dict[str, Any]:
        """The order now; read from the shop's own database, so it knows what the index does not know yet."""
        if (found := self._nodes.get(order.id)) is None:
            found = self._nodes[order.id] = self._completed(order, nodes.node(order, self.now, self.stock))
        return found

    def _completed(self, order: Order, node: dict[str, Any]) -> dict[str, Any]:
        """With what other parts of the shop know, and where the vendor's schema moved on: a new word, a null."""
        if self.faults is not None and self.faults.strikes("new_word", order.id):
            node["displayFinancialStatus"] = "PARTIALLY_SETTLED"
        if self.faults is not None and self.faults.strikes("null_field", order.id):
            node["lineItems"]["nodes"][0]["originalUnitPriceSet"] = None
        for add in self.additions:
            add(order, node)
        return node

    def present(self) -> Iterator[Order]:
        return (order for order in self.orders.values() if self._shown(order))

    def indexed_at(self, order: Order) -> datetime | None:
        """The last moment of the order that the search index has heard of; None while it knows nothing of it."""
        stamps = {order.life.placed_at, *(happening.at for happening in order.life.happenings)}
        for stamp in sorted(stamps, reverse=True):
            if stamp + timedelta(seconds=drawn(1, INDEX_LAG_S_MAX, self.setup.seed, order.id, stamp)) <= self.now:
                return stamp
        return None

    def index(self) -> Iterator[tuple[Order, dict[str, Any]]]:
        """Every order that a search can find, as the index has it."""
        for order in self.present():
            if (stamp := self.indexed_at(order)) is not None:
                key = (order.id, stamp)
                if key not in self._rows:
                    self._rows[key] = nodes.indexed(order, stamp)
                yield order, self._rows[key]

    def stamp(self) -> datetime:
        """Now, to the whole second, in the shop's own zone."""
        return self.now.replace(microsecond=0)


def moment(text: str) -> datetime:
    """An aware moment from what a person types; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
