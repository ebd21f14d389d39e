"""How many requests the account takes at once, from everybody together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from erp_adapters.netsuite.account.errors import Refused, too_many
from erp_adapters.netsuite.account.world import Switches


class PoolFull(Refused):
    """A request that found no place."""


class Governance:
    """The pool of the account; `others` counts what other integrations have under way."""

    def __init__(self, switches: Switches) -> None:
        self._switches, self._lock = switches, threading.Lock()
        self.in_flight = 0
        self.most = 0  # at once, so far
        self.refused = 0
        self.others = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place in the pool for the time of a block.

        Raises:
            PoolFull: all are taken; nothing was executed.
        """
        with self._lock:
            if self.in_flight + self.others >= self._switches.concurrency_limit:
                self.refused += 1
                said = too_many(self._switches.concurrency_form)
                raise PoolFull(said.status, said.code, said.detail, top=said.top)
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
        try:
            yield
        finally:
            with self._lock:
                self.in_flight -= 1
