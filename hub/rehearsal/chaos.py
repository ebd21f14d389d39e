"""chaos: a company's hub of several processes, on real stores, a shop and an ERP beside it, while all of it fails.

The shop lives its month as fast as the run is long; its webhooks come through a gate that turns some away, and what is
lost is pulled. Processes are killed and started again with clocks that are off, the broker is flushed and killed, the
database's connections are cut and the database itself crashes, the ERP's answers are lost before and after the commit
and its commits come late. In the middle of it the stores are backed up, later lost with every process, and put back
from that backup; the shop and the ERP are not. Then the faults end, all clocks are set forward, and what must hold is
looked at.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hub import registry
from hub.errors import Misconfigured
from hub.rehearsal.aftermath import left, looked_at
from hub.rehearsal.fleet import CONFIG, FLEET, Broker, configure, environment_of, fleet, migrate
from hub.rehearsal.gate import Gate
from hub.rehearsal.gremlins import Gremlins
from hub.rehearsal.losing import Loss
from hub.rehearsal.processes import LOOK_S, ErpProcess, ShopProcess
from hub.settings import Settings, load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened

STARTS: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
ENDS: Final = datetime(2026, 10, 31, 22, tzinfo=UTC)
DAYS: Final = 28
PERIODS: Final = ("2026-10",)
SECRETS: Final = {"token": "ORDERHUB_CHAOS_TOKEN", "webhook": "ORDERHUB_CHAOS_SECRET"}
STEPS_MIN: Final = 60
SUBSCRIBES_S: Final = 60
SETTLES_S: Final = 600
LOOKS_S: Final = 1.0
LOOKS: Final = 4
"""So many looks in a row must find nothing left."""
LATER_S: Final = 900
"""How far all clocks are set forward when the faults are over: no lease, pause or wait of the storm is left."""
SHOP_FAULTS: Final = {"preset": "mild", "rates": {"lost": 100, "lost_after": 20, "server_error": 20}}
ERP_RATES: Final = {
    "rate_limited": 10,
    "server_error": 10,
    "failed_after": 20,
    "lost_before": 20,
    "lost_after": 80,
    "late_commit": 80,
    "cut_short": 10,
}
BACKED_UP: Final = (0.3, 0.5)
LOST: Final = (0.6, 0.8)
"""When, as shares of the month."""
TURNED_AWAY: Final = 50  # of a thousand deliveries
ANSWERS_LOST: Final = 50

Tell = Callable[[str], object]


def run(
    settings: Settings,
    home: Path,
    database_url: str,
    broker: Broker,
    *,
    orders: int,
    minutes: float,
    seed: int,
    erp: str = "netsuite",
    settle_s: int = 20,
    late_s: int = 15,
    pause_s: tuple[float, float] = (1.0, 6.0),
    blind: bool = False,
    any_key: bool = False,
    erp_rates: Mapping[str, int] = ERP_RATES,
    programs: Path | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """The figures: lost, twice, unexplained_minor, orders, kills, faults, elapsed_s and what was violated.

    Args:
        home: a folder that is not there yet, for configuration, logs and the run.
        database_url: a PostgreSQL of this machine that nothing else uses, with nothing in it.
        minutes: how long things go wrong.
        settle_s: after which an absent document is absent.
        late_s: how late a commit comes at most; less than settle_s by more than clocks are off.
        pause_s: between two faults.
        blind: the workers resend what got no answer, to see it found.
        any_key: the ERP takes an external id twice.
        erp_rates: of a thousand requests to the ERP, how many meet which fault.
        programs: the folder of pg_dump and pg_restore; None: the stores are not lost.

    Raises:
        Misconfigured: a process does not start, or late_s is not less than settle_s.
    """
    if late_s >= settle_s:
        raise Misconfigured(f"chaos: a commit may come after {late_s} s, and absence is believed after {settle_s} s")
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311  a rehearsal
    home.mkdir(parents=True)
    secrets = {name: f"chaos-{chance.getrandbits(128):032x}" for name in SECRETS.values()}
    with ExitStack() as stack:
        simulator = registry.simulator(erp)
        said = simulator.rehearsed(seed)
        erp_arguments = [*said["arguments"], "--late-s", "1", str(late_s), *(["--any-key"] if any_key else [])]
        at_erp = stack.enter_context(ErpProcess(simulator.__name__, erp_arguments, home / "erp.log", {}))
        at_erp.start()
        secrets |= said["environment"]
        said["erp"] |= {"address": at_erp.address, "settle_s": settle_s}
        shop = stack.enter_context(_shop(settings, home, orders, seed, secrets))
        shop.start()
        gate = stack.enter_context(Gate(random.Random(f"{seed}/gate")))  # noqa: S311
        channel = {
            "slug": settings.channels[0].slug,
            "address": shop.address,
            "secrets": dict(SECRETS),
            "options": {"domain": registry.simulator(settings.channels[0].system).DOMAIN},
            "every": {"orders": 2, "subscribe": 5, "sweep": 30},
            "ships": "channel",
        }
        configure(settings, home, channel, gate.address, said)
        environment = environment_of(home, database_url, broker.url, secrets)
        migrate(environment)
        made = stack.enter_context(fleet(home, environment, blind=blind))
        gate.behind = made.port
        for name in FLEET:
            made.start(name)
        made.wait_for_the_door()
        _wait(lambda: shop.state()["subscriptions"] > 0, "the shop's webhooks", SUBSCRIBES_S)
        tell(f"all run after {time.monotonic() - began:.0f} s; from now on things go wrong")

        slack_s = (settle_s - late_s) / 2
        gremlins = Gremlins(
            made, broker, database_url, gate, shop, chance, pause_s=pause_s, clock_off_s=min(slack_s * 0.4, 5.0)
        )
        shop.go_wrong(**SHOP_FAULTS)
        at_erp.go_wrong(rates=dict(erp_rates), search_lag_s=2)
        gate.turns_away, gate.loses_answers = TURNED_AWAY, ANSWERS_LOST
        events: list[tuple[float, Callable[[], object]]] = []
        restored: dict[str, Any] = {}
        if programs is not None:
            own = load_settings(home / CONFIG, home, environment)
            loss = Loss(own, environment, programs, made, gremlins, gate, broker)
            events = [
                (chance.uniform(*BACKED_UP), loss.back_up),
                (chance.uniform(*LOST), lambda: restored.update(loss.happen())),
            ]
        gremlins.start()
        try:
            _month(shop, minutes * 60, events, tell)
        finally:
            gremlins.end()
        stormy_s = time.monotonic() - began
        tell(f"the faults are over after {stormy_s:.0f} s")

        met = {"around": dict(gremlins.met), "shop": shop.state()["faults"], "erp": at_erp.state()["faults"]}
        fates = shop.state()["webhooks"]
        shop.go_wrong(preset="none", rates=dict.fromkeys(SHOP_FAULTS["rates"], 0), skew_s=0)
        at_erp.go_wrong(heal=True)
        gate.calm()
        time.sleep(late_s)
        at_erp.catch_up()
        at_erp.pass_time(LATER_S)
        for name in FLEET:
            made.kill(name)
            made.start(name, LATER_S)
        made.wait_for_the_door()

        own = load_settings(home / CONFIG, home, environment)
        hub = stack.enter_context(opened(own, lambda: datetime.now(UTC) + timedelta(seconds=LATER_S)))
        truth = shop.orders()
        settled = _settle(hub, truth)
        store = own.stores.hub
        found = looked_at(
            hub,
            hub.settings.channels[0].slug,
            truth,
            at_erp,
            gate.acknowledged,
            (store.url.get_secret_value(), store.schema),
            PERIODS,
        )
        if settled:
            found.broken(f"still to be done {SETTLES_S} s after the faults: {settled}")
        return {
            **found.figures(),
            "kills": gremlins.kills,
            "restored": restored,
            "ended_alone": dict(gremlins.ended_alone),
            "faults": {**met, "gate": dict(gate.met)},
            "webhooks": fates,
            "stormy_s": round(stormy_s, 1),
            "elapsed_s": round(time.monotonic() - began, 1),
        }


def _shop(settings: Settings, home: Path, orders: int, seed: int, secrets: dict[str, str]) -> ShopProcess:
    channel = settings.channels[0]
    arguments = [
        *("--seed", str(seed), "--orders", str(orders), "--start", STARTS.isoformat(), "--days", str(DAYS)),
        *("--currency", channel.currency, "--secret-env", SECRETS["webhook"], "--token-env", SECRETS["token"]),
        *("--restore-per-s", "2000"),
    ]
    return ShopProcess(registry.simulator(channel.system).__name__, arguments, home / "shop.log", secrets)


def _month(shop: ShopProcess, lasts_s: float, events: Sequence[tuple[float, Callable[[], object]]], tell: Tell) -> None:
    """The shop's month passed within that time, or in as much more as its deliveries took.

    Args:
        events: what happens in the hub when that share of the month is over, the earliest first.
    """
    due = list(events)
    steps = max(STEPS_MIN, int(lasts_s))
    began = time.monotonic()
    for step in range(1, steps + 1):
        shop.advance((STARTS + (ENDS - STARTS) * step / steps).isoformat())
        while due and step / steps >= due[0][0]:
            due.pop(0)[1]()
        if step % max(1, steps // 10) == 0:
            state = shop.state()
            tell(f"{state['now']}: {state['orders']} orders, webhooks {state['webhooks']}")
        ahead_s = step / steps * lasts_s - (time.monotonic() - began)
        if ahead_s > 0:
            time.sleep(ahead_s)


def _settle(hub: Hub, truth: list[dict[str, Any]]) -> dict[str, int]:
    """What is left to be done when nothing moves any more, or when the time is over; empty: nothing."""
    until = time.monotonic() + SETTLES_S
    quiet = 0
    found: dict[str, int] = {}
    while time.monotonic() < until:
        found = left(hub, truth, hub.settings.channels[0].slug)
        quiet = 0 if found else quiet + 1
        if quiet >= LOOKS:
            return {}
        time.sleep(LOOKS_S)
    return found


def _wait(ready: Callable[[], bool], what: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise Misconfigured(f"{what} not ready in {seconds:.0f} s")
        time.sleep(LOOK_S)
