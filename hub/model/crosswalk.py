"""Crosswalks: a channel's words to the ERP's, dated; applied when a decision is made, never when a record is read."""

import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from hub.model.frozen import frozen


class CrosswalkKind(StrEnum):
    ITEM = "item"  # SKU -> the ERP's item
    LOCATION = "location"
    SHIP_METHOD = "ship_method"  # a shipping line's code, else its title
    PAYMENT_METHOD = "payment_method"
    TAX_CODE = "tax_code"  # a jurisdiction in the channel's words
    CUSTOMER_CLASS = "customer_class"  # a CustomerWord
    GL_ACCOUNT = "gl_account"  # a role of the chart -> the number of another account of that role
    SETTLEMENT = "settlement"  # a payment provider's word for a line of a payout -> a SettlementKind
    ENTITY = "entity"  # refused, see REFUSED


REFUSED: Final = {
    CrosswalkKind.ENTITY: "an order belongs to its channel's entity, in its books and its statements alike; "
    "give each entity a channel of its own (channels[].entity in hub.yaml)",
}
"""Kinds that have a name and no effect, each with the reason and the remedy: no row of theirs is taken."""


class CustomerWord(StrEnum):
    """What the class of a customer is looked up by, the first of its words that has a row."""

    GUEST = "guest"  # the channel's one account for buyers without one
    BUSINESS = "business"
    CONSUMER = "consumer"
    ANY = "*"


ANY_CHANNEL = "*"


@frozen
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
        self.kinds = {row.kind for row in rows if row.channel in (channel, ANY_CHANNEL)}
        self._dated: dict[tuple[CrosswalkKind, str], list[CrosswalkRow]] = {}
        self._reversed: dict[tuple[CrosswalkKind, datetime.date], dict[str, list[str]]] = {}
        own = [row for row in rows if row.channel == channel]
        general = [row for row in rows if row.channel == ANY_CHANNEL]
        for row in sorted(general, key=_by_date) + sorted(own, key=_by_date):
            self._dated.setdefault((row.kind, row.source), []).append(row)
        listed = "\n".join(sorted(f"{r.kind} {r.channel} {r.source} {r.target} {r.valid_from}" for r in general + own))
        self.version = sha256(listed.encode()).hexdigest()[:12]

    def all(self, kind: CrosswalkKind, on: datetime.date) -> dict[str, str]:
        """Every target of a kind in force on that day, by source."""
        sources = [source for of, source in self._dated if of is kind] if kind in self.kinds else []
        found = {source: self.find(kind, source, on) for source in sorted(sources)}
        return {source: target for source, target in found.items() if target is not None}

    def find(self, kind: CrosswalkKind, source: str, on: datetime.date) -> str | None:
        """The target in force on that day; a channel's own row wins over a general one. None: unmapped."""
        rows = self._dated.get((kind, source))
        if rows is None:
            return None
        for row in reversed(rows):
            if row.valid_from <= on:
                return row.target
        return None

    def sources(self, kind: CrosswalkKind, target: str, on: datetime.date) -> list[str]:
        """The channel's words that mean this target on that day, sorted."""
        if (kind, on) not in self._reversed:
            words: dict[str, list[str]] = {}
            for source in sorted(source for of_kind, source in self._dated if of_kind is kind):
                if (meant := self.find(kind, source, on)) is not None:
                    words.setdefault(meant, []).append(source)
            self._reversed[kind, on] = words
        return self._reversed[kind, on].get(target, [])


def _by_date(row: CrosswalkRow) -> datetime.date:
    return row.valid_from
