"""The stage of a simulation: shop and ERP in this process, the stores in a folder, nothing on a socket."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import Engine, event

from hub import registry
from hub.ports import ChannelConfig, ErpConfig
from hub.rehearsal import naive
from hub.rehearsal.scheduler import Scheduler
from hub.rehearsal.wire import Between, FarSide, Faults, Line, Wire
from hub.settings import Settings, Ships
from hub.steps.hub import Hub, open_hub

STARTS: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAYS: Final = 1
"""In which orders are placed; what follows on them takes weeks, of which some days are rehearsed."""
PERIOD: Final = "2026-10"
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
PUBLIC_URL: Final = "https://hub.example.com"
SETTLES_S: Final = 900

SHOP_SECRETS: Final = {
    "client_id": "ORDERHUB_SIMULATE_ID",
    "client_secret": "ORDERHUB_SIMULATE_SECRET",
    "webhook": "ORDERHUB_SIMULATE_SECRET",
}

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


@dataclass(frozen=True, slots=True)
class ErpRow:
    """A document that stands in the ERP."""

    ref: str
    order: str
    kind: str
    cause: str  # the key that the hub decided for it; "": typed in by hand


@dataclass(slots=True)
class LedgerErp:
    """The reference ledger as a remote ERP: its calls get lost, and its commits are late."""

    system: str
    scheduler: Scheduler
    far: FarSide
    bite: Bite
    names: naive.Names = field(default_factory=naive.Names)
    ledger: Any = None

    def settings(self, settings: Settings) -> Settings:
        settles_s = naive.BlindResend.settle_s if self.bite.blind else SETTLES_S
        erp = settings.erp.model_copy(update={"slug": self.system, "system": self.system, "settle_s": settles_s})
        return settings.model_copy(update={"erp": erp})

    def connect(self, config: ErpConfig) -> Any:
        """The adapter as the hub has it: one server for all that connect."""
        adapter: Any = self._server(config)
        if self.bite.any_key:
            adapter = naive.AnyKey(adapter, self.names)
        adapter = Between(adapter, self.far)
        if self.bite.counted_keys:
            adapter = naive.CountedKeys(adapter, self.names)
        return naive.BlindResend(adapter) if self.bite.blind else adapter

    def by_hand(self, config: ErpConfig) -> Any:
        """The ledger as the people have it who work in it."""
        return self._server(config)

    def documents(self) -> Iterator[ErpRow]:
        for row in self.ledger.documents(FIRST, LAST):
            yield ErpRow(row.ref, row.order, row.kind, self.names.decided.get(row.key, row.key))

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


@dataclass(slots=True)
class Stage:
    """Everything that the hub's workers act on."""

    scheduler: Scheduler
    settings: Settings
    shop: Any  # the simulator's App
    erp: LedgerErp
    slug: str
    line: Line

    def open(self, clock: Callable[[], datetime] | None = None, *, people: bool = False) -> Hub:
        """A hub as a process of its own has it: its caches are empty.

        Args:
            clock: the process's own; None: the true one.
            people: it has the ERP as people in it have, over no line.
        """
        hub = open_hub(
            self.settings,
            clock or self.scheduler.clock,
            self.erp.by_hand if people else self.erp.connect,
            self._connect_channel,
        )
        hub = replace(hub, sleep=self.scheduler.sleep)
        for engine, name in ((hub.store, "hub"), (hub.inbox, "inbox")):
            spare_the_disk(engine)
            self.scheduler.watch(engine, name)
        return hub

    def move_shop(self) -> None:
        """The shop's time is ours, and ours the shop's, whose requests take time."""
        self.shop.shop.move_to(self.scheduler.now)
        self.scheduler.pass_to(self.shop.shop.now)

    def next_at(self) -> datetime | None:
        """When something happens outside the hub."""
        moments = (self.shop.shop.next_at(), self.shop.outbox.next_at(), self.erp.far.next_at())
        return min((at for at in moments if at is not None), default=None)

    def calm(self) -> None:
        """From here on nothing goes wrong."""
        self.shop.faults.set({"preset": "none"})
        self.shop.faults.next.clear()
        self.shop.shop.forget()
        self.erp.calm()

    def _connect_channel(self, config: ChannelConfig) -> Any:
        system = self.settings.channel(config.slug).system
        return registry.connector(system).connect(replace(config, transport=self.line))


def spare_the_disk(engine: Engine) -> None:
    """Commits outlive the process, as kills want it, and no power loss, which nobody rehearses here."""

    @event.listens_for(engine, "connect")
    def _unsynced(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    engine.dispose()  # connections that are open already


def close(hub: Hub) -> None:
    """The process is gone."""
    hub.store.dispose()
    hub.inbox.dispose()


def build(
    settings: Settings, home: Path, scheduler: Scheduler, seed: int, orders: int, faults: str, bite: Bite
) -> Stage:
    """The stage with nothing played on it yet."""
    simulator = registry.simulator(settings.channels[0].system)
    secret = f"rehearsed-{random.Random(f'{seed}/secret').getrandbits(96):024x}"  # noqa: S311  of an invented shop
    first = settings.channels[0]
    shop = simulator.App(
        simulator.Setup(
            seed=seed,
            orders=orders,
            start=STARTS,
            days=DAYS,
            currency=first.currency,
            ships="erp",
            client_secret=secret,
            restore_per_s=2000,
            wide=False,
        )
    )
    shop.faults.set({"preset": faults})
    channel = first.model_copy(
        update={
            "address": f"https://{simulator.DOMAIN}",
            "options": {"token": "client_credentials", "notify_customer": False},
            "secrets": dict(SHOP_SECRETS),
            "ships": Ships.ERP,
        }
    )
    system = "ledger" if settings.erp.system != "ledger" else settings.erp.system
    chance = random.Random(f"{seed}/erp")  # noqa: S311
    erp = LedgerErp(system, scheduler, FarSide(scheduler, Faults(chance, dict(ERP_RATES[faults]))), bite)
    rehearsed = erp.settings(
        settings.model_copy(
            update={
                "home": home,
                "database_url": None,
                "channels": (channel,),
                "public_url": PUBLIC_URL,
                "secret_values": {
                    SHOP_SECRETS["client_id"]: SecretStr(shop.shop.setup.client_id),
                    SHOP_SECRETS["client_secret"]: SecretStr(secret),
                },
            }
        )
    )

    stage: Stage

    def handle(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        stage.move_shop()
        answer = shop.answer(method, target, headers, body)
        stage.move_shop()
        return None if answer is None else replace(answer, headers=shop.stamped(answer))

    stage = Stage(scheduler, rehearsed, shop, erp, channel.slug, Line(scheduler, channel.slug, handle))
    return stage
