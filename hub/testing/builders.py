"""Builders: orders, facts and terms typed out in a test, and order histories drawn at random by hypothesis.

The drawn histories are consistent as a whole: what was placed is removed, cancelled or shipped, what is owed is paid,
and each refund pays out what its parts say. `History` carries what the books must come to, counted while drawing and
never read back from the code under test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hub.flow.terms import Terms
from hub.model.crosswalk import ANY_CHANNEL, CrosswalkKind, CrosswalkRow, Crosswalks
from hub.model.documents import Rate
from hub.model.edits import leeway_minor, left_minor
from hub.model.facts import (
    Adjustment,
    AdjustmentKind,
    Body,
    Cancellation,
    Echo,
    Edit,
    Fact,
    FactKind,
    Fulfilment,
    FulfilmentStatus,
    HandEdit,
    LineQuantity,
    Parcel,
    Promise,
    Refund,
    RefundLine,
    Restock,
    Return,
    ReturnStatus,
    Source,
    Tender,
    TenderKind,
    TenderStatus,
)
from hub.model.money import decimal_of, part
from hub.model.order import (
    Charge,
    ChargeKind,
    Collector,
    Discount,
    Line,
    LineId,
    LineKind,
    OrderKey,
    Scope,
    ShippingLine,
    Snapshot,
    TaxLine,
    added_tax,
    included_tax,
)

KEY: Final = OrderKey("webshop", "1001")
PLACED_AT: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
UTC_ZONE: Final = ZoneInfo("UTC")
METHODS: Final = ("card", "paypal", "gift_card")


def at(minutes: int) -> datetime:
    """So many minutes after the order was placed."""
    return PLACED_AT + timedelta(minutes=minutes)


# --- typed by hand -------------------------------------------------------------------------------------------------


def line(
    id: str = "1",
    quantity: int = 1,
    unit_minor: int = 1000,
    *,
    currency: str = "USD",
    kind: LineKind = LineKind.PRODUCT,
    sku: str | None = "MUG",
    discounts: tuple[Discount, ...] = (),
    taxes: tuple[TaxLine, ...] = (),
    requires_shipping: bool = True,
    removed: int = 0,
) -> Line:
    """An order line, at a unit price in minor units."""
    return Line(
        id=LineId(id),
        external_id=id,
        kind=kind,
        sku=sku,
        product=None,
        title=f"Article {id}",
        quantity=quantity,
        unit_price=decimal_of(unit_minor, currency),
        gross_minor=unit_minor * quantity,
        discounts=discounts,
        taxes=taxes,
        requires_shipping=requires_shipping,
        removed_quantity=removed,
    )


def tax(
    amount_minor: int, title: str = "State Tax", *, included: bool = False, collector: Collector = Collector.SELLER
) -> TaxLine:
    return TaxLine(title, amount_minor, None, collector, included)


def discount(amount_minor: int, funder: Collector = Collector.SELLER) -> Discount:
    return Discount(amount_minor, "SPRING", Scope.LINE, funder)


def snapshot(
    *lines: Line,
    currency: str = "USD",
    shipping: tuple[ShippingLine, ...] = (),
    charges: tuple[Charge, ...] = (),
    claimed_minor: int | None = None,
    business: bool = False,
    test: bool = False,
    cancelled_at: datetime | None = None,
    modified_at: datetime = PLACED_AT,
) -> Snapshot:
    """An order of these lines; it claims what its parts make unless another claim is given."""
    made = Snapshot(
        name="#1001",
        currency=currency,
        placed_at=PLACED_AT,
        modified_at=modified_at,
        claimed_total_minor=0,
        lines=lines,
        shipping=shipping,
        charges=charges,
        business=business,
        test=test,
        cancelled_at=cancelled_at,
    )
    return replace(made, claimed_total_minor=made.computed_total_minor if claimed_minor is None else claimed_minor)


def shipping(gross_minor: int, taxes: tuple[TaxLine, ...] = ()) -> ShippingLine:
    return ShippingLine("s1", "Standard", None, gross_minor, (), taxes)


def fact(
    body: Body,
    id: str = "",
    *,
    modified_at: datetime | None = None,
    source: Source = Source.PULL,
    key: OrderKey = KEY,
) -> Fact:
    """A fact as a mapping makes it; `id` is the channel's id of the thing, the order's own for a snapshot."""
    match body:
        case Snapshot():
            kind, happened = FactKind.SNAPSHOT, body.placed_at
            id = key.external_id
        case Fulfilment():
            kind, happened = FactKind.FULFILMENT, body.shipped_at
        case Refund():
            kind, happened = FactKind.REFUND, body.processed_at
        case Tender():
            kind, happened = FactKind.TENDER, body.processed_at
        case Return():
            kind, happened = FactKind.RETURN, PLACED_AT
        case Edit():
            kind, happened = FactKind.EDIT, body.committed_at
        case Promise():
            kind, happened = FactKind.PROMISE, PLACED_AT
        case Cancellation():
            kind, happened = FactKind.CANCELLATION, body.cancelled_at
        case HandEdit():
            kind, happened = FactKind.HAND_EDIT, PLACED_AT
        case Echo():
            kind, happened = FactKind.ECHO, PLACED_AT
        case _:
            kind, happened = FactKind.DELETION, PLACED_AT
    return Fact(key, kind, id, modified_at or happened, happened, source, body)


def shipped(id: str, minutes: int, *, delivered: int | None = None, **quantities: int) -> Fact:
    """A fulfilment of lines: `shipped("f1", 60, l1=2)` ships two units of line 1."""
    status = FulfilmentStatus.SHIPPED if delivered is None else FulfilmentStatus.DELIVERED
    lines = tuple(LineQuantity(LineId(name.removeprefix("l")), units) for name, units in quantities.items())
    body = Fulfilment(status, lines, at(minutes), None if delivered is None else at(delivered))
    return fact(body, id)


def tracked(shipment: Fact, minutes: int, *numbers: str, carrier: str = "UPS") -> Fact:
    """The shipment as its channel tells it later, with the numbers of its parcels."""
    assert isinstance(shipment.body, Fulfilment)
    body = replace(shipment.body, parcels=tuple(Parcel(carrier, number, None) for number in numbers))
    return replace(shipment, body=body, modified_at=at(minutes))


def captured(
    id: str,
    minutes: int,
    amount_minor: int,
    method: str = "card",
    status: TenderStatus = TenderStatus.SUCCESS,
) -> Fact:
    return fact(Tender(TenderKind.CAPTURE, status, method, amount_minor, "USD", at(minutes)), id)


def paid_out(
    id: str,
    minutes: int,
    amount_minor: int,
    refund: str | None,
    status: TenderStatus = TenderStatus.SUCCESS,
    method: str = "card",
) -> Fact:
    """Money back to the customer, for a refund."""
    return fact(Tender(TenderKind.REFUND, status, method, amount_minor, "USD", at(minutes), refund=refund), id)


def refunded(id: str, minutes: int, *lines: RefundLine, adjustments: tuple[Adjustment, ...] = ()) -> Fact:
    return fact(Refund(at(minutes), lines, adjustments), id)


def given_back(
    line: str, quantity: int, net_minor: int, tax_minor: int = 0, restock: Restock = Restock.RETURN
) -> RefundLine:
    return RefundLine(LineId(line), quantity, net_minor, tax_minor, restock)


def terms(
    *,
    functional: str = "USD",
    recognise_on_delivery: bool = False,
    cash_sales: bool = False,
    policy: str = "p1",
    rate: Rate | None = None,
    closed_until: date | None = None,
    timezone: str = "UTC",
    items: Mapping[str, str] | None = None,
    rows: Sequence[CrosswalkRow] = (),
) -> Terms:
    """The terms of an entity that maps these SKUs to items; `MUG` to `mug` where none are given."""
    mapped = [
        CrosswalkRow(CrosswalkKind.ITEM, ANY_CHANNEL, sku, item, date(2020, 1, 1))
        for sku, item in ({"MUG": "mug", "TEE": "tee"} if items is None else items).items()
    ]
    rows = [*mapped, *rows]
    return Terms(
        entity="main",
        functional=functional,
        timezone=ZoneInfo(timezone),
        recognise_on_delivery=recognise_on_delivery,
        cash_sales=cash_sales,
        policy=policy,
        crosswalks=Crosswalks(KEY.channel, list(rows)),
        rate=rate,
        closed_until=closed_until,
    )


# --- drawn at random -----------------------------------------------------------------------------------------------

_CURRENCIES = st.sampled_from(["USD", "USD", "EUR", "JPY", "KWD"])
_TITLES = st.sampled_from(["State Tax", "County Tax", "VAT"])
_COLLECTORS = st.sampled_from(list(Collector))
_CHARGES = st.sampled_from(list(ChargeKind))


@st.composite
def taxes(draw: st.DrawFn, most_minor: int, collector: Collector | None = None) -> tuple[TaxLine, ...]:
    """Up to two tax lines, in the price or on top of it, together at most `most_minor`."""
    made: list[TaxLine] = []
    left = max(0, most_minor)
    included = draw(st.booleans())
    for _ in range(draw(st.integers(0, 2))):
        amount = draw(st.integers(0, left))
        left -= amount
        who = collector or draw(_COLLECTORS)
        made.append(TaxLine(draw(_TITLES), amount, Decimal("0.07"), who, included))
    return tuple(made)


@st.composite
def lines(draw: st.DrawFn, id: str, currency: str, collector: Collector | None = None) -> Line:
    """A line of any kind, with discounts and taxes that leave its net at zero or more."""
    quantity, unit_minor = draw(st.integers(1, 4)), draw(st.integers(0, 9999))
    gross = quantity * unit_minor
    off: list[Discount] = []
    left = gross
    for _ in range(draw(st.integers(0, 2))):
        amount = draw(st.integers(0, left))
        left -= amount
        off.append(Discount(amount, "SPRING", Scope.LINE, draw(_COLLECTORS)))
    kind = draw(st.sampled_from([LineKind.PRODUCT, LineKind.PRODUCT, LineKind.CUSTOM, LineKind.GIFT_CARD]))
    made = line(id, quantity, unit_minor, currency=currency, kind=kind, discounts=tuple(off))
    return replace(made, sku=draw(st.sampled_from(["MUG", "TEE"])), taxes=draw(taxes(left, collector)))


@st.composite
def snapshots(draw: st.DrawFn, currency: str | None = None, collector: Collector | None = None) -> Snapshot:
    """An order as placed, of 1 to 3 lines; its claim is what its parts make.

    Args:
        collector: who collects all of its taxes; None: each tax line may differ.
    """
    money = currency or draw(_CURRENCIES)
    ways = []
    for number in range(draw(st.integers(0, 2))):
        gross = draw(st.integers(0, 2000))
        off = draw(st.integers(0, gross))
        discounts = (Discount(off, "FREE", Scope.SHIPPING),) if off else ()
        ways.append(ShippingLine(f"s{number}", "Standard", None, gross, discounts, draw(taxes(gross - off, collector))))
    charges = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(_CHARGES)
        if kind in (ChargeKind.CASH_ROUNDING, ChargeKind.TAX_ROUNDING):
            charges.append(Charge(kind, draw(st.integers(-3, 3)), "rounding"))
        else:
            amount = draw(st.integers(0, 500))
            charges.append(Charge(kind, amount, kind, draw(taxes(amount, collector))))
    if sum(x.amount_minor for x in charges) < 0:  # no order costs less than nothing
        charges.append(Charge(ChargeKind.TIP, 9, "tip"))
    sold = [draw(lines(str(number), money, collector)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    return snapshot(*sold, currency=money, shipping=tuple(ways), charges=tuple(charges))


@dataclass(frozen=True, slots=True)
class History:
    """All facts of one order from placement to its end, and what its books must come to."""

    snapshot: Snapshot
    facts: tuple[Fact, ...]
    captured_minor: dict[str, int]  # by method
    paid_out_minor: dict[str, int]  # by method
    refunded_tax_minor: int  # in all refunds
    refunded_minor: int  # what all refunds give back, paid out or not
    removed_minor: int  # what edits took out, tax included, as the channel rounds it
    removed_tax_minor: int

    @property
    def total_minor(self) -> int:
        """The order as it stands after its edits, before refunds."""
        return self.snapshot.computed_total_minor - self.removed_minor

    @property
    def tax_minor(self) -> int:
        """All tax as placed."""
        taxes = [x.taxes for x in self.snapshot.lines] + [x.taxes for x in self.snapshot.shipping]
        return sum(_tax(some) for some in [*taxes, *(x.taxes for x in self.snapshot.charges)])


@st.composite
def histories(
    draw: st.DrawFn, *, currency: str | None = None, collector: Collector | None = None, delivered: bool = False
) -> History:
    """An order to its end: all that was not removed or cancelled has shipped, and the money is settled.

    Some are paid beforehand and refunded in money, before shipment and after, and may end in an exchange; the others
    are invoiced, lowered without money, and paid at the end. Of some that were edited the channel claims what they
    stand at, by roundings of its own.

    Args:
        delivered: every shipment has arrived.
    """
    placed = draw(snapshots(currency, collector))
    removed = _some(draw, {x.id: x.quantity - 1 for x in placed.lines})
    order = replace(placed, lines=tuple(replace(x, removed_quantity=removed[x.id]) for x in placed.lines))
    story = _Story(draw, order)
    story.claim()
    left = {x.id: x.quantity - removed[x.id] for x in order.lines}
    cancelled = _some(draw, {id: count - 1 for id, count in left.items()})
    to_ship = {id: count - cancelled[id] for id, count in left.items()}
    exchanged: dict[LineId, int] = {}
    if len(to_ship) > 1 and draw(st.booleans()):  # the last line was added by an exchange, and ships after it
        added = max(to_ship)
        exchanged = {added: to_ship.pop(added)}
    prepaid = bool(exchanged) or draw(st.booleans())
    keep = 0 if prepaid else None

    early = _some(draw, cancelled)
    story.refund(10, early, Restock.CANCEL, keep_minor=keep, fee=True)
    story.give_back_charges(15, keep_minor=keep)
    gone: dict[LineId, int] = {}
    for minutes in (20, 40, 60):
        waiting = {id: count - gone.get(id, 0) for id, count in to_ship.items()}
        portion = waiting if minutes == 60 else _some(draw, waiting)
        story.ship(minutes, portion, delivered=delivered)
        gone = {id: gone.get(id, 0) + count for id, count in portion.items()}
        if minutes == 20:
            late = {id: count - early[id] for id, count in cancelled.items()}
            story.refund(30, late, Restock.CANCEL, keep_minor=keep)
    back = _some(draw, gone)
    story.refund(90, back, draw(st.sampled_from([Restock.RETURN, Restock.NO_RESTOCK, Restock.LEGACY])),
                 keep_minor=keep, fee=True)  # fmt: skip
    story.give_back_charges(95, keep_minor=keep)
    if exchanged:
        rest = _some(draw, {id: count - back[id] for id, count in gone.items()})
        story.refund(110, rest, Restock.RETURN, keep_minor=story.value(exchanged), fee=True)
        story.give_in_exchange(rest, exchanged)
        story.ship(130, exchanged, delivered=delivered)
    story.capture(1 if prepaid else 140)
    return story.told()


@st.composite
def called_off(draw: st.DrawFn, *, currency: str | None = None, collector: Collector | None = None) -> History:
    """An order paid, then cancelled before anything shipped, all of it refunded."""
    placed = draw(snapshots(currency, collector))
    order = replace(placed, cancelled_at=at(10), modified_at=at(10))
    story = _Story(draw, order)
    story.refund(
        10, {x.id: x.quantity for x in order.lines}, Restock.CANCEL, keep_minor=0, exact=True,
        adjustments=[
            *(Adjustment(AdjustmentKind.SHIPPING, x.net_minor, _tax(x.taxes)) for x in order.shipping),
            *(Adjustment(AdjustmentKind.DISCREPANCY, x.amount_minor - included_tax(x.taxes), _tax(x.taxes))
                for x in order.charges),
        ],
    )  # fmt: skip
    story.capture(1)
    return story.told()


@st.composite
def retold(draw: st.DrawFn, facts: Sequence[Fact]) -> list[Fact]:
    """The facts with earlier and competing versions of them, from every source, in any order, some twice."""
    told = list(facts)
    for one in facts:
        for _ in range(draw(st.integers(0, 2))):
            behind = draw(st.integers(0, 2))
            other = draw(st.sampled_from([one.body, *_others(one.body)]))
            told.append(
                replace(
                    one, body=other, source=draw(st.sampled_from(Source)),
                    modified_at=one.modified_at - timedelta(minutes=behind),
                )
            )  # fmt: skip
    twice = draw(st.lists(st.sampled_from(told), max_size=4))
    return draw(st.permutations([*told, *twice]))


def _others(body: Body) -> list[Body]:
    """Other versions that a channel may have told of the same thing."""
    match body:
        case Snapshot():
            longer = replace(body, lines=tuple(replace(x, removed_quantity=0) for x in body.lines))
            return [longer, replace(body, cancelled_at=at(5)), replace(body, lines=body.lines[:1])]
        case Fulfilment():
            return [
                replace(body, status=FulfilmentStatus.OPEN, delivered_at=None),
                replace(body, status=FulfilmentStatus.CANCELLED, delivered_at=None),
                replace(body, status=FulfilmentStatus.SHIPPED, delivered_at=None),
                replace(body, shipped_at=body.shipped_at + timedelta(minutes=30)),
            ]
        case Refund():
            return [replace(body, adjustments=()), replace(body, lines=())]
        case Tender():
            return [
                replace(body, status=TenderStatus.PENDING),
                replace(body, status=TenderStatus.FAILED),
                replace(body, amount_minor=body.amount_minor + 1),
            ]
        case Return():
            return [replace(body, lines=None), replace(body, exchange=()), Return(ReturnStatus.OPEN, reason="size")]
        case _:
            return []


class _Story:
    """One history while it is drawn."""

    def __init__(self, draw: st.DrawFn, order: Snapshot) -> None:
        self.draw = draw
        self.order = order
        self.facts: list[Fact] = []
        self.captured: dict[str, int] = {}
        self.paid_out: dict[str, int] = {}
        self.refunded = self.refunded_tax = 0
        self.unpaid = 0  # of what was refunded, not paid out
        self.off: int | None = None  # what the channel claims more than the parts make; None: it claims nothing
        self.given: dict[LineId, int] = {}  # units refunded, by line, from the last one down
        self.charges = sum(x.net_minor + _tax(x.taxes) for x in order.shipping) + sum(
            x.amount_minor + added_tax(x.taxes) for x in order.charges
        )

    def claim(self) -> None:
        if self.draw(st.booleans()):
            leeway = leeway_minor(self.order)
            self.off = self.draw(st.integers(-leeway, leeway))

    def value(self, units: Mapping[LineId, int]) -> int:
        """What so many units of the lines sell for, the first ones."""
        return sum(_value(x, 0, units[x.id]) for x in self.order.lines if x.id in units)

    def refund(
        self,
        minutes: int,
        units: Mapping[LineId, int],
        restock: Restock,
        *,
        keep_minor: int | None,
        fee: bool = False,
        exact: bool = False,
        adjustments: Sequence[Adjustment] = (),
    ) -> None:
        """Units given back at what they sold for, give or take the channel's rounding, and the money paid out.

        Args:
            keep_minor: how much of it is not paid out; None: nothing is paid.
            fee: a restocking fee may be kept.
            exact: the channel does not round.
        """
        rows = []
        for sold in self.order.lines:
            if not (count := units.get(sold.id, 0)):
                continue
            start = sold.quantity - sold.removed_quantity - self.given.get(sold.id, 0) - count
            self.given[sold.id] = self.given.get(sold.id, 0) + count
            net = part(sold.net_minor, sold.quantity, start, count)
            if net and not exact:
                rest = part(sold.net_minor, sold.quantity, 0, start)
                net += self.draw(st.integers(-1, 1 if rest > 9 else 0))
            taxed = sum(part(x.amount_minor, sold.quantity, start, count) for x in sold.taxes)
            rows.append(RefundLine(sold.id, count, net, taxed, restock))
        given = list(adjustments)
        value = sum(row.net_minor + row.tax_minor for row in rows)
        if fee and value and self.draw(st.booleans()):
            given.append(Adjustment(AdjustmentKind.FEE, -self.draw(st.integers(1, value))))
        if rows or given:
            self._refunded(minutes, Refund(at(minutes), tuple(rows), tuple(given)), keep_minor)

    def give_back_charges(self, minutes: int, *, keep_minor: int | None) -> None:
        """Perhaps an amount only, or shipping; never more than shipping and charges came to."""
        amount = self.draw(st.integers(0, self.charges))
        kind = self.draw(st.sampled_from([AdjustmentKind.DISCREPANCY, AdjustmentKind.SHIPPING, AdjustmentKind.DUTY]))
        if not amount or self.draw(st.booleans()):
            return
        self.charges -= amount
        taxed = self.draw(st.integers(0, amount)) if kind is AdjustmentKind.SHIPPING and self._shipping_taxed() else 0
        adjustment = Adjustment(kind, amount - taxed, taxed)
        self._refunded(minutes, Refund(at(minutes), (), (adjustment,)), keep_minor)

    def _shipping_taxed(self) -> bool:
        return any(x.taxes for x in self.order.shipping)

    def _refunded(self, minutes: int, refund: Refund, keep_minor: int | None) -> None:
        id = self._id(FactKind.REFUND)
        self.facts.append(fact(refund, id))
        total = refund.total_minor
        self.refunded += total
        self.refunded_tax += sum(x.tax_minor for x in refund.lines) + sum(x.tax_minor for x in refund.adjustments)
        pay = max(0, total - keep_minor) if keep_minor is not None else 0
        self.unpaid += total - pay
        late = self.draw(st.integers(-2, 2))
        for some in _portions(self.draw, pay):
            method = self.draw(st.sampled_from(METHODS))
            self.paid_out[method] = self.paid_out.get(method, 0) + some
            self._tender(TenderKind.REFUND, minutes + late, some, method, refund=id)

    def ship(self, minutes: int, units: Mapping[LineId, int], *, delivered: bool) -> None:
        rows = tuple(LineQuantity(id, count) for id, count in units.items() if count)
        if rows:
            status = FulfilmentStatus.DELIVERED if delivered else FulfilmentStatus.SHIPPED
            arrived = at(minutes + self.draw(st.integers(0, 90))) if delivered else None
            self.facts.append(fact(Fulfilment(status, rows, at(minutes), arrived), self._id(FactKind.FULFILMENT)))

    def give_in_exchange(self, back: Mapping[LineId, int], out: Mapping[LineId, int]) -> None:
        rows = tuple(LineQuantity(id, count) for id, count in back.items() if count)
        sent = tuple(LineQuantity(id, count) for id, count in out.items())
        self.facts.append(fact(Return(ReturnStatus.CLOSED, rows, sent), self._id(FactKind.RETURN)))

    def capture(self, minutes: int) -> None:
        """All that is due, in up to three tenders; before it an authorisation and a failed attempt."""
        due = self.order.computed_total_minor - self._removed() - self.unpaid
        if self.off:
            self.off = max(self.off, -due)  # no total is below zero
            due += self.off
        if self.draw(st.booleans()):
            self._tender(TenderKind.AUTHORIZATION, minutes, due, "paypal")
            self._tender(TenderKind.SALE, minutes, due, "paypal", status=TenderStatus.FAILED)
        for some in _portions(self.draw, due):
            method = self.draw(st.sampled_from(METHODS))
            self.captured[method] = self.captured.get(method, 0) + some
            self._tender(self.draw(st.sampled_from([TenderKind.CAPTURE, TenderKind.SALE])), minutes, some, method)

    def told(self) -> History:
        order = self.order
        if self.off is not None:
            refunds = [x.body for x in self.facts if isinstance(x.body, Refund)]
            order = replace(order, claimed_current_minor=left_minor(order, refunds) + self.off)
        return History(
            snapshot=order,
            facts=(fact(order), *self.facts),
            captured_minor=self.captured,
            paid_out_minor=self.paid_out,
            refunded_tax_minor=self.refunded_tax,
            refunded_minor=self.refunded,
            removed_minor=self._removed() - (self.off or 0),
            removed_tax_minor=sum(
                part(x.amount_minor, sold.quantity, sold.quantity - sold.removed_quantity, sold.removed_quantity)
                for sold in self.order.lines
                for x in sold.taxes
            ),
        )

    def _removed(self) -> int:
        return sum(_value(x, x.quantity - x.removed_quantity, x.removed_quantity) for x in self.order.lines)

    def _tender(
        self,
        kind: TenderKind,
        minutes: int,
        amount: int,
        method: str,
        *,
        refund: str | None = None,
        status: TenderStatus = TenderStatus.SUCCESS,
    ) -> None:
        body = Tender(kind, status, method, amount, self.order.currency, at(minutes), refund=refund)
        self.facts.append(fact(body, self._id(FactKind.TENDER)))

    def _id(self, kind: FactKind) -> str:
        """Each kind of thing is counted from 1, as some channels do: kinds share their ids."""
        return str(1 + sum(one.kind is kind for one in self.facts))


def _some(draw: st.DrawFn, units: Mapping[LineId, int]) -> dict[LineId, int]:
    """A portion of these units, often none."""
    if draw(st.booleans()):
        return dict.fromkeys(units, 0)
    return {id: draw(st.integers(0, count)) for id, count in units.items()}


def _portions(draw: st.DrawFn, amount: int) -> list[int]:
    """One to three positive portions that make the amount; none of nothing."""
    made: list[int] = []
    while amount > 0:
        some = draw(st.integers(1, amount)) if len(made) < 2 else amount
        made.append(some)
        amount -= some
    return made


def _value(sold: Line, start: int, count: int) -> int:
    """What `count` units of a line from the `start`-th on sell for, with their tax."""
    value = part(sold.net_minor, sold.quantity, start, count)
    return value + sum(part(x.amount_minor, sold.quantity, start, count) for x in sold.taxes)


def _tax(taxes: tuple[TaxLine, ...]) -> int:
    return sum(x.amount_minor for x in taxes)
