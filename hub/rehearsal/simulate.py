"""simulate: the hub's own code under one seeded scheduler, several virtual workers in virtual time, faults everywhere.

The shop lives some days; its webhooks, its API and the ERP fail as one draws; workers are killed where they stand and
others take their place; clocks differ, rings are lost. After every step the invariants are looked at. Then the faults
end, time passes, and nothing may be left: nothing in doubt, nothing planned, and no cent without a name.
"""

import logging
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from hub.errors import AuthExpired, Forged, HubError, Retryable
from hub.ports import Delivery
from hub.rehearsal import erps, staging
from hub.rehearsal.clerk import Clerk
from hub.rehearsal.erps import Bite
from hub.rehearsal.invariants import Invariants
from hub.rehearsal.scheduler import Scheduler, Worker
from hub.rehearsal.staging import Stage
from hub.rehearsal.warehouse import Warehouse
from hub.rehearsal.wire import shown
from hub.settings import Settings
from hub.steps.advance import advance_all
from hub.steps.closing import reconcile
from hub.steps.erp_changes import pull_erp
from hub.steps.hub import Hub
from hub.steps.receiving import receive
from hub.steps.send import probe, send_all, send_one
from hub.steps.syncing import synced
from hub.store.views import exceptions
from hub.store.views.backlog import backlog, steps_by_state, told
from hub.worker.jobs import SEND, works

WORKERS: Final = 6
STORMY: Final = timedelta(days=3)
"""How long things go wrong."""
CALM: Final = timedelta(hours=4)
"""What may be left over from that is settled by then."""
CALM_ROUNDS: Final = 12
CALM_ROUND: Final = timedelta(hours=2)
QUIET: Final = timedelta(minutes=20)
"""The shop does nothing by itself for so long when the end is looked at."""
INDEX_S: Final = 30
SHIPS_EVERY: Final = timedelta(hours=3)
ACTS_EVERY: Final = timedelta(minutes=100)
"""Between two things that a clerk does in the ERP."""
STEPS_MAX: Final = 400_000
VIOLATIONS_SHOWN: Final = 20
FAILED_S: Final = 30
CREDENTIALS_S: Final = 900
REFUSED: Final = frozenset({"rejected", "in_doubt", "read_back", "not_told", "told_twice", "paused"})
"""Exceptions that sending opens: none of them is anybody's doing here."""
OPEN_STATES: Final = ("planned", "sent", "in_doubt")

DELIVER: Final = "deliver"
BEATS_S: Final = {
    "advance": 2_400,
    "send": 1_800,
    "probe": 1_200,
    "pull": 5_400,
    "refetch": 3_600,
    "sweep": 43_200,
    "subscribe": 86_400,
    "seal": 21_600,
    "reconsider": 86_400,
}
"""The clock's rings, by a job's first word: far apart, for what no other ring woke."""
IDLE_MAX: Final = 2
"""How often a beat is doubled at most while nobody rings the job."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong in the hub itself, of a thousand."""

    kills: int = 0  # at each place where a worker may stand
    rings_lost: int = 0
    skew_s: float = 0.0  # how far a worker's clock is off, at most


WEATHER: Final = {
    "none": Weather(),
    "mild": Weather(kills=2, rings_lost=50, skew_s=2.0),
    "hostile": Weather(kills=6, rings_lost=300, skew_s=20.0),
}


@dataclass(slots=True)
class Seat:
    """Where a worker's process runs; when one is killed, another takes its place later."""

    name: str
    hub: Hub | None = None
    worker: Worker | None = None
    back_at: datetime | None = None
    works: dict[str, Callable[[], object]] = field(default_factory=dict)
    delivering: Any = None


def run(
    settings: Settings,
    seed: int,
    orders: int,
    faults: str,
    *,
    erp: str | None = None,
    bite: Bite = Bite(),  # noqa: B008  frozen
    write: Callable[[str], object] | None = None,
) -> dict[str, Any]:
    """The figures: trace_digest, steps, faults by who met them and kind, violations each with its step.

    Args:
        faults: none, mild or hostile.
        erp: the system of the ERP; None: one that is reached over a network, else the configured one.
        write: is handed every line of the trace.
    """
    with tempfile.TemporaryDirectory(prefix="orderhub-simulate-") as folder, _own_chance(seed), _quiet_log():
        scheduler = Scheduler(seed, staging.STARTS, write)
        system = erps.stage(erp or erps.default(settings.erp.system), scheduler, seed, faults, bite)
        stage = staging.build(settings, Path(folder), scheduler, seed, orders, faults, system)
        play = _Play(stage, seed, WEATHER[faults])
        try:
            return play.run()
        finally:
            play.close()


