"""The daily roots: every complete day sealed by one hash, chained to the day before."""

import datetime
from datetime import UTC

from hub.errors import Altered
from hub.model.chain import GENESIS, DayRoot
from hub.steps.hub import Hub
from hub.store import roots


def make_roots(hub: Hub) -> DayRoot | None:
    """Every day up to yesterday (UTC) has its root, from the day of the first event on; the newest root.

    To be called as often as one likes, by several at once: a root is a function of the events alone, the first to
    write it wins, and the others find the same. A day without events has a root too, so that a gap is a fault.

    Returns:
        None while no day with an event is complete.

    Raises:
        Altered: a day has a root already, and it is not what its events give.
    """
    yesterday = hub.clock().astimezone(UTC).date() - datetime.timedelta(days=1)
    with hub.store.connect() as reading:
        last = roots.last_root(reading)
    if last is not None and last.day >= yesterday:
        return last
    with hub.writing() as writing, writing.begin():
        roots.close(writing, yesterday)
    with hub.store.connect() as reading:
        first = last.day + datetime.timedelta(days=1) if last else roots.first_day(reading, yesterday)
        if first is None:
            return None
        made = []
        before = last.root if last else GENESIS
        for on, summed in roots.sums(reading, first, yesterday).items():
            made.append(summed.root(on, before))
            before = made[-1].root
    with hub.writing() as writing, writing.begin():
        roots.add_roots(writing, made, hub.clock())
        stored = roots.find_roots(writing, first, yesterday)
    for mine, theirs in zip(made, stored, strict=True):
        if mine != theirs:
            raise Altered(f"the root of {mine.day} is {theirs.root}, its events give {mine.root}; run orderhub verify")
    return made[-1]
