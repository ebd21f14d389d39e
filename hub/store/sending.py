"""The queue of steps: claimed by one worker, settled once; the store alone says what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, text, update

from hub.model.documents import DOCUMENT
from hub.model.intents import Action, Outcome, ReadBack, StepState, Write
from hub.store import personal
from hub.store.schema import (
    IS_MASTER,
    IS_OPEN,
    IS_PLANNED,
    IS_UNDER_WAY,
    exception,
    intent,
    moment,
    orders,
    stamp,
    step,
)

LEASE_S: Final = 120
"""A claimed step whose worker says nothing for so long is taken for one whose answer was lost."""

NO_ORDER: Final = ""
"""The order of master data: steps of none, which stand before all others."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step that this worker alone may send."""

    id: int
    channel: str
    order_id: str
    write: Write
    attempts: int  # this one included
    sent_at: datetime


def claim(connection: Connection, target: str, limit: int, now: datetime) -> list[Claimed]:
    """The next due steps, marked as sent: the first open one of each order, the oldest orders first.

    Master data goes first, and while any is under way no order's step is claimed.
    """
    at = stamp(now)
    masters = _due(connection, target, limit, at, masters=True)
    if not masters and _masters_under_way(connection, target):
        return []
    rows = masters or _due(connection, target, limit, at, masters=False)
    if rows:
        statement = (
            update(step)
            .where(step.c.id == bindparam("step_id"))
            .values(state=StepState.SENT.value, attempts=step.c.attempts + 1, sent_at=at, leased_until=_lease(now))
        )
        connection.execute(statement, [{"step_id": row.id} for row in rows])
    return _claimed(connection, [(row, row.attempts + 1, now) for row in rows])


