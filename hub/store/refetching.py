"""Orders to be read anew from their channel: asked for by webhooks and sweeps, once an order however often asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, Dialect, Engine, bindparam, delete, func, select

from hub.store.bulk import Compiled, compiled, reserve, run, upserting
from hub.store.schema import inbox_counter, refetch


@dataclass(frozen=True, slots=True)
class Asked:
    """An order that waits to be read anew."""

    order_id: str
    ask: int  # its number; a later ask has a higher one


def ask(connection: Connection, orders: Sequence[tuple[str, str]]) -> None:
    """These (channel, order) are read anew; one that waits already waits from now.

    The number comes of a row that this transaction holds to its end, so an ask that commits later has a higher one.
    """
    if not orders:
        return
    number = reserve(connection, inbox_counter, "ask", 1)
    rows = [{"channel": channel, "order_id": order_id, "ask": number} for channel, order_id in sorted(set(orders))]
    run(connection, _asking(connection.dialect), rows)


def waiting(engine: Engine, channel: str, limit: int) -> list[Asked]:
    """The orders of a channel that wait, those asked for first at the front."""
    query = (
        select(refetch.c.order_id, refetch.c.ask)
        .where(refetch.c.channel == channel)
        .order_by(refetch.c.ask, refetch.c.order_id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return [Asked(order_id, number) for order_id, number in connection.execute(query)]


def count(engine: Engine, channel: str) -> int:
    """How many orders of a channel wait."""
    with engine.connect() as connection:
        query = select(func.count()).select_from(refetch).where(refetch.c.channel == channel)
        return connection.execute(query).scalar_one()


def serve(connection: Connection, channel: str, served: Sequence[Asked]) -> None:
    """These were read; one that was asked for again meanwhile stays."""
    if not served:
        return
    gone = delete(refetch).where(
        refetch.c.channel == channel,
        refetch.c.order_id == bindparam("order"),
        refetch.c.ask == bindparam("number"),
    )
    connection.execute(gone, [{"order": one.order_id, "number": one.ask} for one in served])


@lru_cache(maxsize=10)
def _asking(dialect: Dialect) -> Compiled:
    made = upserting(dialect, refetch)
    later = made.on_conflict_do_update(
        index_elements=["channel", "order_id"],
        set_={"ask": made.excluded.ask},
    )
    return compiled(later, dialect, ["channel", "order_id", "ask"])
