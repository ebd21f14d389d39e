"""API tokens: what is known of each, and the digest of its secret."""

from datetime import datetime

from sqlalchemy import Connection, Engine, Row, insert, select, update

from hub.model.access import Role, Token
from hub.store.schema import api_token, moment, stamp


def add(connection: Connection, token: Token, digest: str) -> None:
    """The token counts from now on."""
    row = {
        "id": token.id,
        "digest": digest,
        "name": token.name,
        "role": token.role.value,
        "channel": token.channel,
        "created_at": stamp(token.created_at),
        "created_by": token.created_by,
        "expires_at": stamp(token.expires_at),
    }
    connection.execute(insert(api_token), row)


def find(store: Engine, id: str) -> tuple[Token, str] | None:
    """The token of that id with the digest of its secret; None: there is none."""
    with store.connect() as connection:
        row = connection.execute(select(api_token).where(api_token.c.id == id)).first()
    return None if row is None else (_token(row), row.digest)


def listed(store: Engine) -> list[Token]:
    """Every token that was ever made, the newest first."""
    query = select(api_token).order_by(api_token.c.created_at.desc(), api_token.c.id)
    with store.connect() as connection:
        return [_token(row) for row in connection.execute(query)]


def revoke(connection: Connection, id: str, now: datetime, by: str) -> bool:
    """The token is good no more; False: it was revoked before, or there is none."""
    here = (api_token.c.id == id) & api_token.c.revoked_at.is_(None)
    return connection.execute(update(api_token).where(here).values(revoked_at=stamp(now), revoked_by=by)).rowcount == 1


def used(connection: Connection, id: str, now: datetime) -> None:
    """The token was used then."""
    connection.execute(update(api_token).where(api_token.c.id == id).values(used_at=stamp(now)))


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        channel=row.channel,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        expires_at=moment(row.expires_at),
        used_at=moment(row.used_at) if row.used_at else None,
        revoked_at=moment(row.revoked_at) if row.revoked_at else None,
        revoked_by=row.revoked_by,
    )
