"""receive: a webhook's delivery is on disk, its seal checked, before it is acknowledged.

Deliveries that come together share one commit: while one group is being committed the next gathers.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from hub.errors import HubError, Misconfigured, Retryable
from hub.model.records import Received
from hub.ports import Accepts, Delivery
from hub.steps.capture import capture, told_of_group
from hub.steps.hub import Hub
from hub.store import inbox
from hub.store.engine import write_back

log = logging.getLogger(__name__)

DELIVERY_BYTES_MAX: Final = 2 * 1024 * 1024
BUSY_S: Final = 5
GROUP_MAX: Final = 256  # deliveries that share a commit
GATHER_S: Final = 0.001  # a little patience halves the commits, and with them what the writer takes of the machine
WRITTEN_BACK_GROUPS: Final = 8  # else one commit in a hundred finds 64 MB to write back, and all that wait, wait for it
WAITING_MAX: Final = 2_048
WAITING_BYTES_MAX: Final = 64 * 1024 * 1024
STOPS_S: Final = 35  # longer than a locked database is waited for

Ticket = TypeVar("Ticket")
Acceptance = Callable[[Mapping[str, str], bytes], Received]


def receive(hub: Hub, slug: str, headers: Mapping[str, str], body: bytes) -> bool:
    """The delivery is in the inbox, committed with full durability; False: it was there before.

    Args:
        headers: by lower-case name.

    Raises:
        Forged: no seal or a wrong one; nothing is kept of it.
        Misconfigured: there is no such channel, or it takes no webhooks.
        Retryable: the inbox could not take it now; the sender should try again.
    """
    received = acceptance(hub, slug)(headers, body)
    try:
        return bool(capture(hub, [received]))
    except DBAPIError as fault:
        raise Retryable(f"the inbox took no delivery: {type(fault.orig).__name__}", BUSY_S) from fault


def acceptance(hub: Hub, slug: str) -> Acceptance:
    """What lets the deliveries of a channel in: headers by lower-case name and body in, a record out, not stored.

    It raises Forged for no seal or a wrong one, and Misconfigured where the channel's secret is not there.

    Raises:
        Misconfigured: there is no such channel, or it takes no webhooks.
    """
    connector = hub.connector(slug)
    if not isinstance(connector, Accepts):
        raise Misconfigured(f"channel {slug}: its connector takes no webhooks")
    accept = connector.accept
    return lambda headers, body: accept(Delivery(headers, body, hub.clock()))


@dataclass(slots=True)
class Counts:
    """What came in since the process began; read by anyone, each part written by one thread."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (channel, what became of it)
    commits: int = 0
    commit_mode: str = ""


Answer = bool | HubError
"""True: stored; False: it was there before; else why it is not stored."""


class Intake(Generic[Ticket]):
    """Writes deliveries into the inbox on a thread of its own, all that wait in one commit.

    A delivery that the store refuses does not fail those that it shares a commit with.
    """

    def __init__(
        self, hub: Hub, answered: Callable[[Sequence[tuple[Ticket, Answer]]], None], counts: Counts | None = None
    ) -> None:
        """Args:
        answered: is told of each group once it is committed, or could not be; on the writing thread.
        """
        self.counts = counts or Counts()
        self._hub = hub
        self._answered = answered
        self._waiting: SimpleQueue[tuple[Received, Ticket] | None] = SimpleQueue()
        self._offered = self._offered_bytes = 0  # written by the thread that offers
        self._taken = self._taken_bytes = 0  # written by the thread that writes
        self._thread = threading.Thread(target=self._write, name="intake", daemon=True)
        self._beside = threading.Thread(target=self._write_back, name="intake write-back", daemon=True)
        self._logged = threading.Event()
        self._ended = False

    def start(self) -> None:
        """Raises:
        Misconfigured: a commit of the inbox could be lost after it has returned.
        """
        self.counts.commit_mode = inbox.commits_with(self._hub.inbox)
        self._thread.start()
        self._beside.start()

    def stop(self) -> None:
        """What was offered is answered."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(STOPS_S)
            self._ended = True
            self._logged.set()
            self._beside.join(STOPS_S)

    def offer(self, received: Received, ticket: Ticket) -> bool:
        """It will be answered; False: too many wait, and it was not taken. To be called by one thread only."""
        size = len(received.body)
        if (
            self._offered - self._taken >= WAITING_MAX
            or self._offered_bytes - self._taken_bytes + size > WAITING_BYTES_MAX
        ):
            return False
        self._offered += 1
        self._offered_bytes += size
        self._waiting.put((received, ticket))
        return True

    def _write(self) -> None:
        more = True
        while more:
            group, more = self._gather()
            if group:
                answers = self._stored([received for received, _ in group])
                self._taken_bytes += sum(len(received.body) for received, _ in group)
                self._taken += len(group)
                self._answered([(ticket, answer) for (_, ticket), answer in zip(group, answers, strict=True)])

    def _write_back(self) -> None:
        """What SQLite's log holds goes to the file beside the writer, so that no commit finds much of it to do."""
        while True:
            self._logged.wait()
            self._logged.clear()
            if self._ended:
                return
            try:
                write_back(self._hub.inbox)
            except DBAPIError as fault:  # the commits that come will do it
                log.warning("intake.not_written_back", extra={"fault": fault})

    def _gather(self) -> tuple[list[tuple[Received, Ticket]], bool]:
        """All that waits, up to a group; False: no more will come."""
        first = self._waiting.get()
        if first is None:
            return [], False
        time.sleep(GATHER_S)
        group = [first]
        while len(group) < GROUP_MAX:
            try:
                one = self._waiting.get_nowait()
            except Empty:
                break
            if one is None:
                return group, False
            group.append(one)
        return group, True

    def _stored(self, received: Sequence[Received]) -> Sequence[Answer]:
        """An answer each, in their order; two of one key in a group are one row."""
        try:
            with self._hub.inbox.connect().execution_options(writes=True) as connection:
                new = inbox.put_durably(connection, received)
        except (OperationalError, Misconfigured) as fault:  # locked, full, gone: it would be so for each
            return [self._failed(fault)] * len(received)
        except Exception as fault:  # noqa: BLE001  the writer's rim: one bad row ends neither it nor the others
            if len(received) == 1:
                return [self._failed(fault)]
            half = len(received) // 2
            return [*self._stored(received[:half]), *self._stored(received[half:])]
        self.counts.commits += 1
        if self.counts.commits % WRITTEN_BACK_GROUPS == 0:
            self._logged.set()
        told_of_group(received, new)
        return [new.pop((one.channel, one.key), None) is not None for one in received]

    def _failed(self, fault: Exception) -> HubError:
        cause = type(fault.orig if isinstance(fault, DBAPIError) else fault).__name__
        log.error("intake.failed", extra={"fault": cause})
        return Retryable(f"the inbox took no delivery: {cause}", BUSY_S)
