"""A target with slots: as many calls at once as it bears, over all workers; each is settled as soon as it ends.

One thread claims and settles; the threads of the pool only call. So the store is written by one thread a worker, and
what a call came to is on record before its slot is taken again. How many slots are free is the store's to say: a step
that was sent and not settled holds one until its lease runs out, and so does a look (a probe, a read-back).
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hub.ports import ProbesDocuments, ReadsBack
from hub.steps import calling
from hub.steps.calling import Answer
from hub.steps.hub import Hub
from hub.steps.settling import Sent, settle
from hub.steps.target import Target
from hub.store import reading_back, sending

PROBES_AT_ONCE: Final = 20
READ_BACKS_AT_ONCE: Final = 100
READ_BACKS_WAIT_S: Final = 60
"""How long fewer read-backs than fill a call wait for more, while there is something to send."""

Call = Callable[[], Answer]


def send_by_slots(hub: Hub, target: Target, limit: int, at_once: int | None = None) -> Sent:
    """The due steps of the target were tried, at most so many; those in doubt looked for, those done read back.

    Args:
        at_once: calls under way from here; None: as many as the target has slots.
    """
    total = Sent()
    faults: list[BaseException] = []  # nobody thought of them: the leases of these calls run out, and they are probed
    under_way: set[Future[Answer]] = set()
    slots = min(target.slots or 1, at_once or target.slots or 1)
    with ThreadPoolExecutor(slots, thread_name_prefix=f"send-{target.name}") as pool:
        while True:
            if not faults:
                calls, writes = begin(hub, target, slots - len(under_way), limit, idle=not under_way)
                limit -= writes
                under_way.update(pool.submit(call) for call in calls)
            if not under_way:
                break
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            faults += [fault for one in ended if (fault := one.exception()) is not None]
            in_doubt = total.in_doubt
            total.add(settle(hub, target, *(one.result() for one in ended if one.exception() is None)))
            total.in_doubt += in_doubt
    if faults:
        raise faults[0]
    return total


def probe_in_a_slot(hub: Hub, target: Target) -> Sent:
    """The next steps in doubt were looked for, in one call."""
    with hub.writing() as connection, connection.begin():
        call = _probe(connection, target, hub.clock())
    return settle(hub, target, call()) if call is not None else Sent()


def read_back_in_a_slot(hub: Hub, target: Target) -> int:
    """The next documents that are due were read back, in one call; how many."""
    with hub.writing() as connection, connection.begin():
        call = _read_back(connection, target, hub.clock(), enough=1)
    if call is None:
        return 0
    answer = call()
    settle(hub, target, answer)
    return len(answer.read)


def begin(hub: Hub, target: Target, calls: int, writes: int, *, idle: bool) -> tuple[list[Call], int]:
    """The next calls of the target, each with its slot in the store, and how many of them write.

    What is in doubt goes first, for its order waits; then what is to be read back, once it fills a call; then writes.

    Args:
        calls: at most so many, of which at most `writes` write.
        idle: this worker has no call under way, so read-backs do not wait for more.
    """
    now = hub.clock()
    begun: list[Call] = []
    with hub.writing() as connection, connection.begin():
        if calls > 0 and (look := _probe(connection, target, now)) is not None:
            begun.append(look)
        if calls > len(begun) and (look := _read_back(connection, target, now, enough=READ_BACKS_AT_ONCE)) is not None:
            begun.append(look)
        most = min(writes, calls - len(begun))
        claimed = sending.claim(connection, target.name, most, now, slots=target.slots, lease_s=target.lease_s)
        if idle and not begun and not claimed and (last := _read_back(connection, target, now, enough=1)) is not None:
            begun.append(last)
    begun += [partial(calling.put, target.adapter, [one], now, read=not target.reads_later) for one in claimed]
    return begun, len(claimed)


def _probe(connection: Connection, target: Target, now: datetime) -> Call | None:
    if target.slots is None or not isinstance(target.adapter, ProbesDocuments):
        return None
    doubtful = sending.claim_doubtful(
        connection, target.name, PROBES_AT_ONCE, now, slots=target.slots, lease_s=target.lease_s
    )
    read = not target.reads_later
    return partial(calling.probe, target.adapter, doubtful, now, target.settles_s, read=read) if doubtful else None


def _read_back(connection: Connection, target: Target, now: datetime, *, enough: int) -> Call | None:
    if target.slots is None or not isinstance(target.adapter, ReadsBack):
        return None
    unread = reading_back.claim(
        connection,
        target.name,
        READ_BACKS_AT_ONCE,
        now,
        enough=enough,
        waited_s=READ_BACKS_WAIT_S,
        slots=target.slots,
        lease_s=target.lease_s,
    )
    return partial(calling.read_back, target.adapter, unread, now, target.settles_s) if unread else None
