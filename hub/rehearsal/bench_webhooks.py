"""How fast webhooks are taken in: signed orders over real sockets, the load from another process than the server's.

The floor is the same server's endpoint that reads the body, checks the seal and answers; it is measured in turns with
the door, so that a machine's mood is shared between them.
"""

import selectors
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from hub import registry
from hub.rehearsal.processes import STARTS_S, Process, free_port
from hub.settings import Settings

CONNECTIONS: Final = 64
ROUND_REQUESTS: Final = 500
WARM_UP: Final = 256
ANSWER_BYTES: Final = 65_536
STALLED_S: Final = 30
STARTS: Final = datetime(2026, 10, 1, tzinfo=UTC)
SECRET: Final = "a secret of the bench"  # noqa: S105  it guards a server on a loopback socket, for a minute
BARE: Final = "/bare"


class Idle:
    """Jobs that are never done."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, name: str) -> None: ...

    def ring_channel(self, slug: str) -> list[str]:
        return []

    def away(self) -> dict[str, str | None]:
        return {}

    def standing(self) -> dict[str, Any]:
        return {"idle": True, "runs": {}}


class Bare:
    """The least that a webhook's endpoint does: reads the body, checks the seal, answers."""

    def __init__(self, system: str) -> None:
        self._holds = registry.simulator(system).seal_holds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = 200 if self._holds(SECRET, scope["headers"], body) else 401
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"3")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok\n"})


def configured(settings: Settings) -> Settings:
    """The user's own configuration with its first channel alone, fed by webhooks only, on a database of the home's."""
    channel = settings.channels[0].model_copy(update={"address": None, "options": {}})
    secrets = {channel.secrets["webhook"]: SecretStr(SECRET)}
    return settings.model_copy(update={"database_url": None, "channels": (channel,), "secret_values": secrets})


def bench(settings: Settings, requests: int, seed: int) -> dict[str, Any]:
    """Requests a second and how long each waited; with the workers idle, and with them working off what came in."""
    channel = settings.channels[0]
    path = f"/webhooks/{channel.slug}"
    told = list(registry.simulator(channel.system).signed(SECRET, WARM_UP + requests, seed, STARTS))
    with _serving(settings) as address:
        load(address, [request(path, *one) for one in told[:WARM_UP]])
        door, bare = Measured(), Measured()
        for start in range(WARM_UP, len(told), ROUND_REQUESTS):
            part = told[start : start + ROUND_REQUESTS]
            bare.add(load(address, [request(BARE, *one) for one in part]))
            door.add(load(address, [request(path, *one) for one in part]))
    with _serving(settings, "--drain") as address:
        load(address, [request(path, *one) for one in told[:WARM_UP]])
        draining = Measured()
        draining.add(load(address, [request(path, *one) for one in told[WARM_UP:]]))
    return {
        "requests": requests,
        "connections": CONNECTIONS,
        "body_bytes": sum(len(body) for _, body in told) // len(told),
        "requests_per_s": round(door.per_s, 1),
        "p50_ms": door.percentile_ms(50),
        "p99_ms": door.percentile_ms(99),
        "bare_per_s": round(bare.per_s, 1),
        "ratio": round(door.per_s / bare.per_s, 3),
        "draining_per_s": round(draining.per_s, 1),
        "draining_p50_ms": draining.percentile_ms(50),
        "draining_p99_ms": draining.percentile_ms(99),
    }


class Measured:
    """The waits of a kind of request, over all its rounds."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []
        self.elapsed_s = 0.0

    def add(self, loaded: tuple[list[float], float]) -> None:
        self.waits_s += loaded[0]
        self.elapsed_s += loaded[1]

    @property
    def per_s(self) -> float:
        return len(self.waits_s) / self.elapsed_s

    def percentile_ms(self, percent: int) -> float:
        return round(sorted(self.waits_s)[(len(self.waits_s) - 1) * percent // 100] * 1000, 1)


def request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a POST on a connection that is kept."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def load(address: tuple[str, int], requests: Sequence[bytes]) -> tuple[list[float], float]:
    """Each request was answered 200: how long each waited, and how long all took, in seconds.

    One thread over plain sockets: what the load costs is taken from the server that it measures.

    Raises:
        RuntimeError: another answer came, or none.
    """
    waits: list[float] = []
    left = deque(requests)
    with selectors.DefaultSelector() as selector:
        sockets = [socket.create_connection(address) for _ in range(min(CONNECTIONS, len(requests)))]
        by_number = {each.fileno(): each for each in sockets}
        sent: dict[int, float] = {}
        try:
            began = time.perf_counter()
            for each in sockets:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(each, selectors.EVENT_READ)
                sent[each.fileno()] = time.perf_counter()
                each.sendall(left.popleft())
            while len(waits) < len(requests):
                ready = selector.select(STALLED_S)
                if not ready:
                    raise RuntimeError(f"bench: no answer in {STALLED_S} s")
                for key, _ in ready:
                    each = by_number[key.fd]
                    _read_answer(each)
                    at = time.perf_counter()
                    waits.append(at - sent[key.fd])
                    if left:
                        sent[key.fd] = at
                        each.sendall(left.popleft())
            return waits, time.perf_counter() - began
        finally:
            for each in sockets:
                each.close()


def _read_answer(connection: socket.socket) -> None:
    """One whole answer was read from it.

    Raises:
        RuntimeError: it is no 200, or cut short.
    """
    answer = connection.recv(ANSWER_BYTES)
    while not _is_whole(answer):
        more = connection.recv(ANSWER_BYTES)
        if not more:
            raise RuntimeError(f"bench: an answer was cut short: {answer[:200]!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"bench: not acknowledged: {answer[:200]!r}")


def _is_whole(answer: bytes) -> bool:
    head, ended, body = answer.partition(b"\r\n\r\n")
    if not ended:
        return False
    _, _, rest = head.lower().partition(b"content-length: ")
    return len(body) >= int(rest.partition(b"\r\n")[0])


@contextmanager
def _serving(settings: Settings, *options: str) -> Iterator[tuple[str, int]]:
    """The server in a process of its own, on an empty home."""
    with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
        port = free_port()
        words = ["bench", "webhooks-server", "--home", folder, "--config", str(settings.config), "--port", str(port)]
        program = [sys.executable, "-c", "from hub.cli import main; main()"]
        with Process([*program, *words, *options], Path(folder) / "server.log", {}) as server:
            server.start()
            server.wait_for(lambda: _listens(port), "the server", STARTS_S)
            yield "127.0.0.1", port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
