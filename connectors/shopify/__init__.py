"""Shopify."""

from connectors.shopify.connector import ShopifyConnector
from hub.ports import ConnectorPlugin

PLUGIN = ConnectorPlugin(system="shopify", connect=ShopifyConnector)

__all__ = ["PLUGIN"]
