"""The real ledger behind a fault harness, with the hand operations of the people who work in it."""

import datetime
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from erp_adapters.ledger import schema
from erp_adapters.ledger.adapter import Clock, LedgerAdapter, operation_of
from erp_adapters.ledger.documents import document_of, id_of
from erp_adapters.ledger.journal import Operation
from hub.errors import InDoubt, Rejected
from hub.model.documents import Component, Document, DocumentKey
from hub.model.intents import Action, Outcome, Probe, Verdict, Write
from hub.ports import ErpConfig

NO_KEY: Final = DocumentKey("")


class Fault(StrEnum):
    """What goes wrong with one call of `put`."""

    LOST_BEFORE = "lost_before"  # no answer, and nothing was written
    LOST_AFTER = "lost_after"  # no answer, and everything was
    LATE = "late"  # no answer, and it is written only after the next probe has found nothing


class LedgerSimulator(LedgerAdapter):
    """The ledger itself; faults come as ordered by `fail_next`, or at random by `fail_at_random`."""

    def __init__(self, config: ErpConfig, now: Clock) -> None:
        super().__init__(config, now)
        self._faults: deque[Fault] = deque()
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
        (found,) = self.read_back([DocumentKey(key)])
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
