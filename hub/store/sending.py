"""The queue of steps: claimed by one worker, settled once; the store alone says what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, case, exists, func, or_, select, text, update

from hub.model.decisions import REPORTS, HoldCode
from hub.model.documents import DOCUMENT, Document, DocumentKind
from hub.model.facts import Fact, content_hash
from hub.model.intents import REFS, Action, Outcome, ReadBack, StepState, Write
from hub.model.order import OrderKey
from hub.store import personal, targets
from hub.store.bulk import add_new
from hub.store.orders import ERP_TARGET, in_keys
from hub.store.schema import (
    IS_OF_NO_ORDER,
    IS_OPEN,
    IS_PLANNED,
    IS_UNDER_WAY,
    IS_URGENT,
    exception,
    fact,
    intent,
    moment,
    orders,
    stamp,
    step,
)
from hub.store.targets import Breaker, Look

KEYS_AT_ONCE: Final = 500  # values bound at once in an IN list
NO_RECORD: Final = 0
"""The record of a fact that no record brought."""

LEASE_S: Final = 120
"""A claimed step whose worker says nothing for so long is taken for one whose answer was lost."""

REJECTED: Final = "rejected"
IN_DOUBT: Final = "in_doubt"
READ_BACK: Final = "read_back"
NOT_TOLD: Final = "not_told"  # a channel refused what it was told
TOLD_TWICE: Final = "told_twice"  # a channel has two of what it was told
PAUSED: Final = "paused"  # a target lets nobody in
OF_SENDING: Final = frozenset({REJECTED, IN_DOUBT, READ_BACK, NOT_TOLD, TOLD_TWICE, PAUSED})
"""Codes of the exceptions that `send` opens and resolves; those of the ERP and of channels apart."""

HOLDS_NOTHING: Final = frozenset(
    {NOT_TOLD, TOLD_TWICE, PAUSED, HoldCode.UNKNOWN_SETTLEMENT.value, *(code.value for code in REPORTS)}
)
"""Codes of exceptions that keep no document of their order from the ERP."""

NO_ORDER: Final = ""
"""The order of master data: steps of none, which stand before all others."""


NO_LIMIT: Final = 1_000_000
"""Calls at once of a target that has no slots."""

ITEMS: Final = (DocumentKind.ITEM.value,)

_READ_BACK_NAMES: Final = ("total_minor", "tax_minor", "currency", "lines", "version")
READ_BACK_VALUES: Final[dict[str, Any]] = {
    "matches": bindparam("matches"),
    "readback_date": bindparam("date"),
    **{f"readback_{name}": bindparam(name) for name in _READ_BACK_NAMES},
}
"""The columns that a read-back fills, bound by the names that `read_back` gives."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step that this worker alone may send."""

    id: int
    channel: str
    order_id: str
    write: Write
    attempts: int  # this one included
    sent_at: datetime
    target: str = ERP_TARGET
    refs: tuple[str, ...] = ()  # of a write in several requests: what those before this one left in the target
    restored: bool = False  # the store was put back from a backup, and what ran before may have sent it

    def joined(self, ref: str | None) -> str | None:
        """The references of all its parts so far, with that of this one."""
        more = [one for one in (ref or "").split(REFS) if one and one not in self.refs]
        return REFS.join([*self.refs, *more]) or None

    @property
    def codes(self) -> tuple[str, str]:
        """Of the exceptions that its success cures."""
        return (REJECTED, IN_DOUBT) if self.target == ERP_TARGET else (NOT_TOLD, TOLD_TWICE)


Read = tuple[Claimed, str | None, ReadBack | None, bool | None]
"""A step that happened: the target's reference, what was read back, whether it equals what was sent (None: unread)."""


