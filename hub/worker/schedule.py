"""The schedule: which job is rung how often.

Beats are a process's own and forgotten with it: every few seconds it looks for itself. A plan is the hub's: when each
job is due next stands in the store, so that any number of schedulers ring it once, and what was due while all of them
were away is rung once when one is back.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from hub.steps import turns
from hub.steps.hub import Hub

log = logging.getLogger(__name__)

TICK_S: Final = 0.2
PLAN_TICK_S: Final = 0.5
SCHEDULER: Final = "scheduler"
"""The turn that one scheduler has, among any number."""
SCHEDULER_TURN_S: Final = 15
KEEPS_S: Final = 5


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


Following = Callable[[datetime], datetime]
"""When a job is due next, from a moment on."""


def following(every: int | str, timezone: str) -> Following:
    """An interval in seconds, or a cron expression in a time zone, across the changes of its clocks."""
    if isinstance(every, int):
        return lambda now: now + timedelta(seconds=every)
    zone, expression = ZoneInfo(timezone), every
    return lambda now: next(CronSim(expression, now.astimezone(zone))).astimezone(UTC)


class Scheduler:
    """Rings what is due by the plan while it is this one's turn; another one takes over when it says nothing more."""

    def __init__(
        self,
        hub: Hub,
        holder: str,
        plan: Mapping[str, Following],
        ring: Callable[[str], None],
        ticked: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        plan: the urgent first.
        ticked: is told that the stores were asked.
        """
        self._hub = hub
        self._holder = holder
        self._plan = plan
        self._ring = ring
        self._ticked = ticked
        self._mine = False
        self._asked_at: datetime | None = None  # when it last asked whose turn it is
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The turn is given back: another one goes on at once."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._mine:
            turns.give_back(self._hub, SCHEDULER, self._holder)

    def tick(self) -> list[str]:
        """Those that are due were rung, if it is this one's turn; their names."""
        now = self._hub.clock()
        if self._asked_at is None or not timedelta() <= now - self._asked_at < timedelta(seconds=KEEPS_S):
            mine = turns.take(self._hub, SCHEDULER, self._holder, SCHEDULER_TURN_S)
            if mine and not self._mine:
                log.info("scheduler.began")
            self._mine, self._asked_at = mine, now
        due = turns.ring_due(self._hub, self._plan) if self._mine else []
        for name in due:
            self._ring(name)
        return due

    def _loop(self) -> None:
        lost = False
        while not self._stopped.wait(PLAN_TICK_S):
            try:
                self.tick()
            except Exception as fault:  # noqa: BLE001  the scheduler's rim: it goes on when the store is back
                self._mine, self._asked_at = False, None
                if not lost:
                    log.warning("scheduler.store_lost", extra={"fault": fault})
                lost = True
            else:
                lost = False
                self._ticked()
