"""orders list|show|timeline: claimed and computed, documents, events, in one look."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, moment, money, table
from hub.steps.showing import OrderSight, show_order, timeline
from hub.store.views import orders
from hub.store.views.orders import OrderRow

Name = Annotated[str, typer.Argument(metavar="ID", help="The channel's order id, CHANNEL/ID, or the order's name.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Orders: claimed and computed, documents, events, in one look.", no_args_is_help=True)
    app.add_typer(group, name="orders")

    @command(group, "list")
    def list_(
        door: Door,
        held: Annotated[bool, typer.Option("--held", help="Only orders that are held.")] = False,
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=orders.LIST_MAX)] = 50,
    ) -> None:
        """The orders placed last, the newest first."""
        with door.hub() as hub:
            if channel is not None:
                hub.settings.channel(channel)
            rows = orders.listed(hub.store, held=held, channel=channel, limit=limit)
        shown = table(
            None, "order", "name", "placed", "status", "claimed", "computed", "holds",
            right=("claimed", "computed", "holds"), whole=("order", "placed"),
        )  # fmt: skip
        for row in rows:
            claimed, computed = money(row.claimed_minor, row.currency), money(row.computed_minor, row.currency)
            placed = moment(row.placed_at)[:10]
            holds = row.holds or None
            shown.add_row(
                *cells(f"{row.channel}/{row.order}", row.name, placed, _status(row), claimed, computed, holds)
            )
        door.show({"orders": [asdict(row) for row in rows]}, shown)

    @command(group, "show")
    def show(door: Door, name: Name) -> None:
        """One order: totals, lines by quantity, the four stages, documents, events and holds."""
        with door.hub() as hub:
            sight = show_order(hub, name)
        door.show(sight.as_json(), *_tables(sight))

    @command(group, "timeline")
    def timeline_(door: Door, name: Name) -> None:
        """All that happened to the order, in the channel, here and in the ERP, oldest first."""
        with door.hub() as hub:
            row, happened = timeline(hub, name)
        shown = table(
            f"{row.channel}/{row.order}  {row.name or ''}", "when", "what", "amount", "detail", right=("amount",)
        )
        for one in happened:
            shown.add_row(*cells(moment(one.at), one.what, money(one.amount_minor, row.currency), one.detail))
        answer = {"channel": row.channel, "order": row.order, "timeline": [asdict(one) for one in happened]}
        door.show(answer, shown)


def _status(row: OrderRow) -> str:
    words = [row.commercial] if row.posting in ("posted", "stub") else [row.commercial, row.posting]
    return ", ".join([*words, row.financial, row.fulfilment]) if row.posting != "stub" else row.commercial


def _tables(sight: OrderSight) -> list[Table]:
    found = [_head(sight)]
    if sight.holds or sight.releases:
        holds = table("\nHolds and exceptions", "cause", "since", "message", "what to do")
        for hold in sight.holds:
            holds.add_row(*cells(hold.code, moment(hold.opened_at), hold.message, hold.remedy))
        for release in sight.releases:
            holds.add_row(*cells(release.code, moment(release.released_at), f"released by {release.released_by}", ""))
        found.append(holds)
    found += [shown for shown in (_lines(sight), _documents(sight), _events(sight)) if shown.row_count]
    return found


def _lines(sight: OrderSight) -> Table:
    """Only the quantities that any line has, so that the table stays narrow."""
    figures = [
        (
            ("ordered", line.ordered),
            ("removed", line.removed),
            ("cancelled", line.cancelled),
            ("allocated", line.allocated),
            ("backordered", line.backordered),
            ("picked", line.picked),
            ("shipped", line.shipped),
            ("delivered", line.delivered),
            ("refunded", line.credited),
            ("returned", line.returned),
            ("open", line.open),
        )
        for line in sight.lines
    ]
    counts = [name for at, (name, _) in enumerate(figures[0]) if any(row[at][1] for row in figures)] if figures else []
    lines = table("\nLines", "sku", "title", "net", *counts, right=("net", *counts), whole=("sku",))
    for line, row in zip(sight.lines, figures, strict=True):
        plain = [figure or "-" for name, figure in row if name in counts]
        skus = [one.value for one in line.references if one.kind == "sku" and one.value != line.sku]
        sku = f"{line.sku} (also {', '.join(skus)})" if skus else line.sku
        lines.add_row(*cells(sku, line.title, money(line.net_minor, sight.row.currency), *plain))
    return lines


def _documents(sight: OrderSight) -> Table:
    columns = ("document", "date", "total", "state", "ref", "read back")
    documents = table("\nDocuments", *columns, right=("total", "read back"), whole=("document", "date", "state", "ref"))
    for one in sight.documents:
        action = one.action if one.action != "create" else None
        state = " ".join(x for x in (action, one.state, one.code, one.field) if x)
        back = "same" if one.matches else money(one.readback_total_minor, one.currency)
        total = money(one.total_minor, one.currency)
        ref = " ".join((one.ref or "", *one.tracking)).strip() or None
        documents.add_row(*cells(one.document, one.date, total, state, ref, back))
    return documents


def _events(sight: OrderSight) -> Table:
    events = table("\nEvents", "when", "what", "amount", "of", right=("amount",))
    for event in sight.events:
        amount = money(event.amount_minor, sight.row.currency) if event.amount_minor else None
        events.add_row(*cells(moment(event.occurred_at), event.kind, amount, f"{event.fact_kind} {event.fact_id}"))
    return events


def _head(sight: OrderSight) -> Table:
    row, currency, stages = sight.row, sight.row.currency, sight.stages
    head = table(clean_title(row), "", "")
    head.show_header = False
    gap = f"  gap {money(sight.identity_gap_minor, currency)}" if sight.identity_gap_minor else ""
    facts = {
        "status": _status(row),
        "claimed": money(row.claimed_minor, currency),
        "computed": money(row.computed_minor, currency) + gap,
        "captured": money(row.captured_minor, currency),
        "refunded": money(row.refunded_minor, currency),
        "placement": moment(stages.placed_at),
        "processing": moment(stages.processing_at),
        "shipping": moment(stages.shipped_at),
        "post-sale": moment(stages.post_sale_at),
        "ship by": moment(stages.promised_ship_by),
        "deliver by": moment(stages.promised_delivery_by),
        "records": ", ".join(str(record.record) for record in sight.records),
        "problems": "; ".join(f"{problem.path}: {problem.message}" for problem in sight.problems),
    }
    for name, value in facts.items():
        if value or name in ("processing", "shipping"):
            head.add_row(*cells(name, value or "not yet"))
    return head


def clean_title(row: OrderRow) -> str:
    return " ".join(cells(f"{row.channel}/{row.order}", row.name))
