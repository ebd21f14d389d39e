"""The processes of a live rehearsal, each on a loopback socket: rehearsed shop, rehearsed ERP, the hub that serves."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import httpx

from hub.errors import Misconfigured

STARTS_S: Final = 60
STOPS_S: Final = 30
ADVANCE_S: Final = 600
LOOK_S: Final = 0.1
SETTLES_S: Final = 300
RING_AGAIN_S: Final = 10


class Process:
    """A child process whose output goes to a file; it is gone when the block ends."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._log = log
        self._environment = {**os.environ, **environment}
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  our own program
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment
            )

    def stop(self) -> None:
        """It was asked to end in order, and has ended."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOPS_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """It was ended in the midst of what it did."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    @property
    def pid(self) -> int | None:
        """None: it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Returns once it is ready.

        Raises:
            Misconfigured: it ended, or was not ready in time; with the last lines that it said.
        """
        until = time.monotonic() + seconds
        while not ready():
            if self._child is not None and self._child.poll() is not None:
                raise Misconfigured(f"{what} ended: {self._last_words()}")
            if time.monotonic() > until:
                raise Misconfigured(f"{what} was not ready in {seconds:.0f} s: {self._last_words()}")
            time.sleep(LOOK_S)

    def _last_words(self) -> str:
        return " | ".join(self._log.read_text(errors="replace").splitlines()[-5:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class SimulatorProcess(Process):
    """A system's simulator as a process of its own, with a back door to it."""

    def __init__(
        self, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str], who: str
    ) -> None:
        self.port = free_port()
        self._who = who
        super().__init__([sys.executable, "-m", module, "--port", str(self.port), *arguments], log, environment)
        self.address = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self.address, timeout=ADVANCE_S, trust_env=False)

    def start(self) -> None:
        super().start()
        self.wait_for(self._answers, f"the {self._who}", STARTS_S)

    def __exit__(self, *reason: object) -> None:
        self._client.close()
        super().__exit__(*reason)

    def state(self) -> dict[str, Any]:
        return self._said(self._client.get("/_control/state"))

    def _answers(self) -> bool:
        try:
            return self._client.get("/_control/state").is_success
        except httpx.TransportError:
            return False

    def _told(self, name: str, **asked: object) -> dict[str, Any]:
        return self._said(self._client.post(f"/_control/{name}", json=asked))

    def _said(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise Misconfigured(f"the {self._who} refuses: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found


class ShopProcess(SimulatorProcess):
    """A channel's simulator, whose clock the rehearsal moves."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        super().__init__(module, arguments, log, environment, "shop")

    def orders(self) -> list[dict[str, Any]]:
        """Every order as the shop has it."""
        found: list[dict[str, Any]] = self._said(self._client.get("/_control/truth"))["orders"]
        return found

    def advance(self, to: str) -> None:
        """Time has passed there, and everything due by then happened."""
        self._told("advance", to=to)

    def go_wrong(self, **faults: object) -> None:
        """From now on it fails so."""
        self._told("faults", **faults)

    def do(self, what: str, order: str, **more: object) -> None:
        """A person at the shop does something to an order."""
        self._told("order", do=what, order=order, **more)


class ErpProcess(SimulatorProcess):
    """An ERP's simulator."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        super().__init__(module, arguments, log, environment, "ERP")

    def find(self, keys: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """What stands under each of these keys of ours; None: nothing."""
        return self._told("find", keys=list(keys))

    def do(self, what: str, **more: object) -> dict[str, Any]:
        """A person does something in the ERP; the document that it was done to, or that came of it."""
        return self._told("hands", do=what, **more)

    def documents(self) -> list[dict[str, str]]:
        """Every document that names an order: its id, type, order and key."""
        found: list[dict[str, str]] = self._said(self._client.get("/_control/documents"))["documents"]
        return found

    def pass_time(self, seconds: float) -> None:
        """Its clock has moved on, and what was to happen by then has."""
        self._told("advance", by_s=seconds)

    def go_wrong(self, **faults: object) -> None:
        """From now on it fails so."""
        self._told("faults", **faults)

    def catch_up(self) -> None:
        """What was late has happened, and searches have heard of every change."""
        self.wait_for(lambda: not self.state()["late"], "the ERP", STARTS_S)


class HubProcess(Process):
    """`orderhub serve` on a home."""

    def __init__(self, home: Path, config: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        words = ["serve", "--home", str(home), "--config", str(config), "--port", str(self.port), "--no-login"]
        super().__init__([sys.executable, "-c", "from hub.cli import main; main()", *words], log, environment)
        self.address = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self.address, timeout=STARTS_S, trust_env=False)

    def start(self) -> None:
        super().start()
        self.wait_for(lambda: self._status() is not None, "orderhub serve", STARTS_S)

    def log_in(self, token: str) -> None:
        """What is asked of it from here on is asked with this token."""
        self._client.headers["Authorization"] = f"Bearer {token}"

    def settle(self, *channels: str) -> None:
        """The hub has looked at the channels and the ERP, and nothing that it can do now is left undone."""
        rung: dict[str, int] = {}
        again_at = 0.0

        def settled() -> bool:
            nonlocal rung, again_at
            status = self._status()
            if status is None:
                return False
            runs = status["jobs"]["runs"]
            if rung and _is_done(status) and all(runs.get(name, 0) > count for name, count in rung.items()):
                return True
            if time.monotonic() >= again_at:  # rung again: a job may have failed, or the process is a new one
                again_at = time.monotonic() + RING_AGAIN_S
                rung = {name: runs.get(name, 0) for name in self._ring(channels)}
            return False

        self.wait_for(settled, "orderhub serve", SETTLES_S)

    def _ring(self, channels: Sequence[str]) -> list[str]:
        try:
            answers = [self._client.post(f"/api/channels/{channel}/sync").json() for channel in channels]
            return [name for answer in answers for name in answer["jobs"]]
        except (httpx.TransportError, ValueError, KeyError):
            return []

    def _status(self) -> dict[str, Any] | None:
        try:
            answer = self._client.get("/api/status")
            found: dict[str, Any] = answer.json()
        except (httpx.TransportError, json.JSONDecodeError):
            return None
        return found if answer.is_success else None


def _is_done(status: Mapping[str, Any]) -> bool:
    """Nothing runs or waits, but for what waits for its time or for a person, and what stands behind it."""
    for states in (status["steps"], *status["told"].values()):
        blocked = states.get("rejected") or states.get("in_doubt")
        if states.get("sent") or (states.get("planned") and not blocked):
            return False
    waiting = status["records"]["waiting"] or any(status["to_be_read_anew"].values())
    return bool(status["jobs"]["idle"] and not waiting)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
