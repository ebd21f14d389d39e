"""The close of a period: the three sides read anew, compared, and left as a run."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hub.errors import Misconfigured
from hub.flow.match import window
from hub.model.order import OrderKey
from hub.model.reconciliation import Reconciliation, TimelineItem
from hub.model.statement import ChannelRow
from hub.ports import StatesDocuments, StatesFromFile, Unreadable
from hub.settings import Channel
from hub.steps import reconcile as runs
from hub.steps.expected import expected_rows
from hub.steps.hub import Hub
from hub.steps.roots import make_roots
from hub.steps.showing import RUNS
from hub.store import signoffs
from hub.store.schema import moment
from hub.store.views import exceptions, orders

UNREAD_NAMED: Final = 20


def reconcile(
    hub: Hub,
    period: str,
    statements: list[Path],
    from_run: Path | None = None,
    *,
    slug: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Reconciliation:
    """The period's reconciliation: an earlier run's folder as it lies there, or a new run under the home.

    Args:
        period: a month, `2026-05`.
        statements: the channel's own export, in one file or several; none: only hub and ERP are compared.
        slug: the channel to reconcile; None: all of them, or the only one where a statement is given.
        tell: is handed a line for each part of the statements that could not be read, at most UNREAD_NAMED.

    Raises:
        Misconfigured: a file or all that was given cannot be read, the channel or ERP states nothing, or a statement is
            given and there are several channels that it may be of.
    """
    if from_run is not None:
        return runs.rerun(from_run)
    try:
        first, last = window(period)
    except ValueError:
        raise Misconfigured(f"reconcile: {period!r} is not a month; write it like 2026-10") from None
    if statements and slug is None and len(hub.settings.channels) > 1:
        slugs = ", ".join(channel.slug for channel in hub.settings.channels)
        raise Misconfigured(f"reconcile: of which channel is the statement? name it with --channel: {slugs}")
    channel = hub.settings.channel(slug) if slug else hub.settings.channels[0]
    only = {channel.slug} if slug or statements else {one.slug for one in hub.settings.channels}
    channel_rows, unread = _channel_rows(hub, channel, statements)
    if unread.count and not channel_rows:
        raise Misconfigured("\n".join(["reconcile: nothing of the channel's statement could be read", *unread.lines()]))
    for line in unread.lines():
        tell(line)
    erp = hub.erp
    if not isinstance(erp, StatesDocuments):
        raise Misconfigured(f"erp {hub.settings.erp.slug}: it gives no statement to reconcile with")
    event_chain = make_roots(hub)
    with hub.store.connect() as connection:
        signed = signoffs.standing(connection, period)
        return runs.run(
            _folder(hub, period),
            period,
            channel=channel_rows if statements else None,
            hub=(row for row in expected_rows(hub, connection, first, last) if row.row.channel in only),
            erp=(row for row in erp.statement(first, last) if row.row.channel in only or not row.row.channel),
            versions=_versions(hub, channel, connection),
            complete=bool(statements) and not unread.count,
            timelines=lambda order: list(_timeline(hub, order)),
            signed=(signed, hub.settings.home / RUNS / signed.run) if signed else None,
            event_chain=event_chain,
        )


@dataclass(slots=True)
class _Unread:
    """Parts of the statements that could not be read; the first are kept by name."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, file: Path, one: Unreadable) -> None:
        self.count += 1
        if len(self.named) < UNREAD_NAMED:
            self.named.append(f"{file}: {one.problem.path}: {one.problem.message}")

    def lines(self) -> list[str]:
        more = self.count - len(self.named)
        return [*self.named, *([f"and {more} more that could not be read"] if more else [])]


def _channel_rows(hub: Hub, channel: Channel, statements: list[Path]) -> tuple[list[ChannelRow], _Unread]:
    unread = _Unread()
    if not statements:
        return [], unread
    connector = hub.connector(channel.slug)
    if not isinstance(connector, StatesFromFile):
        raise Misconfigured(f"channel {channel.slug}: its connector reads no statement from a file")
    rows: list[ChannelRow] = []
    for path in statements:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}") from None
        for one in connector.statement_from_file(content):
            if isinstance(one, Unreadable):
                unread.add(path, one)
            else:
                rows.append(one)
    return rows, unread


def _versions(hub: Hub, channel: Channel, connection: Connection) -> dict[str, str]:
    opened = hub.channel(channel.slug)
    return {
        "orderhub": version("orderhub"),
        "chart": opened.chart.version,
        "policies": opened.policy_version,
        "crosswalks": hub.crosswalks(channel.slug, connection).version,
    }


def _folder(hub: Hub, period: str) -> Path:
    """A folder of its own for each run, named for the period and the moment."""
    at = hub.clock().astimezone(datetime.UTC)
    wanted = hub.settings.home / RUNS / f"{period}-{at:%Y%m%dT%H%M%SZ}"
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _timeline(hub: Hub, name: str) -> Iterator[TimelineItem]:
    channel, _, order_id = name.partition("/")
    key = OrderKey(channel, order_id)
    items = [
        TimelineItem(moment(event.occurred_at), event.kind.replace("_", " "), event.fact_id)
        for event in orders.events(hub.store, key)
    ]
    for document in orders.documents(hub.store, key):
        at = document.settled_at or document.sent_at or document.decided_at
        what = f"{document.kind.replace('_', ' ')} {document.state}"
        items.append(TimelineItem(moment(at), what, document.document))
    for held in exceptions.opened(hub.store, order=key):
        items.append(TimelineItem(moment(held.opened_at), f"held: {held.code.replace('_', ' ')}", held.message))
    yield from sorted(items, key=lambda item: item.at)
