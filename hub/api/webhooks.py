"""POST /webhooks/{channel}: checked, stored, then answered; the answer follows the commit.

Written on ASGI itself: a framework's own work on a request took longer than storing it (measured, 2026-11).
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from hub.errors import Forged, HubError, Misconfigured, Retryable
from hub.model.records import Received
from hub.steps.hub import Hub
from hub.steps.receiving import BUSY_S, DELIVERY_BYTES_MAX, Acceptance, Answer, Counts, Intake, acceptance

log = logging.getLogger(__name__)

ADVANCE_JOB: Final = "advance"
PATH: Final = "/webhooks/{channel}"
BODY_S: Final = 10  # in which a body has to come
ANSWER_S: Final = 4.0  # that a sender waits for its commit: Shopify hangs up after 5
SEALED_AT_ONCE_BYTES_MAX: Final = 65_536  # a larger body's seal is checked on a thread: it takes milliseconds
SWEEP_S: Final = 0.25  # how much later than that either may end
BODIES_BYTES_MAX: Final = 64 * 1024 * 1024  # of those on their way in

Said = tuple[Message, Message]


def said(status: int, words: str, retry_after_s: int | None = None) -> Said:
    """An answer in plain text, made once."""
    body = f"{words}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


STORED: Final = said(200, "stored")
STORED_BEFORE: Final = said(200, "stored before")
FORGED: Final = said(401, "no good seal")
UNKNOWN: Final = said(404, "no such channel")
SLOW: Final = said(408, "the rest did not come in time")
TOO_LARGE: Final = said(413, f"more than {DELIVERY_BYTES_MAX} bytes")
CLOSED: Final = said(503, "this channel takes no webhooks now", BUSY_S)
BUSY: Final = said(503, "not stored: send it again", BUSY_S)

Ticket = tuple[str, asyncio.Future[Answer]]
Lasting = TypeVar("Lasting")


class Webhooks:
    """The door: an ASGI application for one path, and the writer behind it."""

    def __init__(self, hub: Hub, ring: Callable[[str], None]) -> None:
        self.counts = Counts()
        self._hub = hub
        self._slugs = frozenset(channel.slug for channel in hub.settings.channels)
        self._accepts: dict[str, Acceptance] = {}  # of the channels whose plugin is loaded
        self._bodies_bytes = 0
        self._intake: Intake[Ticket] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: dict[asyncio.Future[Answer], float] = {}  # until when; the oldest first
        self._reading: dict[asyncio.Timeout, float] = {}
        self._bell = _Ringer(lambda: ring(ADVANCE_JOB))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Deliveries are taken while the block runs; all that were are answered when it ends.

        Raises:
            Misconfigured: a commit of the inbox could be lost after it has returned.
        """
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(self._hub, self._answered, self.counts)
        self._intake.start()
        self._bell.start()
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            await run_in_threadpool(self._intake.stop)
            sweeping.cancel()
            self._bell.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Takes a delivery of a channel; 200 once it is on disk, a duplicate as well."""
        slug = scope["path_params"]["channel"]
        start, body = await self._answer(slug, scope, receive) if slug in self._slugs else UNKNOWN
        await send({**start})  # what goes by adds headers of its own
        await send(body)

    async def _answer(self, slug: str, scope: Scope, receive: Receive) -> Said:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await self._body(headers, receive)
        if not isinstance(body, bytes):
            return body
        try:
            accept = self._accepts.get(slug)
            if accept is None:
                accept = self._accepts[slug] = await run_in_threadpool(acceptance, self._hub, slug)
            if len(body) <= SEALED_AT_ONCE_BYTES_MAX:
                received = accept(headers, body)
            else:
                received = await run_in_threadpool(accept, headers, body)
        except Forged:
            self.counts.answers[slug, "forged"] += 1
            log.warning("webhook.forged", extra={"channel": slug})
            return FORGED
        except Misconfigured as fault:
            self.counts.answers[slug, "closed"] += 1
            log.error("webhook.refused", extra={"channel": slug, "fault": fault})
            return CLOSED
        return await self._committed(slug, received)

    async def _committed(self, slug: str, received: Received) -> Said:
        loop, intake = self._loop, self._intake
        if loop is None or intake is None:
            return BUSY
        future: asyncio.Future[Answer] = loop.create_future()
        if not intake.offer(received, (slug, future)):
            self.counts.answers[slug, "turned_away"] += 1
            return BUSY
        self._awaited[future] = loop.time() + ANSWER_S
        try:
            answer = await future
        finally:
            del self._awaited[future]
        if isinstance(answer, HubError):
            self.counts.answers[slug, "failed"] += 1
            return BUSY
        self.counts.answers[slug, "stored" if answer else "duplicate"] += 1
        return STORED if answer else STORED_BEFORE

    def _answered(self, group: Sequence[tuple[Ticket, Answer]]) -> None:
        assert self._loop is not None  # noqa: S101  deliveries are taken only while the loop runs
        self._loop.call_soon_threadsafe(_tell, group)
        if any(answer is True for _, answer in group):
            self._bell.ring()

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes | Said:
        """The raw body, or why it is not read."""
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > DELIVERY_BYTES_MAX:
            return TOO_LARGE
        try:
            async with asyncio.timeout(None) as limit:
                self._reading[limit] = asyncio.get_running_loop().time() + BODY_S
                try:
                    return await self._read(receive)
                finally:
                    self._reading.pop(limit, None)
        except TimeoutError:
            return SLOW

    async def _sweep(self) -> None:
        """Ends what lasts longer than it may: two timers a request took more than checking its seal."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            at = loop.time()
            for limit in _over(self._reading, at):
                del self._reading[limit]
                limit.reschedule(at)
            for future in _over(self._awaited, at):
                _give_up(future)

    async def _read(self, receive: Receive) -> bytes | Said:
        read = 0
        chunks: list[bytes] = []
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return SLOW
                chunk: bytes = message.get("body", b"")
                read += len(chunk)
                self._bodies_bytes += len(chunk)
                if read > DELIVERY_BYTES_MAX:
                    return TOO_LARGE
                if self._bodies_bytes > BODIES_BYTES_MAX:
                    return BUSY
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        finally:
            self._bodies_bytes -= read


def _over(until: Mapping[Lasting, float], at: float) -> list[Lasting]:
    return [one for one, _ in takewhile(lambda item: item[1] <= at, until.items())]


def _tell(group: Sequence[tuple[Ticket, Answer]]) -> None:
    for (_, future), answer in group:
        if not future.done():  # its sender hung up, or waited too long
            future.set_result(answer)


def _give_up(future: asyncio.Future[Answer]) -> None:
    """It may still be stored: then the sender's next try finds it there."""
    if not future.done():
        future.set_result(Retryable("not committed in time", BUSY_S))


class _Ringer:
    """Rings on a thread of its own, once for all that came meanwhile: a bell may be slow, or not there."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._due = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._loop, name="ringer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        self._due.set()

    def stop(self) -> None:
        self._ended = True
        self._due.set()
        self._thread.join(BUSY_S)

    def _loop(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._ended:
                return
            try:
                self._ring()
            except Exception:
                log.warning("webhook.not_rung", exc_info=True)
