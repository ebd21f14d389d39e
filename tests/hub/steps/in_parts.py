"""A ledger that takes a sales order in two requests: it is announced first, and stands after the second."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.errors import HubError, InDoubt
from hub.model.documents import DocumentKind
from hub.model.intents import Action, Found, Outcome, Probe, Verdict, Write
from hub.ports import ErpConfig
from tests.conftest import Clock

ORDER = "order"


@dataclass
class Announced:
    """What the far side has of first parts; it outlives the hub's processes. Every announcement is one more."""

    keys: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)  # of the first parts to come
    raised: deque[HubError] = field(default_factory=deque)  # by the calls to come, before anything happens
    calls: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)  # document, part, held
    puts: list[int] = field(default_factory=list)  # writes of each call


class LedgerInParts(LedgerSimulator):
    def __init__(self, config: ErpConfig, now: Clock, announced: Announced) -> None:
        super().__init__(config, now)
        self.announced = announced

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        self.announced.puts.append(len(writes))
        if self.announced.raised:
            raise self.announced.raised.popleft()
        whole = [write for write in writes if not self._first_part(write)]
        outcomes = dict(zip([write.document.key for write in whole], super().put(whole), strict=True)) if whole else {}
        return [outcomes.get(write.document.key) or self._announce(write) for write in writes]

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        found = super().probe(writes)
        return [
            Probe(Found.DONE, f"note-{write.document.key}", then=ORDER)
            if self._first_part(write) and probe.found is Found.ABSENT and write.document.key in self.announced.keys
            else probe
            for write, probe in zip(writes, found, strict=True)
        ]

    def _announce(self, write: Write) -> Outcome:
        self.announced.calls.append((write.document.key, write.part, write.held))
        fault = self.announced.faults.popleft() if self.announced.faults else None
        if fault is not Fault.LOST_BEFORE:
            self.announced.keys.append(write.document.key)
        if fault is not None:
            raise InDoubt("the ledger gave no answer to the first part")
        return Outcome(Verdict.DONE, f"note-{write.document.key}", then=ORDER)

    def _first_part(self, write: Write) -> bool:
        if write.document.kind is DocumentKind.SALES_ORDER and write.part == ORDER:
            self.announced.calls.append((write.document.key, write.part, write.held))
        return write.document.kind is DocumentKind.SALES_ORDER and write.action is Action.CREATE and not write.part
