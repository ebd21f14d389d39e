"""What goes wrong around a hub of several processes, drawn from a seed, in real time: until it is told to stop."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from hub.rehearsal.fleet import FLEET, Broker, Fleet, flush
from hub.rehearsal.gate import Gate
from hub.rehearsal.processes import ShopProcess

DOWN_S: Final = (0.0, 2.0)
SHUT_S: Final = (0.3, 2.0)
SKEW_S: Final = 97
CUT: Final = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    " AND pid % :of = :part"
)
CRASH: Final = text("SELECT pg_backend_pid()")


class Gremlins(threading.Thread):
    """Each kind of fault comes once a round, the rounds shuffled; pauses between them are drawn too."""

    def __init__(
        self,
        fleet: Fleet,
        broker: Broker,
        database_url: str,
        gate: Gate,
        shop: ShopProcess,
        chance: random.Random,
        *,
        pause_s: tuple[float, float],
        clock_off_s: float,
    ) -> None:
        """Args:
        clock_off_s: how far a process's clock may be off, either way.
        """
        super().__init__(name="gremlins", daemon=True)
        self.met: Counter[str] = Counter()
        self.ended_alone: Counter[str] = Counter()
        self.fault: Exception | None = None
        self._fleet, self._broker, self._gate, self._shop = fleet, broker, gate, shop
        self._database: Engine = create_engine(database_url, poolclass=NullPool)
        self._chance = chance
        self._pause_s = pause_s
        self._clock_off_s = clock_off_s
        self._told = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._kinds: dict[str, Callable[[], None]] = {
            **{f"kill {name}": lambda name=name: self._kill(name) for name in FLEET},  # type: ignore[misc]
            "broker flushed": lambda: flush(self._broker),
            "broker killed": self._broker_killed,
            "connections cut": lambda: self._cut(1),
            "half of the connections cut": lambda: self._cut(2),
            "database crashed": self._crash,
            "door shut": self._shut,
            "shop's clock jumped": self._skew,
        }

    @property
    def kills(self) -> int:
        return sum(count for kind, count in self.met.items() if "kill" in kind or "crash" in kind)

    def run(self) -> None:
        try:
            while not self._told.is_set():
                for kind in self._chance.sample(sorted(self._kinds), len(self._kinds)):
                    if self._told.wait(self._chance.uniform(*self._pause_s)):
                        return
                    with self._one_at_a_time:
                        self._raise_the_ended()
                        self._kinds[kind]()
                    self.met[kind] += 1
        except Exception as fault:  # noqa: BLE001  handed to who waits for this thread
            self.fault = fault

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing else goes wrong during the block."""
        with self._one_at_a_time:
            yield

    def end(self) -> None:
        """Nothing goes wrong any more; what was killed last may be down still.

        Raises:
            Exception: what the gremlins themselves met.
        """
        self._told.set()
        self.join()
        self._database.dispose()
        if self.fault is not None:
            raise self.fault

    def _raise_the_ended(self) -> None:
        """As whoever looks after containers does."""
        for name in self._fleet.ended():
            self.ended_alone[name] += 1
            self._start(name)

    def _start(self, name: str) -> None:
        self._fleet.start(name, self._chance.uniform(-self._clock_off_s, self._clock_off_s))

    def _kill(self, name: str) -> None:
        self._fleet.kill(name)
        time.sleep(self._chance.uniform(*DOWN_S))
        self._start(name)

    def _broker_killed(self) -> None:
        self._broker.stop()
        time.sleep(self._chance.uniform(*DOWN_S))
        self._broker.start()

    def _cut(self, of: int) -> None:
        try:
            with self._database.connect() as connection:
                connection.execute(CUT, {"of": of, "part": self._chance.randrange(of)})
        except SQLAlchemyError:  # it crashed a moment ago
            self.met["database away"] += 1

    def _crash(self) -> None:
        """One backend is killed: PostgreSQL ends all others, and recovers from its log."""
        try:
            with self._database.connect() as connection:
                own = int(connection.execute(CRASH).scalar_one())
                if _parent(_parent(own)) != os.getpid():
                    self.met["no database of ours to crash"] += 1
                    return
                os.kill(own, signal.SIGKILL)
                connection.invalidate()
        except SQLAlchemyError:
            self.met["database away"] += 1

    def _shut(self) -> None:
        self._gate.shut = True
        time.sleep(self._chance.uniform(*SHUT_S))
        self._gate.shut = False

    def _skew(self) -> None:
        self._shop.go_wrong(skew_s=self._chance.randint(-SKEW_S, SKEW_S))


def _parent(pid: int | None) -> int | None:
    """None: nothing of this machine has that number, or it is not told."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(words[1])
