"""What adoption reads and writes beside intents: which orders are named, which were adopted, the links."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, update

from hub.model.adoption import ADOPTED
from hub.model.documents import DocumentKey
from hub.model.order import OrderKey
from hub.store.bulk import add_new
from hub.store.orders import Overtaken
from hub.store.schema import adoption, day, intent, orders, step

NAMES_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Named:
    """An order that a document may name."""

    key: OrderKey
    name: str
    entity: str
    placed_on: date | None
    posting: str


def named(connection: Connection, words: Collection[str]) -> Iterator[Named]:
    """The orders, of all channels, that have one of these words as their name or their id."""
    wanted = sorted(words)
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        part = wanted[start : start + NAMES_AT_ONCE]
        seen: set[OrderKey] = set()
        by: tuple[ColumnElement[bool], ...] = (orders.c.order_id.in_(part), orders.c.name.in_(part))
        columns = (
            orders.c.channel, orders.c.order_id, orders.c.name, orders.c.entity, orders.c.placed_on, orders.c.posting,
        )  # fmt: skip
        for clause in by:
            for channel, order_id, name, entity, placed_on, posting in connection.execute(
                select(*columns).where(clause)
            ):
                key = OrderKey(channel, order_id)
                if key not in seen:
                    seen.add(key)
                    yield Named(key, name or "", entity, day(placed_on) if placed_on else None, posting)


def record(connection: Connection, versions: dict[OrderKey, int], posts_from: date, at: str, by: str) -> None:
    """These orders are adopted, and due to be decided anew; the day is the first one's where one was before.

    Args:
        versions: at which they were read.

    Raises:
        Overtaken: one of them changed since.
    """
    rows = [
        {
            "channel": key.channel,
            "order_id": key.external_id,
            "posts_from": posts_from.isoformat(),
            "adopted_at": at,
            "adopted_by": by,
        }
        for key in versions
    ]
    add_new(connection, adoption, rows)
    for key, version in versions.items():
        this = (orders.c.channel == key.channel, orders.c.order_id == key.external_id, orders.c.version == version)
        if connection.execute(update(orders).where(*this).values(version=version + 1, recheck_at=at)).rowcount != 1:
            raise Overtaken(f"adopt: {key} changed meanwhile; run it again")


def links(connection: Connection) -> dict[str, DocumentKey]:
    """Our keys by the ERP's own ids of documents that were adopted."""
    query = (
        select(step.c.ref, intent.c.document_key)
        .join(intent, intent.c.id == step.c.intent_id)
        .where(step.c.name == ADOPTED, step.c.ref.is_not(None))
    )
    return {ref: DocumentKey(key) for ref, key in connection.execute(query)}
