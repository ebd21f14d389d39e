"""What the suite for ERP adapters needs of an ERP: `BENCH`, exported by the system's simulator module.

It imports nothing but the standard library and bench.py, so that a simulator needs no test tool to run.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hub.testing.conformance.bench import Fault, Login


class Need(StrEnum):
    """What a test needs of an ERP beside the abilities of its adapter."""

    CREDENTIALS = "credentials"  # somebody has to log in
    LOCATIONS = "locations"  # the ERP knows which there are
    FIELD_LENGTHS = "field_lengths"  # a text can be too long for it
    TAKEN_KEYS = "taken_keys"  # a record of somebody else can carry a key of ours
    DOUBLE_KEYS = "double_keys"  # two records can carry one key
    SEARCH_LAG = "search_lag"  # a search hears of a change later than the record itself
    AMENDS_AT_ONCE = "amends_at_once"  # the same change of a document twice at one moment is one change
    DELIVERY = "delivery"  # revenue can wait for delivery
    PAYOUTS = "payouts"


@dataclass(frozen=True, slots=True)
class Company:
    """What the ERP is set up with before it is told anything: items are in stock, their periods are open."""

    entity: str
    currency: str  # the functional one
    timezone: str
    items: Mapping[str, int]  # code of a stocked item -> its standard cost, in minor units; at least two
    gift_card: str  # the item of a gift card
    location: str
    elsewhere: str  # another location
    method: str  # a payment method whose money is under way
    jurisdictions: tuple[str, str]  # whose tax can be told
    rates: Mapping[str, str]  # one unit of a currency in the functional one; two currencies at least
    chart: Mapping[str, Any]
    policies: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A record as the ERP really has it, told by nobody's adapter."""

    key: str  # "": it has none of ours
    ref: str
    kind: str  # in the ERP's own words
    currency: str
    on: date
    lines: int
    postings: tuple[tuple[str, int], ...]  # account and minor units, of what it moves besides stock and its cost
    voided: bool = False
    tracking: tuple[str, ...] = ()  # the numbers of its parcels, in their order

    @property
    def said(self) -> tuple[Any, ...]:
        """All of it but what the ERP numbers itself."""
        return (self.key, self.kind, self.currency, self.on, self.lines, self.postings, self.voided, self.tracking)


@runtime_checkable
class ErpFarSide(Protocol):
    """A simulated ERP, on a socket of this machine where it has a service; its time moves when it is told to."""

    address: str | None
    database_url: str
    company: Company

    def connect(self, plugin: Callable[[Any], Any], config: Any) -> Any:
        """The adapter as the plugin opens it; where no wire is between the two, faults are put between them here."""

    def tokens(self) -> Sequence[str]:
        """Every token that was handed out so far."""

    def logins(self) -> Mapping[str, Login]:
        """Every kind by a name of its own; the first is the usual one."""

    def leave(self) -> None:
        """Nobody answers any more."""

    def now(self) -> datetime: ...

    def pass_time(self, seconds: float) -> None:
        """So much later; what was due by then has happened."""

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        """The next requests meet the fault; whether the ERP has it at all. As `FarSide.fail`."""

    def fail_write(self, fault: Fault) -> bool:
        """The next request that would change something meets the fault; whether the ERP has it."""

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        """So many of a thousand requests meet the fault, drawn from a seed; whether the ERP has it."""

    def heal(self) -> None:
        """No fault is left; what is still to be committed stays."""

    def lag(self, seconds: int) -> None:
        """From now on searches hear of a change so much later. Needs SEARCH_LAG."""

    def held(self) -> Sequence[Held]:
        """Every document that the ERP has; masters and what it was set up with left out."""

    # --- what people do -----------------------------------------------------------------------------------------------

    def edit(self, key: str, delta_minor: int) -> None:
        """A person changes an amount of the document."""

    def delete(self, key: str) -> None:
        """A person deletes it, or voids it where the ERP deletes nothing."""

    def copy(self, key: str) -> str:
        """A person enters the same once more, without a key; the ERP's own id of it."""

    def move(self, key: str, on: date) -> None:
        """A person dates it otherwise."""

    def ship(self, order: str, units: Mapping[str, int], *, carrier: str, tracking_number: str) -> str:
        """A person ships units of lines of the sales order that has this key; the ERP's own id of the shipment."""

    def unship(self, ref: str) -> None:
        """A person deletes a shipment that one made."""

    def count(self, item: str, delta: int) -> int:
        """A person finds more or fewer of an item at the company's location; what is on hand then."""

    def close_period(self, on: date) -> None:
        """The period of this day takes nothing any more."""

    def open_period(self, on: date) -> None: ...

    def take_key(self, key: str) -> None:
        """A person gives the key to a new document of the kind that it names, of another order. Needs TAKEN_KEYS."""

    def double(self, key: str) -> None:
        """The key is on two records. Needs DOUBLE_KEYS."""


class ErpBench(Protocol):
    home: Path  # the adapter's folder, with its quality.toml
    lacks: Mapping[str, str]
    """What is not there to be shown, each with the reason: an ability's name, a fault's value or a need's. The suite
    skips what stands here, and abilities that the adapter has not, and nothing else."""
    too_long: int  # characters of a text that no field takes; of no account without FIELD_LENGTHS

    def open(self) -> AbstractContextManager[ErpFarSide]:
        """An ERP with a company in it and no document."""