def claim(
    connection: Connection,
    target: str,
    limit: int,
    now: datetime,
    *,
    slots: int | None = None,
    lease_s: float = LEASE_S,
) -> list[Claimed]:
    """The next due steps, marked as sent: the first open one of each order, the oldest orders first.

    Master data goes first, and while any is under way no order's step is claimed. For an item that waits to be sent
    again all orders wait, for a customer its own. Where the target has slots, none but the orders of a customer wait
    for it at any time, and what is most urgent goes before what is older. A channel is told of no
    master data. Nothing of a target that is paused; one step where its breaker is half open.

    Args:
        slots: calls that the target bears at once, whoever makes them; None: no matter how many.
        lease_s: after which a worker that said nothing is taken for gone.
    """
    at = stamp(now)
    limit = min(limit, free_slots(connection, target, slots, now))
    if limit <= 0:
        return []
    rows = _due(connection, target, limit, at, _Which.MASTERS) if target == ERP_TARGET else []
    if slots is not None:
        items = any(row.kind in ITEMS for row in rows) or _awaited(connection, target, ITEMS)
        for which in (_Which.URGENT, _Which.OTHERS):
            if len(rows) < limit and not items:
                rows = [*rows, *_due(connection, target, limit - len(rows), at, which)]
    elif target != ERP_TARGET or not (rows or _awaited(connection, target)):
        rows = _due(connection, target, limit, at, _Which.ORDERS)
    elif not rows and not _under_way(connection, target) and not _awaited(connection, target, ITEMS):
        rows = _due(connection, target, limit, at, _Which.OF_KNOWN)
    if rows:
        until = stamp(now + timedelta(seconds=lease_s))
        statement = (
            update(step)
            .where(step.c.id == bindparam("step_id"))
            .values(state=StepState.SENT.value, attempts=step.c.attempts + 1, sent_at=at, leased_until=until)
        )
        connection.execute(statement, [{"step_id": row.id} for row in rows])
    return load_claimed(connection, target, [(row, row.attempts + 1, now) for row in rows])


def free_slots(connection: Connection, target: str, slots: int | None, now: datetime, look: Look | None = None) -> int:
    """How many more calls of the target may begin now; until this transaction ends nobody else begins any.

    Args:
        look: what would begin: none where somebody is at it; None: a write.
    """
    stands = targets.lock(connection, target, now)
    if stands.paused(now) or look in stands.looking:
        return 0
    half_open = stands.breaker(now) is Breaker.HALF_OPEN
    if slots is None and not half_open:
        return NO_LIMIT
    return (1 if half_open else slots or 1) - in_use(connection, target, now) - len(stands.looking)


def in_use(connection: Connection, target: str, now: datetime) -> int:
    """How many steps of the target are with a worker."""
    leased = step.c.target == target, text(IS_UNDER_WAY), step.c.state == StepState.SENT.value
    query = select(func.count()).select_from(step).where(*leased, step.c.leased_until >= stamp(now))
    return connection.execute(query).scalar_one()


