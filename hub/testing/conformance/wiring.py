"""A connector opened on a far side: its configuration, its clock, and what it must never say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from hub import registry
from hub.errors import Misconfigured
from hub.model.facts import Source
from hub.model.records import Received, Record
from hub.ports import ChannelConfig
from hub.testing.conformance.bench import Bench, FarSide, Fault, Login

SLUG = "far-side"


class MemoryVault:
    """Keeps what was put; one turn at a time."""

    def __init__(self) -> None:
        self.held: dict[str, SecretStr] = {}
        self._turning = False

    def get(self, name: str) -> SecretStr | None:
        return self.held.get(name)

    def put(self, name: str, content: SecretStr) -> None:
        assert self._turning, "put out of turn"
        self.held[name] = content

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        assert not self._turning, f"a second turn with {name}"
        self._turning = True
        try:
            yield
        finally:
            self._turning = False


@dataclass
class Wiring:
    """Opens connectors of one system on one far side, and closes them."""

    system: str
    far: FarSide
    vault: MemoryVault = field(default_factory=MemoryVault)
    waits: list[float] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    def connect(self, login: Login | None = None, secrets: Mapping[str, str] | None = None) -> Any:
        """The connector of a channel, as another process would open it.

        Args:
            login: None: the usual one.
            secrets: besides the login's, or instead of them.
        """
        login = login or next(iter(self.far.logins().values()))
        held = {**login.public, **login.secrets, **(secrets or {})}

        def secret(name: str) -> SecretStr:
            if name not in held:
                raise Misconfigured(f"{SLUG}: no secret {name}")
            return SecretStr(held[name])

        config = ChannelConfig(
            SLUG,
            "main",
            self.far.currency,
            self.far.timezone,
            address=self.far.address,
            options=dict(login.options),
            secrets=secret,
            clock=self.far.now,
            sleep=self._sleep,
            vault=self.vault,
        )
        connector = registry.connector(self.system).connect(config)
        self.opened.append(connector)
        return connector

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.far.pass_time(seconds)

    def close(self) -> None:
        for connector in self.opened:
            if callable(close := getattr(connector, "close", None)):
                close()


def bench_of(system: str) -> Bench:
    """The system's bench; a system without one fails, it is not skipped."""
    bench: Bench = registry.simulator(system).BENCH
    return bench


class Lacking(Protocol):
    """A bench, as far as it says what its system lacks."""

    @property
    def lacks(self) -> Mapping[str, str]: ...


def needed(plugin: object, *abilities: type) -> None:
    """The test goes on with a plugin that has these abilities, and is skipped by name of the ability it lacks."""
    for ability in abilities:
        if not isinstance(plugin, ability):
            pytest.skip(f"not an ability of this plugin: {ability.__name__}; its quality.toml says why")


def served(bench: Bench, ability: type) -> None:
    """The test goes on where the simulator serves what the ability calls."""
    if (reason := bench.lacks.get(ability.__name__)) is not None:
        pytest.skip(f"the simulator cannot serve {ability.__name__}: {reason}")


def armed(bench: Lacking, known: bool, fault: Fault) -> None:
    """The test goes on where the system has the fault."""
    if not known:
        reason = bench.lacks.get(fault.value)
        assert reason, f"no {fault.value}, and no reason"
        pytest.skip(f"this system has no {fault.value}: {reason}")


def record(received: Received) -> Record:
    """The record as the inbox would hand it out."""
    return Record(1, received.channel, received.topic, received.source, received.body, received.received_at)


def written(body: bytes, at: datetime, topic: str = "", source: Source = Source.FILE) -> Record:
    """A record of these bytes."""
    return Record(1, SLUG, topic, source, body, at)


def walked(pages: Iterable[Any]) -> list[Received]:
    """All that the pages hold."""
    return [received for page in pages for received in page.received]


Connect = Callable[..., Any]
