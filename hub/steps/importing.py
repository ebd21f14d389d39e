"""import: the records of files, captured and advanced in batches, and what became of each in the file's order."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from hub.errors import Misconfigured
from hub.model.problems import Problem
from hub.model.records import Received
from hub.ports import ReadsFiles, Unreadable
from hub.steps.advance import BATCH_RECORDS, advance_all
from hub.steps.capture import capture
from hub.steps.exceptions import reconsider_due
from hub.steps.hub import Hub
from hub.store import inbox

FILE_BYTES_MAX: Final = 200_000_000
BATCH_BYTES_MAX: Final = 32_000_000  # of record bodies held at once

STDIN: Final = Path("-")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one record of a file.

    `outcome`: order, facts, not_an_order; held: does not parse, does not translate, or breaks the identity as placed;
    duplicate: the inbox had it before, then the rest is what it came to the first time.
    """

    file: str
    outcome: str
    order: str | None = None
    currency: str | None = None
    claimed_minor: int | None = None
    computed_minor: int | None = None
    problems: tuple[Problem, ...] = ()
    bad: bool = False  # it does not parse or does not translate, now or the first time

    def as_row(self) -> dict[str, Any]:
        """The row that `import` prints."""
        return {
            "file": self.file,
            "outcome": self.outcome,
            "order": self.order,
            "currency": self.currency,
            "claimed_minor": self.claimed_minor,
            "computed_minor": self.computed_minor,
            "problems": [{"path": problem.path, "message": problem.message} for problem in self.problems],
        }


def import_files(hub: Hub, channel: str, paths: Iterable[Path], stdin: BinaryIO | None = None) -> Iterator[Imported]:
    """Each record of the files is captured and advanced, a row a record; it is done when the rows are read to the end.

    At most BATCH_RECORDS records are under way at once. A file that cannot be read is a row and the next goes on.

    Args:
        stdin: what the path `-` stands for.

    Raises:
        Misconfigured: there is no such channel, or it reads no files.
    """
    connector = _reader(hub, channel)
    reconsider_due(hub)
    for path in paths:
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        content = _content(path, stdin)
        if isinstance(content, Problem):
            yield Imported(name, "held", problems=(content,), bad=True)
            continue
        yield from _file(hub, name, connector.read_file(content, hub.clock()))


def import_content(hub: Hub, channel: str, name: str, content: bytes) -> Iterator[Imported]:
    """As `import_files`, of the content of one file.

    Raises:
        Misconfigured: there is no such channel, or it reads no files.
    """
    connector = _reader(hub, channel)
    reconsider_due(hub)
    yield from _file(hub, name, connector.read_file(content, hub.clock()))


def _reader(hub: Hub, channel: str) -> ReadsFiles:
    connector = hub.connector(channel)
    if not isinstance(connector, ReadsFiles):
        raise Misconfigured(f"{channel}: its system {hub.settings.channel(channel).system} reads no files")
    return connector


@dataclass(slots=True)
class _Batch:
    items: list[Received | Unreadable] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, item: Received | Unreadable) -> None:
        self.items.append(item)
        if isinstance(item, Received):
            self.size_bytes += len(item.body)

    @property
    def full(self) -> bool:
        return len(self.items) >= BATCH_RECORDS or self.size_bytes >= BATCH_BYTES_MAX


def _file(hub: Hub, name: str, items: Iterator[Received | Unreadable]) -> Iterator[Imported]:
    batch = _Batch()
    empty = True
    for item in items:
        empty = False
        batch.add(item)
        if batch.full:
            yield from _rows(hub, name, batch)
            batch = _Batch()
    yield from _rows(hub, name, batch)
    if empty:
        yield Imported(name, "not_an_order", problems=(Problem("$", "no record in it"),))


def _rows(hub: Hub, name: str, batch: _Batch) -> list[Imported]:
    received = [item for item in batch.items if isinstance(item, Received)]
    new = set(capture(hub, received))
    advance_all(hub)
    became = inbox.results(hub.inbox, sorted({(item.channel, item.key) for item in received}))
    rows = []
    for item in batch.items:
        if isinstance(item, Unreadable):
            rows.append(Imported(name, "held", problems=(item.problem,), bad=True))
            continue
        at = (item.channel, item.key)
        rows.append(_imported(name, became[at], new=at in new))
        new.discard(at)  # the same record again, further down, is a duplicate
    return rows


def _imported(name: str, result: dict[str, Any], *, new: bool) -> Imported:
    return Imported(
        file=name,
        outcome=result["outcome"] if new else "duplicate",
        order=result["order"],
        currency=result["currency"],
        claimed_minor=result["claimed_minor"],
        computed_minor=result["computed_minor"],
        problems=tuple(Problem(problem["path"], problem["message"]) for problem in result["problems"]),
        bad=result["outcome"] == "held" and result["computed_minor"] is None,
    )


def _content(path: Path, stdin: BinaryIO | None) -> bytes | Problem:
    try:
        if path == STDIN:
            content = (stdin or sys.stdin.buffer).read(FILE_BYTES_MAX + 1)
        else:
            with path.open("rb") as stream:
                content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return Problem("", f"cannot be read: {error.strerror or error}", "unreadable")
    except ValueError as error:  # a NUL in the path
        return Problem("", f"cannot be read: {error}", "unreadable")
    if len(content) > FILE_BYTES_MAX:
        return Problem("", f"larger than {FILE_BYTES_MAX} bytes: split it", "unreadable")
    return content
