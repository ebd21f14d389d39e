"""Orders' lives, told in chapters of facts; what an ERP is told of them is what the hub decides."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hub.books import Chart, Policy
from hub.flow.decide import decide
from hub.flow.fold import fold, winners
from hub.flow.payouts import plan_payout
from hub.flow.plan import plan
from hub.flow.terms import Terms
from hub.model.crosswalk import ANY_CHANNEL, CrosswalkKind, CrosswalkRow, Crosswalks
from hub.model.decisions import Decided
from hub.model.documents import (
    Component,
    Document,
    DocumentKey,
    DocumentKind,
    DocumentLine,
    Rate,
    content_of,
    document_key,
    revision_of,
)
from hub.model.entries import ENTRY, Entry
from hub.model.facts import (
    Adjustment,
    AdjustmentKind,
    Fact,
    Fulfilment,
    FulfilmentStatus,
    LineQuantity,
    Restock,
    Return,
    ReturnStatus,
    Tender,
    TenderKind,
    TenderStatus,
)
from hub.model.intents import Action, Write
from hub.model.order import (
    Charge,
    ChargeKind,
    Collector,
    Discount,
    LineId,
    LineKind,
    OrderKey,
    Party,
    PartyRef,
    Scope,
    ShippingLine,
    Snapshot,
)
from hub.model.payouts import Payout, PayoutStatus, SettlementKind
from hub.testing.builders import KEY, PLACED_AT, at, discount, fact, given_back, line, refunded, shipped, tax, tracked
from hub.testing.conformance.erp_bench import Company, Need

BUYER: Final = PartyRef("customer-7", "v1")
BUYERS: Final = Party(
    BUYER,
    name="Ada Quill",
    email="ada@example.com",
    phone="+1 555 0100",
    address=("12 Long Lane",),
    city="Springfield",
    region="IL",
    postcode="62701",
    country="US",
)
UNSAID: Final = ("Ada Quill", "ada@example.com", "12 Long Lane")
"""Personal data, which no error and no log says."""
MASTERS_ON: Final = date(2000, 1, 1)


@dataclass
class Clerk:
    """Decides one order as the hub does, and hands out what the ERP has to be told. All that was handed out is sent."""

    company: Company
    currency: str = ""  # "": the functional one
    on_delivery: bool = False
    order: OrderKey = KEY
    closed_until: date | None = None
    facts: list[Fact] = field(default_factory=list)
    decided: dict[DocumentKey, Decided] = field(default_factory=dict)
    documents: dict[DocumentKey, Document] = field(default_factory=dict)  # as they stand, in the order they were told
    entries: dict[DocumentKey, Entry | None] = field(default_factory=dict)  # of those documents
    cash_sales: bool = False

    def masters(self) -> list[Write]:
        """The customer and the items that the order names."""
        company = self.company
        customer = document_key(DocumentKind.CUSTOMER, self.order.channel, "7")
        masters = [self._master(DocumentKind.CUSTOMER, customer, party=BUYER)]
        for code, cost in {**company.items, company.gift_card: 0}.items():
            item = self._master(DocumentKind.ITEM, document_key(DocumentKind.ITEM, code))
            stock = DocumentLine(Component.STOCK, cost, item=code, quantity=1)
            masters.append(replace(item, lines=(stock,), memo=code))
        return [write_of(Action.CREATE, master) for master in masters]

    def _master(self, kind: DocumentKind, key: DocumentKey, party: PartyRef | None = None) -> Document:
        return Document(key, kind, self.company.entity, self.company.currency, MASTERS_ON, party=party)

    def learn(self, *facts: Fact) -> list[Write]:
        """What the ERP is to be told now that these facts are known besides."""
        self.facts.extend(replace(one, order=self.order) for one in facts)
        return self._told(plan(fold(self.order, winners(self.facts)), self.terms))

    def forget(self, id: str, *facts: Fact) -> list[Write]:
        """As `learn`, and the channel takes back the facts of this id."""
        self.facts = [one for one in self.facts if one.external_id != id]
        return self.learn(*facts)

    def paid_out(self) -> list[Write]:
        """What the ERP is to be told of a payout."""
        lines = [
            _Settled(SettlementKind.CHARGE, "charge", 10_000, 320),
            _Settled(SettlementKind.REFUND, "refund", -1_500, 0),
            _Settled(SettlementKind.ADJUSTMENT, "adjustment", 17, 0),
        ]
        payout = Payout("p-1", PayoutStatus.PAID, PLACED_AT.date(), 8_197, self.company.currency, self.company.method)
        planned = plan_payout(self.order.channel, payout, lines, self.terms, ())
        assert planned.document is not None, planned
        return self._told([planned.document])

    @property
    def terms(self) -> Terms:
        company = self.company
        currency = self.currency or company.currency
        skus = dict(zip(("MUG", "TEE"), company.items, strict=False)) | {"CARD": company.gift_card}
        rows = [
            CrosswalkRow(CrosswalkKind.ITEM, ANY_CHANNEL, sku, item, date(2020, 1, 1)) for sku, item in skus.items()
        ]
        words = {
            CrosswalkKind.PAYMENT_METHOD: {"card": company.method},
            CrosswalkKind.LOCATION: {"here": company.location, "there": company.elsewhere},
            CrosswalkKind.TAX_CODE: dict(zip(("State Tax", "County Tax"), company.jurisdictions, strict=True)),
        }
        rows += [
            CrosswalkRow(kind, ANY_CHANNEL, word, target, date(2020, 1, 1))
            for kind, targets in words.items()
            for word, target in targets.items()
        ]
        rate = None
        if currency != company.currency:
            rate = Rate(Decimal(company.rates[currency]), PLACED_AT.date(), "typed by hand")
        return Terms(
            entity=company.entity,
            functional=company.currency,
            timezone=ZoneInfo(company.timezone),
            recognise_on_delivery=self.on_delivery,
            cash_sales=self.cash_sales,
            policy="p1",
            crosswalks=Crosswalks(self.order.channel, rows),
            rate=rate,
            closed_until=self.closed_until,
        )

    def _told(self, planned: list[Document]) -> list[Write]:
        decision = decide(
            planned, self.decided, self.terms, Chart.parse(self.company.chart), Policy.parse(self.company.policies)
        )
        assert not decision.superseded, "all that was decided was sent"
        for intent in decision.intents:
            key = intent.document.key
            self.decided.pop(key, None)
            self.documents.pop(key, None)
            self.decided[key] = Decided(
                key=key,
                revision=intent.revision,
                plan_digest=intent.plan_digest,
                action=intent.action,
                sent=True,
                content=intent.content,
                entry=ENTRY.dump_json(intent.entry, exclude_defaults=True) if intent.entry else None,
            )
            if intent.action is not Action.VOID:
                self.documents[key] = intent.document
                self.entries[key] = intent.entry
        return [Write(one.action, one.document, one.revision, _parties(one.document)) for one in decision.intents]


@dataclass(frozen=True)
class _Settled:
    kind: SettlementKind
    word: str
    amount_minor: int
    fee_minor: int
    currency: str = "USD"
    count: int = 1
    adds_up: bool = True

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor


def write_of(action: Action, document: Document) -> Write:
    """The write of a document that nobody decided."""
    return Write(action, document, revision_of(content_of(document)), _parties(document))


def _parties(document: Document) -> tuple[Party, ...]:
    return tuple(BUYERS for ref in document.parties if ref == BUYER)


# --- the stories ---------------------------------------------------------------------------------------------------

Chapter = Sequence[Fact]


@dataclass(frozen=True)
class Story:
    """One order's life; `chapters` are what the hub learns of it, one after another."""

    name: str
    chapters: Callable[[Clerk], Iterator[Chapter]]
    currency: str = ""
    need: Need | None = None
    on_delivery: bool = False
    cash_sales: bool = False

    def clerk(self, company: Company, order: OrderKey = KEY) -> Clerk:
        return Clerk(company, self.currency, self.on_delivery, order, cash_sales=self.cash_sales)

    def told(self, clerk: Clerk) -> Iterator[list[Write]]:
        """What the ERP is told, chapter by chapter; masters first."""
        yield clerk.masters()
        for chapter in self.chapters(clerk):
            yield clerk.learn(*chapter)


