"""What all commands share: the three options, the hub opened, errors as one clear line, output as table or JSON.

Exit status: 0 done, 1 something is wrong that the message names, 2 the command line is wrong, 130 interrupted.
"""

import functools
import inspect
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
from rich.console import Console
from rich.table import Table

from hub.cli import INTERRUPTED, begin_work
from hub.errors import HubError
from hub.logs import log_to
from hub.model.money import format_minor
from hub.settings import Settings, load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened

COLUMNS: Final = 100  # where nobody says how wide the page is
PIPE_CLOSED: Final = 141
GOES_ON: Final = "what was captured is kept and nothing is sent twice; run the same command again to go on"


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where the state is kept. [ORDERHUB_HOME, else ./.orderhub]")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration. [ORDERHUB_CONFIG, else the checkout's]")
]
FormatOption = Annotated[Format | None, typer.Option("--format", help="How the answer is written.")]


@dataclass(frozen=True, slots=True)
class Given:
    """The options that stood before the command."""

    home: Path | None = None
    config: Path | None = None
    form: Format | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """What a command is handed."""

    home: Path | None
    config: Path | None
    json_wanted: bool

    def settings(self, *, of_home: bool = True) -> Settings:
        """The configuration.

        Args:
            of_home: the home's own counts, where it has one.

        Raises:
            ConfigurationFaults: naming every fault.
        """
        return load_settings(self.config, self.home, os.environ, of_home=of_home)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """The hub, opened for the block."""
        with opened(self.settings(), now) as hub:
            yield hub

    def show(self, answer: Any, *tables: Table) -> None:
        """The answer on stdout: as JSON, or as these tables."""
        if self.json_wanted:
            write(json.dumps(answer, indent=2, default=str) + "\n")
        else:
            console = _console()
            for table in tables:
                console.print(table)


def now() -> datetime:
    return datetime.now(UTC)


def command(
    app: typer.Typer, name: str, *, interrupted: str = GOES_ON, hidden: bool = False
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Registers a function as a command; it is handed a Door, and its result is the exit status, None for 0.

    --home, --config and --format are added to its options; one that it has itself (a --format of other forms) stays.

    Args:
        interrupted: what stands, and what to do, when a person broke it off.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        signature = inspect.signature(function, eval_str=True)
        _, *own = signature.parameters.values()
        taken = {parameter.name for parameter in own}
        shared = [parameter for parameter in _SHARED if parameter.name not in taken]

        @functools.wraps(function)
        def run(**given: Any) -> None:
            before: Given = given.pop("ctx").obj or Given()
            own_form = "form" in taken
            chosen = before.form if own_form else given.pop("form") or before.form
            door = Door(given.pop("home") or before.home, given.pop("config") or before.config, chosen is Format.JSON)
            raise typer.Exit(guarded(lambda: function(door, **given), interrupted))

        run.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *shared)}
        app.command(name, hidden=hidden)(run)
        return function

    return register


def guarded(run: Callable[[], int | None], interrupted: str) -> int:
    """The exit status; what a user can bring about ends in a message, never in a traceback."""
    try:
        begin_work()
        status = run() or 0
        sys.stdout.flush()
    except HubError as error:
        for line in str(error).splitlines() or [type(error).__name__]:
            say(line)
        return 1
    except KeyboardInterrupt:
        say(f"interrupted: {interrupted}")
        return INTERRUPTED
    except BrokenPipeError:
        _hush()
        return PIPE_CLOSED
    except OSError as error:
        say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    return status


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is now."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr(*, service: bool = False) -> None:
    """Warnings and faults show on stderr, a line each; of a service also what it does.

    Args:
        service: it runs until it is told to stop: its lines are JSON where stderr is no terminal.

    ORDERHUB_LOG (json, text) says otherwise, and ORDERHUB_LOG_LEVEL (debug, info, warning, error) from where on.
    """
    form, name = os.environ.get("ORDERHUB_LOG", ""), os.environ.get("ORDERHUB_LOG_LEVEL", "").upper()
    as_json = form == "json" or (service and form != "text" and not sys.stderr.isatty())
    level = logging.getLevelNamesMapping().get(name, logging.INFO if service and as_json else logging.WARNING)
    log_to(_Stderr(), as_json=as_json, level=level)


def say(message: str) -> None:
    """A line for the person, on stderr; stdout is for the answer alone."""
    try:
        sys.stderr.write(f"orderhub: {clean(message)}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        _hush()


def write(text: str) -> None:
    """Text on stdout as it stands."""
    sys.stdout.write(text)


def table(title: str | None, *columns: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in `right` hold figures, those in `whole` are never broken."""
    plain = None if title is None else "\n" * title.startswith("\n") + clean(title.removeprefix("\n"))
    made = Table(title=plain, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        if column in right:
            made.add_column(column, justify="right", no_wrap=True)
        else:
            made.add_column(column, overflow="fold", no_wrap=column in whole)
    return made


def cells(*values: object) -> list[str]:
    """Values as a table shows them: nothing for None, no control characters."""
    return ["" if value is None else clean(str(value)) for value in values]


def clean(text: str) -> str:
    """The text without what would steer a terminal or cannot be written."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain.encode("utf-8", "backslashreplace").decode()


def money(minor: int | None, currency: str | None) -> str:
    """An amount for people; nothing where it is not known."""
    if minor is None:
        return ""
    return format_minor(minor, currency) if currency else str(minor)


def monies(by_currency: dict[str, int]) -> str:
    """Amounts of several currencies, which are never added."""
    return ", ".join(format_minor(minor, currency) for currency, minor in sorted(by_currency.items()))


def moment(at: str | datetime | None) -> str:
    """A moment for people: to the second, in UTC."""
    if at is None:
        return ""
    read = datetime.fromisoformat(at) if isinstance(at, str) else at
    return read.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def age(at: str) -> str:
    """How long ago that was."""
    minutes = int((now() - datetime.fromisoformat(at)).total_seconds() // 60)
    hours = minutes // 60
    if hours >= 48:
        return f"{hours // 24} d"
    return f"{hours} h" if hours else f"{minutes} min"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Left to the rim: the library's own answer ends the process with a status of its own."""
        raise BrokenPipeError


def _console() -> Console:
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or COLUMNS)
    return _Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)


def _hush() -> None:
    """Whoever read our output has gone: what is still to be flushed goes nowhere, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue


_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY
_SHARED: Final = (
    inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context),
    inspect.Parameter("home", _KEYWORD, default=None, annotation=HomeOption),
    inspect.Parameter("config", _KEYWORD, default=None, annotation=ConfigOption),
    inspect.Parameter("form", _KEYWORD, default=None, annotation=FormatOption),
)
