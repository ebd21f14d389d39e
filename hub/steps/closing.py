"""The close of a period: the three sides read anew, compared, and left as a run."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection

from hub.errors import Misconfigured
from hub.flow.match import window
from hub.model.documents import DocumentKey
from hub.model.order import OrderKey
from hub.model.reconciliation import Reconciliation, Signed, TimelineItem, Waiting
from hub.model.statement import ErpRow
from hub.ports import StatesDocuments
from hub.steps import reconcile as runs
from hub.steps.adopting import stored_links
from hub.steps.cutoff import cutoff
from hub.steps.expected import expected_rows
from hub.steps.expected_books import books_of
from hub.steps.hub import Hub
from hub.steps.roots import make_roots
from hub.steps.showing import RUNS
from hub.steps.stating import state
from hub.store import signoffs
from hub.store.schema import moment
from hub.store.views import exceptions, orders


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
        statements: the channel's own export, in one file or several; none: the channels are asked, as far as they can
            be; where none can, only hub and ERP are compared.
        slug: the channel to reconcile; None: all of them, or the only one where a statement is given.
        tell: is handed what a person should know of the statements, a line each.

    Raises:
        Misconfigured: a file or all that was given cannot be read, the channel or ERP states nothing, or a statement is
            given and there are several channels that it may be of.
    """
    if from_run is not None:
        return runs.rerun(from_run)
    first, last = window(period)
    stated = state(hub, period, slug, statements)
    for line in stated.said:
        tell(line)
    only = stated.channels
    erp = hub.erp
    if not isinstance(erp, StatesDocuments):
        raise Misconfigured(f"erp {hub.settings.erp.slug}: it gives no statement to reconcile with")
    event_chain = make_roots(hub)
    cut = cutoff(hub, period, only)
    with hub.store.connect() as connection, hub.store.connect() as beside:
        signed = signoffs.standing(connection, period)
        links = stored_links(erp, connection)
        return runs.run(
            _folder(hub, period),
            period,
            channel=stated.rows if stated.given else None,
            hub=(row for row in expected_rows(hub, connection, first, last) if row.row.channel in only),
            erp=(row for row in _with_links(erp, links, first, last) if row.row.channel in only or not row.row.channel),
            versions=_versions(hub, sorted(only)[0], connection),
            complete=stated.complete,
            timelines=lambda order: list(_timeline(hub, order)),
            signed=_signed_run(hub, signed, tell) if signed else None,
            cutoff=cut,
            waiting=_waiting(hub),
            event_chain=event_chain,
            books=books_of(hub, beside, period, links),
        )


def _with_links(
    erp: StatesDocuments, links: Mapping[str, DocumentKey], first: datetime.date, last: datetime.date
) -> Iterator[ErpRow]:
    for row in erp.statement(first, last):
        yield replace(row, key=links[row.ref]) if row.ref in links else row


def _versions(hub: Hub, slug: str, connection: Connection) -> dict[str, str]:
    opened = hub.channel(slug)
    return {
        "orderhub": version("orderhub"),
        "chart": opened.chart.version,
        "policies": opened.policy_version,
        "crosswalks": hub.crosswalks(slug, connection).version,
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


def _signed_run(hub: Hub, signed: Signed, tell: Callable[[str], None]) -> tuple[Signed, Path] | None:
    folder = hub.settings.home / RUNS / signed.run
    if not (folder / runs.MANIFEST).is_file():
        tell(f"{signed.run}, which {signed.by} signed, is gone: what changed since cannot be told")
        return None
    return signed, folder


def _waiting(hub: Hub) -> list[Waiting]:
    return [
        Waiting(group.fingerprint, group.orders, group.held_minor, moment(group.oldest), group.remedy, group.assignee)
        for group in exceptions.groups(hub.store)
    ]


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
