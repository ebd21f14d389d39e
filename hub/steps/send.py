"""send: claim (transaction) → call (none open) → settle (transaction); in doubt: probe, never resend.

A kill between any two of these loses nothing and doubles nothing: a step claimed and not settled is probed when its
lease has run out, and every write carries the key by which the ERP knows it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import InDoubt, Misconfigured, Retryable
from hub.model.documents import Component, Document
from hub.model.intents import Action, Found, Outcome, ReadBack, Verdict
from hub.ports import ProbesDocuments, PutsDocuments, ReadsBack
from hub.steps.hub import Hub
from hub.store import orders, sending
from hub.store.schema import stamp
from hub.store.sending import NO_ORDER, Claimed

log = logging.getLogger(__name__)

TARGET: Final = "erp"
BATCH_STEPS: Final = 500
PROBE_AGAIN_S: Final = 60


@dataclass(slots=True)
class Sent:
    """What became of the steps of one call; the sums of several where they are added."""

    done: int = 0
    adopted: int = 0  # found by a probe
    rejected: int = 0
    in_doubt: int = 0
    differing: int = 0  # read back otherwise than sent
    again: int = 0  # absent, to be sent again

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


def send(hub: Hub, limit: int = BATCH_STEPS) -> Sent:
    """The next due steps were tried once, the first of each order; nothing sent: `total` is 0."""
    erp = hub.erp
    if not isinstance(erp, PutsDocuments):
        raise Misconfigured(f"erp {hub.settings.erp.slug}: it takes no documents")
    with hub.writing() as connection, connection.begin():
        claimed = sending.claim(connection, TARGET, limit, hub.clock())
    if not claimed:
        return Sent()
    settlement = _Settlement()
    try:
        outcomes = erp.put([one.write for one in claimed])
    except InDoubt:
        settlement.doubtful = claimed
    except Retryable:
        settlement.absent = claimed  # nothing was changed by it
    else:
        _sort(claimed, outcomes, erp, settlement)
    return _settle(hub, settlement, hub.clock())


def probe(hub: Hub, limit: int = BATCH_STEPS) -> Sent:
    """Steps in doubt were looked for in the ERP: found is adopted, absent is believed after the settling time."""
    erp = hub.erp
    now = hub.clock()
    with hub.store.connect() as connection:
        doubtful = sending.in_doubt(connection, TARGET, limit, now)
    if not doubtful or not isinstance(erp, ProbesDocuments):
        return Sent()
    settles_s = hub.settings.erp.settle_s if hub.settings.erp.settle_s is not None else erp.settle_s
    settlement = _Settlement()
    found: list[Claimed] = []
    refs: list[str | None] = []
    for one, probed in zip(doubtful, erp.probe([one.write for one in doubtful]), strict=True):
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
    _read_back(found, refs, erp, settlement)
    sent = _settle(hub, settlement, now)
    sent.adopted, sent.done = sent.done, 0
    return sent


def send_all(hub: Hub) -> Sent:
    """Nothing is due any more: every step was tried, and those in doubt probed, until nothing moves."""
    total = Sent()
    while True:
        sent = send(hub)
        if not sent.done + sent.rejected + sent.in_doubt:
            probed = probe(hub)
            _add(total, probed)
            if not probed.adopted + probed.again:
                _add(total, sent)
                return total
        _add(total, sent)


def differs(document: Document, read: ReadBack, action: Action) -> bool:
    """Whether the ERP holds something else than what it was told: total, tax, currency, date, number of lines.

    What stock costs is the ERP's own matter: the total of a document that moves stock is not compared.
    """
    if action is Action.VOID:
        return not read.voided
    if read.voided or read.currency != document.currency or read.date != document.date:
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
    _read_back(done, refs, erp, settlement)


def _read_back(done: Sequence[Claimed], refs: Sequence[str | None], erp: Any, settlement: _Settlement) -> None:
    if not isinstance(erp, ReadsBack):
        settlement.done.extend((one, ref, None, None) for one, ref in zip(done, refs, strict=True))
        return
    reads = erp.read_back([one.write.document.key for one in done])
    for one, ref, read in zip(done, refs, reads, strict=True):
        matches = read is not None and not differs(one.write.document, read, one.write.action)
        settlement.done.append((one, ref, read, matches))


def _settle(hub: Hub, settlement: _Settlement, now: datetime) -> Sent:
    later = now + timedelta(seconds=PROBE_AGAIN_S if hub.settings.erp.settle_s else 0)
    differing = [one for one, _, _, matches in settlement.done if matches is False]
    with hub.writing() as connection, connection.begin():
        sending.settle_done(connection, settlement.done, now)
        sending.settle_rejected(connection, settlement.rejected, now)
        sending.settle_in_doubt(connection, settlement.doubtful + settlement.twice, later)
        sending.plan_again(connection, settlement.absent)
        opened = [_rejected(one, outcome, now) for one, outcome in settlement.rejected]
        opened += [_differing(one, now) for one in differing]
        opened += [_twice(one, now) for one in settlement.twice]
        if opened:
            _open(connection, opened)
    if differing or settlement.twice:
        log.warning("send.differs", extra={"documents": [one.write.document.key for one in differing]})
    return Sent(
        done=len(settlement.done),
        rejected=len(settlement.rejected),
        in_doubt=len(settlement.doubtful) + len(settlement.twice),
        differing=len(differing),
        again=len(settlement.absent),
    )


def _open(connection: Connection, rows: list[dict[str, Any]]) -> None:
    held = sending.claims_of(connection, sorted({(row["channel"], row["order_id"]) for row in rows}))
    for row in rows:
        row["currency"], row["amount_minor"] = held.get((row["channel"], row["order_id"]), (None, None))
    orders.open_exceptions(connection, rows)


def _exception(one: Claimed, code: str, fingerprint: str, message: str, remedy: str, now: datetime) -> dict[str, Any]:
    return {
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
    message = f"the ERP refused {document.key}: {outcome.code} in {outcome.field}"
    fingerprint = f"rejected:{outcome.code}:{outcome.field}"
    return _exception(one, "rejected", fingerprint, message, outcome.remedy, now)


def _differing(one: Claimed, now: datetime) -> dict[str, Any]:
    document = one.write.document
    return _exception(
        one,
        "read_back",
        f"read_back:{document.kind}",
        f"{document.key} was read back otherwise than it was sent",
        "compare the document in the ERP with orderhub orders show; correct it there, or void it and retry",
        now,
    )


def _twice(one: Claimed, now: datetime) -> dict[str, Any]:
    document = one.write.document
    return _exception(
        one,
        "in_doubt",
        "in_doubt:twice",
        f"{document.key} was found twice in the ERP",
        "void one of the two in the ERP; the next probe adopts the other",
        now,
    )


def _add(total: Sent, sent: Sent) -> None:
    total.done += sent.done
    total.adopted += sent.adopted
    total.rejected += sent.rejected
    total.in_doubt = sent.in_doubt
    total.differing += sent.differing
    total.again += sent.again
