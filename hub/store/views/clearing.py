"""What went into payment clearing and what came out of it, row by row."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, select, tuple_

from hub.model.documents import DocumentKind
from hub.model.intents import Action, StepState
from hub.model.payouts import SettlementKind
from hub.store.schema import day, intent, moment, settlement_line, step

MONEY_OUT: Final = (DocumentKind.REFUND.value, DocumentKind.CASH_REFUND.value)
MONEY: Final = (DocumentKind.PAYMENT.value, DocumentKind.DEPOSIT.value, DocumentKind.CASH_SALE.value, *MONEY_OUT)
ROWS_AT_ONCE: Final = 2_000
CHUNK: Final = 200  # payouts named at once in a query


@dataclass(frozen=True, slots=True)
class Money:
    """A payment or refund as it is in the expected books."""

    entity: str
    channel: str
    order: str
    tender: str  # the channel's id of the payment or refund
    method: str  # after crosswalk
    currency: str
    on: date
    amount_minor: int  # + captured, − given back


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A payout as it is in the expected books."""

    entity: str
    channel: str
    payout: str
    method: str
    currency: str
    on: date
    settled_minor: int  # charges and refunds: what it took out of clearing


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a payout; the fields that `hub.flow.payouts.kind_of` reads among them."""

    channel: str
    line: str
    payout: str
    kind: SettlementKind
    word: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    order: str | None
    transaction: str | None
    on: date

    @property
    def adds_up(self) -> bool:
        return self.net_minor == self.amount_minor - self.fee_minor

    @property
    def count(self) -> int:
        return 1


def money(connection: Connection, until: date | None = None) -> Iterator[Money]:
    """Every payment and refund that was decided and stands, dated until that day; None: all."""
    for row, document in _standing(connection, MONEY, until):
        sign = -1 if row.kind in MONEY_OUT else 1
        yield Money(
            row.entity,
            row.channel,
            row.order_id,
            document.get("memo", ""),
            document.get("method") or "",
            row.currency,
            day(row.date),
            sign * row.total_minor,
        )


def paid_out(connection: Connection, until: date | None = None) -> Iterator[PaidOut]:
    """Every payout that was decided and stands, dated until that day; None: all."""
    for row, document in _standing(connection, (DocumentKind.PAYOUT.value,), until):
        settled = sum(line["amount_minor"] for line in document["lines"] if line["detail"] in _CLEARED)
        payout = document["reference"].removeprefix("payout ")
        yield PaidOut(
            row.entity, row.channel, payout, document.get("method") or "", row.currency, day(row.date), settled
        )


def lines(connection: Connection, keys: list[tuple[str, str]]) -> Iterator[LineRow]:
    """The lines of these payouts, by channel and id, one by one."""
    line = settlement_line.c
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        query = select(settlement_line).where(tuple_(line.channel, line.payout_id).in_(part))
        for row in connection.execute(query.order_by(line.channel, line.line_id)):
            yield LineRow(
                row.channel,
                row.line_id,
                row.payout_id,
                SettlementKind(row.kind),
                row.word,
                row.amount_minor,
                row.fee_minor,
                row.net_minor,
                row.currency,
                row.order_id,
                row.transaction_id,
                moment(row.processed_at).date(),
            )


_CLEARED: Final = (SettlementKind.CHARGE.value, SettlementKind.REFUND.value)


def _standing(
    connection: Connection, kinds: tuple[str, ...], until: date | None
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The latest decision on each document of these kinds, where it is not a void, with the document's JSON."""
    query = (
        select(
            intent.c.entity,
            intent.c.channel,
            intent.c.order_id,
            intent.c.document_key,
            intent.c.kind,
            intent.c.currency,
            intent.c.date,
            intent.c.total_minor,
            intent.c.action,
            intent.c.content,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(intent.c.kind.in_(kinds), step.c.state != StepState.SUPERSEDED.value)
        .order_by(intent.c.document_key, intent.c.id)
    )
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    for _, versions in groupby(rows, key=attrgetter("document_key")):
        *_, latest = versions
        if latest.action != Action.VOID and (until is None or latest.date <= until.isoformat()):
            yield latest, json.loads(latest.content)
