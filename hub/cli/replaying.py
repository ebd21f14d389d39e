"""replay: what changed mappings or crosswalks would change, in money; writes nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, monies, now, say, table
from hub.model.crosswalk import CrosswalkKind

DAYS = 30
EXAMPLES_SHOWN = 10


def register(app: typer.Typer) -> None:
    @command(app, "replay")
    def replay(
        door: Door,
        since: Annotated[
            datetime | None, typer.Option("--since", help="Orders placed since then. [30 days ago]")
        ] = None,
        crosswalk: Annotated[
            Path | None,
            typer.Option("--crosswalk", help="CSV of rows as if they were set: source,target[,channel,from]."),
        ] = None,
        kind: Annotated[CrosswalkKind, typer.Option("--kind", help="What the rows map.")] = CrosswalkKind.ITEM,
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's orders.")] = None,
    ) -> None:
        """Shows what today's mappings, or the rows of a file, would change: orders, accounts, tax, with examples."""
        from hub.steps.crosswalks import proposed
        from hub.steps.replaying import preview

        begin = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
        with door.hub() as hub:
            if channel is not None:
                hub.settings.channel(channel)
            rows = proposed(hub, kind, crosswalk, unlisted=True) if crosswalk else []
            answer = preview(hub, begin or now() - timedelta(days=DAYS), rows, channel).as_json()
        show_preview(door, answer)


DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show, in money, what it would change.")]


def show_preview(door: Door, answer: dict[str, Any]) -> None:
    """What a change would do, in money."""
    door.show(answer, *_tables(answer))
    say("nothing was written" if answer["changed"] else "nothing would change, and nothing was written")


def _tables(answer: dict[str, Any]) -> list[Table]:
    head = table(None, "what", "how many", "", right=("how many",))
    head.add_row("orders looked at", str(answer["orders"]), "")
    head.add_row("orders that would change", str(answer["changed"]), monies(answer["sales_minor"]))
    head.add_row("orders released", str(answer["released"]), monies(answer["released_minor"]))
    head.add_row("orders held anew", str(sum(answer["held"].values())), ", ".join(answer["held"]))
    head.add_row("tax", "", monies(answer["tax_minor"]))
    documents = ", ".join(f"{count} {action}" for action, count in sorted(answer["documents"].items()))
    head.add_row(*cells("documents", sum(answer["documents"].values()), documents))
    tables = [head]
    if answer["accounts"]:
        accounts = table("\nAccounts", "account", "debit", "credit", right=("debit", "credit"))
        for row in answer["accounts"]:
            minor, currency = row["delta_minor"], row["currency"]
            sides = (money(max(minor, 0) or None, currency), money(max(-minor, 0) or None, currency))
            accounts.add_row(*cells(row["account"], *sides))
        tables.append(accounts)
    if answer["examples"]:
        examples = table("\nExamples", "order", "document", "action", "before", "after", right=("before", "after"))
        for example in answer["examples"][:EXAMPLES_SHOWN]:
            for one in example["documents"]:
                before, after = (money(one[name], example["currency"]) for name in ("before_minor", "after_minor"))
                examples.add_row(*cells(example["name"], one["document"], one["action"], before, after))
        tables.append(examples)
    return tables
