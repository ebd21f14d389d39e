"""The daily root: one hash that stands for every event recorded up to the end of a day (UTC).

What it covers is written out in docs/decisions; `hub/verifier.py` computes it again with code of its own.
"""

import datetime
import json
from hashlib import sha256
from typing import Final

from hub.model.frozen import frozen

GENESIS: Final = "0" * 64
"""The root before the first day."""


@frozen
class DayRoot:
    """What was recorded on a day, and the hash over it and over the root of the day before."""

    day: datetime.date
    orders: int  # with an event recorded that day
    events: int  # recorded that day
    root: str


class DaySum:
    """The leaves of one day, one an order, summed up as they come: in byte order of (channel, order)."""

    __slots__ = ("_leaves", "events", "orders")

    def __init__(self) -> None:
        self.orders = 0
        self.events = 0
        self._leaves = sha256()

    def add(self, channel: str, order: str, events: int, last: int, last_hash: str) -> None:
        """An order is summed in.

        Args:
            events: how many of its events were recorded that day.
            last: the highest number among them; by its chain, `last_hash` stands for all that came before it as well.
        """
        self.orders += 1
        self.events += events
        leaf = json.dumps([channel, order, last, last_hash], ensure_ascii=False, separators=(",", ":"))
        self._leaves.update(f"{leaf}\n".encode())

    def root(self, day: datetime.date, before: str) -> DayRoot:
        """The day's root, chained to the one before."""
        said = f"{before}|{day.isoformat()}|{self.orders}|{self.events}|{self._leaves.hexdigest()}"
        return DayRoot(day, self.orders, self.events, sha256(said.encode()).hexdigest())
