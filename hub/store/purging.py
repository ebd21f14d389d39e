"""What a purge takes away: parties' bodies, raw records, and what messages echoed of them. Rows and digests stay.

Everything goes in parts of a bounded size, each a transaction of its own, and may be repeated.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, case, func, select, text, tuple_, update

from hub.model.documents import DocumentKey
from hub.model.order import PARTY, Party
from hub.store.bulk import add_new
from hub.store.personal import CHUNK, NO_ORDER
from hub.store.schema import IS_OPEN, body, edit, exception, orders, party, record, redaction, step

ROWS_AT_ONCE: Final = 1_000
PURGED: Final = "purged"
"""What stands where a message echoed a record."""

_ECHOING: Final = ("untranslatable", "fault", "rejected")  # exceptions whose message may repeat a value
_READ_AT_ONCE: Final = 50  # bodies


@dataclass(frozen=True, slots=True)
class Rule:
    """A standing redaction: what was received until then of this customer or order, or of the whole channel."""

    channel: str
    kind: str
    subject: str
    until: str


@dataclass(frozen=True, slots=True)
class RawRecord:
    id: int
    order_id: str | None
    outcome: str
    received_at: str
    size_bytes: int


PartyKey = tuple[str, str, str]  # order, id, version


def overwriting(connection: Connection) -> None:
    """What this connection takes away is overwritten in the file, not only forgotten."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def add_rules(connection: Connection, rules: Sequence[Rule]) -> None:
    """These redactions stand, one that stood before until the later of the two."""
    rows = [{"channel": r.channel, "kind": r.kind, "subject": r.subject, "until": r.until} for r in rules]
    add_new(connection, redaction, rows)
    same = and_(
        redaction.c.channel == bindparam("c"),
        redaction.c.kind == bindparam("k"),
        redaction.c.subject == bindparam("s"),
        redaction.c.until < bindparam("u"),
    )
    if rows:
        connection.execute(
            update(redaction).where(same).values(until=bindparam("u")),
            [{"c": r.channel, "k": r.kind, "s": r.subject, "u": r.until} for r in rules],
        )


def rules(connection: Connection, channel: str) -> list[Rule]:
    """The redactions that stand for a channel."""
    query = select(redaction.c.channel, redaction.c.kind, redaction.c.subject, redaction.c.until)
    return [Rule(*row) for row in connection.execute(query.where(redaction.c.channel == channel))]


def orders_of(connection: Connection, channel: str, customer: DocumentKey) -> set[str]:
    """The orders that a customer placed."""
    query = select(orders.c.order_id).where(orders.c.channel == channel, orders.c.customer == customer)
    return set(connection.execute(query).scalars())


def parties(
    connection: Connection, channel: str, until: str, orders_: Collection[str] | None, accounts: Collection[str] | None
) -> Iterator[tuple[PartyKey, str]]:
    """The parties of a channel that are not purged and were last brought until then, with when; None: of all."""
    clauses: list[ColumnElement[bool]] = []
    if orders_ is None and accounts is None:
        clauses.append(party.c.channel == channel)
    for part in _chunks(sorted(orders_ or ())):
        clauses.append(party.c.order_id.in_(part))
    for part in _chunks(sorted(accounts or ())):
        clauses.append(and_(party.c.order_id == NO_ORDER, party.c.id.in_(part)))
    for clause in clauses:
        last: PartyKey = ("", "", "")
        while True:
            query = (
                select(party.c.order_id, party.c.id, party.c.version, party.c.received_at)
                .where(
                    party.c.channel == channel,
                    clause,
                    party.c.body.is_not(None),
                    party.c.received_at <= until,
                    tuple_(party.c.order_id, party.c.id, party.c.version) > tuple_(*last),
                )
                .order_by(party.c.order_id, party.c.id, party.c.version)
                .limit(ROWS_AT_ONCE)
            )
            found = connection.execute(query).all()
            for row in found:
                yield (row[0], row[1], row[2]), row[3]
            if len(found) < ROWS_AT_ONCE:
                break
            last = (found[-1][0], found[-1][1], found[-1][2])


def empty_parties(connection: Connection, channel: str, keys: Sequence[PartyKey], at: str) -> None:
    """Of these parties only the references are left."""
    if keys:
        same = and_(
            party.c.channel == channel,
            party.c.order_id == bindparam("o"),
            party.c.id == bindparam("i"),
            party.c.version == bindparam("v"),
        )
        statement = update(party).where(same).values(body=None, purged_at=at)
        connection.execute(statement, [{"o": order, "i": id, "v": version} for order, id, version in keys])


def known_by_name(connection: Connection, channel: str, accounts: Collection[str]) -> set[str]:
    """Which of these accounts still have a version that is not purged."""
    found: set[str] = set()
    for part in _chunks(sorted(accounts)):
        query = select(party.c.id).where(
            party.c.channel == channel, party.c.order_id == NO_ORDER, party.c.id.in_(part), party.c.body.is_not(None)
        )
        found.update(connection.execute(query).scalars())
    return found


def waiting(connection: Connection, channel: str, keys: Collection[str]) -> set[str]:
    """Which of these orders are held, have an open exception, or a document that the ERP has not got yet.

    The order "" stands for customers and items.
    """
    found: set[str] = set()
    for part in _chunks(sorted(keys)):
        for table, waits in (
            (orders, orders.c.holds > 0),
            (step, text(f"step.{IS_OPEN}")),
            (exception, exception.c.resolved_at.is_(None)),
        ):
            query = select(table.c.order_id).where(table.c.channel == channel, table.c.order_id.in_(part), waits)
            found.update(connection.execute(query).scalars())
    return found


