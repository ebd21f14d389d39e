"""How the hub stands, in figures to watch it by; a store that is down is one of them and ends nothing."""

import logging
import shutil
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hub.ports import Accepts
from hub.settings import longest_wait_s
from hub.steps import syncing, turns
from hub.steps.erp_changes import CHANGES, EVERY_S, JOB
from hub.steps.hub import Hub
from hub.store.views import gauges
from hub.store.views.completeness import Checked, last_checks
from hub.store.views.gauges import HubGauges, InboxGauges, Loss

log = logging.getLogger(__name__)

DISK_FREE_BYTES_MIN: Final = 256 * 1024 * 1024
"""With less the hub says of itself that it is not ready: a full disk takes no webhook."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was found at a moment; None: its store did not answer."""

    at: datetime
    inbox: InboxGauges | None
    hub: HubGauges | None
    losses: dict[str, Loss] | None  # by channel that is to send webhooks
    beats_s: dict[tuple[str, str], float]  # how often each (channel, stream) is to be pulled
    disk_free_bytes: int | None
    checks: tuple[Checked, ...] = ()  # the last that the clock asked for, a channel each
    never_read: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Streams of which nothing was ever read, and since when they were to be."""


def measured(hub: Hub) -> Measures:
    """How the hub stands now."""
    now = hub.clock()
    slugs = [channel.slug for channel in hub.settings.channels]
    inbox: InboxGauges | None = None
    orders: HubGauges | None = None
    lost: dict[str, Loss] | None = None
    checks: tuple[Checked, ...] = ()
    unread: dict[tuple[str, str], datetime] = {}
    try:
        inbox = gauges.inbox_gauges(hub.inbox, [*slugs, hub.settings.erp.slug])
    except (SQLAlchemyError, sqlite3.Error) as fault:
        log.warning("measure.inbox_down", extra={"fault": fault})
    try:
        orders = gauges.hub_gauges(hub.store, now, hub.settings.slots())
        lost = _losses(hub, now) if inbox is not None else None
        checks = tuple(last_checks(hub.store, slugs, scheduled=True))
        unread = _never_read(hub, inbox) if inbox is not None else {}
    except (SQLAlchemyError, sqlite3.Error) as fault:
        log.warning("measure.store_down", extra={"fault": fault})
        orders = lost = None
    known = {*unread, *((one.channel, one.stream) for one in inbox.cursors)} if inbox is not None else set(unread)
    return Measures(
        now, inbox, orders, lost, _beats(hub, now, known), disk_free_bytes(hub.settings.home), checks, unread
    )


def disk_free_bytes(home: Path) -> int | None:
    """Room where the hub keeps its files; None: it cannot be seen."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None


def _beats(hub: Hub, now: datetime, known: Collection[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """How often each stream is to be read; the ERP's, which is not asked, where it is known that it has one."""
    beats = {}
    for slug in syncing.channels_live(hub):
        channel = hub.settings.channel(slug)
        for one in syncing.streams(hub, slug):
            beats[slug, one.name] = longest_wait_s(channel.every.get(one.name, one.every_s), channel.timezone, now)
    erp, zone = hub.settings.erp, hub.settings.entities[0].timezone
    if (erp.slug, CHANGES) in known:
        beats[erp.slug, CHANGES] = longest_wait_s(erp.every.get(CHANGES, EVERY_S), zone, now)
    return beats


def _never_read(hub: Hub, inbox: InboxGauges) -> dict[tuple[str, str], datetime]:
    read = {(one.channel, one.stream) for one in inbox.cursors}
    slugs = syncing.channels_live(hub)
    jobs = {(slug, one.name): syncing.pull_job(slug, one.name) for slug in slugs for one in syncing.streams(hub, slug)}
    jobs[hub.settings.erp.slug, CHANGES] = JOB
    known = turns.standing(hub)
    return {
        of: since
        for of, job in jobs.items()
        if of not in read and job in known and (since := known[job].known_at) is not None
    }


def _losses(hub: Hub, now: datetime) -> dict[str, Loss]:
    """Of channels that were told where to send their webhooks, or sent some."""
    found = gauges.losses(hub.inbox, hub.store, now)
    subscribed = {
        channel.slug
        for channel in hub.settings.channels
        if hub.settings.public_url is not None and isinstance(hub.connector(channel.slug), Accepts)
    }
    return {slug: loss for slug, loss in found.items() if slug in subscribed or len(loss.missed) < loss.expected}
