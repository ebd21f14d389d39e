"""What stands between a shop and the hub's door: a proxy that turns deliveries away, and loses answers.

What the hub acknowledged is remembered, whether or not its answer got through: all of it must be in the store.
"""

import http.client
import random
import threading
from collections import Counter
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from hub.rehearsal.processes import free_port

ANSWER_S: Final = 5  # as long as a shop waits for the whole answer
TURNED_AWAY: Final = 503
PASSED_ON: Final = ("content-type", "retry-after")


class Gate:
    """It listens on loopback for the time of a block; rates are of a thousand deliveries."""

    def __init__(self, chance: random.Random) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.behind = 0  # the port of the hub's door
        self.turns_away = 0
        self.loses_answers = 0
        self.shut = False  # every delivery is turned away
        self.met: Counter[str] = Counter()
        self.acknowledged: set[str] = set()  # SHA-256 of each body that the hub answered with 200
        self._chance = chance
        self._lock = threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                gate._pass(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="gate", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def calm(self) -> None:
        """From now on everything gets through."""
        self.turns_away = self.loses_answers = 0
        self.shut = False

    def so_far(self) -> set[str]:
        """What the hub has acknowledged until now."""
        with self._lock:
            return set(self.acknowledged)

    def forget_all_but(self, kept: set[str]) -> set[str]:
        """The others: the store was lost, and what came after its backup with it."""
        with self._lock:
            gone, self.acknowledged = self.acknowledged - kept, set(kept)
        return gone

    def _pass(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            drawn = self._chance.randrange(1000)
        if self.shut or drawn < self.turns_away:
            self._count("turned away")
            _say(request, TURNED_AWAY, {"retry-after": "1"}, b"")
            return
        answer = self._asked(request, body)
        if answer is None:
            self._count("nobody there")
            _say(request, TURNED_AWAY, {}, b"")
            return
        status, headers, said = answer
        self._count(str(status))
        if status == http.client.OK:
            with self._lock:
                self.acknowledged.add(sha256(body).hexdigest())
        if drawn >= 1000 - self.loses_answers:
            self._count("answer lost")
            request.close_connection = True
            return
        _say(request, status, headers, said)

    def _asked(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """The hub's answer; None: it gave none, or not in time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=ANSWER_S)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
            connection.request("POST", request.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            kept = {name: value for name in PASSED_ON if (value := answer.getheader(name)) is not None}
            return answer.status, kept, said
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _count(self, what: str) -> None:
        with self._lock:
            self.met[what] += 1


def _say(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response_only(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