@contextmanager
def _own_chance(seed: int) -> Iterator[None]:
    """The process's generator, on which the jitter of retries draws, is the rehearsal's meanwhile."""
    kept = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(kept)


@contextmanager
def _quiet_log() -> Iterator[None]:
    """What goes wrong on purpose is not told to the person."""
    log = logging.getLogger("hub")
    kept = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(kept)


class _Play:
    def __init__(self, stage: Stage, seed: int, weather: Weather) -> None:
        self.stage = stage
        self.scheduler = stage.scheduler
        self.weather = weather
        self.seats = [Seat(f"w{number}") for number in range(1, WORKERS + 1)]
        self.due: dict[str, datetime] = {}
        self.idle: Counter[str] = Counter()  # how often in a row each job ran without a ring
        self.faults: Counter[str] = Counter()
        self.meddled: Counter[str] = Counter()
        self.violations: list[dict[str, Any]] = []
        self.audience = stage.open(people=True)  # the people in the ERP, and whoever looks
        staff = stage.erp.staff(self.audience, stage.slug)
        self.people = Warehouse(staff, stage.slug, random.Random(f"{seed}/people"))  # noqa: S311
        self.clerk = Clerk(staff, stage.slug, random.Random(f"{seed}/clerk"))  # noqa: S311
        self.acts_at = self.scheduler.now + ACTS_EVERY
        self.ships_at = self.scheduler.now + SHIPS_EVERY
        self.invariants = Invariants(stage, self.audience)
        staff.open_books()

    def run(self) -> dict[str, Any]:
        for seat in self.seats:
            self._take_seat(seat)
        self._begin_beats()
        self._until(staging.STARTS + STORMY)
        met = self._faults_met()
        if not self.violations:
            self.scheduler.note("the faults end")
            self.weather = Weather()
            self.stage.calm()
            self._until(self.scheduler.now + CALM)
            self._settle()
        self.scheduler.end()
        if not self.violations:
            self._look_at_the_end()
        return {
            "erp": self.stage.settings.erp.system,
            "trace_digest": self.scheduler.digest,
            "steps": self.scheduler.steps,
            "until": self.scheduler.now.isoformat(timespec="seconds"),
            "orders": len(self.stage.shop.control.truth()["orders"]),
            "documents": sum(1 for _ in self.stage.erp.documents()),
            "people": dict(sorted(self.meddled.items())),
            "faults": met,
            "violations": self.violations[:VIOLATIONS_SHOWN],
        }

    def close(self) -> None:
        self.scheduler.end()
        for seat in self.seats:
            if seat.hub is not None:
                staging.close(seat.hub)
        staging.close(self.audience)
        self.stage.erp.close()

    # --- who goes next ----------------------------------------------------------------------------------------------

    def _until(self, end: datetime) -> None:
        scheduler = self.scheduler
        while scheduler.now < end and not self.violations:
            if scheduler.steps > STEPS_MAX:
                self._violated([f"no end after {STEPS_MAX} steps"])
                return
            self._world()
            ready = scheduler.ready()
            jobs = sorted(job for job, at in self.due.items() if at <= scheduler.now)
            idle = [seat for seat in self.seats if seat.worker is None and self._is_back(seat)]
            choices = len(ready) + (1 if jobs and idle else 0)
            if not choices:
                scheduler.pass_to(min(end, self._next_at()))
                continue
            chosen = scheduler.chance.randrange(choices)
            if chosen == len(ready):
                self._begin(scheduler.chance.choice(idle), scheduler.chance.choice(jobs))
            else:
                self._go(ready[chosen])

    def _next_at(self) -> datetime:
        moments = [*self.due.values(), self.ships_at, self.acts_at, self.scheduler.wakes_at(), self.stage.next_at()]
        moments += [seat.back_at for seat in self.seats]
        later = [at for at in moments if at is not None and at > self.scheduler.now]
        return min(later)

    def _world(self) -> None:
        """What the shop, the ERP and its people do by now is done."""
        stage, scheduler = self.stage, self.scheduler
        stage.move_shop()
        stage.erp.happen()
        told_at = stage.shop.outbox.next_at()
        if told_at is not None and told_at <= scheduler.now:
            self.due[DELIVER] = scheduler.now
        if scheduler.now >= self.ships_at:
            self.ships_at = scheduler.now + SHIPS_EVERY
            shipped = self.people.ship(stage.shop.control.truth()["orders"], scheduler.now)
            scheduler.note(f"people ship {shipped}")
            stage.erp.touched()
        if scheduler.now >= self.acts_at:
            self.acts_at = scheduler.now + ACTS_EVERY
            if (did := self.clerk.act(stage.shop.control.truth()["orders"])) is not None:
                self.meddled[did.rpartition(" ")[0]] += 1
                scheduler.note(f"the clerk: {did}")

    def _begin(self, seat: Seat, job: str) -> None:
        self.due.pop(job)
        if (every_s := BEATS_S.get(job.partition(" ")[0])) is not None:
            self.due[job] = self.scheduler.now + timedelta(seconds=every_s << self.idle[job])
            self.idle[job] = min(self.idle[job] + 1, IDLE_MAX)
        seat.worker = Worker(seat.name, job, seat.works[job])
        self.scheduler.start(seat.worker)

    def _go(self, worker: Worker) -> None:
        scheduler = self.scheduler
        kill = scheduler.chance.randrange(1000) < self.weather.kills
        scheduler.go(worker, kill=kill)
        seat = next(one for one in self.seats if one.worker is worker)
        if kill:
            self.faults["killed"] += 1
            self._leave_seat(seat)
        elif worker.over:
            seat.worker = None
            if worker.fault is not None:
                self._failed(worker.job, worker.fault)
        self._violated(self.invariants.after(scheduler.steps))

    def _failed(self, job: str, fault: Exception) -> None:
        """As the real worker does: the clock rings again later; what is no HubError is a fault of ours."""
        wait_s: float = FAILED_S
        if isinstance(fault, Retryable) and fault.after_s is not None:
            wait_s = fault.after_s
        elif isinstance(fault, AuthExpired | Forged):
            wait_s = CREDENTIALS_S
        self.scheduler.note(f"{job} failed: {type(fault).__name__}")
        if not isinstance(fault, HubError):
            self._violated([f"{job} raised {type(fault).__name__}: {' '.join(str(fault).split())[:300]}"])
        if job != DELIVER:
            self.due[job] = self.scheduler.now + timedelta(seconds=wait_s)

    def _violated(self, found: Any) -> None:
        for what in found:
            self.scheduler.note(f"violated: {what}")
            self.violations.append({"step": self.scheduler.steps, "what": what})

    # --- workers ----------------------------------------------------------------------------------------------------

    def _is_back(self, seat: Seat) -> bool:
        if seat.hub is None and seat.back_at is not None and seat.back_at <= self.scheduler.now:
            self._take_seat(seat)
        return seat.hub is not None

    def _take_seat(self, seat: Seat) -> None:
        """A process has begun, with a clock of its own and nothing in its memory."""
        chance, weather = self.scheduler.chance, self.weather
        skew = timedelta(seconds=chance.uniform(-weather.skew_s, weather.skew_s))
        if skew:
            self.faults["clock_skew"] += 1
        seat.back_at = None
        seat.hub = self.stage.open(lambda: self.scheduler.now + skew)
        seat.works = self._works(seat, seat.hub)

    def _leave_seat(self, seat: Seat) -> None:
        if seat.delivering is not None:
            self.stage.shop.outbox.settled(seat.delivering, success=False)
            seat.delivering = None
        if seat.hub is not None:
            staging.close(seat.hub)
        seat.worker, seat.hub = None, None
        seat.back_at = self.scheduler.now + timedelta(seconds=self.scheduler.chance.randint(1, 300))

    def _works(self, seat: Seat, hub: Hub) -> dict[str, Callable[[], object]]:
        """The real worker's jobs; sending is cut into single calls, so that others come between them."""
        made: dict[str, Callable[[], object]] = dict(works(hub, self._ring))
        made.pop(SEND)
        for name, target in self._targets().items():
            made[f"send {name}"] = partial(self._send, hub, name, target)
            made[f"probe {name}"] = partial(self._probe, hub, name, target)
        made[DELIVER] = partial(self._deliver, seat, hub)
        return made

    def _targets(self) -> dict[str, str | None]:
        """By name; None: the ERP, of which the sending step is told by saying nothing."""
        return {"erp": None, self.stage.slug: self.stage.slug}

    def _begin_beats(self) -> None:
        for job in self.seats[0].works:
            if job != DELIVER:
                self.due[job] = self.scheduler.now + timedelta(seconds=self.scheduler.chance.randint(0, 60))

    def _ring(self, name: str) -> None:
        """That job looks soon, unless the ring is lost."""
        names = [f"{what} {target}" for target in self._targets() for what in ("send", "probe")]
        for job in names if name == SEND else [name]:
            if self.scheduler.chance.randrange(1000) < self.weather.rings_lost:
                self.faults["ring_lost"] += 1
            else:
                self.idle[job] = 0
                self.due[job] = min(self.due.get(job, self.scheduler.now), self.scheduler.now)

    def _send(self, hub: Hub, name: str, target: str | None) -> None:
        if send_one(hub, target) if target else send_one(hub):
            self._ring(f"send {name}")

    def _probe(self, hub: Hub, name: str, target: str | None) -> None:
        probed = probe(hub, target=target) if target else probe(hub)
        if probed.adopted or probed.again:
            self._ring(f"send {name}")

    def _deliver(self, seat: Seat, hub: Hub) -> None:
        """One delivery of the shop's that is due, from its request to its answer."""
        outbox, scheduler = self.stage.shop.outbox, self.scheduler
        sending = outbox.due()
        if sending is None:
            return
        seat.delivering = sending
        headers = sending.headers(self.stage.shop.shop.setup.domain, self.stage.shop.faults.skew_s)
        lower = {name.lower(): text for name, text in headers.items()}
        scheduler.pause("webhook")
        try:
            new = receive(hub, self.stage.slug, lower, sending.body)
        except (Forged, Retryable) as refusal:
            scheduler.note(f"webhook {sending.webhook_id}: {type(refusal).__name__}")
            outbox.settled(sending, success=False)
            seat.delivering = None
            return
        scheduler.pause("answer to webhook")
        scheduler.note(f"webhook {sending.webhook_id} {shown(sending.body)}: {'new' if new else 'known'}")
        outbox.settled(sending, success=True)
        seat.delivering = None
        received = hub.connector(self.stage.slug).accept(Delivery(lower, sending.body, scheduler.now))
        self._violated(self.invariants.acknowledged(received.channel, received.key))
        if new:
            self._ring("advance")

    # --- the end ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The workers went on until nothing is left to do and the shop is at rest for a while."""
        for _ in range(CALM_ROUNDS):
            if self.violations:
                return
            following = self.stage.next_at()
            resting = following is None or following > self.scheduler.now + QUIET
            if resting and not self._left():
                return
            self._until(self.scheduler.now + CALM_ROUND)
        if left := self._left():
            self._violated([f"still to be done long after the faults ended: {left}"])

    def _left(self) -> dict[str, int]:
        states: Counter[str] = Counter()
        by_target = {"erp": steps_by_state(self.audience.store)} | told(self.audience.store)
        for name, steps in by_target.items():
            states.update({f"{name} {state}": count for state, count in steps.items() if state in OPEN_STATES})
        if waiting := backlog(self.audience.inbox).waiting:
            states["records"] = waiting
        return dict(sorted(states.items()))

    def _look_at_the_end(self) -> None:
        """All is read once more without a fault, and the month reconciled."""
        hub = self.stage.open()
        try:
            for _ in range(3):
                self.scheduler.sleep(INDEX_S)
                self.stage.move_shop()
                pull_erp(hub)
                advance_all(hub)
                synced(hub, self.stage.slug)
                send_all(hub)
            found = reconcile(hub, staging.PERIOD, [])
            for name, comparison in (("sales", found.sales), ("payments", found.payments)):
                for one in comparison.variances:
                    if one.residual_minor:
                        what = f"{one.pair} {one.subject} {one.order or one.document}: {one.kind}"
                        self._violated([f"{name}: {what}: {one.residual_minor} {one.currency} unexplained"])
            if not found.complete:
                self._violated(["the reconciliation is not complete"])
            if left := self._left():
                self._violated([f"still open at the end: {left}"])
            refused = [one for one in exceptions.opened(hub.store) if one.code in REFUSED and not self._meddled(one)]
            self._violated(self.clerk.unheard(self.stage.shop.control.truth()["orders"]))
            self._violated(f"{one.order}: {one.message}" for one in refused)
            self._violated(self.invariants.at_the_end())
            self.scheduler.note(f"{found.sales.groups} {found.payments.groups} {found.sales.matched}")
        finally:
            staging.close(hub)

    def _meddled(self, one: exceptions.OpenException) -> bool:
        """Called off at the shop and then opened again in the ERP, or changed before it was read back: theirs."""
        at = {"not_told": self.clerk.wavered, "read_back": self.clerk.edited | self.clerk.wavered}
        return one.order in at.get(one.code, ())

    def _faults_met(self) -> dict[str, dict[str, int]]:
        return {
            "channel": dict(sorted(self.stage.shop.faults.met.items())),
            "erp": self.stage.erp.met(),
            "hub": dict(sorted(self.faults.items())),
        }
