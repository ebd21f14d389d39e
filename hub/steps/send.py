"""send: claim (transaction) → call (none open) → settle (transaction); in doubt: probe, never resend.

A kill between any two of these loses nothing and doubles nothing: a step claimed and not settled is probed when its
lease has run out, and every write carries the key by which the ERP knows it, or is looked for by what it made.

Targets are apart: a document that the ERP refuses holds nothing that a channel is told, and a channel that is down
holds nothing of the ERP's.
"""

from typing import Any, Final

from hub.errors import Misconfigured
from hub.ports import ProbesDocuments, PutsDocuments
from hub.steps import calling
from hub.steps.calling import Answer
from hub.steps.hub import Hub, sweep_cycles
from hub.steps.settling import Sent, settle
from hub.store import sending, targets
from hub.store.orders import ERP_TARGET

BATCH_STEPS: Final = 500
BATCH_CALLS: Final = 20  # steps that a channel is told under one lease: each is a few calls


def send(hub: Hub, limit: int = BATCH_STEPS, target: str = ERP_TARGET) -> Sent:
    """The next due steps of a target were tried once, the first of each order; nothing sent: `total` is 0."""
    sent = _send(hub, limit, target)
    sweep_cycles()
    return sent


def _send(hub: Hub, limit: int, target: str) -> Sent:
    now = hub.clock()
    try:
        adapter = _adapter(hub, target)
    except Misconfigured as fault:
        if target == ERP_TARGET:
            raise
        return settle(hub, target, Answer(now, fault=fault), 0)
    if adapter is None:
        return Sent()
    with hub.writing() as connection, connection.begin():
        claimed = sending.claim(connection, target, limit if target == ERP_TARGET else min(limit, BATCH_CALLS), now)
    if not claimed:
        return Sent()
    return settle(hub, target, calling.put(adapter, claimed, now), _settles_s(hub, target, adapter))


def probe(hub: Hub, limit: int = BATCH_STEPS, target: str = ERP_TARGET) -> Sent:
    """Steps in doubt were looked for in the target: found is adopted, absent is believed after the settling time."""
    now = hub.clock()
    with hub.store.connect() as connection:
        doubtful = sending.in_doubt(connection, target, limit if target == ERP_TARGET else BATCH_CALLS, now)
    adapter = _adapter(hub, target) if doubtful else None
    if adapter is None or not isinstance(adapter, ProbesDocuments):
        return Sent()
    settles_s = _settles_s(hub, target, adapter)
    sent = settle(hub, target, calling.probe(adapter, doubtful, now, settles_s), settles_s)
    sent.adopted, sent.done = sent.done, 0
    return sent


def send_all(hub: Hub) -> Sent:
    """Nothing is due any more: every step was tried, and those in doubt probed, until nothing moves, in all targets."""
    total = Sent()
    while True:
        _drain(hub, ERP_TARGET, total)
        told = 0
        for slug in _told_channels(hub):
            told += _drain(hub, slug, total.told.setdefault(slug, Sent()))
        if not told:  # what a channel answered may decide an order anew, and so concern the ERP
            total.told = {slug: sent for slug, sent in total.told.items() if sent.total}
            return total


def _drain(hub: Hub, target: str, total: Sent) -> int:
    """Nothing of this target is due any more; how many steps moved."""
    moved = 0
    while True:
        sent = send(hub, target=target)
        if not sent.moved:
            probed = probe(hub, target=target)
            _add(total, probed)
            moved += probed.found
            if not probed.found:
                _add(total, sent)
                return moved
        moved += sent.moved
        _add(total, sent)


def _told_channels(hub: Hub) -> list[str]:
    """The channels that something waits to be told to."""
    with hub.store.connect() as connection:
        return [one.slug for one in hub.settings.channels if sending.waiting(connection, one.slug)]


def _adapter(hub: Hub, target: str) -> Any:
    """What talks to a target; None: nothing waits for that channel, or it is paused."""
    if target == ERP_TARGET:
        adapter = hub.erp
        if not isinstance(adapter, PutsDocuments):
            raise Misconfigured(f"erp {hub.settings.erp.slug}: it takes no documents")
        return adapter
    with hub.store.connect() as connection:
        if targets.standing(connection, target).paused(hub.clock()) or not sending.waiting(connection, target):
            return None
    adapter = hub.connector(target)
    if not isinstance(adapter, PutsDocuments):
        raise Misconfigured(f"channel {target}: its connector can be told nothing; set ships: channel, stock: none")
    return adapter


def _settles_s(hub: Hub, target: str, adapter: Any) -> int:
    own = adapter.settle_s if isinstance(adapter, ProbesDocuments) else 0
    owner = hub.settings.erp if target == ERP_TARGET else hub.settings.channel(target)
    configured = owner.settle_s
    return own if configured is None else configured


def _add(total: Sent, sent: Sent) -> None:
    total.done += sent.done
    total.parts += sent.parts
    total.adopted += sent.adopted
    total.rejected += sent.rejected
    total.in_doubt = sent.in_doubt
    total.differing += sent.differing
    total.again += sent.again
