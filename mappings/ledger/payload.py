"""What the reference ledger tells of its changes, as JSON: a record a change, its topic says which."""

from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

FULFILMENT: Final = "fulfilment"
STOCK: Final = "stock"
DOCUMENT: Final = "document"
"""The topics."""


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class LinePayload(Payload):
    line: str | None  # the order line; None: a person named none
    quantity: int


class FulfilmentPayload(Payload):
    """A fulfilment that people entered, as it stands now."""

    ref: str
    version: int
    entity: str
    channel: str  # "" with order: it names no order
    order: str
    date: date  # where its cost is posted
    shipped_at: datetime  # on that date, in the entity's time zone
    modified_at: datetime  # grows with each version
    voided: bool
    location: str
    lines: tuple[LinePayload, ...]
    carrier: str | None = None
    tracking_number: str | None = None


class StockPayload(Payload):
    """What is at a location, after a change."""

    entity: str
    item: str
    location: str
    on_hand: int
    change: int


class DocumentPayload(Payload):
    """Any other document that people entered, changed or deleted."""

    ref: str
    key: str | None  # None: it was typed in
    version: int
    channel: str
    order: str
    modified_at: datetime
    voided: bool
