"""reconcile: the channel's statement, the hub's expected books and the ERP of one period, compared and explained."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hub.cli.door import Door, cells, command, moment, money, monies, say, table
from hub.cli.importing import sent_words
from hub.model.causes import CauseCode
from hub.model.reconciliation import Reconciliation
from hub.steps.hub import Hub

SIGN: Final = "sign"
PERIOD: Final = r"[1-9]\d{3}-(0[1-9]|1[0-2])"
ORDERS_NAMED: Final = 10
ALIKE_MIN: Final = 4  # orders that wait for one thing are a line together from here on
VARIANCES_SHOWN: Final = 100  # of a table; the report and JSON have them all


def register(app: typer.Typer) -> None:
    @command(app, "reconcile")
    def reconcile_(
        door: Door,
        period: Annotated[str, typer.Argument(help="A month like 2026-05; or the word sign, and a run.")],
        run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="With sign: the run's folder.")] = None,
        statements: Annotated[
            list[Path] | None,
            typer.Option("--channel-statement", help="The shop's own export, or a list of order payloads; repeatable."),
        ] = None,
        from_run: Annotated[
            Path | None, typer.Option("--from", help="The folder of an earlier run: reconciled as it lies there.")
        ] = None,
        channel: Annotated[str | None, typer.Option("--channel", help="The channel, where there are several.")] = None,
        heal: Annotated[
            bool, typer.Option("--heal", help="Show what pulling and posting would heal; with --yes, do it.")
        ] = False,
        yes: Annotated[bool, typer.Option("--yes", help="With --heal: do it, then reconcile again.")] = False,
        name: Annotated[str | None, typer.Option("--as", help="With sign: who signs.")] = None,
        note: Annotated[str, typer.Option("--note", help="With sign: why, where it does not tie.")] = "",
    ) -> int:
        """Compares channel, hub and ERP for a month and explains every difference; leaves a folder with the reports.

        reconcile sign RUN --as NAME vouches for a run; a later run of the month says what changed since.
        """
        if period == SIGN:
            return _sign(door, run, name, note)
        if run is not None:
            raise typer.BadParameter(f"unexpected argument {run!r}: to sign a run, write reconcile sign RUN --as NAME")
        if not re.fullmatch(PERIOD, period):
            raise typer.BadParameter(f"a period is a month like 2026-05: {period!r}")
        from hub.steps.closing import reconcile
        from hub.steps.reconcile import as_json

        with door.hub() as hub:
            found = reconcile(hub, period, statements or [], from_run, slug=channel, tell=say)
            if heal and _healed(hub, found, do=yes):
                found = reconcile(hub, period, statements or [], slug=channel, tell=say)
        answer = as_json(found)
        door.show(answer, *tables(answer))
        folder = from_run or hub.settings.home / "runs" / found.run
        say(f"run {found.run}, digest {found.digest[:12]}: {folder}")
        if found.event_chain is not None:
            root = found.event_chain
            say(f"event chain sealed to {root.day}: {root.root[:12]}; orderhub verify proves it")
        for name in found.altered:
            say(f"{name} is no longer what the run wrote")
        if found.complete:
            return 0
        if not found.channel_given:
            say("not complete: no channel statement was given, so hub and ERP alone were compared")
            return 0
        say("not complete: the channel's statement could not be read whole, or is not what the channel counts")
        return 1


def _healed(hub: Hub, found: Reconciliation, *, do: bool) -> bool:
    """Says what would heal the run's variances; whether it was done."""
    from hub.steps import healing

    planned = healing.plan(hub, found)
    for channel, orders in planned.pull.items():
        named = ", ".join(orders[:ORDERS_NAMED])
        say(f"to be read anew from {channel}: {len(orders)} orders, {monies(planned.pull_minor)}: {named}")
    for channel in planned.cannot_ask:
        say(f"{channel} gives no order by its id: import its orders again, with orderhub import {channel} FILE")
    if planned.send:
        say(f"to be sent, or looked for in the ERP: {planned.send}, {monies(planned.send_minor)}")
    for cause, count in planned.left.items():
        say(f"left for a person: {count} {cause.replace('_', ' ')}")
    if planned.is_empty:
        say("nothing that pulling or posting would heal")
        return False
    if not do:
        say("nothing was done: add --yes to do it")
        return False
    done = healing.heal(hub, planned)
    say(f"read anew: {done.read_anew} orders; {sent_words(done.sent)}")
    return True


def _sign(door: Door, run: str | None, name: str | None, note: str) -> int:
    if run is None or name is None:
        raise typer.BadParameter("write reconcile sign RUN --as NAME")
    from hub.steps.signing import sign

    with door.hub() as hub:
        signed = sign(hub, Path(run), name, note)
    shown = table(None, "period", "run", "signed by", "at")
    shown.add_row(*cells(signed.period, signed.run, signed.by, moment(signed.at)))
    door.show(asdict(signed), shown)
    return 0


def tables(answer: dict[str, Any]) -> list[Table]:
    """The JSON answer for people: each measure's sides, then what differs and why."""
    period = answer["period"]
    return [
        *_comparison(f"Sales {period}", "orders", answer),
        *_comparison(f"\nPayments {period}", "payments", answer["payments"]),
        *_books(answer.get("books")),
        *_since(answer["since_signoff"]),
    ]