def placed(clerk: Clerk, **changes: int) -> Snapshot:
    """Two at 10.00 less 2.50 and three at 17.33, shipping 9.95, a tip of 1.50; tax on all but the tip: 85.89 in all.

    Args:
        changes: units taken out by line, as `removed2=1`.
    """
    currency = clerk.currency or clerk.company.currency
    sold = (
        line("1", 2, 1000, currency=currency, discounts=(discount(250),), taxes=(tax(105), tax(18, "County Tax"))),
        line("2", 3, 1733, currency=currency, sku="TEE", taxes=(tax(312),)),
    )
    lines = tuple(replace(one, removed_quantity=changes.get(f"removed{one.id}", 0)) for one in sold)
    way = ShippingLine("s1", "Standard", None, 995, (), (tax(60),))
    return order_of(clerk, *lines, shipping=(way,), charges=(Charge(ChargeKind.TIP, 150, "Tip"),))


def order_of(clerk: Clerk, *lines: object, **rest: object) -> Snapshot:
    """An order of the buyer; it claims what its parts make."""
    made = Snapshot(
        name="#1001",
        currency=clerk.currency or clerk.company.currency,
        placed_at=PLACED_AT,
        modified_at=PLACED_AT,
        claimed_total_minor=0,
        lines=lines,  # type: ignore[arg-type]
        customer=BUYER,
        ship_to=BUYER,
        bill_to=BUYER,
        **rest,  # type: ignore[arg-type]
    )
    return replace(made, claimed_total_minor=made.computed_total_minor)


