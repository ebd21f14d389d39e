"""The account on a socket: a thin shell over `App.handle`, with a back door where one is asked for."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from erp_adapters.netsuite.account.faults import ConnectionLost
from erp_adapters.netsuite.account.http import App

BODY_BYTES_MAX: Final = 104_000_000
CONTROL: Final = "/_control/"

Control = Callable[[str, str, bytes], tuple[int, dict[str, Any]]]
"""Method, name and body of a call at the back door -> its status and JSON."""


class Server(ThreadingHTTPServer):
    """Answers on this machine alone unless told otherwise; the account's links and signatures go by `url`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        app: App,
        port: int = 0,
        control: Control | None = None,
        host: str = "127.0.0.1",
        url: str | None = None,
    ) -> None:
        """
        Args:
            port: 0 takes a free one.
            control: what answers below `/_control/`; none: nothing does.
            url: where others reach it, if not at that address.
        """

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            disable_nagle_algorithm = True  # an answer is sent in two parts, and the client waits for the second

            def answer(self) -> None:
                _answer(app, control, self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
                """Nothing is logged."""

        super().__init__((host, port), Handler)
        self.url = url or f"http://{host}:{self.server_address[1]}"


def _answer(app: App, control: Control | None, handler: BaseHTTPRequestHandler) -> None:
    path, _, query = handler.path.partition("?")
    length = int(handler.headers.get("Content-Length") or 0)
    if length > BODY_BYTES_MAX:
        handler.close_connection = True
        return
    body = handler.rfile.read(length)
    if control is not None and path.startswith(CONTROL):
        status, said = control(handler.command, path.removeprefix(CONTROL), body)
        _send(handler, status, {"Content-Type": "application/json"}, json.dumps(said).encode())
        return
    try:
        answer = app.handle(handler.command, path, query, dict(handler.headers.items()), body)
    except ConnectionLost:
        _hang_up(handler)
        return
    _send(handler, answer.status, answer.headers, answer.body, answer.cut_at)


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, cut_at: int | None = None
) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if cut_at is not None:
        handler.wfile.write(body[:cut_at])
        handler.wfile.flush()
        _hang_up(handler)
    elif status != 204:
        handler.wfile.write(body)


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
