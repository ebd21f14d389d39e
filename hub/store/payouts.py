"""Payouts and the lines of a provider's balance, as a set: any order of arrival and any repetition leave the same rows.

Each row is the version with the highest rank, and rows are only ever replaced by a higher one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, func, select, text, tuple_, update

from hub.model.facts import SOURCE_RANK
from hub.model.order import OrderKey
from hub.model.payouts import ENDED, Payout, PayoutStatus, SettlementKind, SettlementLine, payout_key
from hub.model.records import Record
from hub.store.bulk import add_new, upserting
from hub.store.orders import Overtaken
from hub.store.schema import IS_UNDECIDED, day, payout, settlement_line, stamp

CHUNK: Final = 200  # rows named at once in a query
STATUS_RANK: Final = {status: rank for rank, status in enumerate(PayoutStatus)}


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a payout that are alike, added up."""

    kind: SettlementKind
    word: str
    currency: str
    adds_up: bool  # net = amount − fee
    count: int
    amount_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class KnownPayout:
    """What the store holds of a payout; `payout` None: only lines of it are known."""

    channel: str
    payout_id: str
    payout: Payout | None
    changed: int
    lines: tuple[Lines, ...]

    @property
    def key(self) -> OrderKey:
        return payout_key(self.channel, self.payout_id)


def record(connection: Connection, said: Iterable[tuple[Record, Sequence[Payout], Sequence[SettlementLine]]]) -> None:
    """What these records say is known, and every payout that it touches waits to be decided."""
    payouts: dict[tuple[str, str], dict[str, Any]] = {}
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for of, some_payouts, some_lines in said:
        for one in some_payouts:
            _keep(payouts, (of.channel, one.external_id), _payout_row(of, one))
        for line in some_lines:
            _keep(lines, (of.channel, line.external_id), _line_row(of, line))
    touched = set(payouts) | _payouts_of(connection, list(lines))
    touched |= {(row["channel"], row["payout_id"]) for row in lines.values() if row["payout_id"] is not None}
    stubs = [
        {"channel": channel, "payout_id": payout_id, "rank": "", "changed": 0, "decided": 0, "state": ""}
        for channel, payout_id in sorted(touched)
    ]
    add_new(connection, payout, stubs)
    _replace(connection, settlement_line, ("channel", "line_id"), [lines[at] for at in sorted(lines)])
    for at in sorted(payouts):
        _tell(connection, payouts[at])
    touch(connection, sorted(touched))


def touch(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """These payouts, by channel and id, wait to be decided anew."""
    if keys:
        statement = (
            update(payout)
            .where(payout.c.channel == bindparam("of_channel"), payout.c.payout_id == bindparam("of_payout"))
            .values(changed=payout.c.changed + 1)
        )
        connection.execute(statement, [{"of_channel": channel, "of_payout": one} for channel, one in keys])


def due(connection: Connection, limit: int) -> list[KnownPayout]:
    """Payouts that changed since they were decided, with their lines added up."""
    query = select(payout).where(text(IS_UNDECIDED)).order_by(payout.c.channel, payout.c.payout_id).limit(limit)
    rows = connection.execute(query).all()
    lines = lines_of(connection, [(row.channel, row.payout_id) for row in rows])
    return [
        KnownPayout(
            row.channel, row.payout_id, _payout(row), row.changed, tuple(lines.get((row.channel, row.payout_id), ()))
        )
        for row in rows
    ]


def lines_of(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Lines]]:
    """The lines of these payouts, those alike added up; the payouts' own lines among them."""
    found: dict[tuple[str, str], list[Lines]] = {}
    line = settlement_line.c
    adds_up = (line.net_minor == line.amount_minor - line.fee_minor).label("adds_up")
    like = (line.channel, line.payout_id, line.kind, line.word, line.currency, adds_up)
    sums = [func.sum(column) for column in (line.amount_minor, line.fee_minor, line.net_minor)]
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        query = select(*like, func.count(), *sums).where(tuple_(line.channel, line.payout_id).in_(part))
        rows = connection.execute(query.group_by(*like).order_by(line.kind, line.word, line.currency, adds_up))
        for channel, payout_id, kind, word, currency, good, count, amount, fee, net in rows:
            found.setdefault((channel, payout_id), []).append(
                Lines(SettlementKind(kind), word, currency, bool(good), count, int(amount), int(fee), int(net))
            )
    return found


