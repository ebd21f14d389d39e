"""The command line's way in: light, so that an interrupt while the commands are still loading ends in one line."""

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hub.cli.commands import app

__all__ = ["INTERRUPTED", "app", "main"]

INTERRUPTED: Final = 130


def main() -> None:
    """The command that the user typed has run; the process ends with its exit status."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from hub.cli.commands import app
    from hub.cli.door import log_to_stderr
    from hub.steps.hub import spare_the_collector

    log_to_stderr()
    spare_the_collector()
    app()


def begin_work() -> None:
    """From here an interrupt is an exception, so that what is under way is ended in order."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    """The process ends at once: an exception in the midst of an import is swallowed by some of them."""
    with suppress(OSError):
        os.write(2, b"orderhub: interrupted before anything was done\n")
    os._exit(INTERRUPTED)


def __getattr__(name: str) -> Any:
    if name == "app":
        from hub.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
