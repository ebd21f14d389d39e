"""capture: raw records are on disk before anything else happens to them."""

from collections.abc import Sequence

from hub.model.records import Received
from hub.steps.hub import Hub
from hub.store import inbox


def capture(hub: Hub, received: Sequence[Received]) -> dict[tuple[str, str], int]:
    """All are in the inbox, each once, committed with full durability; the ids of the new ones by (channel, key)."""
    return inbox.put(hub.inbox, received)
