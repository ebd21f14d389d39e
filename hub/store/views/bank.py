"""What the books have in the bank by payouts, for its statements to be held against."""

from sqlalchemy import Connection, select

from hub.model.bank import PaidPayout
from hub.model.payouts import PayoutState, PayoutStatus
from hub.store.schema import day, exception, payout


def paid(connection: Connection) -> list[PaidPayout]:
    """Every payout that is paid and decided, and moved money; by day."""
    query = (
        select(payout)
        .where(
            payout.c.state == PayoutState.POSTED.value,
            payout.c.status == PayoutStatus.PAID.value,
            payout.c.amount_minor != 0,
        )
        .order_by(payout.c.paid_on, payout.c.channel, payout.c.payout_id)
    )
    return [
        PaidPayout(row.channel, row.payout_id, day(row.paid_on), row.amount_minor, row.currency, row.reference)
        for row in connection.execute(query)
    ]


def tasks(connection: Connection, code: str) -> list[tuple[str, str, str]]:
    """The open exceptions of a code: channel, what it is on, fingerprint."""
    query = select(exception.c.channel, exception.c.order_id, exception.c.fingerprint).where(
        exception.c.code == code, exception.c.resolved_at.is_(None)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]