def records(inbox: Engine, channel: str, until: str) -> Iterator[list[RawRecord]]:
    """The advanced records of a channel received until then whose bodies are still there, in parts."""
    last = 0
    while True:
        query = (
            select(record.c.id, record.c.order_id, record.c.outcome, record.c.received_at, func.length(body.c.body))
            .join(body, body.c.record_id == record.c.id)
            .where(
                record.c.id > last,
                record.c.channel == channel,
                record.c.outcome.is_not(None),
                record.c.received_at <= until,
                body.c.purged_at.is_(None),
            )
            .order_by(record.c.id)
            .limit(ROWS_AT_ONCE)
        )
        with inbox.connect() as connection:
            found = [RawRecord(*row) for row in connection.execute(query)]
        if found:
            yield found
        if len(found) < ROWS_AT_ONCE:
            return
        last = found[-1].id


def due(inbox: Engine, channel: str, until: str) -> int:
    """How many records received until then are not yet advanced: they are left alone."""
    query = select(func.count()).where(
        record.c.channel == channel, record.c.outcome.is_(None), record.c.received_at <= until
    )
    with inbox.connect() as connection:
        return int(connection.execute(query).scalar_one())


def bodies(inbox: Engine, ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The raw bodies of these records."""
    for start in range(0, len(ids), _READ_AT_ONCE):
        query = select(body.c.record_id, body.c.body).where(body.c.record_id.in_(ids[start : start + _READ_AT_ONCE]))
        with inbox.connect() as connection:
            for id, raw in connection.execute(query):
                yield id, bytes(raw)


def empty_records(connection: Connection, ids: Sequence[int], at: str) -> None:
    """Of these records the row, its key and the digest are left; what their problems echoed is gone too, and edits."""
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        statement = update(body).where(body.c.record_id.in_(part))
        connection.execute(statement.values(body=b"", headers="{}", purged_at=at))
        connection.execute(update(edit).where(edit.c.record_id.in_(part)).values(body=b""))
        said = connection.execute(select(record.c.id, record.c.result).where(record.c.id.in_(part))).all()
        changed = [{"i": id, "r": silenced} for id, result in said if (silenced := _silenced(result)) is not None]
        if changed:
            connection.execute(
                update(record).where(record.c.id == bindparam("i")).values(result=bindparam("r")), changed
            )


def silence(connection: Connection, channel: str, keys: Collection[str]) -> int:
    """No message on these orders repeats what a record said; of how many. "record-N" stands for a record of none."""
    count = 0
    remedy = case((exception.c.code == "rejected", PURGED), else_=exception.c.remedy)  # the others' are our own words
    for part in _chunks(sorted(keys)):
        of = and_(exception.c.channel == channel, exception.c.order_id.in_(part))
        query = select(exception.c.order_id, exception.c.fingerprint, exception.c.code)
        found = connection.execute(query.where(of, exception.c.code.in_(_ECHOING), exception.c.message != PURGED)).all()
        same = and_(
            exception.c.channel == channel,
            exception.c.order_id == bindparam("o"),
            exception.c.fingerprint == bindparam("f"),
        )
        rows = [{"o": order, "f": was, "n": _unspoken(code, was)} for order, was, code in found]
        if rows:
            statement = update(exception).where(same)
            connection.execute(statement.values(message=PURGED, fingerprint=bindparam("n"), remedy=remedy), rows)
        spoken = and_(step.c.channel == channel, step.c.order_id.in_(part), step.c.remedy.is_not(None))
        count += (
            len(rows)
            + connection.execute(update(step).where(spoken, step.c.remedy != PURGED).values(remedy=PURGED)).rowcount
        )
    return count


def held_of(
    connection: Connection, channel: str, orders_: Collection[str], accounts: Collection[str]
) -> list[tuple[str, Party, str]]:
    """All parties held of these orders and accounts: with the order, "" for an account's, and when last received."""
    found: list[tuple[str, Party, str]] = []
    clauses: list[ColumnElement[bool]] = [party.c.order_id.in_(part) for part in _chunks(sorted(orders_))]
    clauses += [and_(party.c.order_id == NO_ORDER, party.c.id.in_(part)) for part in _chunks(sorted(accounts))]
    for clause in clauses:
        query = select(party.c.order_id, party.c.body, party.c.received_at)
        query = query.where(party.c.channel == channel, clause, party.c.body.is_not(None)).order_by(party.c.order_id)
        found += [(order, PARTY.validate_json(content), at) for order, content, at in connection.execute(query)]
    return found


def _silenced(result: str | None) -> str | None:
    """The result without the echo; None where there is nothing to change."""
    said: Mapping[str, Any] = json.loads(result) if result else {}
    problems = said.get("problems") or []
    if said.get("outcome") == "not_an_order" or all(problem["message"] == PURGED for problem in problems):
        return None
    return json.dumps({**said, "problems": [{**problem, "message": PURGED} for problem in problems]})


def _unspoken(code: str, fingerprint: str) -> str:
    """A fingerprint that groups as before and says nothing."""
    if code != "untranslatable":
        return fingerprint
    return f"untranslatable:{PURGED}-{sha256(fingerprint.encode()).hexdigest()[:12]}"


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
