"""Shopify's words → the model. Pure."""

from mappings.shopify.translation import translate

__all__ = ["translate"]
