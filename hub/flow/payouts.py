"""What a payout puts into the books: one document once it is paid and whole, and what a person should know of it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.flow.terms import Terms
from hub.model.crosswalk import CrosswalkKind
from hub.model.decisions import Hold, HoldCode
from hub.model.documents import Component, Document, DocumentKind, DocumentLine, document_key
from hub.model.money import format_minor
from hub.model.payouts import Payout, PayoutState, PayoutStatus, SettlementKind

MISSING: Final = "missing"
"""What a released payout lacks is in quarantine under this word."""


class Settled(Protocol):
    """Lines of a payout that are alike, added up."""

    @property
    def kind(self) -> SettlementKind: ...
    @property
    def word(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def adds_up(self) -> bool: ...
    @property
    def count(self) -> int: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def net_minor(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Task:
    """What a person should see to; only a hold keeps the payout from the books."""

    hold: Hold
    amount_minor: int


@dataclass(slots=True)
class PlannedPayout:
    state: PayoutState
    document: Document | None = None
    holds: list[Task] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


def plan_payout(
    channel: str, payout: Payout | None, lines: Sequence[Settled], terms: Terms, released: Collection[str]
) -> PlannedPayout:
    """The payout's document, or why there is none.

    Args:
        payout: None: only lines of it are known.
        released: codes of holds that a person has released.
    """
    if payout is None or payout.status in (PayoutStatus.SCHEDULED, PayoutStatus.IN_TRANSIT):
        return PlannedPayout(PayoutState.WAITING)
    own = [line for line in lines if line.kind is not SettlementKind.PAYOUT]
    if payout.status is not PayoutStatus.PAID and not own:
        return PlannedPayout(PayoutState.EMPTY)
    planned = PlannedPayout(PayoutState.POSTED)
    parts: Counter[str] = Counter()
    for line in own:
        if line.currency == payout.currency:
            _add(parts, line, payout, terms, planned.tasks)
    parts[SettlementKind.CARRIED] += payout.opening_minor - payout.closing_minor
    missing = payout.amount_minor - sum(parts.values())
    if missing or any(line.currency != payout.currency for line in own):
        planned.holds.append(Task(_incomplete(channel, payout, missing), missing))
        parts[f"{SettlementKind.UNKNOWN}:{MISSING}"] += missing
    if payout.status is not PayoutStatus.PAID:
        parts[SettlementKind.RETURNED] -= payout.amount_minor
    if payout.currency != terms.functional and terms.rate is None:
        planned.holds.append(Task(_rateless(payout, terms), payout.amount_minor))
    planned.holds = [task for task in planned.holds if task.hold.code.value not in released]
    planned.tasks = [task for task in planned.tasks if task.hold.code.value not in released]
    if planned.holds:
        planned.state = PayoutState.HELD
        return planned
    planned.document = Document(
        key=document_key(DocumentKind.PAYOUT, channel, payout.external_id),
        kind=DocumentKind.PAYOUT,
        entity=terms.entity,
        currency=payout.currency,
        date=payout.on,
        lines=tuple(
            DocumentLine(Component.SETTLEMENT, minor, detail=detail) for detail, minor in sorted(parts.items()) if minor
        ),
        reference=f"payout {payout.external_id}",
        method=terms.method(payout.method, payout.on),
        rate=terms.rate,
        memo=payout.reference or "",
        accounts=terms.accounts(payout.on),
    )
    return planned


def kind_of(line: Settled, payout: Payout, terms: Terms) -> SettlementKind:
    """What a line is: as a crosswalk row says of its word, else as the channel's mapping has it."""
    said = terms.crosswalks.find(CrosswalkKind.SETTLEMENT, line.word, payout.on)
    return SettlementKind(said) if said is not None else line.kind


def _add(parts: Counter[str], line: Settled, payout: Payout, terms: Terms, tasks: list[Task]) -> None:
    kind = kind_of(line, payout, terms)
    if kind is SettlementKind.PAYOUT:
        return
    if kind is SettlementKind.UNKNOWN or not line.adds_up:
        parts[f"{SettlementKind.UNKNOWN}:{line.word}"] += line.net_minor
        tasks.append(Task(_unknown(line, payout), line.net_minor))
        return
    detail = f"{kind}:{line.word}" if kind is SettlementKind.ADJUSTMENT else kind
    parts[detail] += line.amount_minor
    parts[SettlementKind.FEE] += line.net_minor - line.amount_minor


def _unknown(line: Settled, payout: Payout) -> Hold:
    net = format_minor(line.net_minor, payout.currency)
    if line.adds_up:
        return Hold(
            HoldCode.UNKNOWN_SETTLEMENT,
            f"{HoldCode.UNKNOWN_SETTLEMENT}:{line.word}",
            f"{line.count} x {line.word!r} with {net}: nobody knows what that is; it is in quarantine",
            f"orderhub crosswalk set settlement {line.word} KIND",
        )
    return Hold(
        HoldCode.UNKNOWN_SETTLEMENT,
        f"settlement_identity:{line.word}",
        f"{line.count} x {line.word!r}: amount less fee is not the net amount {net}; it is in quarantine",
        "ask the payment provider; then release it, and book it out of the quarantine by hand",
    )


def _incomplete(channel: str, payout: Payout, missing: int) -> Hold:
    return Hold(
        HoldCode.PAYOUT_INCOMPLETE,
        f"{HoldCode.PAYOUT_INCOMPLETE}:{channel}",
        f"{format_minor(missing, payout.currency)} of {format_minor(payout.amount_minor, payout.currency)} "
        "is in none of its lines",
        f"orderhub sync {channel} reads them again; or release it, and what is missing goes into quarantine",
    )


def _rateless(payout: Payout, terms: Terms) -> Hold:
    return Hold(
        HoldCode.MISSING_RATE,
        f"missing_rate:{payout.currency}:{payout.on:%Y-%m}",
        f"no rate from {payout.currency} to {terms.functional} on {payout.on}",
        f"add the rate of {payout.on} to config/rates.yaml",
    )
