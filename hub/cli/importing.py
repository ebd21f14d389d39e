"""import: records from files, captured, decided and posted."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.door import Door, cells, command, money, now, say, table, write
from hub.steps.answers import sent_answer
from hub.steps.hub import Hub
from hub.steps.importing import Imported, import_files
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.store.views import backlog

ROWS_SHOWN: Final = 200  # of a table; JSON has them all


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
        sent: Sent | None = None
        with door.hub() as hub:
            _warn_of_demo(hub)
            rows = import_files(hub, channel, files)
            if door.json_wanted:
                write('{"files": [')
                counted = _Counted(rows)
                try:
                    counted.write_json()
                    sent = None if no_send else send_all(hub)
                finally:
                    write(f'], "sent": {json.dumps(sent_answer(sent))}}}\n')
            else:
                counted = _Counted(rows)
                counted.read()
                sent = None if no_send else send_all(hub)
                counted.show(door)
            held = backlog.holding(hub.store, now()).held
        say(_summary(counted, sent, held))
        if counted.bad:
            say(f"{counted.bad} could not be read: each row says where and why; everything else was taken in")
        return 1 if counted.bad else 0


def _warn_of_demo(hub: Hub) -> None:
    from hub.rehearsal.home import MARKER

    if hub.settings.database_url is None and (hub.settings.home / MARKER).is_file():
        say(f"{hub.settings.home} holds a demo: the next demo deletes what is imported here; --home names another")


class _Counted:
    """Rows on their way out, counted; no more of them is kept than a table shows."""

    def __init__(self, rows: Iterable[Imported]) -> None:
        self._rows = rows
        self.outcomes: Counter[str] = Counter()
        self.bad = 0
        self.kept: list[Imported] = []

    def write_json(self) -> None:
        for row in self._each():
            write(f"{',' if self.outcomes.total() > 1 else ''}\n  {json.dumps(row.as_row())}")

    def read(self) -> None:
        for row in self._each():
            if len(self.kept) < ROWS_SHOWN:
                self.kept.append(row)

    def show(self, door: Door) -> None:
        shown = table(
            None, "file", "outcome", "order", "claimed", "computed", "problems", right=("claimed", "computed")
        )
        for row in self.kept:
            problems = "; ".join(f"{problem.path}: {problem.message}".removeprefix(": ") for problem in row.problems)
            claimed, computed = money(row.claimed_minor, row.currency), money(row.computed_minor, row.currency)
            shown.add_row(*cells(Path(row.file).name, row.outcome, row.order, claimed, computed, problems))
        door.show({}, shown)
        if (more := self.outcomes.total() - len(self.kept)) > 0:
            say(f"and {more} more rows: --format json has them all")

    def _each(self) -> Iterable[Imported]:
        for row in self._rows:
            self.outcomes[row.outcome] += 1
            self.bad += row.bad
            yield row


def _summary(counted: _Counted, sent: Sent | None, held: int) -> str:
    taken = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.outcomes.items())) or "nothing"
    if sent is None:
        return f"{taken}; nothing was sent; orders held: {held}"
    return f"{taken}; {sent_words(sent)}; orders held: {held}"


def sent_words(sent: Sent) -> str:
    """What became of the documents, in one line."""
    words = f"documents posted: {sent.done + sent.adopted}, rejected: {sent.rejected}"
    if sent.in_doubt:
        words += f", in doubt: {sent.in_doubt}"
    if sent.differing:
        words += f", read back otherwise than sent: {sent.differing}"
    for slug, told in sent.told.items():
        words += f"; told to {slug}: {told.done + told.adopted}, refused: {told.rejected}"
        if told.in_doubt:
            words += f", in doubt: {told.in_doubt}"
    return words
