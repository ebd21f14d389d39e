"""NetSuite's abilities."""

from typing import Final

from erp_adapters.netsuite.auth import Nonce
from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.options import options_of
from hub.ports import ErpConfig

SETTLE_S: Final = 900  # a request may run for 15 minutes (vendor)


class NetSuiteAdapter:
    """One NetSuite account."""

    settle_s = SETTLE_S

    def __init__(self, config: ErpConfig, nonce: Nonce) -> None:
        """
        Raises:
            Misconfigured: with every fault of the options.
        """
        self.options = options_of(config)
        self.client = Client(config, self.options, nonce)

    def close_connections(self) -> None:
        """No connection of this adapter is open any more."""
        self.client.close()
