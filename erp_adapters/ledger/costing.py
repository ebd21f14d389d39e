"""What a batch of stock documents costs: holdings and issues loaded at once, moved in memory, written at once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from erp_adapters.ledger import schema
from erp_adapters.ledger.stock import Holding, Purpose, issue, receive, rounded, unwind
from hub.books import Role
from hub.errors import Rejected
from hub.model.documents import Component, Document, DocumentKind, DocumentLine

Place = tuple[str, str, str]
"""Entity, item, location."""

_PURPOSES = {DocumentKind.STOCK_RECEIPT: Purpose.RECEIPT, DocumentKind.STOCK_ADJUSTMENT: Purpose.ADJUST}

FindItem = Callable[[str | None, int], dict[str, Any]]


@dataclass(slots=True)
class Issued:
    """One item that a fulfilment took out, and what of it came back or was recognised since."""

    document: int
    key: str | None
    channel: str
    item: str
    quantity: int = 0
    cost_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    recognised: int = 0
    recognised_minor: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    document: int
    purpose: Purpose
    source: int | None
    place: Place
    quantity: int
    cost_minor: int


class Costing:
    """Stock as a batch sees it. `mark` and `undo` set it back to before a refused document."""

    def __init__(self, connection: Connection, numbers: dict[str, int]) -> None:
        self.connection = connection
        self.numbers = numbers
        self.holdings: dict[Place, Holding] = {}
        self.loaded: set[Place] = set()
        self.moved: set[Place] = set()
        self.moves: list[Move] = []
        self.moves_of: defaultdict[int, list[Move]] = defaultdict(list)
        self.issues: defaultdict[str, list[Issued]] = defaultdict(list)  # by order id
        self.issues_of: defaultdict[int, dict[str, Issued]] = defaultdict(dict)  # by document and item
        self._undo: list[Callable[[], None]] = []

    # --- one document -----------------------------------------------------------------------------------------------

    def mark(self) -> None:
        self._undo.clear()

    def undo(self) -> None:
        for step in reversed(self._undo):
            step()
        self._undo.clear()

    def lines(self, document: Document, id: int, find_item: FindItem) -> tuple[DocumentLine, ...]:
        """The document's lines with the cost of each STOCK line, and what covering a shortage cost; stock has moved."""
        out: list[DocumentLine] = []
        for number, line in enumerate(document.lines):
            if line.component is not Component.STOCK:
                out.append(line)
                continue
            if document.kind is DocumentKind.JOURNAL_ENTRY:
                code = None if line.item is None else str(find_item(line.item, number)["code"])
                cost = self._recognise(document, id, code, line.quantity)
                out.append(replace(line, amount_minor=cost))
                continue
            item = find_item(line.item, number)
            self._check(document, line, number)
            place = (document.entity, str(item["code"]), document.location or "")
            before = self.holdings.get(place)
            if before is None:
                before = Holding(known_value_minor=item["standard_cost_minor"])
            match document.kind:
                case DocumentKind.FULFILMENT:
                    after, cost = issue(before, line.quantity)
                    self._record(Move(id, Purpose.ISSUE, None, place, -line.quantity, -cost))
                    self._issued(document, id, place[1], line.quantity, cost)
                    out.append(replace(line, amount_minor=cost))
                case DocumentKind.STOCK_ADJUSTMENT if line.quantity < 0:
                    after, cost = issue(before, -line.quantity)
                    self._record(Move(id, Purpose.ADJUST, None, place, line.quantity, -cost))
                    out.append(replace(line, amount_minor=-cost))
                case _:
                    if document.kind is DocumentKind.RETURN_RECEIPT:
                        cost = self._return(document, id, place, line.quantity, before)
                    else:
                        cost = line.amount_minor or before.worth(line.quantity)
                    after, variance = receive(before, line.quantity, cost)
                    out.append(replace(line, amount_minor=cost))
                    if variance:
                        out.append(DocumentLine(Component.STOCK, -variance, detail=Role.COST_OF_GOODS_SOLD))
                    if document.kind is not DocumentKind.RETURN_RECEIPT:
                        self._record(Move(id, _PURPOSES[document.kind], None, place, line.quantity, cost - variance))
                    elif variance:
                        self._record(Move(id, Purpose.RETURN, None, place, 0, -variance))
            self._hold(place, after)
        return tuple(out)

    def reverse(self, document: int) -> tuple[int, int]:
        """The document's moves are undone; what that adds to the value of stock and of goods in transit."""
        revalued = in_transit = 0
        for move in list(self.moves_of[document]):
            self._record(replace(move, quantity=-move.quantity, cost_minor=-move.cost_minor))
            if move.purpose is not Purpose.RECOGNISE:
                place = move.place
                after, more = unwind(self.holdings[place], -move.quantity, -move.cost_minor)
                self._hold(place, after)
                revalued += more
            if move.purpose is Purpose.ISSUE:
                if issued := self.issues_of[document].get(move.place[1]):
                    quantity, cost = issued.quantity + move.quantity, issued.cost_minor + move.cost_minor
                    self._set(issued, quantity=quantity, cost_minor=cost)
            elif move.source is not None and (source := self.issues_of[move.source].get(move.place[1])):
                self._give_back(source, move)
                if move.purpose is Purpose.RECOGNISE:
                    in_transit += self._rest_in_transit(source, move)
        live = self.moves_of[document]
        self.moves_of[document] = []

        def restore() -> None:
            self.moves_of[document] = live

        self._undo.append(restore)
        return revalued, in_transit

    def _check(self, document: Document, line: DocumentLine, number: int) -> None:
        signed = document.kind is DocumentKind.STOCK_ADJUSTMENT
        if line.quantity == 0 or (line.quantity < 0 and not signed):
            raise Rejected(
                f"line {number} moves {line.quantity}",
                code="bad_quantity",
                field=f"lines[{number}].quantity",
                remedy="state how many units move",
            )
        if line.amount_minor < 0 and line.quantity > 0:
            raise Rejected(
                f"line {number} costs {line.amount_minor}",
                code="bad_amount",
                field=f"lines[{number}].amount_minor",
                remedy="state a cost that is not negative, or 0 where it is unknown",
            )

    def _issued(self, document: Document, id: int, item: str, quantity: int, cost: int) -> None:
        issued = self.issues_of[id].get(item)
        if issued is None:
            order = document.order
            issued = Issued(id, document.key or None, order.channel if order else "", item)
            self.issues_of[id][item] = issued
            self.issues[order.external_id if order else ""].append(issued)
        self._set(issued, quantity=issued.quantity + quantity, cost_minor=issued.cost_minor + cost)

    def _sources(self, document: Document, item: str | None) -> list[Issued]:
        """What the order's fulfilments, or the one that the document names, took out; the earliest first."""
        order = document.order
        return [
            issued
            for issued in self.issues[order.external_id if order else ""]
            if (item is None or issued.item == item)
            and issued.channel == (order.channel if order else "")
            and (document.applies_to is None or issued.key == document.applies_to)
        ]

    def _return(self, document: Document, id: int, place: Place, quantity: int, holding: Holding) -> int:
        """What the units cost when they left; units that no fulfilment of the order accounts for, at the average."""
        total = 0
        left = quantity
        for issued in self._sources(document, place[1]):
            count = min(left, issued.quantity - issued.returned)
            if count <= 0:
                continue
            cost = rounded(issued.cost_minor * (issued.returned + count), issued.quantity) - issued.returned_minor
            self._record(Move(id, Purpose.RETURN, issued.document, place, count, cost))
            self._set(issued, returned=issued.returned + count, returned_minor=issued.returned_minor + cost)
            if document.deferred:  # out of transit, hence never to be recognised
                self._record(Move(id, Purpose.RECOGNISE, issued.document, place, count, cost))
                self._set(issued, recognised=issued.recognised + count, recognised_minor=issued.recognised_minor + cost)
            left -= count
            total += cost
        if left:
            cost = holding.worth(left)
            self._record(Move(id, Purpose.RETURN, None, place, left, cost))
            total += cost
        return total

    def _recognise(self, document: Document, id: int, item: str | None, quantity: int) -> int:
        """The cost that leaves transit: of so many units of an item, or of all that the fulfilment still has there."""
        total = 0
        left = None if item is None else quantity
        for issued in self._sources(document, item):
            open_units = issued.quantity - issued.recognised
            if left is not None and document.applies_to is not None:
                open_units = issued.quantity  # as many as it says: a return told before this may be about to be undone
            count = open_units if left is None else min(left, open_units)
            if count <= 0:
                continue
            cost = rounded(issued.cost_minor * (issued.recognised + count), issued.quantity) - issued.recognised_minor
            place = (document.entity, issued.item, "")
            self._record(Move(id, Purpose.RECOGNISE, issued.document, place, count, cost))
            self._set(issued, recognised=issued.recognised + count, recognised_minor=issued.recognised_minor + cost)
            total += cost
            if left is not None:
                left -= count
        return total

    def _rest_in_transit(self, source: Issued, move: Move) -> int:
        """What is posted to goods in transit, so that no cost stays there once all units, or none, have left it.

        Parts are costed as they come; undone in another order they may leave a unit of rounding behind.
        """
        if move.document == source.document:  # such a rest itself
            return move.cost_minor
        if source.recognised not in (0, source.quantity):
            return 0
        rest = source.recognised_minor - (source.cost_minor if source.recognised else 0)
        if rest:
            self._record(Move(source.document, Purpose.RECOGNISE, source.document, move.place, 0, -rest))
            self._set(source, recognised_minor=source.recognised_minor - rest)
        return rest

    def _give_back(self, source: Issued, move: Move) -> None:
        if move.purpose is Purpose.RETURN:
            self._set(
                source,
                returned=source.returned - move.quantity,
                returned_minor=source.returned_minor - move.cost_minor,
            )
        elif move.purpose is Purpose.RECOGNISE:
            self._set(
                source,
                recognised=source.recognised - move.quantity,
                recognised_minor=source.recognised_minor - move.cost_minor,
            )

    # --- changes that can be undone ---------------------------------------------------------------------------------

    def _hold(self, place: Place, holding: Holding) -> None:
        before = self.holdings.get(place)
        self.holdings[place] = holding
        self.moved.add(place)

        def restore() -> None:
            if before is None:
                del self.holdings[place]
            else:
                self.holdings[place] = before

        self._undo.append(restore)

    def _record(self, move: Move) -> None:
        self.moves.append(move)
        live = self.moves_of[move.document]
        live.append(move)

        def restore() -> None:
            self.moves.pop()
            live.pop()

        self._undo.append(restore)

    def _set(self, issued: Issued, **values: int) -> None:
        before = {name: getattr(issued, name) for name in values}
        for name, value in values.items():
            setattr(issued, name, value)

        def restore() -> None:
            for name, value in before.items():
                setattr(issued, name, value)

        self._undo.append(restore)

    # --- loading and writing ----------------------------------------------------------------------------------------

    def load(self, documents: Sequence[Document], touched: Sequence[int]) -> None:
        """Holdings and earlier moves of what these documents move; `touched` are those that may be undone."""
        read = self.connection.execute
        move = schema.stock_move.c
        document = schema.document.c
        looking = [x for x in documents if self._looks_back(x, bool(touched))]
        orders = {x.order.external_id for x in looking if x.order}
        named = {x.applies_to for x in looking if x.applies_to and not x.order}
        items = {line.item for x in documents for line in x.lines if line.item is not None}
        if touched:
            self._load_moves(touched)
            items |= {x.place[1] for moves in self.moves_of.values() for x in moves}
        if orders or named:
            sources = select(document.id).where(document.key.in_(sorted(named)))
            rows = (
                select(
                    document.id, document.key, document.channel, document.order_id, move.purpose, move.source,
                    move.item, move.quantity, move.cost_minor,
                )
                .join_from(schema.document, schema.stock_move, document.id == move.document)
                .where(
                    or_(document.order_id.in_(sorted(orders)), move.document.in_(sources), move.source.in_(sources))
                    if named
                    else document.order_id.in_(sorted(orders))
                )
                .order_by(move.id)
            )  # fmt: skip
            for x in read(rows):
                self._remember(x)
        if items:
            stock = schema.stock
            for x in read(select(stock).where(stock.c.item.in_(sorted(items)))):
                place = (x.entity, x.item, x.location)
                self.loaded.add(place)
                self.holdings[place] = Holding(x.quantity, x.value_minor, x.known_quantity, x.known_value_minor)

    @staticmethod
    def _looks_back(document: Document, touched: bool) -> bool:
        if document.kind is DocumentKind.FULFILMENT:
            return touched
        return document.kind in (DocumentKind.RETURN_RECEIPT, DocumentKind.JOURNAL_ENTRY)

    def _load_moves(self, documents: Sequence[int]) -> None:
        """What is left of each document's moves after earlier reversals."""
        move = schema.stock_move
        net: dict[tuple[Any, ...], list[int]] = {}
        entities = schema.document.c.entity
        rows = (
            select(move, entities)
            .join_from(move, schema.document, move.c.document == schema.document.c.id)
            .where(move.c.document.in_(sorted(set(documents))))
            .order_by(move.c.id)
        )
        for x in self.connection.execute(rows):
            sums = net.setdefault((x.document, x.purpose, x.source, x.entity, x.item, x.location), [0, 0])
            sums[0] += x.quantity
            sums[1] += x.cost_minor
        for (document, purpose, source, *place), (quantity, cost) in net.items():
            if quantity or cost:
                at = (str(place[0]), str(place[1]), str(place[2]))
                self.moves_of[document].append(Move(document, Purpose(purpose), source, at, quantity, cost))

    def _remember(self, x: Any) -> None:
        if x.purpose == Purpose.ISSUE:
            issued = self.issues_of[x.id].get(x.item)
            if issued is None:
                issued = self.issues_of[x.id][x.item] = Issued(x.id, x.key, x.channel, x.item)
                self.issues[x.order_id].append(issued)
            issued.quantity -= x.quantity
            issued.cost_minor -= x.cost_minor
        elif x.source is not None and (source := self.issues_of[x.source].get(x.item)):
            if x.purpose == Purpose.RETURN:
                source.returned += x.quantity
                source.returned_minor += x.cost_minor
            elif x.purpose == Purpose.RECOGNISE:
                source.recognised += x.quantity
                source.recognised_minor += x.cost_minor

    def write(self) -> None:
        """Moves and holdings are in the database."""
        run = self.connection.execute
        if self.moves:
            first = self.numbers["moves"] + 1
            run(
                insert(schema.stock_move),
                [
                    {
                        "id": number,
                        "document": move.document,
                        "purpose": move.purpose,
                        "source": move.source,
                        "item": move.place[1],
                        "location": move.place[2],
                        "quantity": move.quantity,
                        "cost_minor": move.cost_minor,
                    }
                    for number, move in enumerate(self.moves, start=first)
                ],
            )
            self.numbers["moves"] += len(self.moves)
        moved = [place for place in self.moved if place in self.holdings]
        fresh = [self._row(place) for place in moved if place not in self.loaded]
        known = [self._row(place) for place in moved if place in self.loaded]
        if fresh:
            run(insert(schema.stock), fresh)
        if known:
            stock = schema.stock
            amounts = ("quantity", "value_minor", "known_quantity", "known_value_minor", "changed")
            statement = update(stock).values({name: bindparam(f"at_{name}") for name in amounts})
            for name in ("entity", "item", "location"):
                statement = statement.where(stock.c[name] == bindparam(f"at_{name}"))
            run(statement, [{f"at_{name}": value for name, value in row.items()} for row in known])

    def _row(self, place: Place) -> dict[str, Any]:
        holding = self.holdings[place]
        return {
            "entity": place[0],
            "item": place[1],
            "location": place[2],
            "quantity": holding.quantity,
            "value_minor": holding.value_minor,
            "known_quantity": holding.known_quantity,
            "known_value_minor": holding.known_value_minor,
            "changed": self.numbers["changes"],
        }
