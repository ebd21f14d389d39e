"""Draws what happens to an order after it is placed: payment, edits, shipments, refunds, returns, cancellation."""

from __future__ import annotations

import random
from bisect import bisect
from datetime import datetime
from itertools import accumulate

from connectors.shopify.rehearsal.basket import Shelf
from connectors.shopify.rehearsal.life import (
    Gone,
    Life,
    Line,
)
from connectors.shopify.rehearsal.money import ZERO, total
from connectors.shopify.rehearsal.steps import Steps

PLAIN_SHARE = 0.6

_ENDINGS = {
    "delivered": 15,
    "unfulfilled": 4,
    "partial_fulfilment": 6,
    "several_fulfilments": 7,
    "several_parcels": 6,
    "pending_payment": 5,
    "authorized": 4,
    "cancelled_unpaid": 4,
    "cancelled_unpaid_restocked": 4,
    "cancelled_paid": 6,
    "cancelled_part": 6,
    "return_restock": 7,
    "refund_no_restock": 6,
    "refund_amount_only": 5,
    "refund_shipping_only": 5,
    "refund_withheld": 5,
    "refund_pending": 5,
    "gift_card_refund": 5,
    "full_refund": 5,
    "return_open": 4,
    "exchange": 8,
    "edit_added": 5,
    "edit_removed": 5,
    "edit_swapped": 5,
}
ENDINGS = tuple(_ENDINGS)
_WEIGHTS = tuple(accumulate(_ENDINGS.values()))


def draw(seed: int, index: int, start: datetime, days: int, shelf: Shelf) -> Life:
    """The life of order `index` of the shop `seed`, whatever other orders are drawn."""
    rng = random.Random((seed << 40) ^ index)
    ending = None
    if rng.random() >= PLAIN_SHARE:
        ending = ENDINGS[bisect(_WEIGHTS, rng.random() * _WEIGHTS[-1])]
    return _Course(rng, seed, index, start, days, shelf).run(ending)


def draw_wide(seed: int, index: int, start: datetime, days: int, shelf: Shelf, lines: int) -> Life:
    """A plain order of that many lines, the last of its shop: its ids take the range of later orders too."""
    return _Wide(random.Random((seed << 40) ^ index), seed, index, start, days, shelf, lines).run(None)


