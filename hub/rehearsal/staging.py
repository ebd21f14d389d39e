"""The stage of a simulation: shop and ERP in this process, the stores in a folder, nothing on a socket."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from hub import registry
from hub.ports import ChannelConfig
from hub.rehearsal.erps import Erp, spare_the_disk
from hub.rehearsal.scheduler import Scheduler
from hub.rehearsal.wire import Line
from hub.settings import Settings, Ships
from hub.steps.erp_changes import tells_changes
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


@dataclass(slots=True)
class Stage:
    """Everything that the hub's workers act on."""

    scheduler: Scheduler
    settings: Settings
    shop: Any  # the simulator's App
    erp: Erp
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
        moments = (self.shop.shop.next_at(), self.shop.outbox.next_at(), self.erp.next_at())
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


def close(hub: Hub) -> None:
    """The process is gone."""
    hub.store.dispose()
    hub.inbox.dispose()


def build(settings: Settings, home: Path, scheduler: Scheduler, seed: int, orders: int, faults: str, erp: Erp) -> Stage:
    """The stage with nothing played on it yet."""
    simulator = registry.simulator(settings.channels[0].system)
    secret = f"rehearsed-{random.Random(f'{seed}/secret').getrandbits(96):024x}"  # noqa: S311  of an invented shop
    first = settings.channels[0]
    setup = simulator.Setup(
        seed=seed,
        orders=orders,
        start=STARTS,
        days=DAYS,
        currency=first.currency,
        client_secret=secret,
        restore_per_s=2000,
        wide=False,
    )
    channel = first.model_copy(
        update={
            "address": f"https://{simulator.DOMAIN}",
            "options": {"token": "client_credentials", "notify_customer": False},
            "secrets": dict(SHOP_SECRETS),
        }
    )
    rehearsed = erp.settings(
        settings.model_copy(
            update={
                "home": home,
                "database_url": None,
                "channels": (channel,),
                "public_url": PUBLIC_URL,
                "secret_values": {
                    SHOP_SECRETS["client_id"]: SecretStr(setup.client_id),
                    SHOP_SECRETS["client_secret"]: SecretStr(secret),
                },
            }
        ),
        home,
    )

    if _tells(erp, rehearsed, scheduler):  # else the shop ships by itself, for nobody would hear of what the ERP ships
        channel = channel.model_copy(update={"ships": Ships.ERP})
        rehearsed = rehearsed.model_copy(update={"channels": (channel,)})
        setup = replace(setup, ships="erp")
    shop = simulator.App(setup)
    shop.faults.set({"preset": faults})

    stage: Stage

    def handle(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        stage.move_shop()
        answer = shop.answer(method, target, headers, body)
        stage.move_shop()
        return None if answer is None else replace(answer, headers=shop.stamped(answer))

    stage = Stage(scheduler, rehearsed, shop, erp, channel.slug, Line(scheduler, channel.slug, handle))
    return stage


def _tells(erp: Erp, settings: Settings, scheduler: Scheduler) -> bool:
    hub = open_hub(settings, scheduler.clock, erp.connect)
    try:
        return tells_changes(hub)
    finally:
        close(hub)
