"""The reference ledger's words → the model. Pure."""

from mappings.ledger.changes import translate

__all__ = ["translate"]
