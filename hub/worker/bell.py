"""The bell: wakes jobs up on a dramatiq broker. A ring is a wake-up and never a work item: lost or doubled, nothing
changes, because each job reads from the stores what is due.

One job of a name runs at a time in a process. Rings while it waits are one ring; a ring while it runs makes it run
again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import dramatiq
from dramatiq.brokers.stub import StubBroker

log = logging.getLogger(__name__)

WORKER_THREADS_MAX: Final = 64
STOP_MS: Final = 20_000
POLL_MS: Final = 200  # how long an idle thread waits before it looks whether to stop

Job = Callable[[], None]


class Bell:
    """The jobs of one process, by name, on threads of its own; the broker lives in the process."""

    def __init__(
        self,
        jobs: Mapping[str, Job],
        *,
        failed: Callable[[str, Exception], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args:
        failed: is told of what a job raised; the job runs again when it is rung again.
        clock: that of the messages, in seconds since 1970.
        """
        self._jobs = dict(jobs)
        self._failed = failed
        self._guard = threading.Lock()
        self._waiting: set[str] = set()
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._runs: dict[str, int] = dict.fromkeys(jobs, 0)
        self._began: dict[str, float] = {}
        self._clock = clock
        self._broker = StubBroker(middleware=[])
        self._actor = dramatiq.actor(broker=self._broker, actor_name="job", queue_name="jobs")(self.run)
        # One a job: a first pull of a large channel takes hours, and no other job is to wait for its thread.
        threads = max(1, min(len(self._jobs), WORKER_THREADS_MAX))
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=POLL_MS)

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        """What runs is finished, what waits stays in the stores."""
        self._worker.stop(timeout=STOP_MS)
        self._broker.close()

    def ring(self, name: str) -> None:
        """That job looks soon.

        Raises:
            KeyError: there is none of that name.
        """
        if name not in self._jobs:
            raise KeyError(name)
        with self._guard:
            if name in self._waiting:
                return
            self._waiting.add(name)
        self._actor.send(name)

    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        with self._guard:
            return not (self._waiting or self._running or self._again)

    def runs(self) -> dict[str, int]:
        """How often each job ran to its end since the process began."""
        with self._guard:
            return dict(self._runs)

    def run(self, name: str, rung_at: float | None = None) -> None:
        """That job was done, in this thread; where one runs already, it runs again after that.

        Args:
            rung_at: in seconds since 1970; a ring from before the job last began is answered. None: it is not.
        """
        if name not in self._jobs:
            return  # of a process with other channels
        with self._guard:
            self._waiting.discard(name)
            if rung_at is not None and rung_at < self._began.get(name, 0.0):
                return
            if name in self._running:
                self._again.add(name)
                return
            self._running.add(name)
            self._began[name] = self._clock()
        try:
            self._jobs[name]()
        except Exception as fault:  # noqa: BLE001  the worker's rim: one job's fault ends no other
            self._failed(name, fault)
        finally:
            with self._guard:
                self._running.discard(name)
                self._runs[name] += 1
                again = name in self._again
                self._again.discard(name)
            if again:
                self.ring(name)
