"""The demo: a month of a rehearsed shop that runs live, with accidents, posted, told back, reconciled and reported.

The shop is a process of its own, and so is the hub (`orderhub serve`); real sockets between them. So is an ERP that is
served over a network; one that is a library is opened here. Webhooks get lost, doubled, late and out of order, answers
of the shop and the ERP fail now and then, and the hub catches up by pulling. The warehouse ships in the ERP, and the
hub tells the shop. Then the hub is down for the last hours of the month, and people meddle with the ERP by hand. What
finds and explains all that knows nothing of this file.
"""

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from hub import registry
from hub.errors import Misconfigured
from hub.model.order import OrderKey
from hub.model.payouts import PayoutState
from hub.ports import ErpConfig, KeepsBooks
from hub.rehearsal.at_the_ledger import AtTheLedger
from hub.rehearsal.at_the_service import AtTheService
from hub.rehearsal.processes import ErpProcess, HubProcess, ShopProcess
from hub.rehearsal.staff import REFUND_MINOR, Staff, plain_orders
from hub.rehearsal.warehouse import Warehouse
from hub.settings import Settings, load_settings
from hub.steps.clearing import clearing
from hub.steps.closing import reconcile
from hub.steps.expected_books import expected_trial_balance
from hub.steps.hub import Hub, open_hub, spare_the_collector
from hub.steps.reconcile import REPORT_HTML, as_json
from hub.steps.send import send_all
from hub.steps.syncing import synced
from hub.store.views import payouts
from hub.store.views.backlog import told
from hub.store.views.figures import figures

PERIOD: Final = "2026-10"
STARTS: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAYS: Final = 29
OUTAGE: Final = datetime(2026, 10, 28, 22, tzinfo=UTC)
"""When the hub goes down; orders are placed for some time longer."""
LAST: Final = datetime(2026, 10, 31, 22, tzinfo=UTC)
STEP: Final = timedelta(hours=24)
OUTAGE_STEP: Final = timedelta(hours=2)
ORDERS_MIN: Final = 40
SYNC_ATTEMPTS: Final = 20
PAUSE_S: Final = 0.5
KILLED_WITHIN_S: Final = 2.0

MARKER: Final = "demo.json"
CONFIG: Final = "hub.yaml"
"""The home's own configuration: every command that is run on it finds the rehearsed channel."""
CROSSWALKS: Final = "demo-crosswalks.yaml"
TRUTH: Final = "demo-shop.json"
"""Every order as the shop itself has it at the end: what a person who doubts the report compares it with."""
ACCIDENTS: Final = "demo-accidents.json"
"""What people did wrong in the ERP, for the same person."""
POLICIES: Final = "demo-policies.yaml"
LOGS: Final = ("demo-shop.log", "demo-hub.log", "demo-erp.log")
OURS: Final = ("hub.db", "inbox.db", "ledger.db")
"""Files of a home that a second demo starts afresh; each with its companions (-wal, -shm)."""

SECRETS: Final = {"token": "ORDERHUB_DEMO_TOKEN", "webhook": "ORDERHUB_DEMO_SECRET"}

Tell = Callable[[str], None]


@dataclass(slots=True)
class Kills:
    """When the hub is ended in the midst of its work and started again: for a test of what is left then."""

    chance: random.Random
    left: int = 0

    def strikes(self) -> bool:
        if self.left and self.chance.random() < 0.5:
            self.left -= 1
            return True
        return False

    @contextmanager
    def at_work(self, served: HubProcess) -> Iterator[None]:
        """The block runs; if it strikes, the hub is killed at some moment of it, or soon after, and started again."""
        if not self.strikes():
            yield
            return
        with ThreadPoolExecutor(1) as beside:
            killed = beside.submit(_kill, served, self.chance.uniform(0, KILLED_WITHIN_S))
            yield
            killed.result()


def _kill(served: HubProcess, after_s: float) -> None:
    time.sleep(after_s)
    served.kill()
    served.start()


