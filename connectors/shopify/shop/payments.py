"""Shopify Payments: what each charge and refund did to the balance, what was paid out of it, and disputes.

Everything follows from the orders' payments and the clock, so what is past never changes. A payout is the sum of its
balance transactions, to the minor unit; a day whose sum is not above zero pays nothing out, and its transactions wait
for the next payout. A payout is itself a balance transaction, a TRANSFER of its negative amount, unless hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.shopify.rehearsal.life import Happening, Payment
from connectors.shopify.rehearsal.money import Amount, Till
from connectors.shopify.shop import search
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.paging import Listing, Row
from connectors.shopify.shop.resolvers import Root, Warn, listing, sortable, sorts
from connectors.shopify.shop.stamps import drawn, drawn_uuid, gid, number_of
from connectors.shopify.shop.webhooks import Outbox
from connectors.shopify.shop.world import Shop

FEE_BASIS_POINTS, FEE_FIXED_MINOR = 290, 30
DISPUTE_FEE_MINOR = 1_500
CHARGES_SETTLE = timedelta(days=2)
IN_TRANSIT, PAID = timedelta(hours=12), timedelta(days=2)  # after a payout was issued
_DISPUTED_ONE_IN = 20
_RESERVED_ONE_IN = 25
_RESERVED_FOR = timedelta(days=14)
_LABELS_EVERY_DAYS = 5
_CREDIT_EVERY_DAYS = 11  # a kind of credit that few books know
_REASONS = ("FRAUDULENT", "PRODUCT_NOT_RECEIVED", "DUPLICATE", "UNRECOGNIZED")


@dataclass(slots=True)
class Entry:
    """One movement of the balance; net = amount - fee."""

    id: int
    type: str
    source_type: str
    at: datetime
    available_at: datetime
    amount_minor: int
    fee_minor: int
    source: int
    payment: Payment | None = None
    order: Order | None = None
    payout: int | None = None
    reason: str | None = None

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor


@dataclass(slots=True)
class Payout:
    id: int
    issued_at: datetime
    entries: list[Entry]

    @property
    def net_minor(self) -> int:
        return sum(entry.net_minor for entry in self.entries)

    def status(self, now: datetime) -> str:
        passed = now - self.issued_at
        return "PAID" if passed >= PAID else "IN_TRANSIT" if passed >= IN_TRANSIT else "SCHEDULED"


@dataclass(slots=True)
class Dispute:
    """A customer's bank took a charge back."""

    order: Order
    payment: Payment

    @property
    def id(self) -> int:
        return self.payment.id

    @property
    def started_at(self) -> datetime:
        return self.payment.at + timedelta(days=drawn(5, 15, self.payment.id, "disputed"))

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(days=drawn(10, 25, self.payment.id, "decided"))

    @property
    def won(self) -> bool:
        return drawn(0, 1, self.payment.id, "won") == 1

    @property
    def reason(self) -> str:
        return _REASONS[drawn(0, len(_REASONS) - 1, self.payment.id, "reason")]

    def status(self, now: datetime) -> str:
        if now >= self.ended_at:
            return "WON" if self.won else "LOST"
        return "UNDER_REVIEW" if now >= self.started_at + timedelta(days=3) else "NEEDS_RESPONSE"


