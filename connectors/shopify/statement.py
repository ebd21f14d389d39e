"""What the shop's own export says, as statement rows."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from zoneinfo import ZoneInfo

from hub.model.facts import Fact, FactKind, Fulfilment, Refund, Tender
from hub.model.order import OrderKey, Snapshot
from hub.model.statement import ChannelRow
from hub.model.subjects import subjects


class Export:
    """The facts of an export; of each thing only its latest version."""

    def __init__(self) -> None:
        self._orders: dict[OrderKey, dict[tuple[FactKind, str], Fact]] = {}

    def add(self, facts: Iterable[Fact]) -> None:
        """The facts count from now on, unless a later version of the same is known."""
        for fact in facts:
            known = self._orders.setdefault(fact.order, {})
            at = (fact.kind, fact.external_id)
            if at not in known or known[at].modified_at <= fact.modified_at:
                known[at] = fact

    def rows(self, entity: str, timezone: ZoneInfo) -> Iterator[ChannelRow]:
        """One row a subject, in the order in which the orders came; none for an order that is deleted or a test."""
        for key, facts in self._orders.items():
            whole = facts.get((FactKind.SNAPSHOT, key.external_id))
            if whole is None or (FactKind.DELETION, key.external_id) in facts:
                continue
            snapshot = whole.body
            assert isinstance(snapshot, Snapshot)  # noqa: S101 - the fact's kind says so
            parts = [(fact.external_id, fact.body) for fact in facts.values()]
            modified = whole.modified_at.astimezone(UTC).isoformat()
            for row in subjects(
                key,
                entity,
                timezone,
                snapshot,
                [body for _, body in parts if isinstance(body, Fulfilment)],
                [(identity, body) for identity, body in parts if isinstance(body, Refund)],
                [(identity, body) for identity, body in parts if isinstance(body, Tender)],
            ):
                yield ChannelRow(row, modified, snapshot.name)
