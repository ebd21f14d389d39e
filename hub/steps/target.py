"""A target, opened: what talks to it, how many calls it bears at once, how long they take and their answers count."""

from dataclasses import dataclass
from typing import Any, Final

from hub.errors import Misconfigured
from hub.ports import BoundsCalls, ProbesDocuments, PutsDocuments, ReadsBack
from hub.steps.hub import Hub
from hub.store import sending, targets
from hub.store.orders import ERP_TARGET
from hub.store.sending import LEASE_S

SPARE_S: Final = 30
"""What a lease lasts longer than the longest call: for the way from the claim to the call and back to the store."""


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    adapter: Any
    settles_s: int = 0  # after a write so old, absent means absent
    slots: int | None = None  # calls that it bears at once, whoever makes them; None: many writes go in one call
    lease_s: int = LEASE_S

    @property
    def reads_later(self) -> bool:
        """Whether documents are read back many in one call, and not with their writes."""
        return self.slots is not None and isinstance(self.adapter, ReadsBack)


def open_target(hub: Hub, name: str) -> Target | None:
    """The target; None: nothing waits for that channel, or it is paused.

    Raises:
        Misconfigured: it cannot be told anything as it is configured.
    """
    if name == ERP_TARGET:
        adapter = hub.erp
        if not isinstance(adapter, PutsDocuments):
            raise Misconfigured(f"erp {hub.settings.erp.slug}: it takes no documents")
        return _target(name, adapter, hub.settings.erp.settle_s, hub.settings.erp.slots)
    now = hub.clock()
    with hub.store.connect() as connection:
        if targets.standing(connection, name, now).paused(now) or not sending.waiting(connection, name):
            return None
    adapter = hub.connector(name)
    if not isinstance(adapter, PutsDocuments):
        raise Misconfigured(f"channel {name}: its connector can be told nothing; set ships: channel, stock: none")
    channel = hub.settings.channel(name)
    return _target(name, adapter, channel.settle_s, channel.slots)


def _target(name: str, adapter: Any, settle_s: int | None, slots: int | None) -> Target:
    own_s = adapter.settle_s if isinstance(adapter, ProbesDocuments) else 0
    longest_s = adapter.call_s_max if isinstance(adapter, BoundsCalls) else 0
    return Target(name, adapter, own_s if settle_s is None else settle_s, slots, max(LEASE_S, longest_s + SPARE_S))
