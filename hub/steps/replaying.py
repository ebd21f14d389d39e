"""replay: stored records are read again, as they stand or as a person edited them; what that would change, in money.

A preview goes the whole way — translate, fold, plan, decide — and writes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import Misconfigured, Missing, Untranslatable
from hub.model.crosswalk import CrosswalkRow
from hub.model.decisions import Decided
from hub.model.documents import DOCUMENT, Document, DocumentKind
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action
from hub.model.order import OrderKey
from hub.model.records import Record
from hub.steps import exceptions
from hub.steps.advance import advance_all, new_facts
from hub.steps.deciding import DecidedOrder, Decider, NewFact
from hub.steps.hub import Hub
from hub.store import audit, inbox, orders
from hub.store.schema import stamp

BATCH_ORDERS: Final = 200
EXAMPLES_MAX: Final = 20
EDIT_BYTES_MAX: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """An order that would change: its documents, with what they come to before and after."""

    order: str
    name: str
    documents: tuple[tuple[str, str, int | None, int | None], ...]  # key, action, before_minor, after_minor
    currency: str
    held: bool


@dataclass(slots=True)
class Preview:
    """What reading the orders again would change; amounts in minor units."""

    orders: int = 0  # looked at
    changed: int = 0
    released: int = 0  # held now, and no longer then
    released_minor: dict[str, int] = field(default_factory=dict)  # by currency
    held: dict[str, int] = field(default_factory=dict)  # orders held then and not now, by fingerprint
    untranslatable: int = 0  # records
    documents: dict[str, int] = field(default_factory=dict)  # by action
    sales_minor: dict[str, int] = field(default_factory=dict)  # of the orders, by currency
    tax_minor: dict[str, int] = field(default_factory=dict)
    accounts: dict[tuple[str, str], int] = field(default_factory=dict)  # (account, currency): + is a debit
    examples: list[Example] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "changed": self.changed,
            "released": self.released,
            "released_minor": self.released_minor,
            "held": self.held,
            "untranslatable": self.untranslatable,
            "documents": self.documents,
            "sales_minor": _not_zero(self.sales_minor),
            "tax_minor": _not_zero(self.tax_minor),
            "accounts": [
                {"account": account, "currency": currency, "delta_minor": minor}
                for (account, currency), minor in sorted(self.accounts.items())
                if minor
            ],
            "examples": [
                {
                    "order": example.order,
                    "name": example.name,
                    "currency": example.currency,
                    "held": example.held,
                    "documents": [
                        {"document": key, "action": action, "before_minor": before, "after_minor": after}
                        for key, action, before, after in example.documents
                    ],
                }
                for example in self.examples
            ],
        }


def body_of(hub: Hub, id: int) -> bytes:
    """The record's body, as it was edited last.

    Raises:
        Misconfigured: no such record, or its body was purged.
    """
    [record] = _legible(hub, [id])
    return record.body


def edit(hub: Hub, id: int, content: bytes, by: str, reason: str) -> None:
    """The record says what the person made of it, and its order is decided anew; the original is kept.

    Raises:
        Misconfigured: no such record, or its body was purged, or the new one is no JSON.
    """
    _legible(hub, [id])
    try:
        json.loads(content)
    except ValueError as error:
        raise Misconfigured(f"records edit: the new body is not JSON: {error}") from None
    if len(content) > EDIT_BYTES_MAX:
        raise Misconfigured(f"records edit: the new body has more than {EDIT_BYTES_MAX} bytes")
    now = hub.clock()
    reading = inbox.put_edit(hub.inbox, id, content, by, reason, now)
    _noted(hub, now, by, "records.edit", str(id), {"reading": reading, "reason": reason})
    advance_all(hub)


def read_again(hub: Hub, ids: Sequence[int], by: str) -> int:
    """These records were translated anew by today's mappings, and their orders decided; how many they were.

    Raises:
        Misconfigured: there is no such record, or its body was purged.
    """
    _legible(hub, ids)
    count = inbox.read_again(hub.inbox, ids)
    _noted(hub, hub.clock(), by, "records.replay", ",".join(map(str, ids[:20])), {"records": count})
    advance_all(hub)
    return count


def preview(hub: Hub, since: datetime, proposed: Sequence[CrosswalkRow] = (), channel: str | None = None) -> Preview:
    """What today's mappings and these crosswalk rows would change of the orders placed since then; nothing is written.

    Args:
        channel: only this one's orders; None: all.
    """
    found = Preview()
    with hub.store.connect() as connection:
        keys = orders.placed_since(connection, stamp(since), channel)
        for start in range(0, len(keys), BATCH_ORDERS):
            _preview(hub, connection, keys[start : start + BATCH_ORDERS], proposed, found)
    return found


def preview_release(hub: Hub, fingerprint: str, order: str | None = None) -> Preview:
    """What taking these orders as they are would post; nothing is written.

    Raises:
        Misconfigured: as of `hub.steps.exceptions.resolve`.
    """
    held = exceptions.releasable(hub, fingerprint, order)
    return preview_orders(hub, [one.key for one in held], released=held[0].code)


def preview_orders(
    hub: Hub, keys: Iterable[OrderKey], proposed: Sequence[CrosswalkRow] = (), released: str | None = None
) -> Preview:
    """What deciding these orders anew would change; nothing is written.

    Args:
        proposed: crosswalk rows as if they were set.
        released: the code of a hold as if it were released.
    """
    found = Preview()
    wanted = sorted(set(keys))
    with hub.store.connect() as connection:
        for start in range(0, len(wanted), BATCH_ORDERS):
            part = wanted[start : start + BATCH_ORDERS]
            _preview(hub, connection, part, proposed, found, reading=False, released=released)
    return found


def _preview(
    hub: Hub,
    connection: Connection,
    keys: Sequence[OrderKey],
    proposed: Sequence[CrosswalkRow],
    found: Preview,
    *,
    reading: bool = True,
    released: str | None = None,
) -> None:
    now = hub.clock()
    known = orders.load(connection, keys)
    if released is not None:
        for one in known.values():
            one.released.add(released)
    told = _told_again(hub, connection, keys, found) if reading else {}
    decider = Decider(hub, connection, known, now, proposed)
    before = orders.held_now(connection, keys)
    for key in keys:
        found.orders += 1
        decided = decider.order(key, told.get(key, ()))
        _add(found, decided, set(before.get(key, ())))


def _told_again(
    hub: Hub, connection: Connection, keys: Sequence[OrderKey], found: Preview
) -> dict[OrderKey, list[NewFact]]:
    """What the records of these orders say by today's mappings, where it is not what they said."""
    hashes = orders.fact_hashes(connection, keys)
    ids = orders.record_ids(connection, keys)
    for channel in {key.channel for key in keys}:
        ids |= set(inbox.held_of(hub.inbox, channel, [key.external_id for key in keys if key.channel == channel]))
    told: dict[OrderKey, list[NewFact]] = {}
    for record in inbox.load(hub.inbox, sorted(ids)):
        if not record.body:
            continue  # purged: what it said stands
        for new in _read(hub, record, found):
            if new.hash not in hashes.get(new.fact.order, ()):
                told.setdefault(new.fact.order, []).append(new)
    return told


