"""The demo: a month of a rehearsed shop that runs live, with accidents, posted, told back, reconciled and reported.

The shop is a process of its own, and so is the hub (`orderhub serve`); real sockets between them. So is an ERP that is
served over a network; one that is a library is opened here. Webhooks get lost, doubled, late and out of order, answers
of the shop and the ERP fail now and then, and the hub catches up by pulling. The warehouse ships in the ERP, and the
hub tells the shop. Then the hub is down for the last hours of the month, and people meddle with the ERP by hand. What
finds and explains all that knows nothing of this file.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any, Final

from hub import registry
from hub.errors import Misconfigured
from hub.model.access import Role
from hub.model.order import OrderKey
from hub.model.payouts import PayoutState
from hub.ports import ErpConfig, KeepsBooks
from hub.rehearsal.at_the_ledger import AtTheLedger
from hub.rehearsal.at_the_service import AtTheService
from hub.rehearsal.home import (
    ACCIDENTS,
    CONFIG,
    LOGS,
    TRUTH,
    start_afresh,
    write_config,
    write_crosswalks,
    write_policies,
)
from hub.rehearsal.processes import ErpProcess, HubProcess, ShopProcess
from hub.rehearsal.staff import REFUND_MINOR, Staff, plain_orders
from hub.rehearsal.warehouse import Warehouse
from hub.settings import Settings, load_settings
from hub.steps import access
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
ORDERS_MIN: Final = 20
SYNC_ATTEMPTS: Final = 20
PAUSE_S: Final = 0.5
KILLED_WITHIN_S: Final = 2.0

SECRETS: Final = {"token": "ORDERHUB_DEMO_TOKEN", "webhook": "ORDERHUB_DEMO_SECRET"}
SECRETS_2: Final = {"token": "ORDERHUB_DEMO_2_TOKEN", "webhook": "ORDERHUB_DEMO_2_SECRET"}
SECOND_CURRENCY: Final = "EUR"
SECOND_SHARE: Final = 6
"""One of so many orders is of the second shop, where there is one."""

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


@dataclass(frozen=True, slots=True)
class Front:
    """One rehearsed shop."""

    slug: str
    shop: ShopProcess
    channel: dict[str, Any]
    """What hub.yaml says of it."""


@dataclass(slots=True)
class Stage:
    """What the rehearsal has in its hands."""

    settings: Settings
    fronts: list[Front]
    served: HubProcess
    hub: Hub  # this process's own, to look into the stores
    staff: Staff
    erp: ErpProcess | None  # None: it is opened in this process
    chance: random.Random
    secrets: dict[str, str]

    @property
    def slugs(self) -> list[str]:
        return [front.slug for front in self.fronts]

    @property
    def slug(self) -> str:
        """Of the first shop, to which accidents happen."""
        return self.fronts[0].slug

    @property
    def shop(self) -> ShopProcess:
        return self.fronts[0].shop

    def orders(self) -> list[dict[str, Any]]:
        """Every order as its shop has it."""
        return [order | {"channel": front.slug} for front in self.fronts for order in front.shop.orders()]


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
    start_afresh(settings.home, orders, seed)
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
        if stage.erp is not None:
            stage.erp.catch_up()
        (settings.home / ACCIDENTS).write_text(json.dumps([asdict(one) for one in happened], indent=1))
        (settings.home / TRUTH).write_text(json.dumps({"orders": stage.orders()}, indent=1))
        tell("reconciling the month")
        found = reconcile(stage.hub, PERIOD, [], tell=tell)
        answer = {
            **asdict(figures(stage.hub.store, stage.hub.inbox)),
            "pushed": sum(told(stage.hub.store).get(slug, {}).get("done", 0) for slug in stage.slugs),
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
    chance = random.Random(seed)  # noqa: S311
    secrets = {name: f"demo-{chance.getrandbits(128):032x}" for name in SECRETS.values()}
    with ExitStack() as stack:
        erp, at_erp = None, None
        rehearsed = getattr(registry.simulator(system), "rehearsed", None)
        if rehearsed is not None:
            said = rehearsed(seed)
            erp = ErpProcess(registry.simulator(system).__name__, said["arguments"], home / LOGS[1], {})
            stack.enter_context(erp).start()
            erp.go_wrong(**said["faults"])
            secrets |= said["environment"]
            at_erp = {**said["erp"], "address": erp.address}
            write_policies(settings, said["policies"])
        secrets |= {name: f"demo-{chance.getrandbits(128):032x}" for name in SECRETS_2.values() if erp is not None}
        fronts = list(_fronts(stack, settings, orders, seed, secrets, alone=erp is None))
        served = HubProcess(home, home / CONFIG, home / LOGS[0], secrets)
        write_crosswalks(settings, chance)
        write_config(settings, [front.channel for front in fronts], served.address, at_erp)
        gone = [{"slug": front.slug, "currency": front.channel["currency"]} for front in fronts]
        stack.callback(write_config, settings, gone, None, at_erp)
        own = load_settings(home / CONFIG, home, secrets)

        def connect(config: ErpConfig) -> Any:
            return registry.simulator(system).LedgerSimulator(config, _clock)

        hub = open_hub(own, _clock, connect if erp is None else None)
        stack.callback(hub.inbox.dispose)
        stack.callback(hub.store.dispose)
        served.log_in(access.create(hub, "demo", Role.OPERATOR, "demo", token_bytes).text)
        stack.callback(hub.erp.close_connections)
        stack.enter_context(served)
        slug = fronts[0].slug
        staff = AtTheLedger(hub, slug) if erp is None else AtTheService(erp, hub, slug)
        yield Stage(own, fronts, served, hub, staff, erp, chance, secrets)


def _fronts(
    stack: ExitStack, settings: Settings, orders: int, seed: int, secrets: dict[str, str], *, alone: bool
) -> Iterator[Front]:
    """The shops, started: the first has the user's first channel's currency, the second another."""
    channel = settings.channels[0]
    simulator = registry.simulator(channel.system)
    second = 0 if alone else orders // SECOND_SHARE
    plans = [
        (channel.slug, channel.currency, orders - second, seed, SECRETS, LOGS[2]),
        (f"{channel.slug}-2", SECOND_CURRENCY, second, seed + 1, SECRETS_2, LOGS[3]),
    ]
    for slug, currency, placed, its_seed, named, log in plans[: 1 if alone else 2]:
        arguments = [
            *("--seed", str(its_seed), "--orders", str(placed), "--start", STARTS.isoformat(), "--days", str(DAYS)),
            *("--currency", currency, "--ships", "erp", "--faults", "mild"),
            *("--secret-env", named["webhook"], "--token-env", named["token"], "--restore-per-s", "2000"),
        ]
        shop = stack.enter_context(ShopProcess(simulator.__name__, arguments, settings.home / log, secrets))
        shop.start()
        said = {
            "slug": slug,
            "currency": currency,
            "address": shop.address,
            "settle_s": 2,
            "secrets": dict(named),
            "options": {"domain": simulator.DOMAIN, "notify_customer": False},
        }
        yield Front(slug, shop, said)


def _clock() -> datetime:
    return datetime.now(UTC)


def _month(stage: Stage, kills: Kills, tell: Tell) -> None:
    """Day by day: the shop lives, the hub hears and pulls, the warehouse ships, the hub tells the shop."""
    day = STARTS
    people = {front.slug: Warehouse(stage.staff, front.slug, stage.chance) for front in stage.fronts}
    stage.served.settle(*stage.slugs)  # its webhooks are registered before anything happens
    while day < OUTAGE:
        day = min(day + STEP, OUTAGE)
        if kills.strikes():
            stage.served.kill()
            stage.served.start()
        with kills.at_work(stage.served):
            for front in stage.fronts:
                front.shop.advance(day.isoformat())
        stage.served.settle(*stage.slugs)
        if sum(people[front.slug].ship(front.shop.orders(), day) for front in stage.fronts):
            stage.served.settle(*stage.slugs)
        tell(f"{day:%Y-%m-%d}: {sum(front.shop.state()['orders'] for front in stage.fronts)} orders")


def _catch_up(stage: Stage) -> None:
    """What the shop knows when the hub goes down is in, and nothing is in doubt.

    Raises:
        Misconfigured: the shop does not answer, or what was told stays in doubt.
    """
    fault: Exception | None = None
    for _ in range(SYNC_ATTEMPTS):
        try:
            for slug in stage.slugs:
                synced(stage.hub, slug)
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
    fates: Counter[str] = Counter()
    for front in stage.fronts:
        fates.update(front.shop.state()["webhooks"])
    return {"sent": fates.total(), **dict(sorted(fates.items()))}


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