def decided(connection: Connection, rows: Sequence[tuple[KnownPayout, str]]) -> None:
    """These payouts are decided, with the state that each came to; one that changed meanwhile waits on.

    Raises:
        Overtaken: another worker decided one of them since it was read.
    """
    statement = (
        update(payout)
        .where(
            payout.c.channel == bindparam("of_channel"),
            payout.c.payout_id == bindparam("of_payout"),
            payout.c.decided < bindparam("at_change"),
        )
        .values(decided=bindparam("at_change"), state=bindparam("came_to"))
    )
    for known, state in rows:
        given = {"of_channel": known.channel, "of_payout": known.payout_id, "at_change": known.changed}
        if connection.execute(statement, given | {"came_to": state}).rowcount != 1:
            raise Overtaken(f"payouts: another worker decided {known.key} meanwhile; it is read again")


def _keep(rows: dict[tuple[str, str], dict[str, Any]], at: tuple[str, str], row: dict[str, Any]) -> None:
    held = rows.get(at)
    if held is None or held["rank"] < row["rank"]:
        rows[at] = row


def _payout_row(of: Record, one: Payout) -> dict[str, Any]:
    row = {
        "status": str(one.status),
        "paid_on": one.on.isoformat(),
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "method": one.method,
        "reference": one.reference[:200] if one.reference else None,
        "opening_minor": one.opening_minor,
        "closing_minor": one.closing_minor,
    }
    rank = _rank(of, one.status in ENDED, STATUS_RANK[one.status], row)
    return {"channel": of.channel, "payout_id": one.external_id, **row, "rank": rank, "record_id": of.id}


def _line_row(of: Record, line: SettlementLine) -> dict[str, Any]:
    row = {
        "payout_id": line.payout,
        "kind": str(line.kind),
        "word": line.word[:100],
        "amount_minor": line.amount_minor,
        "fee_minor": line.fee_minor,
        "net_minor": line.net_minor,
        "currency": line.currency,
        "method": line.method[:100],
        "order_id": line.order,
        "transaction_id": line.transaction,
        "processed_at": stamp(line.processed_at),
    }
    rank = _rank(of, line.payout is not None, 0, row)
    return {"channel": of.channel, "line_id": line.external_id, **row, "rank": rank, "record_id": of.id}


def _rank(of: Record, further: bool, status: int, row: dict[str, Any]) -> str:
    """Sorts versions: what is further on its way first of all, then what was heard later; a digest ends every tie."""
    digest = sha256(repr(sorted(row.items(), key=lambda item: item[0])).encode()).hexdigest()[:12]
    return f"{further:d} {stamp(of.received_at)} {of.readings:06} {status} {SOURCE_RANK[of.source]} {digest}"


def _payouts_of(connection: Connection, lines: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """The payouts that these lines were in until now."""
    found: set[tuple[str, str]] = set()
    line = settlement_line.c
    for start in range(0, len(lines), CHUNK):
        part = lines[start : start + CHUNK]
        query = select(line.channel, line.payout_id).where(
            tuple_(line.channel, line.line_id).in_(part), line.payout_id.is_not(None)
        )
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _replace(connection: Connection, table: Table, key: tuple[str, ...], rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = upserting(connection.dialect, table)
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in key}
    newer = statement.on_conflict_do_update(
        index_elements=key, set_=fresh, where=table.c.rank < statement.excluded.rank
    )
    connection.execute(newer, list(rows))


def _tell(connection: Connection, row: dict[str, Any]) -> None:
    of = and_(payout.c.channel == row["channel"], payout.c.payout_id == row["payout_id"])
    connection.execute(update(payout).where(of, payout.c.rank < row["rank"]).values(row))


def _payout(row: Any) -> Payout | None:
    if row.status is None:
        return None
    return Payout(
        row.payout_id,
        PayoutStatus(row.status),
        day(row.paid_on),
        row.amount_minor,
        row.currency,
        row.method,
        row.reference,
        row.opening_minor,
        row.closing_minor,
    )
