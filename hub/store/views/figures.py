"""How much there is of everything: the figures of a summary."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from hub.model.intents import StepState
from hub.store.orders import ERP_TARGET
from hub.store.schema import event, hub_metadata, inbox_metadata, intent, moment, orders, record, step
from hub.store.sending import NO_ORDER


@dataclass(frozen=True, slots=True)
class Figures:
    captured: int  # records
    orders: int
    held: int  # orders
    events: int
    documents: dict[str, int]  # by kind: those that stand in the ERP
    in_doubt: int  # steps


def rows(store: Engine, inbox: Engine) -> int:
    """How many rows all tables hold together."""
    total = 0
    for engine, metadata in ((store, hub_metadata), (inbox, inbox_metadata)):
        with engine.connect() as connection:
            for table in metadata.tables.values():
                total += connection.execute(select(func.count()).select_from(table)).scalar_one()
    return total


def figures(store: Engine, inbox: Engine) -> Figures:
    """The figures as of now."""
    with inbox.connect() as connection:
        captured = connection.execute(select(func.count()).select_from(record)).scalar_one()
    standing = (
        select(intent.c.kind, func.count(intent.c.document_key.distinct()))
        .join(step, step.c.intent_id == intent.c.id)
        .where(step.c.target == ERP_TARGET, step.c.state == StepState.DONE.value)
        .group_by(intent.c.kind)
        .order_by(intent.c.kind)
    )
    doubtful = select(func.count()).select_from(step).where(step.c.state == StepState.IN_DOUBT.value)
    with store.connect() as connection:
        return Figures(
            captured=captured,
            orders=connection.execute(select(func.count()).select_from(orders)).scalar_one(),
            held=connection.execute(select(func.count()).select_from(orders).where(orders.c.holds > 0)).scalar_one(),
            events=connection.execute(select(func.count()).select_from(event)).scalar_one(),
            documents=dict(connection.execute(standing).all()),
            in_doubt=connection.execute(doubtful).scalar_one(),
        )


def through_at(store: Engine) -> list[datetime]:
    """When the ERP had each order's last step, the earliest first."""
    query = (
        select(func.max(step.c.settled_at))
        .where(step.c.target == ERP_TARGET, step.c.order_id != NO_ORDER)
        .group_by(step.c.channel, step.c.order_id)
    )
    with store.connect() as connection:
        return sorted(moment(at) for at in connection.scalars(query) if at is not None)
