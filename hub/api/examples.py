"""Examples for the description: a body for each operation that takes one, a value for each parameter in a path."""

import json
from typing import Any, Final

CHANNEL: Final = "{channel}"
"""Stands for the first channel that is configured."""

BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/api/channels/{channel}/dry-run"): {"since": "2026-10-01T00:00:00Z", "limit": 5},
    ("POST", "/api/channels/{channel}/adopt"): {"until": "2026-10-31", "dry_run": True},
    ("POST", "/api/records/{id}/edit"): {
        "reason": "the shop sent a word for a price",
        "values": {"line_items[2].price": "12.00"},
    },
    ("POST", "/api/records/replay"): {"ids": [4711, 4712]},
    ("POST", "/api/replay"): {
        "since": "2026-10-01T00:00:00Z",
        "rows": [{"source": "LAMP-350", "target": "LAMP-HEAD-350", "from": "2026-10-01"}],
    },
    ("POST", "/api/exceptions/resolve"): {"fingerprint": "unmapped_item:LAMP-350", "dry_run": True},
    ("POST", "/api/exceptions/retry"): {"fingerprint": "unmapped_item:LAMP-350"},
    ("POST", "/api/exceptions/assign"): {"fingerprint": "unmapped_item:LAMP-350", "assignee": "Robin"},
    ("POST", "/api/crosswalks/{kind}"): {"source": "LAMP-350", "target": "LAMP-HEAD-350", "dry_run": True},
    ("POST", "/api/completeness"): {"period": "2026-10-05..2026-10-07", "channel": CHANNEL, "prove": True},
    ("POST", "/api/reconciliations"): {"period": "2026-10", "channel": CHANNEL},
    ("POST", "/api/reconciliations/{run}/sign"): {"note": "the residual of 3 cents is rounding"},
    ("POST", "/api/reconciliations/{run}/heal"): {"do": False},
    ("POST", "/api/bank/match"): {"line": "1f0c93aa", "payout": f"{CHANNEL}/W1"},
    ("POST", "/api/ledger/close"): {"period": "2026-09", "entity": "main"},
    ("POST", "/api/ledger/open"): {"period": "2026-09", "entity": "main"},
}

IN_PATHS: Final[dict[str, Any]] = {
    "channel": CHANNEL,
    "order": "5501234567890",
    "payout": "3",
    "period": "2026-10",
    "kind": "item",
    "run": "2026-10-20261101T000000Z",
}
"""By the parameter's name; `id` is of a record, of a token, and they differ."""

IDS: Final[dict[str, Any]] = {"/api/records/": 4711, "/api/tokens/": "45ac36e2bfd6"}
"""What `id` is, by how the path begins."""


def body(operation: tuple[str, str], channel: str) -> Any:
    """An example of what the operation takes."""
    return json.loads(json.dumps(BODIES[operation]).replace(CHANNEL, channel))


def in_path(path: str, name: str, channel: str) -> Any:
    """An example of that parameter."""
    if name == "id":
        return next(value for begin, value in IDS.items() if path.startswith(begin))
    return channel if IN_PATHS[name] == CHANNEL else IN_PATHS[name]
