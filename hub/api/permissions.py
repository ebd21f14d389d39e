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
    ("POST", "/api/channels/{channel}/dry-run"): Rule(OPERATORS, Reach.CHANNEL),
    ("POST", "/api/channels/{channel}/import"): Rule(OPERATORS, Reach.CHANNEL),
    ("POST", "/api/channels/{channel}/settlements"): Rule(FINANCE, Reach.CHANNEL),
    ("POST", "/api/channels/{channel}/adopt"): Rule(ADMINS, Reach.CHANNEL),
    ("GET", "/api/orders"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/orders/{channel}/{order:path}/timeline"): Rule(VIEWERS, Reach.CHANNEL),
    ("GET", "/api/orders/{channel}/{order:path}"): Rule(VIEWERS, Reach.CHANNEL),
    ("GET", "/api/records"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/records/{id}"): Rule(OPERATORS, Reach.OWN),  # a body has names and addresses
    ("POST", "/api/records/{id}/edit"): Rule(OPERATORS, Reach.ALL),
    ("POST", "/api/records/replay"): Rule(OPERATORS, Reach.ALL),
    ("POST", "/api/replay"): Rule(OPERATORS, Reach.ALL),
    ("GET", "/api/exceptions"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/exceptions/orders"): Rule(VIEWERS, Reach.OWN),
    ("POST", "/api/exceptions/resolve"): Rule(OPERATORS, Reach.ALL),
    ("POST", "/api/exceptions/retry"): Rule(OPERATORS, Reach.ALL),
    ("POST", "/api/exceptions/assign"): Rule(OPERATORS, Reach.ALL),
    ("GET", "/api/crosswalks"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/crosswalks/history"): Rule(VIEWERS, Reach.OWN),
    ("POST", "/api/crosswalks/{kind}"): Rule(OPERATORS, Reach.ALL),
    ("POST", "/api/crosswalks/{kind}/import"): Rule(OPERATORS, Reach.ALL),
    ("GET", "/api/completeness"): Rule(VIEWERS, Reach.OWN),
    ("POST", "/api/completeness"): Rule(OPERATORS, Reach.ALL),
    ("GET", "/api/cutoff/{period}"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/metrics/{period}"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/payouts"): Rule(VIEWERS, Reach.OWN),
    ("GET", "/api/payouts/clearing"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/payouts/{channel}/{payout:path}"): Rule(VIEWERS, Reach.CHANNEL),
    ("GET", "/api/bank/lines"): Rule(VIEWERS, Reach.ALL),
    ("POST", "/api/bank/statements"): Rule(FINANCE, Reach.ALL),
    ("POST", "/api/bank/match"): Rule(FINANCE, Reach.ALL),
    ("GET", "/api/reconciliations"): Rule(VIEWERS, Reach.ALL),
    ("POST", "/api/reconciliations"): Rule(FINANCE, Reach.ALL),
    ("GET", "/api/reconciliations/{run}"): Rule(VIEWERS, Reach.ALL),
    ("POST", "/api/reconciliations/{run}/sign"): Rule(FINANCE, Reach.ALL),
    ("POST", "/api/reconciliations/{run}/heal"): Rule(OPERATORS, Reach.ALL),
    ("GET", "/api/ledger/trial-balance"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/ledger/expected"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/ledger/accounts"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/ledger/ageing"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/ledger/journal"): Rule(VIEWERS, Reach.ALL),
    ("GET", "/api/ledger/export"): Rule(VIEWERS, Reach.ALL),
    ("POST", "/api/ledger/close"): Rule(FINANCE, Reach.ALL),
    ("POST", "/api/ledger/open"): Rule(FINANCE, Reach.ALL),
    ("GET", "/api/tokens"): Rule(ADMINS, Reach.ALL),
    ("POST", "/api/tokens/{id}/revoke"): Rule(ADMINS, Reach.ALL),
}
