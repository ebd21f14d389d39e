"""Sign-offs: which reconciliation a person vouched for; the newest of a period stands."""

from sqlalchemy import Connection, insert, select

from hub.model.reconciliation import Signed
from hub.store.schema import moment, signoff, stamp


def add(connection: Connection, signed: Signed) -> None:
    """The period is signed."""
    row = {
        "period": signed.period,
        "signed_at": stamp(signed.at),
        "run": signed.run,
        "digest": signed.digest,
        "signed_by": signed.by,
        "note": signed.note,
    }
    connection.execute(insert(signoff), row)


def standing(connection: Connection, period: str) -> Signed | None:
    """The sign-off of a period that came last; None: nobody signed it."""
    query = select(signoff).where(signoff.c.period == period).order_by(signoff.c.signed_at.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    return Signed(row.period, row.run, row.digest, row.signed_by, moment(row.signed_at), row.note)
