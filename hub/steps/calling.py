"""A call of a target: what is put, looked for or read back in it, and what came of it. The store is not touched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, Retryable
from hub.logs import about
from hub.model.documents import MASTER_KINDS, Component, Document
from hub.model.intents import Action, Found, Outcome, ReadBack, Verdict
from hub.ports import ReadsBack
from hub.store.sending import Claimed, Read
from hub.store.targets import Look, Pause

PAUSE_S: Final = 300
"""Until a target that let nobody in is tried again."""

CATCH_UP_S: Final = 900
"""So long after a restore what a channel says now is taken in, before what stands otherwise is written over."""

AGAIN_S: Final = (5, 30, 120, 600)
"""Until a step that could not be sent is sent again, by how often it was tried; the last for all later tries."""


@dataclass(slots=True)
class Answer:
    """What came of calls of one target: what became of each step, and what it says of the target itself."""

    sent_at: datetime  # when the call began
    look: Look | None = None  # None: it wrote
    done: list[Read] = field(default_factory=list)
    parts: list[tuple[Claimed, str | None, str]] = field(default_factory=list)  # with reference and next part
    rejected: list[tuple[Claimed, Outcome]] = field(default_factory=list)
    doubtful: list[Claimed] = field(default_factory=list)
    absent: list[Claimed] = field(default_factory=list)  # may be sent again at once
    unsent: list[Claimed] = field(default_factory=list)  # may be sent again after a while
    twice: list[Claimed] = field(default_factory=list)
    otherwise: list[tuple[Claimed, str | None]] = field(
        default_factory=list
    )  # in doubt since a restore: not as it says
    read: list[Read] = field(default_factory=list)  # of steps that were settled before
    unread: list[Claimed] = field(default_factory=list)  # of such, to be read back later
    answered: bool = False  # whether the target answered at all; else `fault` says why not, where it was called
    fault: HubError | None = None

    @property
    def pause(self) -> tuple[Pause, float] | None:
        """Why and for how many seconds the target is left alone; None: it is not."""
        match self.fault:
            case AuthExpired():
                return Pause.CREDENTIALS, PAUSE_S
            case Misconfigured():
                return Pause.CONFIGURATION, PAUSE_S
            case Retryable(after_s=float() | int() as after_s):
                return Pause.ASKED, after_s
        return None


def put(adapter: Any, claimed: list[Claimed], sent_at: datetime, *, read: bool) -> Answer:
    """The writes were tried in one call, and read back if asked for and the adapter can."""
    answer = Answer(sent_at)
    try:
        with about(**_fields(claimed)):
            outcomes = adapter.put([one.write for one in claimed])
    except InDoubt as fault:
        answer.doubtful, answer.fault = claimed, fault
    except (Retryable, AuthExpired, Misconfigured) as fault:
        answer.fault = fault  # nothing was changed by it
        if answer.pause is None:
            answer.unsent = claimed
        else:
            answer.absent = claimed
    else:
        done = _sort(claimed, outcomes, answer)
        answer.done = _read_back(done, adapter if read else None)
    return answer


def probe(adapter: Any, doubtful: list[Claimed], sent_at: datetime, settles_s: int, *, read: bool) -> Answer:
    """The writes were looked for; that one is absent is believed when it was sent so long ago."""
    answer = Answer(sent_at, Look.PROBE)
    found: list[tuple[Claimed, str | None]] = []
    try:
        with about(**_fields(doubtful)):
            probes = adapter.probe([one.write for one in doubtful])
    except (Retryable, InDoubt, AuthExpired, Misconfigured) as fault:
        answer.doubtful, answer.fault = doubtful, fault
        return answer
    answer.answered = True
    for one, probed in zip(doubtful, probes, strict=True):
        match probed.found:
            case Found.DONE if probed.then is not None:
                answer.parts.append((one, probed.ref, probed.then))
            case Found.DONE:
                found.append((one, probed.ref))
            case Found.ABSENT if sent_at >= one.sent_at + timedelta(seconds=settles_s):
                if one.restored and one.write.action is not Action.CREATE:
                    answer.otherwise.append((one, None))
                else:
                    answer.absent.append(one)
            case Found.TWICE:
                answer.twice.append(one)
            case _:
                answer.doubtful.append(one)
    found = _as_told(adapter, found, answer)
    answer.done = _read_back(found, adapter if read else None)
    return answer


def _as_told(
    adapter: Any, found: Sequence[tuple[Claimed, str | None]], answer: Answer
) -> list[tuple[Claimed, str | None]]:
    """Those found but the creates of a restored store whose document stands with a content of ours that is another."""
    creates = [one for one, _ in found if one.restored and one.write.action is Action.CREATE]
    if not creates or not isinstance(adapter, ReadsBack):
        return list(found)
    reads = adapter.read_back([one.write.document for one in creates])
    other = {
        one.id
        for one, read in zip(creates, reads, strict=True)
        if read is not None and read.revision not in (None, one.write.revision)
    }
    answer.otherwise += [(one, ref) for one, ref in found if one.id in other]
    return [(one, ref) for one, ref in found if one.id not in other]


def read_back(adapter: ReadsBack, steps: list[Claimed], sent_at: datetime, settles_s: int) -> Answer:
    """The documents of writes that happened were read; what is not there yet is read again until it has settled."""
    answer = Answer(sent_at, Look.READ_BACK)
    try:
        with about(**_fields(steps)):
            reads = adapter.read_back([one.write.document for one in steps])
    except (Retryable, InDoubt, AuthExpired, Misconfigured) as fault:
        answer.unread, answer.fault = steps, fault
        return answer
    answer.answered = True
    for one, read in zip(steps, reads, strict=True):
        if (
            read is None
            and one.write.action is not Action.VOID
            and sent_at < one.sent_at + timedelta(seconds=settles_s)
        ):
            answer.unread.append(one)
        else:
            answer.read.append((one, None, read, _matches(one, read)))
    return answer


def _fields(claimed: Sequence[Claimed]) -> dict[str, Any]:
    """What lines that are logged in a call say that it is about."""
    one = claimed[0]
    if len(claimed) > 1:
        return {"target": one.target, "steps": [each.id for each in claimed]}
    named = {"target": one.target, "step": one.id, "document": one.write.document.key}
    return {**named, "channel": one.channel, "order": one.order_id or None}


def again_s(one: Claimed) -> int:
    """After how many seconds a step that could not be sent is due again."""
    return AGAIN_S[min(one.attempts, len(AGAIN_S)) - 1]


def differs(document: Document, read: ReadBack, action: Action) -> bool:
    """Whether the ERP holds something else than what it was told: total, tax, currency, date, number of lines.

    What stock costs is the ERP's own matter: the total of a document that moves stock is not compared.
    """
    if action is Action.VOID:
        return not read.voided
    if read.voided or read.currency != document.currency:
        return True
    if read.date != document.date and document.kind not in MASTER_KINDS:  # which are of no period
        return True
    if any(line.component is Component.STOCK for line in document.lines):
        return read.lines != len(document.lines)
    return (read.total_minor, read.tax_minor, read.lines) != (
        document.total_minor,
        document.tax_minor,
        len(document.lines),
    )


def _sort(claimed: Sequence[Claimed], outcomes: Sequence[Outcome], answer: Answer) -> list[tuple[Claimed, str | None]]:
    done: list[tuple[Claimed, str | None]] = []
    for one, outcome in zip(claimed, outcomes, strict=True):
        match outcome.verdict:
            case Verdict.DONE if outcome.then is not None:
                answer.parts.append((one, outcome.ref, outcome.then))
            case Verdict.DONE:
                done.append((one, outcome.ref))
            case Verdict.REJECTED:
                answer.rejected.append((one, outcome))
            case Verdict.IN_DOUBT:
                answer.doubtful.append(one)
            case Verdict.UNSENT:
                answer.unsent.append(one)
    answer.answered = bool(done or answer.parts or answer.rejected)
    if answer.answered:  # what stood behind the others in the call was only not reached
        answer.absent, answer.unsent = answer.unsent, []
    return done


def _read_back(done: Sequence[tuple[Claimed, str | None]], adapter: Any) -> list[Read]:
    if not isinstance(adapter, ReadsBack):
        return [(one, ref, None, None) for one, ref in done]
    reads = adapter.read_back([one.write.document for one, _ in done])
    return [(one, ref, read, _matches(one, read)) for (one, ref), read in zip(done, reads, strict=True)]


def _matches(one: Claimed, read: ReadBack | None) -> bool:
    if read is None:  # an ERP may delete what is void, and have nothing left to be read
        return one.write.action is Action.VOID
    return not differs(one.write.document, read, one.write.action)