def paid(clerk: Clerk, id: str, minutes: int, amount_minor: int, method: str = "card") -> Fact:
    return _tender(clerk, TenderKind.CAPTURE, id, minutes, amount_minor, method)


def back(clerk: Clerk, id: str, minutes: int, amount_minor: int, refund: str) -> Fact:
    return _tender(clerk, TenderKind.REFUND, id, minutes, amount_minor, "card", refund)


def _tender(
    clerk: Clerk, kind: TenderKind, id: str, minutes: int, amount_minor: int, method: str, refund: str | None = None
) -> Fact:
    currency = clerk.currency or clerk.company.currency
    return fact(Tender(kind, TenderStatus.SUCCESS, method, amount_minor, currency, at(minutes), refund=refund), id)


TOTAL: Final = 8589  # 2000 − 250 + 5199 + 995 + 150 + 495 of tax


def _paid_and_shipped(clerk: Clerk) -> Iterator[Chapter]:
    yield fact(placed(clerk)), paid(clerk, "t1", 1, TOTAL)
    yield (shipped("f1", 60, l1=2, l2=3),)


def _two_shipments(clerk: Clerk) -> Iterator[Chapter]:
    yield fact(placed(clerk)), paid(clerk, "t1", 1, 5000), paid(clerk, "t2", 2, TOTAL - 5000)
    yield (shipped("f1", 60, l1=2, l2=1),)
    yield (shipped("f2", 90, l2=2),)


def _tracked(clerk: Clerk) -> Iterator[Chapter]:
    """A number at once, another parcel's later, and the first one's corrected."""
    yield fact(placed(clerk)), paid(clerk, "t1", 1, TOTAL)
    parcels = shipped("f1", 60, l1=2, l2=1)
    yield (tracked(parcels, 60, "1Z1"), shipped("f2", 90, l2=2))
    yield (tracked(parcels, 120, "1Z1", "1Z2"),)
    yield (tracked(parcels, 150, "1Z9", "1Z2"),)


def _shipped_anew(clerk: Clerk) -> Iterator[Chapter]:
    """The channel calls a shipment off and makes another of the same units."""
    yield from _paid_and_shipped(clerk)
    off = shipped("f1", 60, l1=2, l2=3)
    assert isinstance(off.body, Fulfilment)
    off = replace(off, body=replace(off.body, status=FulfilmentStatus.CANCELLED), modified_at=at(90))
    yield (off, tracked(shipped("f2", 91, l1=2, l2=3), 91, "1Z1"))


def _on_account(clerk: Clerk) -> Iterator[Chapter]:
    yield (fact(placed(clerk)),)
    yield (shipped("f1", 60, l1=2, l2=3),)
    yield (paid(clerk, "t1", 200, 5000),)
    yield (paid(clerk, "t2", 300, TOTAL - 5000),)


