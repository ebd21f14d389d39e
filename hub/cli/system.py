"""check, migrate, status: whether all is set up, and how it stands."""

import os
from dataclasses import asdict

import typer

from hub.cli.door import Door, cells, command, moment, monies, now, say, table
from hub.settings import faults
from hub.steps.opening import check, versions
from hub.steps.showing import last_run
from hub.store.views import backlog, exceptions


def register(app: typer.Typer) -> None:
    @command(app, "check")
    def check_(door: Door) -> int:
        """Names every fault of the configuration with file and line, then tries stores, plugins and reference data."""
        found = [str(fault) for fault in faults(door.config, os.environ)]
        tried = [] if found else check(door.settings(), now)
        found += [f"{one.what}: {one.fault}" for one in tried if one.fault is not None]
        shown = table(None, "checked", "result")
        for one in tried:
            shown.add_row(*cells(one.what, "ok" if one.fault is None else "fault"))
        door.show({"faults": found, "checked": [one.what for one in tried]}, *([shown] if tried else []))
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

    @command(app, "status")
    def status(door: Door) -> None:
        """What waits, what is held and with how much money, what the ERP has been told."""
        with door.hub() as hub:
            inbox = backlog.backlog(hub.inbox)
            held = backlog.holding(hub.store, now())
            steps = backlog.steps_by_state(hub.store)
            documents = backlog.documents_by_kind(hub.store)
            groups = exceptions.groups(hub.store)
            run = last_run(hub)
        answer = {
            "records": asdict(inbox),
            "orders": asdict(held),
            "steps": steps,
            "documents": documents,
            "exceptions": [asdict(group) for group in groups],
            "reconciliation": run,
        }
        said = table(None, "what", "how many", "", right=("how many",))
        oldest = f"the oldest since {moment(inbox.oldest_waiting)}" if inbox.oldest_waiting else ""
        said.add_row("records captured", str(inbox.records), _counts(inbox.by_outcome))
        said.add_row("records waiting", str(inbox.waiting), oldest)
        said.add_row("orders", str(held.orders), _counts(held.by_posting))
        due = f"{held.due} due: run orderhub exceptions retry --due" if held.due else ""
        said.add_row("orders held", str(held.held), "; ".join(x for x in (monies(held.held_minor), due) if x))
        said.add_row("documents", str(sum(documents.values())), _counts(documents))
        said.add_row("steps to the ERP", str(sum(steps.values())), _counts(steps))
        said.add_row("open exceptions", str(sum(group.orders for group in groups)), f"of {len(groups)} causes")
        said.add_row(*cells("last reconciliation", "", run or "none yet"))
        door.show(answer, said)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
