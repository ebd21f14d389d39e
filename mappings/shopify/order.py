"""Order payload → the snapshot, and a fact for each refund, fulfilment and transaction inside it.

What REST leaves open is closed here, each with the evidence that it needs: a discount known only on the line or only on
the order, a tax known only on the order, a rounding that the tax lines do not show.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from hub.model.facts import Fact, FactKind, Refund, Source
from hub.model.money import rounded_minor, spread
from hub.model.order import (
    Discount,
    FinancialStatus,
    Line,
    LineId,
    LineKind,
    OrderKey,
    Party,
    Scope,
    ShippingLine,
    Snapshot,
)
from hub.model.problems import Problem
from mappings.shopify.charges import cash_rounded, tax_lines, taxes_and_charges
from mappings.shopify.claims import current_claims
from mappings.shopify.fulfilment import fulfilment_fact
from mappings.shopify.parties import addressee, buyer
from mappings.shopify.payload import AllocationPayload, LinePayload, OrderPayload, ShippingPayload
from mappings.shopify.presentment import presentment
from mappings.shopify.reading import Part, Reading, text
from mappings.shopify.refund import refund_facts
from mappings.shopify.tender import UNREAD, Exchange, tender_fact

FINANCIAL: Final = {status.value: status for status in FinancialStatus}
SPREAD_METHODS: Final = {"across": Scope.ORDER, "each": Scope.LINE, "one": Scope.LINE}
NAMED = tuple[str, Scope]


@dataclass(slots=True)
class Mapped:
    """What one order payload says."""

    facts: list[Fact] = field(default_factory=list)
    parties: list[Party] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def order_facts(given: OrderPayload, channel: str, source: Source, read: Reading) -> Mapped:
    """The order as facts; faults collect in `read`, and then the facts are not to be used."""
    found = Mapped()
    key = OrderKey(channel, read.id(given.id, "id"))
    if not given.line_items:
        read.fault("none", "line_items")
    total = read.money(given.total_price, "total_price")
    shown = presentment(given, read)
    exchange = None
    if shown is not None and shown.claimed_total_minor:
        exchange = Exchange(shown.currency, shown.claimed_total_minor, total)
    refunded: dict[LineId, int] = {}
    refunds: list[Refund] = []
    within: set[str] = set()
    later: list[Fact] = []
    for i, item in enumerate(given.refunds or ()):
        facts = refund_facts(
            item,
            key,
            source,
            read,
            "refunds",
            i,
            included=given.taxes_included,
            exchange=exchange,
            problems=found.problems,
        )
        for fact in facts:
            if isinstance(fact.body, Refund):
                refunds.append(fact.body)
                for line in fact.body.lines:
                    refunded[line.line] = refunded.get(line.line, 0) + line.quantity
            else:
                within.add(fact.external_id)
        later += facts
    for i, fulfilment in enumerate(given.fulfillments or ()):
        later.append(fulfilment_fact(fulfilment, key, source, read, "fulfillments", i))
    for i, transaction in enumerate(given.transactions or ()):
        if read.id(transaction.id, "transactions", i, "id") not in within:
            # a refund's own is the same one, and knows its refund
            tender = tender_fact(
                transaction, key, source, read, "transactions", i, exchange=exchange, problems=found.problems
            )
            if tender is not None:
                later.append(tender)

    who, bill_to = buyer(given, read), addressee(given.billing_address)
    ship_to = bill_to if given.shipping_address == given.billing_address else addressee(given.shipping_address)
    found.parties = list({party.ref: party for party in (who, bill_to, ship_to) if party is not None}.values())
    placed = read.moment(
        given.created_at if given.processed_at is None else given.processed_at,
        "created_at" if given.processed_at is None else "processed_at",
    )
    modified = read.moment(given.updated_at, "updated_at")
    lines = _lines(given, refunded, read, found.problems)
    shipping = _shipping(given, read)
    lines = _order_discount(given, lines, shipping, read)
    lines, charges = taxes_and_charges(given, lines, shipping, read)
    financial = None
    if given.financial_status:
        financial = read.word(FINANCIAL, given.financial_status, "financial_status")
    current = (
        None if given.current_total_price is None else read.money(given.current_total_price, "current_total_price")
    )
    snapshot = Snapshot(
        name=given.name or key.external_id,
        currency=read.currency,
        placed_at=placed,
        modified_at=modified,
        claimed_total_minor=total,
        lines=lines,
        shipping=shipping,
        charges=tuple(charges),
        claimed_current_minor=current,
        claimed_financial=financial,
        presentment=shown,
        customer=who.ref if who else None,
        bill_to=bill_to.ref if bill_to else None,
        ship_to=ship_to.ref if ship_to else None,
        ship_to_country=ship_to.country if ship_to else None,
        business=given.company is not None,
        po_number=text(given.po_number),
        test=given.test is True,
        source=text(given.source_name),
        methods=tuple(given.payment_gateway_names or ([given.gateway] if given.gateway else [])),
        unread_money=tuple(problem.path for problem in found.problems if problem.code == UNREAD),
        cancelled_at=read.optional_moment(given.cancelled_at, "cancelled_at"),
        cancel_reason=text(given.cancel_reason),
        closed_at=read.optional_moment(given.closed_at, "closed_at"),
    )
    snapshot = cash_rounded(given, snapshot, read)
    found.facts = [Fact(key, FactKind.SNAPSHOT, key.external_id, modified, placed, source, snapshot), *later]
    if not read.faults:
        found.problems += current_claims(snapshot, refunds)
    return found


def _lines(
    given: OrderPayload, refunded: dict[LineId, int], read: Reading, problems: list[Problem]
) -> tuple[Line, ...]:
    names = _applications(given, read)
    lines = []
    seen: set[str] = set()
    for i, item in enumerate(given.line_items):
        identity = LineId(read.id(item.id, "line_items", i, "id"))
        if identity in seen and identity:
            read.fault(f"a second line with the id {identity}", "line_items", i, "id")
        seen.add(identity)
        price = read.price(item.price, "line_items", i, "price")
        try:
            gross = rounded_minor(price * item.quantity, read.currency)
        except ValueError as reason:
            read.fault(str(reason), "line_items", i, "price")
            gross = 0
        removed = 0
        if item.current_quantity is not None:
            removed = item.quantity - item.current_quantity - refunded.get(identity, 0)
            if removed < 0:
                message = (
                    f"{item.current_quantity} claimed to be left, the facts leave {item.current_quantity + removed}"
                )
                problems.append(Problem(f"line_items[{i}].current_quantity", message, "current_claim"))
                removed = 0
        variant = item.variant_id if item.variant_id is not None else item.product_id
        lines.append(
            Line(
                id=identity,
                external_id=identity,
                kind=_kind(item),
                sku=item.sku or None,
                product=read.optional_id(variant, "line_items", i, "variant_id"),
                title=item.title or item.name or "",
                quantity=item.quantity,
                unit_price=price,
                gross_minor=gross,
                discounts=_line_discounts(item, names, read, i),
                taxes=tax_lines(item.tax_lines, given.taxes_included, read, "line_items", i, "tax_lines"),
                requires_shipping=item.requires_shipping is not False,
                removed_quantity=removed,
                parent=_group(item, read, i),
            )
        )
    return tuple(lines)


def _group(item: LinePayload, read: Reading, i: int) -> LineId | None:
    if item.sales_line_item_group_id is None:
        return None
    return LineId(read.id(item.sales_line_item_group_id, "line_items", i, "sales_line_item_group_id"))


def _kind(item: LinePayload) -> LineKind:
    if item.gift_card:
        return LineKind.GIFT_CARD
    if item.sales_line_item_group_id is not None:
        return LineKind.COMPONENT
    return LineKind.CUSTOM if item.variant_id is None and item.product_id is None else LineKind.PRODUCT


def _applications(given: OrderPayload, read: Reading) -> list[NAMED]:
    """Title and scope of each discount of the order, in the order that allocations index."""
    names = []
    for i, item in enumerate(given.discount_applications or ()):
        scope = Scope.SHIPPING
        if item.target_type != "shipping_line":
            scope = Scope.ORDER
            if item.allocation_method is not None:
                scope = read.word(
                    SPREAD_METHODS, item.allocation_method, "discount_applications", i, "allocation_method"
                )
        names.append((item.code or item.title or item.description or "", scope))
    return names


def _line_discounts(item: LinePayload, names: list[NAMED], read: Reading, i: int) -> tuple[Discount, ...]:
    if item.discount_allocations:
        return _allocated(item.discount_allocations, names, Scope.LINE, read, "line_items", i, "discount_allocations")
    # Payloads from before allocations say only this.
    if amount := read.optional(item.total_discount, "line_items", i, "total_discount"):
        return (Discount(amount, "", Scope.LINE),)
    return ()


def _allocated(
    allocations: list[AllocationPayload], names: list[NAMED], default: Scope, read: Reading, *path: Part
) -> tuple[Discount, ...]:
    discounts = []
    for j, given in enumerate(allocations):
        amount = read.money(given.amount, *path, j, "amount")
        at = given.discount_application_index
        title, scope = names[at] if at is not None and 0 <= at < len(names) else ("", default)
        if amount:
            discounts.append(Discount(amount, title, default if default is Scope.SHIPPING else scope))
    return tuple(discounts)


def _shipping(given: OrderPayload, read: Reading) -> tuple[ShippingLine, ...]:
    """The shipping lines that count; one removed by an edit is no longer part of any total."""
    found = []
    for i, item in enumerate(given.shipping_lines or ()):
        if item.is_removed:
            continue
        identity = read.optional_id(item.id, "shipping_lines", i, "id") or str(i)  # old payloads have none
        price = read.money(item.price, "shipping_lines", i, "price")
        found.append(
            ShippingLine(
                identity,
                item.title or "",
                text(item.code),
                price,
                _shipping_discounts(given, item, price, read, i),
                tax_lines(item.tax_lines, given.taxes_included, read, "shipping_lines", i, "tax_lines"),
            )
        )
    return tuple(found)


def _shipping_discounts(
    given: OrderPayload, item: ShippingPayload, price: int, read: Reading, i: int
) -> tuple[Discount, ...]:
    if item.discount_allocations:
        names = _applications(given, Reading(read.currency))
        path = ("shipping_lines", i, "discount_allocations")
        return _allocated(item.discount_allocations, names, Scope.SHIPPING, read, *path)
    if item.discounted_price is not None:
        off = price - read.money(item.discounted_price, "shipping_lines", i, "discounted_price")
        if off:
            return (Discount(off, "", Scope.SHIPPING),)
    return ()


def _order_discount(
    given: OrderPayload, lines: tuple[Line, ...], shipping: tuple[ShippingLine, ...], read: Reading
) -> tuple[Line, ...]:
    """What total_discounts holds beyond all allocations lies on the order: spread over its lines by what they cost."""
    rest = read.optional(given.total_discounts, "total_discounts")
    if rest:
        rest -= sum(line.discount_minor for line in lines) + sum(item.discount_minor for item in shipping)
    weights = [max(0, line.gross_minor - line.discount_minor) for line in lines]
    if rest <= 0 or not any(weights):
        return lines
    title = next((item.code or item.title or "" for item in given.discount_applications or ()), "")
    shares = spread(rest, weights)
    return tuple(
        [
            replace(line, discounts=(*line.discounts, Discount(share, title, Scope.ORDER))) if share else line
            for line, share in zip(lines, shares, strict=True)
        ]
    )
