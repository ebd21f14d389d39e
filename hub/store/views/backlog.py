"""What waits and where: records, steps, holds; the versions of the stores."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, and_, case, column, func, inspect, select, table

from hub.store.orders import ERP_TARGET
from hub.store.schema import OPEN_STATES, backorder, intent, orders, record, stamp, step


@dataclass(frozen=True, slots=True)
class Backlog:
    """The inbox: how much came, what became of it, what is not yet advanced."""

    records: int
    waiting: int
    oldest_waiting: str | None  # when it was received
    by_outcome: dict[str, int]


@dataclass(frozen=True, slots=True)
class Holding:
    """The orders: how many are known, how many go to the ERP, how many are held and with how much money."""

    orders: int
    by_posting: dict[str, int]  # "posted" go to the ERP; "held" would, and wait for a person
    held: int
    held_minor: dict[str, int]  # claimed totals of held orders by currency
    due: int  # held orders whose hold has run out


@dataclass(frozen=True, slots=True)
class Backordered:
    """Orders that want more of an item than any location has; no holds: what is there of them goes on."""

    orders: int
    units: int
    items: int


def backlog(inbox: Engine) -> Backlog:
    """What the inbox holds now."""
    with inbox.connect() as connection:
        found = {
            outcome: int(count)
            for outcome, count in connection.execute(select(record.c.outcome, func.count()).group_by(record.c.outcome))
        }
        oldest = connection.execute(select(func.min(record.c.received_at)).where(record.c.outcome.is_(None))).scalar()
    waiting = found.pop(None, 0)
    return Backlog(waiting + sum(found.values()), waiting, oldest, dict(sorted(found.items())))


def steps_by_state(store: Engine) -> dict[str, int]:
    """How many steps to the ERP are in each state."""
    return _steps(store).get(ERP_TARGET, {})


def told(store: Engine) -> dict[str, dict[str, int]]:
    """How many steps to each channel that was told anything, or is to be, are in each state."""
    return {target: states for target, states in _steps(store).items() if target != ERP_TARGET}


def _steps(store: Engine) -> dict[str, dict[str, int]]:
    query = select(step.c.target, step.c.state, func.count()).group_by(step.c.target, step.c.state)
    found: dict[str, dict[str, int]] = {}
    with store.connect() as connection:
        for target, state, count in connection.execute(query.order_by(step.c.target, step.c.state)):
            found.setdefault(target, {})[state] = int(count)
    return found


def documents_by_kind(store: Engine) -> dict[str, int]:
    """How many documents were decided for the ERP, by kind; those superseded before they were sent are left out."""
    query = (
        select(intent.c.kind, func.count(intent.c.document_key.distinct()))
        .join(step, step.c.intent_id == intent.c.id)
        .where(step.c.target == ERP_TARGET, step.c.state.in_((*OPEN_STATES, "done")))
        .group_by(intent.c.kind)
        .order_by(intent.c.kind)
    )
    with store.connect() as connection:
        return {kind: int(count) for kind, count in connection.execute(query)}


def holding(store: Engine, now: datetime) -> Holding:
    """The orders and what holds them; now: as of when a hold has run out."""
    state = case((and_(orders.c.posting == "posted", orders.c.holds > 0), "held"), else_=orders.c.posting)
    by_posting = select(state, func.count()).group_by(state).order_by(state)
    held = (
        select(orders.c.currency, func.count(), func.sum(orders.c.claimed_minor))
        .where(orders.c.holds > 0)
        .group_by(orders.c.currency)
        .order_by(orders.c.currency)
    )
    due = select(func.count()).select_from(orders).where(orders.c.holds > 0, orders.c.recheck_at <= stamp(now))
    with store.connect() as connection:
        postings = {posting: int(count) for posting, count in connection.execute(by_posting)}
        rows = connection.execute(held).all()
        run_out = connection.execute(due).scalar_one()
    return Holding(
        orders=sum(postings.values()),
        by_posting=postings,
        held=sum(int(count) for _, count, _ in rows),
        held_minor={currency: int(minor) for currency, _, minor in rows if currency is not None and minor is not None},
        due=int(run_out),
    )


def backordered(store: Engine) -> Backordered:
    """Who waits for stock."""
    query = select(
        func.count(func.distinct(backorder.c.channel + "/" + backorder.c.order_id)),
        func.coalesce(func.sum(backorder.c.quantity), 0),
        func.count(func.distinct(backorder.c.item)),
    )
    with store.connect() as connection:
        orders_, units, items = connection.execute(query).one()
    return Backordered(int(orders_), int(units), int(items))


def version(engine: Engine, part: str) -> str | None:
    """The migration that a part of the store is at; None: it has no tables yet."""
    name = f"{part}_version"
    with engine.connect() as connection:
        if not inspect(connection).has_table(name):
            return None
        found = connection.execute(select(column("version_num")).select_from(table(name))).scalar()
    return str(found) if found is not None else None
