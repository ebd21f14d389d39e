"""Payouts for people: what is known of each, what it is made of, and what became of it."""

from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, func, select

from hub.model.order import OrderKey
from hub.model.payouts import PayoutState, SettlementKind, payout_key
from hub.store import payouts
from hub.store.payouts import Lines
from hub.store.schema import payout, settlement_line

LIST_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class PayoutRow:
    channel: str
    payout: str
    status: str | None  # the channel's; None: only lines of it are known
    on: str | None
    amount_minor: int | None
    currency: str | None
    method: str | None
    reference: str | None
    opening_minor: int | None
    closing_minor: int | None
    state: str  # waiting, held, posted, before_go_live, empty; "" where not yet decided


@dataclass(frozen=True, slots=True)
class PayoutSight:
    row: PayoutRow
    lines: tuple[Lines, ...]  # without the payout's own

    @property
    def net_minor(self) -> int:
        """What its lines come to."""
        return sum(line.net_minor for line in self.lines)

    @property
    def missing_minor(self) -> int | None:
        """Its amount less the opening balance and its lines; None: its amount is not known."""
        if self.row.amount_minor is None:
            return None
        carried = (self.row.opening_minor or 0) - (self.row.closing_minor or 0)
        return self.row.amount_minor - carried - self.net_minor


@dataclass(frozen=True, slots=True)
class Pending:
    """What of a provider's balance is in no payout yet."""

    channel: str
    method: str
    currency: str
    lines: int
    net_minor: int


def listed(store: Engine, *, channel: str | None = None, state: str | None = None, limit: int) -> list[PayoutRow]:
    """The payouts, the newest first."""
    clauses: list[ColumnElement[bool]] = []
    if channel is not None:
        clauses.append(payout.c.channel == channel)
    if state is not None:
        clauses.append(payout.c.state == state)
    newest = func.coalesce(payout.c.paid_on, "9999").desc()
    query = select(*_ROW).where(*clauses).order_by(newest, payout.c.channel, payout.c.payout_id).limit(limit)
    with store.connect() as connection:
        return [PayoutRow(*row) for row in connection.execute(query)]


def found(store: Engine, name: str) -> list[PayoutSight]:
    """The payouts that this may be: the channel's id, or channel/id."""
    channel, slash, payout_id = name.rpartition("/")
    clauses = [payout.c.payout_id == payout_id]
    if slash:
        clauses.append(payout.c.channel == channel)
    with store.connect() as connection:
        rows = [PayoutRow(*row) for row in connection.execute(select(*_ROW).where(*clauses).order_by(payout.c.channel))]
        lines = payouts.lines_of(connection, [(row.channel, row.payout) for row in rows])
    return [
        PayoutSight(
            row,
            tuple(x for x in lines.get((row.channel, row.payout), ()) if x.kind is not SettlementKind.PAYOUT),
        )
        for row in rows
    ]


def held(store: Engine) -> list[OrderKey]:
    """The keys of the payouts that are held."""
    query = select(payout.c.channel, payout.c.payout_id).where(payout.c.state == PayoutState.HELD.value)
    with store.connect() as connection:
        return [payout_key(row[0], row[1]) for row in connection.execute(query.order_by(*query.selected_columns))]


def pending(store: Engine) -> list[Pending]:
    """What is in no payout yet, by channel, method and currency."""
    like = (settlement_line.c.channel, settlement_line.c.method, settlement_line.c.currency)
    query = (
        select(*like, func.count(), func.sum(settlement_line.c.net_minor))
        .where(settlement_line.c.payout_id.is_(None), settlement_line.c.kind != SettlementKind.PAYOUT.value)
        .group_by(*like)
        .order_by(*like)
    )
    with store.connect() as connection:
        return [Pending(row[0], row[1], row[2], row[3], int(row[4])) for row in connection.execute(query)]


_COLUMNS: Final = {"payout": "payout_id", "on": "paid_on"}
_ROW: Final[list[Any]] = [payout.c[_COLUMNS.get(one.name, one.name)] for one in fields(PayoutRow)]
