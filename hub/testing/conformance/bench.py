"""What the suite for connectors needs of a system: `BENCH`, exported by the system's simulator module.

It imports nothing but the standard library, so that a simulator needs no test tool to run.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

STOCK = "stock"


class Fault(StrEnum):
    """What a far side does wrong. The first eleven are of one request, the others stand until they are healed."""

    RATE_LIMITED = "rate_limited"  # turned away, and told how long to wait
    THROTTLED = "throttled"  # turned away in the system's other way, if it has one; nothing was done
    SERVER_ERROR = "server_error"  # a 5xx; nothing was done
    FAILED_AFTER = "failed_after"  # a 5xx; it was done
    BROKEN_ANSWER = "broken_answer"  # it was done; the answer is not what it should be written in
    CUT_SHORT = "cut_short"  # it was done; the connection ends within the answer
    LOST_BEFORE = "lost_before"  # nothing was done, and the connection ends
    LOST_AFTER = "lost_after"  # it was done, and the connection ends
    LATE_COMMIT = "late_commit"  # the connection ends, and what was asked is done later
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - every access token given out ends now
    ECHO = "echo"  # refused, with an answer that repeats the whole request, its credentials too
    ACCESS_DENIED = "access_denied"  # the credentials are good, and orders are not for them
    REVOKED = "revoked"  # no credential is good any more
    DRIFT = "drift"  # the system speaks words, or leaves out fields, that nobody knew it would


@dataclass(frozen=True, slots=True)
class Login:
    """One way in which a channel of the system can be configured to log in."""

    options: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    public: Mapping[str, str] = field(default_factory=dict)  # given like secrets, and none: a client's id


@dataclass(frozen=True, slots=True)
class OrderTruth:
    """An order as the far side really has it now."""

    id: str
    placed_at: datetime
    modified_at: datetime
    currency: str
    claimed_minor: int  # what the far side says the order came to as placed, as a snapshot claims it
    lines: int
    test: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A webhook as the far side sends it."""

    id: str  # equal on a retry
    headers: Mapping[str, str] = field(repr=False)  # lower-case names
    body: bytes = field(repr=False)
    at: datetime


@runtime_checkable
class FarSide(Protocol):
    """A simulated system on a socket of this machine; its time is its own and moves when it is told to."""

    address: str
    currency: str
    timezone: str

    @property
    def requests(self) -> int:
        """Answered so far."""

    @property
    def turned_away(self) -> int:
        """How many of them asked for more than their share, with no fault about."""

    def tokens(self) -> Sequence[str]:
        """Every token that was handed out so far."""

    def leave(self) -> None:
        """Nobody answers at the address any more."""

    def logins(self) -> Mapping[str, Login]:
        """Every kind by a name of its own; the first is a channel's usual one."""

    def now(self) -> datetime: ...

    def pass_time(self, seconds: float) -> None:
        """So much later; what was due by then has happened."""

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        """The next requests meet the fault; whether the system has this fault at all.

        Args:
            times: None: every request does, until it is healed. Of no account for a fault that stands anyway.
            after: so many requests that go well.
        """

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        """So many of a thousand requests meet the fault, drawn from a seed; whether the system has it."""

    def heal(self) -> None:
        """No fault is left."""

    def truth(self) -> Sequence[OrderTruth]:
        """Every order placed by now, deleted ones too."""

    def touch(self, orders: Sequence[str]) -> None:
        """These orders were changed now, all in one and the same moment, in nothing that matters."""

    def delete(self, order: str) -> None:
        """The order is gone."""


@runtime_checkable
class Seals(Protocol):
    """For a connector that accepts."""

    seal_headers: Sequence[str]  # without any of these a delivery is kept out

    def configured(self, *secrets: str) -> Mapping[str, str]:
        """What a channel holds while these seal: the one in force first, then the one before it."""

    def sealed(self, body: bytes, secret: str | None = None) -> Sent:
        """The body as the far side would send it, under a secret; None: the one that the login holds."""

    def told(self) -> Sequence[Sent]:
        """What was told in the life of every order, each kind of thing at least once; some of it twice or more."""


@runtime_checkable
class Ships(Protocol):
    """For a connector that is told of shipments. Opened so that goods wait for that."""

    def waiting(self) -> Mapping[str, Mapping[str, int]]:
        """Units that can be shipped, by order and line."""

    def shipped(self, order: str) -> Sequence[Mapping[str, int]]:
        """The order's shipments that stand, each as units by line."""

    def levels(self) -> Mapping[tuple[str, str], int]:
        """What is on hand, by item and location in the system's own words; empty: it keeps no stock."""

    def fail_write(self, fault: Fault) -> bool:
        """The next request that would change something meets the fault; whether the system has it."""


class Bench(Protocol):
    samples: Path  # NAME.in.json as received, NAME.out.json the canonical result
    lacks: Mapping[str, str]
    """What the simulator does not serve, each with the reason: an ability's name, a fault's value, or STOCK. The suite
    skips what stands here and nothing else."""
    page_orders: int  # as many orders as the connector reads at once, so that a suite can ask for more

    def open(self, orders: int, *, unshipped: bool = False) -> AbstractContextManager[FarSide]:
        """A far side with so many orders of every kind, a test and one of 300 lines among them.

        Args:
            unshipped: their goods wait for an integration; else their lives are over.
        """
