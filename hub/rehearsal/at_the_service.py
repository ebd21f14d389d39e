"""People at an ERP that is simulated as a service: they come by its back door."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from hub.errors import Misconfigured
from hub.model.documents import DocumentKey, DocumentKind
from hub.model.order import OrderKey
from hub.rehearsal.staff import Accident, sales_order
from hub.steps.hub import Hub
from hub.store.views import orders

KEYS_AT_ONCE: Final = 500
WRONG_DAY: Final = date(2026, 11, 3)
TYPED_DAY: Final = date(2026, 10, 20)
HAND_EDIT: Final = "12.50"
TYPED: Final = "189.00"
CALLED_OFF: Final = ("Closed", "Cancelled")


class BackDoor(Protocol):
    """By which people come in."""

    def find(self, keys: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """What stands under each of these keys of ours; None: nothing."""

    def do(self, what: str, **more: object) -> dict[str, Any]:
        """A person does something in the ERP; the document that it was done to, or that came of it.

        Raises:
            Misconfigured: the ERP does not let them.
        """


@dataclass(slots=True)
class AtTheService:
    erp: BackDoor
    hub: Hub
    slug: str

    accidents_min = 5

    def open_books(self) -> None:
        """The simulated company has its items and stock already."""

    def standing(self, keys: Sequence[DocumentKey]) -> set[DocumentKey]:
        found: dict[str, dict[str, Any] | None] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            found |= self.erp.find(keys[start : start + KEYS_AT_ONCE])
        return {key for key in keys if (one := found[key]) is not None and one["status"] not in CALLED_OFF}

    def fulfil(
        self, key: DocumentKey, units: Mapping[str, int], *, carrier: str, tracking_number: str, shipped_at: datetime
    ) -> bool:
        zone = ZoneInfo(self.hub.channel(self.slug).entity.timezone)
        day = shipped_at.astimezone(zone).date().isoformat()
        parcel = {"carrier": carrier, "tracking": tracking_number, "date": day}
        return self._may("fulfil", order=key, lines=dict(units), **parcel)

    def rows(self, key: DocumentKey) -> Mapping[str, bool]:
        found = self.erp.find([key])[key]
        lines = [] if found is None else found["lines"]
        return {one["key"]: one["closed"] for one in lines if one["key"] and one["goods"]}

    def close_rows(self, key: DocumentKey, lines: Sequence[str], *, closed: bool) -> bool:
        return self._may("close" if closed else "reopen", document=key, keys=list(lines))

    def edit_amount(self, key: DocumentKey, line: str, by: str) -> bool:
        return self._may("edit_amount", document=key, key=line, delta=by)

    def meddle(self, victims: Sequence[OrderKey]) -> list[Accident]:
        """The first victims suffer what an accountant fears, those beyond what a clerk does to orders."""
        steps: list[Callable[[OrderKey], Accident]] = [
            self._edited,
            self._taxed_anew,
            self._deleted,
            self._paid_twice,
            self._moved,
            self._order_edited,
            self._order_moved,
            self._order_twice,
        ]
        happened = [step(victim) for step, victim in zip(steps, victims, strict=False)]
        return [*happened, self._typed_in(victims[0])]

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def _edited(self, order: OrderKey) -> Accident:
        invoice = self._document(order, DocumentKind.INVOICE)
        self.erp.do("edit_amount", document=invoice, delta=HAND_EDIT)
        return Accident("amount edited", order.external_id, invoice)

    def _taxed_anew(self, order: OrderKey) -> Accident:
        invoice = self._document(order, DocumentKind.INVOICE)
        self.erp.do("recompute_tax", document=invoice)
        return Accident("tax recomputed", order.external_id, invoice)

    def _deleted(self, order: OrderKey) -> Accident:
        invoice = self._document(order, DocumentKind.INVOICE)
        self.erp.do("delete", document=invoice)
        return Accident("deleted", order.external_id, invoice)

    def _paid_twice(self, order: OrderKey) -> Accident:
        applied = self._document(order, DocumentKind.DEPOSIT_APPLICATION, DocumentKind.PAYMENT)
        again = self.erp.do("apply_twice", document=applied)
        return Accident("payment applied twice", order.external_id, again["id"])

    def _moved(self, order: OrderKey) -> Accident:
        invoice = self._document(order, DocumentKind.INVOICE)
        self.erp.do("move", document=invoice, date=WRONG_DAY.isoformat())
        return Accident("wrong period", order.external_id, invoice)

    def _order_edited(self, order: OrderKey) -> Accident:
        self.erp.do("edit_amount", document=sales_order(order), delta=HAND_EDIT)
        return Accident("order's amount edited", order.external_id, sales_order(order))

    def _order_moved(self, order: OrderKey) -> Accident:
        self.erp.do("move", document=sales_order(order), date=WRONG_DAY.isoformat())
        return Accident("order in a wrong period", order.external_id, sales_order(order))

    def _order_twice(self, order: OrderKey) -> Accident:
        copy = self.erp.do("copy", document=sales_order(order))
        return Accident("order entered twice", order.external_id, copy["id"])

    def _typed_in(self, order: OrderKey) -> Accident:
        """An invoice for somebody who called by telephone, of what another order has."""
        known = self.erp.find([sales_order(order)])[sales_order(order)]
        if known is None:
            raise Misconfigured(f"demo: the ERP has no order {order.external_id}")
        caller = self.erp.do("type_in", kind="customer", body={"companyName": "Telephone orders"})
        row = {"item": {"id": known["lines"][0]["item"]}, "quantity": 1, "amount": TYPED}
        body = {
            "entity": {"id": caller["id"]},
            "tranDate": TYPED_DAY.isoformat(),
            "otherRefNum": "PHONE-17",
            "item": {"items": [row]},
        }
        typed = self.erp.do("type_in", kind="invoice", body=body)
        return Accident("typed in", None, typed["id"])

    def _may(self, what: str, **more: object) -> bool:
        """Whether the ERP let them."""
        try:
            self.erp.do(what, **more)
        except Misconfigured:
            return False
        return True

    def _document(self, order: OrderKey, *kinds: DocumentKind) -> str:
        """The key of the order's document of a kind, as the hub decided it last."""
        found = [row.document for row in orders.documents(self.hub.store, order) if row.kind in kinds]
        if not found:
            raise Misconfigured(f"demo: order {order.external_id} has no {kinds[0]} in the ERP")
        return found[-1]
