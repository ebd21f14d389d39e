"""One seed decides who goes next: virtual workers in virtual time, of which exactly one runs at a time.

A worker is a thread that holds the baton while it runs and hands it back where another might come between: before each
transaction of a store, before a request leaves, before its answer arrives, and while it waits. What lies between two
such places nobody else can see, so pausing there once is pausing everywhere. Nothing here reads a wall clock: the same
seed gives the same choices.
"""

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

STUCK_S: Final = 120
"""Of real time: a worker that keeps the baton for so long waits for something that only another could give it."""
STEP_MS: Final = (1, 40)
"""Virtual time that a step takes."""


class Killed(BaseException):
    """The worker's process is gone: no handler of the hub may catch this, as none catches a SIGKILL."""


class Worker:
    """One virtual worker's run of one job."""

    def __init__(self, name: str, job: str, run: Callable[[], object]) -> None:
        self.name = name
        self.job = job
        self.at = "begin"  # the place where it stands
        self.wakes_at: datetime | None = None  # None: it may go on
        self.holds = 0  # write transactions that are open: it cannot stop while it has one
        self.doomed = False
        self.over = False
        self.fault: Exception | None = None
        self.gate = threading.Semaphore(0)
        self._run = run

    def run(self, end: Callable[[], None]) -> None:
        self.gate.acquire()
        try:
            if not self.doomed:
                self._run()
        except Killed:
            pass
        except Exception as fault:  # noqa: BLE001  the virtual worker's rim, as the real one's
            self.fault = fault
        finally:
            self.over = True
            end()


class Scheduler:
    """Time, chance and the baton; `digest` is of all that was chosen and noted."""

    def __init__(self, seed: int, start: datetime, write: Callable[[str], object] | None = None) -> None:
        """
        Args:
            write: is handed every line of the trace.
        """
        self.chance = random.Random(f"{seed}/scheduler")  # noqa: S311  a rehearsal
        self.now = start
        self.steps = 0
        self.running: list[Worker] = []  # in the order in which they began
        self._gate = threading.Semaphore(0)
        self._here = threading.local()
        self._digest = sha256()
        self._write = write

    def clock(self) -> datetime:
        return self.now

    def pass_to(self, moment: datetime) -> None:
        """Time never goes back."""
        self.now = max(self.now, moment)

    def note(self, line: str) -> None:
        """The line is a part of the trace."""
        whole = f"{self.steps} {self.now:%m-%dT%H:%M:%S.%f} {line}\n"
        self._digest.update(whole.encode())
        if self._write is not None:
            self._write(whole)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    # --- for the threads of workers ---------------------------------------------------------------------------------

    @property
    def here(self) -> Worker | None:
        """The worker whose thread this is; None: it is none's."""
        worker: Worker | None = getattr(self._here, "worker", None)
        return worker

    def pause(self, at: str) -> None:
        """Others may have gone on meanwhile.

        Raises:
            Killed: this worker is no more.
        """
        worker = self.here
        if worker is None or worker.holds:
            return
        if not worker.doomed:
            worker.at = at
            self._gate.release()
            worker.gate.acquire()
        if worker.doomed:
            raise Killed

    def sleep(self, seconds: float) -> None:
        """So much virtual time has passed."""
        worker = self.here
        if worker is None:
            self.pass_to(self.now + timedelta(seconds=seconds))
            return
        worker.wakes_at = self.now + timedelta(seconds=seconds)
        self.pause("sleep")

    def watch(self, engine: Engine, name: str) -> None:
        """Workers pause before every transaction on this engine; none while it could keep others from theirs."""

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            writes = bool(connection.get_execution_options().get("writes"))
            self.pause(f"{name} {'writes' if writes else 'reads'}")
            if writes and self.here is not None:
                self.here.holds += 1

        listeners: Any = engine.dispatch.begin  # `insert=True` does nothing for these events (SQLAlchemy 2.1, 2026-11)
        listeners.listeners.rotate(1)  # so that it stands before the one that says BEGIN

        @event.listens_for(engine, "commit")
        @event.listens_for(engine, "rollback")
        def _end(connection: Connection) -> None:
            if self.here is not None and connection.get_execution_options().get("writes"):
                self.here.holds -= 1

    # --- for the one who decides ------------------------------------------------------------------------------------

    def ready(self) -> list[Worker]:
        """Who may go on now."""
        return [one for one in self.running if one.wakes_at is None or one.wakes_at <= self.now]

    def wakes_at(self) -> datetime | None:
        """When the next sleeper wakes."""
        return min((one.wakes_at for one in self.running if one.wakes_at is not None), default=None)

    def start(self, worker: Worker) -> None:
        """The worker stands at the beginning of its job."""

        def run() -> None:
            self._here.worker = worker
            worker.run(self._gate.release)

        self.running.append(worker)
        threading.Thread(target=run, name=f"{worker.name} {worker.job}", daemon=True).start()

    def go(self, worker: Worker, *, kill: bool = False) -> None:
        """The worker went on to its next place, or to its end.

        Args:
            kill: it gets no further than where it stands.
        """
        self.steps += 1
        self.now += timedelta(milliseconds=self.chance.randint(*STEP_MS))
        self.note(f"{worker.name} {worker.job}: {'killed at ' if kill else ''}{worker.at}")
        worker.wakes_at = None
        worker.doomed = kill
        worker.gate.release()
        if not self._gate.acquire(timeout=STUCK_S):
            raise RuntimeError(f"{worker.name} {worker.job} is stuck after {worker.at}")
        if worker.over:
            self.running.remove(worker)

    def end(self) -> None:
        """Every worker is gone."""
        while self.running:
            self.go(self.running[0], kill=True)
