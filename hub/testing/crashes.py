"""Where a worker that sends can be killed, and how to kill it there: nothing in the hub knows of it.

A point lies between two things that survive the worker: a commit of the hub's store, and what the far side has. So each
is reached from outside, at a statement of the store or at a call of the adapter, and `kill` ends the worker there: a
test raises what nothing catches, or ends the process.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Engine, event

from hub.model.documents import Document
from hub.model.intents import Outcome, Probe, ReadBack, Write

Kill = Callable[[], None]


class CrashPoint(StrEnum):
    """Everywhere that it makes a difference to be killed, in the order of a step's way."""

    BEFORE_SEND = "before_send"  # in the transaction that claims: it is undone
    CLAIMED_UNCALLED = "claimed_uncalled"  # the step says sent, the far side has heard nothing
    SENT_UNANSWERED = "sent_unanswered"  # the far side did it, the answer reaches nobody
    ANSWERED_UNSETTLED = "answered_unsettled"  # the answer is there, the store does not have it: undone while settling
    BETWEEN_PARTS = "between_parts"  # one request of a write is on record, the next is not made
    BETWEEN_STEPS = "between_steps"  # one step of an order is on record, its successor is not claimed
    DURING_PROBE = "during_probe"  # while it is looked for
    PROBED_UNSETTLED = "probed_unsettled"  # it was found or not, the store does not have it
    DURING_READ_BACK = "during_read_back"  # while a document is read back
    READ_UNSETTLED = "read_unsettled"  # it was read back, the store does not have it


CLAIMS: Final = "attempts="
"""In the statement that claims steps, and in no other."""


class Crashes:
    """Kills at the n-th time that the worker comes by a point; `came_by` says how often it has."""

    def __init__(self, store: Engine, erp: Any, point: CrashPoint, at: int, kill: Kill) -> None:
        """Args:
        at: which time, from 0.
        """
        self.came_by = 0
        self._point, self._at, self._kill = point, at, kill
        self._armed = True
        self._call: str | None = None  # the call whose settling comes next
        self._parts = False  # the last settlement was of a part
        self._settled = False  # a settlement was committed since the last claim
        self._erp = erp
        self._put, self._probe, self._read_back = erp.put, erp.probe, erp.read_back
        erp.put, erp.probe, erp.read_back = self._on_put, self._on_probe, self._on_read_back
        event.listen(store, "before_cursor_execute", self._on_statement)

    def disarm(self) -> None:
        """Nothing is killed any more; the adapter is as it was."""
        self._armed = False
        self._erp.put, self._erp.probe, self._erp.read_back = self._put, self._probe, self._read_back

    def _pass(self, point: CrashPoint) -> None:
        if not self._armed or point is not self._point:
            return
        self.came_by += 1
        if self.came_by == self._at + 1:
            self._kill()

    def _on_put(self, writes: Sequence[Write]) -> list[Outcome]:
        self._pass(CrashPoint.CLAIMED_UNCALLED)
        outcomes: list[Outcome] = self._put(writes)
        self._pass(CrashPoint.SENT_UNANSWERED)
        self._call, self._parts = "put", any(outcome.then for outcome in outcomes)
        return outcomes

    def _on_probe(self, writes: Sequence[Write]) -> list[Probe]:
        self._pass(CrashPoint.DURING_PROBE)
        probes: list[Probe] = self._probe(writes)
        self._call, self._parts = "probe", any(probe.then for probe in probes)
        return probes

    def _on_read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        self._pass(CrashPoint.DURING_READ_BACK)
        reads: list[ReadBack | None] = self._read_back(documents)
        self._call = self._call or "read_back"  # where it is part of a put, that is what is settled
        return reads

    def _on_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("UPDATE step SET"):
            return
        if CLAIMS in statement:
            settled, self._settled = self._settled, False
            if settled:
                self._pass(CrashPoint.BETWEEN_PARTS if self._parts else CrashPoint.BETWEEN_STEPS)
            self._pass(CrashPoint.BEFORE_SEND)
        elif self._call is not None:
            call, self._call = self._call, None
            self._settled = call != "read_back"
            self._pass(_SETTLING[call])


_SETTLING: Final = {
    "put": CrashPoint.ANSWERED_UNSETTLED,
    "probe": CrashPoint.PROBED_UNSETTLED,
    "read_back": CrashPoint.READ_UNSETTLED,
}