def origins(connection: Connection, step_ids: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """Of each step its intent, and the last record that was known when that was decided; None: no record told of it."""
    found: dict[int, tuple[int, int | None]] = {}
    told = and_(
        fact.c.channel == intent.c.channel,
        fact.c.order_id == intent.c.order_id,
        fact.c.record_id != NO_RECORD,
        fact.c.recorded_at <= intent.c.decided_at,
    )
    for start in range(0, len(step_ids), KEYS_AT_ONCE):
        query = (
            select(step.c.id, intent.c.id, func.max(fact.c.record_id))
            .join(intent, intent.c.id == step.c.intent_id)
            .outerjoin(fact, told)
            .where(step.c.id.in_(step_ids[start : start + KEYS_AT_ONCE]))
            .group_by(step.c.id, intent.c.id)
        )
        found.update((id, (of, record)) for id, of, record in connection.execute(query))
    return found


def claim_doubtful(
    connection: Connection, target: str, limit: int, now: datetime, *, slots: int, lease_s: float
) -> list[Claimed]:
    """As `in_doubt`, in a slot: nobody else looks meanwhile, until the look is ended or so long has passed."""
    if free_slots(connection, target, slots, now, Look.PROBE) <= 0:
        return []
    doubtful = in_doubt(connection, target, limit, now)
    if doubtful:
        targets.lease(connection, target, Look.PROBE, now + timedelta(seconds=lease_s))
    return doubtful


def in_doubt(connection: Connection, target: str, limit: int, now: datetime) -> list[Claimed]:
    """Steps whose outcome nobody knows, due to be probed: no answer came, or the worker is gone; none in a pause."""
    at = stamp(now)
    if targets.standing(connection, target, now).paused(now):
        return []
    query = (
        steps_of_intents()
        .where(
            step.c.target == target,
            text(f"step.{IS_UNDER_WAY}"),
            or_(
                step.c.restored_at.is_(None), step.c.order_id == NO_ORDER, ~_WAITED_FOR
            ),  # what stands may be a later one's
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
    return load_claimed(connection, target, [(row, row.attempts, moment(row.sent_at)) for row in rows])


def waiting(connection: Connection, target: str) -> bool:
    """Whether any step of a target is planned or under way."""
    for state in (IS_PLANNED, IS_UNDER_WAY):
        query = select(step.c.id).where(step.c.target == target, text(state)).limit(1)
        if connection.execute(query).first() is not None:
            return True
    return False


def settle_done(connection: Connection, done: Sequence[Read], now: datetime, *, read_later: bool = False) -> None:
    """These steps happened: with the ERP's reference, the read-back, and whether it equals what was sent.

    Args:
        read_later: they are due to be read back.
    """
    if not done:
        return
    at = stamp(now)
    due = {"read_back_due": at} if read_later else {}
    statement = (
        update(step)
        .where(step.c.id == bindparam("step_id"))
        .values(
            **due,
            state=StepState.DONE.value,
            settled_at=at,
            leased_until=None,
            ref=bindparam("ref"),
            **READ_BACK_VALUES,
        )
    )
    rows = [{"step_id": one.id, "ref": one.joined(ref), **read_back(read, ok)} for one, ref, read, ok in done]
    connection.execute(statement, rows)
    again = [c for c, *_ in done if c.attempts > 1 or c.restored or c.target != ERP_TARGET]
    cured = {(c.channel, c.order_id, c.codes) for c in again}
    for channel, order_id, codes in cured:
        connection.execute(
            update(exception)
            .where(
                exception.c.channel == channel,
                exception.c.order_id == order_id,
                exception.c.code.in_(codes),
                exception.c.resolved_at.is_(None),
            )
            .values(resolved_at=at, resolution="cured")
        )


def read_back(read: ReadBack | None, matches: bool | None) -> dict[str, Any]:
    """What was read back, as a row's columns take it."""
    columns: dict[str, Any] = {name: getattr(read, name) if read else None for name in _READ_BACK_NAMES}
    return columns | {"matches": matches, "date": read.date.isoformat() if read else None}


def settle_rejected(connection: Connection, rejected: Sequence[tuple[Claimed, Outcome]], now: datetime) -> None:
    """These steps were refused; the steps of their orders behind them wait."""
    if not rejected:
        return
    statement = (
        update(step)
        .where(*_STILL)
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
        [{**_still(c), "code_": o.code, "field_": o.field, "remedy_": o.remedy} for c, o in rejected],
    )


def settle_in_doubt(connection: Connection, steps: Sequence[Claimed], probe_at: datetime) -> None:
    """Nobody knows of these steps; they are probed from then on and never blindly sent again."""
    _set(
        connection, steps, {"state": StepState.IN_DOUBT.value, "next_attempt_at": stamp(probe_at), "leased_until": None}
    )


def settle_parts(connection: Connection, parts: Sequence[tuple[Claimed, str | None, str]]) -> None:
    """A part of each of these writes happened, with the target's reference; the part that comes next is due at once."""
    if not parts:
        return
    statement = (
        update(step)
        .where(*_STILL)
        .values(
            state=case(
                (step.c.restored_at.is_not(None), StepState.IN_DOUBT.value),
                else_=StepState.PLANNED.value,
            ),
            part=bindparam("part_"),
            ref=bindparam("ref_"),
            next_attempt_at=None,
            leased_until=None,
        )
    )
    rows = [{**_still(one), "part_": then, "ref_": one.joined(ref)} for one, ref, then in parts]
    connection.execute(statement, rows)


def plan_again(connection: Connection, steps: Sequence[tuple[Claimed, datetime | None]]) -> None:
    """These steps did not happen: they may be sent from then on; None: at once."""
    if not steps:
        return
    statement = (
        update(step)
        .where(*_STILL)
        .values(state=StepState.PLANNED.value, next_attempt_at=bindparam("at_"), leased_until=None, restored_at=None)
    )
    connection.execute(statement, [{**_still(one), "at_": stamp(at) if at else None} for one, at in steps])


def written_later(connection: Connection, steps: Sequence[Claimed]) -> set[int]:
    """Those of these steps after which a later one writes the same document of the order."""
    other, of_other, own = step.alias("other"), intent.alias("of_other"), intent.alias("own")
    query = (
        select(step.c.id)
        .join(own, own.c.id == step.c.intent_id)
        .join(
            of_other,
            and_(
                of_other.c.channel == own.c.channel,
                of_other.c.order_id == own.c.order_id,
                of_other.c.document_key == own.c.document_key,
            ),
        )
        .join(other, and_(other.c.intent_id == of_other.c.id, other.c.target == step.c.target))
        .where(
            step.c.id.in_([one.id for one in steps]),
            other.c.id > step.c.id,
            other.c.state != StepState.SUPERSEDED.value,
        )
    )
    return set(connection.execute(query).scalars())


def amend_instead(connection: Connection, steps: Sequence[Claimed]) -> None:
    """What these creates would make stands otherwise already: they amend it, at once."""
    ids = [one.id for one in steps]
    for start in range(0, len(ids), KEYS_AT_ONCE):
        part = ids[start : start + KEYS_AT_ONCE]
        of_steps = select(step.c.intent_id).where(step.c.id.in_(part))
        connection.execute(update(intent).where(intent.c.id.in_(of_steps)).values(action=Action.AMEND.value))
    plan_again(connection, [(one, None) for one in steps])


def let_in(connection: Connection, target: str, sent_at: datetime, now: datetime, *, a_write: bool) -> None:
    """The target answered what was sent then: a pause that began before is over, and what it opened is cured."""
    if targets.answered(connection, target, sent_at, a_write=a_write):
        connection.execute(
            update(exception)
            .where(exception.c.channel == target, exception.c.code == PAUSED, exception.c.resolved_at.is_(None))
            .values(resolved_at=stamp(now), resolution="cured")
        )


def record_echoes(connection: Connection, echoes: Sequence[Fact], now: datetime) -> None:
    """The echoes are facts of their orders, and the orders are due to be decided anew.

    Whoever decides one of them meanwhile without its echo is overtaken: the order's version moves.
    """
    if not echoes:
        return
    at = stamp(now)
    rows = []
    for echo in echoes:
        content = echo.content()
        rows.append(
            {
                "channel": echo.order.channel,
                "order_id": echo.order.external_id,
                "kind": str(echo.kind),
                "external_id": echo.external_id,
                "hash": content_hash(content),
                "modified_at": stamp(echo.modified_at),
                "occurred_at": stamp(echo.occurred_at),
                "source": str(echo.source),
                "recorded_at": at,
                "record_id": NO_RECORD,
                "content": content.decode(),
            }
        )
    add_new(connection, fact, rows)
    due = (
        update(orders)
        .where(orders.c.channel == bindparam("at_channel"), orders.c.order_id == bindparam("at_order"))
        .values(version=orders.c.version + 1, recheck_at=at)
    )
    keys = sorted({(echo.order.channel, echo.order.external_id) for echo in echoes})
    connection.execute(due, [{"at_channel": channel, "at_order": order_id} for channel, order_id in keys])


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


_customer, _of_customer = step.alias("customer"), intent.alias("of_customer")
_OF_OPEN_CUSTOMER: Final = (
    exists()
    .where(
        orders.c.channel == step.c.channel,
        orders.c.order_id == step.c.order_id,
        text(f"of_customer.{IS_OF_NO_ORDER}"),
        _of_customer.c.document_key == orders.c.customer,
        _customer.c.intent_id == _of_customer.c.id,
        _customer.c.target == step.c.target,
        _customer.c.state.in_((StepState.PLANNED.value, StepState.SENT.value, StepState.IN_DOUBT.value)),
    )
    .correlate(step)
)
"""The customer of the step's order is not yet there; where it was refused, the ERP says so of the order too."""


class _Which(Enum):
    """Which of the due steps."""

    MASTERS = auto()
    ORDERS = auto()  # of all orders, the oldest first
    OF_KNOWN = auto()  # of orders whose customers stand, the oldest first
    URGENT = auto()  # of orders whose customers stand: those with a deadline, the first one first
    OTHERS = auto()  # the rest of these, the oldest first


def _due(connection: Connection, target: str, limit: int, at: str, which: _Which) -> Sequence[Any]:
    query = steps_of_intents().where(
        step.c.target == target,
        text(f"step.{IS_PLANNED}"),
        or_(step.c.next_attempt_at.is_(None), step.c.next_attempt_at <= at),
    )
    if which is _Which.MASTERS:
        query = query.where(text("step.order_id = ''"), text(f"step.{IS_OPEN}"))
    else:
        query = query.where(step.c.order_id != NO_ORDER, ~_WAITED_FOR)
    if which in (_Which.OF_KNOWN, _Which.URGENT, _Which.OTHERS):
        query = query.where(~_OF_OPEN_CUSTOMER)
    if which in (_Which.URGENT, _Which.OTHERS):
        query = query.where(text(f"step.{IS_URGENT}") if which is _Which.URGENT else step.c.urgent_by.is_(None))
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(of=step, skip_locked=True)  # SQLite has one writer: its lock is held already
    by = (step.c.urgent_by, step.c.id) if which is _Which.URGENT else (step.c.id,)
    return connection.execute(query.order_by(*by).limit(limit)).all()


def _under_way(connection: Connection, target: str) -> bool:
    """Whether any master data is sent and not settled."""
    query = _masters(target).where(text(f"step.{IS_UNDER_WAY}"))
    return connection.execute(query).first() is not None


def _awaited(connection: Connection, target: str, kinds: Sequence[str] | None = None) -> bool:
    """Whether any master data, of these kinds, is not there yet; what was refused is not awaited."""
    query = _masters(target).where(step.c.state != StepState.REJECTED.value)
    if kinds is not None:
        query = query.join(intent, intent.c.id == step.c.intent_id).where(intent.c.kind.in_(kinds))
    return connection.execute(query).first() is not None


def _masters(target: str) -> Select[tuple[int]]:
    open_ = text(f"step.{IS_OF_NO_ORDER}"), text(f"step.{IS_OPEN}")
    return select(step.c.id).where(step.c.target == target, *open_).limit(1)


def steps_of_intents() -> Any:
    """Steps with what their intents say, as `load_claimed` takes them."""
    return select(
        step.c.id,
        step.c.channel,
        step.c.order_id,
        step.c.attempts,
        step.c.sent_at,
        step.c.part,
        step.c.ref,
        step.c.restored_at,
        intent.c.kind,
        intent.c.action,
        intent.c.revision,
        intent.c.content,
    ).join(intent, intent.c.id == step.c.intent_id)


def load_claimed(connection: Connection, target: str, rows: Sequence[tuple[Any, int, datetime]]) -> list[Claimed]:
    """The rows with how often and when they were sent, as steps; the parties that their documents name filled in."""
    # An ERP knows a document by its key; one that was adopted may have to be known by the ERP's own id.
    known = [row for row, _, _ in rows if target != ERP_TARGET or row.action != Action.CREATE.value]
    refs = _refs(connection, target, known) if known else {}
    documents: list[Document] = [DOCUMENT.validate_json(row.content) for row, _, _ in rows]
    named = [(row.channel, row.order_id, document) for (row, _, _), document in zip(rows, documents, strict=True)]
    filled = personal.fill(connection, named)
    claimed = []
    for (row, attempts, sent_at), document, parties in zip(rows, documents, filled, strict=True):
        told = refs.get((row.channel, row.order_id), {})
        so_far = tuple(row.ref.split(REFS)) if row.part is not None and row.ref else ()
        held = told.get(document.key, ())
        write = Write(
            Action(row.action),
            document,
            row.revision,
            parties,
            held=(*held, *(ref for ref in so_far if ref not in held)),
            taken=frozenset(ref for key, of_key in told.items() if key != document.key for ref in of_key),
            part=row.part or "",
        )
        was = row.restored_at is not None
        claimed.append(Claimed(row.id, row.channel, row.order_id, write, attempts, sent_at, target, so_far, was))
    return claimed


Refs = dict[tuple[str, str], dict[str, tuple[str, ...]]]
"""By order, by document key: the target's own ids of what stands there of it."""


def _refs(connection: Connection, target: str, rows: Sequence[Any]) -> Refs:
    """What the last settled write of each document of these orders left in the target."""
    keys = sorted({OrderKey(row.channel, row.order_id) for row in rows}, key=str)
    found: Refs = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        query = (
            select(intent.c.channel, intent.c.order_id, intent.c.document_key, intent.c.action, step.c.ref)
            .join(step, step.c.intent_id == intent.c.id)
            .where(
                in_keys(intent, keys[start : start + KEYS_AT_ONCE]),
                step.c.target == target,
                step.c.state == StepState.DONE.value,
            )
            .order_by(step.c.id)
        )
        for channel, order_id, document, action, ref in connection.execute(query):
            of_order = found.setdefault((channel, order_id), {})
            gone = action == Action.VOID.value or ref is None
            of_order[document] = () if gone else tuple(ref.split(REFS))
    return found


def _set(connection: Connection, steps: Sequence[Claimed], values: dict[str, Any]) -> None:
    if steps:
        statement = update(step).where(*_STILL).values(**values)
        connection.execute(statement, [_still(claimed) for claimed in steps])


def _still(claimed: Claimed) -> dict[str, int]:
    return {"step_id": claimed.id, "attempt": claimed.attempts}


_STILL: Final = (
    step.c.id == bindparam("step_id"),
    step.c.attempts == bindparam("attempt"),
    or_(step.c.state == StepState.SENT.value, step.c.state == StepState.IN_DOUBT.value),
)
"""The step is under way by the same attempt: what another worker has settled or sent again meanwhile stands."""