@dataclass(slots=True)
class Stage:
    """What the rehearsal has in its hands."""

    settings: Settings
    shop: ShopProcess
    served: HubProcess
    hub: Hub  # this process's own, to look into the stores
    staff: Staff
    erp: ErpProcess | None  # None: it is opened in this process
    slug: str
    chance: random.Random
    secrets: dict[str, str]


@dataclass(frozen=True, slots=True)
class Live:
    """The rehearsal at its end, shop and hub still running."""

    figures: dict[str, Any]
    hub: str  # an address, as the shop's
    shop: str
    environment: dict[str, str]
    """What another process needs to speak with the shop as the hub does: secrets of a shop that does not exist."""


def run(
    settings: Settings,
    orders: int,
    seed: int,
    *,
    erp: str | None = None,
    tell: Tell = lambda _: None,
    kills: int = 0,
    then: Callable[[Live], None] | None = None,
) -> dict[str, Any]:
    """The figures of the whole story; its state stays in the home, where every other command finds it.

    Args:
        erp: the system of the ERP to rehearse with; None: the configured one.
        tell: is handed a line now and then about how far it is.
        kills: how often `orderhub serve` is ended by SIGKILL on the way, and started again.
        then: is called at the end, shop and hub still running; None: both end.

    Raises:
        Misconfigured: the home is somebody's and no demo's, or too few orders for the accidents.
    """
    began = time.monotonic()
    spare_the_collector()
    if orders < ORDERS_MIN:
        raise Misconfigured(f"demo: {orders} orders are too few for its accidents; take {ORDERS_MIN} or more")
    _start_afresh(settings.home, orders, seed)
    with _staged(settings, orders, seed, erp or settings.erp.system) as stage:
        stage.staff.open_books()
        stage.served.start()
        _month(stage, Kills(random.Random(seed), kills), tell)  # noqa: S311  a rehearsal
        stage.served.stop()
        _catch_up(stage)
        tell("the hub is down; the shop goes on, and people meddle with the ERP")
        refunded, *victims = plain_orders(stage.hub, stage.staff, stage.slug, STARTS, stage.chance)
        _outage(stage, refunded)
        happened = stage.staff.meddle(victims)
        (settings.home / ACCIDENTS).write_text(json.dumps([asdict(one) for one in happened], indent=1))
        (settings.home / TRUTH).write_text(json.dumps({"orders": stage.shop.orders()}, indent=1))
        tell("reconciling the month")
        found = reconcile(stage.hub, PERIOD, [], tell=tell)
        answer = {
            **asdict(figures(stage.hub.store, stage.hub.inbox)),
            "pushed": told(stage.hub.store).get(stage.slug, {}).get("done", 0),
            "webhook_loss": _webhook_loss(stage),
            "payouts": _payouts(stage),
            "trial_balance": _trial_balance(stage.hub),
            "reconciliation": as_json(found),
            "report": str(settings.home / "runs" / found.run / REPORT_HTML),
            "elapsed_s": round(time.monotonic() - began, 2),
        }
        if then is not None:
            stage.served.start()
            then(Live(answer, stage.served.address, stage.shop.address, stage.secrets))
        return answer


