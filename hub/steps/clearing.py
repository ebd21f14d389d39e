"""The clearing of payment providers: captures − refunds − payouts, and what is left of it, piece by piece.

The pieces of a cell sum to its balance, always: each is a payment or refund that no payout has settled, the rest of one
that a payout settled otherwise, or what a payout settled and these books do not know.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hub.books.chart import Role
from hub.flow.payouts import kind_of
from hub.flow.terms import Terms
from hub.model.order import OrderKey
from hub.model.payouts import Payout, PayoutStatus, SettlementKind
from hub.ports import KeepsBooks
from hub.steps.deciding import Decider
from hub.steps.hub import Hub
from hub.store.views import clearing as views
from hub.store.views.clearing import LineRow, Money, PaidOut

Cell = tuple[str, str, str]
"""Entity, payment method, currency."""


class Left(StrEnum):
    """Why a piece is left in clearing."""

    NOT_SETTLED = "not_settled"  # no payout has it yet
    OTHERWISE = "settled_otherwise"  # a payout settled another amount
    NOT_IN_BOOKS = "not_in_books"  # a payout settled what is not booked: an unknown sale, or one whose order is held


@dataclass(frozen=True, slots=True)
class Piece:
    entity: str
    method: str
    currency: str
    channel: str
    order: str | None
    subject: str  # the channel's id of the payment or refund; of the provider's line where it names none
    payout: str | None
    on: datetime.date
    age_days: int
    why: Left
    amount_minor: int  # as it adds to the balance: + is money that the provider owes


@dataclass(frozen=True, slots=True)
class ClearingTotal:
    """Invariant: balance = captures − refunds − payouts = Σ of its pieces."""

    entity: str
    method: str
    currency: str
    captures_minor: int
    refunds_minor: int
    payouts_minor: int
    erp_minor: int | None  # the ERP's own balance of the account; None: it keeps no books that can be asked

    @property
    def balance_minor(self) -> int:
        return self.captures_minor - self.refunds_minor - self.payouts_minor


@dataclass(frozen=True, slots=True)
class Clearing:
    until: datetime.date
    totals: tuple[ClearingTotal, ...]
    pieces: tuple[Piece, ...]  # the oldest first


def clearing(hub: Hub, until: datetime.date | None = None) -> Clearing:
    """What is in payment clearing at the end of a day by the expected books; None: today, all that is decided.

    Gift cards and other methods that the chart calls a liability of ours are not under way and are left out.
    """
    last = until or hub.clock().astimezone(ZoneInfo(hub.settings.entities[0].timezone)).date()
    with hub.store.connect() as connection:
        money, payouts, lines = _moved(hub, connection, until)
    return Clearing(last, tuple(_totals(hub, money, payouts, until)), _sorted(_pieces(money, payouts, lines, last)))


def _moved(
    hub: Hub, connection: Connection, until: datetime.date | None
) -> tuple[list[Money], list[PaidOut], list[tuple[PaidOut, LineRow]]]:
    money = [one for one in views.money(connection, until) if _under_way(hub, one.method)]
    payouts = list(views.paid_out(connection, until))
    lines = list(_lines(hub, connection, payouts))
    return money, payouts, lines


def _sorted(found: Iterator[Piece]) -> tuple[Piece, ...]:
    return tuple(sorted(found, key=lambda x: (x.on, x.channel, x.order or "", x.subject, x.why)))


def _under_way(hub: Hub, method: str) -> bool:
    return bool(method) and method not in hub.chart.methods


def _lines(hub: Hub, connection: Connection, payouts: list[PaidOut]) -> Iterator[tuple[PaidOut, LineRow]]:
    """The lines that these payouts settled out of clearing; of a channel that is gone, as they were said."""
    configured = {channel.slug for channel in hub.settings.channels}
    by_key = {(one.channel, one.payout): one for one in payouts}
    decider = Decider(hub, connection, {}, hub.clock())
    terms: dict[str, Terms] = {}
    for line in views.lines(connection, list(by_key)):
        of = by_key[line.channel, line.payout]
        kind = line.kind
        if line.channel in configured:
            if line.channel not in terms:
                terms[line.channel] = decider.terms_at_home(hub.channel(line.channel))
            known = Payout(of.payout, PayoutStatus.PAID, of.on, 0, of.currency, of.method)
            kind = kind_of(line, known, terms[line.channel])
        if kind in (SettlementKind.CHARGE, SettlementKind.REFUND) and line.adds_up and line.currency == of.currency:
            yield of, line


def _pieces(
    money: list[Money], payouts: list[PaidOut], lines: list[tuple[PaidOut, LineRow]], last: datetime.date
) -> Iterator[Piece]:
    by_tender = {(one.channel, one.tender, one.method, one.currency): one for one in money}
    by_amount: dict[tuple[OrderKey, str, str, int], list[Money]] = defaultdict(list)
    for one in money:
        by_amount[OrderKey(one.channel, one.order), one.method, one.currency, one.amount_minor].append(one)
    settled: dict[int, list[tuple[PaidOut, LineRow]]] = defaultdict(list)
    unnamed: list[tuple[PaidOut, LineRow]] = []
    for of, line in lines:
        found = by_tender.get((line.channel, line.transaction or "", of.method, of.currency))
        if found is None:
            unnamed.append((of, line))
        else:
            settled[id(found)].append((of, line))
    for of, line in unnamed:  # by order and amount, where only one is left that it can be
        at = (OrderKey(line.channel, line.order or ""), of.method, of.currency, line.amount_minor)
        left = [one for one in by_amount.get(at, ()) if id(one) not in settled] if line.transaction is None else []
        if len(left) == 1:
            settled[id(left[0])].append((of, line))
        else:
            yield _piece(of, line, -line.amount_minor, last)
    for one in money:
        of_it = settled.get(id(one), [])
        rest = one.amount_minor - sum(line.amount_minor for _, line in of_it)
        if rest:
            yield Piece(
                one.entity, one.method, one.currency, one.channel, one.order, one.tender,
                of_it[0][0].payout if of_it else None, one.on, (last - one.on).days,
                Left.OTHERWISE if of_it else Left.NOT_SETTLED, rest,
            )  # fmt: skip
    yield from _unlisted(payouts, lines, last)


def _piece(of: PaidOut, line: LineRow, amount: int, last: datetime.date) -> Piece:
    return Piece(
        of.entity, of.method, of.currency, line.channel, line.order, line.transaction or line.line, of.payout,
        of.on, (last - of.on).days, Left.NOT_IN_BOOKS, amount,
    )  # fmt: skip


def _unlisted(payouts: list[PaidOut], lines: list[tuple[PaidOut, LineRow]], last: datetime.date) -> Iterator[Piece]:
    """What a payout's document took out of clearing and none of the lines that the hub knows now says."""
    said: dict[tuple[str, str], int] = defaultdict(int)
    for of, line in lines:
        said[of.channel, of.payout] += line.amount_minor
    for of in payouts:
        if off := of.settled_minor - said[of.channel, of.payout]:
            yield Piece(
                of.entity, of.method, of.currency, of.channel, None, of.payout, of.payout,
                of.on, (last - of.on).days, Left.NOT_IN_BOOKS, -off,
            )  # fmt: skip


