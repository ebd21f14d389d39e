"""What people at the shop do to an order by hand, and what moves in a life when something comes sooner or later."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from connectors.shopify.rehearsal.basket import Shelf
from connectors.shopify.rehearsal.life import Gone, Happening, Life, Line, Shipment
from connectors.shopify.rehearsal.money import Amount, total
from connectors.shopify.rehearsal.steps import Steps

_TOLD_LATER = ("order_transactions/create", "refunds/create", "fulfillments/create")


class Hand(Steps):
    """Carries a life on from the present; what was drawn for its future is off."""

    def __init__(self, rng: random.Random, life: Life, shelf: Shelf, now: datetime) -> None:
        cut(life, now)
        self.random = rng.random
        self.shelf = shelf
        self.plain = True
        self.ending = "delivered"
        self.life = life
        self.now = now
        self.rules = list({tax.rule.title: tax.rule for line in life.lines for tax in line.taxes}.values())
        self.captured = []
        for payment in life.payments:
            if payment.kind in ("sale", "capture") and payment.status == "success":
                back = total(
                    [each.amount for each in life.payments if each.parent == payment.id and each.kind == "refund"]
                )
                self.captured.append((payment, payment.amount - back))

    def add_line(self) -> bool:
        self._edit([self._add()], [])
        return True

    def remove_unit(self) -> bool:
        """One unit that was not shipped is edited out; False: there is none."""
        for line in self.life.lines:
            if self.life.to_ship_at(self.now, line) > 0:
                self._edit([], [(line, 1)])
                return True
        return False

    def pay(self) -> bool:
        """What is still due is paid by card."""
        due = self.life.totals(self.now).outstanding
        if due.shop <= 0:
            return False
        self._transact("sale", "shopify_payments", due)
        return True

    def refund_unit(self) -> bool:
        """One unit that still counts is refunded, without coming back."""
        for line in self.life.lines:
            if line.quantity > self.life.gone_at(self.now, line):
                self._refund([(line, 1)], note="by hand")
                return True
        return False

    def refund_amount(self, minor: int) -> bool:
        """So much is paid back, whatever it is for; False: so much was not captured."""
        if minor > total([left for _, left in self.captured]).shop:
            return False
        self._refund([], adjustment=Amount(-minor, -minor), note="goodwill")
        return True

    def take_out(self, removed: list[tuple[Line, int]]) -> None:
        """These units are edited out."""
        self._edit([], removed)

    def cancel(self) -> bool:
        """Everything unshipped is cancelled; what was captured flows back. False: it is cancelled already."""
        if self.life.cancelled_at is not None:
            return False
        self.call_off("customer", refund=True)
        return True

    def call_off(self, reason: str, *, refund: bool) -> None:
        """Everything unshipped is cancelled; what was captured flows back if it shall."""
        self._cancel(reason)
        left = [(line, quantity) for line, quantity in self._left() if quantity]
        if self.captured and refund:
            self._refund(left, "cancel", shipping=not self.life.shipments, note="Order canceled")
        else:
            self.life.gone += [Gone(self.now, line, quantity, shipped=False) for line, quantity in left]
            self.life.shipping_dropped = not self.life.shipments

    def ship_all(self) -> bool:
        parts = [(line, quantity) for line, quantity in self._left() if quantity and not line.gift_card]
        if not parts:
            return False
        put(self.life, self.now, parts, "UPS", [f"1ZHAND{self.life.id % 10**8:08d}"], None, None)
        return True


def put(
    life: Life,
    now: datetime,
    parts: list[tuple[Line, int]],
    carrier: str | None,
    numbers: list[str],
    urls: list[str] | None,
    location: int | None,
) -> Shipment:
    """A shipment leaves now; the caller has seen that the units are there."""
    sequence = len(life.shipments) + 1
    number = life.next_id()
    made = [(life.next_id(), line, quantity) for line, quantity in parts]
    shipment = Shipment(number, sequence, "manual", now, made, carrier, numbers, None, location, urls=urls)
    life.shipments.append(shipment)
    happen(life, now, "fulfillments/create", shipment)
    return shipment


def happen(life: Life, at: datetime, topic: str, of: Shipment | None) -> None:
    life.happenings.append(Happening(at, topic, of))
    life.happenings.sort(key=lambda happening: happening.at)


def cut(life: Life, now: datetime) -> None:
    """The life ends at this moment: nothing that was drawn for later will happen."""
    later = {id(payment) for payment in life.payments if payment.at > now}
    life.payments = [payment for payment in life.payments if payment.at <= now]
    life.shipments = [shipment for shipment in life.shipments if shipment.at <= now]
    life.refunds = [refund for refund in life.refunds if refund.at <= now]
    life.returns = [opened for opened in life.returns if opened.at <= now]
    life.edits = [edit for edit in life.edits if edit.at <= now]
    life.gone = [gone for gone in life.gone if gone.at <= now]
    life.lines = [line for line in life.lines if line.added_at is None or line.added_at <= now]
    for shipment in life.shipments:
        if shipment.delivered_at is not None and shipment.delivered_at > now:
            shipment.delivered_at = None
    for opened in life.returns:
        if opened.closed_at is not None and opened.closed_at > now:
            opened.closed_at = None
        known = {id(line) for line in life.lines}
        opened.exchanged = [(number, line) for number, line in opened.exchanged if id(line) in known]
    if life.cancelled_at is not None and life.cancelled_at > now:
        life.cancelled_at = life.cancel_reason = None
        life.shipping_dropped = False
    if life.paid_at is not None and life.paid_at > now:
        life.paid_at = None
    life.happenings = [
        happening
        for happening in life.happenings
        # What happened is told a second or two later, and so is the settling of what is pending.
        if happening.at <= now
        or (happening.at - now <= timedelta(seconds=2) and happening.topic == "orders/create")
        or (happening.topic in _TOLD_LATER and _stands(life, happening, later))
    ]


def _stands(life: Life, happening: Happening, later: set[int]) -> bool:
    of = happening.of
    known = any(of is each for each in (*life.payments, *life.refunds, *life.shipments))
    return known and id(of) not in later


def shift(life: Life, since: datetime, by: timedelta) -> None:
    """Everything that was drawn for `since` or later comes so much later, or sooner."""

    def moved(at: datetime) -> datetime:
        return at + by if at >= since else at

    def may(at: datetime | None) -> datetime | None:
        return None if at is None else moved(at)

    for payment in life.payments:
        payment.at, payment.settled_at = moved(payment.at), may(payment.settled_at)
    for shipment in life.shipments:
        shipment.at, shipment.delivered_at = moved(shipment.at), may(shipment.delivered_at)
    for refund in life.refunds:
        refund.at = moved(refund.at)
    for opened in life.returns:
        opened.at, opened.closed_at = moved(opened.at), may(opened.closed_at)
    for edit in life.edits:
        edit.at = moved(edit.at)
    for gone in life.gone:
        gone.at = moved(gone.at)
    for line in life.lines:
        line.added_at = may(line.added_at)
    life.cancelled_at, life.paid_at = may(life.cancelled_at), may(life.paid_at)
    life.happenings = [
        Happening(moved(each.at), each.topic, each.of) if each.at >= since else each for each in life.happenings
    ]


def _lay(life: Life, drawn: int, made: int) -> None:
    """What was to come back of a drawn part comes back of the one that was made in its place."""
    for opened in life.returns:
        opened.lines = [
            (number, made if part == drawn else part, line, quantity, reason)
            for number, part, line, quantity, reason in opened.lines
        ]


def give_way(life: Life, made: Shipment, now: datetime) -> Shipment | None:
    """Units that were shipped now are not shipped again by what was drawn for later.

    Returns:
        the first drawn shipment that has nothing left to ship, and so is gone; the rest of the life may follow it.
    """
    left = {id(line): quantity for _, line, quantity in made.parts}
    part_of = {id(line): number for number, line, _ in made.parts}
    emptied: Shipment | None = None
    for drawn in sorted((each for each in life.shipments if each.at > now), key=lambda each: each.at):
        parts = []
        for number, line, quantity in drawn.parts:
            taken = min(quantity, left.get(id(line), 0))
            left[id(line)] = left.get(id(line), 0) - taken
            if quantity > taken:
                parts.append((number, line, quantity - taken))
            else:
                _lay(life, number, part_of.get(id(line), number))
        drawn.parts = parts
        if not parts:
            emptied = emptied or drawn
            life.shipments.remove(drawn)
            if drawn.delivered_at is not None and made.delivered_at is None:
                made.delivered_at = drawn.delivered_at
            kept = []
            for happening in life.happenings:
                if happening.of is not drawn:
                    kept.append(happening)
                elif happening.topic == "fulfillments/update" and happening.at == made.delivered_at:
                    kept.append(Happening(happening.at, happening.topic, made))
            life.happenings = kept
    return emptied