def _books(books: dict[str, Any] | None) -> list[Table]:
    """The accounts that do not tie, and why; nothing where the ERP states no postings."""
    if books is None:
        return []
    off = [one for one in books["accounts"] if one["delta_minor"] or one["delta_functional_minor"]]
    figures = ("expected", "ERP", "difference", "unexplained")
    shown = table("\nBooks, expected and in the ERP", "account", "name", *figures, right=figures)
    for one in off[:VARIANCES_SHOWN]:
        amounts = (one["expected_minor"], one["erp_minor"], one["delta_minor"], one["unexplained_minor"] or None)
        shown.add_row(*cells(one["account"], one["name"], *(money(minor, one["currency"]) for minor in amounts)))
    if (more := len(off) - VARIANCES_SHOWN) > 0:
        shown.add_row(*cells("", f"and {more} more: see the report", "", "", "", ""))
    alike = f"{len(books['accounts']) - len(off)} of {len(books['accounts'])} accounts tie"
    shown.add_row(*cells("", f"{alike}, {books['matched']} of {books['documents']} documents", "", "", "", ""))
    shown.add_row(*cells("", "unexplained", "", "", "", monies(books["unexplained_minor"])), style="bold")
    if not books["causes"]:
        return [shown]
    why = table(None, "entity", "currency", "cause", "documents", right=("documents",))
    for one in books["causes"]:
        why.add_row(*cells(one["entity"], one["currency"], one["code"] or "unexplained", one["documents"]))
    return [shown, why]


def _since(since: dict[str, Any] | None) -> list[Table]:
    """What changed since the month was signed; nothing where it was not."""
    if since is None:
        return []
    title = f"\nSince it was signed by {since['signed_by']} on {moment(since['signed_at'])}"
    shown = table(title, "side", "order", "what", "before", "now", "why", right=("before", "now"))
    for one in since["changes"][:VARIANCES_SHOWN]:
        before, now = (money(one[name], one["currency"]) for name in ("before_minor", "after_minor"))
        what = f"{one['subject']} {one['subject_id']}"
        shown.add_row(
            *cells(one["side"], one["name"] or one["order"], what, before, now, one["code"].replace("_", " "))
        )
    if (more := len(since["changes"]) - VARIANCES_SHOWN) > 0:
        shown.add_row(*cells("", "", "", "", "", f"and {more} more: see the report"))
    if not since["changes"]:
        shown.add_row("", "nothing changed", "", "", "", "")
    return [shown]


def _comparison(title: str, counted: str, answer: dict[str, Any]) -> list[Table]:
    sides = table(title, "side", "entity", counted, "total", right=(counted, "total"))
    for side, totals in answer["sides"].items():
        for total in totals:
            sides.add_row(*cells(side, total["entity"], total[counted], money(total["total_minor"], total["currency"])))
    sides.add_row(*cells("matched", "", answer["matched"], ""))
    sides.add_row(*cells("unexplained", "", "", monies(answer["unexplained_minor"])), style="bold")
    if not answer["variances"]:
        return [sides]
    columns = ("pair", "order", "kind", "delta", "why", "residual")
    variances = table("\nVariances", *columns, right=("delta", "residual"), whole=("pair",))
    alone, held = _apart(answer["variances"])
    for one in alone[:VARIANCES_SHOWN]:
        currency = one["currency"]
        why = ", ".join(f"{_cause(cause)} {money(cause['amount_minor'], currency)}" for cause in one["causes"])
        order = one["reference"] or one["order"] or one["document"]
        delta, residual = money(one["delta_minor"], currency), money(one["residual_minor"] or None, currency)
        variances.add_row(*cells(one["pair"], order, one["kind"], delta, why, residual))
    if (more := len(alone) - VARIANCES_SHOWN) > 0:
        variances.add_row(*cells("", "", "", "", f"and {more} more: see the report", ""))
    for (pair, _, currency, why), many in held.items():
        delta = money(sum(one["delta_minor"] for one in many), currency)
        kinds = ", ".join(sorted({str(one["kind"]) for one in many}))
        variances.add_row(*cells(pair, f"{len(many)} of them", kinds, delta, why, ""))
    return [sides, variances]


Alike = tuple[str, str, str, str]  # pair, entity, currency, cause


def _apart(variances: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[Alike, list[dict[str, Any]]]]:
    """Variances with a line each, and those of held orders alike: a fix of one thing heals many of them."""
    alike: dict[Alike, list[dict[str, Any]]] = {}
    for one in variances:
        if len(one["causes"]) == 1 and one["causes"][0]["code"] == CauseCode.HELD_ORDER and not one["residual_minor"]:
            key = (one["pair"], one["entity"], one["currency"], _cause(one["causes"][0]))
            alike.setdefault(key, []).append(one)
    alike = {key: many for key, many in alike.items() if len(many) >= ALIKE_MIN}
    grouped = {id(one) for many in alike.values() for one in many}
    return [one for one in variances if id(one) not in grouped], alike


def _cause(cause: dict[str, Any]) -> str:
    """The cause, with the code of the hold or refusal behind it where there is one."""
    behind = cause["evidence"].get("exception")
    return f"{cause['code']} ({behind})" if behind else str(cause["code"])
