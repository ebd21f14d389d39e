"""What a bank's statement says of an account, line by line."""

import datetime
from enum import StrEnum

from hub.model.frozen import frozen


@frozen
class BankLine:
    account: str
    key: str  # the same for the same line of any statement
    on: datetime.date  # booked
    amount_minor: int  # + came in
    currency: str
    reference: str  # all references that the bank gives, "" where it gives none
    text: str
    matched: tuple[str, str] | None = None  # channel and payout, as a person said


@frozen
class PaidPayout:
    """A payout that the books have in the bank."""

    channel: str
    payout: str
    on: datetime.date
    amount_minor: int
    currency: str
    reference: str | None  # by which the bank's statement may name it


class Match(StrEnum):
    PAYOUT = "payout"  # it is that payout, and no other
    AMBIGUOUS = "ambiguous"  # it may be several, or others may be that one
    NONE = "none"  # no payout of that amount is near