@contextmanager
def _staged(settings: Settings, orders: int, seed: int, system: str) -> Iterator[Stage]:
    """The shop and the ERP run, the hub's process is ready to start, and this process has the stores open."""
    home = settings.home
    channel = settings.channels[0]
    chance = random.Random(seed)  # noqa: S311
    secrets = {name: f"demo-{chance.getrandbits(128):032x}" for name in SECRETS.values()}
    simulator = registry.simulator(channel.system)
    arguments = [
        *("--seed", str(seed), "--orders", str(orders), "--start", STARTS.isoformat(), "--days", str(DAYS)),
        *("--currency", channel.currency, "--ships", "erp", "--faults", "mild"),
        *("--secret-env", SECRETS["webhook"], "--token-env", SECRETS["token"], "--restore-per-s", "2000"),
    ]
    served_erp = getattr(registry.simulator(system), "rehearsed", None)
    with ExitStack() as stack:
        erp = None
        at_erp: dict[str, Any] | None = None
        if served_erp is not None:
            said = served_erp(seed)
            erp = stack.enter_context(
                ErpProcess(registry.simulator(system).__name__, said["arguments"], home / LOGS[2], {})
            )
            erp.start()
            erp.go_wrong(**said["faults"])
            secrets |= said["environment"]
            at_erp = {**said["erp"], "address": erp.address}
            _write_policies(settings, said["policies"])
        shop = stack.enter_context(ShopProcess(simulator.__name__, arguments, home / LOGS[0], secrets))
        shop.start()
        served = HubProcess(home, home / CONFIG, home / LOGS[1], secrets)
        _write_crosswalks(settings, chance)
        live = {
            "address": shop.address,
            "settle_s": 2,
            "secrets": dict(SECRETS),
            "options": {"domain": simulator.DOMAIN, "notify_customer": False},
        }
        _write_config(settings, live, served.address, at_erp)
        stack.callback(_write_config, settings, None, None, at_erp)
        own = load_settings(home / CONFIG, home, secrets)

        def connect(config: ErpConfig) -> Any:
            return registry.simulator(system).LedgerSimulator(config, _clock)

        hub = open_hub(own, _clock, connect if erp is None else None)
        stack.callback(hub.inbox.dispose)
        stack.callback(hub.store.dispose)
        stack.callback(hub.erp.close_connections)
        stack.enter_context(served)
        staff = AtTheLedger(hub, channel.slug) if erp is None else AtTheService(erp, hub, channel.slug)
        yield Stage(own, shop, served, hub, staff, erp, channel.slug, chance, secrets)


def _clock() -> datetime:
    return datetime.now(UTC)


def _write_policies(settings: Settings, otherwise: dict[str, Any]) -> None:
    """The first entity's policies, as far as the ERP does not post otherwise."""
    written = _read(settings.entities[0].policies) | otherwise
    (settings.home / POLICIES).write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")


def _write_config(
    settings: Settings, live: dict[str, Any] | None, public_url: str | None, erp: dict[str, Any] | None
) -> None:
    """The user's own configuration, with the rehearsed shop in place of the first channel's, and one SKU unmapped.

    Args:
        live: what the channel needs while the shop runs; None: the shop is gone.
        erp: a rehearsed ERP in place of the user's, which posts by policies of its own; None: the user's.
    """
    written = _read(settings.config)
    first = written["channels"][0] | {"ships": "erp"} | (live or {})
    if live is None:
        first.pop("secrets", None)
    written["channels"] = [first]
    if public_url is not None:
        written["public_url"] = public_url
    for entity, said in zip(settings.entities, written["entities"], strict=True):
        said |= {"chart": str(entity.chart), "policies": str(entity.policies) if erp is None else POLICIES}
    if erp is not None:
        written["erp"] = erp
    written["files"] = {
        "rates": str(settings.files.rates),
        "crosswalks": CROSSWALKS,
        "items": str(settings.files.items),
    }
    (settings.home / CONFIG).write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")


def _write_crosswalks(settings: Settings, chance: random.Random) -> None:
    """The crosswalks to start with, but for one SKU: nobody has told the hub what it is in the ERP."""
    crosswalks = _read(settings.files.crosswalks)
    items = crosswalks["item"]["*"]
    del items[chance.choice(sorted(items))]
    (settings.home / CROSSWALKS).write_text(yaml.safe_dump(crosswalks, sort_keys=False), encoding="utf-8")


def _read(file: Path) -> Any:
    """The file's words as they stand: `on` is a name here and no truth."""
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506  it makes nothing but text


def _start_afresh(home: Path, orders: int, seed: int) -> None:
    """The home is empty but for the demo's marker; what an earlier demo left in it is gone.

    Raises:
        Misconfigured: there is something in it that no demo made.
    """
    if home.exists() and any(home.iterdir()) and not (home / MARKER).is_file():
        raise Misconfigured(f"demo: {home} holds the state of something else; name another with --home")
    for name in (*OURS, *LOGS, CONFIG, CROSSWALKS, POLICIES, TRUTH, ACCIDENTS):
        for path in home.glob(f"{name}*"):
            path.unlink()
    shutil.rmtree(home / "runs", ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps({"orders": orders, "seed": seed}))


