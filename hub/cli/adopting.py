"""adopt: ERP documents that an older integration made stand for the hub's own."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, monies, say, table

ROWS_SHOWN: Final = 50  # of each list; JSON has them all


def register(app: typer.Typer) -> None:
    @command(app, "adopt")
    def adopt_(
        door: Door,
        channel: Annotated[str, typer.Argument(help="The channel's slug.")],
        since: Annotated[
            datetime | None, typer.Option("--since", help="ERP documents dated since then. [92 days before --until]")
        ] = None,
        until: Annotated[
            datetime | None,
            typer.Option("--until", help="The last day that was the older integration's. [the day before go_live]"),
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be linked.")] = False,
        by: Annotated[str, typer.Option("--as", help="Who asks for it.")] = "operator",
    ) -> None:
        """Links ERP documents that an older integration made to the channel's orders: nothing is posted twice."""
        from hub.steps.adopting import adopt

        first, last = (None if day is None else day.date() for day in (since, until))
        with door.hub() as hub:
            answer = adopt(hub, channel, since=first, until=last, write=not dry_run, by=by).as_json()
        answer["dry_run"] = dry_run
        door.show(answer, *_tables(answer))
        say(_summary(answer))
        if answer["refused"]:
            raise typer.Exit(1)


def _tables(answer: dict[str, Any]) -> list[Table]:
    tables = []
    if answer["linked"]:
        linked = table(
            "Linked" if not answer["dry_run"] else "Would be linked",
            *("order", "document", "in the ERP", "planned", "has", "differs in"),
            right=("planned", "has"),
        )
        for one in answer["linked"][:ROWS_SHOWN]:
            amounts = (money(one[name], one["currency"]) for name in ("planned_minor", "erp_minor"))
            linked.add_row(*cells(one["name"], one["document"], one["ref"], *amounts, "; ".join(one["differences"])))
        tables.append(linked)
    if answer["unsure"] or answer["refused"]:
        unsure = table("\nFor a person", "in the ERP", "names", "amount", "why", "", right=("amount",))
        for one in answer["unsure"][:ROWS_SHOWN]:
            why, amount = one["doubt"].replace("_", " "), money(one["erp_minor"], one["currency"])
            unsure.add_row(*cells(one["ref"], one["reference"], amount, why, one["detail"] or ", ".join(one["orders"])))
        for one in answer["refused"][:ROWS_SHOWN]:
            amount = money(one["erp_minor"], one["currency"])
            unsure.add_row(*cells(one["ref"], one["name"], amount, one["code"], one["remedy"]))
        tables.append(unsure)
    for name, title in (("absent", "\nNot in the ERP, and left so"), ("posts", "\nThe hub's own to post")):
        if answer[name]:
            rows = table(title, "order", "document", "date", "amount", right=("amount",))
            for one in answer[name][:ROWS_SHOWN]:
                rows.add_row(
                    *cells(one["name"], one["document"], one["date"], money(one["planned_minor"], one["currency"]))
                )
            tables.append(rows)
    return tables


def _summary(answer: dict[str, Any]) -> str:
    verb = "would be linked" if answer["dry_run"] else "linked"
    words = f"{len(answer['linked'])} documents of {answer['orders']} orders {verb}"
    if answer["linked_before"]:
        words += f", {answer['linked_before']} were before"
    if differing := sum(bool(one["differences"]) for one in answer["linked"]):
        words += f"; {differing} differ, in all by {monies(answer['difference_minor'])}"
    if left := len(answer["unsure"]) + len(answer["refused"]):
        words += f"; for a person: {left}"
    return words