def _read(hub: Hub, record: Record, found: Preview) -> Iterator[NewFact]:
    again = Record(
        record.id, record.channel, record.topic, record.source, record.body, record.received_at, record.readings + 1
    )
    try:
        translation = hub.connector(record.channel).translate(again)
    except Untranslatable:
        found.untranslatable += 1
        return
    yield from new_facts(again, translation, stamp(hub.clock()))


def _add(found: Preview, decided: DecidedOrder, held_before: set[str]) -> None:
    snapshot = decided.state.snapshot
    held_then = {hold.fingerprint for hold in decided.holds}
    if held_before and not held_then and snapshot is not None:
        found.released += 1
        _plus(found.released_minor, snapshot.currency, snapshot.claimed_total_minor)
    for fingerprint in held_then - held_before:
        found.held[fingerprint] = found.held.get(fingerprint, 0) + 1
    documents = []
    for intent in decided.decision.intents:
        standing = _standing(decided, intent.document)
        before = standing.total_minor if standing else None
        after = None if intent.action is Action.VOID else intent.document.total_minor
        documents.append((str(intent.document.key), intent.action.value, before, after))
        found.documents[intent.action.value] = found.documents.get(intent.action.value, 0) + 1
        _post(found, intent.entry, 1)
        _post(found, intent.reversal, 1)
        if intent.document.kind is DocumentKind.SALES_ORDER:
            currency = intent.document.currency
            _plus(found.sales_minor, currency, (after or 0) - (before or 0))
            tax = 0 if intent.action is Action.VOID else intent.document.tax_minor
            _plus(found.tax_minor, currency, tax - (standing.tax_minor if standing else 0))
    for key in decided.decision.superseded:
        held: Decided = decided.known.decided[key]
        if held.entry is not None:
            _post(found, ENTRY.validate_json(held.entry), -1)
    if documents or decided.decision.superseded or held_then != held_before:
        found.changed += 1
        if len(found.examples) < EXAMPLES_MAX and snapshot is not None:
            name = f"{decided.key.channel}/{decided.key.external_id}"
            example = Example(name, snapshot.name, tuple(documents), snapshot.currency, bool(held_then))
            found.examples.append(example)


def _standing(decided: DecidedOrder, document: Document) -> Document | None:
    """The document as it was decided before, where it stands."""
    held = decided.known.decided.get(document.key)
    if held is None or held.action is Action.VOID:
        return None
    standing: Document = DOCUMENT.validate_json(held.content)
    return standing


def _post(found: Preview, entry: Entry | None, sign: int) -> None:
    for posting in entry.postings if entry else ():
        at = (posting.account, posting.currency)
        found.accounts[at] = found.accounts.get(at, 0) + sign * posting.amount_minor


def _plus(sums: dict[str, int], currency: str, minor: int) -> None:
    sums[currency] = sums.get(currency, 0) + minor


def _not_zero(sums: dict[str, int]) -> dict[str, int]:
    return {currency: minor for currency, minor in sorted(sums.items()) if minor}


def _legible(hub: Hub, ids: Iterable[int]) -> list[Record]:
    wanted = list(ids)
    found = {record.id: record for record in inbox.load(hub.inbox, wanted)}
    for id in wanted:
        if id not in found:
            raise Missing(f"no record {id}: see orderhub records list")
        if not found[id].body:
            raise Misconfigured(f"record {id}: its body was purged; nothing is left of it to read")
    return [found[id] for id in wanted]


def _noted(hub: Hub, now: datetime, by: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    with hub.writing() as connection, connection.begin():
        audit.note(connection, now, by, action, subject, detail)
