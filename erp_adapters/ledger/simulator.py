"""The real ledger behind a fault harness, with the hand operations of the people who work in it."""

import datetime
import random
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from erp_adapters.ledger import schema
from erp_adapters.ledger.adapter import Clock, LedgerAdapter, operation_of
from erp_adapters.ledger.documents import document_of, id_of
from erp_adapters.ledger.journal import Operation, Shipment
from erp_adapters.ledger.rig import LedgerBench
from hub.books.policy import Recognise
from hub.errors import InDoubt, Rejected
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.intents import Action, Outcome, Probe, Verdict, Write
from hub.model.order import LineId
from hub.ports import ErpConfig

NO_KEY: Final = DocumentKey("")
SOLD: Final = (Component.GOODS, Component.GIFT_CARD)
"""What lines of a sales order can be shipped."""


class Fault(StrEnum):
    """What goes wrong with one call of `put`."""

    LOST_BEFORE = "lost_before"  # no answer, and nothing was written
    LOST_AFTER = "lost_after"  # no answer, and everything was
    LATE = "late"  # no answer, and it is written only after the next probe has found nothing


class LedgerSimulator(LedgerAdapter):
    """The ledger itself; faults come as ordered by `fail_next`, or at random by `fail_at_random`."""

    def __init__(self, config: ErpConfig, now: Clock, faults: deque[Fault] | None = None) -> None:
        """
        Args:
            faults: of the next calls, drawn on by others too; None: this one's own.
        """
        super().__init__(config, now)
        self._faults: deque[Fault] = deque() if faults is None else faults
        self._late: list[list[Operation]] = []
        self._random: random.Random | None = None
        self._share = 0.0

    # --- faults ---------------------------------------------------------------------------------------------------

    def fail_next(self, *faults: Fault) -> None:
        """The next calls of `put` go wrong so, one each."""
        self._faults.extend(faults)

    def fail_at_random(self, seed: int, share: float) -> None:
        """From now on so many of the calls go wrong, the same ones for the same seed."""
        self._random, self._share = random.Random(seed), share  # noqa: S311  a simulator's faults

    def settle(self) -> None:
        """What was late is written."""
        while self._late:
            self.keep(self._late.pop(0))

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        fault = self._next_fault()
        if fault is None:
            return super().put(writes)
        if fault is Fault.LOST_AFTER:
            super().put(writes)
        if fault is Fault.LATE:
            self._late.append([operation_of(write) for write in writes])
        raise InDoubt("the ledger gave no answer")

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        found = super().probe(writes)
        self.settle()
        return found

    def _next_fault(self) -> Fault | None:
        if self._faults:
            return self._faults.popleft()
        if self._random is not None and self._random.random() < self._share:
            return self._random.choice(list(Fault))
        return None

    # --- by hand --------------------------------------------------------------------------------------------------

    def ref(self, key: str) -> str:
        """The ledger's own name of one of our documents.

        Raises:
            LookupError: it has none of this key.
        """
        found = self.held([DocumentKey(key)]).get(key)
        if found is None:
            raise LookupError(f"the ledger has no document {key}")
        return found.ref

    def document(self, ref: str) -> Document:
        """The document as the ledger has it now.

        Raises:
            LookupError: it has none of this name.
        """
        with self.engine.connect() as connection:
            body = connection.scalar(select(schema.document.c.body).where(schema.document.c.id == id_of(ref)))
        if body is None:
            raise LookupError(f"the ledger has no document {ref}")
        return document_of(body)

    def edit_amount(self, ref: str, delta_minor: int, component: Component | None = None) -> None:
        """A person changes the first line of a component, or the first of all, by an amount."""
        document = self.document(ref)
        for number, line in enumerate(document.lines):
            if component is None or line.component is component:
                changed = replace(line, amount_minor=line.amount_minor + delta_minor)
                lines = (*document.lines[:number], changed, *document.lines[number + 1 :])
                break
        else:
            raise LookupError(f"{ref} has no {component or 'line'}")
        settles = document.settles
        if settles:
            settles = (replace(settles[0], amount_minor=settles[0].amount_minor + delta_minor), *settles[1:])
        self._by_hand(
            Operation(Action.AMEND, replace(document, lines=lines, settles=settles), by_hand=True, id=id_of(ref))
        )

    def move(self, ref: str, date: datetime.date) -> None:
        """A person dates a document otherwise."""
        self._by_hand(Operation(Action.AMEND, replace(self.document(ref), date=date), by_hand=True, id=id_of(ref)))

    def void(self, ref: str) -> None:
        """A person deletes a document, which in a ledger is a reversal."""
        self._by_hand(Operation(Action.VOID, self.document(ref), by_hand=True, id=id_of(ref)))

    def type_in(self, document: Document) -> str:
        """A person enters a document, which then has no key of ours; the ledger's name for it."""
        return self._by_hand(Operation(Action.CREATE, replace(document, key=NO_KEY), by_hand=True)).ref or ""

    def copy(self, ref: str) -> str:
        """A person enters a document a second time; the ledger's name for the copy."""
        return self.type_in(self.document(ref))

    # --- shipping by hand -----------------------------------------------------------------------------------------

    def fulfil(
        self,
        sales_order: str,
        quantities: Mapping[str, int],
        *,
        location: str = "main",
        carrier: str | None = None,
        tracking_number: str | None = None,
        shipped_at: datetime.datetime | None = None,
        date: datetime.date | None = None,
        unstocked: Collection[str] = (),
    ) -> str:
        """A person in the warehouse ships lines of a sales order; the ledger's name for the fulfilment.

        Args:
            quantities: units by the line of the sales order.
            shipped_at: None: now.
            date: where its cost is posted; None: the day it was shipped on.
            unstocked: lines that move no stock though they have an item: a kit, whose components are lines too.

        Raises:
            LookupError: the sales order has no such line.
        """
        return self._by_hand(
            self._shipping(
                Operation(Action.CREATE, self.document(self.ref(sales_order)), by_hand=True),
                quantities, location, carrier, tracking_number, shipped_at, date, unstocked,
            )
        ).ref or ""  # fmt: skip

    def refulfil(
        self,
        ref: str,
        sales_order: str,
        quantities: Mapping[str, int],
        *,
        location: str = "main",
        carrier: str | None = None,
        tracking_number: str | None = None,
        shipped_at: datetime.datetime | None = None,
        date: datetime.date | None = None,
        unstocked: Collection[str] = (),
    ) -> None:
        """A person corrects a fulfilment that one entered; `void` deletes it."""
        self._by_hand(
            self._shipping(
                Operation(Action.AMEND, self.document(self.ref(sales_order)), by_hand=True, id=id_of(ref)),
                quantities, location, carrier, tracking_number, shipped_at, date, unstocked,
            )
        )  # fmt: skip

    def receive(
        self, item: str, quantity: int, cost_minor: int, *, location: str = "main", entity: str = "main"
    ) -> str:
        """Goods come in; the ledger's name for the receipt."""
        return self._move_stock(DocumentKind.STOCK_RECEIPT, entity, item, location, quantity, cost_minor)

    def adjust(self, item: str, quantity: int, *, location: str = "main", entity: str = "main") -> str:
        """A count finds more or fewer (negative) than the books; the ledger's name for the adjustment."""
        return self._move_stock(DocumentKind.STOCK_ADJUSTMENT, entity, item, location, quantity, 0)

    def on_hand(self, item: str, *, location: str = "main", entity: str = "main") -> int:
        """The units at a location."""
        stock = schema.stock.c
        query = select(stock.quantity).where(stock.entity == entity, stock.item == item, stock.location == location)
        with self.engine.connect() as connection:
            return connection.scalar(query) or 0

    def levels(self) -> Iterator[tuple[str, int]]:
        """The units of every item at every location, by `entity/item/location`."""
        stock = schema.stock.c
        query = select(stock.entity, stock.item, stock.location, stock.quantity).order_by(*stock)
        with self.engine.connect() as connection:
            for entity, item, location, quantity in connection.execute(query).all():
                yield f"{entity}/{item}/{location}", quantity

    def _shipping(
        self,
        operation: Operation,
        quantities: Mapping[str, int],
        location: str,
        carrier: str | None,
        tracking_number: str | None,
        shipped_at: datetime.datetime | None,
        date: datetime.date | None,
        unstocked: Collection[str],
    ) -> Operation:
        order = operation.document
        sold = {line.line: line for line in order.lines if line.line is not None and line.component in SOLD}
        stock: list[DocumentLine] = []
        others: list[tuple[str, int]] = []
        for id, quantity in quantities.items():
            line = sold.get(LineId(id))
            if line is None:
                raise LookupError(f"{order.key} has no line {id}")
            if line.item is None or id in unstocked or line.component is Component.GIFT_CARD:
                others.append((id, quantity))
            else:
                stock.append(DocumentLine(Component.STOCK, 0, line.line, line.item, quantity))
        at = shipped_at or self._now()
        document = Document(
            key=NO_KEY,
            kind=DocumentKind.FULFILMENT,
            entity=order.entity,
            currency=self._functional[order.entity],
            date=date or at.astimezone(ZoneInfo(self._timezones[order.entity])).date(),
            lines=tuple(stock),
            order=order.order,
            reference=order.reference,
            location=location,
            customer=order.customer,
            deferred=self._books.policy.recognise is Recognise.DELIVERY,
        )
        said = Shipment(at, carrier, tracking_number, tuple(others))
        return replace(operation, document=document, shipment=said)

    def _move_stock(
        self, kind: DocumentKind, entity: str, item: str, location: str, quantity: int, cost_minor: int
    ) -> str:
        document = Document(
            key=NO_KEY,
            kind=kind,
            entity=entity,
            currency=self._functional[entity],
            date=self._now().astimezone(ZoneInfo(self._timezones[entity])).date(),
            lines=(DocumentLine(Component.STOCK, cost_minor, item=item, quantity=quantity),),
            location=location,
        )
        return self.type_in(document)

    def _by_hand(self, operation: Operation) -> Outcome:
        (outcome,) = self.keep([operation])
        if outcome.verdict is not Verdict.DONE:
            raise Rejected(
                f"the ledger refuses: {outcome.code}",
                code=outcome.code,
                field=outcome.field,
                remedy=outcome.remedy,
            )
        return outcome


BENCH: Final = LedgerBench(LedgerSimulator, Fault.LATE)
