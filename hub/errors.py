"""The errors of the hub: one small tree, each with a verdict that says what happens next.

HubError
├── Retryable(after)        try again later
│   └── RateLimited(after)  … when the target allows
├── AuthExpired             the target pauses
├── Rejected(code, field)   the far side refused it: a person decides
├── InDoubt                 a write got no answer: probe, never resend
├── Untranslatable(…)       a record that a mapping cannot read: parked
├── Forged                  a delivery without a good seal: dropped
├── Altered                 what is stored is not what was recorded
├── Misconfigured           the configuration does not allow this
│   └── Missing             … for there is no such thing
└── NoAccess                whoever asks has shown no good token
"""

from enum import StrEnum

from hub.model.problems import Problem


class Next(StrEnum):
    RETRY = "retry"
    PROBE = "probe"
    PARK = "park"
    HALT = "halt"
    DROP = "drop"


class HubError(Exception):
    """Says who, doing what, to what, and what happens next."""

    next = Next.PARK
    summary = ""
    """Of its message what the hub alone said, fit for a log: a far side's own words may repeat what it was told."""


class Retryable(HubError):
    """It did not work this time; nothing was changed by it."""

    next = Next.RETRY

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class RateLimited(Retryable):
    """The far side asks for a pause."""


class AuthExpired(HubError):
    """The credentials are no longer good; the target pauses with one exception."""

    next = Next.HALT


class Rejected(HubError):
    """The far side refused a write and will refuse it again as it is."""

    def __init__(self, message: str, *, code: str, field: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.remedy = remedy


class InDoubt(HubError):
    """A write got no answer; it may or may not have happened."""

    next = Next.PROBE


class Untranslatable(HubError):
    """A record does not translate; every fault in it is named with its path.

    What could still be read of it is kept, so that the order is counted: its id, currency and claimed total.
    """

    def __init__(
        self,
        problems: tuple[Problem, ...],
        *,
        order: str | None = None,
        currency: str | None = None,
        claimed_minor: int | None = None,
    ) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems
        self.order = order
        self.currency = currency
        self.claimed_minor = claimed_minor


class Forged(HubError):
    """A delivery whose seal is missing or wrong."""

    next = Next.DROP


class Altered(HubError):
    """What the store holds is not what the hub recorded; a person looks before anything goes on."""

    next = Next.HALT


class Misconfigured(HubError):
    """The configuration does not allow what was asked; the message says what to set and where."""

    next = Next.HALT


class Missing(Misconfigured):
    """What was asked for is not there; the message says where to look for what is."""


class NoAccess(HubError):
    """Whoever asks has shown no token, or none that is good now; nothing was looked at."""

    next = Next.DROP
