"""send: claim (transaction) → call (none open) → settle (transaction); in doubt: probe, never resend.

A kill between any two of these loses nothing and doubles nothing: a step claimed and not settled is probed when its
lease has run out, and every write carries the key by which the ERP knows it, or is looked for by what it made.

Targets are apart: a document that the ERP refuses holds nothing that a channel is told, and a channel that is down
holds nothing of the ERP's.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, Retryable
from hub.model.documents import MASTER_KINDS, Component, Document, DocumentKind
from hub.model.facts import Echo, Fact, FactKind, Source
from hub.model.intents import REFS, Action, Found, Outcome, ReadBack, Verdict
from hub.model.order import OrderKey
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack
from hub.steps.advance import reconsider
from hub.steps.hub import Hub, sweep_cycles
from hub.store import orders, sending
from hub.store.orders import ERP_TARGET
from hub.store.schema import stamp
from hub.store.sending import NO_ORDER, Claimed

log = logging.getLogger(__name__)

BATCH_STEPS: Final = 500
BATCH_CALLS: Final = 20  # steps that a channel is told under one lease: each is a few calls
PROBE_AGAIN_S: Final = 60
PAUSE_S: Final = 300  # until a target that let nobody in is tried again


@dataclass(slots=True)
class Sent:
    """What became of the steps of one call; the sums of several where they are added."""

    done: int = 0
    adopted: int = 0  # found by a probe
    rejected: int = 0
    in_doubt: int = 0
    differing: int = 0  # read back otherwise than sent
    again: int = 0  # absent, to be sent again
    told: "dict[str, Sent]" = field(default_factory=dict)  # the same of each channel that was told something

    @property
    def total(self) -> int:
        return self.done + self.adopted + self.rejected + self.in_doubt + self.again


@dataclass(slots=True)
class _Settlement:
    done: list[tuple[Claimed, str | None, ReadBack | None, bool | None]] = field(default_factory=list)
    rejected: list[tuple[Claimed, Outcome]] = field(default_factory=list)
    doubtful: list[Claimed] = field(default_factory=list)
    absent: list[Claimed] = field(default_factory=list)
    twice: list[Claimed] = field(default_factory=list)
    again_at: datetime | None = None  # before then the absent are not sent again; None: at once
    refusal: HubError | None = None  # why nobody was let in


def send(hub: Hub, limit: int = BATCH_STEPS, target: str = ERP_TARGET) -> Sent:
    """The next due steps of a target were tried once, the first of each order; nothing sent: `total` is 0."""
    sent = _send(hub, limit, target)
    sweep_cycles()
    return sent


def _send(hub: Hub, limit: int, target: str) -> Sent:
    now = hub.clock()
    settlement = _Settlement()
    try:
        adapter = _adapter(hub, target)
    except Misconfigured as refusal:
        if target == ERP_TARGET:
            raise
        settlement.refusal = refusal
        return _settle(hub, target, settlement, now, 0)
    if adapter is None:
        return Sent()
    with hub.writing() as connection, connection.begin():
        claimed = sending.claim(connection, target, limit if target == ERP_TARGET else min(limit, BATCH_CALLS), now)
    if not claimed:
        return Sent()
    try:
        outcomes = adapter.put([one.write for one in claimed])
    except InDoubt:
        settlement.doubtful = claimed
    except Retryable as refusal:
        settlement.absent = claimed  # nothing was changed by it
        if refusal.after_s is not None:
            settlement.again_at = hub.clock() + timedelta(seconds=refusal.after_s)
    except (AuthExpired, Misconfigured) as refusal:
        settlement.absent = claimed
        settlement.again_at = hub.clock() + timedelta(seconds=PAUSE_S)
        settlement.refusal = refusal
    else:
        _sort(claimed, outcomes, adapter, settlement)
    return _settle(hub, target, settlement, hub.clock(), _settles_s(hub, target, adapter))


def probe(hub: Hub, limit: int = BATCH_STEPS, target: str = ERP_TARGET) -> Sent:
    """Steps in doubt were looked for in the target: found is adopted, absent is believed after the settling time."""
    now = hub.clock()
    with hub.store.connect() as connection:
        doubtful = sending.in_doubt(connection, target, limit if target == ERP_TARGET else BATCH_CALLS, now)
    adapter = _adapter(hub, target) if doubtful else None
    if adapter is None or not isinstance(adapter, ProbesDocuments):
        return Sent()
    settles_s = _settles_s(hub, target, adapter)
    settlement = _Settlement()
    found: list[Claimed] = []
    refs: list[str | None] = []
    try:
        probes = adapter.probe([one.write for one in doubtful])
    except (Retryable, InDoubt, AuthExpired) as refusal:
        settlement.doubtful = doubtful
        settlement.refusal = refusal if isinstance(refusal, AuthExpired) else None
        return _settle(hub, target, settlement, now, settles_s)
    for one, probed in zip(doubtful, probes, strict=True):
        match probed.found:
            case Found.DONE:
                found.append(one)
                refs.append(probed.ref)
            case Found.ABSENT if now >= one.sent_at + timedelta(seconds=settles_s):
                settlement.absent.append(one)
            case Found.TWICE:
                settlement.twice.append(one)
            case _:
                settlement.doubtful.append(one)
    _read_back(found, refs, adapter, settlement)
    sent = _settle(hub, target, settlement, now, settles_s)
    sent.adopted, sent.done = sent.done, 0
    return sent


def send_all(hub: Hub) -> Sent:
    """Nothing is due any more: every step was tried, and those in doubt probed, until nothing moves, in all targets."""
    total = Sent()
    while True:
        _drain(hub, ERP_TARGET, total)
        told = 0
        for slug in _told_channels(hub):
            told += _drain(hub, slug, total.told.setdefault(slug, Sent()))
        if not told:  # what a channel answered may decide an order anew, and so concern the ERP
            total.told = {slug: sent for slug, sent in total.told.items() if sent.total}
            return total


def _drain(hub: Hub, target: str, total: Sent) -> int:
    """Nothing of this target is due any more; how many steps moved."""
    moved = 0
    while True:
        sent = send(hub, target=target)
        if not sent.done + sent.rejected + sent.in_doubt:
            probed = probe(hub, target=target)
            _add(total, probed)
            moved += probed.adopted + probed.again
            if not probed.adopted + probed.again:
                _add(total, sent)
                return moved
        moved += sent.done + sent.rejected + sent.in_doubt
        _add(total, sent)


def _told_channels(hub: Hub) -> list[str]:
    """The channels that something waits to be told to."""
    with hub.store.connect() as connection:
        return [one.slug for one in hub.settings.channels if sending.waiting(connection, one.slug)]


def _adapter(hub: Hub, target: str) -> Any:
    """What talks to a target; None: nothing waits for that channel."""
    if target == ERP_TARGET:
        adapter = hub.erp
        if not isinstance(adapter, PutsDocuments):
            raise Misconfigured(f"erp {hub.settings.erp.slug}: it takes no documents")
        return adapter
    with hub.store.connect() as connection:
        if not sending.waiting(connection, target):
            return None
    adapter = hub.connector(target)
    if not isinstance(adapter, PutsDocuments):
        raise Misconfigured(f"channel {target}: its connector can be told nothing; set ships: channel, stock: none")
    return adapter


def _settles_s(hub: Hub, target: str, adapter: Any) -> int:
    own = adapter.settle_s if isinstance(adapter, ProbesDocuments) else 0
    owner = hub.settings.erp if target == ERP_TARGET else hub.settings.channel(target)
    configured = owner.settle_s
    return own if configured is None else configured


def differs(document: Document, read: ReadBack, action: Action) -> bool:
    """Whether the ERP holds something else than what it was told: total, tax, currency, date, number of lines.

    What stock costs is the ERP's own matter: the total of a document that moves stock is not compared.
    """
    if action is Action.VOID:
        return not read.voided
    if read.voided or read.currency != document.currency:
        return True
    if read.date != document.date and document.kind not in MASTER_KINDS:  # which are of no period
        return True
    if any(line.component is Component.STOCK for line in document.lines):
        return read.lines != len(document.lines)
    return (read.total_minor, read.tax_minor, read.lines) != (
        document.total_minor,
        document.tax_minor,
        len(document.lines),
    )


def _sort(claimed: Sequence[Claimed], outcomes: Sequence[Outcome], erp: Any, settlement: _Settlement) -> None:
    done: list[Claimed] = []
    refs: list[str | None] = []
    for one, outcome in zip(claimed, outcomes, strict=True):
        match outcome.verdict:
            case Verdict.DONE:
                done.append(one)
                refs.append(outcome.ref)
            case Verdict.REJECTED:
                settlement.rejected.append((one, outcome))
            case Verdict.IN_DOUBT:
                settlement.doubtful.append(one)
            case Verdict.UNSENT:
                settlement.absent.append(one)
    _read_back(done, refs, erp, settlement)


def _read_back(done: Sequence[Claimed], refs: Sequence[str | None], erp: Any, settlement: _Settlement) -> None:
    if not isinstance(erp, ReadsBack):
        settlement.done.extend((one, ref, None, None) for one, ref in zip(done, refs, strict=True))
        return
    reads = erp.read_back([one.write.document for one in done])
    for one, ref, read in zip(done, refs, reads, strict=True):
        matches = read is not None and not differs(one.write.document, read, one.write.action)
        settlement.done.append((one, ref, read, matches))


def _settle(hub: Hub, target: str, settlement: _Settlement, now: datetime, settles_s: int) -> Sent:
    later = now + timedelta(seconds=min(PROBE_AGAIN_S, settles_s))
    differing = [one for one, _, _, matches in settlement.done if matches is False]
    echoes = [echo for one, ref, _, _ in settlement.done for echo in _echoes(one, ref, now)]
    with hub.writing() as connection, connection.begin():
        sending.settle_done(connection, settlement.done, now)
        sending.settle_rejected(connection, settlement.rejected, now)
        sending.settle_in_doubt(connection, settlement.doubtful + settlement.twice, later)
        sending.plan_again(connection, settlement.absent, settlement.again_at)
        sending.record_echoes(connection, echoes, now)
        if settlement.done:
            sending.let_in(connection, target, now)
        opened = [_rejected(one, outcome, now) for one, outcome in settlement.rejected]
        opened += [_differing(one, now) for one in differing]
        opened += [_twice(one, now) for one in settlement.twice]
        if settlement.refusal is not None:
            opened.append(_paused(target, settlement.refusal, now))
        if opened:
            _open(connection, opened)
    if echoes:  # a worker killed here has left the orders due
        reconsider(hub, sorted({echo.order for echo in echoes}, key=str))
    if differing or settlement.twice:
        log.warning("send.differs", extra={"documents": [one.write.document.key for one in differing]})
    return Sent(
        done=len(settlement.done),
        rejected=len(settlement.rejected),
        in_doubt=len(settlement.doubtful) + len(settlement.twice),
        differing=len(differing),
        again=len(settlement.absent),
    )


def _echoes(one: Claimed, ref: str | None, now: datetime) -> list[Fact]:
    """The channel's own fulfilments that this write made: what is heard of them later is the same shipment."""
    document = one.write.document
    if document.kind is not DocumentKind.SHIPMENT_NOTICE or one.write.action is Action.VOID or ref is None:
        return []
    order = OrderKey(one.channel, one.order_id)
    body = Echo(document.memo)
    return [Fact(order, FactKind.ECHO, made, now, now, Source.HUB, body) for made in ref.split(REFS)]