def _totals(
    hub: Hub, money: list[Money], payouts: list[PaidOut], until: datetime.date | None
) -> Iterator[ClearingTotal]:
    captures: dict[Cell, int] = defaultdict(int)
    refunds: dict[Cell, int] = defaultdict(int)
    paid: dict[Cell, int] = defaultdict(int)
    for one in money:
        at = (one.entity, one.method, one.currency)
        if one.amount_minor >= 0:
            captures[at] += one.amount_minor
        else:
            refunds[at] -= one.amount_minor
    for payout in payouts:
        paid[payout.entity, payout.method, payout.currency] += payout.settled_minor
    held = _erp_balances(hub, until)
    for at in sorted({*captures, *refunds, *paid}):
        entity, method, currency = at
        account = _account(hub, method)
        erp = None if held is None else held.get((entity, account, currency), 0)
        yield ClearingTotal(entity, method, currency, captures[at], refunds[at], paid[at], erp)


def _account(hub: Hub, method: str) -> str:
    return hub.chart.account(Role.PAYMENT_CLEARING, method)


def _erp_balances(hub: Hub, until: datetime.date | None) -> dict[tuple[str, str, str], int] | None:
    if not isinstance(hub.erp, KeepsBooks):
        return None
    rows = hub.erp.trial_balance(until)
    return {(row["entity"], row["account"], row["currency"]): row["balance_minor"] for row in rows}
