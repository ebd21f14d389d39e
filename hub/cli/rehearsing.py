"""demo, simulate and bench: rehearsals on simulated systems; the slow libraries load only when one runs."""

import shlex
import signal
from contextlib import nullcontext, suppress
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, log_to_stderr, money, now, say, table
from hub.cli.reconciling import tables
from hub.steps.opening import opened

Orders = Annotated[int, typer.Option("--orders", min=1, max=10_000_000, help="How many orders are composed.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed tells the same stories.")]


class Storm(StrEnum):
    NONE = "none"
    MILD = "mild"
    HOSTILE = "hostile"


class Naive(StrEnum):
    """Integrations that double documents, to see it found."""

    COUNTED_KEYS = "counted-keys"
    BLIND_RESEND = "blind-resend"


NOT_MEASURED: Final = "nothing was measured"


def register(app: typer.Typer) -> None:
    @command(app, "demo", interrupted="the next demo in this home starts afresh")
    def demo(
        door: Door,
        orders: Orders = 300,
        seed: Seed = 7,
        erp: Annotated[str | None, typer.Option("--erp", help="The ERP's system; else the configured one.")] = None,
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
            words = " ".join(f"{name}={shlex.quote(value)}" for name, value in live.environment.items())
            say(f"other commands reach the shop after: export {words}")
            say("stop it with Ctrl-C")
            with suppress(KeyboardInterrupt):
                Event().wait()

        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its shop and its hub end with it
        answer = run(door.settings(of_home=False), orders, seed, erp=erp, tell=say, then=None if no_serve else serve)
        if no_serve:
            show(answer)
        home = door.settings().home
        say(f"look around: orderhub status --home {home}; or orderhub serve --home {home}")

    @command(app, "simulate", interrupted="nothing of it is left")
    def simulate(
        door: Door,
        seed: Seed = 7,
        orders: Annotated[int, typer.Option("--orders", min=1, max=1_000, help="How many orders are placed.")] = 20,
        faults: Annotated[Storm, typer.Option("--faults", help="How much goes wrong.")] = Storm.MILD,
        erp: Annotated[
            str | None, typer.Option("--erp", help="The ERP's system. [one that is reached over a network]")
        ] = None,
        trace: Annotated[
            Path | None, typer.Option("--trace", help="A file for every choice, request and answer, a line each.")
        ] = None,
        naive: Annotated[
            Naive | None, typer.Option("--naive", hidden=True, help="Does it wrongly, to see it found.")
        ] = None,
    ) -> int:
        """The hub's own code, its workers' turns, faults and time drawn from a seed; what must hold is looked at."""
        from hub.rehearsal.erps import Bite
        from hub.rehearsal.simulate import run

        settings = door.settings(of_home=False)
        blind = naive is Naive.BLIND_RESEND  # which nothing but an ERP that keeps no key unique would show
        bite = Bite(counted_keys=naive is Naive.COUNTED_KEYS, blind=blind, any_key=blind)
        with trace.open("w", encoding="utf-8") if trace is not None else nullcontext() as file:
            write = file.write if file is not None else None
            answer = run(settings, seed, orders, faults, erp=erp, bite=bite, write=write)
        found = table("\nWhat was broken", "step", "what")
        for violation in answer["violations"]:
            found.add_row(*cells(violation["step"], violation["what"]))
        figures = {name: value for name, value in answer.items() if name not in ("faults", "violations")}
        figures |= {f"faults of the {who}": kinds for who, kinds in answer["faults"].items() if kinds}
        door.show(answer, _figures(figures), *([found] if answer["violations"] else []))
        if not answer["violations"]:
            return 0
        again = f"orderhub simulate --seed {seed} --orders {orders} --faults {faults} --erp {answer['erp']}"
        again += f" --naive {naive}" if naive is not None else ""
        say(f"broken; it is so again with: {again}")
        return 1

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

    @command(group, "send", interrupted=NOT_MEASURED)
    def send(
        door: Door,
        orders: Orders = 300,
        seed: Seed = 7,
        erp: Annotated[str | None, typer.Option("--erp", help="A system whose simulator can be served.")] = None,
        slots: Annotated[int, typer.Option("--slots", min=1, max=100, help="Calls that the ERP bears at once.")] = 15,
        call_ms: Annotated[int, typer.Option("--call-ms", min=1, max=60_000, help="How long a call takes.")] = 600,
    ) -> None:
        """How well an ERP's slots are used while it takes its time, and the calls that each document takes."""
        from hub.rehearsal.bench_send import bench

        answer = bench(door.settings(of_home=False), erp, orders, seed, slots=slots, call_ms=call_ms)
        per_order = table("\nCalls an order", "for", "calls")
        for purpose, count in answer["calls_per_order"].items():
            per_order.add_row(*cells(purpose, count))
        door.show(answer, _figures({name: x for name, x in answer.items() if name != "calls_per_order"}), per_order)

    @command(group, "webhooks", interrupted=NOT_MEASURED)
    def webhooks(
        door: Door,
        requests: Annotated[
            int, typer.Option("--requests", min=500, max=100_000, help="How many, of each kind.")
        ] = 8_000,
        seed: Seed = 7,
    ) -> None:
        """Signed orders over 64 connections, beside the same server doing no more than checking the seal."""
        from hub.rehearsal.bench_webhooks import bench

        door.show(answer := bench(door.settings(of_home=False), requests, seed), _figures(answer))

    @command(group, "webhooks-server", hidden=True)
    def webhooks_server(
        door: Door,
        port: Annotated[int, typer.Option("--port")],
        drain: Annotated[bool, typer.Option("--drain", help="The jobs run.")] = False,
    ) -> None:
        """The server that `bench webhooks` measures, in a process of its own."""
        from hub.api.app import bound, create_app, first, run
        from hub.rehearsal.bench_webhooks import BARE, Bare, Idle, configured
        from hub.worker.jobs import Jobs

        log_to_stderr(service=True)
        settings = configured(door.settings(of_home=False))
        with opened(settings, now) as hub:
            web = create_app(hub, Jobs(hub) if drain else Idle())
            first(web, BARE, Bare(hub.settings.channels[0].system))
            run(web, bound("127.0.0.1", port))


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