class Payments:
    """The account's balance at the present moment."""

    def __init__(self, shop: Shop, outbox: Outbox, warn: Warn) -> None:
        self.shop = shop
        self.outbox = outbox
        self.warn = warn
        self.till = Till(shop.setup.currency, shop.setup.currency)
        self._at: datetime | None = None
        self._entries: list[Entry] = []
        self._payouts: list[Payout] = []
        shop.listeners.append(self.hear)
        shop.additions.append(self._disputes_of)

    def charges(self) -> Iterator[tuple[Order, Payment]]:
        """What was really charged; money moved also for an order that was deleted since."""
        for order in self.shop.orders.values():
            if not order.life.test:
                for payment in order.life.payments:
                    if _ours(payment) and payment.kind in ("sale", "capture") and payment.at <= self.shop.now:
                        yield order, payment

    def disputes(self) -> list[Dispute]:
        found = [Dispute(order, payment) for order, payment in self.charges() if self._disputed(payment)]
        return [each for each in found if each.started_at <= self.shop.now]

    def _disputed(self, payment: Payment) -> bool:
        return drawn(1, _DISPUTED_ONE_IN, self.shop.setup.seed, payment.id, "dispute") == 1

    def hear(self, order: Order, happening: Happening) -> None:
        """A charge that will be disputed: the dispute is told when it starts and when it ends."""
        of = happening.of
        if not isinstance(of, Payment) or not _ours(of) or of.kind not in ("sale", "capture") or order.life.test:
            return
        if self._disputed(of):
            dispute = Dispute(order, of)
            self.shop.later(dispute.started_at, lambda: self._tell("disputes/create", dispute, dispute.started_at))
            self.shop.later(dispute.ended_at, lambda: self._tell("disputes/update", dispute, dispute.ended_at))

    def _tell(self, topic: str, each: Dispute, at: datetime) -> None:
        body = {
            "id": each.id,
            "order_id": each.order.id,
            "type": "chargeback",
            "amount": self.till.text(Amount(each.payment.amount.shop, 0)),
            "currency": self.till.shop,
            "reason": each.reason.lower(),
            "network_reason_code": "4837",
            "status": each.status(at).lower(),
            "evidence_due_by": (each.started_at + timedelta(days=7)).isoformat(),
            "evidence_sent_on": None,
            "finalized_on": each.ended_at.isoformat() if at >= each.ended_at else None,
            "initiated_at": each.started_at.isoformat(),
        }
        self.outbox.announce(topic, body, at, drawn_uuid(each.id, topic), each.order.id)

    def books(self) -> tuple[list[Entry], list[Payout]]:
        """Every movement so far, and every payout issued so far."""
        if self._at != self.shop.now:
            self._entries = sorted(self._moved(), key=lambda entry: (entry.at, entry.id))
            self._payouts = list(self._paid_out(self._entries))
            self._at = self.shop.now
        return self._entries, self._payouts

    def _moved(self) -> Iterator[Entry]:
        now = self.shop.now
        for order, payment in self.charges():
            amount = payment.amount.shop
            fee = (amount * FEE_BASIS_POINTS + 5_000) // 10_000 + FEE_FIXED_MINOR
            settled = payment.at + CHARGES_SETTLE
            yield Entry(
                payment.id * 10, "CHARGE", "CHARGE", payment.at, settled, amount, fee, payment.id, payment, order
            )
            if drawn(1, _RESERVED_ONE_IN, self.shop.setup.seed, payment.id, "reserve") == 1:
                held, freed = amount // 10, payment.at + _RESERVED_FOR
                kind = "RESERVED_FUNDS"
                yield Entry(payment.id * 10 + 1, kind, "SYSTEM_ADJUSTMENT", payment.at, settled, -held, 0, payment.id)
                if freed <= now:
                    kind = "RESERVED_FUNDS_REVERSAL"
                    yield Entry(payment.id * 10 + 2, kind, "SYSTEM_ADJUSTMENT", freed, freed, held, 0, payment.id)
        for order in self.shop.orders.values():
            for payment in order.life.payments if not order.life.test else ():
                at = payment.settled_at or payment.at
                if _ours(payment) and payment.kind == "refund" and at <= now:
                    amount = -payment.amount.shop
                    yield Entry(payment.id * 10, "REFUND", "REFUND", at, at, amount, 0, payment.id, payment, order)
        for each in self.disputes():
            amount, payment = each.payment.amount.shop, each.payment
            number, at = payment.id * 10 + 3, each.started_at
            fee = DISPUTE_FEE_MINOR
            yield Entry(number, "DISPUTE_WITHDRAWAL", "DISPUTE", at, at, -amount, fee, each.id, payment, each.order)
            if each.won and each.ended_at <= now:
                number, at = number + 1, each.ended_at
                yield Entry(number, "DISPUTE_REVERSAL", "DISPUTE", at, at, amount, -fee, each.id, payment, each.order)
        yield from self._by_the_calendar()

    def _by_the_calendar(self) -> Iterator[Entry]:
        """What belongs to no order: postage that was bought, a credit of a rare kind."""
        start, day = self.shop.setup.start, 0
        while (at := start + timedelta(days=day, hours=15)) <= self.shop.now:
            number = 7_000_000_000 + day * 10
            if day % _LABELS_EVERY_DAYS == _LABELS_EVERY_DAYS - 1:
                amount = -drawn(800, 4_000, self.shop.setup.seed, "labels", day)
                yield Entry(number, "SHIPPING_LABEL", "ADJUSTMENT", at, at, amount, 0, number, reason="Shipping labels")
            if day % _CREDIT_EVERY_DAYS == _CREDIT_EVERY_DAYS - 1:
                amount = drawn(100, 900, self.shop.setup.seed, "credit", day)
                kind = "MERCHANT_GOODWILL_CREDIT"
                yield Entry(number + 1, kind, "ADJUSTMENT", at, at, amount, 0, number + 1, reason="Goodwill")
            day += 1

    def _paid_out(self, entries: list[Entry]) -> Iterator[Payout]:
        waiting = sorted(entries, key=lambda entry: (entry.available_at, entry.id))
        day = self.shop.setup.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        open_entries: list[Entry] = []
        at = 0
        while (day := day + timedelta(days=1)) <= self.shop.now:
            while at < len(waiting) and waiting[at].available_at < day:
                open_entries.append(waiting[at])
                at += 1
            if sum(entry.net_minor for entry in open_entries) > 0:
                payout = Payout(90_000_000_000 + day.toordinal(), day, open_entries)
                for entry in open_entries:
                    entry.payout = payout.id
                open_entries = []
                yield payout

    def money(self, minor: int) -> dict[str, str]:
        return self.till.money(Amount(minor, minor))

    def roots(self) -> Root:
        return {
            "shopifyPaymentsAccount": self.account,
            "disputes": self._disputes,
            "dispute": self._dispute,
            "tenderTransactions": self._tenders,
        }

    def account(self) -> dict[str, Any]:
        entries, payouts = self.books()
        paid = sum(payout.net_minor for payout in payouts)
        return {
            "id": gid("ShopifyPaymentsAccount", 548_380_009),
            "activated": True,
            "country": "US",
            "defaultCurrency": self.till.shop,
            "balance": [self.money(sum(entry.net_minor for entry in entries) - paid)],
            "payouts": self._listed_payouts,
            "balanceTransactions": self._listed_entries,
            "disputes": self._disputes,
        }

    @sorts
    def _listed_payouts(
        self,
        query: str | None = None,
        sortKey: str = "ISSUED_AT",
        reverse: bool = False,
        transactionType: str | None = None,
    ) -> Listing:
        found = search.parse(query, frozenset(("id", "issued_at", "status")))
        if found.warnings:
            self.warn(found.warnings, "payouts")
        rows = []
        for each in self.books()[1] if transactionType in (None, "DEPOSIT") else ():
            row = {"id": each.id, "issued_at": each.issued_at, "status": each.status(self.shop.now)}
            if found.matches(row):
                value = {"ISSUED_AT": each.issued_at, "AMOUNT": each.net_minor}.get(sortKey, each.id)
                rows.append(Row(sortable(value), each.id, lambda each=each: self.payout(each)))  # type: ignore[misc]
        return listing(rows, reverse)

    def payout(self, each: Payout) -> dict[str, Any]:
        def sums(*kinds: str) -> tuple[dict[str, str], dict[str, str]]:
            chosen = [entry for entry in each.entries if entry.type in kinds]
            gross, fee = sum(entry.amount_minor for entry in chosen), sum(entry.fee_minor for entry in chosen)
            return self.money(gross), self.money(fee)

        known = ("CHARGE", "REFUND", "RESERVED_FUNDS", "RESERVED_FUNDS_REVERSAL")
        others = {entry.type for entry in each.entries} - set(known)
        charges, refunds = sums("CHARGE"), sums("REFUND")
        reserved, adjusted = sums("RESERVED_FUNDS", "RESERVED_FUNDS_REVERSAL"), sums(*others)
        nothing = self.money(0)
        return {
            "__typename": "ShopifyPaymentsPayout",
            "id": gid("ShopifyPaymentsPayout", each.id),
            "legacyResourceId": str(each.id),
            "issuedAt": each.issued_at,
            "gross": self.money(sum(entry.amount_minor for entry in each.entries)),
            "net": self.money(each.net_minor),
            "status": each.status(self.shop.now),
            "transactionType": "DEPOSIT",
            "externalTraceId": f"T{each.id}",
            "summary": {
                "chargesGross": charges[0],
                "chargesFee": charges[1],
                "refundsFeeGross": refunds[0],
                "refundsFee": refunds[1],
                "reservedFundsGross": reserved[0],
                "reservedFundsFee": reserved[1],
                "adjustmentsGross": adjusted[0],
                "adjustmentsFee": adjusted[1],
                **dict.fromkeys(
                    (
                        "advanceFees",
                        "advanceGross",
                        "retriedPayoutsFee",
                        "retriedPayoutsGross",
                        "usdcRebateCreditAmount",
                    ),
                    nothing,
                ),
            },
        }

    @sorts
    def _listed_entries(
        self,
        query: str | None = None,
        sortKey: str = "PROCESSED_AT",
        reverse: bool = False,
        hideTransfers: bool = False,
        **_: Any,
    ) -> Listing:
        fields = "id processed_at payout_date payout_status transaction_type currency payments_transfer_id".split()
        found = search.parse(query, frozenset(fields))
        if found.warnings:
            self.warn(found.warnings, "balanceTransactions")
        entries, payouts = self.books()
        by_id = {payout.id: payout for payout in payouts}
        shown = list(entries)
        if not hideTransfers:
            shown += [self.transfer(payout) for payout in payouts]
        rows = []
        for each in shown:
            payout = by_id.get(each.payout or 0)
            row = {
                "id": each.id,
                "processed_at": each.at,
                "payout_date": payout.issued_at if payout else None,
                "payout_status": payout.status(self.shop.now) if payout else "PENDING",
                "transaction_type": each.type,
                "currency": self.till.shop,
                "payments_transfer_id": each.payout,
            }
            if found.matches(row):
                value: Any = {"ID": each.id, "AMOUNT": each.amount_minor}.get(sortKey, each.at)
                load = lambda each=each, payout=payout: self.entry(each, payout)  # noqa: E731
                rows.append(Row(sortable(value), each.id, load))
        return listing(rows, reverse)

    def transfer(self, payout: Payout) -> Entry:
        """The payout as it leaves the balance."""
        at = payout.issued_at
        return Entry(payout.id, "TRANSFER", "TRANSFER", at, at, -payout.net_minor, 0, payout.id, payout=payout.id)

    def entry(self, each: Entry, payout: Payout | None) -> dict[str, Any]:
        order = each.order
        return {
            "__typename": "ShopifyPaymentsBalanceTransaction",
            "id": gid("ShopifyPaymentsBalanceTransaction", each.id),
            "type": each.type,
            "test": False,
            "amount": self.money(each.amount_minor),
            "fee": self.money(each.fee_minor),
            "net": self.money(each.net_minor),
            "transactionDate": each.at,
            "sourceId": each.source,
            "sourceType": each.source_type,
            "sourceOrderTransactionId": each.payment.id if each.payment else None,
            "adjustmentReason": each.reason,
            "adjustmentsOrders": [],
            "associatedOrder": {"id": gid("Order", order.id), "name": f"#{order.life.number}"} if order else None,
            "associatedPayout": {
                "id": gid("ShopifyPaymentsPayout", payout.id) if payout else None,
                "status": payout.status(self.shop.now) if payout else "PENDING",
            },
        }

    @sorts
    def _disputes(self, query: str | None = None, reverse: bool = False) -> Listing:
        found = search.parse(query, frozenset(("id", "status", "initiated_at")))
        if found.warnings:
            self.warn(found.warnings, "disputes")
        rows = []
        for each in self.disputes():
            row = {"id": each.id, "status": each.status(self.shop.now), "initiated_at": each.started_at}
            if found.matches(row):
                rows.append(Row(sortable(each.id), each.id, lambda each=each: self.dispute(each)))  # type: ignore[misc]
        return listing(rows, reverse)

    def _dispute(self, id: str) -> dict[str, Any] | None:
        number = number_of(id)
        return next((self.dispute(each) for each in self.disputes() if each.id == number), None)

    def dispute(self, each: Dispute) -> dict[str, Any]:
        now = self.shop.now
        return {
            "__typename": "ShopifyPaymentsDispute",
            "id": gid("ShopifyPaymentsDispute", each.id),
            "legacyResourceId": str(each.id),
            "amount": self.money(each.payment.amount.shop),
            "type": "CHARGEBACK",
            "status": each.status(now),
            "initiatedAt": each.started_at,
            "evidenceDueBy": each.started_at + timedelta(days=7),
            "evidenceSentOn": None,
            "finalizedOn": each.ended_at if each.ended_at <= now else None,
            "order": lambda: self.shop.node(each.order) if each.order.exists(now) else None,
            "reasonDetails": {"networkReasonCode": "4837", "reason": each.reason},
        }

    def _disputes_of(self, order: Order, node: dict[str, Any]) -> None:
        node["disputes"] = [
            {
                "__typename": "OrderDisputeSummary",
                "id": gid("OrderDisputeSummary", each.id),
                "initiatedAs": "CHARGEBACK",
                "status": each.status(self.shop.now),
            }
            for payment in order.life.payments_at(self.shop.now)
            if _ours(payment)
            and payment.kind in ("sale", "capture")
            and self._disputed(payment)
            and not order.life.test
            for each in [Dispute(order, payment)]
            if each.started_at <= self.shop.now
        ]

    @sorts
    def _tenders(self, query: str | None = None, reverse: bool = False) -> Listing:
        found = search.parse(query, frozenset(("id", "processed_at", "test", "payment_method")))
        if found.warnings:
            self.warn(found.warnings, "tenderTransactions")
        rows = []
        for order in self.shop.present():
            for payment in order.life.payments_at(self.shop.now):
                if payment.kind not in ("sale", "capture", "refund") or payment.status_at(self.shop.now) != "success":
                    continue
                method = "credit_card" if payment.gateway == "shopify_payments" else "other"
                number = payment.id
                row = {"id": number, "processed_at": payment.at, "test": order.life.test, "payment_method": method}
                if found.matches(row):
                    load = lambda order=order, payment=payment, method=method: self._tender(order, payment, method)  # noqa: E731
                    rows.append(Row(sortable(number), number, load))
        return listing(rows, reverse)

    def _tender(self, order: Order, payment: Payment, method: str) -> dict[str, Any]:
        amount = -payment.amount if payment.kind == "refund" else payment.amount
        return {
            "__typename": "TenderTransaction",
            "id": gid("TenderTransaction", payment.id),
            "amount": order.life.till.buyer_money(amount),
            "order": lambda: self.shop.node(order),
            "paymentMethod": method,
            "processedAt": payment.at,
            "remoteReference": f"#{order.life.number}.{payment.sequence}",
            "test": order.life.test,
        }

    def node(self, kind: str, number: int) -> dict[str, Any] | None:
        """The payout, balance transaction or dispute of that id."""
        entries, payouts = self.books()
        if kind == "ShopifyPaymentsPayout":
            return next((self.payout(each) for each in payouts if each.id == number), None)
        if kind == "ShopifyPaymentsBalanceTransaction":
            by_id = {payout.id: payout for payout in payouts}
            shown = [*entries, *(self.transfer(payout) for payout in payouts)]
            return next((self.entry(each, by_id.get(each.payout or 0)) for each in shown if each.id == number), None)
        return next((self.dispute(each) for each in self.disputes() if each.id == number), None)


def _ours(payment: Payment) -> bool:
    return payment.gateway == "shopify_payments" and payment.status == "success"
