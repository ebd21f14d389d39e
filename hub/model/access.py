"""Who may ask the hub what: roles, and the tokens that carry them."""

from datetime import datetime
from enum import StrEnum

from hub.model.frozen import frozen


class Role(StrEnum):
    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # and keeps orders flowing: sync, exceptions, crosswalks, records
    FINANCE = "finance"  # and closes the month: reconcile, sign, periods; no operator's deeds
    ADMIN = "admin"  # all of it, tokens and the audit trail too


@frozen
class Token:
    """What is known of a token; its secret is known to its holder alone."""

    id: str  # stands in the token itself, and is no secret
    name: str  # who it was made for: it signs for what is done with it
    role: Role
    channel: str | None  # None: every channel
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None  # to some minutes; None: never
    revoked_at: datetime | None
    revoked_by: str | None

    def state(self, now: datetime) -> str:
        """`good`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "good" if now < self.expires_at else "expired"
