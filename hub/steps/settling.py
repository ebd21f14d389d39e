"""settle: what calls of a target came to is on record, in one transaction, with what a person must look at."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import AuthExpired, HubError, Misconfigured
from hub.logs import fault_of
from hub.model.documents import DocumentKind
from hub.model.facts import Echo, Fact, FactKind, Source
from hub.model.intents import REFS, Action, Outcome
from hub.model.order import OrderKey
from hub.steps.advance import reconsider
from hub.steps.calling import CATCH_UP_S, PAUSE_S, Answer, again_s
from hub.steps.hub import Hub
from hub.steps.target import Target
from hub.store import orders, reading_back, sending, targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import stamp
from hub.store.sending import NO_ORDER, Claimed

log = logging.getLogger(__name__)

PROBE_AGAIN_S: Final = 60
READ_AGAIN_S: Final = 60


@dataclass(slots=True)
class Sent:
    """What became of the steps of one call; the sums of several where they are added."""

    done: int = 0
    parts: int = 0  # of writes in several requests, those that happened and are not the last
    adopted: int = 0  # found by a probe
    rejected: int = 0
    in_doubt: int = 0
    differing: int = 0  # read back otherwise than sent
    again: int = 0  # absent, to be sent again
    told: "dict[str, Sent]" = field(default_factory=dict)  # the same of each channel that was told something

    @property
    def total(self) -> int:
        return self.done + self.parts + self.adopted + self.rejected + self.in_doubt + self.again

    def add(self, more: "Sent") -> None:
        """The sum of both; what is in doubt is as the last said."""
        self.done += more.done
        self.parts += more.parts
        self.adopted += more.adopted
        self.rejected += more.rejected
        self.in_doubt = more.in_doubt
        self.differing += more.differing
        self.again += more.again

    @property
    def moved(self) -> int:
        """Steps that are not what they were before they were sent."""
        return self.done + self.parts + self.adopted + self.rejected + self.in_doubt

    @property
    def found(self) -> int:
        """Steps of which a probe told something."""
        return self.adopted + self.parts + self.again


def settle(hub: Hub, target: Target, *answers: Answer) -> Sent:
    """What the calls came to is on record, in one transaction; what follows from it for orders is decided."""
    now = hub.clock()
    done = [one for answer in answers for one in answer.done]
    parts = [one for answer in answers for one in answer.parts]
    rejected = [one for answer in answers for one in answer.rejected]
    read = [one for answer in answers for one in answer.read]
    twice = [one for answer in answers for one in answer.twice]
    lost = [one for answer in answers if answer.look is None for one in answer.doubtful]
    unknown = [one for answer in answers if answer.look is not None for one in answer.doubtful]
    again = [(one, None) for answer in answers for one in answer.absent]
    later = [(one, now + timedelta(seconds=again_s(one))) for answer in answers for one in answer.unsent]
    unread = [one for answer in answers for one in answer.unread]
    otherwise = [each for answer in answers for each in answer.otherwise]
    echoes = [echo for one, ref, _, _ in done for echo in _echoes(one, ref, now)]
    waits = overtaken = 0
    with hub.writing() as connection, connection.begin():
        sending.settle_done(connection, done, now, read_later=target.reads_later)
        kept = {one.id for one in reading_back.record(connection, target.name, read)}
        reading_back.postpone(connection, unread, now + timedelta(seconds=READ_AGAIN_S))
        sending.settle_parts(connection, parts)
        sending.settle_rejected(connection, rejected, now)
        sending.settle_in_doubt(connection, lost, now + timedelta(seconds=min(PROBE_AGAIN_S, target.settles_s)))
        sending.settle_in_doubt(connection, [*unknown, *twice], now + timedelta(seconds=PROBE_AGAIN_S))
        sending.plan_again(connection, [*again, *later])
        if otherwise:
            waits, overtaken = _restored(connection, otherwise, now)
        sending.record_echoes(connection, echoes, now)
        differing = [one for one, _, _, matches in done if matches is False]
        differing += [one for one, _, _, matches in read if matches is False and one.id in kept]
        opened = [_rejected(one, outcome, now) for one, outcome in rejected]
        opened += [_differing(one, now) for one in differing]
        opened += [_twice(one, now) for one in twice]
        shut_out = [answer.fault for answer in answers if isinstance(answer.fault, AuthExpired | Misconfigured)]
        opened += [_paused(target.name, fault, now) for fault in shut_out[:1]]
        if opened:
            _open(connection, opened)
        _judge(connection, target.name, answers, now)
    if echoes:  # a worker killed here has left the orders due
        reconsider(hub, sorted({echo.order for echo in echoes}, key=str))
    if differing or twice:
        log.warning("send.differs", extra={"documents": [one.write.document.key for one in [*differing, *twice]]})
    if log.isEnabledFor(logging.INFO):
        _tell(hub, answers)
    adopted = sum(len(answer.done) for answer in answers if answer.look is not None) + overtaken
    return Sent(
        done=len(done) + overtaken - adopted,
        adopted=adopted,
        parts=len(parts),
        rejected=len(rejected),
        in_doubt=len(lost) + len(unknown) + len(twice) + waits,
        differing=len(differing),
        again=len(again) + len(later) + len(otherwise) - waits - overtaken,
    )


def _restored(
    connection: Connection, otherwise: Sequence[tuple[Claimed, str | None]], now: datetime
) -> tuple[int, int]:
    """What was not found as a step of a restored store says is settled; how many still wait, and are over.

    A later step of the same document says what must stand. Where there is none, the document is made as this one says,
    but not before what the channels say now has had time to be decided.
    """
    later = sending.written_later(connection, [one for one, _ in otherwise])
    over = [(one, ref, None, None) for one, ref in otherwise if one.id in later]
    early = [one for one, _ in otherwise if one.id not in later and now < one.sent_at + timedelta(seconds=CATCH_UP_S)]
    due = [one for one, _ in otherwise if one.id not in later and one not in early]
    sending.settle_done(connection, over, now)
    sending.settle_in_doubt(connection, early, now + timedelta(seconds=PROBE_AGAIN_S))
    sending.amend_instead(connection, [one for one in due if one.write.action is Action.CREATE])
    sending.plan_again(connection, [(one, None) for one in due if one.write.action is not Action.CREATE])
    return len(early), len(over)


def _tell(hub: Hub, answers: Sequence[Answer]) -> None:
    """What became of each step stands in the log, with the record that it goes back to."""
    came: list[tuple[str, Claimed, dict[str, Any]]] = []
    for answer in answers:
        came += [("send.done", one, {"ref": ref}) for one, ref, _, _ in answer.done]
        came += [("send.part", one, {"ref": ref, "part": then}) for one, ref, then in answer.parts]
        came += [("send.rejected", one, {"code": said.code, "field": said.field}) for one, said in answer.rejected]
        came += [("send.in_doubt", one, {"fault": answer.fault}) for one in answer.doubtful]
        came += [("send.twice", one, {}) for one in answer.twice]
        came += [("send.absent", one, {"fault": answer.fault}) for one in answer.absent]
        came += [("send.unsent", one, {"fault": answer.fault}) for one in answer.unsent]
    with hub.store.connect() as connection:
        origins = sending.origins(connection, sorted({one.id for _, one, _ in came}))
    for event, one, more in came:
        intent, record = origins.get(one.id, (None, None))
        named = {"channel": one.channel, "order": one.order_id or None, "record": record, "intent": intent}
        sent = {"step": one.id, "target": one.target, "document": one.write.document.key, "attempts": one.attempts}
        log.info(event, extra={**named, **sent, **more})


def _judge(connection: Connection, target: str, answers: Sequence[Answer], now: datetime) -> None:
    """What the calls say of the target: it answers, it asks for a pause, or it gave no answer."""
    for look in {answer.look for answer in answers if answer.look is not None}:
        targets.end(connection, target, look)
    for a_write in (True, False):
        answered = [answer.sent_at for answer in answers if answer.answered and (answer.look is None) is a_write]
        if answered:
            sending.let_in(connection, target, max(answered), now, a_write=a_write)
    for answer in answers:
        if answer.answered:
            continue
        if answer.pause is not None:
            why, pause_s = answer.pause
            targets.pause(connection, target, why, _words(answer.fault), now, now + timedelta(seconds=pause_s))
        elif answer.fault is not None or answer.doubtful or answer.unsent:
            targets.failed(connection, target, _words(answer.fault), now)


def _words(fault: BaseException | None) -> str:
    """Why the target is left alone, in words of ours: a far side's own may repeat what it was told."""
    return "no answer" if fault is None else fault_of(fault)


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
        "remedy": f"see orderhub check; {target} is tried every {PAUSE_S} s, and at once by exceptions retry",
        "opened_at": stamp(now),
    }


def _who(one: Claimed) -> str:
    return "the ERP" if one.target == ERP_TARGET else f"channel {one.target}"
