"""The jobs of a hub: what each does, and which others it rings when it has made work for them."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from hub.errors import AuthExpired, Forged, Retryable
from hub.steps import syncing
from hub.steps.advance import advance_all
from hub.steps.alerting import alert
from hub.steps.erp_changes import pull_erp, tells_changes
from hub.steps.exceptions import reconsider_due, reconsider_held
from hub.steps.hub import Hub
from hub.steps.roots import make_roots
from hub.steps.send import send_all
from hub.worker.bell import Bell, Job
from hub.worker.schedule import Beat, Schedule

log = logging.getLogger(__name__)

ADVANCE: Final = "advance"
SEND: Final = "send"
RECONSIDER: Final = "reconsider"  # rung once, at the start: the configuration may be another than when it stopped
SEAL: Final = "seal"
ALERT: Final = "alert"
ERP_CHANGES: Final = "pull erp"

ADVANCE_EVERY_S: Final = 5  # the clock's ring, for what no webhook rang
SEND_EVERY_S: Final = 5
REFETCH_EVERY_S: Final = 5
ERP_CHANGES_EVERY_S: Final = 60
SWEEP_EVERY_S: Final = 3_600
SUBSCRIBE_EVERY_S: Final = 86_400
ALERT_EVERY_S: Final = 60
SEAL_EVERY_S: Final = 3_600  # a day is sealed once it is over, soon after midnight UTC
FAILED_S: Final = 30  # a job that failed is left alone for so long
CREDENTIALS_S: Final = 900  # one whose credentials are no longer good


class Jobs:
    """All jobs of a hub on one bell and one schedule; `start` and `stop` them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._works = dict(works(hub, self.ring))
        self._bell = Bell(self._works, failed=self._failed)
        self._schedule = Schedule([Beat(name, every_s) for name, every_s in _beats(hub)], self._bell.ring)

    def start(self) -> None:
        self._bell.start()
        self._bell.ring(RECONSIDER)
        self._schedule.start()

    def stop(self) -> None:
        """What runs is finished; what is still to do stays in the stores."""
        self._schedule.stop()
        self._bell.stop()

    def ring(self, name: str) -> None:
        """That job looks soon for what there is to do."""
        self._bell.ring(name)

    def ring_channel(self, slug: str) -> list[str]:
        """All that is pulled from a channel or the ERP looks soon; the names of these jobs."""
        names = [name for name in self._works if name.split()[:2] in (["pull", slug], ["refetch", slug])]
        names += [name for name in (ERP_CHANGES,) if name in self._works]
        for name in names:
            self._bell.ring(name)
        return names

    def standing(self) -> dict[str, Any]:
        """Whether nothing runs or waits, and how often each job ran since the process began."""
        return {"idle": self._bell.idle(), "runs": self._bell.runs()}

    def _failed(self, name: str, fault: Exception) -> None:
        wait_s: float = FAILED_S
        if isinstance(fault, Retryable) and fault.after_s is not None:
            wait_s = fault.after_s
        elif isinstance(fault, AuthExpired | Forged):
            wait_s = CREDENTIALS_S
        self._schedule.postpone(name, wait_s)
        log.warning(
            "job.failed",
            extra={"job": name, "again_in_s": wait_s, "fault": fault},
        )


def works(hub: Hub, ring: Callable[[str], None]) -> Mapping[str, Job]:
    """Each job by its name; it rings those that it has made work for."""
    jobs: dict[str, Job] = {
        ADVANCE: partial(_advance, hub, ring),
        RECONSIDER: partial(_reconsider, hub, ring),
        SEND: partial(_send, hub),
        SEAL: partial(_seal, hub),
        ALERT: partial(_alert, hub),
    }
    if tells_changes(hub):
        jobs[ERP_CHANGES] = partial(_pull_erp, hub, ring)
    for slug in syncing.channels_live(hub):
        for stream in syncing.streams(hub, slug):
            jobs[pull_job(slug, stream.name)] = partial(_pull, hub, ring, slug, stream.name)
        jobs[refetch_job(slug)] = partial(_refetch, hub, ring, slug)
        jobs[_sweep_job(slug)] = partial(_sweep, hub, ring, slug)
        if hub.settings.public_url is not None:
            jobs[_subscribe_job(slug)] = partial(_subscribe, hub, slug)
    return jobs


def _beats(hub: Hub) -> list[tuple[str, float]]:
    beats: list[tuple[str, float]] = [(ADVANCE, ADVANCE_EVERY_S), (SEND, SEND_EVERY_S), (SEAL, SEAL_EVERY_S)]
    beats.append((ALERT, ALERT_EVERY_S))
    if tells_changes(hub):
        beats.append((ERP_CHANGES, ERP_CHANGES_EVERY_S))
    for slug in syncing.channels_live(hub):
        beats += [(pull_job(slug, stream.name), stream.every_s) for stream in syncing.streams(hub, slug)]
        beats += [(refetch_job(slug), REFETCH_EVERY_S), (_sweep_job(slug), SWEEP_EVERY_S)]
        if hub.settings.public_url is not None:
            beats.append((_subscribe_job(slug), SUBSCRIBE_EVERY_S))
    return beats


def pull_job(slug: str, stream: str) -> str:
    return f"pull {slug} {stream}"


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


def _send(hub: Hub) -> None:
    send_all(hub)


def _seal(hub: Hub) -> None:
    make_roots(hub)


def _alert(hub: Hub) -> None:
    alert(hub)


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
