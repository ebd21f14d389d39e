"""Cut-off of one order: what its facts call for by a day, against what the ERP has of it by then.

The documents that the facts call for are planned as for posting, whether or not the order is held; the ERP's are those
that it answered for. A gap is listed under the document that is missing, misdated or too much.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from hub.books.chart import Role
from hub.model.cutoff import CutoffList, CutoffRow, CutoffWhy
from hub.model.decisions import HoldCode
from hub.model.documents import BILLS, Component, Document, DocumentKey, DocumentKind, document_key
from hub.model.intents import StepState
from hub.model.state import OrderState

LATE_KINDS: Final = (
    DocumentKind.SALES_ORDER,
    DocumentKind.INVOICE,
    DocumentKind.CASH_SALE,
    DocumentKind.CREDIT_MEMO,
    DocumentKind.CASH_REFUND,
    DocumentKind.DEPOSIT,
    DocumentKind.PAYMENT,
    DocumentKind.REFUND,
    DocumentKind.JOURNAL_ENTRY,
)
"""A late fact is told by the document that stands for it, not by those that follow from that one."""

_MISSING: Final = {
    DocumentKind.INVOICE: CutoffList.SHIPPED_NOT_INVOICED,
    DocumentKind.CASH_SALE: CutoffList.SHIPPED_NOT_INVOICED,
    DocumentKind.JOURNAL_ENTRY: CutoffList.DELIVERED_NOT_RECOGNISED,
    DocumentKind.CREDIT_MEMO: CutoffList.REFUND_WITHOUT_CREDIT_MEMO,
    DocumentKind.CASH_REFUND: CutoffList.REFUND_WITHOUT_CREDIT_MEMO,
}
_WAITING: Final = {
    StepState.PLANNED: CutoffWhy.NOT_SENT,
    StepState.SENT: CutoffWhy.IN_DOUBT,
    StepState.IN_DOUBT: CutoffWhy.IN_DOUBT,
    StepState.REJECTED: CutoffWhy.REJECTED,
}

Reason = tuple[CutoffWhy, str]


@dataclass(slots=True)
class Standing:
    """One document, as far as the hub knows what the ERP has of it."""

    held: Document | None = None  # as the ERP answered for it last; None: it has none
    decided: Document | None = None  # last, done or not; None: nothing, or that it is to be voided
    waiting: StepState | None = None  # of the last decision, where it is not done
    code: str = ""  # of a refusal


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the order is cut."""

    first: datetime.date  # of the period
    last: datetime.date
    entity: str
    currency: str  # of the channel: of an order that is not known itself
    timezone: ZoneInfo  # of the entity: where its days are


def cut_off(
    state: OrderState,
    planned: Sequence[Document] | None,
    standing: Mapping[DocumentKey, Standing],
    hold: str | None,
    cut: Cut,
) -> Iterator[CutoffRow]:
    """What is one-sided of the order at the end of the cut's last day; unsettled money apart.

    Args:
        planned: every document that the facts call for, on its natural day; None: that cannot be told.
        hold: the code of an open exception; None: nothing holds it.
    """
    if planned is None:
        yield from _halves(state, hold, cut)
        return
    listed = _Order(state, {document.key: document for document in planned}, standing, hold, cut)
    yield from listed.missing()
    yield from listed.too_much()
    yield from listed.paid_back_without_refund()
    yield from listed.late()


