"""import: records from files, captured, decided and posted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.door import Door, cells, command, money, say, table, write
from hub.steps.importing import Imported, import_files
from hub.steps.send import Sent, send_all
from hub.store.views import backlog

ROWS_SHOWN = 200


def register(app: typer.Typer) -> None:
    @command(app, "import")
    def import_(
        door: Door,
        channel: Annotated[str, typer.Argument(help="The slug of a configured channel.")],
        files: Annotated[list[Path], typer.Argument(help="JSON, JSON lines, lists, envelopes; - is stdin.")],
        no_send: Annotated[bool, typer.Option("--no-send", help="Capture and decide, post nothing.")] = False,
    ) -> int:
        """Captures the records of files, decides on their orders and posts what follows; a row a record.

        Exit status 1 if a file could not be read or a record did not parse or translate; all the others are in.
        """
        with door.hub() as hub:
            bad = 0
            with _rows(door) as show:
                for row in import_files(hub, channel, files):
                    bad += row.bad
                    show(row)
                sent = None if no_send else send_all(hub)
                show.sent = sent
            held = backlog.holding(hub.store, _now()).held
        if sent is not None:
            say(f"posted {sent.done + sent.adopted}, rejected {sent.rejected}, in doubt {sent.in_doubt}; orders held {held}")
        else:
            say(f"nothing was sent; orders held {held}")
        if bad:
            say(f"{bad} of these could not be read: each row says where and why; nothing else was lost")
        return 1 if bad else 0
