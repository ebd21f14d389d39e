"""The account as a process of its own: `python -m erp_adapters.netsuite.simulator --port P --seed S …`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from erp_adapters.netsuite.account.control import Control, MovedClock
from erp_adapters.netsuite.account.faults import LATE_S, PRESETS
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.server import Server
from erp_adapters.netsuite.account.world import Clock

Open = Callable[[Clock, int, Callable[[float], None] | None], App]
"""An account of a clock and a seed; the last is what a request waits with while it is under way."""


def run(open_account: Open, arguments: Sequence[str] | None = None) -> None:
    """Serves until it is interrupted; the first line on stdout is the address."""
    asked = _parser().parse_args(arguments)
    clock = MovedClock(lambda: datetime.now(UTC))
    app = open_account(clock, asked.seed, time.sleep if asked.call_ms else None)
    if asked.any_key:
        app.world.switches.unique_external_ids = False
    app.call_s = asked.call_ms / 1000
    app.faults.preset(asked.faults)
    app.faults.late_s = tuple(asked.late_s)
    server = Server(app, asked.port, Control(app, clock).answer, asked.host, asked.url)
    app.base_url = server.url
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m erp_adapters.netsuite.simulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--host", default="127.0.0.1", help="the address to listen on; its back door is there too, open to all")
    add("--url", help="where others reach it, if not at that address")
    add("--seed", type=int, default=7, help="the account's ids and faults, and the key that it knows")
    add("--faults", choices=sorted(PRESETS), default="none")
    add("--late-s", type=int, nargs=2, default=LATE_S, metavar=("FROM", "TO"), help="how late a late commit happens")
    add("--any-key", action="store_true", help="an external id that is there already is taken again")
    add("--call-ms", type=int, default=0, help="how long a request is under way")
    return parser
