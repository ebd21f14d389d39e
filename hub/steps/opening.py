"""The hub opened for a door and closed again; what is wrong with it said in words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hub.books.faults import Faulty
from hub.errors import HubError, Misconfigured, Retryable
from hub.logs import fault_of, without_login
from hub.model.problems import Problem
from hub.ports import Checks, ChecksSetup, Looked
from hub.settings import Settings
from hub.steps.hub import Clock, Hub, open_hub
from hub.steps.in_use import in_use
from hub.steps.measuring import DISK_FREE_BYTES_MIN, disk_free_bytes
from hub.store.views import backlog, gauges

BUSY_S: Final = 5
ERP: Final = "erp"
"""Asks for the ERP where no channel is called so."""


@contextmanager
def opened(settings: Settings, clock: Clock) -> Iterator[Hub]:
    """The hub while the block runs; every connection is closed after it.

    Raises:
        Misconfigured: the home or a database cannot be used.
    """
    hub: Hub | None = None
    try:
        hub = open_hub(settings, clock)
        yield hub
    except (DBAPIError, sqlite3.Error) as fault:
        words = " ".join(without_login(str(fault.orig if isinstance(fault, DBAPIError) else fault)).split())
        raise Misconfigured(f"the store under {settings.home} cannot be used: {words}; {_remedy(words)}") from fault
    except SQLAlchemyError as fault:
        raise Misconfigured(f"the store under {settings.home} cannot be used: {without_login(str(fault))}") from fault
    except Faulty as fault:
        raise Misconfigured(f"chart or policies: {fault}; see orderhub check") from fault
    except OSError as fault:
        if isinstance(fault, BrokenPipeError) or fault.filename is None:
            raise
        raise Misconfigured(f"{fault.filename}: {fault.strerror}; check --home and its permissions") from fault
    finally:
        if hub is not None:
            _close(hub)


def store_fault(fault: Exception) -> HubError | None:
    """What a fault of the store is for who asks at a door that stays open; None: it is none of the store's."""
    if isinstance(fault, SQLAlchemyError | sqlite3.Error):
        return Retryable("the store could not be used now", BUSY_S)
    return None


@dataclass(frozen=True, slots=True)
class Version:
    part: str
    version: str


def versions(hub: Hub) -> list[Version]:
    """What the stores are at; opening them has brought them up to date, the ERP's own among them."""
    found = [
        Version("hub", backlog.version(hub.store, "hub") or "none"),
        Version("inbox", backlog.version(hub.inbox, "inbox") or "none"),
    ]
    _ = hub.erp
    return found


def dependencies(hub: Hub) -> dict[str, str | None]:
    """What the hub needs to take in and to decide, each with what is wrong with it; None: it is well.

    A far side that is away is not among them: what comes in is kept until it is back. The words name no address, user
    or value: who asks may be anybody.
    """
    return {name: _told_of(look) for name, look in _needs(hub)}


def far_sides(hub: Hub) -> dict[str, str | None]:
    """The targets that nothing is sent to now, each with why; None: it is sent to."""
    try:
        found = gauges.hub_gauges(hub.store, hub.clock(), hub.settings.slots()).targets
    except (SQLAlchemyError, sqlite3.Error):
        return {}
    return {f"target {one.target}": f"paused: {one.paused}" if one.paused else None for one in found}


def _told_of(look: Callable[[], Any]) -> str | None:
    try:
        look()
    except (SQLAlchemyError, sqlite3.Error) as fault:
        return f"it does not answer ({type(fault).__name__}): see orderhub check"
    except (HubError, ValueError, LookupError, OSError) as fault:
        return fault_of(fault)
    return None


def _room(hub: Hub) -> None:
    free = disk_free_bytes(hub.settings.home)
    if free is not None and free < DISK_FREE_BYTES_MIN:
        raise Misconfigured(f"{free // 2**20} MB are left, less than {DISK_FREE_BYTES_MIN // 2**20}: free some space")


