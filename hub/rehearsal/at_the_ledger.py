"""People at an ERP that is simulated within this process, with the hands that its simulator has."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

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
from hub.model.order import OrderKey
from hub.rehearsal.staff import Accident, sales_order
from hub.steps.deciding import item_document
from hub.steps.hub import Hub

OPENING: Final = date(2026, 9, 30)
STOCKED: Final = 5_000  # units of each item at the opening
LOCATION: Final = "main"
WRONG_DAY: Final = date(2026, 11, 3)
TYPED_DAY: Final = date(2026, 10, 20)
HAND_EDIT_MINOR: Final = 1_250
TYPED_MINOR: Final = 18_900


class AtTheLedger:
    accidents_min = 4

    def __init__(self, hub: Hub, slug: str) -> None:
        self._hub = hub
        self._slug = slug

    def open_books(self) -> None:
        channel = self._hub.channel(self._slug)
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
        for outcome in self._hub.erp.put(writes):
            if outcome.verdict is not Verdict.DONE:
                raise RuntimeError(f"demo: the ledger refused its opening: {outcome}")

    def standing(self, keys: Sequence[DocumentKey]) -> set[DocumentKey]:
        return {key for key, held in self._hub.erp.held(keys).items() if not held.voided}

    def fulfil(
        self, key: DocumentKey, units: Mapping[str, int], *, carrier: str, tracking_number: str, shipped_at: datetime
    ) -> bool:
        self._hub.erp.fulfil(
            key,
            units,
            location=LOCATION,
            carrier=carrier,
            tracking_number=tracking_number,
            shipped_at=shipped_at,
        )
        return True

    def rows(self, key: DocumentKey) -> Mapping[str, bool]:
        """Here orders have no rows to close."""
        return {}

    def close_rows(self, key: DocumentKey, lines: Sequence[str], *, closed: bool) -> bool:
        return False

    def edit_amount(self, key: DocumentKey, line: str, by: str) -> bool:
        return False

    def meddle(self, victims: Sequence[OrderKey]) -> list[Accident]:
        erp, channel = self._hub.erp, self._hub.settings.channel(self._slug)
        edited, deleted, twice, moved = victims[: self.accidents_min]
        erp.edit_amount(erp.ref(sales_order(edited)), HAND_EDIT_MINOR, Component.GOODS)
        erp.void(erp.ref(sales_order(deleted)))
        copy = erp.copy(erp.ref(sales_order(twice)))
        erp.move(erp.ref(sales_order(moved)), WRONG_DAY)
        typed = erp.type_in(
            Document(
                key=DocumentKey(""),
                kind=DocumentKind.SALES_ORDER,
                entity=channel.entity,
                currency=channel.currency,
                date=TYPED_DAY,
                lines=(DocumentLine(Component.GOODS, TYPED_MINOR, detail="by telephone"),),
                reference="PHONE-17",
                customer=erp.document(erp.ref(sales_order(edited))).customer,
            )
        )
        return [
            Accident("edited", edited.external_id, sales_order(edited)),
            Accident("deleted", deleted.external_id, sales_order(deleted)),
            Accident("entered twice", twice.external_id, copy),
            Accident("moved", moved.external_id, sales_order(moved)),
            Accident("typed in", None, typed),
        ]


def _write(document: Document) -> Write:
    return Write(Action.CREATE, document, revision_of(content_of(document)))
