"""Crosswalks: a channel's words to the ERP's, dated; applied when a decision is made, never when a record is read."""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class CrosswalkKind(StrEnum):
    ITEM = "item"  # SKU -> the ERP's item
    LOCATION = "location"
    SHIP_METHOD = "ship_method"
    PAYMENT_METHOD = "payment_method"
    TAX_CODE = "tax_code"
    CUSTOMER_CLASS = "customer_class"
    GL_ACCOUNT = "gl_account"
    ENTITY = "entity"


ANY_CHANNEL = "*"


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    kind: CrosswalkKind
    channel: str  # ANY_CHANNEL: every channel that has no row of its own
    source: str
    target: str
    valid_from: datetime.date


class Crosswalks:
    """The rows in force for one channel; `version` names exactly these rows."""

    def __init__(self, channel: str, rows: list[CrosswalkRow]) -> None:
        self.channel = channel
        self._dated: dict[tuple[CrosswalkKind, str], list[CrosswalkRow]] = {}
        own = [row for row in rows if row.channel == channel]
        general = [row for row in rows if row.channel == ANY_CHANNEL]
        for row in sorted(general, key=_by_date) + sorted(own, key=_by_date):
            self._dated.setdefault((row.kind, row.source), []).append(row)
        listed = "\n".join(sorted(f"{r.kind} {r.channel} {r.source} {r.target} {r.valid_from}" for r in general + own))
        self.version = sha256(listed.encode()).hexdigest()[:12]

    def find(self, kind: CrosswalkKind, source: str, on: datetime.date) -> str | None:
        """The target in force on that day; a channel's own row wins over a general one. None: unmapped."""
        rows = self._dated.get((kind, source))
        if rows is None:
            return None
        for row in reversed(rows):
            if row.valid_from <= on:
                return row.target
        return None


def _by_date(row: CrosswalkRow) -> datetime.date:
    return row.valid_from
