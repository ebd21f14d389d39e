"""Payouts: what a payment provider pays out, and the lines of its balance that it is made of."""

import datetime
from enum import StrEnum
from typing import Final

from hub.model.frozen import frozen
from hub.model.order import OrderKey

PREFIX: Final = "payout-"


def payout_key(channel: str, payout: str) -> OrderKey:
    """Under which a payout's intents and exceptions stand, beside those of orders."""
    return OrderKey(channel, f"{PREFIX}{payout}")


def payout_of(key: OrderKey) -> str | None:
    """The channel's id of the payout whose key this is; None: it is an order's."""
    return key.external_id.removeprefix(PREFIX) if key.external_id.startswith(PREFIX) else None


class SettlementKind(StrEnum):
    """What moved the balance that a provider keeps for us."""

    CHARGE = "charge"
    REFUND = "refund"  # and a refund that failed and came back: positive
    FEE = "fee"
    DISPUTE = "dispute"  # money taken back by the buyer's bank
    DISPUTE_REVERSAL = "dispute_reversal"  # won: it came again
    RESERVE = "reserve"  # held back by the provider
    RESERVE_RELEASE = "reserve_release"
    ADJUSTMENT = "adjustment"
    SHIPPING_LABEL = "shipping_label"
    FINANCING = "financing"  # an advance or loan, and what is repaid of it
    RETURNED = "returned"  # a payout that the bank sent back, or that was called off: it is in the balance again
    CARRIED = "carried"  # the balance brought forward from the payout before, or left for the next
    PAYOUT = "payout"  # the payout's own line: no part of what it is made of
    UNKNOWN = "unknown"


class PayoutStatus(StrEnum):
    SCHEDULED = "scheduled"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PayoutState(StrEnum):
    """What became of a payout here."""

    WAITING = "waiting"  # not paid yet, or only lines of it are known
    HELD = "held"
    POSTED = "posted"  # decided: it goes to the ERP
    BEFORE_GO_LIVE = "before_go_live"
    EMPTY = "empty"  # called off or sent back, and nothing of the balance is laid to it any more


ENDED: Final = (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELLED)
"""What a payout comes to in the end; a failed one may have been paid before."""


@frozen
class SettlementLine:
    """One movement of the balance; signed as it adds to it, so a fee that is charged lowers it: net = amount − fee."""

    external_id: str
    kind: SettlementKind
    word: str  # the channel's own for the kind
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    method: str  # the channel's word for the gateway
    processed_at: datetime.datetime
    payout: str | None = None  # None: not assigned to a payout yet
    order: str | None = None  # the channel's id; None: it says none
    transaction: str | None = None  # the channel's id of the order's payment or refund; None: it says none


@frozen
class Payout:
    external_id: str
    status: PayoutStatus
    on: datetime.date
    amount_minor: int  # negative: the provider takes money from the bank
    currency: str
    method: str
    reference: str | None = None  # by which the bank's statement names it
    opening_minor: int = 0  # brought forward from the payout before, where the channel says so
    closing_minor: int = 0  # left in the balance for the next one, where the channel says so
