"""The jobs of a hub: what each does, and which others it rings when it has made work for them."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from hub.errors import AuthExpired, Forged, Retryable
from hub.steps import erp_changes, syncing, turns
from hub.steps.advance import advance_all
from hub.steps.alerting import alert
from hub.steps.completeness import check_open_days
from hub.steps.erp_changes import pull_erp, tells_changes
from hub.steps.exceptions import reconsider_due, reconsider_held
from hub.steps.hub import Hub
from hub.steps.roots import make_roots
from hub.steps.send import send_all
from hub.worker.bell import Bell, Job
from hub.worker.broker import Broker
from hub.worker.schedule import Beat, Following, Schedule, Scheduler, following

log = logging.getLogger(__name__)

ADVANCE: Final = "advance"
SEND: Final = "send"
RECONSIDER: Final = "reconsider"  # rung once, at the start: the configuration may be another than when it stopped
SEAL: Final = "seal"
ALERT: Final = "alert"
COMPLETENESS: Final = "completeness"
ERP_CHANGES: Final = erp_changes.JOB
RELAY: Final = "relay"  # rings again what was rung and not begun, by the stores
KEEP: Final = "keep"  # says that what is under way goes on
NEAR: Final = frozenset({ADVANCE, SEND, RECONSIDER, SEAL, RELAY, KEEP})
"""Jobs that ask no far side for anything but to take what is sent: none of them waits behind a pull."""
BY_MANY: Final = frozenset({ADVANCE, SEND})
"""Jobs that any number of workers do at once: what they take is claimed row by row."""

CHANGES: Final = "changes"  # what `every` in hub.yaml calls it, as the next two, beside the channel's streams
SWEEP: Final = "sweep"
SUBSCRIBE: Final = "subscribe"
DEFAULT_THREADS: Final = 8

ADVANCE_EVERY_S: Final = 5  # the clock's ring, for what no webhook rang
SEND_EVERY_S: Final = 5
REFETCH_EVERY_S: Final = 5
RELAY_EVERY_S: Final = 5
KEEP_EVERY_S: Final = 15
SWEEP_EVERY_S: Final = 3_600
SUBSCRIBE_EVERY_S: Final = 86_400
ALERT_EVERY_S: Final = 60
SEAL_EVERY_S: Final = 3_600  # a day is sealed once it is over, soon after midnight UTC
COMPLETENESS_AT: Final = "40 4 * * *"  # once a day, when few orders come in
FAILED_S: Final = 30  # a job that failed is left alone for so long
CREDENTIALS_S: Final = 900  # one whose credentials are no longer good


class Jobs:
    """All jobs of a hub on one bell; `start` and `stop` them.

    Alone they have a scheduler of their own; with a broker they are one worker among any number, and what is due is
    rung by schedulers and doors elsewhere.
    """

    def __init__(
        self,
        hub: Hub,
        broker: Broker | None = None,
        threads: int | None = None,
        ticked: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        broker: None: these are the jobs of a process that has its hub alone.
        threads: calls of a target at once, and far jobs rung by the broker; None: as many as there are slots.
        ticked: is told every few seconds that the stores were asked.
        """
        self._hub = hub
        self._broker = broker
        self._threads = threads
        self._ticked = ticked
        self._holder = holder()
        self._works = dict(works(hub, self._ring_on, threads))
        self._at: set[str] = set()  # whose turn is this process's
        self._guard = threading.Lock()
        rung: dict[str, Job] = {name: partial(self._in_turn, name, work) for name, work in self._works.items()}
        self._bell = Bell({**rung, RELAY: self._relay, KEEP: self._keep}, failed=self._failed)
        beats = [*_beats(hub), (RELAY, RELAY_EVERY_S), (KEEP, KEEP_EVERY_S)]
        self._schedule = Schedule([Beat(name, every_s) for name, every_s in beats], self._bell.ring)
        self._scheduler = Scheduler(hub, self._holder, plan(hub), self._bell.ring) if broker is None else None

    def start(self) -> None:
        if self._broker is None and self._has_home_alone:
            turns.free_all(self._hub)  # an earlier process died with them
        self._bell.start()
        self._bell.ring(RECONSIDER)
        self._schedule.start()
        if self._scheduler is not None:
            self._scheduler.start()
        if self._broker is not None:
            self._broker.start(self._bell.run, self._threads or DEFAULT_THREADS)

    def stop(self) -> None:
        """What runs is finished; what is still to do stays in the stores."""
        if self._broker is not None:
            self._broker.stop()
        if self._scheduler is not None:
            self._scheduler.stop()
        self._schedule.stop()
        self._bell.stop()

    def ring(self, name: str) -> None:
        """That job looks soon for what there is to do."""
        self._bell.ring(name)

    def ring_channel(self, slug: str) -> list[str]:
        """All that is pulled from a channel or the ERP looks soon; the names of these jobs."""
        names = of_channel(self._works, slug)
        for name in names:
            self._bell.ring(name)
        return names

    def away(self) -> dict[str, str | None]:
        """The broker, where there is one, with what is wrong with it; None: it answered when it was last asked."""
        return {} if self._broker is None else _told_of(self._broker)

    def standing(self) -> dict[str, Any]:
        """Whether nothing runs or waits, and how often each job ran since the process began."""
        runs = {name: count for name, count in self._bell.runs().items() if name in self._works}
        return {"idle": self._bell.idle(), "runs": runs}

    @property
    def _has_home_alone(self) -> bool:
        return self._hub.store.dialect.name == "sqlite"

    def _ring_on(self, name: str) -> None:
        """A job made work for another one: here, and for what many may do at once, elsewhere too."""
        self._bell.ring(name)
        if self._broker is not None and name in BY_MANY:
            self._broker.ring(name)

    def _in_turn(self, name: str, work: Job) -> None:
        if self._is_done_by_many(name):
            work()
            return
        if not _worth_a_turn(self._hub, name) or not turns.take(self._hub, name, self._holder):
            return
        with self._guard:
            self._at.add(name)
        failed_for_s: float | None = None
        again = False
        try:
            work()
        except Exception as fault:
            failed_for_s = _left_alone_s(fault)
            raise
        finally:
            with self._guard:
                self._at.discard(name)
            again = turns.give_back(self._hub, name, self._holder, failed_for_s)
        if again:
            self._bell.ring(name)

    def _is_done_by_many(self, name: str) -> bool:
        # On SQLite no row is claimed by one reader: workers that share files decide one at a time.
        return name == SEND or (name == ADVANCE and (self._broker is None or not self._has_home_alone))

    def _relay(self) -> None:
        for name in turns.unanswered(self._hub):
            if name in self._works and name not in self._at:
                self._bell.ring(name)
        self._ticked()

    def _keep(self) -> None:
        with self._guard:
            at = set(self._at)
        turns.keep(self._hub, at, self._holder)

    def _failed(self, name: str, fault: Exception) -> None:
        wait_s = _left_alone_s(fault)
        if name not in (RELAY, KEEP):
            self._schedule.postpone(name, wait_s)
        log.warning(
            "job.failed",
            extra={"job": name, "again_in_s": wait_s, "fault": fault},
        )


