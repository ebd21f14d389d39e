"""What goes wrong on the way, ordered one by one or drawn from a seed."""

from __future__ import annotations

import random
from collections import deque
from typing import Final

from hub.testing.conformance.bench import Fault

STANDING: Final = (Fault.ACCESS_DENIED, Fault.REVOKED, Fault.DRIFT)
"""Until they are healed; the others are of one request."""
SERVED: Final = frozenset(Fault)
PRESETS: Final[dict[str, dict[Fault, int]]] = {
    "none": {},
    "mild": {
        Fault.RATE_LIMITED: 10,
        Fault.SERVER_ERROR: 10,
        Fault.FAILED_AFTER: 3,
        Fault.LOST_BEFORE: 5,
        Fault.LOST_AFTER: 5,
    },
    "hostile": {
        Fault.RATE_LIMITED: 40,
        Fault.THROTTLED: 20,
        Fault.SERVER_ERROR: 30,
        Fault.FAILED_AFTER: 20,
        Fault.BROKEN_ANSWER: 15,
        Fault.CUT_SHORT: 15,
        Fault.LOST_BEFORE: 20,
        Fault.LOST_AFTER: 30,
        Fault.LATE_COMMIT: 20,
        Fault.TOKEN_EXPIRED: 5,
    },
}
SEARCH_LAG_S: Final = {"none": 0, "mild": 5, "hostile": 120}
"""How much later than the record service a search hears of a change. Nobody has measured it."""
OTHERS: Final = {"none": 0, "mild": 3, "hostile": 4}
"""How many requests other integrations have under way."""
LATE_S: Final = (30, 840)
"""How much later a late commit happens: a request may run for 15 minutes."""


class ConnectionLost(Exception):
    """The connection ended without an answer."""


class Faults:
    """Which request meets what. Rates are of a thousand requests."""

    def __init__(self, chance: random.Random) -> None:
        self.rates: dict[Fault, int] = {}
        self.met: dict[Fault, int] = {}
        self.standing: set[Fault] = set()
        self.late_s: tuple[int, int] = LATE_S
        self._chance = chance
        self._next: deque[Fault | None] = deque()
        self._next_write: deque[Fault] = deque()
        self._always: Fault | None = None
        self._always_after = 0

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        """The next requests meet the fault.

        Args:
            times: None: every request does, until it is healed.
            after: so many requests that go well.
        """
        if fault in STANDING:
            self.standing.add(fault)
        elif times is None:
            self._always, self._always_after = fault, after
        else:
            self._next.extend([None] * after + [fault] * times)
        return True

    def fail_write(self, fault: Fault) -> bool:
        """The next request that would change something meets the fault."""
        if fault in STANDING:
            self.standing.add(fault)
        else:
            self._next_write.append(fault)
        return True

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        """So many of a thousand requests meet the fault."""
        if fault in STANDING:
            return False
        self.rates[fault] = per_mille
        return True

    def preset(self, name: str) -> None:
        """The rates of this name: none, mild or hostile."""
        self.rates = dict(PRESETS[name])

    def heal(self) -> None:
        """No fault is left."""
        self.rates.clear()
        self.standing.clear()
        self._next.clear()
        self._next_write.clear()
        self._always = None

    def draw(self, *, write: bool) -> Fault | None:
        """The fault that this request meets."""
        found = self._drawn(write=write)
        if found is not None:
            self.met[found] = self.met.get(found, 0) + 1
        return found

    def late(self) -> int:
        """How many seconds later a late commit happens."""
        return self._chance.randint(*self.late_s)

    def _drawn(self, *, write: bool) -> Fault | None:
        if write and self._next_write:
            return self._next_write.popleft()
        if self._next:
            return self._next.popleft()
        if self._always is not None:
            if self._always_after:
                self._always_after -= 1
                return None
            return self._always
        if any(self.rates.values()):
            at = self._chance.randrange(1000)
            for fault, rate in self.rates.items():
                at -= rate
                if at < 0:
                    return fault
        return None
