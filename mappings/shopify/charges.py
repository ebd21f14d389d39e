"""Taxes of lines and of the order, and what is charged beside lines and shipping: duties, tip, fees, roundings."""

from dataclasses import replace

from hub.model.money import spread
from hub.model.order import Charge, ChargeKind, Collector, Line, ShippingLine, Snapshot, TaxLine
from mappings.shopify.payload import OrderPayload, TaxLinePayload
from mappings.shopify.reading import Part, Reading


def taxes_and_charges(
    given: OrderPayload, lines: tuple[Line, ...], shipping: tuple[ShippingLine, ...], read: Reading
) -> tuple[tuple[Line, ...], list[Charge]]:
    """Duties, tip and fees; the order's own tax lines where the lines have none; the rounding of its total tax."""
    charges = _duties(given, read)
    if tip := read.optional(given.total_tip_received, "total_tip_received"):
        charges.append(Charge(ChargeKind.TIP, tip))
    if given.original_total_additional_fees_set is not None:
        path = "original_total_additional_fees_set"
        fee = read.bag(given.original_total_additional_fees_set, "shop_money", read.currency, path)
        if fee:
            charges.append(Charge(ChargeKind.FEE, fee))
    if given.total_tax is None and not given.tax_lines:
        return lines, charges

    parts: list[tuple[TaxLine, ...]] = [line.taxes for line in lines]
    parts += [item.taxes for item in shipping]
    parts += [charge.taxes for charge in charges]
    count = sum(map(len, parts))
    if not count and lines:
        lines = _spread_tax(given, lines, read)
        count = sum(len(line.taxes) for line in lines)
        parts = [line.taxes for line in lines]
    if given.total_tax is not None and not given.taxes_included:
        stated = read.money(given.total_tax, "total_tax")
        off = stated - sum([tax.amount_minor for taxes in parts for tax in taxes])
        if off and abs(off) <= count:  # a minor unit a tax line is rounding; more is a fault that the identity shows
            charges.append(Charge(ChargeKind.TAX_ROUNDING, off))
    return lines, charges


def tax_lines(taxes: list[TaxLinePayload] | None, included: bool, read: Reading, *path: Part) -> tuple[TaxLine, ...]:
    if not taxes:
        return ()
    return tuple(
        [
            TaxLine(
                tax.title or "Tax",
                read.money(tax.price, *path, j, "price"),
                read.rate(tax.rate, *path, j, "rate"),
                Collector.MARKETPLACE if tax.channel_liable else Collector.SELLER,
                included,
            )
            for j, tax in enumerate(taxes)
        ]
    )


def cash_rounded(given: OrderPayload, snapshot: Snapshot, read: Reading) -> Snapshot:
    """Cash rounding stands beside the total; it is part of it only where the total says so to the unit."""
    bag = given.total_cash_rounding_payment_adjustment_set
    if bag is None:
        return snapshot
    rounding = read.bag(bag, "shop_money", read.currency, "total_cash_rounding_payment_adjustment_set")
    if not rounding or snapshot.claimed_total_minor - snapshot.computed_total_minor != rounding:
        return snapshot
    return replace(snapshot, charges=(*snapshot.charges, Charge(ChargeKind.CASH_ROUNDING, rounding)))


def _duties(given: OrderPayload, read: Reading) -> list[Charge]:
    if given.duties_included:
        return []  # they are in the prices
    amount = 0
    taxes: list[TaxLine] = []
    for i, line in enumerate(given.line_items):
        for j, duty in enumerate(line.duties or ()):
            path = ("line_items", i, "duties", j)
            bag = duty.price_set
            if bag is None:
                bag = {"shop_money": duty.shop_money}
            amount += read.bag(bag, "shop_money", read.currency, *path)
            taxes += tax_lines(duty.tax_lines, given.taxes_included, read, *path, "tax_lines")
    if not amount and given.original_total_duties_set is not None:
        amount = read.bag(given.original_total_duties_set, "shop_money", read.currency, "original_total_duties_set")
    return [Charge(ChargeKind.DUTY, amount, taxes=tuple(taxes))] if amount or taxes else []


def _spread_tax(given: OrderPayload, lines: tuple[Line, ...], read: Reading) -> tuple[Line, ...]:
    """The order's own tax on its lines, by what they sell for; from payloads whose lines know no tax."""
    taxes = tax_lines(given.tax_lines, given.taxes_included, read, "tax_lines")
    if not taxes:
        amount = read.optional(given.total_tax, "total_tax")
        taxes = (TaxLine("Tax", amount, None, included=given.taxes_included),) if amount else ()
    weights = [max(0, line.gross_minor - line.discount_minor) for line in lines]
    if not any(weights):
        weights = [1] * len(lines)
    for tax in taxes:
        shares = spread(tax.amount_minor, weights)
        lines = tuple(
            [
                replace(line, taxes=(*line.taxes, TaxLine(tax.title, share, tax.rate, tax.collector, tax.included)))
                if share
                else line
                for line, share in zip(lines, shares, strict=True)
            ]
        )
    return lines
