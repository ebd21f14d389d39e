"""backup, restore: the stores as of one moment, and put back."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.door import Door, cells, command, moment, now, say, table
from hub.errors import Misconfigured
from hub.steps.backup import Restored, backup, restore, restored_in_place

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Of this backup alone.")]


def register(app: typer.Typer) -> None:
    @command(app, "backup", interrupted="no backup was made; run the same command again")
    def backup_(door: Door, folder: Folder) -> None:
        """Copies the stores as of one moment, while everything goes on, with reconciliations and a manifest."""
        settings = door.settings()
        try:
            saved = backup(settings, folder, now)
        except sqlite3.Error as fault:
            raise Misconfigured(f"no backup was made: {fault}") from fault
        shown = table(None, "backup", "")
        shown.add_row(*cells("taken at", moment(saved.taken_at)))
        shown.add_row(*cells("files", f"{len(saved.files)}, {saved.bytes / 1e6:.1f} MB"))
        door.show({"taken_at": saved.taken_at.isoformat(), "bytes": saved.bytes, "files": saved.files}, shown)

    @command(app, "restore", interrupted="nothing was put back; run the same command again")
    def restore_(
        door: Door,
        folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A backup.")] = None,
        in_place: Annotated[
            bool,
            typer.Option(
                "--in-place", help="The databases were put back by their own tools: only what follows is done."
            ),
        ] = False,
    ) -> None:
        """Puts a backup back into an empty home; what it does not know the end of is looked for before it is sent."""
        if (folder is None) is not in_place:
            raise typer.BadParameter("name the backup, or --in-place after the database's own tools put it back")
        settings = door.settings()
        done: Restored
        try:
            done = restored_in_place(settings, now) if folder is None else restore(settings, folder, now)
        except sqlite3.Error as fault:
            raise Misconfigured(f"nothing was put back: {fault}") from fault
        taken = None if done.taken_at is None else done.taken_at.isoformat()
        shown = table(None, "restored", "")
        shown.add_row(*cells("as of", moment(taken)))
        shown.add_row(*cells("in doubt", f"{done.in_doubt} steps: looked for before they are sent"))
        door.show({"taken_at": taken, "in_doubt": done.in_doubt}, shown)
        say("start it now; then tell it again what people did since: see docs/runbook.md, Backup and restore")