def _open(connection: Connection, rows: list[dict[str, Any]]) -> None:
    held = sending.claims_of(connection, sorted({(row["channel"], row["order_id"]) for row in rows}))
    for row in rows:
        of_its_own = (row.get("currency"), row.get("amount_minor"))
        row["currency"], row["amount_minor"] = held.get((row["channel"], row["order_id"]), of_its_own)
    orders.open_exceptions(connection, rows)


def _exception(one: Claimed, code: str, fingerprint: str, message: str, remedy: str, now: datetime) -> dict[str, Any]:
    document = one.write.document
    money = document.kind is DocumentKind.PAYOUT  # of no order that says how much is held
    return {
        "currency": document.currency if money else None,
        "amount_minor": document.total_minor if money else None,
        "channel": one.channel,
        "order_id": one.order_id if one.order_id != NO_ORDER else one.write.document.key,
        "fingerprint": fingerprint[:200],
        "code": code,
        "message": message,
        "remedy": remedy,
        "opened_at": stamp(now),
    }


def _rejected(one: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
    document = one.write.document
    code, _ = one.codes
    message = f"{_who(one)} refused {document.key}: {outcome.code} in {outcome.field}"
    fingerprint = f"{code}:{outcome.code}:{outcome.field}"
    return _exception(one, code, fingerprint, message, outcome.remedy, now)


def _differing(one: Claimed, now: datetime) -> dict[str, Any]:
    document = one.write.document
    return _exception(
        one,
        sending.READ_BACK,
        f"read_back:{document.kind}",
        f"{document.key} was read back otherwise than it was sent",
        "compare the document in the ERP with orderhub orders show; correct it there, or void it and retry",
        now,
    )


def _twice(one: Claimed, now: datetime) -> dict[str, Any]:
    document = one.write.document
    _, code = one.codes
    return _exception(
        one,
        code,
        f"{code}:twice" if code == sending.IN_DOUBT else code,
        f"{document.key} was found twice in {_who(one)}",
        f"void one of the two in {_who(one)}; the next probe adopts the other",
        now,
    )


def _paused(target: str, refusal: HubError, now: datetime) -> dict[str, Any]:
    return {
        "channel": target,
        "order_id": "connection",
        "fingerprint": f"{sending.PAUSED}:{target}",
        "code": sending.PAUSED,
        "message": str(refusal)[:2000],
        "remedy": f"see orderhub check; {target} is tried again every {PAUSE_S} s",
        "opened_at": stamp(now),
    }


def _who(one: Claimed) -> str:
    return "the ERP" if one.target == ERP_TARGET else f"channel {one.target}"


def _add(total: Sent, sent: Sent) -> None:
    total.done += sent.done
    total.adopted += sent.adopted
    total.rejected += sent.rejected
    total.in_doubt = sent.in_doubt
    total.differing += sent.differing
    total.again += sent.again
