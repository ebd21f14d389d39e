"""Refund payload → facts: the decision to give back, and the transactions that pay it out."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from hub.model.facts import Adjustment, AdjustmentKind, Fact, FactKind, Refund, RefundLine, Restock, Source
from hub.model.money import decimal_of
from hub.model.order import LineId, OrderKey
from hub.model.problems import Problem
from mappings.shopify.payload import RefundLinePayload, RefundPayload
from mappings.shopify.reading import Part, Reading
from mappings.shopify.tender import Exchange, tender_fact

RESTOCK: Final = {
    "return": Restock.RETURN,
    "cancel": Restock.CANCEL,
    "no_restock": Restock.NO_RESTOCK,
    "legacy_restock": Restock.LEGACY,
}
ADJUSTMENT: Final = {
    "shipping_refund": AdjustmentKind.SHIPPING,
    "refund_discrepancy": AdjustmentKind.DISCREPANCY,
}


def refund_facts(
    given: RefundPayload,
    order: OrderKey,
    source: Source,
    read: Reading,
    *path: Part,
    included: bool | None,
    exchange: Exchange | None = None,
    problems: list[Problem] | None = None,
) -> list[Fact]:
    """The refund and its transactions as facts of the order.

    `included` says whether prices hold the tax; None: a refund that came alone, which does not say, so that it is
    told from the tax rates inside its lines, else from what was paid out, else it does not translate.
    """
    identity = read.id(given.id, *path, "id")
    created = given.created_at if given.created_at is not None else given.processed_at
    modified = read.moment(created, *path, "created_at")
    processed = read.moment(given.processed_at, *path, "processed_at") if given.processed_at is not None else modified
    if included is None:
        included = _holds_tax(given, read, path)
    adjustments = _adjustments(given, included, read, path)
    lines = tuple(
        _line(line, included, read, (*path, "refund_line_items", i)) for i, line in enumerate(given.refund_line_items)
    )
    body = Refund(processed, lines, tuple(adjustments), _return_id(given, read, path))
    facts = [Fact(order, FactKind.REFUND, identity, modified, processed, source, body)]
    if given.transactions:
        if exchange is not None:
            exchange = _own_exchange(given, body, exchange, included, read, path)
        for i, transaction in enumerate(given.transactions):
            at = (*path, "transactions", i)
            tender = tender_fact(
                transaction, order, source, read, *at, refund=identity, exchange=exchange, problems=problems
            )
            if tender is not None:
                facts.append(tender)
    return facts


def _line(line: RefundLinePayload, included: bool, read: Reading, path: tuple[Part, ...]) -> RefundLine:
    subtotal = read.money(line.subtotal, *path, "subtotal")
    tax = 0 if line.total_tax is None else read.money(line.total_tax, *path, "total_tax")
    restock = Restock.LEGACY  # a payload from before restock_type
    if line.restock_type is not None:
        restock = read.word(RESTOCK, line.restock_type, *path, "restock_type")
    # Schema 2026-10, subtotalPriceSet: "If taxesIncluded is true, the subtotal also includes tax."
    return RefundLine(
        LineId(read.id(line.line_item_id, *path, "line_item_id")),
        line.quantity,
        subtotal - tax if included else subtotal,
        tax,
        restock,
        read.optional_id(line.location_id, *path, "location_id"),
    )


def _adjustments(given: RefundPayload, included: bool, read: Reading, path: tuple[Part, ...]) -> list[Adjustment]:
    """Everything given back beside lines; positive is in the customer's favour.

    Shopify's sign is the other way round: in the authentic order-cancelled-with-line-refund-restock lines of 199.64,
    an adjustment of 89.64 and payments of 110.00 stand together, and the schema says of refundDiscrepancySet "A
    positive value indicates a difference in the merchant's favor". `tax_amount` is on top of `amount` (REST reference:
    "taxes that are added to amount").

    Refunded shipping stands in refund_shipping_lines, in an adjustment shipping_refund, or in both: then the adjustment
    counts, as in REST it alone knows the tax.
    """
    found: list[Adjustment] = []
    shipping_adjusted = False
    for i, item in enumerate(given.order_adjustments or ()):
        at = (*path, "order_adjustments", i)
        kind = read.word(ADJUSTMENT, item.kind, *at, "kind")
        shipping_adjusted = shipping_adjusted or kind is AdjustmentKind.SHIPPING
        net = -read.money(item.amount, *at, "amount")
        found.append(Adjustment(kind, net, -read.optional(item.tax_amount, *at, "tax_amount")))
    if not shipping_adjusted:
        for i, shipping in enumerate(given.refund_shipping_lines or ()):
            at = (*path, "refund_shipping_lines", i)
            net = read.bag(shipping.subtotal_amount_set, "shop_money", read.currency, *at, "subtotal_amount_set")
            tax = 0
            if shipping.tax_amount_set is not None:
                tax = read.bag(shipping.tax_amount_set, "shop_money", read.currency, *at, "tax_amount_set")
            found.append(Adjustment(AdjustmentKind.SHIPPING, net - tax if included else net, tax))
    for i, duty in enumerate(given.duties or ()):
        amount = read.bag(duty.amount_set, "shop_money", read.currency, *path, "duties", i, "amount_set")
        found.append(Adjustment(AdjustmentKind.DUTY, amount))
    return found


def _return_id(given: RefundPayload, read: Reading, path: tuple[Part, ...]) -> str | None:
    if given.return_ is None:
        return None
    if isinstance(given.return_, dict) and (value := given.return_.get("id")) is not None:
        return read.id(value, *path, "return", "id")
    read.fault("not an object with an id", *path, "return")
    return None


def _holds_tax(given: RefundPayload, read: Reading, path: tuple[Part, ...]) -> bool:
    """Whether the subtotals of a refund that came without its order hold the tax."""
    taxed = [(i, line) for i, line in enumerate(given.refund_line_items) if line.total_tax and _decimal(line.total_tax)]
    if not taxed:
        return False
    unit = decimal_of(1, read.currency)
    for _, line in taxed:
        rates = [read.rate(tax.rate) for tax in (line.line_item and line.line_item.tax_lines) or () if tax.rate]
        rate = sum((rate for rate in rates if rate is not None), Decimal(0))
        subtotal, tax = _decimal(line.subtotal), _decimal(line.total_tax)
        if rate and subtotal:
            on_top, inside = abs(subtotal * rate - tax), abs(subtotal * rate / (1 + rate) - tax)
            if abs(on_top - inside) > unit:
                return inside < on_top
    paid = sum((_decimal(t.amount) for t in given.transactions or () if t.kind == "refund"), Decimal(0))
    kept = sum((_decimal(a.amount) + _decimal(a.tax_amount) for a in given.order_adjustments or ()), Decimal(0))
    subtotals = sum((_decimal(line.subtotal) for line in given.refund_line_items), Decimal(0)) - kept
    taxes = sum((_decimal(line.total_tax) for _, line in taxed), Decimal(0))
    if paid and paid in (subtotals, subtotals + taxes):
        return paid == subtotals
    i = taxed[0][0]
    read.fault("does not say whether it holds the tax; its order does", *path, "refund_line_items", i, "subtotal")
    return False


def _decimal(value: object) -> Decimal:
    """The number, 0 where it is none: the fault is named where it is read as money."""
    try:
        number = Decimal(value) if isinstance(value, (int, str, Decimal)) else Decimal(0)
    except ArithmeticError:
        return Decimal(0)
    return number if number.is_finite() and -30 < number.adjusted() < 30 else Decimal(0)


def _own_exchange(
    given: RefundPayload,
    body: Refund,
    order: Exchange,
    included: bool,
    read: Reading,
    path: tuple[Part, ...],
) -> Exchange:
    """What this refund says itself of both currencies, where its payments are just its parts; else the order's rate."""
    buyer = Reading(order.currency, read.rename)
    total = 0
    for item in _bags(given, included):
        total += buyer.bag(item, "presentment_money", order.currency, *path)
    for item in given.order_adjustments or ():
        for part in (item.amount_set, item.tax_amount_set):
            total -= buyer.bag(part, "presentment_money", order.currency, *path) if part is not None else 0
    paid = sum(buyer.money(t.amount, *path) for t in given.transactions or () if t.currency == order.currency)
    if buyer.faults or not total or paid != total:
        return order
    return Exchange(order.currency, total, body.total_minor)


def _bags(given: RefundPayload, included: bool) -> Iterable[object]:
    for line in given.refund_line_items:
        yield line.subtotal_set
        if not included and line.total_tax_set is not None:
            yield line.total_tax_set
    if not any(item.kind == "shipping_refund" for item in given.order_adjustments or ()):
        for shipping in given.refund_shipping_lines or ():
            yield shipping.subtotal_amount_set
            if shipping.tax_amount_set is not None:
                yield shipping.tax_amount_set
    for duty in given.duties or ():
        yield duty.amount_set
