"""check, migrate, verify, status: whether all is set up and unaltered, and how it stands."""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.door import Door, cells, command, moment, monies, now, say, table
from hub.errors import Altered, Misconfigured
from hub.settings import data_files, faults
from hub.steps.checking import data_faults
from hub.steps.opening import check, versions
from hub.steps.standing import standing
from hub.store.views.sending import TargetStatus


def register(app: typer.Typer) -> None:
    @command(app, "check")
    def check_(
        door: Door,
        channel: Annotated[
            str | None,
            typer.Argument(help="A channel, or erp, to ask too: credentials, access, and what must be set up there."),
        ] = None,
    ) -> int:
        """Names every fault of the configuration with file and line, then tries stores, plugins and reference data."""
        configured = faults(door.config, os.environ, home=door.home)
        configured += [x for x in data_faults(data_files(door.config, os.environ, door.home)) if x not in configured]
        found = [str(fault) for fault in configured]
        tried = [] if found else check(door.settings(), now, channel)
        found += [f"{one.what}: {one.fault}" for one in tried if one.fault is not None]
        shown = table(None, "checked", "result")
        for one in tried:
            shown.add_row(*cells(one.what, "fault" if one.fault is not None else one.note or "ok"))
        notes = [f"{one.what}: {one.note}" for one in tried if one.note is not None]
        answer = {"faults": found, "notes": notes, "checked": [one.what for one in tried]}
        door.show(answer, *([shown] if tried else []))
        for fault in found:
            for line in fault.splitlines():
                say(line)
        return 1 if found else 0

    @command(app, "migrate")
    def migrate(door: Door) -> None:
        """Brings the stores up to date and says their versions."""
        with door.hub() as hub:
            found = versions(hub)
        shown = table(None, "store", "version")
        for one in found:
            shown.add_row(one.part, one.version)
        door.show({one.part: one.version for one in found}, shown)

    @command(app, "verify")
    def verify_(
        door: Door,
        printed: Annotated[
            list[Path] | None,
            typer.Option("--printed", help="manifest.json or report.json of a run kept elsewhere; repeatable."),
        ] = None,
    ) -> int:
        """Proves that no event was altered: hashes, daily roots, facts, entries, and the roots printed in all runs."""
        from hub.steps.roots import make_roots
        from hub.verifier import Unreadable, verify

        with door.hub() as hub:
            with suppress(Altered):  # the verifier says more of it
                make_roots(hub)
            store, runs = hub.settings.stores.hub, hub.settings.home / "runs"
        try:
            witnesses = [*sorted(runs.glob("*/manifest.json")), *(printed or ())]
            report = verify(store.url.get_secret_value(), store.schema, witnesses)
        except Unreadable as error:
            raise Misconfigured(str(error)) from error
        checked = table(None, "checked", "how many", "", right=("how many",))
        for what in ("orders", "events", "facts", "entries", "days", "printed"):
            checked.add_row(_CHECKED[what][0], f"{getattr(report, what):,}", _CHECKED[what][1])
        if report.last is not None:
            checked.add_row(*cells("last root", report.last["day"], report.last["root"]))
        checked.add_row("since then", f"{report.unsealed:,}", "events that no root covers yet")
        shown = [checked]
        if not report.clean:
            faults = table("\nFaults", "fault", "where", "what")
            for fault in report.faults:
                faults.add_row(*cells(fault.code, fault.where, fault.what))
            shown.append(faults)
        door.show(report.as_json(), *shown)
        if report.clean:
            say("nothing was altered")
            return 0
        more = report.faults_count - len(report.faults)
        counted = f"{report.faults_count} fault{'' if report.faults_count == 1 else 's'}"
        say(f"{counted}, {more} of them not shown" if more else counted)
        return 1

    @command(app, "status")
    def status(door: Door) -> None:
        """What waits, what is held and with how much money, what the ERP has been told."""
        with door.hub() as hub:
            found = standing(hub)
        inbox, held = found.records, found.orders
        said = table(None, "what", "how many", "", right=("how many",))
        oldest = f"the oldest since {moment(inbox.oldest_waiting)}" if inbox.oldest_waiting else ""
        said.add_row("records captured", str(inbox.records), _counts(inbox.by_outcome))
        said.add_row("records waiting", str(inbox.waiting), oldest)
        said.add_row("orders", str(held.orders), _counts(held.by_posting))
        due = f"{held.due} due: run orderhub exceptions retry --due" if held.due else ""
        said.add_row("orders held", str(held.held), "; ".join(x for x in (monies(held.held_minor), due) if x))
        if (waiting := found.backordered).orders:
            said.add_row("orders backordered", str(waiting.orders), f"{waiting.units} units of {waiting.items} items")
        said.add_row("documents", str(sum(found.documents.values())), _counts(found.documents))
        said.add_row("steps to the ERP", str(sum(found.steps.values())), _counts(found.steps))
        for slug, counts in found.told.items():
            said.add_row(f"told to {slug}", str(sum(counts.values())), _counts(counts))
        for one in found.targets:
            said.add_row(*cells(f"to send to {one.target}", str(sum(one.backlog.values())), _sending(one)))
        groups = found.exceptions
        said.add_row("open exceptions", str(sum(group.orders for group in groups)), f"of {len(groups)} causes")
        said.add_row(*cells("last reconciliation", "", found.reconciliation or "none yet"))
        for last in found.completeness:
            words = f"of {last.orders:,}, {last.late:,} late, {last.untold:,} without a webhook; {last.first} to "
            words += f"{last.last}, checked {moment(last.checked_at)}"
            said.add_row(*cells(f"orders of {last.channel} missing", f"{last.missing:,}", words))
        door.show(asdict(found), said)


_CHECKED: Final = {
    "orders": ("orders", "their number of events and last hash"),
    "events": ("events", "each chained to the one before"),
    "facts": ("facts", "content against hash, and one for each event"),
    "entries": ("expected entries", "balance"),
    "days": ("daily roots", "each follows from its events and the day before"),
    "printed": ("printed roots", "in the manifests of runs: the same as in the store"),
}


def _sending(one: TargetStatus) -> str:
    words = [_counts(one.backlog)]
    if one.slots is not None:
        words.append(f"{one.slots_in_use} of {one.slots} slots in use")
    if one.settled_per_minute is not None:
        words.append(f"{one.settled_per_minute:g} a minute")
    if one.unread:
        words.append(f"{one.unread} to be read back")
    if one.oldest_in_doubt is not None:
        words.append(f"in doubt since {moment(one.oldest_in_doubt)}")
    if one.paused_until is not None:
        words.append(f"paused until {moment(one.paused_until)} ({one.paused_because}): {one.reason}")
    elif one.breaker != "closed":
        words.append("it gave no answer lately: the next call decides")
    if one.through_at is not None:
        words.append(f"through at {moment(one.through_at)}")
    return "; ".join(word for word in words if word) or "nothing waits"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
