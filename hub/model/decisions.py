"""Decisions: the intents that follow from an order, and the holds that keep it from having any."""

import datetime
from enum import StrEnum
from typing import Final

from hub.model.documents import Document, DocumentKey
from hub.model.entries import Entry
from hub.model.frozen import frozen
from hub.model.intents import Action


@frozen
class Decided:
    """The intent last decided under a document's key, as the store has it."""

    key: DocumentKey
    revision: str
    plan_digest: str
    action: Action
    sent: bool  # False: planned or refused, so that a later decision supersedes it
    content: bytes  # the document's JSON
    entry: bytes | None  # the expected entry's JSON; None: it posts nothing
    standing: "Decided | None" = None  # where this is not sent: what the ERP was told of the document before


@frozen
class Intent:
    """A decision, frozen: the document as JSON, and what it does to the expected books."""

    action: Action
    document: Document
    content: bytes
    revision: str
    plan_digest: str
    entry: Entry | None
    policy: str  # versions of the policies and crosswalks that decided it
    reversal: Entry | None = None  # of what stood before, where this amends or voids it
    in_place: bool = False  # an amendment of parcels alone: it posts nothing, so that no closed period minds it


@frozen
class Decision:
    intents: list[Intent]
    superseded: list[DocumentKey]  # intents never sent, whose place another takes or nothing


class HoldCode(StrEnum):
    UNTRANSLATABLE = "untranslatable"
    BROKEN_IDENTITY = "broken_identity"
    UNMAPPED_ITEM = "unmapped_item"
    PRICE_OFF_LIST = "price_off_list"
    CREDIT_LIMIT = "credit_limit"
    PAYMENT_NOT_CAPTURED = "payment_not_captured"
    MONEY_UNREAD = "money_unread"
    EDIT_WINDOW = "edit_window"
    MISSING_RATE = "missing_rate"
    CLOSED_PERIOD = "closed_period"
    UNKNOWN_LINE = "unknown_line"
    DELETED_IN_CHANNEL = "deleted_in_channel"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"  # it holds nothing: a person should know
    CANCELLED_ELSEWHERE = "cancelled_elsewhere"  # so does this
    REFUND_DUE = "refund_due"  # and this: money for what is never to be shipped, not given back
    PAYOUT_INCOMPLETE = "payout_incomplete"  # its lines do not make its amount
    UNKNOWN_SETTLEMENT = "unknown_settlement"  # of a payout: in quarantine, a task that holds nothing back
    FAULT = "fault"  # the hub's own: the order is put aside by name


REPORTS: Final = frozenset({HoldCode.SHIPPED_ELSEWHERE, HoldCode.CANCELLED_ELSEWHERE, HoldCode.REFUND_DUE})
"""What a person should know of an order, and that holds nothing of it."""


@frozen
class Hold:
    code: HoldCode
    fingerprint: str  # the cause: orders with the same one are healed by the same fix
    message: str
    remedy: str
    until: datetime.datetime | None = None  # it lifts by itself then
