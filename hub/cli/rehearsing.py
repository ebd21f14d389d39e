"""demo and bench: rehearsals on simulated systems; the slow libraries load only when one runs."""

import signal
from contextlib import suppress
from threading import Event
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, money, say, table
from hub.cli.reconciling import tables

Orders = Annotated[int, typer.Option("--orders", min=1, max=10_000_000, help="How many orders are composed.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed tells the same stories.")]

NOT_MEASURED: Final = "nothing was measured"


def register(app: typer.Typer) -> None:
    @command(app, "demo", interrupted="the next demo in this home starts afresh")
    def demo(
        door: Door,
        orders: Orders = 300,
        seed: Seed = 7,
        no_serve: Annotated[bool, typer.Option("--no-serve", help="End when the report is written.")] = False,
    ) -> None:
        """The whole story on simulated systems: captured, posted, reconciled, with accidents among the orders."""
        from hub.rehearsal.demo import Live, run

        def show(answer: dict[str, Any]) -> None:
            door.show(answer, *tables(answer["reconciliation"]), _figures(_of_demo(answer)))
            say(f"the report: {answer['report']}")

        def serve(live: Live) -> None:
            show(live.figures)
            say(f"serving on {live.hub}; the shop's back door is {live.shop}/_control")
            words = " ".join(f"{name}={value}" for name, value in live.environment.items())
            say(f"other commands reach the shop after: export {words}")
            say("stop it with Ctrl-C")
            with suppress(KeyboardInterrupt):
                Event().wait()

        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its shop and its hub end with it
        answer = run(door.settings(of_home=False), orders, seed, tell=say, then=None if no_serve else serve)
        if no_serve:
            show(answer)
        home = door.settings().home
        say(f"look around: orderhub status --home {home}; or orderhub serve --home {home}")

    group = typer.Typer(help="How fast it is, beside a floor measured in the same run.", no_args_is_help=True)
    app.add_typer(group, name="bench")

    @command(group, "import", interrupted=NOT_MEASURED)
    def import_(door: Door, orders: Orders = 10_000, seed: Seed = 7) -> None:
        """Capture, decide and post, beside the floor that no import passes."""
        from hub.rehearsal.bench_import import bench

        answer = bench(door.settings(of_home=False), orders, seed)
        door.show(answer, _figures(answer))

    @command(group, "reconcile", interrupted=NOT_MEASURED)
    def reconcile(door: Door, orders: Orders = 1_000_000, seed: Seed = 7) -> None:
        """A month's reconciliation, beside the bare three-way join of the same columns."""
        from hub.rehearsal.bench_reconcile import bench

        answer = bench(orders, seed)
        door.show(answer, _figures(answer))


def _of_demo(answer: dict[str, Any]) -> dict[str, Any]:
    """The demo's figures in a line each."""
    figures = {name: value for name, value in answer.items() if name not in ("reconciliation", "trial_balance")}
    balance = (
        f"{money(sums['debit_minor'], currency)} on both sides"
        if sums["debit_minor"] == sums["credit_minor"]
        else f"{money(sums['debit_minor'], currency)} against {money(sums['credit_minor'], currency)}"
        for currency, sums in answer["trial_balance"].items()
    )
    return figures | {"trial balance": ", ".join(balance)}


def _figures(answer: dict[str, Any]) -> Table:
    shown = table("\nFigures", "figure", "value")
    for name, value in answer.items():
        parts = value.items() if isinstance(value, dict) else ()
        nested = ", ".join(f"{key} {part}" for key, part in parts if not isinstance(part, dict | list))
        shown.add_row(*cells(name, nested or value))
    return shown
