"""Orders with their facts, events, holds, intents and expected entries: what `advance` reads and writes, set-wise."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, case, or_, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.errors import Retryable
from hub.model.decisions import REPORTS, Decided, HoldCode
from hub.model.documents import DocumentKey
from hub.model.facts import Fact, FactKind, Source, adapter
from hub.model.intents import Action, StepState
from hub.model.order import OrderKey
from hub.model.state import Commercial
from hub.store import personal, restoring
from hub.store.bulk import add, add_new, reserve, upserting
from hub.store.engine import gave_way
from hub.store.schema import (
    IS_OF_NO_ORDER,
    IS_OPEN,
    adoption,
    counter,
    day,
    event,
    exception,
    fact,
    intent,
    moment,
    orders,
    release,
    step,
)

CHUNK: Final = 500  # values bound at once in an IN list
NO_CHAIN: Final = "0" * 64
"""The hash before an order's first event."""

NOT_SENT: Final = (StepState.PLANNED.value, StepState.REJECTED.value)
"""The ERP has nothing of it: a later decision takes its place."""


HOLDS: Final = tuple(code.value for code in HoldCode if code not in REPORTS)
ERP_TARGET: Final = "erp"
"""The target of steps that go to the ERP; of those that go to a channel it is the channel's slug."""


class Overtaken(Retryable):
    """Another worker changed one of these orders since it was read: read again and decide anew."""


def lost_the_race(fault: Overtaken | DBAPIError) -> bool:
    """Whether another worker was faster, and nothing was written: it may be tried anew."""
    return isinstance(fault, Overtaken) or gave_way(fault)


@dataclass(slots=True)
class Known:
    """What the store holds of one order."""

    version: int = 0  # 0: never seen
    events: int = 0
    chain: str = NO_CHAIN
    credit_minor: int = 0
    facts: list[Fact] = field(default_factory=list)
    identities: set[tuple[str, str, str, str, str]] = field(default_factory=set)  # kind, id, hash, modified_at, source
    decided: dict[DocumentKey, Decided] = field(default_factory=dict)
    told: dict[DocumentKey, Decided] = field(default_factory=dict)  # as `decided`, of what its channel is told
    unsent: dict[DocumentKey, int] = field(default_factory=dict)  # the intents of those decided and not sent
    released: set[str] = field(default_factory=set)  # hold codes
    open_exceptions: dict[str, str] = field(default_factory=dict)  # fingerprint -> code
    posts_from: date | None = None  # of an adopted order: what is dated earlier is the older integration's


Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Changes:
    """The rows that one batch writes, by table; filled by `advance`, written at once."""

    parties: Rows = field(default_factory=list)
    facts: Rows = field(default_factory=list)
    new_orders: Rows = field(default_factory=list)
    new_stubs: Rows = field(default_factory=list)  # orders known only by a record that does not translate
    changed_orders: Rows = field(default_factory=list)  # with `was`: the version they were decided on
    events: Rows = field(default_factory=list)
    intents: Rows = field(default_factory=list)  # ids counted from 0 within the batch, as in steps
    steps: Rows = field(default_factory=list)
    urgent: Rows = field(default_factory=list)  # at_channel, at_order, at_target, urgent: of steps decided before
    superseded: list[int] = field(default_factory=list)  # intents never sent
    opened: Rows = field(default_factory=list)  # exceptions
    resolved: Rows = field(default_factory=list)  # by_channel, by_order, by_fingerprint, resolved_at, resolution


def load(connection: Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, Known]:
    """What is known of these orders; an order never seen is absent."""
    known: dict[OrderKey, Known] = {}
    for part in _chunks(sorted(keys)):
        found = _load_orders(connection, part)
        if found:
            seen = [key for key in part if key in found]
            _load_facts(connection, seen, found)
            _load_decided(connection, seen, found)
            _load_holds(connection, seen, found)
            for key, posts_from in adopted(connection, seen).items():
                found[key].posts_from = posts_from
            known.update(found)
    return known


def load_told(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, Known]:
    """What was decided under these keys, each of which is a notice's own and no order's."""
    found = {key: Known() for key in keys}
    for part in _chunks(keys):
        _load_decided(connection, part, found)
    return found


