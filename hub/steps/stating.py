"""The channel's side of a reconciliation: its export from files, or read anew from it, beside its own count."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.errors import Misconfigured
from hub.flow.match import month_of, window
from hub.model.statement import ChannelRow, Subject
from hub.ports import StatesFromFile, StatesPeriod, Unreadable
from hub.steps.hub import Hub

UNREAD_NAMED: Final = 20


@dataclass(slots=True)
class Stated:
    """What channels state of a period."""

    channels: set[str]  # those compared, by slug
    given: bool  # whether any of them stated anything
    rows: list[ChannelRow] = field(default_factory=list)
    complete: bool = False  # every one of them was read whole, and agrees with its own count
    unread: int = 0
    said: list[str] = field(default_factory=list)  # what a person should know, a line each

    def add_unread(self, where: str, one: Unreadable) -> None:
        self.unread += 1
        if self.unread <= UNREAD_NAMED:
            self.said.append(f"{where}: {one.problem.path}: {one.problem.message}")

    def close(self) -> None:
        """No more is read.

        Raises:
            Misconfigured: there was something to read, and nothing of it could be.
        """
        if self.unread > UNREAD_NAMED:
            self.said.append(f"and {self.unread - UNREAD_NAMED} more that could not be read")
        if self.unread and not self.rows:
            raise Misconfigured("\n".join(["reconcile: nothing of the channel's statement could be read", *self.said]))
        self.complete = self.complete and not self.unread


def state(hub: Hub, period: str, slug: str | None, files: list[Path]) -> Stated:
    """What the channels state: from these files, else read anew from every channel that can be asked.

    Args:
        slug: only this channel; None: all of them.

    Raises:
        Misconfigured: a file cannot be read, it is not said whose it is, or of several channels only some state.
    """
    if files:
        return _from_files(hub, slug, files)
    slugs = [hub.settings.channel(slug).slug] if slug else [channel.slug for channel in hub.settings.channels]
    live = [one for one in slugs if isinstance(hub.connector(one), StatesPeriod)]
    if not live:
        return Stated(set(slugs), given=False)
    if silent := sorted(set(slugs) - set(live)):
        raise Misconfigured(
            f"reconcile: {', '.join(silent)} cannot be asked for a statement: reconcile each channel by itself, "
            "with --channel, and those with --channel-statement"
        )
    stated = Stated(set(slugs), given=True, complete=True)
    for one in live:
        _ask(hub, period, one, stated)
    stated.close()
    return stated


def _ask(hub: Hub, period: str, slug: str, stated: Stated) -> None:
    connector = hub.connector(slug)
    assert isinstance(connector, StatesPeriod)  # noqa: S101  chosen for it
    first, last = month_of(period)
    placed: set[str] = set()
    for one in connector.statement(*window(period)):
        if isinstance(one, Unreadable):
            stated.add_unread(slug, one)
            continue
        stated.rows.append(one)
        if one.row.subject is Subject.ORDER and first <= one.row.date <= last:
            placed.add(one.row.order)
    _compare_count(slug, connector, first, last, len(placed), stated)


def _compare_count(
    slug: str, connector: StatesPeriod, first: datetime.date, last: datetime.date, read: int, stated: Stated
) -> None:
    """What was read is as much as the channel itself counts; a difference is said, and the run is not complete."""
    count = connector.count(first, last)
    if not count.exact:
        stated.complete = False
        stated.said.append(f"{slug}: counts its orders only roughly (at least {count.orders}), {read} were read")
    elif count.orders != read:
        stated.complete = False
        stated.said.append(f"{slug}: counts {count.orders} orders of the month, {read} were read")


def _from_files(hub: Hub, slug: str | None, files: list[Path]) -> Stated:
    if slug is None and len(hub.settings.channels) > 1:
        slugs = ", ".join(channel.slug for channel in hub.settings.channels)
        raise Misconfigured(f"reconcile: of which channel is the statement? name it with --channel: {slugs}")
    channel = hub.settings.channel(slug) if slug else hub.settings.channels[0]
    connector = hub.connector(channel.slug)
    if not isinstance(connector, StatesFromFile):
        raise Misconfigured(f"channel {channel.slug}: its connector reads no statement from a file")
    stated = Stated({channel.slug}, given=True, complete=True)
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}") from None
        for one in connector.statement_from_file(content):
            if isinstance(one, Unreadable):
                stated.add_unread(str(path), one)
            else:
                stated.rows.append(one)
    stated.close()
    return stated
