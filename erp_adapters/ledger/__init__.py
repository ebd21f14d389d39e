"""The reference ledger: a small real ERP behind a database URL of its own."""

import datetime

from erp_adapters.ledger.adapter import LedgerAdapter
from hub.ports import ErpConfig, ErpPlugin


def _connect(config: ErpConfig) -> LedgerAdapter:
    return LedgerAdapter(config, now=lambda: datetime.datetime.now(datetime.UTC))


PLUGIN = ErpPlugin(system="ledger", connect=_connect)
