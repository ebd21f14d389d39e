"""The ERPs of a simulation, in this process: the reference ledger behind a line that fails, or a simulated service."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import yaml
from pydantic import SecretStr
from sqlalchemy import Engine, event

from hub import registry
from hub.errors import Misconfigured
from hub.ports import ErpConfig
from hub.rehearsal import naive
from hub.rehearsal.at_the_ledger import AtTheLedger
from hub.rehearsal.at_the_service import AtTheService
from hub.rehearsal.scheduler import Scheduler
from hub.rehearsal.staff import Staff
from hub.rehearsal.wire import Between, FarSide, Faults, Line, Wire
from hub.settings import Erp as ErpSettings
from hub.settings import Settings
from hub.steps.hub import Hub, read_data

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
SETTLES_S: Final = 900
CALL_S: Final = 0.6
"""Virtual time that a request to a service takes."""
POLICIES: Final = "policies.yaml"

ERP_RATES: Final[dict[str, dict[Wire, int]]] = {
    "none": {},
    "mild": {
        Wire.UNREACHABLE: 10,
        Wire.LOST_BEFORE: 10,
        Wire.LOST_AFTER: 15,
        Wire.LATE_COMMIT: 10,
        Wire.SERVER_ERROR: 10,
        Wire.RATE_LIMITED: 15,
        Wire.TOKEN_EXPIRED: 2,
    },
    "hostile": {
        Wire.UNREACHABLE: 40,
        Wire.LOST_BEFORE: 40,
        Wire.LOST_AFTER: 60,
        Wire.LATE_COMMIT: 50,
        Wire.SERVER_ERROR: 40,
        Wire.RATE_LIMITED: 50,
        Wire.TOKEN_EXPIRED: 5,
    },
}


@dataclass(frozen=True, slots=True)
class Bite:
    """What is done wrongly on purpose, so that a test sees it found."""

    counted_keys: bool = False  # documents are named by a counter
    blind: bool = False  # what is in doubt is sent again without a look
    any_key: bool = False  # the ERP keeps no key unique

    def around(self, adapter: Any, names: naive.Names) -> Any:
        """The adapter as a naive integration would use it."""
        if self.counted_keys:
            adapter = naive.CountedKeys(adapter, names)
        return naive.BlindResend(adapter) if self.blind else adapter


@dataclass(frozen=True, slots=True)
class Standing:
    """A document that stands in the ERP."""

    ref: str
    order: str  # "": it names none
    kind: str
    cause: str  # the key that the hub decided for it; "": typed in by hand


class Erp(Protocol):
    """An ERP as a simulation has it."""

    def settings(self, settings: Settings, home: Path) -> Settings:
        """The configuration with this ERP in it."""

    def connect(self, config: ErpConfig) -> Any:
        """The adapter as a hub has it."""

    def by_hand(self, config: ErpConfig) -> Any:
        """The adapter as the people have it who work in the ERP."""

    def staff(self, hub: Hub, slug: str) -> Staff:
        """These people; the hub's ERP is theirs, `by_hand`."""

    def documents(self) -> Iterator[Standing]:
        """Every document that stands."""

    def levels(self) -> Iterator[tuple[str, int]]:
        """How much of each item is at each place."""

    def unbalanced(self) -> Iterator[str]:
        """Postings that do not sum to zero."""

    def changes(self) -> int:
        """Moves whenever a document may have come, changed or gone."""

    def touched(self) -> None:
        """People have done something."""

    def happen(self) -> None:
        """What is late and due happens."""

    def next_at(self) -> datetime | None:
        """When something late happens, where that is known."""

    def met(self) -> dict[str, int]:
        """How often each fault came."""

    def calm(self) -> None:
        """From here on nothing goes wrong."""

    def close(self) -> None: ...


def default(configured: str) -> str:
    """The system to rehearse with: one that is reached over a network, where more can go wrong; else the configured."""
    over_a_network = (one for one in registry.systems(registry.SIMULATORS) if _is_service(one))
    return next(over_a_network, configured)


def stage(system: str, scheduler: Scheduler, seed: int, faults: str, bite: Bite) -> Erp:
    """The simulated ERP of that system."""
    if _is_service(system):
        return ServiceErp(system, scheduler, seed, faults, bite)
    chance = random.Random(f"{seed}/erp")  # noqa: S311  a simulator's faults
    return LedgerErp(system, scheduler, FarSide(scheduler, Faults(chance, dict(ERP_RATES[faults]))), bite)


def _is_service(system: str) -> bool:
    return hasattr(registry.simulator(system), "backstage")


