"""Facts: normalized statements about an order. An order's state is a pure function of the set of its facts."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from hub.model.frozen import frozen
from hub.model.order import LineId, OrderKey, Snapshot
from hub.model.words import Word


class FactKind(Word):
    SNAPSHOT = "snapshot"
    FULFILMENT = "fulfilment"
    REFUND = "refund"
    TENDER = "tender"
    RETURN = "return"
    EDIT = "edit"
    PROMISE = "promise"
    DELETION = "deletion"
    ECHO = "echo"
    CANCELLATION = "cancellation"  # by the ERP: a channel's own is in its snapshot
    HAND_EDIT = "hand_edit"


class Source(Word):
    """Who brought the fact; the later member wins a tie of modified times."""

    FILE = "file"
    WEBHOOK = "webhook"
    PULL = "pull"
    ERP = "erp"
    HUB = "hub"  # what the hub did itself


SOURCE_RANK = {source: rank for rank, source in enumerate(Source)}


class FulfilmentStatus(Word):
    OPEN = "open"  # announced, goods still here
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"


@frozen
class Parcel:
    carrier: str | None
    tracking_number: str | None
    url: str | None


@frozen
class LineQuantity:
    line: LineId
    quantity: int


@frozen
class Fulfilment:
    status: FulfilmentStatus
    lines: tuple[LineQuantity, ...]
    shipped_at: datetime
    delivered_at: datetime | None = None
    location: str | None = None  # the channel's location id; of a fact from the ERP, the ERP's code
    parcels: tuple[Parcel, ...] = ()


class Restock(Word):
    RETURN = "return"  # goods came back into stock
    CANCEL = "cancel"  # goods never left
    NO_RESTOCK = "no_restock"  # money back, goods not
    LEGACY = "legacy"  # an old channel word that says only "restocked": never shipped units first


@frozen
class RefundLine:
    line: LineId
    quantity: int
    net_minor: int  # after discounts, without tax
    tax_minor: int
    restock: Restock
    location: str | None = None


class AdjustmentKind(Word):
    SHIPPING = "shipping"
    DUTY = "duty"
    FEE = "fee"  # restocking fee: negative, kept by the seller
    DISCREPANCY = "discrepancy"  # refunded more (+) or less (−) than the parts


@frozen
class Adjustment:
    kind: AdjustmentKind
    net_minor: int  # positive: in the customer's favour
    tax_minor: int = 0


@frozen
class Refund:
    """A decision to give back; the money itself is in tenders of kind REFUND that name it."""

    processed_at: datetime
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    return_id: str | None = None

    @property
    def total_minor(self) -> int:
        return sum(line.net_minor + line.tax_minor for line in self.lines) + sum(
            adjustment.net_minor + adjustment.tax_minor for adjustment in self.adjustments
        )


class TenderKind(Word):
    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    SALE = "sale"  # authorised and captured at once
    VOID = "void"
    REFUND = "refund"


class TenderStatus(Word):
    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


@frozen
class Tender:
    kind: TenderKind
    status: TenderStatus
    method: str  # the channel's word for the gateway
    amount_minor: int  # positive, in `currency`
    currency: str  # the order's (shop) currency
    processed_at: datetime
    parent: str | None = None  # the tender captured, voided or refunded
    refund: str | None = None  # the refund it pays out
    test: bool = False


class ReturnStatus(Word):
    REQUESTED = "requested"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    DECLINED = "declined"


@frozen
class Return:
    """What one version says; None is what it does not say, and then an earlier version's word stands."""

    status: ReturnStatus
    lines: tuple[LineQuantity, ...] | None = None
    exchange: tuple[LineQuantity, ...] | None = None  # lines sent out instead
    reason: str | None = None


@frozen
class Edit:
    committed_at: datetime
    added: tuple[LineQuantity, ...] = ()
    removed: tuple[LineQuantity, ...] = ()


@frozen
class Promise:
    """What the buyer was told of one delivery of the order; a fact of its own, for not every record says it."""

    ship_by: datetime | None = None  # None: not said
    delivery_by: datetime | None = None
    called_off: bool = False  # the delivery is cancelled, and with it the promise


@frozen
class Deletion:
    """The channel says that the order is gone; what was booked stays and a person decides."""


@frozen
class Echo:
    """The fact's external id is the channel's own fulfilment that the hub made there by telling of another one."""

    fulfilment: str  # the external id of the one that was told


@frozen
class Cut:
    """Of the units of a line that the ERP was last told to ship, in all, so many are left."""

    line: LineId
    of: int
    kept: int

    @property
    def quantity(self) -> int:
        return self.of - self.kept


@frozen
class Cancellation:
    """What people in the ERP took out of the order, by line; none: nothing, or nothing any more."""

    cancelled_at: datetime
    cuts: tuple[Cut, ...] = ()


@frozen
class HandEdit:
    """A document of ours as a person in the ERP left it; what it was before, the evidence of our last write says."""

    document: str  # its key
    by: str | None  # as the ERP names who changed it
    date: date | None
    currency: str | None
    total: Decimal | None
    memo: str | None = None


Body = Snapshot | Fulfilment | Refund | Tender | Return | Edit | Promise | Deletion | Echo | Cancellation | HandEdit

BODY_TYPES: dict[FactKind, type[Body]] = {
    FactKind.SNAPSHOT: Snapshot,
    FactKind.FULFILMENT: Fulfilment,
    FactKind.REFUND: Refund,
    FactKind.TENDER: Tender,
    FactKind.RETURN: Return,
    FactKind.EDIT: Edit,
    FactKind.PROMISE: Promise,
    FactKind.DELETION: Deletion,
    FactKind.ECHO: Echo,
    FactKind.CANCELLATION: Cancellation,
    FactKind.HAND_EDIT: HandEdit,
}


@frozen
class Fact:
    order: OrderKey
    kind: FactKind
    external_id: str  # the channel's id of the thing: of the order for a snapshot, of the refund for a refund …
    modified_at: datetime  # the channel's stamp of this version; equal ids compete by it
    occurred_at: datetime  # when it happened in the world: dates accounting
    source: Source
    body: Body

    def content(self) -> bytes:
        """The body as canonical JSON; what `content_hash` covers and the store keeps."""
        return adapter(self.kind).serializer.to_json(self.body, exclude_defaults=True)


def content_hash(content: bytes) -> str:
    """32 hex digits of the SHA-256 of a fact's canonical content."""
    return sha256(content).hexdigest()[:32]


@cache
def adapter(kind: FactKind) -> TypeAdapter[Any]:
    """Reads and writes the JSON of one kind of fact body."""
    return TypeAdapter(BODY_TYPES[kind])
