"""The steps an order can take after it is placed: pay, ship, refund, cancel, return, edit."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from connectors.shopify.rehearsal.basket import Basket, Shelf
from connectors.shopify.rehearsal.life import (
    Adjustment,
    Edit,
    Event,
    Gone,
    Happening,
    Line,
    Payment,
    Refund,
    RefundLine,
    Return,
    Shipment,
)
from connectors.shopify.rehearsal.money import ZERO, Amount, total

_AUTHORIZED_FIRST = {"authorized", "cancelled_unpaid", "cancelled_unpaid_restocked", "edit_removed", "edit_swapped"}
_METHODS = (
    "card",
    "card",
    "card_later",
    "failed_then_card",
    "gift_card_and_card",
    "store_credit",
    "store_credit_and_card",
    "several_cards",
    "manual",
)
_FOREIGN_METHODS = ("card", "card_later", "failed_then_card")
_CARRIERS = ("UPS", "FedEx", "USPS", "DHL Express")
_REASONS = ("size_too_small", "size_too_large", "defective", "not_as_described", "unwanted", "color")


class Steps(Basket):
    """Moves a clock on and records what happens; each step keeps payments, shipments and units in agreement."""

    def __init__(self, rng: random.Random, seed: int, index: int, start: datetime, days: int, shelf: Shelf) -> None:
        super().__init__(rng, seed, index, start, days, shelf)
        self.captured: list[tuple[Payment, Amount]] = []  # what can still be paid back, by transaction
        self.now = self.life.placed_at

    def _wait(self, low_hours: float, high_hours: float) -> datetime:
        self.now += timedelta(seconds=int((low_hours + self.random() * (high_hours - low_hours)) * 3600))
        return self.now

    def _happens(self, topic: str, of: Event, after_s: int = 0) -> None:
        self.life.happenings.append(Happening(self.now + timedelta(seconds=after_s), topic, of))

    def _pay(self) -> None:
        life = self.life
        due = life.totals(life.placed_at).price
        if not due:
            return
        if life.company is not None:
            return
        if self.ending in _AUTHORIZED_FIRST:
            self._transact("authorization", "shopify_payments", due)
        elif self.ending == "pending_payment":
            self._transact("sale", "Bank Deposit", due, status="pending")
        elif life.source == "pos":
            self._transact("sale", "cash", due, rounding=self._rounding(due))
        else:
            self._pay_by(self._method(), due)

    def _method(self) -> str:
        if self.plain:
            return self.pick(("card", "card", "card_later"))
        if self.ending == "gift_card_refund":
            return "gift_card_and_card"
        return self.pick(_FOREIGN_METHODS if self.life.till.foreign else _METHODS)

    def _pay_by(self, method: str, due: Amount) -> None:
        if not self.plain:
            self.trait(method)
        first = due.portion(3, 10)
        match method:
            case "card":
                self._transact("sale", "shopify_payments", due)
            case "card_later":
                authorization = self._transact("authorization", "shopify_payments", due)
                self._wait(0.2, 12)
                self._transact("capture", "shopify_payments", due, parent=authorization)
            case "failed_then_card":
                self._transact("sale", "shopify_payments", due, status="failure")
                self._transact("sale", "shopify_payments", due)
            case "gift_card_and_card":
                self._transact("sale", "gift_card", first)
                self._transact("sale", "shopify_payments", due - first)
            case "store_credit":
                self._transact("sale", "shopify_store_credit", due)
            case "store_credit_and_card":
                self._transact("sale", "shopify_store_credit", first)
                authorization = self._transact("authorization", "shopify_payments", due - first)
                self._wait(0.2, 12)
                self._transact("capture", "shopify_payments", due - first, parent=authorization)
            case "several_cards":
                self._transact("sale", "shopify_payments", first)
                self._transact("sale", "paypal", due - first)
            case _:
                pending = self._transact("sale", "Bank Deposit", due, status="pending")
                self._wait(5, 60)
                self._transact("sale", "Bank Deposit", due, parent=pending)

    def _transact(
        self,
        kind: str,
        gateway: str,
        amount: Amount,
        *,
        status: str = "success",
        parent: Payment | None = None,
        rounding: Amount | None = None,
    ) -> Payment | None:
        if not amount:
            return None
        life = self.life
        sequence = len(life.payments) + 1
        parent_id = parent.id if parent else None
        payment = Payment(life.next_id(), kind, gateway, status, self.now, amount, parent_id, None, rounding, sequence)
        life.payments.append(payment)
        self._happens("order_transactions/create", payment, 1)
        if kind in ("sale", "capture") and status == "success":
            self.captured.append((payment, amount))
        return payment

    def _rounding(self, due: Amount) -> Amount:
        """What the till adds so that the coins of the currency can pay; not part of the amount or of any total."""
        step = 10 if self.shelf.currency == "JPY" else 5
        off = (due.shop + step // 2) // step * step - due.shop
        return Amount(off, off)

    def _ship(self, parts: list[tuple[Line, int]], parcels: int = 1, deliver: float = 0.7) -> Shipment | None:
        life = self.life
        self._gift_cards()
        parts = [(line, quantity) for line, quantity in parts if quantity and not line.gift_card]
        if not parts:
            return None
        self._wait(4, 50)
        sequence = len(life.shipments) + 1
        numbers = [f"1Z{life.id % 10**10:010d}{sequence}{parcel}" for parcel in range(parcels)]
        at_the_till = life.source == "pos"
        shipment = Shipment(
            life.next_id(),
            sequence,
            "manual",
            self.now,
            [(life.next_id(), line, quantity) for line, quantity in parts],
            None if at_the_till else self.pick(_CARRIERS),
            [] if at_the_till else numbers,
            None,
        )
        life.shipments.append(shipment)
        self._happens("fulfillments/create", shipment)
        if not at_the_till and self.chance(deliver):
            shipment.delivered_at = self._wait(20, 90)
            self._happens("fulfillments/update", shipment)
            self.trait("delivered_parcel")
        return shipment

    def _gift_cards(self) -> None:
        """The vendor itself fulfils a gift card, at once and without a parcel."""
        life = self.life
        cards = [line for line in life.lines if line.gift_card and not life.shipped_at(self.now, line)]
        if not cards:
            return
        parts = [(life.next_id(), line, line.quantity) for line in cards]
        shipment = Shipment(life.next_id(), len(life.shipments) + 1, "gift_card", self.now, parts, None, [], None)
        life.shipments.append(shipment)
        self._happens("fulfillments/create", shipment, 1)

    def _left(self) -> list[tuple[Line, int]]:
        life = self.life
        return [(line, life.to_ship_at(self.now, line)) for line in life.lines]

    def _one_line(self) -> tuple[Line, int]:
        line = self.pick([line for line in self.life.lines if line.ships])
        return line, 1 + int(self.random() * line.quantity)

    def _refund(
        self,
        picks: list[tuple[Line, int]],
        restock_type: str = "no_restock",
        *,
        shipping: bool = False,
        adjustment: Amount = ZERO,
        note: str | None = None,
        part_of: Return | None = None,
        against: Amount = ZERO,
        pending: bool = False,
        no_money: bool = False,
        cards_last: bool = True,
    ) -> Refund:
        """Units, shipping or an amount are refunded now.

        The adjustment is what is kept back (negative: what is given on top); `against` is the part that pays for
        exchanged goods; with `no_money` nothing was captured, so nothing flows back.
        """
        life = self.life
        refund = Refund(life.next_id(), self.now, note, [], part_of=part_of)
        for line, quantity in picks:
            gone = life.gone_at(self.now, line)
            subtotal = line.net.units(line.quantity, gone, quantity)
            tax = line.tax.units(line.quantity, gone, quantity)
            refund.lines.append(RefundLine(life.next_id(), line, quantity, restock_type, subtotal, tax))
            shipped = life.shipped_at(self.now, line) > 0
            life.gone.append(Gone(self.now, line, quantity, shipped))
        money = total([part.subtotal for part in refund.lines])
        taxes = total([part.tax for part in refund.lines])
        if shipping and life.shipping is not None and life.shipping.discounted:
            refund.shipping_id = life.next_id()
            refund.shipping, refund.shipping_tax = life.shipping.discounted, life.shipping.tax
            money, taxes = money + refund.shipping, taxes + refund.shipping_tax
            # Since 2024-10 the vendor's changelog says that refunded shipping is no order adjustment, yet its own
            # 2026-07 example still lists it there too: both are composed, and it must not be counted twice.
            if refund.shipping_tax or self.chance(0.5):
                refund.adjustments.append(
                    Adjustment(
                        life.next_id(), "shipping_refund", "Shipping refund", -refund.shipping, -refund.shipping_tax
                    )
                )
                self.trait("shipping_refund_listed_twice")
        if not life.taxes_included:
            money = money + taxes
        if adjustment:
            refund.adjustments.append(
                Adjustment(life.next_id(), "refund_discrepancy", "Refund discrepancy", adjustment, ZERO)
            )
        if not no_money:
            self._pay_back(refund, money - adjustment - against, pending, cards_last)
        life.refunds.append(refund)
        self._happens("refunds/create", refund, 1)
        return refund

    def _pay_back(self, refund: Refund, amount: Amount, pending: bool, cards_last: bool) -> None:
        life = self.life
        order = list(range(len(self.captured)))
        for at in order if cards_last else order[::-1]:
            paid, left = self.captured[at]
            part = left.least(amount)
            if not part:
                continue
            self.captured[at] = (paid, left - part)
            amount = amount - part
            payment = Payment(
                life.next_id(), "refund", paid.gateway, "success", self.now, part, paid.id, refund=refund.id
            )
            payment.sequence = len(life.payments) + 1
            if pending:
                payment.settled_at = self.now + timedelta(hours=30)
                life.happenings.append(Happening(payment.settled_at, "order_transactions/create", payment))
            life.payments.append(payment)
            refund.payments.append(payment)
            self._happens("order_transactions/create", payment, 1)
            if paid.gateway == "gift_card":
                self.trait("refund_to_gift_card")
        if refund.payments:
            partly = any(left for _, left in self.captured)
            self.trait("partial_refund" if partly else "refunded_to_the_end")

    def _cancel(self, reason: str) -> None:
        life = self.life
        life.cancelled_at, life.cancel_reason = self.now, reason
        for held in [payment for payment in life.payments if payment.kind == "authorization"]:
            if not self.captured:
                self._transact("void", held.gateway, held.amount, parent=held)
                self.trait("void")
        self._happens("orders/cancelled", None, 2)

    def _shipped(self) -> Shipment | None:
        return self._ship(self._left(), deliver=1.0)

    def _open_return(self, shipment: Shipment) -> tuple[Return, list[tuple[Line, int]]]:
        life = self.life
        self._wait(20, 150)
        part_id, line, quantity = self.pick([part for part in shipment.parts if part[1].ships] or shipment.parts)
        quantity = 1 + int(self.random() * quantity)
        opened = Return(life.next_id(), len(life.returns) + 1, self.now, [])
        opened.lines.append((life.next_id(), part_id, line, quantity, self.pick(_REASONS)))
        life.returns.append(opened)
        self._happens("returns/approve", opened)
        return opened, [(line, quantity)]

    def _close(self, opened: Return) -> None:
        self._wait(0.1, 1)
        opened.closed_at = self.now
        self._happens("returns/close", opened)

    def _add(self) -> Line:
        line = self.line(self.pick(self.shelf.goods), 1)
        line.added_at = self.now
        self.tax(line)
        self.life.lines.append(line)
        return line

    def _edit(self, added: list[Line], removed: list[tuple[Line, int]]) -> None:
        life = self.life
        life.gone += [Gone(self.now, line, quantity, shipped=False) for line, quantity in removed]
        edit = Edit(life.next_id(), self.now, added, removed)
        life.edits.append(edit)
        self._happens("orders/edited", edit, 1)
