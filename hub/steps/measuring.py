"""How the hub stands, in figures to watch it by; a store that is down is one of them and ends nothing."""

import logging
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hub.ports import Accepts
from hub.steps import syncing
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


def measured(hub: Hub) -> Measures:
    """How the hub stands now."""
    now = hub.clock()
    slugs = [channel.slug for channel in hub.settings.channels]
    inbox: InboxGauges | None = None
    orders: HubGauges | None = None
    lost: dict[str, Loss] | None = None
    checks: tuple[Checked, ...] = ()
    try:
        inbox = gauges.inbox_gauges(hub.inbox, [*slugs, hub.settings.erp.slug])
    except (SQLAlchemyError, sqlite3.Error) as fault:
        log.warning("measure.inbox_down", extra={"fault": fault})
    try:
        orders = gauges.hub_gauges(hub.store, now, hub.settings.slots())
        lost = _losses(hub, now) if inbox is not None else None
        checks = tuple(last_checks(hub.store, slugs, scheduled=True))
    except (SQLAlchemyError, sqlite3.Error) as fault:
        log.warning("measure.store_down", extra={"fault": fault})
        orders = lost = None
    beats = {(slug, one.name): float(one.every_s) for slug in slugs for one in syncing.streams(hub, slug)}
    return Measures(now, inbox, orders, lost, beats, disk_free_bytes(hub.settings.home), checks)


def disk_free_bytes(home: Path) -> int | None:
    """Room where the hub keeps its files; None: it cannot be seen."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None


def _losses(hub: Hub, now: datetime) -> dict[str, Loss]:
    """Of channels that were told where to send their webhooks, or sent some."""
    found = gauges.losses(hub.inbox, hub.store, now)
    subscribed = {
        channel.slug
        for channel in hub.settings.channels
        if hub.settings.public_url is not None and isinstance(hub.connector(channel.slug), Accepts)
    }
    return {slug: loss for slug, loss in found.items() if slug in subscribed or len(loss.missed) < loss.expected}
