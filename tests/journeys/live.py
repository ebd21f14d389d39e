"""A hub on a rehearsed shop over a socket, its clock the shop's, so that waiting makes both older."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from connectors.shopify.simulator import DOMAIN, App, Server
from erp_adapters.ledger.simulator import LedgerSimulator
from hub.settings import load_settings
from hub.steps.hub import Hub, open_hub


@contextmanager
def live_hub(app: App, folder: Path, **channel: object) -> Iterator[Hub]:
    """The hub, for the block; `channel` are settings of its one channel beside those that reach the shop."""
    with Server(app) as server:
        settings = load_settings(None, folder / "home", {})
        reached = {
            "address": server.url,
            "options": {"domain": DOMAIN},
            "secrets": {"token": "SHOP_TOKEN", "webhook": "SHOP_WEBHOOK"},
        }
        live = settings.channels[0].model_copy(update={**reached, **channel})
        secrets = {"SHOP_TOKEN": SecretStr("shpat_x"), "SHOP_WEBHOOK": SecretStr("hush")}
        settings = settings.model_copy(update={"channels": (live,), "secret_values": secrets})

        def clock() -> datetime:
            return app.shop.now

        def sleep(seconds: float) -> None:
            with app.lock:
                app.shop.move_to(app.shop.now + timedelta(seconds=seconds))

        hub = replace(open_hub(settings, clock, lambda config: LedgerSimulator(config, clock)), sleep=sleep)
        try:
            yield hub
        finally:
            hub.connector("shopify").close()
            hub.erp.close_connections()
            hub.store.dispose()
            hub.inbox.dispose()
