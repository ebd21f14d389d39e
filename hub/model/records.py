"""Raw records of the inbox, and what a mapping makes of one."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from hub.model.facts import Fact, Source
from hub.model.frozen import frozen
from hub.model.order import Party
from hub.model.payouts import Payout, SettlementLine
from hub.model.problems import Problem


@frozen
class Received:
    """One raw record as a door hands it in; `key` is unique within the channel, so a redelivery is no second row."""

    channel: str
    key: str  # delivery id, else kind + external id + version, else the digest of the bytes
    topic: str  # the channel's word for what this is; "" where a file does not say
    source: Source
    body: bytes = field(repr=False)
    received_at: datetime
    headers: dict[str, str] = field(default_factory=dict, repr=False)  # lower-case names, secrets left out
    hashed: str | None = field(default=None, repr=False, compare=False)  # the body's digest; None: not taken yet

    @property
    def digest(self) -> str:
        return self.hashed or sha256(self.body).hexdigest()


@frozen
class Record:
    """A row of the inbox."""

    id: int
    channel: str
    topic: str
    source: Source
    body: bytes = field(repr=False)
    received_at: datetime
    readings: int = 0  # how often it was read again


class NoticeKind(StrEnum):
    UNINSTALLED = "uninstalled"  # the channel sends no more, and our credentials are void
    REDACT_CUSTOMER = "redact_customer"  # a customer's personal data is to be erased
    REDACT_SHOP = "redact_shop"  # all of the shop's personal data is to be erased
    DATA_REQUEST = "data_request"  # a customer asks what is kept of them


@frozen
class Notice:
    """Something a channel tells the hub that is no fact of an order."""

    kind: NoticeKind
    customer: str | None = None  # the channel's id of the customer; None: of nobody in particular
    orders: tuple[str, ...] = ()  # the channel's ids of the orders that it names


@frozen
class StockLevel:
    """How much of an item an ERP has at a location, in its own codes."""

    entity: str
    item: str
    location: str
    on_hand: int  # negative where more left than was there
    as_of: int  # grows with each change of this level: the ERP's sequence, or microseconds since 1970


@frozen
class Translation:
    """What a mapping made of a record: facts, the personal data apart, and what a person should know.

    No facts, levels, payouts or problems: the record is of a kind that says nothing of orders (a product, a draft).
    """

    facts: tuple[Fact, ...] = ()
    parties: tuple[Party, ...] = ()
    problems: tuple[Problem, ...] = ()  # claims that the facts do not bear out; never a hold
    refetch: tuple[str, ...] = ()  # the channel's ids of orders to be read anew: this record is but a hint of them
    notices: tuple[Notice, ...] = ()
    levels: tuple[StockLevel, ...] = ()
    payouts: tuple[Payout, ...] = ()
    settlement_lines: tuple[SettlementLine, ...] = ()
    ignored: str | None = None  # why there are no facts: "draft order", "checkout", "topic themes/publish"