class _Course(Steps):
    """An order's life to its end: the method named like the ending tells it."""

    def run(self, ending: str | None) -> Life:
        self.fill(ending)
        life = self.life
        self._happens("orders/create", None, 2)
        self._pay()
        if not self.plain:
            self.trait(self.ending)
        getattr(self, f"_{self.ending}")()
        self._collect_terms()
        life.happenings.sort(key=lambda happening: happening.at)
        life.end = life.happenings[-1].at
        return life

    def _collect_terms(self) -> None:
        life = self.life
        if life.terms_days is None:
            return
        if self.ending == "pending_payment" or self.chance(0.3):
            self.trait("unpaid_terms")
            return
        self._wait(24 * life.terms_days - 48, 24 * life.terms_days + 24)
        life.paid_at = self.now
        self._transact("sale", "manual", life.totals(self.now).price)
        self.trait("paid_on_terms")

    def _delivered(self) -> None:
        self._ship(self._left())

    def _several_parcels(self) -> None:
        self._ship(self._left(), parcels=self.pick((2, 3)))

    def _unfulfilled(self) -> None:
        self._gift_cards()

    _pending_payment = _unfulfilled
    _authorized = _unfulfilled

    def _partial_fulfilment(self) -> None:
        self._ship(_half(self._left()))

    def _several_fulfilments(self) -> None:
        self._partial_fulfilment()
        self._ship(self._left())

    def _cancelled_part(self) -> None:
        self._wait(1, 10)
        line, quantity = self._one_line()
        self._refund([(line, min(quantity, max(1, line.quantity - 1)))], "cancel", note="out of stock")
        self._ship(self._left())

    def _cancelled_paid(self) -> None:
        self._wait(1, 10)
        self._cancel(self.pick(("customer", "inventory", "fraud", "other")))
        self._refund(self._left(), "cancel", shipping=True, note="Order canceled")

    def _cancelled_unpaid(self) -> None:
        self._wait(1, 10)
        self._cancel("declined")
        self.life.gone += [Gone(self.now, line, line.quantity, shipped=False) for line in self.life.lines]
        self.life.shipping_dropped = True

    def _cancelled_unpaid_restocked(self) -> None:
        self._wait(1, 10)
        self._cancel("customer")
        self._refund(self._left(), "cancel", note="Order canceled", no_money=True)
        self.life.shipping_dropped = True

    def _return_restock(self) -> None:
        shipment = self._shipped()
        if shipment is None:
            return
        opened, picks = self._open_return(shipment)
        self._wait(48, 200)
        self._refund(picks, "return", note="returned", part_of=opened)
        self._close(opened)

    def _return_open(self) -> None:
        shipment = self._shipped()
        if shipment is not None:
            self._open_return(shipment)

    def _refund_no_restock(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        self._refund([self._one_line()], note="damaged in transit")

    def _refund_amount_only(self) -> None:
        if self.chance(0.7):
            self._ship(self._left())
        self._wait(24, 300)
        paid = total([left for _, left in self.captured])
        self._refund([], adjustment=-paid.portion(self.pick((5, 10, 20)), 100), note="goodwill")

    def _refund_shipping_only(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        self._refund([], shipping=True, note="late")

    def _refund_withheld(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        line, quantity = self._one_line()
        kept = line.net.units(line.quantity, 0, quantity).portion(1, 10)
        self._refund([(line, quantity)], "return", adjustment=kept, note="box opened")

    def _refund_pending(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        self._refund([self._one_line()], pending=True)

    def _gift_card_refund(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        self._refund([self._one_line()], "return")

    def _full_refund(self) -> None:
        self._ship(self._left())
        self._wait(24, 300)
        life = self.life
        first = _half([(line, line.quantity) for line in life.lines])
        self._refund(first, "return", cards_last=False)
        self._wait(24, 100)
        rest = [(line, line.quantity - life.gone_at(self.now, line)) for line in life.lines]
        self._refund([(line, left) for line, left in rest if left], self.pick(("return", "no_restock")), shipping=True)

    def _edit_added(self) -> None:
        self._wait(0.5, 3)
        self._edit([self._add()], [])
        self._wait(0.1, 2)
        self._transact("sale", "shopify_payments", self.life.totals(self.now).outstanding)
        self._ship(self._left())

    def _edit_removed(self) -> None:
        self._wait(0.5, 3)
        line, quantity = self._one_line()
        units = sum(line.quantity for line in self.life.lines)
        self._edit([], [(line, min(quantity, units - 1))])
        self._capture()

    def _edit_swapped(self) -> None:
        self._wait(0.5, 3)
        line, quantity = self._one_line()
        self._edit([self._add()], [(line, quantity)])
        self._capture()

    def _capture(self) -> None:
        """What is due now is captured as far as it was authorised, the rest charged anew; then all is shipped."""
        self._wait(0.5, 3)
        held = self.life.payments[0] if self.life.payments else None
        due = self.life.totals(self.now).outstanding
        if held is not None:
            part = held.amount.least(due)
            self._transact("capture", held.gateway, part, parent=held)
            due = due - part
        self._transact("sale", "shopify_payments", due)
        self._ship(self._left())

    def _exchange(self) -> None:
        shipment = self._shipped()
        if shipment is None:
            return
        opened, picks = self._open_return(shipment)
        line = self._add()
        opened.exchanged.append((self.life.next_id(), line))
        self._edit([line], [])
        self._wait(48, 150)
        worth, gone = ZERO, self.life.gone_at(self.now, picks[0][0])
        for part, quantity in picks:
            worth = part.net.units(part.quantity, gone, quantity)
            if not self.life.taxes_included:
                worth = worth + part.tax.units(part.quantity, gone, quantity)
        new = line.net if self.life.taxes_included else line.net + line.tax
        self._refund(picks, "return", note="exchanged", part_of=opened, against=new.least(worth))
        self._transact("sale", "shopify_payments", new - new.least(worth))
        self._close(opened)
        self._ship(self._left())


class _Wide(_Course):
    def __init__(
        self, rng: random.Random, seed: int, index: int, start: datetime, days: int, shelf: Shelf, lines: int
    ) -> None:
        super().__init__(rng, seed, index, start, days, shelf)
        self.count = lines

    def _goods(self) -> None:
        self.life.lines = [self.line(self.pick(self.shelf.goods), 1) for _ in range(self.count)]


def _half(parts: list[tuple[Line, int]]) -> list[tuple[Line, int]]:
    """About half of the units, at least one, never all where there are two or more."""
    wanted = max(1, sum(quantity for _, quantity in parts) // 2)
    half = []
    for line, quantity in parts:
        if take := min(quantity, wanted):
            half.append((line, take))
            wanted -= take
    return half
