"""reconcile: the channel's statement, the hub's expected books and the ERP of one period, compared and explained."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, say, table
from hub.model.reconciliation import Comparison, Reconciliation

VARIANCES_SHOWN = 100  # of a table; the report and JSON have them all


def register(app: typer.Typer) -> None:
    @command(app, "reconcile")
    def reconcile_(
        door: Door,
        period: Annotated[str, typer.Argument(help="A month like 2026-05.")],
        statements: Annotated[
            list[Path] | None,
            typer.Option("--channel-statement", help="The shop's own export, or a list of order payloads; repeatable."),
        ] = None,
        from_run: Annotated[
            Path | None, typer.Option("--from", help="The folder of an earlier run: reconciled as it lies there.")
        ] = None,
    ) -> None:
        """Compares channel, hub and ERP for a month and explains every difference; leaves a folder with the report."""
        from hub.steps.closing import reconcile
        from hub.steps.reconcile import as_json

        with door.hub() as hub:
            found = reconcile(hub, period, statements or [], from_run)
        door.show(as_json(found), *_tables(found))
        say(f"run {found.run}, digest {found.digest[:12]}")
        if not found.complete:
            say(
                "not complete: "
                + ("a side was not read whole" if found.channel_given else "no channel statement given")
            )
        for name in found.altered:
            say(f"{name} is no longer what the run wrote")


def _tables(found: Reconciliation) -> list[Table]:
    shown = []
    for title, counted, comparison in (("Sales", "orders", found.sales), ("Payments", "payments", found.payments)):
        shown += _comparison(f"{title} {found.period}", counted, comparison)
    return shown


def _comparison(title: str, counted: str, comparison: Comparison) -> list[Table]:
    sides = table(title, "side", "entity", counted, "total", right=(counted, "total"))
    for side, totals in (("channel", comparison.channel), ("hub", comparison.hub), ("erp", comparison.erp)):
        for total in totals:
            sides.add_row(*cells(side, total.entity, total.orders, money(total.total_minor, total.currency)))
    unexplained = ", ".join(money(minor, currency) for currency, minor in sorted(comparison.unexplained_minor.items()))
    sides.add_row(*cells("matched", "", comparison.matched, ""))
    sides.add_row(*cells("unexplained", "", "", unexplained), style="bold")
    if not comparison.variances:
        return [sides]
    columns = ("pair", "order", "kind", "delta", "why", "residual")
    variances = table("\nVariances", *columns, right=("delta", "residual"))
    for one in comparison.variances[:VARIANCES_SHOWN]:
        why = ", ".join(f"{cause.code} {money(cause.amount_minor, one.currency)}" for cause in one.causes)
        order = one.reference or one.order or one.document
        residual = money(one.residual_minor or None, one.currency)
        variances.add_row(*cells(one.pair, order, one.kind, money(one.delta_minor, one.currency), why, residual))
    if (more := len(comparison.variances) - VARIANCES_SHOWN) > 0:
        variances.add_row(*cells(f"and {more} more", "", "", "", "see the report", ""))
    return [sides, variances]