@dataclass(slots=True)
class LedgerErp:
    """The reference ledger as a remote ERP: its calls get lost, and its commits are late."""

    system: str
    scheduler: Scheduler
    far: FarSide
    bite: Bite
    names: naive.Names = field(default_factory=naive.Names)
    ledger: Any = None

    def settings(self, settings: Settings, home: Path) -> Settings:
        settles_s = naive.BlindResend.settle_s if self.bite.blind else SETTLES_S
        erp = settings.erp.model_copy(update={"slug": self.system, "system": self.system, "settle_s": settles_s})
        return settings.model_copy(update={"erp": erp})

    def connect(self, config: ErpConfig) -> Any:
        """The adapter as the hub has it: one server for all that connect."""
        adapter: Any = self._server(config)
        if self.bite.any_key:
            adapter = naive.AnyKey(adapter, self.names)
        return self.bite.around(Between(adapter, self.far), self.names)

    def by_hand(self, config: ErpConfig) -> Any:
        """The ledger as the people have it who work in it."""
        return self._server(config)

    def documents(self) -> Iterator[Standing]:
        for row in self.ledger.documents(FIRST, LAST):
            yield Standing(row.ref, row.order, row.kind, self.names.decided.get(row.key, row.key))

    def levels(self) -> Iterator[tuple[str, int]]:
        """How much of each item is at each place."""
        levels: Iterator[tuple[str, int]] = self.ledger.levels()
        return levels

    def unbalanced(self) -> Iterator[str]:
        """Entries that do not sum to zero."""
        for entry in self.ledger.journal():
            sums: dict[str, int] = {}
            for posting in entry["postings"]:
                sums[posting["currency"]] = sums.get(posting["currency"], 0) + posting["amount_minor"]
            if any(sums.values()) or sum(posting["functional_minor"] for posting in entry["postings"]):
                yield f"entry {entry['entry']}"

    def staff(self, hub: Hub, slug: str) -> Staff:
        return AtTheLedger(hub, slug)

    def changes(self) -> int:
        return self.far.changes

    def touched(self) -> None:
        self.far.changes += 1

    def happen(self) -> None:
        self.far.settle()

    def next_at(self) -> datetime | None:
        return self.far.next_at()

    def met(self) -> dict[str, int]:
        return {str(fault): count for fault, count in sorted(self.far.faults.met.items())}

    def calm(self) -> None:
        self.far.faults.rates.clear()

    def close(self) -> None:
        if self.ledger is not None:
            self.ledger.close_connections()

    def _server(self, config: ErpConfig) -> Any:
        if self.ledger is None:
            self.ledger = registry.simulator(self.system).LedgerSimulator(config, self.scheduler.clock)
            spare_the_disk(self.ledger.engine)
        return self.ledger


class ServiceErp:
    """An ERP that is reached over HTTP: its simulator's account, whose `handle` takes the requests."""

    def __init__(self, system: str, scheduler: Scheduler, seed: int, faults: str, bite: Bite) -> None:
        self._scheduler = scheduler
        self._bite = bite
        self._names = naive.Names()
        self._system = system
        simulator = registry.simulator(system)
        self._said: dict[str, Any] = simulator.rehearsed(seed)
        self._account: Any = simulator.backstage(scheduler.clock, seed, unique_keys=not bite.any_key)
        self._account.go_wrong(faults)
        self._line = Line(scheduler, system, self._handle)

    def settings(self, settings: Settings, home: Path) -> Settings:
        erp = {name: value for name, value in self._said["erp"].items() if name != "settle_s"}  # the adapter's own
        if self._bite.blind:
            erp["settle_s"] = naive.BlindResend.settle_s
        policies = home / POLICIES
        otherwise = read_data(settings.entities[0].policies) | self._said["policies"]
        policies.write_text(yaml.safe_dump(otherwise), encoding="utf-8")
        secrets = {name: SecretStr(text) for name, text in self._said["environment"].items()}
        return settings.model_copy(
            update={
                "erp": ErpSettings.model_validate({**erp, "address": self._account.address}),
                "entities": tuple(one.model_copy(update={"policies": policies}) for one in settings.entities),
                "secret_values": settings.secret_values | secrets,
            }
        )

    def connect(self, config: ErpConfig) -> Any:
        adapter = registry.erp_adapter(self._system).connect(replace(config, transport=self._line))
        return self._bite.around(adapter, self._names)

    by_hand = connect

    def staff(self, hub: Hub, slug: str) -> Staff:
        return AtTheService(self, hub, slug)

    def find(self, keys: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """What stands under each of these keys of ours; None: nothing."""
        found: dict[str, dict[str, Any] | None] = self._account.told("find", keys=list(keys))
        return found

    def do(self, what: str, **more: object) -> dict[str, Any]:
        """A person does something in the ERP; the document that it was done to, or that came of it."""
        try:
            done: dict[str, Any] = self._account.told("hands", do=what, **more)
        except LookupError as error:
            raise Misconfigured(f"the ERP refuses: {error}") from None
        return done

    def documents(self) -> Iterator[Standing]:
        for one in self._account.documents():
            yield Standing(one.ref, one.order, one.kind, self._names.decided.get(one.key, one.key))

    def levels(self) -> Iterator[tuple[str, int]]:
        levels: Iterator[tuple[str, int]] = self._account.levels()
        return levels

    def unbalanced(self) -> Iterator[str]:
        unbalanced: Iterator[str] = self._account.unbalanced()
        return unbalanced

    def changes(self) -> int:
        changes: int = self._account.changes
        return changes

    def touched(self) -> None:
        """It counts its changes itself."""

    def happen(self) -> None:
        self._account.tick()

    def next_at(self) -> None:
        """It does not say: what is late happens when it is next looked at."""

    def met(self) -> dict[str, int]:
        met: dict[str, int] = self._account.met()
        return dict(sorted(met.items()))

    def calm(self) -> None:
        self._account.go_wrong("none")

    def close(self) -> None:
        """Nothing is open."""

    def _handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        answer = self._account.handle(method, target, headers, body, self._line.under_way)
        self._scheduler.pass_to(self._scheduler.now + timedelta(seconds=CALL_S))
        return answer


def spare_the_disk(engine: Engine) -> None:
    """Commits outlive the process, as kills want it, and no power loss, which nobody rehearses here."""

    @event.listens_for(engine, "connect")
    def _unsynced(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    engine.dispose()  # connections that are open already
