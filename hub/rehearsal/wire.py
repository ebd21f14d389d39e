"""What lies between the hub and far sides in this process: requests that get lost, answers that never arrive.

`Line` carries HTTP to a simulator's `handle`, which draws its own faults. `Between` stands before an adapter that
speaks no HTTP (the reference ledger, whose database is the far side) and draws them here.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Protocol

import httpx

from hub.errors import AuthExpired, InDoubt, RateLimited, Retryable
from hub.model.adoption import ErpDocument
from hub.model.documents import Document
from hub.model.intents import Outcome, Probe, ReadBack, Write
from hub.model.records import Record, Translation
from hub.model.statement import ErpRow
from hub.ports import Page
from hub.rehearsal.scheduler import Scheduler

LATE_S: Final = (30, 600)
"""When a commit that is late happens after all: before the settling time is over, as the vendors' facts say."""
LIMIT_S: Final = (2, 90)
SHOWN_CHARS: Final = 12  # of a digest, in the trace


class Said(Protocol):
    """An answer of a far side."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


Handle = Callable[[str, str, dict[str, str], bytes], Said | None]
"""Method, target, headers by lower-case name, body; None: the connection ends without a word."""


class Line(httpx.BaseTransport):
    """HTTP to a far side in this process; whoever sends over it pauses before the request and before the answer."""

    def __init__(self, scheduler: Scheduler, who: str, handle: Handle) -> None:
        self._scheduler = scheduler
        self._who = who
        self._handle = handle
        self.under_way = 0  # requests that were taken and are not answered yet

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        target = request.url.raw_path.decode()
        what = f"{self._who} {request.method} {request.url.path}"
        self._scheduler.pause(what)
        headers = {name.lower(): text for name, text in request.headers.items()}
        said = self._handle(request.method, target, headers, body)
        form = "form" in headers.get("content-type", "")  # asks for a token, with a signature that is another each time
        self._scheduler.note(f"asked {what} {'form' if form else shown(body)}: {_summary(said)}")
        self.under_way += 1
        try:
            self._scheduler.pause(f"answer of {what}")
        finally:
            self.under_way -= 1
        if said is None:
            raise httpx.RemoteProtocolError("the connection ended", request=request)
        cut = getattr(said, "cut_at", None)
        if cut is not None:
            raise httpx.ReadError("the connection ended within the answer", request=request)
        return httpx.Response(said.status, headers=dict(said.headers), content=said.body, request=request)


def shown(content: bytes) -> str:
    """What stands for a body in the trace."""
    return sha256(content).hexdigest()[:SHOWN_CHARS]


def _summary(said: Said | None) -> str:
    if said is None:
        return "no answer"
    return f"{said.status} {shown(said.body)}{'' if getattr(said, 'cut_at', None) is None else ' cut'}"


class Wire(StrEnum):
    """What goes wrong with one call of an adapter that speaks no HTTP."""

    UNREACHABLE = "unreachable"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    LATE_COMMIT = "late_commit"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  a fault's name


@dataclass(slots=True)
class Faults:
    """How often each fault comes, of a thousand calls, and how often it came."""

    chance: random.Random
    rates: dict[Wire, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)

    def draw(self) -> Wire | None:
        at = self.chance.randrange(1000)
        for fault, rate in self.rates.items():
            at -= rate
            if at < 0:
                self.met[fault] = self.met.get(fault, 0) + 1
                return fault
        return None


@dataclass(slots=True)
class FarSide:
    """What all calls to one adapter share: its faults, and the commits that are late."""

    scheduler: Scheduler
    faults: Faults
    late: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    changes: int = 0  # calls that may have changed it

    def next_at(self) -> datetime | None:
        return min((at for at, _ in self.late), default=None)

    def settle(self) -> None:
        """What was late and is due is done."""
        due = [one for one in self.late if one[0] <= self.scheduler.now]
        for one in due:
            self.late.remove(one)
            self.changes += 1
            self.scheduler.note("a late commit happens")
            one[1]()

    def write(self, what: str, call: Callable[[], Any]) -> Any:
        """The write's result, unless it meets a fault.

        Raises:
            InDoubt, Retryable, AuthExpired.
        """
        scheduler = self.scheduler
        scheduler.pause(what)
        fault = self.faults.draw()
        said: Any = None
        if fault is None or fault is Wire.LOST_AFTER:
            self.changes += 1
            said = call()
        if fault is Wire.LATE_COMMIT:
            at = scheduler.now + timedelta(seconds=self.faults.chance.randint(*LATE_S))
            self.late.append((at, call))
        scheduler.note(f"asked {what}: {fault or shown(repr(said).encode())}")
        scheduler.pause(f"answer of {what}")
        match fault:
            case None:
                return said
            case Wire.UNREACHABLE:
                raise Retryable("the ERP cannot be reached")
            case Wire.RATE_LIMITED:
                raise RateLimited("the ERP asks for a pause", self.faults.chance.randint(*LIMIT_S))
            case Wire.TOKEN_EXPIRED:
                raise AuthExpired("the ERP lets nobody in")
        raise InDoubt("the ERP gave no answer")

    def read(self, what: str, call: Callable[[], Any]) -> Any:
        """The read's result, unless it meets a fault.

        Raises:
            Retryable, AuthExpired.
        """
        scheduler = self.scheduler
        scheduler.pause(what)
        fault = self.faults.draw()
        said = call() if fault is None else None
        scheduler.note(f"asked {what}: {fault or shown(repr(said).encode())}")
        scheduler.pause(f"answer of {what}")
        match fault:
            case None:
                return said
            case Wire.RATE_LIMITED:
                raise RateLimited("the ERP asks for a pause", self.faults.chance.randint(*LIMIT_S))
            case Wire.TOKEN_EXPIRED:
                raise AuthExpired("the ERP lets nobody in")
        raise Retryable("the ERP gave no answer")


class Between:
    """An adapter, every call of which goes over a line that fails; reads of books and of what people do do not."""

    def __init__(self, adapter: Any, far: FarSide) -> None:
        self._adapter = adapter
        self._far = far
        self.settle_s: int = adapter.settle_s

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        what = "erp put " + " ".join(f"{one.action}:{one.document.key}" for one in writes)
        outcomes: list[Outcome] = self._far.write(what, lambda: self._adapter.put(writes))
        return outcomes

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        what = "erp probe " + " ".join(one.document.key for one in writes)
        probes: list[Probe] = self._far.read(what, lambda: self._adapter.probe(writes))
        return probes

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        what = "erp read " + " ".join(one.key for one in documents)
        read: list[ReadBack | None] = self._far.read(what, lambda: self._adapter.read_back(documents))
        return read

    def changes(self, since: str | None) -> Iterator[Page]:
        pages: list[Page] = self._far.read(f"erp changes {since}", lambda: list(self._adapter.changes(since)))
        return iter(pages)

    def translate(self, record: Record) -> Translation:
        translation: Translation = self._adapter.translate(record)
        return translation

    def statement(self, first: date, last: date) -> Iterator[ErpRow]:
        rows: Iterator[ErpRow] = self._adapter.statement(first, last)
        return rows

    def documents(self, first: date, last: date) -> Iterator[ErpDocument]:
        documents: Iterator[ErpDocument] = self._adapter.documents(first, last)
        return documents

    def closed_until(self, entity: str) -> date | None:
        until: date | None = self._adapter.closed_until(entity)
        return until

    def close(self, entity: str, period: str) -> None:
        self._adapter.close(entity, period)

    def open(self, entity: str, period: str) -> None:
        self._adapter.open(entity, period)

    def close_connections(self) -> None:
        self._adapter.close_connections()
