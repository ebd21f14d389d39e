"""The people at the ledger who keep the shelves full and ship: their fulfilments are what the shop is then told."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from hub.model.documents import (
    Component,
    Document,
    DocumentKey,
    DocumentKind,
    DocumentLine,
    content_of,
    document_key,
    revision_of,
)
from hub.model.intents import Action, Verdict, Write
from hub.steps.deciding import item_document
from hub.steps.hub import Hub

OPENING: Final = date(2026, 9, 30)
STOCKED: Final = 5_000  # units of each item at the opening
LOCATION: Final = "main"
CARRIERS: Final = ("UPS", "FedEx", "USPS")
SHIPS_BEFORE: Final = timedelta(hours=2)  # before the day's end, when the clock of the rehearsal stands


def open_books(hub: Hub) -> None:
    """The ledger knows the price list and has stock of it at its standard cost."""
    channel = hub.channel(hub.settings.channels[0].slug)
    entity, functional = channel.entity.slug, channel.entity.currency
    writes = [_write(item_document(item, entity, functional)) for item in channel.items.values()]
    for item in channel.items.values():
        if item.cost_minor:
            line = DocumentLine(Component.STOCK, item.cost_minor * STOCKED, item=item.code, quantity=STOCKED)
            receipt = Document(
                key=document_key(DocumentKind.STOCK_RECEIPT, "opening", item.code),
                kind=DocumentKind.STOCK_RECEIPT,
                entity=entity,
                currency=functional,
                date=OPENING,
                lines=(line,),
                location=LOCATION,
            )
            writes.append(_write(receipt))
    for outcome in hub.erp.put(writes):
        if outcome.verdict is not Verdict.DONE:
            raise RuntimeError(f"demo: the ledger refused its opening: {outcome}")


@dataclass(slots=True)
class Warehouse:
    """Ships what the shop waits for, each parcel once, whenever the shop hears of it."""

    hub: Hub
    slug: str
    chance: random.Random
    _gone: set[tuple[str, str]] = field(default_factory=set)  # order, and what of it

    def ship(self, orders: Sequence[Mapping[str, Any]], now: datetime) -> int:
        """What should have left by now has, as far as the ledger knows the order; how many parcels."""
        waiting = [order for order in orders if order["to_ship"]]
        return sum(self._ship(order, now) for order in sorted(waiting, key=lambda one: str(one["id"])))

    def _ship(self, order: Mapping[str, Any], now: datetime) -> bool:
        parcel = (str(order["id"]), json.dumps(order["to_ship"], sort_keys=True))
        key = document_key(DocumentKind.SALES_ORDER, self.slug, str(order["id"]))
        if parcel in self._gone or not _stands(self.hub, key):
            return False
        self._gone.add(parcel)
        carrier, number = self.chance.choice(CARRIERS), f"1Z{self.chance.getrandbits(48):012X}"
        self.hub.erp.fulfil(
            key,
            order["to_ship"],
            location=LOCATION,
            carrier=carrier,
            tracking_number=number,
            shipped_at=now - SHIPS_BEFORE,
        )
        return True


def _stands(hub: Hub, key: DocumentKey) -> bool:
    """Whether the ledger has the sales order: one that is held, or was called off, it has not."""
    found = hub.erp.held([key]).get(key)
    return found is not None and not found.voided


def _write(document: Document) -> Write:
    return Write(Action.CREATE, document, revision_of(content_of(document)))
