"""What goes wrong, drawn from the seed: on the wire, in webhooks, in what the vendor's words are.

A rate is of a thousand. `next` holds faults of the wire that come first, one a request, in their order.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from connectors.shopify.shop.stamps import drawn

WIRE = (
    "rate_limited",  # 429 with a Retry-After
    "server_error",  # 502 or 503, nothing was done
    "failed_after",  # 502 or 503, and it was done
    "broken_json",  # a 200 whose body is not JSON
    "cut_short",  # the connection ends within the body
    "lost_before",  # the connection ends before anything was done
    "lost_after",  # it was done, then the connection ends
    "late_commit",  # the connection ends, and what was asked is done later
    "throttled",  # THROTTLED although the bucket is full enough
    "token_expired",  # every access token ends now
)
WEBHOOKS = ("lost", "doubled", "late", "reordered", "forged", "thin")  # thin: a very large order without all its lines
DRIFT = ("new_word", "null_field")
_PRESETS: dict[str, dict[str, int]] = {
    "none": {},
    "mild": {
        "rate_limited": 10,
        "server_error": 10,
        "failed_after": 3,
        "lost_before": 5,
        "lost_after": 5,
        "throttled": 10,
        "lost": 30,
        "doubled": 30,
        "late": 30,
        "reordered": 50,
        "forged": 5,
    },
    "hostile": {
        "rate_limited": 40,
        "server_error": 40,
        "failed_after": 20,
        "broken_json": 20,
        "cut_short": 20,
        "lost_before": 20,
        "lost_after": 30,
        "late_commit": 20,
        "throttled": 30,
        "token_expired": 5,
        "lost": 120,
        "doubled": 120,
        "late": 100,
        "reordered": 200,
        "forged": 30,
        "thin": 500,
        "new_word": 10,
        "null_field": 10,
    },
}
SKEW_S_HOSTILE = 97


@dataclass(slots=True)
class Faults:
    """Which faults come, and how often."""

    seed: int
    rates: dict[str, int] = field(default_factory=dict)
    next: deque[str] = field(default_factory=deque)
    skew_s: int = 0  # the shop's clock as it says it, ahead of the true one
    met: dict[str, int] = field(default_factory=dict)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/faults")

    def preset(self, name: str) -> None:
        self.rates = dict(_PRESETS[name])
        self.skew_s = SKEW_S_HOSTILE if name == "hostile" else 0

    def set(self, asked: dict[str, Any]) -> None:
        """What `/_control/faults` asks: preset, rates, next, skew_s.

        Raises:
            ValueError: no such fault.
        """
        if (name := asked.get("preset")) is not None:
            if name not in _PRESETS:
                raise ValueError(f"no such preset: {name}")
            self.preset(name)
        for fault, rate in (asked.get("rates") or {}).items():
            if fault not in (*WIRE, *WEBHOOKS, *DRIFT):
                raise ValueError(f"no such fault: {fault}")
            self.rates[fault] = int(rate)
        for fault in asked.get("next") or ():
            if fault not in (*WIRE, "none"):
                raise ValueError(f"no such fault of the wire: {fault}")
            self.next.append(fault)
        self.skew_s = int(asked.get("skew_s", self.skew_s))

    def of_the_wire(self) -> str | None:
        """The fault that this request meets."""
        if self.next:
            found = self.next.popleft()
            return self._meet(found) if found != "none" else None
        if not any(self.rates.get(fault) for fault in WIRE):
            return None
        at = self._chance.randrange(1000)
        for fault in WIRE:
            at -= self.rates.get(fault, 0)
            if at < 0:
                return self._meet(fault)
        return None

    def strikes(self, fault: str, *names: object) -> bool:
        """Whether this one thing meets the fault; the same thing always gets the same answer."""
        struck = drawn(0, 999, self.seed, fault, *names) < self.rates.get(fault, 0)
        if struck:
            self._meet(fault)
        return struck

    def _meet(self, fault: str) -> str:
        self.met[fault] = self.met.get(fault, 0) + 1
        return fault
