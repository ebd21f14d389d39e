"""Encrypted content by owner and name, and whose turn it is to renew it."""

from datetime import datetime

from sqlalchemy import Engine, or_, select, update

from hub.store.bulk import add_new
from hub.store.schema import sealed, stamp


def read(engine: Engine, owner: str, name: str) -> bytes | None:
    """What was written last; None: nothing was."""
    query = select(sealed.c.content).where(sealed.c.owner == owner, sealed.c.name == name)
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def write(engine: Engine, owner: str, name: str, content: bytes) -> None:
    """The content is on disk."""
    here = (sealed.c.owner == owner) & (sealed.c.name == name)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        add_new(connection, sealed, [{"owner": owner, "name": name}])
        connection.execute(update(sealed).where(here).values(content=content))


def take_turn(engine: Engine, owner: str, name: str, who: str, now: datetime, until: datetime) -> bool:
    """Whether it is `who`'s turn until then: nobody else's was, or it had passed."""
    free = or_(sealed.c.turn.is_(None), sealed.c.turn_until < stamp(now))
    here = (sealed.c.owner == owner) & (sealed.c.name == name) & free
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        add_new(connection, sealed, [{"owner": owner, "name": name}])
        taken = connection.execute(update(sealed).where(here).values(turn=who, turn_until=stamp(until)))
        return taken.rowcount == 1


def end_turn(engine: Engine, owner: str, name: str, who: str) -> None:
    """It is nobody's turn, unless another's has begun."""
    here = (sealed.c.owner == owner) & (sealed.c.name == name) & (sealed.c.turn == who)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(update(sealed).where(here).values(turn=None, turn_until=None))
