"""What must hold after every step of a simulation, looked at from outside: in the stores, the ERP and the shop."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from hub import verifier
from hub.errors import Misconfigured
from hub.model.documents import DocumentKind
from hub.rehearsal.staging import Stage
from hub.steps.hub import Hub
from hub.steps.showing import LineSight, show_order

LOOK_EVERY_STEPS: Final = 100
"""Between two looks at the quantities of one order."""
VERIFY_EVERY_STEPS: Final = 1_000
"""Between two readings of all chains, entries and journals."""
_QUANTITIES: Final = tuple(one.name for one in fields(LineSight) if one.type is int and not one.name.endswith("_minor"))


class Invariants:
    """Each method names what is broken, nothing where all is well."""

    def __init__(self, stage: Stage, hub: Hub) -> None:
        """
        Args:
            hub: of the one who looks: no worker's.
        """
        self._stage = stage
        self._hub = hub
        self._changes = -1
        self._turn = 0
        self._acknowledged: list[tuple[str, str]] = []  # channel and key of each

    def acknowledged(self, channel: str, key: str) -> Iterator[str]:
        """A delivery was answered with 200."""
        self._acknowledged.append((channel, key))
        yield from self._lost([(channel, key)])

    def after(self, step: int) -> Iterator[str]:
        """What is looked at after each step: the ERP where it changed, the rest in turns."""
        if (changes := self._stage.erp.changes()) != self._changes:
            self._changes = changes
            yield from self.doubled()
            yield from self._negative_stock()
        if step % LOOK_EVERY_STEPS == 0 and (orders := self._orders()):
            self._turn += 1
            yield from self._negative(sorted(orders)[self._turn % len(orders)])
        if step % VERIFY_EVERY_STEPS == 0:
            yield from self._records()

    def at_the_end(self) -> Iterator[str]:
        """Everything, once no worker is left."""
        yield from self._records()
        yield from self._lost(self._acknowledged)
        yield from self.doubled()
        yield from self._negative_stock()
        known = self._orders()
        for order in known:
            yield from self._negative(order)
        for order in self._stage.shop.control.truth()["orders"]:
            if not order["deleted"] and order["id"] not in known:
                yield f"order {order['id']} was placed and the hub does not know it"

    def doubled(self) -> Iterator[str]:
        """No cause has two documents in the ERP, and no order two sales orders."""
        by_cause: dict[tuple[str, str, str], str] = {}
        for row in self._stage.erp.documents():
            causes = [row.cause] if row.cause else []
            if row.kind == DocumentKind.SALES_ORDER:
                causes.append("")  # however it is named
            for cause in causes:
                key = (row.order, row.kind, cause)
                if (other := by_cause.get(key)) is not None:
                    yield f"{row.kind} of order {row.order} stands twice: {other} and {row.ref}, for {cause or 'it'}"
                by_cause[key] = row.ref

    def _negative_stock(self) -> Iterator[str]:
        for place, quantity in self._stage.erp.levels():
            if quantity < 0:
                yield f"the ERP has {quantity} of {place}"

    def _negative(self, order: str) -> Iterator[str]:
        try:
            lines = show_order(self._hub, f"{self._stage.slug}/{order}").lines
        except Misconfigured:
            return
        for line in lines:
            for name in _QUANTITIES:
                if getattr(line, name) < 0:
                    yield f"order {order}, line {line.line}: {getattr(line, name)} {name}"

    def _records(self) -> Iterator[str]:
        """Chains, roots, facts and expected entries are as they were recorded; the ERP's journal balances."""
        report = verifier.verify(str(Path(self._hub.settings.home) / "hub.db"))
        for fault in report.faults:
            yield f"{fault.code}: {fault.where}: {fault.what}"
        for entry in self._stage.erp.unbalanced():
            yield f"the ERP's journal does not balance: {entry}"

    def _lost(self, keys: list[tuple[str, str]]) -> Iterator[str]:
        query = text("SELECT 1 FROM record WHERE channel = :channel AND key = :key")
        with self._hub.inbox.connect() as connection:
            for channel, key in keys:
                if connection.execute(query, {"channel": channel, "key": key}).first() is None:
                    yield f"delivery {key} was acknowledged and is not in the inbox"

    def _orders(self) -> set[str]:
        with self._hub.store.connect() as connection:
            rows: Any = connection.execute(
                text("SELECT order_id FROM orders WHERE channel = :channel"), {"channel": self._stage.slug}
            )
            return set(rows.scalars())
