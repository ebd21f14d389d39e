"""Personal data as it comes in and goes out: kept by order, filled in for a call, never brought back once purged.

A party belongs to the order that named it, so that one order's go without touching another's; an account's stands once,
under no order. What names a party elsewhere (facts, documents, events) has its id and version alone.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Dialect, and_, or_, select

from hub.model.documents import Document
from hub.model.order import PARTY, OrderKey, Party, PartyRef
from hub.store.bulk import Compiled, compiled, run, upserting
from hub.store.schema import party, redaction

CHUNK: Final = 500  # values bound at once in an IN list
NO_ORDER: Final = ""
"""The order of an account's party: it is the customer's, whichever order names it."""

WHOLE_CHANNEL: Final = "channel"
OF_CUSTOMER: Final = "customer"
OF_ORDER: Final = "order"

Rows = list[dict[str, Any]]


def party_row(key: OrderKey, one: Party, received_at: str) -> dict[str, Any]:
    """A party as a record of this order, received then, brought it; `named_by` is no column but for `put` to see."""
    return {
        "channel": key.channel,
        "order_id": NO_ORDER if one.ref.of_account else key.external_id,
        "id": one.ref.id,
        "version": one.ref.version,
        "body": PARTY.serializer.to_json(one, exclude_defaults=True).decode(),
        "received_at": received_at,
        "purged_at": None,
        "named_by": key.external_id,
    }


def put(connection: Connection, rows: Rows) -> None:
    """These parties are there; what a redaction covers, or was purged after it was received, stays empty.

    A version that was purged is filled again only by a record received after the purge: the person is back.
    """
    if not rows:
        return
    untils = _redacted(connection, rows)
    kept = {_key(row): row for row in sorted(rows, key=lambda row: (*_key(row), row["received_at"]))}
    for key, row in kept.items() if untils else ():
        until = max(
            untils.get((row["channel"], WHOLE_CHANNEL, ""), ""),
            untils.get((row["channel"], OF_ORDER, row["named_by"]), ""),
            untils.get((row["channel"], OF_CUSTOMER, row["id"]), ""),
        )
        if row["received_at"] <= until:
            kept[key] = {**row, "body": None, "purged_at": until}
    run(connection, _upsert(connection.dialect), list(kept.values()))


@lru_cache(maxsize=10)
def _upsert(dialect: Dialect) -> Compiled:
    """Compiled once, as in hub/store/bulk.py: a batch has more than a thousand parties."""
    statement = upserting(dialect, party)
    fresh = statement.excluded
    comes_later = and_(
        fresh.body.is_not(None),
        fresh.received_at > party.c.received_at,
        or_(party.c.purged_at.is_(None), fresh.received_at > party.c.purged_at),
    )
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "order_id", "id", "version"],
        set_={name: fresh[name] for name in ("body", "received_at", "purged_at")},
        where=comes_later,
    )
    return compiled(statement, dialect, [column.name for column in party.columns])


def fill(connection: Connection, named: Sequence[tuple[str, str, Document]]) -> list[tuple[Party, ...]]:
    """The parties that each document names, with their personal data; one purged is empty but for its reference.

    Args:
        named: channel, order and document of each; two queries at most serve all of them.
    """
    wanted: set[tuple[str, str, PartyRef]] = set()
    for channel, order_id, document in named:
        wanted.update((channel, NO_ORDER if ref.of_account else order_id, ref) for ref in document.parties)
    found = _bodies(connection, wanted) if wanted else {}
    return [
        tuple(
            found.get((channel, NO_ORDER if ref.of_account else order_id, ref)) or Party(ref)
            for ref in document.parties
        )
        for channel, order_id, document in named
    ]


def _bodies(
    connection: Connection, wanted: Iterable[tuple[str, str, PartyRef]]
) -> dict[tuple[str, str, PartyRef], Party]:
    of_orders: dict[str, set[str]] = {}
    of_accounts: dict[str, set[str]] = {}
    for channel, order_id, ref in wanted:
        if order_id == NO_ORDER:
            of_accounts.setdefault(channel, set()).add(ref.id)
        else:
            of_orders.setdefault(channel, set()).add(order_id)
    clauses = [
        and_(party.c.channel == channel, party.c.order_id == NO_ORDER, party.c.id.in_(part))
        for channel, ids in of_accounts.items()
        for part in _chunks(ids)
    ]
    clauses += [
        and_(party.c.channel == channel, party.c.order_id.in_(part))
        for channel, ids in of_orders.items()
        for part in _chunks(ids)
    ]
    found: dict[tuple[str, str, PartyRef], Party] = {}
    for clause in clauses:
        for channel, order_id, id, version, body in connection.execute(
            _PARTIES.where(clause, party.c.body.is_not(None))
        ):
            found[channel, order_id, PartyRef(id, version)] = PARTY.validate_json(body)
    return found


_PARTIES: Final = select(party.c.channel, party.c.order_id, party.c.id, party.c.version, party.c.body)


def _redacted(connection: Connection, rows: Rows) -> dict[tuple[str, str, str], str]:
    """Until when what these rows are of was redacted, by channel, kind and subject."""
    if connection.execute(select(redaction.c.channel).limit(1)).first() is None:
        return {}  # as a rule
    channels = sorted({row["channel"] for row in rows})
    query = select(redaction.c.channel, redaction.c.kind, redaction.c.subject, redaction.c.until)
    query = query.where(redaction.c.channel.in_(channels))
    subjects = {row["named_by"] for row in rows} | {row["id"] for row in rows}
    found: dict[tuple[str, str, str], str] = {}
    clauses: list[ColumnElement[bool]] = [redaction.c.kind == WHOLE_CHANNEL]
    clauses += [redaction.c.subject.in_(part) for part in _chunks(subjects)]
    for clause in clauses:
        for channel, kind, subject, until in connection.execute(query.where(clause)):
            found[channel, kind, subject] = until
    return found


def _key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["channel"], row["order_id"], row["id"], row["version"]


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
