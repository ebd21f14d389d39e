"""An order as folded from the set of its facts, and the events that differences of it make."""

from datetime import datetime
from enum import StrEnum

from hub.model.facts import Cancellation, FactKind, Fulfilment, Parcel, Refund, Return, Source, Tender
from hub.model.frozen import frozen
from hub.model.order import FinancialStatus, Line, LineId, OrderKey, Snapshot
from hub.model.problems import Problem


class Commercial(StrEnum):
    STUB = "stub"  # facts are known, the order itself is not yet
    OPEN = "open"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    DELETED = "deleted"


class FulfilmentState(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"


@frozen
class Quantities:
    """Units of one line; every figure is derived from facts.

    Invariant: shipped + cancelled + removed <= ordered, unless more was shipped than ordered.
    """

    ordered: int
    removed: int  # by an edit
    cancelled: int  # never to be shipped: cancelled with the order, or refunded before shipment
    shipped: int
    delivered: int
    credited: int  # refunded after shipment
    returned: int  # of these, back in stock
    picked: int = 0  # of those open: in a shipment that is announced and still here
    cancelled_in_erp: int = 0  # of those cancelled: the ERP says so, the channel does not, or not yet

    @property
    def open(self) -> int:
        """Units still to be shipped."""
        return max(0, self.ordered - self.removed - self.cancelled - self.shipped)


@frozen
class DatedFulfilment:
    id: str
    body: Fulfilment
    source: Source  # from the ERP: it has the document already
    echoes: tuple[str, ...] = ()  # the channel's own fulfilments that are this shipment, heard or known to be made
    called_off: bool = False  # the channel cancelled all of them
    heard: tuple[Parcel, ...] = ()  # that the channel alone knows of


@frozen
class DatedCancellation:
    id: str
    body: Cancellation


@frozen
class DatedRefund:
    id: str
    body: Refund


@frozen
class DatedTender:
    id: str
    body: Tender


@frozen
class DatedReturn:
    id: str
    body: Return


class ReferenceKind(StrEnum):
    CHANNEL_LINE = "channel_line"
    SKU = "sku"


@frozen
class Reference:
    """A word of the channel's for a line of ours, from that moment until the next of its kind."""

    line: LineId
    kind: ReferenceKind
    value: str
    valid_from: datetime


@frozen
class OrderState:
    """A pure function of the set of the order's facts: the same however often and in whatever order they came."""

    key: OrderKey
    snapshot: Snapshot | None
    fulfilments: tuple[DatedFulfilment, ...]  # goods that left, by shipped_at then id
    refunds: tuple[DatedRefund, ...]  # by processed_at then id
    tenders: tuple[DatedTender, ...]  # by processed_at then id
    returns: tuple[DatedReturn, ...]
    quantities: dict[LineId, Quantities]
    commercial: Commercial
    fulfilment: FulfilmentState
    financial: FinancialStatus
    captured_minor: int
    refunded_minor: int
    placed_at: datetime | None
    processing_at: datetime | None  # first money or first goods
    shipped_at: datetime | None
    post_sale_at: datetime | None  # first refund or return
    promised_ship_by: datetime | None  # the first deadline of any delivery that is not called off
    promised_delivery_by: datetime | None
    problems: tuple[Problem, ...]
    cancellations: tuple[DatedCancellation, ...] = ()  # by people in the ERP, by id
    references: tuple[Reference, ...] = ()  # of all lines, oldest first; none where the snapshot has one version

    def references_of(self, line: Line) -> tuple[Reference, ...]:
        """What the channel has called the line, oldest first."""
        found = tuple(x for x in self.references if x.line == line.id)
        if found or self.snapshot is None:
            return found
        first = (Reference(line.id, ReferenceKind.CHANNEL_LINE, line.external_id, self.snapshot.placed_at),)
        if line.sku is None:
            return first
        return (*first, Reference(line.id, ReferenceKind.SKU, line.sku, self.snapshot.placed_at))

    @property
    def identity_gap_minor(self) -> int:
        """Claimed less computed total, as placed; 0 where the order adds up."""
        if self.snapshot is None:
            return 0
        return self.snapshot.claimed_total_minor - self.snapshot.computed_total_minor

    def line(self, line: LineId) -> Line | None:
        """The order line of that id; None where the snapshot has none."""
        if self.snapshot is not None:
            for candidate in self.snapshot.lines:
                if candidate.id == line:
                    return candidate
        return None


class EventKind(StrEnum):
    PLACED = "placed"
    CHANGED = "changed"
    EDITED = "edited"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    DELETED = "deleted"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_FAILED = "payment_failed"
    VOIDED = "voided"
    FULFILMENT_OPENED = "fulfilment_opened"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    FULFILMENT_CANCELLED = "fulfilment_cancelled"
    REFUND_DECIDED = "refund_decided"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    RETURN_REQUESTED = "return_requested"
    RETURN_OPENED = "return_opened"
    RETURN_CLOSED = "return_closed"
    RETURN_DROPPED = "return_dropped"
    PROMISED = "promised"
    CANCELLED_IN_ERP = "cancelled_in_erp"
    REOPENED_IN_ERP = "reopened_in_erp"
    EDITED_IN_ERP = "edited_in_erp"


@frozen
class Event:
    """A change of an order's state, by the fact that made it."""

    kind: EventKind
    fact_kind: FactKind
    fact_id: str
    occurred_at: datetime
    amount_minor: int = 0
