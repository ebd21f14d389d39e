"""The guide's own configuration before a simulated NetSuite account, as a person who follows it would have it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.simulator import CERTIFICATE_ID, opened, private_key, served
from tests.hub.cli.shop import Orderhub

ROOT = Path(__file__).parents[3]
ADDRESS = "https://1234567-sb1.suitetalk.api.netsuite.com"


def example(name: str) -> str:
    """The guide's file of this name."""
    guide = (ROOT / "docs" / "netsuite.md").read_text()
    (found,) = re.findall(rf"```yaml\n(# {re.escape(name)}\n.*?)```", guide, re.DOTALL)
    return str(found)


@contextmanager
def account(**given: Any) -> Iterator[tuple[App, str]]:
    """An account that is set up as the guide says, on a socket, in today's time."""
    app = opened(lambda: datetime.now(UTC), first=datetime.now(UTC).date() - timedelta(days=400), months=36, **given)
    for code in ("GOODS-CREDITED", "CUSTOM-LINE"):
        seed.charge_item(app.world, code, "4000")
    with served(app) as address:
        yield app, address


def configured(orderhub: Orderhub, address: str, app: App, patch: pytest.MonkeyPatch) -> str:
    """The guide's files beside the shipped data, its secrets set; the path of hub.yaml."""
    for file in (ROOT / "config").glob("*.yaml"):
        orderhub.file(file.read_bytes(), file.name)
    assert ADDRESS in example("hub.yaml")
    orderhub.file(example("hub.yaml").replace(ADDRESS, address).encode(), "hub.yaml")
    orderhub.file(example("policies.yaml").encode(), "policies.yaml")
    patch.setenv("NETSUITE_CLIENT_ID", app.auth.credentials.client_id)
    patch.setenv("NETSUITE_CERTIFICATE_ID", CERTIFICATE_ID)
    patch.setenv("NETSUITE_PRIVATE_KEY", private_key())
    patch.setenv("SHOPIFY_WEBHOOK_SECRET", "planted")
    return str(orderhub.folder / "hub.yaml")