def _month(stage: Stage, kills: Kills, tell: Tell) -> None:
    """Day by day: the shop lives, the hub hears and pulls, the warehouse ships, the hub tells the shop."""
    day = STARTS
    people = Warehouse(stage.staff, stage.slug, stage.chance)
    stage.served.settle(stage.slug)  # its webhooks are registered before anything happens
    while day < OUTAGE:
        day = min(day + STEP, OUTAGE)
        if kills.strikes():
            stage.served.kill()
            stage.served.start()
        with kills.at_work(stage.served):
            stage.shop.advance(day.isoformat())
        stage.served.settle(stage.slug)
        if people.ship(stage.shop.orders(), day):
            stage.served.settle(stage.slug)
        tell(f"{day:%Y-%m-%d}: {stage.shop.state()['orders']} orders")


def _catch_up(stage: Stage) -> None:
    """What the shop knows when the hub goes down is in, and nothing is in doubt.

    Raises:
        Misconfigured: the shop does not answer, or what was told stays in doubt.
    """
    fault: Exception | None = None
    for _ in range(SYNC_ATTEMPTS):
        try:
            synced(stage.hub, stage.slug)
            if not figures(stage.hub.store, stage.hub.inbox).in_doubt:
                return
        except Misconfigured:
            raise
        except Exception as failed:  # noqa: BLE001  the shop fails now and then, as it should: tried again
            fault = failed
        time.sleep(PAUSE_S)
        send_all(stage.hub)
    raise Misconfigured(f"demo: the shop could not be read to the end: {fault or 'a step stays in doubt'}")


def _outage(stage: Stage, refunded: OrderKey) -> None:
    """The hub is down: an order is placed that it never hears of, and a refund is paid that nobody books."""
    before = {order["id"] for order in stage.shop.orders()}
    stage.shop.do("refund_amount", refunded.external_id, minor=REFUND_MINOR)
    at = OUTAGE
    while at < LAST:
        at += OUTAGE_STEP
        stage.shop.advance(at.isoformat())
        if any(order["id"] not in before and not order["test"] for order in stage.shop.orders()):
            return
    raise Misconfigured("demo: no order was placed while the hub was down; take more orders")


def _webhook_loss(stage: Stage) -> dict[str, Any]:
    """How the shop's webhooks fared while the hub was up; what was lost came in by a pull."""
    fates: dict[str, int] = stage.shop.state()["webhooks"]
    return {"sent": sum(fates.values()), **dict(sorted(fates.items()))}


def _payouts(stage: Stage) -> dict[str, Any]:
    """How many payouts came to what, what was paid out, and what the clearing accounts hold still, by piece or not."""
    rows = payouts.listed(stage.hub.store, limit=payouts.LIST_MAX)
    paid: dict[str, int] = {}
    for row in rows:
        if row.state == PayoutState.POSTED and row.currency is not None:
            paid[row.currency] = paid.get(row.currency, 0) + (row.amount_minor or 0)
    left = clearing(stage.hub)
    return {
        "by_state": dict(sorted(Counter(str(row.state) for row in rows).items())),
        "paid_minor": paid,
        "clearing": [asdict(one) | {"balance_minor": one.balance_minor} for one in left.totals],
        "pieces": len(left.pieces),
    }


def _trial_balance(hub: Hub) -> dict[str, dict[str, int]]:
    """Both sides of the ERP's own books, where it shows them; else of the expected ones."""
    rows = hub.erp.trial_balance() if isinstance(hub.erp, KeepsBooks) else _expected(hub)
    sums: dict[str, dict[str, int]] = {}
    for row in rows:
        of = sums.setdefault(row["currency"], {"debit_minor": 0, "credit_minor": 0})
        of["debit_minor"] += row["debit_minor"]
        of["credit_minor"] += row["credit_minor"]
    return sums


def _expected(hub: Hub) -> Iterator[dict[str, Any]]:
    for line in expected_trial_balance(hub):
        debit, credit = max(line.balance_minor, 0), max(-line.balance_minor, 0)
        yield {"currency": line.currency, "debit_minor": debit, "credit_minor": credit}