def load_decided(connection: Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, Known]:
    """What was decided under these keys, of what is no order, and the exceptions open on them."""
    known = {key: Known() for key in keys}
    for part in _chunks(sorted(known)):
        _load_decided(connection, part, known)
        _load_holds(connection, part, known)
    return known


def record(connection: Connection, changes: Changes) -> None:
    """All of it is written, or nothing.

    Raises:
        Overtaken: one of the orders is no longer at the version that this was decided on.
    """
    personal.put(connection, changes.parties)
    add_new(connection, fact, changes.facts)
    _record_orders(connection, changes)
    add_new(connection, orders, changes.new_stubs)
    add(connection, event, changes.events)
    if changes.superseded:
        _supersede(connection, changes.superseded)
    if changes.intents:
        first = reserve(connection, counter, "intent", len(changes.intents))
        for row in changes.intents:
            row["id"] += first
        for row in changes.steps:
            row["intent_id"] += first
        add(connection, intent, changes.intents)
        add(connection, step, changes.steps)
        restoring.doubt(connection, first)
    if changes.urgent:
        _hurry(connection, changes.urgent)
    if changes.opened:
        open_exceptions(connection, changes.opened)
    if changes.resolved:
        statement = (
            update(exception)
            .where(
                exception.c.channel == bindparam("by_channel"),
                exception.c.order_id == bindparam("by_order"),
                exception.c.fingerprint == bindparam("by_fingerprint"),
            )
            .values(resolved_at=bindparam("resolved_at"), resolution=bindparam("resolution"))
        )
        connection.execute(statement, changes.resolved)


def known_masters(connection: Connection, keys: Sequence[DocumentKey]) -> set[DocumentKey]:
    """Which of these customers and items were ever decided."""
    found: set[DocumentKey] = set()
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        query = select(intent.c.document_key).where(text(IS_OF_NO_ORDER), intent.c.document_key.in_(part)).distinct()
        found.update(DocumentKey(key) for key in connection.execute(query).scalars())
    return found


def adopted(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, date]:
    """Those of these orders that an older integration brought into the ERP, with the first day that is the hub's."""
    query = select(adoption.c.channel, adoption.c.order_id, adoption.c.posts_from).where(in_keys(adoption, keys))
    return {OrderKey(channel, order_id): day(on) for channel, order_id, on in connection.execute(query)}


def held_by(connection: Connection, fingerprints: Sequence[str]) -> list[OrderKey]:
    """The orders that these causes hold now, those held longest first."""
    query = (
        select(exception.c.channel, exception.c.order_id)
        .where(exception.c.fingerprint.in_(fingerprints), exception.c.resolved_at.is_(None))
        .order_by(exception.c.opened_at, exception.c.channel, exception.c.order_id)
    )
    return [OrderKey(channel, order_id) for channel, order_id in connection.execute(query)]


def parse_fact(key: OrderKey, row: Any) -> Fact:
    """A fact from its row: kind, external_id, modified_at, occurred_at, source, content, in this order."""
    kind = FactKind(row[0])
    body = adapter(kind).validate_json(row[5])
    return Fact(key, kind, row[1], moment(row[2]), moment(row[3]), Source(row[4]), body)


def in_keys(table: Table, keys: Sequence[OrderKey]) -> ColumnElement[bool]:
    """The rows of these orders, all of one channel or not."""
    channels = {key.channel for key in keys}
    clause = table.c.order_id.in_([key.external_id for key in keys])
    if len(channels) == 1:
        return and_(table.c.channel == next(iter(channels)), clause)
    return and_(table.c.channel.in_(channels), clause)