def in_doubt(connection: Connection, target: str, limit: int, now: datetime) -> list[Claimed]:
    """Steps whose outcome nobody knows, due to be probed: no answer came, or the worker is gone."""
    at = stamp(now)
    query = (
        _steps()
        .where(
            step.c.target == target,
            text(f"step.{IS_UNDER_WAY}"),
            or_(
                and_(
                    step.c.state == StepState.IN_DOUBT.value,
                    or_(step.c.next_attempt_at.is_(None), step.c.next_attempt_at <= at),
                ),
                and_(step.c.state == StepState.SENT.value, step.c.leased_until < at),
            ),
        )
        .order_by(step.c.id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    return _claimed(connection, [(row, row.attempts, moment(row.sent_at)) for row in rows])


def settle_done(
    connection: Connection, done: Sequence[tuple[Claimed, str | None, ReadBack | None, bool | None]], now: datetime
) -> None:
    """These steps happened: with the ERP's reference, the read-back, and whether it equals what was sent."""
    if not done:
        return
    at = stamp(now)
    names = ("total_minor", "tax_minor", "currency", "lines", "version")
    statement = (
        update(step)
        .where(step.c.id == bindparam("step_id"))
        .values(
            state=StepState.DONE.value,
            settled_at=at,
            leased_until=None,
            ref=bindparam("ref"),
            matches=bindparam("matches"),
            readback_date=bindparam("date"),
            **{f"readback_{name}": bindparam(name) for name in names},
        )
    )
    rows: list[dict[str, Any]] = []
    for claimed, ref, read, matches in done:
        row: dict[str, Any] = {"step_id": claimed.id, "ref": ref, "matches": matches}
        row["date"] = read.date.isoformat() if read else None
        for name in names:
            row[name] = getattr(read, name) if read else None
        rows.append(row)
    connection.execute(statement, rows)
    cured = {(c.channel, c.order_id) for c, *_ in done if c.attempts > 1}
    for channel, order_id in cured:
        connection.execute(
            update(exception)
            .where(
                exception.c.channel == channel,
                exception.c.order_id == order_id,
                exception.c.code.in_(("rejected", "in_doubt")),
                exception.c.resolved_at.is_(None),
            )
            .values(resolved_at=at, resolution="cured")
        )


def settle_rejected(connection: Connection, rejected: Sequence[tuple[Claimed, Outcome]], now: datetime) -> None:
    """These steps were refused; the steps of their orders behind them wait."""
    if not rejected:
        return
    statement = (
        update(step)
        .where(step.c.id == bindparam("step_id"))
        .values(
            state=StepState.REJECTED.value,
            settled_at=stamp(now),
            leased_until=None,
            code=bindparam("code_"),
            field=bindparam("field_"),
            remedy=bindparam("remedy_"),
        )
    )
    connection.execute(
        statement,
        [{"step_id": c.id, "code_": o.code, "field_": o.field, "remedy_": o.remedy} for c, o in rejected],
    )


def settle_in_doubt(connection: Connection, steps: Sequence[Claimed], probe_at: datetime) -> None:
    """Nobody knows of these steps; they are probed from then on and never blindly sent again."""
    _set(
        connection, steps, {"state": StepState.IN_DOUBT.value, "next_attempt_at": stamp(probe_at), "leased_until": None}
    )


def plan_again(connection: Connection, steps: Sequence[Claimed]) -> None:
    """These steps did not happen: they may be sent."""
    _set(connection, steps, {"state": StepState.PLANNED.value, "next_attempt_at": None, "leased_until": None})


def retry_rejected(connection: Connection, keys: Sequence[tuple[str, str]]) -> int:
    """The refused steps of these orders may be sent again; how many they are."""
    count = 0
    for channel, order_id in keys:
        count += connection.execute(
            update(step)
            .where(step.c.channel == channel, step.c.order_id == order_id, step.c.state == StepState.REJECTED.value)
            .values(state=StepState.PLANNED.value)
        ).rowcount
    return count


def counts(connection: Connection, target: str) -> dict[str, int]:
    """How many steps are in each state."""
    query = select(step.c.state, func.count()).where(step.c.target == target).group_by(step.c.state)
    return dict(connection.execute(query).all())


def claims_of(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, int]]:
    """Currency and claimed total of orders: the money that an exception on them holds."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for channel, order_id in keys:
        row = connection.execute(
            select(orders.c.currency, orders.c.claimed_minor).where(
                orders.c.channel == channel, orders.c.order_id == order_id
            )
        ).first()
        if row is not None:
            found[channel, order_id] = (row[0], row[1])
    return found


_earlier = step.alias("earlier")
_WAITED_FOR: Final = (
    exists()
    .where(
        _earlier.c.channel == step.c.channel,
        _earlier.c.order_id == step.c.order_id,
        _earlier.c.id < step.c.id,
        _earlier.c.target == step.c.target,
        text(f"earlier.{IS_OPEN}"),
    )
    .correlate(step)
)
"""An open step of the same order stands before this one."""


def _due(connection: Connection, target: str, limit: int, at: str, *, masters: bool) -> Sequence[Any]:
    query = _steps().where(
        step.c.target == target,
        text(f"step.{IS_PLANNED}"),
        or_(step.c.next_attempt_at.is_(None), step.c.next_attempt_at <= at),
    )
    if masters:
        query = query.where(text("step.order_id = ''"), text(f"step.{IS_OPEN}"))
    else:
        query = query.where(step.c.order_id != NO_ORDER, ~_WAITED_FOR)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(of=step, skip_locked=True)  # SQLite has one writer: its lock is held already
    return connection.execute(query.order_by(step.c.id).limit(limit)).all()


def _masters_under_way(connection: Connection, target: str) -> bool:
    query = select(step.c.id).where(step.c.target == target, text(IS_MASTER), text(IS_UNDER_WAY))
    return connection.execute(query.limit(1)).first() is not None


def _steps() -> Any:
    return select(
        step.c.id,
        step.c.channel,
        step.c.order_id,
        step.c.attempts,
        step.c.sent_at,
        intent.c.action,
        intent.c.revision,
        intent.c.content,
    ).join(intent, intent.c.id == step.c.intent_id)


def _claimed(connection: Connection, rows: Sequence[tuple[Any, int, datetime]]) -> list[Claimed]:
    """The rows with how often and when they were sent, as steps; the parties that their documents name filled in."""
    documents = [DOCUMENT.validate_json(row.content) for row, _, _ in rows]
    named = [(row.channel, row.order_id, document) for (row, _, _), document in zip(rows, documents, strict=True)]
    return [
        Claimed(
            row.id,
            row.channel,
            row.order_id,
            Write(Action(row.action), document, row.revision, parties),
            attempts,
            sent_at,
        )
        for (row, attempts, sent_at), document, parties in zip(
            rows, documents, personal.fill(connection, named), strict=True
        )
    ]


def _set(connection: Connection, steps: Sequence[Claimed], values: dict[str, Any]) -> None:
    if steps:
        statement = update(step).where(step.c.id == bindparam("step_id")).values(**values)
        connection.execute(statement, [{"step_id": claimed.id} for claimed in steps])


def _lease(now: datetime) -> str:
    return stamp(now + timedelta(seconds=LEASE_S))