class Rings:
    """The jobs of a process that does none: who comes to its door rings them elsewhere."""

    def __init__(self, hub: Hub, broker: Broker) -> None:
        self._hub = hub
        self._broker = broker
        self._works = works(hub, broker.ring)

    def start(self) -> None:
        self._broker.start()

    def stop(self) -> None:
        self._broker.stop()

    def ring(self, name: str) -> None:
        """That job looks soon, in one of the workers; without the broker, at its beat."""
        self._broker.ring(name)

    def ring_channel(self, slug: str) -> list[str]:
        names = of_channel(self._works, slug)
        for name in names:
            self._broker.ring(name)
        return names

    def away(self) -> dict[str, str | None]:
        return _told_of(self._broker)

    def standing(self) -> dict[str, Any]:
        """Whether nothing waits that one worker at a time does, and when it was last done."""
        stands = turns.standing(self._hub)
        now = self._hub.clock()
        known = {name: stands[name] for name in self._works if name in stands}
        return {
            "idle": not any(one.held(now) or one.rung_at for one in known.values()),
            "broker": self._broker.there,
            "ended": {name: one.ended_at.isoformat() for name, one in known.items() if one.ended_at},
        }


def _told_of(broker: Broker) -> dict[str, str | None]:
    said = {True: None, None: "not asked yet", False: "it does not answer: jobs are found at their beat, seconds later"}
    return {"broker": said[broker.there]}


