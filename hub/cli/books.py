"""ledger …: what the configured ERP says of its books, by the abilities that it has."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, now, say, table, write
from hub.steps import ledger

ENTRIES_SHOWN: Final = 1000  # of a table; JSON has them all

Day = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="[today]")]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day. [all]")]
First = Annotated[datetime | None, typer.Option("--first", formats=["%Y-%m-%d"], help="The first day. [all]")]
Last = Annotated[datetime | None, typer.Option("--last", formats=["%Y-%m-%d"], help="The last day. [all]")]
Period = Annotated[str, typer.Argument(help="A month like 2026-05.")]
EntityOption = Annotated[str | None, typer.Option("--entity", help="Where there are several.")]


class Form(StrEnum):
    BEANCOUNT = "beancount"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The books of the configured ERP.", no_args_is_help=True)
    app.add_typer(group, name="ledger")
    _register_reports(group)
    _register_periods(group)

    @command(group, "export")
    def export(
        door: Door,
        form: Annotated[Form, typer.Option("--format", help="One entry a line in json.")] = Form.BEANCOUNT,
    ) -> None:
        """The whole journal on stdout, for tools that nobody here wrote."""
        with door.hub() as hub:
            for text in ledger.export(hub, form):
                write(text)


def _register_reports(group: typer.Typer) -> None:
    @command(group, "trial-balance")
    def trial_balance(door: Door, until: Until = None) -> None:
        """Each account's balance, and the sums of both sides by currency."""
        with door.hub() as hub:
            rows = ledger.trial_balance(hub, _day(until))
        door.show({"accounts": rows, "totals": ledger.totals(rows)}, _balances(rows))

    @command(group, "expected")
    def expected(door: Door, until: Until = None) -> None:
        """Each account's balance as the hub's decisions say that it should be, whatever the ERP has; stock left out."""
        from hub.steps.expected_books import expected_trial_balance

        with door.hub() as hub:
            rows = ledger.both_sides(expected_trial_balance(hub, _day(until)))
        door.show({"accounts": rows, "totals": ledger.totals(rows)}, _balances(rows))

    @command(group, "journal")
    def journal(door: Door, first: First = None, last: Last = None) -> None:
        """The posted entries, in the order they were posted."""
        with door.hub() as hub:
            entries = ledger.journal(hub, _day(first), _day(last))
            if door.json_wanted:
                door.show({"entries": list(entries)})
                return
            shown = list(islice(entries, ENTRIES_SHOWN + 1))
        _show_journal(door, shown[:ENTRIES_SHOWN])
        if len(shown) > ENTRIES_SHOWN:
            say(f"these are the first {ENTRIES_SHOWN} entries: name --first and --last, or --format json for all")

    @command(group, "accounts")
    def accounts(door: Door) -> None:
        """The chart of accounts with the sub-accounts opened so far."""
        with door.hub() as hub:
            rows = ledger.accounts(hub)
        shown = table(None, "account", "name", "type", "role")
        for row in rows:
            shown.add_row(*cells(row["id"], row["name"], row["type"], row["role"]))
        door.show({"accounts": rows}, shown)

    @command(group, "ageing")
    def ageing(door: Door, on: Day = None) -> None:
        """What customers owe, by order and age."""
        day = _day(on) or now().date()
        with door.hub() as hub:
            rows = ledger.ageing(hub, day)
        buckets = list(rows[0]["buckets"]) if rows else []
        figures = (*buckets, "credit", "total")
        shown = table(f"on {day}", "customer", "order", "oldest", *figures, right=figures)
        for row in rows:
            amounts = [row["buckets"][name] for name in buckets] + [-row["credit_minor"]]
            plain = [money(amount or None, row["currency"]) for amount in amounts]
            order = row["reference"] or row["order"]
            total = money(row["total_minor"], row["currency"])
            shown.add_row(*cells(row.get("name") or row["customer"], order, row["oldest"], *plain, total))
        door.show({"on": day.isoformat(), "receivables": rows}, shown)


def _register_periods(group: typer.Typer) -> None:
    @command(group, "close")
    def close(door: Door, period: Period, entity: EntityOption = None) -> None:
        """Closes a month: nothing is posted into it any more; late facts go to the next open one, or are held."""
        with door.hub() as hub:
            slug = ledger.close(hub, entity, period)
        door.show({"entity": slug, "period": period, "closed": True})
        say(f"{period} is closed for {slug}")

    @command(group, "open")
    def open_(door: Door, period: Period, entity: EntityOption = None) -> None:
        """Opens a closed month again."""
        with door.hub() as hub:
            slug = ledger.reopen(hub, entity, period)
        door.show({"entity": slug, "period": period, "closed": False})
        say(f"{period} is open for {slug}")


def _show_journal(door: Door, entries: Iterable[dict[str, Any]]) -> None:
    shown = table(
        None,
        "date",
        "entry",
        "document",
        "account",
        "debit",
        "credit",
        right=("entry", "debit", "credit"),
        whole=("document",),
    )
    for entry in entries:
        head = (entry["date"], entry["entry"], entry["document"] or entry["ref"])
        for posting in entry["postings"]:
            amount, currency = posting["amount_minor"], posting["currency"]
            if not amount:  # a rounding of the conversion: a worth alone
                amount, currency = posting["functional_minor"], entry["functional"]
            sides = (money(max(amount, 0) or None, currency), money(max(-amount, 0) or None, currency))
            shown.add_row(*cells(*head, posting["account"], *sides))
            head = ("", "", "")
    door.show({}, shown)


def _balances(rows: list[dict[str, Any]]) -> Table:
    shown = table(None, "entity", "account", "name", "debit", "credit", right=("debit", "credit"))
    for row in rows:
        debit, credit = (money(row[side] or None, row["currency"]) for side in ("debit_minor", "credit_minor"))
        shown.add_row(*cells(row["entity"], row["account"], row["name"], debit, credit))
    for currency, total in ledger.totals(rows).items():
        sums = (money(total["debit_minor"], currency), money(total["credit_minor"], currency))
        shown.add_row(*cells("", "", f"total {currency}", *sums), style="bold")
    return shown


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None
