"""One order in one look: what was claimed and computed, its lines, stages, documents, events and holds."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hub.errors import Misconfigured, Missing
from hub.flow.fold import fold, winners
from hub.model.allocation import NOTHING_ALLOCATED, Allocation
from hub.model.facts import HandEdit
from hub.model.money import format_minor
from hub.model.order import OrderKey
from hub.model.problems import Problem
from hub.model.state import EventKind, OrderState, ReferenceKind
from hub.steps.answers import as_json
from hub.steps.hub import Hub
from hub.store import orders as stored
from hub.store import stock
from hub.store.schema import stamp
from hub.store.views import exceptions, orders
from hub.store.views.exceptions import OpenException
from hub.store.views.orders import DocumentRow, EventRow, OrderRow, RecordOfOrder, ReleaseRow

RUNS: Final = "runs"  # under the home, a folder a reconciliation
MANIFEST: Final = "manifest.json"
REPORT: Final = "report.json"
RENAMED: Final = {ReferenceKind.SKU.value: "sku_renamed", ReferenceKind.CHANNEL_LINE.value: "line_renumbered"}


@dataclass(frozen=True, slots=True)
class ReferenceSight:
    """The channel's line id or SKU for a line, from a moment on."""

    kind: str
    value: str
    valid_from: str


@dataclass(frozen=True, slots=True)
class LineSight:
    """One line with its quantities as the facts make them."""

    line: str
    kind: str
    sku: str | None
    title: str
    unit_price: str
    net_minor: int
    ordered: int
    removed: int
    cancelled: int
    allocated: int  # reserved in stock
    backordered: int  # no location has it
    picked: int
    shipped: int
    delivered: int
    credited: int
    returned: int
    open: int
    references: list[ReferenceSight]  # what the channel has called it, oldest first


@dataclass(frozen=True, slots=True)
class Stages:
    """The four stages, each with when it began; None: not yet. What was promised: the first deadline; None: nothing."""

    placed_at: datetime | None
    processing_at: datetime | None
    shipped_at: datetime | None
    post_sale_at: datetime | None
    promised_ship_by: datetime | None
    promised_delivery_by: datetime | None


@dataclass(frozen=True, slots=True)
class OrderSight:
    row: OrderRow
    identity_gap_minor: int
    stages: Stages
    lines: list[LineSight]
    problems: tuple[Problem, ...]
    documents: list[DocumentRow]
    events: list[EventRow]  # by when they occurred; `seq` is the order in which the hub learned of them
    holds: list[OpenException]
    releases: list[ReleaseRow]
    records: list[RecordOfOrder]

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = as_json(self)
        return found


def order_named(hub: Hub, name: str) -> OrderRow:
    """The one order that a person means by the channel's id, `channel/id`, or the order's name.

    Raises:
        Misconfigured: there is none, or several.
    """
    found = orders.named(hub.store, name)
    if not found:
        raise Missing(f"no order {name!r}: see orderhub orders list; a record may wait in orderhub records list")
    if len(found) > 1:
        raise Misconfigured(
            f"{name!r} is several orders: name one of {', '.join(f'{x.channel}/{x.order}' for x in found)}"
        )
    return found[0]


def show_order(hub: Hub, name: str) -> OrderSight:
    """The order as its facts fold now, with all that was decided on it.

    Raises:
        Misconfigured: there is no such order, or several.
    """
    row = order_named(hub, name)
    key = OrderKey(row.channel, row.order)
    state = _folded(hub, key)
    with hub.store.connect() as connection:
        allocation = stock.allocations(connection, [key]).get(key, NOTHING_ALLOCATED)
    return OrderSight(
        row=row,
        identity_gap_minor=state.identity_gap_minor,
        stages=Stages(
            placed_at=state.placed_at,
            processing_at=state.processing_at,
            shipped_at=state.shipped_at,
            post_sale_at=state.post_sale_at,
            promised_ship_by=state.promised_ship_by,
            promised_delivery_by=state.promised_delivery_by,
        ),
        lines=_lines(state, allocation),
        problems=state.problems,
        documents=orders.documents(hub.store, key),
        events=sorted(orders.events(hub.store, key), key=lambda event: (event.occurred_at, event.seq)),
        holds=exceptions.opened(hub.store, order=key),
        releases=orders.releases(hub.store, key),
        records=orders.records_of(hub.inbox, key),
    )


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing on an order's timeline."""

    at: str
    what: str
    detail: str
    amount_minor: int | None = None