def holder() -> str:
    """Who this process is to others that take turns with it."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"


def of_channel(names: Mapping[str, object], slug: str) -> list[str]:
    """The jobs that read from a channel, and from the ERP."""
    found = [name for name in names if name.split()[:2] in (["pull", slug], ["refetch", slug])]
    return found + [name for name in (ERP_CHANGES,) if name in names]


def is_far(name: str) -> bool:
    """Whether a job asks a far side, which may take as long as it likes."""
    return name not in NEAR


def plan(hub: Hub) -> dict[str, Following]:
    """When each scheduled job is due next, the urgent first; by the clock of its channel where a cron says so."""
    found: dict[str, Following] = {}
    for slug in syncing.channels_live(hub):
        channel = hub.settings.channel(slug)
        for stream in syncing.streams(hub, slug):
            every = channel.every.get(stream.name, stream.every_s)
            found[syncing.pull_job(slug, stream.name)] = following(every, channel.timezone)
    home = hub.settings.entities[0].timezone
    if tells_changes(hub):
        found[ERP_CHANGES] = following(hub.settings.erp.every.get(CHANGES, erp_changes.EVERY_S), home)
    for slug in syncing.channels_live(hub):
        channel = hub.settings.channel(slug)
        found[_sweep_job(slug)] = following(channel.every.get(SWEEP, SWEEP_EVERY_S), channel.timezone)
        if hub.settings.public_url is not None:
            found[_subscribe_job(slug)] = following(channel.every.get(SUBSCRIBE, SUBSCRIBE_EVERY_S), channel.timezone)
    found[ALERT] = following(ALERT_EVERY_S, home)
    found[SEAL] = following(SEAL_EVERY_S, home)
    found[COMPLETENESS] = following(COMPLETENESS_AT, home)
    return found


def _left_alone_s(fault: Exception) -> float:
    """For how long a job that failed so is."""
    if isinstance(fault, Retryable) and fault.after_s is not None:
        return fault.after_s
    return CREDENTIALS_S if isinstance(fault, AuthExpired | Forged) else FAILED_S


def _worth_a_turn(hub: Hub, name: str) -> bool:
    """Whether there is anything to do, where a look is cheaper than a turn."""
    kind, _, slug = name.partition(" ")
    return kind != "refetch" or syncing.waiting_of(hub, slug) > 0


def works(hub: Hub, ring: Callable[[str], None], threads: int | None = None) -> Mapping[str, Job]:
    """Each job by its name; it rings those that it has made work for.

    Args:
        threads: calls of a target at once; None: as many as it bears.
    """
    jobs: dict[str, Job] = {
        ADVANCE: partial(_advance, hub, ring),
        RECONSIDER: partial(_reconsider, hub, ring),
        SEND: partial(_send, hub, threads),
        SEAL: partial(_seal, hub),
        ALERT: partial(_alert, hub),
        COMPLETENESS: partial(_check_completeness, hub, ring),
    }
    if tells_changes(hub):
        jobs[ERP_CHANGES] = partial(_pull_erp, hub, ring)
    for slug in syncing.channels_live(hub):
        for stream in syncing.streams(hub, slug):
            jobs[syncing.pull_job(slug, stream.name)] = partial(_pull, hub, ring, slug, stream.name)
        jobs[refetch_job(slug)] = partial(_refetch, hub, ring, slug)
        jobs[_sweep_job(slug)] = partial(_sweep, hub, ring, slug)
        if hub.settings.public_url is not None:
            jobs[_subscribe_job(slug)] = partial(_subscribe, hub, slug)
    return jobs


def _beats(hub: Hub) -> list[tuple[str, float]]:
    """What each process looks for by itself: what no webhook, no scheduler and no other job rang."""
    live = [(refetch_job(slug), float(REFETCH_EVERY_S)) for slug in syncing.channels_live(hub)]
    return [(ADVANCE, ADVANCE_EVERY_S), (SEND, SEND_EVERY_S), *live]


def refetch_job(slug: str) -> str:
    return f"refetch {slug}"


def _sweep_job(slug: str) -> str:
    return f"sweep {slug}"


def _subscribe_job(slug: str) -> str:
    return f"subscribe {slug}"


def _advance(hub: Hub, ring: Callable[[str], None]) -> None:
    reconsider_due(hub)
    if advance_all(hub):
        ring(SEND)
        for slug in syncing.channels_live(hub):
            ring(refetch_job(slug))


def _reconsider(hub: Hub, ring: Callable[[str], None]) -> None:
    if reconsider_held(hub).healed:
        ring(SEND)


def _send(hub: Hub, threads: int | None) -> None:
    send_all(hub, threads)


def _seal(hub: Hub) -> None:
    make_roots(hub)


def _alert(hub: Hub) -> None:
    alert(hub)


def _check_completeness(hub: Hub, ring: Callable[[str], None]) -> None:
    if check_open_days(hub):
        for slug in syncing.channels_live(hub):
            ring(refetch_job(slug))


def _pull(hub: Hub, ring: Callable[[str], None], slug: str, stream: str) -> None:
    if syncing.pull(hub, slug, stream).new:
        ring(ADVANCE)


def _pull_erp(hub: Hub, ring: Callable[[str], None]) -> None:
    if pull_erp(hub):
        ring(ADVANCE)


def _refetch(hub: Hub, ring: Callable[[str], None], slug: str) -> None:
    if syncing.refetch(hub, slug):
        ring(ADVANCE)


def _sweep(hub: Hub, ring: Callable[[str], None], slug: str) -> None:
    if syncing.sweep(hub, slug):
        ring(refetch_job(slug))


def _subscribe(hub: Hub, slug: str) -> None:
    syncing.subscribe(hub, slug)
