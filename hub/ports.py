"""The ports: one small protocol an ability. A plugin has the abilities that it has."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from hub.model.documents import DocumentKey
from hub.model.intents import Outcome, Probe, ReadBack, Write
from hub.model.problems import Problem
from hub.model.records import Received, Record, Translation
from hub.model.statement import ChannelRow, ErpRow


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What a connector needs to know of its channel."""

    slug: str
    entity: str
    currency: str
    timezone: str  # of the entity: where the days of a statement are


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a file that cannot even be cut out; `path` locates it in the file."""

    problem: Problem


# --- channels ------------------------------------------------------------------------------------------------------


@runtime_checkable
class Translates(Protocol):
    def translate(self, record: Record) -> Translation:
        """The record as facts.

        Raises:
            Untranslatable: with every fault found.
        """


@runtime_checkable
class ReadsFiles(Protocol):
    def read_file(self, content: bytes, received_at: datetime) -> Iterator[Received | Unreadable]:
        """The records of one file, in its order; a fault in one does not stop the next."""


@runtime_checkable
class StatesFromFile(Protocol):
    def statement_from_file(self, content: bytes) -> Iterator[ChannelRow | Unreadable]:
        """What the channel's own export says, one row a subject, of all periods in it."""


# --- ERPs ----------------------------------------------------------------------------------------------------------


@runtime_checkable
class PutsDocuments(Protocol):
    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in the ERP; an outcome a write, in their order. Safe to repeat.

        Raises:
            InDoubt: no answer; any of the writes may have happened.
        """


@runtime_checkable
class ProbesDocuments(Protocol):
    settle_s: int

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened, found by its key."""


@runtime_checkable
class ReadsBack(Protocol):
    def read_back(self, keys: Sequence[DocumentKey]) -> list[ReadBack | None]:
        """Each document as the ERP holds it now; None where it holds none."""


@runtime_checkable
class StatesDocuments(Protocol):
    def statement(self, first: date, last: date) -> Iterator[ErpRow]:
        """All documents of the population dated in the period, ours or not, voided ones marked."""


@runtime_checkable
class KeepsPeriods(Protocol):
    def closed_until(self, entity: str) -> date | None:
        """The last day that is closed; None: nothing is."""

    def close(self, entity: str, period: str) -> None: ...

    def open(self, entity: str, period: str) -> None: ...


@runtime_checkable
class KeepsBooks(Protocol):
    """Dicts with JSON-ready values; their keys stand in the docstring of the class that has the ability."""

    def accounts(self) -> list[dict[str, Any]]: ...

    def trial_balance(self, until: date | None = None) -> list[dict[str, Any]]: ...

    def journal(self, first: date | None = None, last: date | None = None) -> Iterator[dict[str, Any]]: ...

    def ageing(self, on: date) -> list[dict[str, Any]]: ...

    def export(self, form: str) -> Iterable[str]: ...


# --- plugins -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EntityConfig:
    slug: str
    functional: str  # currency
    timezone: str


@dataclass(frozen=True, slots=True)
class ErpConfig:
    slug: str
    database_url: str  # of the ERP's own store, where it has one here
    entities: tuple[EntityConfig, ...]
    chart: dict[str, Any]  # the parsed chart of accounts
    policies: dict[str, Any]  # the parsed policies


@dataclass(frozen=True, slots=True)
class ConnectorPlugin:
    """What a connector package exports as PLUGIN."""

    system: str
    connect: Callable[[ChannelConfig], Any]  # its abilities are found with isinstance against the ports


@dataclass(frozen=True, slots=True)
class ErpPlugin:
    """What an ERP adapter package exports as PLUGIN."""

    system: str
    connect: Callable[[ErpConfig], Any]
