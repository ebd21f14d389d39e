"""send: claim (transaction) → call (none open) → settle (transaction); in doubt: probe, never resend.

A kill between any two of these loses nothing and doubles nothing: a step claimed and not settled is probed when its
lease has run out, and every write carries the key by which the ERP knows it, or is looked for by what it made.

Targets are apart: a document that the ERP refuses holds nothing that a channel is told, and a channel that is down
holds nothing of the ERP's.
"""

from typing import Final

from hub.errors import Misconfigured
from hub.ports import ProbesDocuments
from hub.steps import calling
from hub.steps.calling import Answer
from hub.steps.hub import Hub, sweep_cycles
from hub.steps.settling import Sent, settle
from hub.steps.slots import begin, probe_in_a_slot, read_back_in_a_slot, send_by_slots
from hub.steps.target import Target, open_target
from hub.store import sending
from hub.store.orders import ERP_TARGET

BATCH_STEPS: Final = 500
STEPS_BY_SLOTS: Final = 10_000
BATCH_CALLS: Final = 20  # steps that a channel is told under one lease: each is a few calls


def send(hub: Hub, limit: int | None = None, target: str = ERP_TARGET, at_once: int | None = None) -> Sent:
    """The next due steps of a target were tried once, the first of each order; nothing sent: `total` is 0.

    Where the target has slots, also what comes due meanwhile, until nothing is: those in doubt are looked for, and
    what was sent is read back.

    Args:
        limit: steps to be sent; None: BATCH_STEPS, BATCH_CALLS to a channel, STEPS_BY_SLOTS where there are slots.
        at_once: calls that this worker makes at once of a target with slots; None: as many as it has.
    """
    sent = _send(hub, limit, target, at_once)
    sweep_cycles()
    return sent


def _send(hub: Hub, limit: int | None, name: str, at_once: int | None = None) -> Sent:
    now = hub.clock()
    try:
        target = open_target(hub, name)
    except Misconfigured as fault:
        if name == ERP_TARGET:
            raise
        return settle(hub, Target(name, None), Answer(now, fault=fault))
    if target is None:
        return Sent()
    if target.slots is not None:
        return send_by_slots(hub, target, limit or STEPS_BY_SLOTS, at_once)
    most = BATCH_STEPS if name == ERP_TARGET else BATCH_CALLS
    with hub.writing() as connection, connection.begin():
        claimed = sending.claim(connection, name, min(limit or most, most), now)
    return settle(hub, target, calling.put(target.adapter, claimed, now, read=True)) if claimed else Sent()


def send_one(hub: Hub, target: str = ERP_TARGET) -> int:
    """The next call of a target was made in this thread, and settled; how many documents it was about.

    For who decides what comes between claim, call and settlement, as a rehearsal does.
    """
    opened = open_target(hub, target)
    if opened is None:
        return 0
    if opened.slots is None:
        return _send(hub, 1, target).total
    calls, _ = begin(hub, opened, 1, 1, idle=True)
    answers = [call() for call in calls]
    return settle(hub, opened, *answers).total + sum(len(one.read) for one in answers)


def probe(hub: Hub, target: str = ERP_TARGET) -> Sent:
    """Steps in doubt were looked for in the target: found is adopted, absent is believed after the settling time."""
    now = hub.clock()
    with hub.store.connect() as connection:
        most = BATCH_STEPS if target == ERP_TARGET else BATCH_CALLS
        doubtful = sending.in_doubt(connection, target, most, now)
    opened = open_target(hub, target) if doubtful else None
    if opened is None or not isinstance(opened.adapter, ProbesDocuments):
        return Sent()
    if opened.slots is not None:
        return probe_in_a_slot(hub, opened)
    return settle(hub, opened, calling.probe(opened.adapter, doubtful, now, opened.settles_s, read=True))


def read_back_due(hub: Hub, target: str = ERP_TARGET) -> int:
    """The next documents that are due to be read back were, in one call; how many."""
    opened = open_target(hub, target)
    return read_back_in_a_slot(hub, opened) if opened is not None and opened.reads_later else 0


def send_all(hub: Hub, at_once: int | None = None) -> Sent:
    """Nothing is due any more: every step was tried, and those in doubt probed, until nothing moves, in all targets.

    Args:
        at_once: as `send` takes it.
    """
    total = Sent()
    while True:
        _drain(hub, ERP_TARGET, total, at_once)
        told = 0
        for slug in _told_channels(hub):
            told += _drain(hub, slug, total.told.setdefault(slug, Sent()), at_once)
        if not told:  # what a channel answered may decide an order anew, and so concern the ERP
            total.told = {slug: sent for slug, sent in total.told.items() if sent.total}
            return total


def _drain(hub: Hub, target: str, total: Sent, at_once: int | None) -> int:
    """Nothing of this target is due any more; how many steps moved."""
    moved = 0
    while True:
        sent = send(hub, target=target, at_once=at_once)
        if not sent.moved:
            probed = probe(hub, target=target)
            total.add(probed)
            moved += probed.found
            if not probed.found:
                total.add(sent)
                return moved
        moved += sent.moved
        total.add(sent)


def _told_channels(hub: Hub) -> list[str]:
    """The channels that something waits to be told to."""
    with hub.store.connect() as connection:
        return [one.slug for one in hub.settings.channels if sending.waiting(connection, one.slug)]
