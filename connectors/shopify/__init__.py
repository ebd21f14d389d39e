"""Shopify."""

from connectors.shopify.live import connect
from hub.ports import ConnectorPlugin

PLUGIN = ConnectorPlugin(system="shopify", connect=connect)

__all__ = ["PLUGIN"]