def _chunks(keys: Sequence[OrderKey]) -> Iterator[Sequence[OrderKey]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _load_orders(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, Known]:
    query = select(
        orders.c.channel,
        orders.c.order_id,
        orders.c.version,
        orders.c.events,
        orders.c.chain,
        orders.c.credit_minor,
    )
    return {
        OrderKey(channel, order_id): Known(version, events, chain, credit_minor)
        for channel, order_id, version, events, chain, credit_minor in connection.execute(
            query.where(in_keys(orders, keys))
        )
    }


def _load_facts(connection: Connection, keys: Sequence[OrderKey], found: dict[OrderKey, Known]) -> None:
    columns = (fact.c.kind, fact.c.external_id, fact.c.modified_at, fact.c.occurred_at, fact.c.source, fact.c.content)
    query = select(*columns, fact.c.hash, fact.c.channel, fact.c.order_id).where(in_keys(fact, keys))
    for row in connection.execute(query):
        key = OrderKey(row[7], row[8])
        known = found.get(key)
        if known is not None:
            known.identities.add((row[0], row[1], row[6], row[2], row[4]))
            known.facts.append(parse_fact(key, row))


def _load_decided(connection: Connection, keys: Sequence[OrderKey], found: dict[OrderKey, Known]) -> None:
    query = (
        select(
            intent.c.id,
            intent.c.channel,
            intent.c.order_id,
            intent.c.document_key,
            intent.c.revision,
            intent.c.plan_digest,
            intent.c.action,
            step.c.state,
            step.c.target,
            step.c.part,
            intent.c.content,
            intent.c.entry,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(in_keys(intent, keys), step.c.state != StepState.SUPERSEDED.value)
        .order_by(intent.c.id)
    )
    for row in connection.execute(query):
        id, channel, order_id, document, revision, digest, action, state, target, part, content, posted = row
        known = found.get(OrderKey(channel, order_id))
        if known is None:
            continue
        decided = known.decided if target == ERP_TARGET else known.told
        known.unsent.pop(document, None)
        unsent = state in NOT_SENT and part is None  # of one in several requests the target has something already
        if unsent:
            known.unsent[document] = id
        before = decided.pop(document, None)  # a later intent takes the earlier one's place, at the end
        decided[document] = Decided(
            key=document,
            revision=revision,
            plan_digest=digest,
            action=Action(action),
            sent=not unsent,
            content=content.encode(),
            entry=posted.encode() if posted else None,
            standing=before if unsent else None,
        )


def _load_holds(connection: Connection, keys: Sequence[OrderKey], found: dict[OrderKey, Known]) -> None:
    query = select(release.c.channel, release.c.order_id, release.c.code).where(in_keys(release, keys))
    for channel, order_id, code in connection.execute(query):
        if known := found.get(OrderKey(channel, order_id)):
            known.released.add(code)
    held = select(exception.c.channel, exception.c.order_id, exception.c.fingerprint, exception.c.code)
    held = held.where(in_keys(exception, keys), exception.c.resolved_at.is_(None))
    for channel, order_id, fingerprint, code in connection.execute(held):
        if known := found.get(OrderKey(channel, order_id)):
            known.open_exceptions[fingerprint] = code


def _record_orders(connection: Connection, changes: Changes) -> None:
    try:
        add(connection, orders, changes.new_orders)
    except IntegrityError:
        raise Overtaken("advance: another worker met one of these orders first; it is read again") from None
    if changes.changed_orders:
        columns = [name for name in changes.changed_orders[0] if name not in ("at_channel", "at_order", "was")]
        statement = (
            update(orders)
            .where(
                orders.c.channel == bindparam("at_channel"),
                orders.c.order_id == bindparam("at_order"),
                orders.c.version == bindparam("was"),
            )
            .values({name: bindparam(name) for name in columns})
        )
        if connection.execute(statement, changes.changed_orders).rowcount != len(changes.changed_orders):
            raise Overtaken("advance: another worker changed one of these orders; it is read again")


def _supersede(connection: Connection, intents: Sequence[int]) -> None:
    """Intents never sent are out of the queue, and their expected entries out of the books."""
    for start in range(0, len(intents), CHUNK):
        part = intents[start : start + CHUNK]
        unsent = update(step).where(step.c.intent_id.in_(part), step.c.state.in_(NOT_SENT), step.c.part.is_(None))
        if connection.execute(unsent.values(state=StepState.SUPERSEDED.value)).rowcount != len(part):
            raise Overtaken("advance: an intent to be superseded was sent meanwhile; its order is read again")
        connection.execute(update(intent).where(intent.c.id.in_(part)).values(entry=None, reversal=None))


def _hurry(connection: Connection, rows: Rows) -> None:
    """What stands before a step that is urgent is as urgent."""
    later = or_(step.c.urgent_by.is_(None), step.c.urgent_by > bindparam("urgent"))
    statement = (
        update(step)
        .where(
            step.c.channel == bindparam("at_channel"),
            step.c.order_id == bindparam("at_order"),
            step.c.target == bindparam("at_target"),
            text(IS_OPEN),
            later,
        )
        .values(urgent_by=bindparam("urgent"))
    )
    connection.execute(statement, rows)


def open_exceptions(connection: Connection, rows: Rows) -> None:
    """The exceptions are open: one that was open keeps its age, the age of one that was resolved counts from now."""
    statement = upserting(connection.dialect, exception)
    told = ("message", "remedy", "currency", "amount_minor")
    fresh: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in told}
    fresh["opened_at"] = case(
        (exception.c.resolved_at.is_(None), exception.c.opened_at), else_=statement.excluded.opened_at
    )
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "order_id", "fingerprint"], set_={**fresh, "resolved_at": None, "resolution": None}
    )
    connection.execute(statement, rows)