def _needs(hub: Hub) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "hub store", lambda: backlog.version(hub.store, "hub")
    yield "inbox", lambda: backlog.version(hub.inbox, "inbox")
    yield "disk", lambda: _room(hub)
    yield f"erp {hub.settings.erp.slug}", lambda: hub.erp
    for channel in hub.settings.channels:
        yield f"channel {channel.slug}", lambda slug=channel.slug: hub.channel(slug)  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was tried; `fault` None: it is well."""

    what: str
    fault: str | None
    note: str | None = None  # what could not be seen, or is for a person to judge


def check(settings: Settings, clock: Clock, asked: str | None = None) -> list[Checked]:
    """Stores, reference data, channels and ERP, each tried by itself so that all faults show at once.

    Args:
        asked: the slug of a channel whose far side is asked too: credentials, scopes, access, version. ERP, or the
            ERP's slug: the ERP is walked through as by one who sets it up.
    """
    found: list[Checked] = []
    try:
        with opened(settings, clock) as hub:
            found.append(Checked("stores", None))
            for what, look in _looks(hub):
                found.append(Checked(what, _fault(look)))
            if asked is not None:
                found += _asked_erp(hub) if _is_erp(hub, asked) else _asked(hub, asked)
    except HubError as error:
        found.append(Checked("stores", str(error)))
    return found


def _is_erp(hub: Hub, asked: str) -> bool:
    slugs = {channel.slug for channel in hub.settings.channels}
    return asked not in slugs and asked in (ERP, hub.settings.erp.slug)


def _asked_erp(hub: Hub) -> list[Checked]:
    """What is missing in the ERP of what the hub would name."""
    slug = hub.settings.erp.slug
    looked: list[Looked] = []

    def walk() -> None:
        if isinstance(hub.erp, ChecksSetup):
            looked.extend(hub.erp.check_setup(in_use(hub)))

    fault = _fault(walk)
    found: list[Checked] = []
    for one in looked:
        what = f"erp {slug}: {one.what}"
        found += [Checked(f"{what}: {problem.path}", problem.message, one.note) for problem in one.problems] or [
            Checked(what, None, one.note)
        ]
    if fault is not None:
        found.append(Checked(f"erp {slug}: access", fault))
    return found or [Checked(f"erp {slug}: set-up", None, "nothing to ask: it needs none")]


def _asked(hub: Hub, slug: str) -> list[Checked]:
    """What the channel itself says is wrong."""
    problems: list[Problem] = []
    connector = hub.connector(slug)
    if not isinstance(connector, Checks):
        return [Checked(f"channel {slug}: access", "nothing to ask: set its address in hub.yaml")]
    if (fault := _fault(lambda: problems.extend(connector.check()))) is not None:
        return [Checked(f"channel {slug}: access", fault)]
    return [Checked(f"channel {slug}: {one.path}", one.message) for one in problems] or [
        Checked(f"channel {slug}: access", None)
    ]


def _looks(hub: Hub) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "rates", lambda: hub.rates
    yield "crosswalks", lambda: hub._seeds
    for channel in hub.settings.channels:
        slug = channel.slug
        yield f"channel {slug}: plugin, chart, policies, items", lambda slug=slug: hub.channel(slug)  # type: ignore[misc]
    yield f"erp {hub.settings.erp.slug}", lambda: hub.erp
    mail, called = hub.settings.alerts.mail, hub.settings.alerts.webhook
    for what, variable in (("mail", mail.password if mail else None), ("webhook", called.secret if called else None)):
        if variable is not None:
            named, need = variable, f"alerts are told by {what} with it"
            yield f"alerts: {what}", lambda named=named, need=need: hub.settings.variable(named, need)  # type: ignore[misc]


def _fault(look: Callable[[], Any]) -> str | None:
    try:
        look()
    except (HubError, ValueError, LookupError, OSError, SQLAlchemyError) as fault:
        return without_login(str(fault)) or type(fault).__name__
    return None


def _remedy(words: str) -> str:
    if "locked" in words:
        return "another process holds it: wait for that one, then run the command again"
    if "not a database" in words or "malformed" in words:
        return "the file is damaged or no database: restore it from a backup, or name another --home"
    if "full" in words:
        return "free some space; nothing that was captured is lost"
    if "no such table" in words or "no such column" in words or "does not exist" in words:
        return (
            "it was made by a version from before the first release, which orderhub migrate does not bring up to date: "
            "name another --home and bring the records in again, or go on with that version"
        )
    return "check --home, its permissions, and ORDERHUB_DATABASE_URL where that is set"


def _close(hub: Hub) -> None:
    close = getattr(vars(hub).get("erp"), "close_connections", None)
    if close is not None:
        close()
    for opened in hub._channels.values():
        close = getattr(opened.connector, "close", None)
        if close is not None:
            close()
    hub.store.dispose()
    hub.inbox.dispose()
