"""Lines of the bank's statements, each once, and which payouts people say they are."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, update

from hub.model.bank import BankLine
from hub.store.bulk import add_new
from hub.store.schema import bank_line, day, stamp


def record(connection: Connection, lines: Sequence[BankLine], now: datetime) -> int:
    """The lines are kept; how many were not there before."""
    before = _count(connection)
    add_new(
        connection,
        bank_line,
        [
            {
                "account": line.account,
                "key": line.key,
                "booked_on": line.on.isoformat(),
                "amount_minor": line.amount_minor,
                "currency": line.currency,
                "reference": line.reference,
                "text": line.text,
                "imported_at": stamp(now),
            }
            for line in lines
        ],
    )
    return _count(connection) - before


def lines(connection: Connection) -> list[BankLine]:
    """Every line, by day."""
    query = select(bank_line).order_by(bank_line.c.booked_on, bank_line.c.account, bank_line.c.key)
    return [
        BankLine(
            row.account,
            row.key,
            day(row.booked_on),
            row.amount_minor,
            row.currency,
            row.reference,
            row.text,
            (row.channel, row.payout_id) if row.payout_id is not None else None,
        )
        for row in connection.execute(query)
    ]


def say(connection: Connection, line: BankLine, payout: tuple[str, str] | None) -> None:
    """The line is that payout, by a person's word; None: the word is taken back."""
    channel, payout_id = payout or (None, None)
    of = and_(bank_line.c.account == line.account, bank_line.c.key == line.key)
    connection.execute(update(bank_line).where(of).values(channel=channel, payout_id=payout_id))


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(bank_line)).scalar_one()
