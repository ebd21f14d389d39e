"""cutoff: what the end of a month cuts in two; metrics: how its orders went and what they earned."""

import re
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, say, table

PERIOD: Final = r"[1-9]\d{3}-(0[1-9]|1[0-2])"
GAPS_SHOWN: Final = 50  # of a table; JSON has them all
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

    @command(app, "metrics")
    def metrics_(door: Door, period: Period) -> None:
        """How a month's orders went: cycle times, fill rate, promises, returns, touches, and the gross margin."""
        month(period)
        from hub.steps.metrics import as_json, metrics

        with door.hub() as hub:
            answer = as_json(metrics(hub, period))
        door.show(answer, *metrics_tables(answer))
        if answer["margin"]["ties"] is None:
            say("the margin is income alone: the ERP does not say what goods cost")
        elif not answer["margin"]["ties"]:
            say("the margin does not tie to the ledger's accounts: the documents behind the gap are listed")


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
            amount, order = money(one["amount_minor"], one["currency"]), one["name"] or one["order"] or "none named"
            rows.add_row(*cells(_said(name), order, amount, f"{one['age_days']} d", why))
        if (more := len(listed) - ROWS_SHOWN) > 0:
            rows.add_row(*cells(_said(name), "", "", "", f"and {more} more: --format json has them"))
    return [totals, rows]


def metrics_tables(answer: dict[str, Any]) -> list[Table]:
    """The JSON answer for people: how orders went by channel, what they earned, and how that ties."""
    return [_cycles(answer), _rates(answer), *_earned(answer["margin"]), *_ties(answer["margin"])]


def _cycles(answer: dict[str, Any]) -> Table:
    shown = table(
        f"Orders placed in {answer['period']}: hours from stage to stage",
        *("channel", "stage", "orders", "median", "p90"),
        right=("orders", "median", "p90"),
    )
    for channel in answer["channels"]:
        for stage, of in channel["cycle_h"].items():
            shown.add_row(*cells(channel["channel"], _said(stage), of["orders"], of["median"], of["p90"]))
    return shown


def _rates(answer: dict[str, Any]) -> Table:
    shown = table("\nHow they went", "channel", "what", "rate", "of", right=("rate",))
    for one in answer["channels"]:
        fill, back = one["fill"], one["returns"]
        rows = [
            ("filled by the first shipment", fill["rate"], f"{fill['first_units']} of {fill['units']} units"),
            ("shipped on time", one["ship_by"]["on_time_rate"], _promised(one["ship_by"])),
            ("delivered on time", one["delivery_by"]["on_time_rate"], _promised(one["delivery_by"])),
            ("units returned", back["unit_rate"], f"{back['units']} of {back['of_units']} units"),
            (
                "value returned",
                back["value_rate"],
                " of ".join(money(back[name], back["currency"]) for name in ("amount_minor", "of_amount_minor")),
            ),
        ]
        for what, rate, of in rows:
            shown.add_row(*cells(one["channel"], what, _percent(rate), of))
    touches = answer["touches"]
    by_kind = ", ".join(f"{count} {_said(kind)}" for kind, count in touches["by_kind"].items() if count)
    each = touches["per_100_orders"]
    shown.add_row(*cells("", "touched by hand", "" if each is None else f"{each} in 100", by_kind or "never"))
    return shown


def _promised(promises: dict[str, Any]) -> str:
    return ", ".join(f"{promises[name]} {_said(name)}" for name in ("on_time", "late", "open", "not_told"))


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{100 * rate:.1f} %"


def _earned(margin: dict[str, Any]) -> list[Table]:
    shown = table(
        "\nGross margin",
        "entity",
        "of",
        "net revenue",
        "cost",
        "margin",
        "share",
        right=("net revenue", "cost", "margin", "share"),
    )
    rows = [("channel", one["channel"], one) for one in margin["channels"]]
    rows += [("line", one["line"], one) for one in margin["lines"]]
    rows += [("all", "", one) for one in margin["entities"]]
    for what, name, one in rows:
        amounts = (money(one[x], one["currency"]) for x in ("net_revenue_minor", "cost_minor", "margin_minor"))
        shown.add_row(*cells(one["entity"], f"{what} {name}".strip(), *amounts, _percent(one["margin_share"])))
    return [shown]


def _ties(margin: dict[str, Any]) -> list[Table]:
    heads = ("orders", "ledger", "gap")
    accounts = table("\nHow it ties: debits are positive", "entity", "account", "name", *heads, right=heads)
    currency_of = {one["entity"]: one["currency"] for one in margin["entities"]}
    for one in margin["accounts"]:
        amounts = (money(one[f"{x}_minor"], one["currency"]) for x in heads)
        accounts.add_row(*cells(one["entity"], one["account"], one["name"], *amounts))
    if not margin["gaps"]:
        return [accounts]
    shown = table("\nBehind the gaps", "account", "document", "order", "gap", "why", right=("gap",))
    for one in margin["gaps"][:GAPS_SHOWN]:
        gap = money(one["gap_minor"], currency_of[one["entity"]])
        shown.add_row(*cells(one["account"], one["document"], one["reference"], gap, _said(one["why"])))
    if (more := len(margin["gaps"]) - GAPS_SHOWN) > 0:
        shown.add_row(*cells("", "", "", "", f"and {more} more: --format json has them"))
    return [accounts, shown]


def _said(word: str) -> str:
    return word.replace("_", " ")
