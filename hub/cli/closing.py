"""cutoff: what the end of a month cuts in two."""

import re
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, table

PERIOD: Final = r"[1-9]\d{3}-(0[1-9]|1[0-2])"
ROWS_SHOWN: Final = 20  # of each list; JSON has them all

Period = Annotated[str, typer.Argument(help="A month like 2026-05.")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only this channel. [all]")]


def register(app: typer.Typer) -> None:
    @command(app, "cutoff")
    def cutoff_(door: Door, period: Period, channel: ChannelOption = None) -> None:
        """What a month's end cuts in two: shipped not invoiced, refunds without credit memo …, aged, with amounts."""
        month(period)
        from hub.steps.cutoff import as_json, cutoff

        with door.hub() as hub:
            only = None if channel is None else {hub.settings.channel(channel).slug}
            answer = as_json(cutoff(hub, period, only))
        door.show(answer, *cutoff_tables(answer))


def month(period: str) -> None:
    """The period is written as one.

    Raises:
        BadParameter: it is not.
    """
    if not re.fullmatch(PERIOD, period):
        raise typer.BadParameter(f"a period is a month like 2026-05: {period!r}")


def cutoff_tables(answer: dict[str, Any]) -> list[Table]:
    """The JSON answer for people: what is one-sided by list and age, then order by order."""
    totals = table(
        f"Cut-off at the end of {answer['on']}",
        *("list", "document", "count", "amount", "of it over 30 days", "oldest"),
        right=("count", "amount", "of it over 30 days", "oldest"),
    )
    for one in answer["totals"]:
        old = sum(minor for name, minor in one["buckets_minor"].items() if name != "0-30")
        amounts = (money(minor, one["currency"]) for minor in (one["amount_minor"], old))
        days = f"{one['oldest_days']} d"
        totals.add_row(*cells(_said(one["list"]), _said(one["kind"]), one["count"], *amounts, days))
    if not answer["totals"]:
        totals.add_row("nothing", "", "", "", "", "")
        return [totals]
    rows = table(
        "\nOrder by order, the oldest first", *("list", "order", "amount", "age", "why"), right=("amount", "age")
    )
    for name, of_list in groupby(answer["rows"], key=itemgetter("list")):
        listed = list(of_list)
        for one in listed[:ROWS_SHOWN]:
            why = f"{_said(one['why'])} {one['detail']}".strip()
            amount, order = money(one["amount_minor"], one["currency"]), one["name"] or one["order"]
            rows.add_row(*cells(_said(name), order, amount, f"{one['age_days']} d", why))
        if (more := len(listed) - ROWS_SHOWN) > 0:
            rows.add_row(*cells(_said(name), "", "", "", f"and {more} more: --format json has them"))
    return [totals, rows]


def _said(word: str) -> str:
    return word.replace("_", " ")
