"""NetSuite."""

import secrets

from erp_adapters.netsuite.adapter import NetSuiteAdapter
from hub.ports import ErpConfig, ErpPlugin


def _connect(config: ErpConfig) -> NetSuiteAdapter:
    return NetSuiteAdapter(config, nonce=lambda: secrets.token_hex(16))


PLUGIN = ErpPlugin(system="netsuite", connect=_connect)
