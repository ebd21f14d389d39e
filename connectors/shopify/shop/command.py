"""The shop as a process of its own: `python -m connectors.shopify.simulator --port P --seed S --orders N …`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from connectors.shopify.shop.server import App, Server
from connectors.shopify.shop.world import CLIENT_SECRET, Setup, moment


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until it is interrupted; the first line on stdout is the address."""
    asked = _parser().parse_args(arguments)
    setup = Setup(
        seed=asked.seed,
        orders=asked.orders,
        start=moment(asked.start),
        days=asked.days,
        currency=asked.currency,
        ships=asked.ships,
        client_secret=os.environ.get(asked.secret_env) or CLIENT_SECRET,
        token=os.environ.get(asked.token_env) if asked.token_env else None,
        restore_per_s=asked.restore_per_s,
    )
    app = App(setup)
    if asked.now:
        app.shop.move_to(moment(asked.now))
    app.gateway.wall = time.monotonic
    app.faults.preset(asked.faults)
    if asked.webhooks_to:
        app.outbox.subscribe_all(asked.webhooks_to)
    server = Server(app, asked.port, asked.host, asked.url)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connectors.shopify.simulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--host", default="127.0.0.1", help="the address to listen on; its back door is there too, open to all")
    add("--url", help="where others reach it, if not at that address")
    add("--seed", type=int, default=7)
    add("--orders", type=int, default=300)
    add("--start", default="2026-09-01T00:00:00-04:00", help="the shop's time begins here, in the shop's own offset")
    add("--days", type=int, default=30, help="orders are placed in so many days from the start")
    add("--now", help="the moment to begin at; what happened before is only read, never told by webhook")
    add("--currency", default="USD")
    add("--ships", choices=("shop", "erp"), default="shop", help="erp: a parcel leaves when an integration says so")
    add("--faults", choices=("none", "mild", "hostile"), default="none")
    add("--webhooks-to", help="the address that every topic of an integration is sent to")
    add("--secret-env", default="SHOPIFY_CLIENT_SECRET", help="the variable that holds the app's client secret")
    add("--token-env", help="the variable that holds an access token which never expires")
    add("--restore-per-s", type=int, default=100, help="cost points a second: 100, 200, 1000 or 2000")
    return parser
