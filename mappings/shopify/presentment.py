"""The same order in the buyer's currency, added up from the presentment side of every `*_set`."""

from hub.model.order import Presentment
from mappings.shopify.payload import OrderPayload
from mappings.shopify.reading import Part, Reading


def presentment(given: OrderPayload, read: Reading) -> Presentment | None:
    """Claimed and computed total as the buyer saw them; None where the buyer paid in the shop's currency."""
    currency = given.presentment_currency
    if currency is None or currency == read.currency:
        return None

    def shown(money_set: object, *path: Part) -> int:
        return 0 if money_set is None else read.bag(money_set, "presentment_money", currency, *path)

    claimed = read.bag(given.total_price_set, "presentment_money", currency, "total_price_set")
    total = discounts = taxes = 0
    for i, line in enumerate(given.line_items):
        at = ("line_items", i)
        total += read.bag(line.price_set, "presentment_money", currency, *at, "price_set") * line.quantity
        if line.discount_allocations:
            for j, allocation in enumerate(line.discount_allocations):
                discounts += shown(allocation.amount_set, *at, "discount_allocations", j, "amount_set")
        else:
            discounts += shown(line.total_discount_set, *at, "total_discount_set")
        for j, tax in enumerate(line.tax_lines or ()):
            taxes += shown(tax.price_set, *at, "tax_lines", j, "price_set")
        for j, duty in enumerate(() if given.duties_included else line.duties or ()):
            bag = duty.price_set if duty.price_set is not None else {"presentment_money": duty.presentment_money}
            total += shown(bag, *at, "duties", j)
            for k, tax in enumerate(duty.tax_lines):
                taxes += shown(tax.price_set, *at, "duties", j, "tax_lines", k, "price_set")
    for i, item in enumerate(given.shipping_lines or ()):
        if item.is_removed:
            continue
        at = ("shipping_lines", i)
        price = read.bag(item.price_set, "presentment_money", currency, *at, "price_set")
        total += price
        if item.discount_allocations:
            for j, allocation in enumerate(item.discount_allocations):
                discounts += shown(allocation.amount_set, *at, "discount_allocations", j, "amount_set")
        elif item.discounted_price_set is not None:
            discounts += price - shown(item.discounted_price_set, *at, "discounted_price_set")
        for j, tax in enumerate(item.tax_lines or ()):
            taxes += shown(tax.price_set, *at, "tax_lines", j, "price_set")
    total += shown(given.original_total_additional_fees_set, "original_total_additional_fees_set")
    total += _tip(given, currency, claimed, read)
    total -= max(discounts, shown(given.total_discounts_set, "total_discounts_set"))
    if not given.taxes_included:
        stated = shown(given.total_tax_set, "total_tax_set")
        total += stated if given.total_tax_set is not None else taxes
    return Presentment(currency, claimed, total)


def _tip(given: OrderPayload, currency: str, claimed: int, read: Reading) -> int:
    """GraphQL says the tip in both currencies; REST in the shop's alone, so it is converted at the order's rate."""
    if given.total_tip_received_set is not None:
        return read.bag(given.total_tip_received_set, "presentment_money", currency, "total_tip_received_set")
    tip = read.optional(given.total_tip_received, "total_tip_received")
    total = read.money(given.total_price, "total_price")
    return (2 * tip * claimed + total) // (2 * total) if tip and total else 0