@dataclass(frozen=True, slots=True)
class _Order:
    state: OrderState
    planned: Mapping[DocumentKey, Document]
    standing: Mapping[DocumentKey, Standing]
    hold: str | None
    cut: Cut

    def missing(self) -> Iterator[CutoffRow]:
        """Called for by the last day, and the ERP has it not, or later, or with less."""
        for document in self.planned.values():
            wanted = _MISSING.get(document.kind)
            if wanted is None or document.date > self.cut.last:
                continue
            held = self._by_then(document.key)
            gap = _amount(document) - (_amount(held) if held else 0)
            if held is not None and gap == 0:
                continue
            if held is not None and document.kind in BILLS and gap < 0:
                yield self._row(CutoffList.INVOICED_NOT_SHIPPED, document, -gap, document.date, self._why(document.key))
            else:
                yield self._row(wanted, document, gap, document.date, self._why(document.key))

    def too_much(self) -> Iterator[CutoffRow]:
        """Invoices that the ERP has by the last day, whose goods have not left by then, here or there."""
        for key in self.standing:
            held = self._by_then(key)
            if held is None or held.kind not in BILLS:
                continue
            called_for = self.planned.get(key)
            if called_for is None or called_for.date > self.cut.last:
                why = self._why(key, CutoffWhy.NOT_CALLED_FOR)
                if called_for is not None:
                    why = CutoffWhy.DATED_LATER, called_for.date.isoformat()
                yield self._row(CutoffList.INVOICED_NOT_SHIPPED, held, held.total_minor, held.date, why)
            elif held.applies_to is not None and self._by_then(held.applies_to) is None:
                why = self._why(held.applies_to)
                yield self._row(CutoffList.INVOICED_NOT_SHIPPED, held, held.total_minor, held.date, why)

    def paid_back_without_refund(self) -> Iterator[CutoffRow]:
        """Money that went back beyond what any credit memo or deposit owes."""
        owed: dict[str, int] = {}
        payouts: list[tuple[str, Document]] = []
        refund_of = {tender.id: tender.body.refund or "" for tender in self.state.tenders}
        for document in self.planned.values():
            if document.kind is DocumentKind.REFUND:  # whose memo is the tender's id
                payouts.append((refund_of.get(document.memo, ""), document))
        for refund in self.state.refunds:
            memo = self.planned.get(document_key(DocumentKind.CREDIT_MEMO, *self._names, refund.id))
            settles = memo.settles if memo else ()
            owed[refund.id] = sum(x.amount_minor for x in settles if x.component is Component.REFUNDS_PAYABLE)
        for refund_id, document in payouts:
            if document.date > self.cut.last:
                continue
            paid = sum(x.amount_minor for x in document.lines if x.component is Component.REFUNDS_PAYABLE)
            covered = min(paid, owed.get(refund_id, 0))
            owed[refund_id] = owed.get(refund_id, 0) - covered
            if paid > covered:
                why = CutoffWhy.NO_REFUND_KNOWN, ""
                wanted = CutoffList.REFUND_WITHOUT_CREDIT_MEMO
                yield self._row(wanted, document, paid - covered, document.date, why)

    def late(self) -> Iterator[CutoffRow]:
        """What a closed period moved out of this one or into it, or keeps waiting."""
        for one in self.standing.values():
            document = one.decided
            if document is None or document.original_date is None or document.kind not in LATE_KINDS:
                continue
            was, now = document.original_date, document.date
            if was <= self.cut.last < now:
                why = CutoffWhy.MOVED_OUT, now.isoformat()
            elif was < self.cut.first <= now <= self.cut.last:
                why = CutoffWhy.MOVED_IN, was.isoformat()
            else:
                continue
            yield self._row(CutoffList.LATE_FACT, document, _amount(document), was, why)
        if self.hold == HoldCode.CLOSED_PERIOD:
            for key, document in self.planned.items():
                if document.kind in LATE_KINDS and document.date <= self.cut.last and self._by_then(key) is None:
                    yield self._row(CutoffList.LATE_FACT, document, _amount(document), document.date, self._why(key))

    @property
    def _names(self) -> tuple[str, str]:
        return self.state.key.channel, self.state.key.external_id

    def _by_then(self, key: DocumentKey) -> Document | None:
        """The document as the ERP has it, if it is dated by the last day."""
        one = self.standing.get(key)
        if one is None or one.held is None or one.held.date > self.cut.last:
            return None
        return one.held

    def _why(self, key: DocumentKey, otherwise: CutoffWhy = CutoffWhy.NOT_DECIDED) -> Reason:
        """Why the ERP has not what the facts call for."""
        one = self.standing.get(key, Standing())
        if one.waiting is not None:
            return _WAITING[one.waiting], one.code
        if one.held is not None and one.held.date > self.cut.last:
            return CutoffWhy.DATED_LATER, one.held.date.isoformat()
        if self.hold is not None:
            return CutoffWhy.HELD, self.hold
        return otherwise, ""

    def _row(
        self, wanted: CutoffList, document: Document, amount_minor: int, since: datetime.date, why: Reason
    ) -> CutoffRow:
        return CutoffRow(
            list=wanted,
            entity=self.cut.entity,
            channel=self.state.key.channel,
            order=self.state.key.external_id,
            name=document.reference or "",
            document=document.key,
            kind=document.kind.value,
            currency=document.currency,
            amount_minor=amount_minor,
            since=since,
            age_days=(self.cut.last - since).days,
            why=why[0],
            detail=why[1],
        )


def _halves(state: OrderState, hold: str | None, cut: Cut) -> Iterator[CutoffRow]:
    """Shipments and refunds of an order that is not known itself, or cannot be planned: nothing is booked of it."""
    told: list[tuple[DocumentKind, str, datetime.datetime, int | None]] = [
        (DocumentKind.INVOICE, one.id, one.body.shipped_at, None) for one in state.fulfilments
    ]
    told += [(DocumentKind.CREDIT_MEMO, one.id, one.body.processed_at, one.body.total_minor) for one in state.refunds]
    for kind, id, at, amount_minor in told:
        on = at.astimezone(cut.timezone).date()
        if on > cut.last:
            continue
        yield CutoffRow(
            list=_MISSING[kind],
            entity=cut.entity,
            channel=state.key.channel,
            order=state.key.external_id,
            name=state.snapshot.name if state.snapshot else "",
            document=document_key(kind, state.key.channel, state.key.external_id, id),
            kind=kind.value,
            currency=state.snapshot.currency if state.snapshot else cut.currency,
            amount_minor=amount_minor,
            since=on,
            age_days=(cut.last - on).days,
            why=CutoffWhy.HELD if state.snapshot and hold else CutoffWhy.ORDER_UNKNOWN,
            detail=hold or "",
        )


def _amount(document: Document) -> int:
    """What the document is about; of a recognition, the revenue that it takes out of deferral."""
    if document.kind is not DocumentKind.JOURNAL_ENTRY:
        return document.total_minor
    return sum(line.amount_minor for line in document.lines if line.detail == Role.DEFERRED_REVENUE)
