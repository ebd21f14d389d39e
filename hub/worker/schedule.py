"""The schedule: which job is rung how often; a job that failed is left alone for a while."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

TICK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Beat:
    """A job and its interval."""

    job: str
    every_s: float


@dataclass(slots=True)
class Schedule:
    """Rings each job at its beat, on a thread; every beat is due when it starts."""

    beats: Sequence[Beat]
    ring: Callable[[str], None]
    monotonic: Callable[[], float] = time.monotonic
    _due: dict[str, float] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def tick(self) -> list[str]:
        """The jobs that were due now are rung; their names."""
        now = self.monotonic()
        rung = [beat for beat in self.beats if self._due.get(beat.job, now) <= now]
        for beat in rung:
            self._due[beat.job] = now + beat.every_s
            self.ring(beat.job)
        return [beat.job for beat in rung]

    def postpone(self, job: str, by_s: float) -> None:
        """That job is not rung by the clock for so long."""
        self._due[job] = max(self._due.get(job, 0.0), self.monotonic() + by_s)

    def _loop(self) -> None:
        while not self._stopped.wait(TICK_S):
            self.tick()
