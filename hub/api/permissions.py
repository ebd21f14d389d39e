"""Who may do what at the web door: one table, a row a route; the guard reads it, and no route starts without a row."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.model.access import Role


class Reach(StrEnum):
    """What a token of one channel gets of a route."""

    CHANNEL = "channel"  # the path names the channel: its own, and no other
    OWN = "own"  # the answer is of its channel alone
    ALL = "all"  # nothing: the answer or the deed is of all channels together


@dataclass(frozen=True, slots=True)
class Rule:
    roles: frozenset[Role]
    reach: Reach


OPEN: Final = None
"""For whoever asks, without a token."""

VIEWERS: Final = frozenset(Role)
OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
FINANCE: Final = frozenset({Role.FINANCE, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})

MATRIX: Final[dict[tuple[str, str], Rule | None]] = {
    ("POST", "/webhooks/{channel}"): OPEN,  # sealed by the channel itself
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/api/openapi.json"): OPEN,
    ("GET", "/metrics"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/runs/{run}"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/status"): Rule(VIEWERS, Reach.ALL),
    ("POST", "/api/channels/{channel}/sync"): Rule(OPERATORS, Reach.CHANNEL),
}