def cure(connection: Connection, channel: str, order_id: str, fingerprints: Sequence[str], at: str) -> None:
    """These exceptions are no more: what caused them is gone."""
    connection.execute(
        update(exception)
        .where(
            exception.c.channel == channel,
            exception.c.order_id == order_id,
            exception.c.fingerprint.in_(fingerprints),
            exception.c.resolved_at.is_(None),
        )
        .values(resolved_at=at, resolution="cured")
    )


def is_excepted(connection: Connection, channel: str, order_id: str, fingerprint: str) -> bool:
    """Whether that exception is open."""
    query = select(exception.c.code).where(
        exception.c.channel == channel,
        exception.c.order_id == order_id,
        exception.c.fingerprint == fingerprint,
        exception.c.resolved_at.is_(None),
    )
    return connection.execute(query).first() is not None


def open_ids(connection: Connection, channel: str, placed_since: str, limit: int) -> list[str]:
    """The orders of a channel that are neither closed nor cancelled, the oldest first."""
    query = (
        select(orders.c.order_id)
        .where(
            orders.c.channel == channel,
            orders.c.commercial.in_((Commercial.OPEN.value, Commercial.STUB.value)),
            or_(orders.c.placed_at.is_(None), orders.c.placed_at >= placed_since),
        )
        .order_by(orders.c.placed_at, orders.c.order_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def placed_since(connection: Connection, since: str, channel: str | None) -> list[OrderKey]:
    """The orders placed since then, and those of which only stubs are known; the oldest first."""
    query = (
        select(orders.c.channel, orders.c.order_id)
        .where(or_(orders.c.placed_at.is_(None), orders.c.placed_at >= since))
        .order_by(orders.c.placed_at, orders.c.channel, orders.c.order_id)
    )
    if channel is not None:
        query = query.where(orders.c.channel == channel)
    return [OrderKey(*row) for row in connection.execute(query)]


def record_ids(connection: Connection, keys: Sequence[OrderKey]) -> set[int]:
    """The records that brought these orders' facts."""
    found: set[int] = set()
    for part in _chunks(keys):
        found.update(connection.execute(select(fact.c.record_id).where(in_keys(fact, part)).distinct()).scalars())
    return found


def fact_hashes(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, set[str]]:
    """What the facts of these orders say, as hashes of their content."""
    found: dict[OrderKey, set[str]] = {}
    for part in _chunks(keys):
        query = select(fact.c.channel, fact.c.order_id, fact.c.hash).where(in_keys(fact, part))
        for channel, order_id, content in connection.execute(query):
            found.setdefault(OrderKey(channel, order_id), set()).add(content)
    return found


def held_now(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, set[str]]:
    """The holds on these orders, by fingerprint; an order without one is absent."""
    found: dict[OrderKey, set[str]] = {}
    for part in _chunks(keys):
        query = select(exception.c.channel, exception.c.order_id, exception.c.fingerprint).where(
            in_keys(exception, part), exception.c.resolved_at.is_(None), exception.c.code.in_(HOLDS)
        )
        for channel, order_id, fingerprint in connection.execute(query):
            found.setdefault(OrderKey(channel, order_id), set()).add(fingerprint)
    return found