def _returned(clerk: Clerk) -> Iterator[Chapter]:
    yield from _paid_and_shipped(clerk)
    yield (
        refunded("r1", 500, given_back("1", 1, 875, 61), adjustments=(Adjustment(AdjustmentKind.FEE, -100),)),
        back(clerk, "t9", 501, 836, "r1"),
    )
    yield refunded("r2", 600, given_back("2", 2, 3466, 208)), back(clerk, "t10", 601, 3674, "r2")


def _kept(clerk: Clerk) -> Iterator[Chapter]:
    """Money back, the goods stay with the buyer."""
    yield from _paid_and_shipped(clerk)
    yield (
        refunded("r1", 500, given_back("2", 1, 1733, 104, Restock.NO_RESTOCK)),
        back(clerk, "t9", 501, 1837, "r1"),
    )


def _goodwill(clerk: Clerk) -> Iterator[Chapter]:
    yield from _paid_and_shipped(clerk)
    adjustments = (Adjustment(AdjustmentKind.DISCREPANCY, 300), Adjustment(AdjustmentKind.SHIPPING, 995, 60))
    yield refunded("r1", 500, adjustments=adjustments), back(clerk, "t9", 501, 1355, "r1")


def _called_off(clerk: Clerk) -> Iterator[Chapter]:
    order = placed(clerk)
    yield fact(order), paid(clerk, "t1", 1, TOTAL)
    rows = (given_back("1", 2, 1750, 123, Restock.CANCEL), given_back("2", 3, 5199, 312, Restock.CANCEL))
    adjustments = (Adjustment(AdjustmentKind.SHIPPING, 995, 60), Adjustment(AdjustmentKind.DISCREPANCY, 150))
    yield (
        fact(replace(order, cancelled_at=at(30), modified_at=at(30)), modified_at=at(30)),
        refunded("r1", 30, *rows, adjustments=adjustments),
        back(clerk, "t9", 31, TOTAL, "r1"),
    )


def _partly_called_off(clerk: Clerk) -> Iterator[Chapter]:
    yield fact(placed(clerk)), paid(clerk, "t1", 1, TOTAL)
    yield refunded("r1", 30, given_back("2", 1, 1733, 104, Restock.CANCEL)), back(clerk, "t9", 31, 1837, "r1")
    yield (shipped("f1", 60, l1=2, l2=2),)


def _edited(clerk: Clerk) -> Iterator[Chapter]:
    """One unit is taken out and a line added before anything ships, another unit is taken out after."""
    yield (fact(placed(clerk)),)
    order = placed(clerk, removed2=1)
    added = line("3", 1, 450, currency=order.currency, taxes=(tax(27),))
    order = replace(order, lines=(*order.lines, added), modified_at=at(20))
    order = replace(order, claimed_total_minor=order.computed_total_minor)
    yield (fact(order, modified_at=at(20)),)
    yield (shipped("f1", 60, l1=2),)
    fewer = tuple(replace(one, removed_quantity=2) if one.id == "2" else one for one in order.lines)
    yield (fact(replace(order, lines=fewer, modified_at=at(80)), modified_at=at(80)),)
    yield (shipped("f2", 90, l2=1, l3=1),)


def _gift_cards(clerk: Clerk) -> Iterator[Chapter]:
    """A gift card is sold, and another pays for a part."""
    currency = clerk.company.currency
    card = line("1", 1, 5000, currency=currency, kind=LineKind.GIFT_CARD, sku="CARD", requires_shipping=False)
    order = order_of(clerk, card, line("2", 1, 1733, currency=currency, sku="TEE", taxes=(tax(104),)))
    yield fact(order), paid(clerk, "t1", 1, 2000, "gift_card"), paid(clerk, "t2", 2, 4837)
    yield (shipped("f1", 60, l1=1, l2=1),)


