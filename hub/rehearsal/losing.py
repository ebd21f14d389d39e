"""The stores of a running fleet are backed up while all goes wrong, lost later, and put back as the runbook says."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from threading import Thread
from typing import Any, Final

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from hub.errors import Misconfigured
from hub.rehearsal.fleet import FLEET, Broker, Fleet
from hub.rehearsal.gate import Gate
from hub.rehearsal.gremlins import Gremlins
from hub.settings import Settings
from hub.steps.opening import opened
from hub.store.views.backlog import backlog, steps_by_state

TRIES_MAX: Final = 40
"""The database may crash while it is dumped, and again."""
BETWEEN_S: Final = 0.25
LASTS_S: Final = 300
ANSWERS_S: Final = 1.0
"""After the door was killed, the gate has seen every answer that it gave."""


@dataclass
class Loss:
    """One backup, and one loss after it. `programs`: the folder of pg_dump and pg_restore."""

    settings: Settings
    environment: Mapping[str, str]
    programs: Path
    fleet: Fleet
    gremlins: Gremlins
    gate: Gate
    broker: Broker

    def __post_init__(self) -> None:
        self._dump = self.fleet.home / "orderhub.dump"
        self._url = make_url(self.settings.stores.hub.url.get_secret_value())
        self._engine = create_engine(self._url, poolclass=NullPool)
        stores = self.settings.stores
        self._schemas = [one.schema for one in (stores.hub, stores.inbox, stores.ledger) if one.schema is not None]
        self._thread = Thread(target=self._back_up, name="backup", daemon=True)
        self._acknowledged: set[str] = set()
        self._tries = 0
        self._fault: Exception | None = None

    def back_up(self) -> None:
        """A backup has begun; it goes on while everything else does."""
        self._thread.start()

    def happen(self) -> dict[str, Any]:
        """The backup is done; every process is dead, the stores are gone, those of the backup are in their place, and
        all runs again. What it was, in figures.

        Raises:
            Misconfigured: there was no backup, or it could not be put back.
        """
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        with self.gremlins.held():
            for name in FLEET:
                self.fleet.kill(name)
            self.broker.stop()
            time.sleep(ANSWERS_S)
            forgotten = self.gate.forget_all_but(self._acknowledged)
            self._wait_for_the_database()
            before = self._counted()
            self._drop()
            self._run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={self._address}", str(self._dump))
            after = self._counted()
            orderhub = [sys.executable, "-c", "from hub.cli import main; main()"]
            said = json.loads(_done([*orderhub, "restore", "--in-place", "--format", "json"], self.environment))
            self.broker.start()
            for name in FLEET:
                self.fleet.start(name)
            self.fleet.wait_for_the_door()
        return {
            "tries": self._tries,
            "deliveries_lost": len(forgotten),
            "orders_lost": before["orders"] - after["orders"],
            "steps_lost": before["steps"] - after["steps"],
            "records_waiting": after["waiting"],
            "in_doubt": said["in_doubt"],
        }

    @property
    def _address(self) -> str:
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)

    def _back_up(self) -> None:
        only = [f"--schema={schema}" for schema in self._schemas]
        for self._tries in range(1, TRIES_MAX + 1):
            self._acknowledged = self.gate.so_far()
            try:
                self._run("pg_dump", "--format=custom", *only, f"--file={self._dump}", self._address)
                self._fault = None
                return
            except Misconfigured as fault:
                self._fault = fault
                time.sleep(BETWEEN_S)

    def _run(self, program: str, *words: str) -> None:
        _done([str(self.programs / program), *words], {})

    def _wait_for_the_database(self) -> None:
        """It may have crashed a moment ago."""
        for _ in range(TRIES_MAX):
            try:
                self._engine.connect().close()
                return
            except SQLAlchemyError:
                time.sleep(BETWEEN_S)

    def _drop(self) -> None:
        with self._engine.begin() as connection:
            for schema in self._schemas:
                connection.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))

    def _counted(self) -> dict[str, int]:
        with opened(self.settings, lambda: datetime.now(UTC)) as hub:
            with hub.store.connect() as connection:
                orders = int(connection.execute(text("SELECT count(*) FROM orders")).scalar_one())
            done = steps_by_state(hub.store).get("done", 0)
            return {"orders": orders, "steps": done, "waiting": backlog(hub.inbox).waiting}


def _done(command: Sequence[str], more: Mapping[str, str]) -> str:
    """
    Raises:
        Misconfigured: it failed, with the last that it said.
    """
    done = subprocess.run(  # noqa: S603  our own program, or the database's
        command, env={**environ, **more}, capture_output=True, text=True, timeout=LASTS_S, check=False
    )
    if done.returncode:
        raise Misconfigured(f"{Path(command[0]).name}: {done.stderr[-1000:]}")
    return done.stdout