def timeline(hub: Hub, name: str) -> tuple[OrderRow, list[Happening]]:
    """All that happened to the order, in the channel, here and in the ERP, oldest first.

    Raises:
        Misconfigured: there is no such order, or several.
    """
    sight = show_order(hub, name)
    found = [
        Happening(event.occurred_at, event.kind, f"{event.fact_kind} {event.fact_id}", event.amount_minor or None)
        for event in sight.events
    ]
    found = [
        replace(one, detail=_edit(hub, sight, one)) if one.what == EventKind.EDITED_IN_ERP else one for one in found
    ]
    for line in sight.lines:
        last: dict[str, ReferenceSight] = {}
        for one in line.references:
            if one.kind in last:
                detail = f"line {line.line}: {last[one.kind].value} is {one.value} from here on"
                found.append(Happening(one.valid_from, RENAMED[one.kind], detail))
            last[one.kind] = one
    for record in sight.records:
        found.append(Happening(record.received_at, "captured", f"record {record.record} by {record.source}"))
    for document in sight.documents:
        said = f"{document.action} {document.document}"
        found.append(Happening(document.decided_at, "decided", said, document.total_minor))
        if document.settled_at is not None:
            outcome = "posted" if document.state == "done" else document.state
            detail = " ".join(part for part in (said, document.ref, document.code, document.field) if part)
            found.append(Happening(document.settled_at, outcome, detail, document.readback_total_minor))
    for hold in sight.holds:
        found.append(Happening(hold.opened_at, "held", f"{hold.code}: {hold.message}", hold.amount_minor))
    for release in sight.releases:
        found.append(Happening(release.released_at, "released", f"{release.code} by {release.released_by}"))
    return sight.row, sorted(found, key=lambda one: one.at)


def _edit(hub: Hub, sight: OrderSight, edited: Happening) -> str:
    """What a person in the ERP left of a document, beside what was read back of it after our last write."""
    key = OrderKey(sight.row.channel, sight.row.order)
    with hub.store.connect() as connection:
        known = stored.load(connection, [key])
    for fact in known[key].facts if key in known else ():
        body = fact.body
        if isinstance(body, HandEdit) and stamp(fact.occurred_at) == edited.at:
            befores = [x.readback_total_minor for x in sight.documents if x.document == body.document]
            before = next((total for total in reversed(befores) if total is not None), None)
            parts = [body.document, f"by {body.by}" if body.by else "by hand"]
            if body.total is not None:
                was = (
                    "" if before is None or body.currency is None else f", {format_minor(before, body.currency)} before"
                )
                parts.append(f"total {abs(body.total)} {body.currency or ''}".rstrip() + was)
            if body.date is not None:
                parts.append(f"dated {body.date}")
            if body.memo:
                parts.append(f"memo {body.memo!r}")
            return ", ".join(parts)
    return edited.detail


def last_run(hub: Hub) -> str | None:
    """The folder of the reconciliation that ran last; None: none ran in this home."""
    manifests = list((hub.settings.home / RUNS).glob(f"*/{MANIFEST}"))
    if not manifests:
        return None
    return str(max(manifests, key=lambda path: path.stat().st_mtime_ns).parent)


def report_of(hub: Hub, run: str) -> dict[str, Any]:
    """What the run of that name said, as it stands in its folder.

    Raises:
        Missing: there is none, or its report cannot be read.
    """
    if run not in runs(hub):
        raise Missing(f"no run {run!r}: see the list of runs")
    try:
        found: dict[str, Any] = json.loads((hub.settings.home / RUNS / run / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Missing(f"the report of {run} cannot be read: reconcile --from makes it again") from None
    return found


def runs(hub: Hub) -> list[str]:
    """The names of the reconciliations in this home, the newest first."""
    manifests = (hub.settings.home / RUNS).glob(f"*/{MANIFEST}")
    return sorted((path.parent.name for path in manifests), reverse=True)


def _folded(hub: Hub, key: OrderKey) -> OrderState:
    with hub.store.connect() as connection:
        known = stored.load(connection, [key])
    return fold(key, winners(known[key].facts if key in known else ()))


def _lines(state: OrderState, allocation: Allocation) -> list[LineSight]:
    if state.snapshot is None:
        return []
    found = []
    for line in state.snapshot.lines:
        quantities = state.quantities[line.id]
        found.append(
            LineSight(
                line=line.id,
                kind=line.kind.value,
                sku=line.sku,
                title=line.title,
                unit_price=str(line.unit_price),
                net_minor=line.net_minor,
                ordered=quantities.ordered,
                removed=quantities.removed,
                cancelled=quantities.cancelled,
                allocated=allocation.allocated(line.id),
                backordered=allocation.backordered(line.id),
                picked=quantities.picked,
                shipped=quantities.shipped,
                delivered=quantities.delivered,
                credited=quantities.credited,
                returned=quantities.returned,
                open=quantities.open,
                references=[
                    ReferenceSight(one.kind.value, one.value, one.valid_from.isoformat())
                    for one in state.references_of(line)
                ],
            )
        )
    return found