def _charges(clerk: Clerk) -> Iterator[Chapter]:
    """Duty, fee and both roundings, tax in the prices, two discounts on one line, a discounted way."""
    vat = (tax(333, included=True),)
    sold = line("1", 2, 1000, discounts=(discount(100), discount(1)), taxes=vat, currency=clerk.company.currency)
    way = ShippingLine("s1", "Express", None, 1200, (Discount(200, "FREE", Scope.SHIPPING),), (tax(60),))
    charges = (
        Charge(ChargeKind.DUTY, 310, "Duty"),
        Charge(ChargeKind.FEE, 99, "Gift wrap"),
        Charge(ChargeKind.CASH_ROUNDING, -2, "rounding"),
        Charge(ChargeKind.TAX_ROUNDING, 1, "rounding"),
    )
    order = order_of(clerk, sold, shipping=(way,), charges=charges)
    yield fact(order), paid(clerk, "t1", 1, order.computed_total_minor)
    yield (shipped("f1", 60, l1=1),)
    yield (shipped("f2", 61, l1=1),)


def _marketplace(clerk: Clerk) -> Iterator[Chapter]:
    """The marketplace collects the tax and pays for the discount."""
    taxed = (tax(140, collector=Collector.MARKETPLACE),)
    off = (discount(300, Collector.MARKETPLACE),)
    order = order_of(clerk, line("1", 2, 1000, discounts=off, taxes=taxed, currency=clerk.company.currency))
    yield fact(order), paid(clerk, "t1", 1, 1840)
    yield (shipped("f1", 60, l1=2),)


def _exchanged(clerk: Clerk) -> Iterator[Chapter]:
    currency = clerk.company.currency
    first = line("1", 1, 1733, currency=currency, taxes=(tax(104),))
    other = line("2", 1, 1733, currency=currency, sku="TEE", taxes=(tax(104),))
    order = order_of(clerk, first)
    yield fact(order), paid(clerk, "t1", 1, 1837)
    yield (shipped("f1", 60, l1=1),)
    grown = order_of(clerk, first, other)
    sent = Return(ReturnStatus.CLOSED, (LineQuantity(LineId("1"), 1),), (LineQuantity(LineId("2"), 1),))
    yield (
        fact(replace(grown, modified_at=at(400)), modified_at=at(400)),
        fact(sent, "x1"),
        refunded("r1", 400, given_back("1", 1, 1733, 104)),
    )
    yield (shipped("f2", 500, l2=1),)


def _delivered(clerk: Clerk) -> Iterator[Chapter]:
    yield fact(placed(clerk)), paid(clerk, "t1", 1, TOTAL)
    yield shipped("f1", 60, l1=2, l2=1), shipped("f2", 70, l2=2)
    yield (shipped("f1", 60, delivered=300, l1=2, l2=1),)


def _for_cash(clerk: Clerk) -> Iterator[Chapter]:
    """Paid when it leaves; of the money one part goes back with goods, one without."""
    yield (fact(placed(clerk)),)
    yield shipped("f1", 60, l1=2, l2=3), paid(clerk, "t1", 61, TOTAL)
    yield refunded("r1", 62, given_back("1", 1, 875, 61)), back(clerk, "t9", 63, 936, "r1")
    yield (
        refunded("r2", 64, given_back("2", 1, 1733, 104, Restock.NO_RESTOCK)),
        back(clerk, "t10", 65, 1837, "r2"),
    )


_TOLD = (
    Story("paid_and_shipped", _paid_and_shipped),
    Story("two_shipments", _two_shipments),
    Story("tracked", _tracked),
    Story("on_account", _on_account),
    Story("returned", _returned),
    Story("kept", _kept),
    Story("goodwill", _goodwill),
    Story("called_off", _called_off),
    Story("partly_called_off", _partly_called_off),
    Story("edited", _edited),
    Story("gift_cards", _gift_cards),
    Story("charges", _charges),
    Story("marketplace", _marketplace),
    Story("exchanged", _exchanged),
    Story("delivered", _delivered, need=Need.DELIVERY, on_delivery=True),
    Story("for_cash", _for_cash, cash_sales=True),
    Story("for_cash_in_eur", _for_cash, "EUR", cash_sales=True),
    Story("two_shipments_in_eur", _two_shipments, "EUR"),
    Story("returned_in_eur", _returned, "EUR"),
    Story("returned_in_jpy", _returned, "JPY"),
    Story("on_account_in_kwd", _on_account, "KWD"),
)
STORIES: Final[Mapping[str, Story]] = {story.name: story for story in _TOLD}

SHIPPED_ANEW: Final = Story("shipped_anew", _shipped_anew)
"""None of the others: a document of it is taken back."""
