"""plan: every document that an order calls for, as a pure function of its state and the terms.

Documents are planned whole each time; what is new, changed or gone against those already decided is `decide`'s matter.
Money is followed through time: a capture before its invoice is a deposit, later applied; one against an open invoice is
a payment. What was refunded before it was billed is never billed and is paid back out of the deposit; what was billed
is credited by a memo. See docs/decisions/0004-documents-of-an-order.md.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from operator import itemgetter

from hub.books.foreign import rounded_together
from hub.flow.billing import Bill, Shipment, tax_line, tax_lines
from hub.flow.fold import MONEY_IN
from hub.flow.terms import STOCKED, Terms
from hub.model.documents import DEFERRED, Component, Document, DocumentKey, DocumentKind, DocumentLine, document_key
from hub.model.edits import edit_rounding_minor
from hub.model.facts import (
    Adjustment,
    AdjustmentKind,
    FulfilmentStatus,
    Parcel,
    Restock,
    Source,
    TenderKind,
    TenderStatus,
)
from hub.model.order import ChargeKind, Line, LineId, LineKind, PartyRef, Snapshot, TaxLine
from hub.model.refunding import RefundedLine, cut_refunds
from hub.model.state import DatedFulfilment, DatedRefund, DatedTender, OrderState
from hub.model.subjects import order_subject

CHARGE_COMPONENTS = {
    ChargeKind.DUTY: Component.DUTY,
    ChargeKind.TIP: Component.TIP,
    ChargeKind.FEE: Component.FEE,
    ChargeKind.CASH_ROUNDING: Component.CASH_ROUNDING,
    ChargeKind.TAX_ROUNDING: Component.TAX_ROUNDING,
}
ADJUSTMENT_COMPONENTS = {
    AdjustmentKind.SHIPPING: Component.SHIPPING,
    AdjustmentKind.DUTY: Component.DUTY,
    AdjustmentKind.FEE: Component.ADJUSTMENT,
    AdjustmentKind.DISCREPANCY: Component.ADJUSTMENT,
}
BACK = (Restock.RETURN, Restock.LEGACY)
"""What a refund says of goods that came back into stock."""

SHIPPED_BY = frozenset({DocumentKind.SALES_ORDER, DocumentKind.FULFILMENT})
EARNING = frozenset(
    {
        DocumentKind.INVOICE,
        DocumentKind.CASH_SALE,
        DocumentKind.CREDIT_MEMO,
        DocumentKind.CASH_REFUND,
        DocumentKind.FULFILMENT,
        DocumentKind.RETURN_RECEIPT,
        DocumentKind.JOURNAL_ENTRY,
    }
)
"""Documents that post income or expense, to the accounts that crosswalks choose."""

EDITED = "edited"
CANCELLED = "cancelled"


def plan(state: OrderState, terms: Terms) -> list[Document]:
    """The documents of an order, each after those it refers to; none while the order itself is unknown or a test."""
    if state.snapshot is None or state.snapshot.test:
        return []
    documents = _Plan(state, state.snapshot, terms).documents()
    return documents if terms.rate is None else rounded_together(documents, terms.functional)


Holdings = dict[DocumentKey, int]
"""Minor units by the document that holds them, the oldest first."""


class _Rank(IntEnum):
    """Which comes first of what happened at one moment."""

    CAPTURE = 0
    SHIPMENT = 1
    DELIVERY = 2
    REFUND = 3
    PAYOUT = 4


@dataclass
class _Plan:
    state: OrderState
    snapshot: Snapshot
    terms: Terms
    out: list[Document] = field(default_factory=list)
    deposits_minor: int = 0  # held, not yet applied
    receivable_minor: int = 0  # invoiced, not yet settled
    payable_minor: dict[str, int] = field(default_factory=dict)  # credited and to be paid out, by refund
    held_by: Holdings = field(default_factory=dict)  # what deposits hold still
    owed_by: Holdings = field(default_factory=dict)  # what invoices are owed still
    memos: dict[str, DocumentKey] = field(default_factory=dict)  # by refund
    sold_for: Holdings = field(default_factory=dict)  # what cash sales took and nothing gave back
    paid_back: set[str] = field(default_factory=set)  # payouts that are cash refunds
    invoiced: bool = False
    shipments: dict[str, Shipment] = field(default_factory=dict)  # by fulfilment, where revenue waits for delivery
    recognised: list[tuple[str, datetime.date, tuple[DocumentLine, ...]]] = field(default_factory=list)

    def documents(self) -> list[Document]:
        # What must cancel out within an order — tax codes, accounts — is looked up once, on the day it was placed.
        on = self.terms.day(self.snapshot.placed_at)
        self.snapshot = self.terms.tax_codes(self.snapshot, on)
        self.accounts = self.terms.accounts(on)
        self.ship_method = self.terms.ship_method(self.snapshot, on)
        self.lines = {line.id: line for line in self.snapshot.lines}
        self.cuts = self._cut_refunds()
        cancelled: dict[LineId, list[RefundedLine]] = {}
        for rows in self.cuts.values():
            for row in rows:
                if row.cancelled:
                    cancelled.setdefault(row.given.line, []).append(row)
        self.bills = {
            line.id: Bill(line, cancelled.get(line.id, ()), self.terms.item(line, on)) for line in self.snapshot.lines
        }
        self.charges = list(self._charges())
        self.customer = self.terms.customer(self.state.key, self.snapshot)
        shipments = self.state.fulfilments
        self.first_shipment_at = shipments[0].body.shipped_at if shipments else None
        self._order(on)
        for _, _, _, thing in sorted(self._timeline(), key=itemgetter(0, 1, 2)):
            match thing:
                case DatedTender() if thing.body.kind is TenderKind.REFUND:
                    self._pay_out(thing)
                case DatedTender():
                    self._take_money(thing)
                case DatedFulfilment():
                    self._ship(thing)
                case DatedRefund():
                    self._credit(thing)
                case str():
                    self._arrive(thing)
        # After the credits, though they be younger: what they took back is not recognised, whichever is told first.
        for fulfilment, on, lines in self.recognised:
            moved = self.shipments[fulfilment].moved
            self._add(DocumentKind.JOURNAL_ENTRY, (fulfilment,), on, lines, applies_to=moved)
        return self.out

    def _cut_refunds(self) -> dict[str, list[RefundedLine]]:
        if not self.state.refunds:
            return {}
        units = self.state.quantities.items()
        return cut_refunds(
            ((refund.id, refund.body) for refund in self.state.refunds),
            {line: of.shipped for line, of in units},
            {line: max(0, of.ordered - of.removed - of.shipped) for line, of in units},
        )

    def _timeline(
        self,
    ) -> Iterator[tuple[datetime.datetime, int, str, DatedTender | DatedFulfilment | DatedRefund | str]]:
        refunded_at = {refund.id: refund.body.processed_at for refund in self.state.refunds}
        for tender in self.state.tenders:
            if tender.body.status is TenderStatus.SUCCESS and not tender.body.test:
                at = tender.body.processed_at
                if tender.body.kind in MONEY_IN:
                    yield at, _Rank.CAPTURE, tender.id, tender
                elif tender.body.kind is TenderKind.REFUND:  # after its refund, though the money may be stamped earlier
                    yield max(at, refunded_at.get(tender.body.refund or "", at)), _Rank.PAYOUT, tender.id, tender
        for fulfilment in self.state.fulfilments:
            yield fulfilment.body.shipped_at, _Rank.SHIPMENT, fulfilment.id, fulfilment
            if self.terms.recognise_on_delivery and fulfilment.body.status is FulfilmentStatus.DELIVERED:
                at = fulfilment.body.delivered_at or fulfilment.body.shipped_at
                yield max(at, fulfilment.body.shipped_at), _Rank.DELIVERY, fulfilment.id, fulfilment.id
        for refund in self.state.refunds:
            yield refund.body.processed_at, _Rank.REFUND, refund.id, refund

    # --- the order itself ------------------------------------------------------------------------------------------

    def _order(self, on: datetime.date) -> None:
        lines: list[DocumentLine] = []
        for bill in self.bills.values():
            lines.extend(bill.placed)
        lines.extend(self.charges)
        lines.extend(self._taken_out(on))
        ship_to, bill_to = self.snapshot.ship_to, self.snapshot.bill_to
        self._add(DocumentKind.SALES_ORDER, (), on, tuple(lines), party=ship_to, bill_to=bill_to)

    def _taken_out(self, on: datetime.date) -> Iterator[DocumentLine]:
        """What edits and a cancellation took out of the order, so that its total is what statements count.

        The units come in lines of no amount, those too that were refunded before they were shipped; the money comes in
        one line each, because a cancellation takes out less than its units where refunds gave their money back.
        """
        snapshot = self.snapshot
        yield from self._units_out(on)
        if snapshot.cancelled_at is None and not any(line.removed_quantity for line in snapshot.lines):
            return
        subject = order_subject(
            self.state.key,
            self.terms.entity,
            self.terms.timezone,
            snapshot,
            [f.body for f in self.state.fulfilments],
            [(r.id, r.body) for r in self.state.refunds],
            [t.body for t in self.state.tenders],
        )
        if subject.edited_minor:
            yield DocumentLine(Component.ADJUSTMENT, subject.edited_minor, detail=EDITED)
        if subject.cancelled_minor:
            yield DocumentLine(Component.ADJUSTMENT, subject.cancelled_minor, detail=CANCELLED)

    def _units_out(self, on: datetime.date) -> Iterator[DocumentLine]:
        for line in self.snapshot.lines:
            of = self.state.quantities[line.id]
            for units, why in ((of.removed, EDITED), (of.cancelled - of.cancelled_in_erp, CANCELLED)):
                if units:
                    yield DocumentLine(Component.ADJUSTMENT, 0, line.id, self.terms.item(line, on), units, why)

    def _charges(self) -> Iterator[DocumentLine]:
        """Shipping and charges with their taxes, as placed: billed with the first shipment."""
        for shipping in self.snapshot.shipping:
            if shipping.net_minor:
                yield DocumentLine(Component.SHIPPING, shipping.net_minor, detail=shipping.title)
            for tax in shipping.taxes:
                if tax.amount_minor:
                    yield tax_line(tax, tax.amount_minor)
        for charge in self.snapshot.charges:
            included = sum(tax.amount_minor for tax in charge.taxes if tax.included)
            if charge.amount_minor - included:
                component = CHARGE_COMPONENTS[charge.kind]
                yield DocumentLine(component, charge.amount_minor - included, detail=charge.title)
            for tax in charge.taxes:
                if tax.amount_minor:
                    yield tax_line(tax, tax.amount_minor)

    # --- goods -----------------------------------------------------------------------------------------------------

    def _ship(self, fulfilment: DatedFulfilment) -> None:
        body = fulfilment.body
        on = self.terms.day(body.shipped_at)
        location = self.terms.location(body.location, on)
        stock: list[DocumentLine] = []
        billed: list[DocumentLine] = []
        for row in body.lines:
            line = self.lines.get(row.line)
            if line is None or row.quantity <= 0:
                continue
            item = self.terms.item(line, on)
            if line.kind in STOCKED and item is not None and line.requires_shipping:
                stock.append(DocumentLine(Component.STOCK, 0, line.id, item, row.quantity))
            billed.extend(self.bills[line.id].take(row.quantity, item))
        moved: DocumentKey | None = None
        if stock and fulfilment.source is not Source.ERP:  # which has it already, under no key of ours
            moved = self._add(
                DocumentKind.FULFILMENT,
                (fulfilment.id,),
                on,
                tuple(stock),
                location=location,
                currency=self.terms.functional,
                deferred=self.terms.recognise_on_delivery,
                parcels=body.parcels,
            ).key
        if not self.invoiced:
            billed.extend(self.charges)
            for refund in self.state.refunds:
                billed.extend(self._adjustments_before(refund))
        billed.extend(self._edit_rounding(billed))
        if self.terms.recognise_on_delivery:
            units = [(row.line, row.quantity) for row in body.lines if row.line in self.lines]
            self.shipments[fulfilment.id] = Shipment(units, moved, stock, billed)
        if not billed:
            return
        self.invoiced = True
        total = sum(line.amount_minor for line in billed)
        if (deposit := self._of_the_day(on, total)) is not None:
            self.out.remove(deposit)  # money and goods changed hands on one day: nothing was owed in between
            del self.held_by[deposit.key]
            self.deposits_minor -= total
            self._add(
                DocumentKind.CASH_SALE,
                (deposit.memo,),
                on,
                tuple(billed),
                applies_to=moved,
                method=deposit.method,
                memo=deposit.memo,
            )
            self.sold_for[self.out[-1].key] = total
            return
        invoice = self._add(
            DocumentKind.INVOICE,
            (fulfilment.id,),
            on,
            tuple(billed),
            applies_to=moved,
            deferred=self.terms.recognise_on_delivery,
        )
        self.receivable_minor += invoice.total_minor
        self.owed_by[invoice.key] = invoice.total_minor
        self._apply((fulfilment.id,), on, invoice.key, invoice.total_minor)

    def _edit_rounding(self, billed: list[DocumentLine]) -> Iterator[DocumentLine]:
        """With the last units of the order: what the channel makes of removed units more than their shares come to."""
        if billed and all(bill.exhausted for bill in self.bills.values()):
            off = edit_rounding_minor(self.snapshot, [refund.body for refund in self.state.refunds])
            if off:
                yield DocumentLine(Component.TAX_ROUNDING, off, detail=EDITED)

    def _adjustments_before(self, refund: DatedRefund) -> Iterator[DocumentLine]:
        """Shipping and amounts given back before the first shipment: they are not billed at all."""
        if not self._credits(refund):
            for line in self._adjustments(refund):
                yield DocumentLine(line.component, -line.amount_minor, detail=line.detail)

    def _credits(self, refund: DatedRefund) -> bool:
        """Whether a refund comes after the first invoice, so that it has something to credit."""
        return self.first_shipment_at is not None and refund.body.processed_at >= self.first_shipment_at

    def _arrive(self, fulfilment: str) -> None:
        body = next(f.body for f in self.state.fulfilments if f.id == fulfilment)
        self._end(fulfilment, self.terms.day(max(body.delivered_at or body.shipped_at, body.shipped_at)))

    def _end(self, fulfilment: str, on: datetime.date) -> None:
        """What a shipment still defers is recognised: revenue, and its cost follows."""
        shipment = self.shipments[fulfilment]
        if not shipment.ended:
            shipment.ended = True
            if lines := tuple(shipment.recognised()):
                self.recognised.append((fulfilment, on, lines))

    # --- money in --------------------------------------------------------------------------------------------------

    def _take_money(self, tender: DatedTender) -> None:
        amount = tender.body.amount_minor
        on = self.terms.day(tender.body.processed_at)
        method = self.terms.method(tender.body.method, on)
        if not amount:
            return
        if (invoice := self._unpaid_of_the_day(on, amount)) is not None:
            sale = replace(
                invoice, key=self._key(DocumentKind.CASH_SALE, tender.id), kind=DocumentKind.CASH_SALE, method=method
            )
            self.out[self.out.index(invoice)] = replace(sale, memo=tender.id)
            del self.owed_by[invoice.key]
            self.receivable_minor -= amount
            self.sold_for[sale.key] = amount
            return
        if amount <= self.receivable_minor:
            self.receivable_minor -= amount
            lines = _drawn(Component.RECEIVABLE, self.owed_by, amount)
            self._add(DocumentKind.PAYMENT, (tender.id,), on, lines, method=method, memo=tender.id)
            return
        self.deposits_minor += amount
        line = DocumentLine(Component.DEPOSITS, amount)
        deposit = self._add(DocumentKind.DEPOSIT, (tender.id,), on, (line,), method=method, memo=tender.id)
        self.held_by[deposit.key] = amount
        if self.receivable_minor > 0:
            self._apply((f"tender-{tender.id}",), on, deposit.key, self.receivable_minor)

    def _of_the_day(self, on: datetime.date, total: int) -> Document | None:
        """The one deposit that is held, if it came on this day and is this much; where sales are for cash."""
        if not self._for_cash(total) or self.receivable_minor:
            return None
        return self._alone(self.held_by, on, total)

    def _unpaid_of_the_day(self, on: datetime.date, total: int) -> Document | None:
        """The one invoice that is open, if it is of this day and this much; where sales are for cash."""
        if not self._for_cash(total) or self.deposits_minor:
            return None
        return self._alone(self.owed_by, on, total)

    def _for_cash(self, total: int) -> bool:
        return self.terms.cash_sales and not self.terms.recognise_on_delivery and total > 0

    def _alone(self, holdings: Holdings, on: datetime.date, total: int) -> Document | None:
        keys = [key for key, held in holdings.items() if held]
        if len(keys) != 1 or holdings[keys[0]] != total:
            return None
        found = next(document for document in self.out if document.key == keys[0])
        return found if (found.date, found.total_minor) == (on, total) else None

    def _apply(self, cause: tuple[str, ...], on: datetime.date, to: DocumentKey, due: int) -> None:
        """Deposits settle the receivable as far as they reach."""
        amount = min(self.deposits_minor, due, self.receivable_minor)
        if amount <= 0:
            return
        self.deposits_minor -= amount
        self.receivable_minor -= amount
        lines = _drawn(Component.DEPOSITS, self.held_by, amount)
        settles = _drawn(Component.RECEIVABLE, self.owed_by, amount)
        self._add(DocumentKind.DEPOSIT_APPLICATION, cause, on, lines, applies_to=to, settles=settles)

    # --- money and goods back --------------------------------------------------------------------------------------

    def _credit(self, refund: DatedRefund) -> None:
        on = self.terms.day(refund.body.processed_at)
        lines: list[DocumentLine] = []
        stock: dict[tuple[str | None, str | None], list[DocumentLine]] = {}  # by shipment it left with, and location
        restocked = [row.given for row in self.cuts[refund.id] if row.credited and row.given.restock in BACK]
        first = next((given.location for given in restocked if given.location is not None), None)
        touched: set[str] = set()
        for row in self.cuts[refund.id]:
            line = self.lines.get(row.given.line)
            if line is None or not (row.credited or row.credited_net_minor or row.credited_tax_minor):
                continue
            came_from = self._came_from(line.id, row.credited)
            touched.update(fulfilment for fulfilment, _ in came_from if fulfilment is not None)
            lines.extend(self._credit_line(line, row, on, came_from))
            item = self.terms.item(line, on)
            back = row.given.restock in BACK
            if back and row.credited and line.kind in STOCKED and item is not None and line.requires_shipping:
                for fulfilment, count in came_from:
                    received = None if fulfilment is None else self.shipments[fulfilment].take_back(line.id, count)
                    at = None if received is None else fulfilment
                    received = received or DocumentLine(Component.STOCK, 0, line.id, item, count)
                    stock.setdefault((at, row.given.location or first), []).append(received)
        if self._credits(refund):
            lines.extend(self._adjustments_after(refund))
        receipts: list[DocumentKey] = []
        received_at: dict[str | None, str | None] = {}  # the location whose receipt has the plain key, by shipment
        for (fulfilment, location), received_lines in stock.items():
            shipment = None if fulfilment is None else self.shipments[fulfilment]
            cause = (refund.id,) if fulfilment is None else (refund.id, fulfilment)
            if received_at.setdefault(fulfilment, location) != location:
                cause = (*cause, "at", location or "")
            receipt = self._add(
                DocumentKind.RETURN_RECEIPT,
                cause,
                on,
                tuple(received_lines),
                location=self.terms.location(location, on),
                currency=self.terms.functional,
                applies_to=shipment.moved if shipment else None,
                deferred=shipment is not None and not shipment.ended,
            )
            receipts.append(receipt.key)
        for fulfilment in sorted(touched):
            if not any(self.shipments[fulfilment].units.values()):
                self._end(fulfilment, on)
        total = sum(line.amount_minor for line in lines)
        if not lines:
            return
        returned = next(iter(receipts), None) if len(receipts) == 1 else None
        if self._refund_for_cash(refund, on, tuple(lines), returned):
            return
        payable = max(0, min(total, self._money_of(refund.id)))
        settles = [DocumentLine(Component.REFUNDS_PAYABLE, payable)] if payable else []
        if total != payable:
            settles.extend(_drawn(Component.RECEIVABLE, self.owed_by, total - payable))
            self.receivable_minor -= total - payable
        self.payable_minor[refund.id] = payable
        memo = self._add(
            DocumentKind.CREDIT_MEMO, (refund.id,), on, tuple(lines), settles=tuple(settles), applies_to=returned
        )
        self.memos[refund.id] = memo.key

    def _refund_for_cash(
        self, refund: DatedRefund, on: datetime.date, lines: tuple[DocumentLine, ...], returned: DocumentKey | None
    ) -> bool:
        """Whether one payout of the same day gives back all that is credited, of the money of one cash sale."""
        total = sum(line.amount_minor for line in lines)
        sale = next((key for key, left in self.sold_for.items() if left >= total > 0), None)
        tenders = [tender for tender in self.state.tenders if _pays_out(tender, refund.id)]
        if sale is None or len(tenders) != 1:
            return False
        (tender,) = tenders
        body = tender.body
        if (body.status, body.amount_minor, self.terms.day(body.processed_at)) != (TenderStatus.SUCCESS, total, on):
            return False
        self.sold_for[sale] -= total
        self.paid_back.add(tender.id)
        self._add(
            DocumentKind.CASH_REFUND,
            (tender.id,),
            on,
            lines,
            applies_to=returned,
            settles=(DocumentLine(Component.RECEIVABLE, total, detail=sale),),
            method=self.terms.method(body.method, on),
            memo=tender.id,
        )
        return True

    def _came_from(self, line: LineId, count: int) -> list[tuple[str | None, int]]:
        """The shipments whose units of a line are credited: those that arrived first, in order of shipment.

        None stands for units of no shipment before, and for all where revenue does not wait for delivery.
        """
        found: list[tuple[str | None, int]] = []
        for ended in (True, False) if self.shipments else ():
            for id, shipment in self.shipments.items():
                taken = min(count, shipment.units.get(line, 0)) if shipment.ended is ended else 0
                if taken > 0:
                    shipment.units[line] -= taken
                    count -= taken
                    found.append((id, taken))
        if count or not found:
            found.append((None, count))
        return found

    def _credit_line(
        self, line: Line, row: RefundedLine, on: datetime.date, came_from: list[tuple[str | None, int]]
    ) -> Iterator[DocumentLine]:
        """Units under way are taken out of deferred revenue as they were billed; the channel's own cents are not."""
        component = Component.GIFT_CARD if line.kind is LineKind.GIFT_CARD else Component.GOODS
        item = self.terms.item(line, on)
        units, net = row.credited, row.credited_net_minor
        for fulfilment, count in came_from:
            shipment = None if fulfilment is None else self.shipments[fulfilment]
            if shipment is not None and not shipment.ended and component is Component.GOODS:
                deferred = shipment.credit(line.id, count)
                units, net = units - count, net - deferred
                yield DocumentLine(component, deferred, line.id, item, count, DEFERRED)
        if units == row.credited or units or net:
            yield DocumentLine(component, net, line.id, item, units)
        yield from tax_lines(line.taxes, row.credited_tax_minor, line.id)

    def _adjustments_after(self, refund: DatedRefund) -> Iterator[DocumentLine]:
        """Those that are credited; shipping comes out of deferred revenue as far as it lies there."""
        for line in self._adjustments(refund):
            left = line.amount_minor
            if line.component is Component.SHIPPING:
                for shipment in self.shipments.values():
                    if not shipment.ended and (deferred := shipment.credit_shipping(left)):
                        left -= deferred
                        yield replace(line, amount_minor=deferred, detail=DEFERRED)
            if left == line.amount_minor:
                yield line
            elif left:
                yield replace(line, amount_minor=left)

    def _adjustments(self, refund: DatedRefund) -> Iterator[DocumentLine]:
        """A refund's adjustments, positive in the customer's favour."""
        for adjustment in refund.body.adjustments:
            if adjustment.net_minor:
                component = ADJUSTMENT_COMPONENTS[adjustment.kind]
                yield DocumentLine(component, adjustment.net_minor, detail=adjustment.kind)
            yield from tax_lines(self._taxes_of(adjustment), adjustment.tax_minor)

    def _taxes_of(self, adjustment: Adjustment) -> tuple[TaxLine, ...]:
        """The taxes in whose proportion an adjustment's tax lies."""
        if adjustment.kind is AdjustmentKind.SHIPPING:
            return tuple(tax for shipping in self.snapshot.shipping for tax in shipping.taxes)
        return tuple(tax for line in self.snapshot.lines for tax in line.taxes)

    def _money_of(self, refund: str) -> int:
        """What a refund pays out, done or under way."""
        return sum(tender.body.amount_minor for tender in self.state.tenders if _pays_out(tender, refund))

    def _pay_out(self, tender: DatedTender) -> None:
        if tender.id in self.paid_back:
            return
        body = tender.body
        on = self.terms.day(body.processed_at)
        owed = self.payable_minor.get(body.refund or "", 0)
        credited = min(owed, body.amount_minor)
        if body.refund is not None:
            self.payable_minor[body.refund] = owed - credited
        prepaid = min(body.amount_minor - credited, max(0, self.deposits_minor))
        self.deposits_minor -= prepaid
        unexplained = body.amount_minor - credited - prepaid
        lines = []
        if credited + unexplained:
            memo = self.memos.get(body.refund or "", "")
            lines.append(DocumentLine(Component.REFUNDS_PAYABLE, credited + unexplained, detail=memo))
        if prepaid:
            lines.extend(_drawn(Component.DEPOSITS, self.held_by, prepaid))
        if lines:
            method = self.terms.method(body.method, on)
            self._add(DocumentKind.REFUND, (tender.id,), on, tuple(lines), method=method, memo=tender.id)

    # --- making documents ------------------------------------------------------------------------------------------

    def _key(self, kind: DocumentKind, *cause: str) -> DocumentKey:
        return document_key(kind, self.state.key.channel, self.state.key.external_id, *cause)

    def _add(
        self,
        kind: DocumentKind,
        cause: tuple[str, ...],
        on: datetime.date,
        lines: tuple[DocumentLine, ...],
        *,
        currency: str | None = None,
        method: str | None = None,
        location: str | None = None,
        applies_to: DocumentKey | None = None,
        settles: tuple[DocumentLine, ...] = (),
        deferred: bool = False,
        party: PartyRef | None = None,
        bill_to: PartyRef | None = None,
        memo: str = "",
        parcels: tuple[Parcel, ...] = (),
    ) -> Document:
        document = Document(
            key=self._key(kind, *cause),
            kind=kind,
            entity=self.terms.entity,
            currency=currency or self.snapshot.currency,
            date=on,
            lines=lines,
            order=self.state.key,
            reference=self.snapshot.name,
            method=method,
            location=location,
            party=party,
            bill_to=bill_to,
            customer=self.customer,
            applies_to=applies_to,
            settles=settles,
            deferred=deferred,
            rate=self.terms.rate if currency is None else None,
            memo=memo,
            ship_method=self.ship_method if kind in SHIPPED_BY else None,
            accounts=self.accounts if kind in EARNING else (),
            parcels=parcels,
        )
        self.out.append(document)
        return document


def _pays_out(tender: DatedTender, refund: str) -> bool:
    """Whether it is money of this refund's, done or under way."""
    body = tender.body
    return (
        body.refund == refund
        and body.kind is TenderKind.REFUND
        and body.status is not TenderStatus.FAILED
        and not body.test
    )


def _drawn(component: Component, holdings: Holdings, amount: int) -> tuple[DocumentLine, ...]:
    """An amount taken from the oldest documents that hold of it, each named; what none of them holds names none."""
    lines = []
    for key, held in list(holdings.items()):
        taken = min(held, amount)
        if taken > 0:
            amount -= taken
            holdings[key] = held - taken
            lines.append(DocumentLine(component, taken, detail=key))
    if amount:
        lines.append(DocumentLine(component, amount))
    return tuple(lines)
