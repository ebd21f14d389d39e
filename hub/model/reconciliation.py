"""A reconciliation: what the sides hold, where they differ, why, and what nobody can explain."""

import datetime
from enum import StrEnum
from typing import Any

from hub.model.causes import CauseCode
from hub.model.chain import DayRoot
from hub.model.cutoff import Cutoff
from hub.model.frozen import frozen
from hub.model.postings import BooksComparison


class Pair(StrEnum):
    """Which two sides are compared; a delta is always right − left."""

    CHANNEL_HUB = "channel-hub"
    HUB_ERP = "hub-erp"


class Kind(StrEnum):
    """What is the matter, as it shows."""

    MISSING_IN_HUB = "missing_in_hub"
    MISSING_IN_ERP = "missing_in_erp"
    UNKNOWN_TO_CHANNEL = "unknown_to_channel"
    DUPLICATE_IN_ERP = "duplicate_in_erp"
    AMOUNT = "amount"
    CURRENCY = "currency"
    ENTITY = "entity"
    PERIOD = "period"
    STATUS = "status"


class Measure(StrEnum):
    """What is summed; two measures never mix."""

    SALES = "sales"  # orders and refunds
    PAYMENTS = "payments"


@frozen
class SideTotal:
    """What one side holds in the period."""

    entity: str
    currency: str
    orders: int  # orders; in the measure payments, payments
    total_minor: int


@frozen
class Cause:
    code: CauseCode
    amount_minor: int  # a part of the variance's delta, computed from the evidence alone
    evidence: dict[str, Any]  # facts by name; amounts in names that end in `_minor`


@frozen
class Variance:
    """Invariant: `delta_minor` = Σ causes + `residual_minor`, and = Σ components."""

    pair: Pair
    entity: str
    channel: str
    order: str | None  # None: the ERP's document names no order
    subject: str  # order, refund, payment
    subject_id: str
    document: str  # the ERP's key, else its own id; "" where there is none
    reference: str  # the order's name as the ERP has it; "" where it does not say
    kind: Kind
    currency: str
    delta_minor: int
    components: dict[str, int]  # those that differ
    causes: tuple[Cause, ...]
    residual_minor: int


@frozen
class CauseGroup:
    """The variances of one cell by their cause; `code` None is what is unexplained."""

    pair: Pair
    entity: str
    currency: str
    code: CauseCode | None
    variances: int
    amount_minor: int  # signed
    gross_minor: int  # Σ of absolute amounts


@frozen
class Comparison:
    """One measure of the period, from side to side."""

    channel: tuple[SideTotal, ...]
    hub: tuple[SideTotal, ...]
    erp: tuple[SideTotal, ...]
    matched: int  # subjects that every side has alike
    matched_pairs: dict[Pair, int]
    variances: tuple[Variance, ...]
    groups: tuple[CauseGroup, ...]
    unexplained_minor: dict[str, int]  # Σ |residual| by currency, zeros included


class ChangeCode(StrEnum):
    """Why a side says something else than when the period was signed, each read off its own rows."""

    NEW_IN_CHANNEL = "new_in_channel"
    GONE_FROM_CHANNEL = "gone_from_channel"
    CHANGED_IN_CHANNEL = "changed_in_channel"
    CAPTURED_SINCE = "captured_since"
    LATE_FACT = "late_fact"  # of a period closed before, counted in this one
    MOVED_OUT = "moved_out"
    RELEASED = "released"
    TYPED_IN = "typed_in"
    POSTED_SINCE = "posted_since"
    VOIDED = "voided"
    EDITED_BY_HAND = "edited_by_hand"
    AMENDED_BY_HUB = "amended_by_hub"
    RESTATED = "restated"  # another figure, and nothing in the rows says why


@frozen
class Change:
    """One subject that a side has otherwise than when the period was signed."""

    side: str  # channel, hub, erp
    code: ChangeCode
    entity: str
    channel: str
    order: str
    name: str
    subject: str
    subject_id: str
    currency: str
    before_minor: int | None  # None: it was not there, or in another currency
    after_minor: int | None  # None: it is gone

    @property
    def delta_minor(self) -> int:
        return (self.after_minor or 0) - (self.before_minor or 0)


@frozen
class Signed:
    """A run that a person signed off."""

    period: str
    run: str
    digest: str
    by: str
    at: datetime.datetime
    note: str = ""


@frozen
class Since:
    """What changed since the period was signed."""

    signed: Signed
    changes: tuple[Change, ...]


@frozen
class Waiting:
    """What waits for a person, by cause: one fix heals all of it."""

    cause: str  # the fingerprint
    orders: int
    held_minor: dict[str, int]  # by currency
    oldest: datetime.datetime
    remedy: str
    assignee: str | None


@frozen
class Reconciliation:
    period: str  # 2026-05
    run: str  # the folder's name
    digest: str  # SHA-256 over the inputs, the versions and the result
    complete: bool  # the channel's statement was given, and every side was read whole and is as it was written
    altered: tuple[str, ...]  # files that are no longer what the run wrote
    channel_given: bool
    versions: dict[str, str]
    sales: Comparison
    payments: Comparison
    waiting: tuple[Waiting, ...] | None = None  # when the run was made; None: nobody asked
    since: Since | None = None  # None: the period was not signed before this run
    cutoff: Cutoff | None = None  # as it stood when the run was made, no part of its digest; None: not made
    books: BooksComparison | None = None  # None: the ERP states no postings
    event_chain: DayRoot | None = None  # the newest daily root when the run was made; None: no day was complete yet


@frozen
class TimelineItem:
    """One thing that happened to an order, for the drill-down."""

    at: datetime.datetime
    what: str
    detail: str = ""
