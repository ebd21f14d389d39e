"""Statements: what a side says of a period, one row a subject, for reconciliation.

A subject is an order (placed in the period), a refund or a payment (processed in it). Its amounts are signed so that
Σ total_minor over orders and refunds is net sales; payments are a measure of their own and never mix with it.
"""

import datetime
from enum import StrEnum

from hub.model.frozen import frozen


class Subject(StrEnum):
    ORDER = "order"
    REFUND = "refund"  # negative
    PAYMENT = "payment"


@frozen
class StatementRow:
    """One subject as one side has it; amounts in minor units of `currency`, all zero where they do not apply."""

    entity: str
    channel: str
    order: str  # the channel's order id; on the ERP's side the order that the document names, "" where it names none
    subject: Subject
    subject_id: str  # order: the order id; refund, payment: the channel's transaction id, else the document's own id
    currency: str
    date: datetime.date  # the accounting date
    goods_minor: int = 0
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    charges_minor: int = 0  # duties, tips, fees
    rounding_minor: int = 0
    edited_minor: int = 0  # taken out by edits after placement (negative)
    cancelled_minor: int = 0  # taken out by cancellation (negative)
    refund_minor: int = 0  # refunds only (negative)
    payment_minor: int = 0  # payments only

    @property
    def total_minor(self) -> int:
        return (
            self.goods_minor
            + self.discount_minor
            + self.shipping_minor
            + self.tax_minor
            + self.charges_minor
            + self.rounding_minor
            + self.edited_minor
            + self.cancelled_minor
            + self.refund_minor
            + self.payment_minor
        )


@frozen
class ChannelRow:
    """What the channel says now."""

    row: StatementRow
    modified_at: str  # ISO 8601 in UTC: which version of the order this is
    name: str = ""  # the order's, for people


@frozen
class HubRow:
    """What the hub expects the books to say, with the evidence it holds."""

    row: StatementRow
    modified_at: str  # the channel version folded last
    document: str  # the document's key
    state: str  # "" nothing decided, held, planned, sent, done, rejected, in_doubt
    cause: str  # held or rejected: the exception's code (unmapped_item …), else ""
    original_date: datetime.date | None  # where a closed period moved it
    readback_minor: int | None  # the document's total as the ERP held it after our last write, signed like `row`
    readback_tax_minor: int | None
    readback_date: datetime.date | None
    readback_version: int | None
    readback_by_hand: bool = False  # a person had changed it before it was read back
    name: str = ""  # the order's, for people


@frozen
class ErpRow:
    """A document of the population as the ERP holds it now, ours or not; voided ones are left out of the totals."""

    row: StatementRow
    key: str  # external id; "" where typed in by hand
    ref: str  # the ERP's own id
    reference: str  # the order's name as the document has it
    version: int
    voided: bool
    by_hand: bool  # last changed by a person
