"""Shopify's words → the model. Pure."""

from mappings.overlay import compiled
from mappings.shopify.translation import translate

__all__ = ["compiled", "translate"]
