"""Completeness: whether a channel, the hub and the ERP hold the same set of orders, bucket by bucket.

Equal digests prove that two sides hold the same set. Equal counts and sums are a hint and no more: an order that is
missing here and another one that is too many look the same. Who counts without listing gives a hint.
"""

import datetime
from collections.abc import Mapping
from enum import StrEnum

from hub.model.frozen import frozen


@frozen
class Mark:
    """The least that tells an order from every other, and from itself with another amount."""

    order: str
    currency: str
    total_minor: int  # at a channel as placed; of a document as it stands
    at: datetime.datetime  # placed; of a document the beginning of its day


@frozen
class Tally:
    """What a side says of a bucket without listing it."""

    orders: int
    sums_minor: Mapping[str, int] | None = None  # by currency; None: it only counts
    exact: bool = True  # False: at least so many


@frozen
class DayTally:
    """Orders of a channel that an ERP holds of a day, voided ones left out."""

    channel: str
    day: datetime.date
    currency: str
    orders: int
    total_minor: int


@frozen
class Bucket:
    """The moments from `begin` to before `end`."""

    begin: datetime.datetime
    end: datetime.datetime


class Proof(StrEnum):
    """How it is known that two sides of a bucket agree."""

    COUNTED = "counted"  # a hint: counts, and sums where there are any, are equal
    READ = "read"  # proven: the sets were compared
