"""Cut-off: what a month's end cuts in two — one half of a sale is in the books by then and the other is not."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.model.frozen import frozen

ROWS_MAX: Final = 10_000
"""Rows kept of one list, those that came first; its totals count all of them."""

BUCKETS: Final = {"0-30": 30, "31-60": 60, "61-90": 90, "over 90": None}
"""Days at the period's end, the last bucket without end."""


class CutoffList(StrEnum):
    SHIPPED_NOT_INVOICED = "shipped_not_invoiced"
    INVOICED_NOT_SHIPPED = "invoiced_not_shipped"
    DELIVERED_NOT_RECOGNISED = "delivered_not_recognised"
    REFUND_WITHOUT_CREDIT_MEMO = "refund_without_credit_memo"
    UNSETTLED_CLEARING = "unsettled_clearing"
    LATE_FACT = "late_fact"


class CutoffWhy(StrEnum):
    HELD = "held"  # `detail`: the exception's code
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"
    REJECTED = "rejected"  # `detail`: the refusal's code
    DATED_LATER = "dated_later"  # the ERP has it; `detail`: the day it is dated
    NOT_DECIDED = "not_decided"  # nothing holds it and nothing was decided: the order is to be decided anew
    NOT_CALLED_FOR = "not_called_for"  # the ERP has it, and the order's facts no longer call for it
    NO_REFUND_KNOWN = "no_refund_known"  # money went back, and the channel told of no refund that it belongs to
    ORDER_UNKNOWN = "order_unknown"  # facts came of an order whose own record is missing or does not translate
    NOT_SETTLED = "not_settled"  # no payout has it; `detail`, here and below: the payment method, and the payout
    SETTLED_OTHERWISE = "settled_otherwise"  # a payout has another amount of it
    NOT_IN_BOOKS = "not_in_books"  # a payout has what was never captured or refunded here
    MOVED_OUT = "moved_out"  # belongs to this period, or one before, and is booked after it; `detail`: the day
    MOVED_IN = "moved_in"  # belongs to an earlier period that was closed; `detail`: that day


@frozen
class CutoffRow:
    """One half without the other, of one order."""

    list: CutoffList
    entity: str
    channel: str
    order: str  # the channel's id
    name: str  # the order's, for people; "" where it is not known
    document: str  # the key of the document that is missing or misdated; "" of money in clearing
    kind: str  # of that document; of money in clearing: capture, refund, payout
    currency: str
    amount_minor: int | None  # what is missing; None: not legible
    since: datetime.date  # the day it belongs to
    age_days: int  # at the period's end
    why: CutoffWhy
    detail: str = ""


@dataclass(slots=True)
class CutoffTotal:
    """One list in one entity, kind of document and currency."""

    list: CutoffList
    entity: str
    kind: str
    currency: str
    count: int = 0
    amount_minor: int = 0
    oldest_days: int = 0
    buckets_minor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))


@dataclass(slots=True)
class Cutoff:
    """The six lists of a month's end, as things stood when it was made."""

    period: str
    on: datetime.date  # the period's last day
    rows: list[CutoffRow] = field(default_factory=list)  # by list, the oldest first
    totals: list[CutoffTotal] = field(default_factory=list)

    def shown(self, wanted: CutoffList) -> list[CutoffRow]:
        """The rows of one list."""
        return [row for row in self.rows if row.list is wanted]


def cutoff_of(period: str, on: datetime.date, rows: Iterable[CutoffRow]) -> Cutoff:
    """The lists with their totals; of a list longer than ROWS_MAX only the oldest rows are kept."""
    totals: dict[tuple[CutoffList, str, str, str], CutoffTotal] = {}
    kept: dict[CutoffList, list[CutoffRow]] = {one: [] for one in CutoffList}
    for row in rows:
        of = (row.list, row.entity, row.kind, row.currency)
        total = totals.setdefault(of, CutoffTotal(*of))
        total.count += 1
        total.amount_minor += row.amount_minor or 0
        total.oldest_days = max(total.oldest_days, row.age_days)
        total.buckets_minor[bucket(row.age_days)] += row.amount_minor or 0
        kept[row.list].append(row)
        if len(kept[row.list]) >= 2 * ROWS_MAX:
            kept[row.list] = _oldest(kept[row.list])
    order = list(CutoffList)
    return Cutoff(
        period,
        on,
        [row for one in CutoffList for row in _oldest(kept[one])],
        [totals[of] for of in sorted(totals, key=lambda of: (order.index(of[0]), of[1:]))],
    )


def bucket(age_days: int) -> str:
    """The bucket of an age."""
    return next(name for name, end in BUCKETS.items() if end is None or age_days <= end)


def _oldest(rows: list[CutoffRow]) -> list[CutoffRow]:
    return sorted(rows, key=lambda x: (x.since, x.entity, x.channel, x.order, x.document))[:ROWS_MAX]
