"""Entries: balanced postings in the books."""

import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from hub.model.documents import DocumentKey
from hub.model.frozen import frozen


@frozen
class Posting:
    """One line of an entry; debits are positive, credits negative."""

    account: str  # the chart's account number or name
    amount_minor: int  # in `currency`
    currency: str
    functional_minor: int  # the same in the entity's functional currency


@frozen
class Entry:
    """What one document does to the books.

    Invariant: Σ amount_minor is zero for each currency, and Σ functional_minor is zero.
    """

    document: DocumentKey
    entity: str
    date: datetime.date
    memo: str
    functional: str  # the entity's functional currency
    postings: tuple[Posting, ...]
    original_date: datetime.date | None = None

    def imbalance(self) -> dict[str, int]:
        """Minor units off zero by currency, and under the key "functional"; empty when it balances."""
        off: dict[str, int] = {"functional": 0}
        for posting in self.postings:
            off[posting.currency] = off.get(posting.currency, 0) + posting.amount_minor
            off["functional"] += posting.functional_minor
        return {currency: minor for currency, minor in off.items() if minor}

    def reversed(self, on: datetime.date) -> "Entry":
        """The entry that undoes this one, dated `on`."""
        return Entry(
            self.document,
            self.entity,
            on,
            f"reversal: {self.memo}",
            self.functional,
            tuple(Posting(p.account, -p.amount_minor, p.currency, -p.functional_minor) for p in self.postings),
            self.original_date,
        )


ENTRY: Final[TypeAdapter[Any]] = TypeAdapter(Entry)


def entry_content(entry: Entry) -> bytes:
    """The entry as canonical JSON, as the store keeps it."""
    return ENTRY.serializer.to_json(entry, exclude_defaults=True)
