"""A company's hub on several machines, as processes of this one: door, workers, scheduler; any may be killed."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from hub.errors import Misconfigured
from hub.rehearsal.processes import STARTS_S, Process, free_port
from hub.rehearsal.tampered import BLIND, SOUND
from hub.settings import Settings

API: Final = "api"
WORKERS: Final = ("worker-1", "worker-2")
SCHEDULER: Final = "scheduler"
FLEET: Final = (API, *WORKERS, SCHEDULER)
THREADS: Final = 4
CONFIG: Final = "hub.yaml"
POLICIES: Final = "policies.yaml"
MIGRATES_S: Final = 120
FLUSHES_S: Final = 5


class Broker(Protocol):
    """A Redis or Valkey that the rehearsal started."""

    url: str
    port: int

    def start(self) -> object: ...

    def stop(self) -> None:
        """It was killed, and what it held is gone."""


class Fleet:
    """The processes by their names; each start may give a process another clock."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, blind: bool = False) -> None:
        """Args:
        blind: workers resend what got no answer.
        """
        self.home = home
        self.port = free_port()
        self._environment = dict(environment)
        self._blind = blind
        self._running: dict[str, Process] = {}

    def start(self, name: str, clock_off_s: float = 0.0) -> None:
        adapter = BLIND if self._blind and name in WORKERS else SOUND
        program = [sys.executable, "-m", "hub.rehearsal.tampered", f"{clock_off_s:.3f}", adapter]
        process = Process([*program, *self._words(name)], self.log(name), self._environment)
        self._running[name] = process
        process.start()

    def kill(self, name: str) -> None:
        self._running[name].kill()

    def ended(self) -> list[str]:
        """Those that do not run, though nobody killed them since they were started."""
        return [name for name, process in self._running.items() if process.pid is None]

    def wait_for_the_door(self) -> None:
        self._running[API].wait_for(self._listens, "orderhub serve", STARTS_S)

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def close(self) -> None:
        for process in self._running.values():
            process.kill()

    def _words(self, name: str) -> list[str]:
        if name == API:
            return ["serve", "--no-jobs", "--no-login", "--port", str(self.port)]
        return ["worker", "--threads", str(THREADS)] if name in WORKERS else ["scheduler"]

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def fleet(home: Path, environment: Mapping[str, str], *, blind: bool = False) -> Iterator[Fleet]:
    made = Fleet(home, environment, blind=blind)
    try:
        yield made
    finally:
        made.close()


def environment_of(home: Path, database_url: str, broker_url: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """What each process is told; secrets of the stores in files, as a company keeps them."""
    folder = home / "secrets"
    folder.mkdir(parents=True)
    (folder / "database_url").write_text(database_url.replace("+psycopg", "") + "\n")
    (folder / "broker_url").write_text(broker_url + "\n")
    return {
        **secrets,
        "ORDERHUB_HOME": str(home),
        "ORDERHUB_CONFIG": str(home / CONFIG),
        "ORDERHUB_DATABASE_URL_FILE": str(folder / "database_url"),
        "ORDERHUB_BROKER_URL_FILE": str(folder / "broker_url"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def configure(
    settings: Settings, home: Path, channel: Mapping[str, Any], public_url: str, erp: Mapping[str, Any] | None
) -> None:
    """The configuration with one rehearsed channel, reached there by webhooks; all SKUs are mapped.

    Args:
        erp: what a rehearsed ERP says of itself, and its policies; None: the configured one.
    """
    said = _read(settings.config)
    said["channels"] = [said["channels"][0] | channel]
    said["public_url"] = public_url
    for entity, one in zip(settings.entities, said["entities"], strict=True):
        one |= {"chart": str(entity.chart), "policies": str(entity.policies)}
    if erp is not None:
        policies = _read(settings.entities[0].policies) | erp["policies"]
        (home / POLICIES).write_text(yaml.safe_dump(policies, sort_keys=False), encoding="utf-8")
        for one in said["entities"]:
            one["policies"] = POLICIES
        said["erp"] = erp["erp"]
    files = settings.files
    said["files"] = {name: str(getattr(files, name)) for name in ("rates", "crosswalks", "items")}
    (home / CONFIG).write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")


def migrate(environment: Mapping[str, str]) -> None:
    """
    Raises:
        Misconfigured: the stores could not be made.
    """
    command = [sys.executable, "-c", "from hub.cli import main; main()", "migrate"]
    done = subprocess.run(  # noqa: S603  our own program
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=MIGRATES_S, check=False
    )
    if done.returncode:
        raise Misconfigured(f"migrate: {done.stderr[-1000:]}")


def flush(broker: Broker) -> None:
    """All that it held is gone."""
    with socket.create_connection(("127.0.0.1", broker.port), FLUSHES_S) as connection:
        connection.settimeout(FLUSHES_S)
        connection.sendall(b"FLUSHALL\r\n")
        connection.recv(64)


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506  it makes nothing but text
