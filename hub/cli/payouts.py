"""payouts list|show|import|clearing: what payment providers paid out, of what, and what is still with them."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.door import Door, cells, command, moment, money, say, table
from hub.cli.importing import sent_words
from hub.model.payouts import PayoutState
from hub.steps import clearing as steps
from hub.steps.advance import advance_all
from hub.steps.answers import clearing_answer, payout_answer, sent_answer
from hub.steps.payouts import show_payout
from hub.steps.send import send_all
from hub.steps.settlement_files import capture_report
from hub.store.views import payouts


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Payouts of payment providers, and what is still with them.", no_args_is_help=True)
    app.add_typer(group, name="payouts")

    @command(group, "list")
    def list_(
        door: Door,
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's.")] = None,
        state: Annotated[PayoutState | None, typer.Option("--state", help="Only those that came to this.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=payouts.LIST_MAX)] = 50,
    ) -> None:
        """The payouts, the newest first, and what is in none yet."""
        with door.hub() as hub:
            rows = payouts.listed(hub.store, channel=channel, state=state, limit=limit)
            pending = payouts.pending(hub.store)
        shown = table(None, "payout", "on", "amount", "status", "state", right=("amount",), whole=("payout", "on"))
        for row in rows:
            amount = money(row.amount_minor, row.currency)
            shown.add_row(*cells(f"{row.channel}/{row.payout}", row.on, amount, row.status or "unknown", row.state))
        for one in pending:
            of = f"{one.channel}: {one.lines} lines of {one.method}"
            shown.add_row(*cells(of, None, money(one.net_minor, one.currency), None, "in no payout yet"))
        answer = {"payouts": [asdict(row) for row in rows], "pending": [asdict(one) for one in pending]}
        door.show(answer, shown)

    @command(group, "show")
    def show(
        door: Door, name: Annotated[str, typer.Argument(metavar="ID", help="The channel's payout id, or CHANNEL/ID.")]
    ) -> None:
        """One payout: opening balance, lines by kind, what it pays, its document, and what is open."""
        with door.hub() as hub:
            found = show_payout(hub, name)
        row = found.sight.row
        lines = table(
            f"{row.channel}/{row.payout}  {row.on or ''}  {row.status or 'only lines of it are known'}, {row.state}",
            "", "lines", "amount", "fee", "net", right=("lines", "amount", "fee", "net"),
        )  # fmt: skip
        lines.add_row(*cells("opening balance", None, None, None, money(row.opening_minor or 0, row.currency)))
        for line in found.sight.lines:
            amounts = (line.amount_minor, line.fee_minor, line.net_minor)
            words = line.kind.value if line.word == line.kind.value else f"{line.kind} ({line.word})"
            lines.add_row(*cells(words, line.count, *(money(minor, line.currency) for minor in amounts)))
        if row.closing_minor:
            lines.add_row(*cells("left for the next", None, None, None, money(-row.closing_minor, row.currency)))
        if found.sight.missing_minor:
            lines.add_row(*cells("missing", None, None, None, money(found.sight.missing_minor, row.currency)))
        lines.add_row(*cells("payout", None, None, None, money(row.amount_minor, row.currency)))
        documents = table("\nDocuments", "document", "date", "total", "state", "ref", right=("total",))
        for one in found.documents:
            total = money(one.total_minor, one.currency)
            documents.add_row(*cells(one.document, one.date, total, f"{one.action} {one.state}", one.ref))
        tasks = table("\nTo be seen to", "cause", "since", "message", "what to do")
        for task in found.tasks:
            tasks.add_row(*cells(task.fingerprint, moment(task.opened_at), task.message, task.remedy))
        door.show(payout_answer(found), lines, *(shown for shown in (documents, tasks) if shown.row_count))

    @command(group, "import")
    def import_(
        door: Door,
        channel: Annotated[str, typer.Argument(help="Whose orders were paid by this provider.")],
        file: Annotated[Path, typer.Argument(help="The provider's settlement report, a CSV.")],
        mapping: Annotated[str, typer.Option("--mapping", help="Its columns: a name under `settlements`.")],
    ) -> None:
        """Takes a payment provider's settlement report; its payouts are booked like a channel's own."""
        with door.hub() as hub:
            new = capture_report(hub, channel, file, mapping)
            advance_all(hub)
            sent = send_all(hub)
        door.show({"new": new, "sent": sent_answer(sent)})
        say(f"{'taken' if new else 'it was there before'}; {sent_words(sent)}")

    @command(group, "clearing")
    def clearing(
        door: Door,
        until: Annotated[
            datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day. [today]")
        ] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, help="Pieces shown in the table.")] = 50,
    ) -> None:
        """What payment providers still have of us: captures less refunds less payouts, and the rest piece by piece."""
        with door.hub() as hub:
            found = steps.clearing(hub, until.date() if until else None)
        door.show(clearing_answer(found), _totals(found), _pieces(found, limit))


def _totals(found: steps.Clearing) -> Any:
    columns = ("captures", "refunds", "payouts", "in clearing", "in the ERP")
    shown = table(f"Payment clearing on {found.until}", "entity", "method", *columns, right=columns)
    for one in found.totals:
        amounts = (one.captures_minor, -one.refunds_minor, -one.payouts_minor, one.balance_minor, one.erp_minor)
        shown.add_row(*cells(one.entity, one.method, *(money(minor, one.currency) for minor in amounts)))
    return shown


def _pieces(found: steps.Clearing, limit: int) -> Any:
    shown = table(
        "\nOf which",
        "order",
        "of",
        "payout",
        "since",
        "days",
        "why",
        "amount",
        right=("days", "amount"),
        whole=("order", "of", "since"),
    )
    for one in found.pieces[:limit]:
        order = f"{one.channel}/{one.order}" if one.order else one.channel
        amount = money(one.amount_minor, one.currency)
        why = one.why.replace("_", " ")
        shown.add_row(*cells(order, one.subject, one.payout, _iso(one.on), one.age_days, why, amount))
    if (more := len(found.pieces) - limit) > 0:
        shown.add_row(*cells(f"and {more} more", "", "", "", "", "", ""))
    return shown


def _iso(on: date) -> str:
    return on.isoformat()
