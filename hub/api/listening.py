"""What one connection may take of the server: how long a request may be under way, how long its head may be.

uvicorn bounds neither: a sender that says a byte now and then would keep its connection for ever. It does bound how
many connections there are, and then answers 503 to all of them, without a word on when to come again; here those that
were there are served, and who comes beyond is told.
"""

import asyncio
import logging
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.api.problems import MEDIA_TYPE, Problem
from hub.errors import Next

log = logging.getLogger(__name__)

HEAD_BYTES_MAX: Final = 32 * 1024
FULL_RETRY_AFTER_S: Final = 5
IDLE_S: Final = 5  # between two requests of a connection


class Bounded(HttpToolsProtocol):
    """A connection that is closed where a request does not come in time, or its head is too long."""

    HEAD_S = 10.0
    REST_S = 30.0  # for the body, whoever reads it; the webhook door answers sooner
    CONNECTIONS_MAX = 512

    _due: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.CONNECTIONS_MAX:
            log.warning("api.full")
            self.app = _full
        self._expect(self.HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._due is None:  # whatever comes between two requests begins one
            self._begin_head()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._due is None:  # behind another request, in the same packet
            self._begin_head()

    def on_headers_complete(self) -> None:
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if head_bytes > HEAD_BYTES_MAX:
            raise ValueError("the head is too long")  # the parser stops, and the server answers 400
        self._in_head = False
        self._expect(self.REST_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._expect(None)
        super().on_message_complete()

    def _begin_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._expect(self.HEAD_S)

    def _expect(self, within_s: float | None) -> None:
        """What is under way ends within that time, or the connection does; None: nothing is."""
        if self._due is not None:
            self._due.cancel()
        self._due = None if within_s is None else self.loop.call_later(within_s, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """Whoever came when every connection was taken is told when to come again, and its connection ends."""
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(_FULL)).encode()),
        (b"retry-after", str(FULL_RETRY_AFTER_S).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _FULL})


_FULL: Final = (
    Problem(
        type="urn:orderhub:problem:ServiceUnavailable",
        title="Service Unavailable",
        status=503,
        detail="every connection is taken",
        next=Next.RETRY.value,
        retry_after_s=FULL_RETRY_AFTER_S,
    )
    .model_dump_json(exclude_none=True)
    .encode()
)


def configured(app: ASGIApp, protocol: type[Bounded] = Bounded) -> uvicorn.Config:
    """How the application is served: bounded, without a line for each request, and without WebSockets."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
    )
