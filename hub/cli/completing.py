"""completeness: whether channel, hub and ERP hold the same orders."""

from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, monies, say, table

NAMED: Final = 20


def register(app: typer.Typer) -> None:
    @command(app, "completeness")
    def completeness_(
        door: Door,
        period: Annotated[
            str, typer.Argument(help="A month like 2026-10, a day, or days like 2026-10-05..2026-10-07.")
        ],
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel; else all.")] = None,
        prove: Annotated[
            bool, typer.Option("--prove", help="List every order on all sides; else counts that agree are believed.")
        ] = False,
    ) -> int:
        """Compares which orders channel, hub and ERP hold, day by day; lists only where they differ.

        What the hub lacks is asked for anew, and counts as late once it came.
        """
        from hub.steps.completeness import as_json, check_completeness, period_of

        first, last = period_of(period)
        with door.hub() as hub:
            found = check_completeness(hub, first, last, channel, prove_from=first if prove else None)
        answers = [as_json(one) for one in found]
        door.show({"channels": answers}, *[shown for one in answers for shown in _tables(one)])
        for one in answers:
            say(line(one))
        return 0 if all(one["complete"] for one in answers) else 1


def line(one: dict[str, Any]) -> str:
    """`shopify: 142,318 orders, 0 missing, 3 late, digest 1f0c…`."""
    orders, missing, late = (f"{one[name]:,}" for name in ("orders", "missing", "late"))
    return f"{one['channel']}: {orders} orders, {missing} missing, {late} late, digest {one['digest'][:16]}"


def _tables(one: dict[str, Any]) -> list[Table]:
    sides = table(
        f"{one['channel']} {one['first']} to {one['last']}: {one['orders']:,} orders, {monies(one['sums_minor'])}",
        "side", "days and hours counted", "read", "differing", "orders proven",
        right=("days and hours counted", "read", "differing", "orders proven"),
    )  # fmt: skip
    for side in one["compared"]:
        counted = one["buckets"][side]
        sides.add_row(
            *cells(
                side,
                str(counted["counted"]),
                str(counted["read"]),
                str(counted["differing"]),
                f"{one['proven'][side]:,} of {one['orders']:,}",
            )
        )
    shown = [sides]
    if one["lists"] or one["not_posted"]:
        named = table(None, "what", "how many", "orders", right=("how many",))
        for what, orders in one["lists"].items():
            rest = one["counts"][what] - NAMED
            words = ", ".join(orders[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
            named.add_row(*cells(what, f"{one['counts'][what]:,}", words))
        for why, count in one["not_posted"].items():
            named.add_row(*cells("not in the ERP yet", f"{count:,}", why))
        shown.append(named)
    return shown
