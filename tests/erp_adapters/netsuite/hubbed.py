"""A hub whose ERP is a simulated NetSuite account, in process: shop orders in, documents told, people at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.hands import Hands
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.world import Switches
from erp_adapters.netsuite.adapter import NetSuiteAdapter
from erp_adapters.netsuite.simulator import CERTIFICATE_ID, Transport, opened, private_key
from hub import registry
from hub.ports import ChannelConfig, ErpConfig
from hub.settings import Ships, load_settings
from hub.steps.advance import advance_all
from hub.steps.hub import Hub, open_hub
from hub.steps.send import send_all
from hub.testing.channel import Shop, UnpleasantChannel
from tests.conftest import Clock
from tests.erp_adapters.netsuite.desk import CONFIG

ADDRESS = "https://1234567-sb1.suitetalk.api.netsuite.com"


class Office:
    """The hub, the account, and whoever works in it."""

    def __init__(self, hub: Hub, app: App, clock: Clock) -> None:
        self.hub, self.app, self.clock = hub, app, clock
        self.world, self.hands = app.world, Hands(app.world)

    def settle(self) -> None:
        """Everything that is decided is told."""
        advance_all(self.hub)
        for _ in range(20):
            sent = send_all(self.hub)
            if not sent.total:
                return
            self.clock.pass_time(seconds=1)


@contextmanager
def office(
    folder: Path, clock: Clock, switches: Switches | None = None, shop: Shop | None = None, **options: Any
) -> Iterator[Office]:
    """
    Args:
        folder: the hub's home, empty.
        shop: what is told of shipments, all of which are the ERP's; None: the channels ship.
        options: of the adapter, beside the usual ones.
    """
    first = clock().date().replace(day=1) - timedelta(days=400)
    app = opened(clock, switches=switches, first=date(first.year, first.month, 1), months=30)
    seed.charge_item(app.world, "GOODS-CREDITED", "4000")
    folder.mkdir(parents=True, exist_ok=True)
    policies = folder / "policies.yaml"
    shipped = yaml.safe_load((CONFIG / "policies.yaml").read_text())
    policies.write_text(yaml.safe_dump(shipped | {"returned_goods": "revenue"}))
    settings = load_settings(None, folder / "home", {})
    erp = settings.erp.model_copy(
        update={"slug": "netsuite", "system": "netsuite", "address": ADDRESS, "options": seed.OPTIONS | options}
    )
    entities = tuple(one.model_copy(update={"policies": policies}) for one in settings.entities)
    ships = Ships.CHANNEL if shop is None else Ships.ERP
    channels = tuple(one.model_copy(update={"ships": ships}) for one in settings.channels)
    settings = settings.model_copy(update={"erp": erp, "entities": entities, "channels": channels})
    secrets = {
        "client_id": app.auth.credentials.client_id,
        "certificate_id": CERTIFICATE_ID,
        "private_key": private_key(),
    }
    numbers = count(1)

    def connect(config: ErpConfig) -> NetSuiteAdapter:
        wired = replace(config, transport=Transport(app), secrets=lambda name: SecretStr(secrets[name]))
        return NetSuiteAdapter(wired, nonce=lambda: f"nonce{next(numbers)}")

    def connect_channel(config: ChannelConfig) -> Any:
        connector = registry.connector("shopify").connect(config)
        return connector if shop is None else UnpleasantChannel(shop, connector)

    hub = replace(open_hub(settings, clock, connect, connect_channel), sleep=lambda seconds: None)
    try:
        yield Office(hub, app, clock)
    finally:
        hub.store.dispose()
        hub.inbox.dispose()
        hub.erp.close_connections()
