"""Payouts decided: what is paid and whole becomes a document, what is not becomes a task; never a sync that fails."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.errors import Misconfigured, Missing
from hub.flow.decide import NOTHING, decide
from hub.flow.hold import late
from hub.flow.payouts import PlannedPayout, Task, plan_payout
from hub.flow.terms import Terms
from hub.model.decisions import Decision, Hold, HoldCode
from hub.model.order import OrderKey
from hub.model.payouts import Payout, PayoutState, payout_key, payout_of
from hub.steps.deciding import Decider, add_intent, stamped_rate, urgency
from hub.steps.hub import Hub, OpenChannel
from hub.store import orders, payouts, roots
from hub.store.orders import ERP_TARGET, HOLDS, Changes, Known, Overtaken, lost_the_race
from hub.store.payouts import KnownPayout
from hub.store.schema import stamp
from hub.store.views import exceptions as exception_views
from hub.store.views import orders as order_views
from hub.store.views import payouts as payout_views
from hub.store.views.exceptions import OpenException
from hub.store.views.orders import DocumentRow
from hub.store.views.payouts import PayoutSight

log = logging.getLogger(__name__)

BATCH_PAYOUTS: Final = 100
ATTEMPTS_MAX: Final = 5  # times that a batch is decided anew because another worker was faster
FAULT_REMEDY: Final = "a fault of this program or of the policies: report it with the payout, then retry"


@dataclass(slots=True)
class _Decided:
    known: KnownPayout
    before: Known
    planned: PlannedPayout
    decision: Decision


def decide_due(hub: Hub) -> int:
    """Every payout that changed is decided; how many they were."""
    count = 0
    while found := _decide_some(hub):
        count += found
    return count


@dataclass(frozen=True, slots=True)
class PayoutShown:
    """One payout with what became of it."""

    sight: PayoutSight
    documents: list[DocumentRow]
    tasks: list[OpenException]


def show_payout(hub: Hub, name: str) -> PayoutShown:
    """The payout of this id, or channel/id.

    Raises:
        Misconfigured: there is none, or several channels have one.
    """
    found = payout_views.found(hub.store, name)
    if not found:
        raise Missing(f"no payout {name!r}: see orderhub payouts list")
    if len(found) > 1:
        names = ", ".join(f"{sight.row.channel}/{sight.row.payout}" for sight in found)
        raise Misconfigured(f"{name!r} is several payouts: name one of {names}")
    key = payout_key(found[0].row.channel, found[0].row.payout)
    return PayoutShown(found[0], order_views.documents(hub.store, key), exception_views.opened(hub.store, order=key))


def reconsider(hub: Hub, keys: Iterable[OrderKey]) -> int:
    """These payouts are decided anew under today's terms; keys that are no payouts' are left alone."""
    named = sorted({(key.channel, payout_id) for key in keys if (payout_id := payout_of(key)) is not None})
    if named:
        with hub.writing() as connection, connection.begin():
            payouts.touch(connection, named)
    return decide_due(hub) if named else 0


def _decide_some(hub: Hub) -> int:
    for attempt in range(ATTEMPTS_MAX):
        with hub.store.connect() as reading:
            found = payouts.due(reading, BATCH_PAYOUTS)
            if not found:
                return 0
            now = roots.open_moment(reading, hub.clock())
            decided = _decide(hub, reading, found, now)
        changes = Changes()
        for one in decided:
            _add_to(changes, hub.channel(one.known.channel), one, now)
        try:
            with hub.writing() as writing, writing.begin():
                payouts.decided(writing, [(one.known, one.planned.state) for one in decided])
                orders.record(writing, changes)
            return len(decided)
        except (Overtaken, DBAPIError) as fault:
            if attempt == ATTEMPTS_MAX - 1 or not lost_the_race(fault):
                raise
    raise AssertionError("unreachable")


def _decide(hub: Hub, connection: Connection, found: list[KnownPayout], now: datetime) -> list[_Decided]:
    before = orders.load_decided(connection, [one.key for one in found])
    decider = Decider(hub, connection, {}, now)
    return [_one(hub, decider, known, before[known.key]) for known in found]


def _one(hub: Hub, decider: Decider, known: KnownPayout, before: Known) -> _Decided:
    try:
        return _decide_one(hub, decider, known, before)
    except Exception as fault:  # noqa: BLE001  put aside by name
        # The one payout that this program cannot handle is put aside by name; the rest of the batch goes on.
        log.warning("payouts.fault", extra={"payout": str(known.key), "fault": fault})
        message = f"{type(fault).__name__}: {fault}"
        hold = Hold(HoldCode.FAULT, f"fault:{type(fault).__name__}", message, FAULT_REMEDY)
        amount = known.payout.amount_minor if known.payout else 0
        return _Decided(known, before, PlannedPayout(PayoutState.HELD, holds=[Task(hold, amount)]), NOTHING)


def _decide_one(hub: Hub, decider: Decider, known: KnownPayout, before: Known) -> _Decided:
    channel = hub.channel(known.channel)
    go_live = channel.channel.go_live
    if known.payout is not None and go_live is not None and known.payout.on < go_live:
        return _Decided(known, before, PlannedPayout(PayoutState.BEFORE_GO_LIVE), NOTHING)
    terms = _with_rate(hub, decider.terms_at_home(channel), known.payout, before)
    planned = plan_payout(known.channel, known.payout, known.lines, terms, before.released)
    if planned.state in (PayoutState.HELD, PayoutState.WAITING):
        return _Decided(known, before, planned, NOTHING)
    return _Decided(known, before, planned, _decision(planned, before, terms, channel))


def _decision(planned: PlannedPayout, before: Known, terms: Terms, channel: OpenChannel) -> Decision:
    documents = [planned.document] if planned.document is not None else []
    decision = decide(documents, before.decided, terms, channel.chart, channel.policy)
    if HoldCode.CLOSED_PERIOD.value in before.released:
        return decision
    held = late(decision, terms, channel.rules)
    if not held:
        return decision
    planned.state = PayoutState.HELD
    planned.holds = [Task(hold, planned.document.total_minor if planned.document else 0) for hold in held]
    return NOTHING


def _with_rate(hub: Hub, terms: Terms, payout: Payout | None, before: Known) -> Terms:
    if payout is None or payout.currency == terms.functional:
        return terms
    rate = stamped_rate(before) or hub.rates.find(payout.currency, terms.functional, payout.on)
    return replace(terms, rate=rate)


def _add_to(changes: Changes, channel: OpenChannel, one: _Decided, now: datetime) -> None:
    key, before, at = one.known.key, one.before, stamp(now)
    changes.superseded.extend(before.unsent[document] for document in one.decision.superseded)
    urgent = urgency(channel, ERP_TARGET, [intent.document for intent in one.decision.intents])
    for intent in one.decision.intents:
        add_intent(changes, key.channel, key.external_id, intent, at, urgent=urgent)
    tasks = {task.hold.fingerprint[:200]: task for task in (*one.planned.holds, *one.planned.tasks)}
    payout = one.known.payout
    for fingerprint, task in tasks.items():
        changes.opened.append(
            {
                "channel": key.channel,
                "order_id": key.external_id,
                "fingerprint": fingerprint,
                "code": task.hold.code.value,
                "message": f"payout {one.known.payout_id}: {task.hold.message}",
                "remedy": task.hold.remedy,
                "currency": payout.currency if payout else None,
                "amount_minor": task.amount_minor,
                "opened_at": at,
            }
        )
    for fingerprint, code in before.open_exceptions.items():
        superseded = code == "rejected" and one.decision.superseded
        if fingerprint not in tasks and (code in HOLDS or superseded):
            changes.resolved.append(
                {
                    "by_channel": key.channel,
                    "by_order": key.external_id,
                    "by_fingerprint": fingerprint,
                    "resolved_at": at,
                    "resolution": "released" if code in before.released else "cured",
                }
            )
