"""Writes a life as Shopify's REST and webhook JSON, as it stood at any moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.shopify import rehearsal_people as people
from connectors.shopify.rehearsal_basket import variant_id
from connectors.shopify.rehearsal_life import (
    Application,
    Edit,
    Life,
    Line,
    Payment,
    Refund,
    Return,
    Shipment,
    Tax,
    Totals,
)
from connectors.shopify.rehearsal_money import ZERO, Amount, Till

LOCATION_ID = 655_441_491
_ONLINE = ("shopify_payments", "paypal")
TRACKING_URL = "https://tracking.example.com/"


def order(life: Life, at: datetime, *, transactions: bool) -> dict[str, Any]:
    """The order at that moment, as orders/* webhooks bring it; with its transactions as their own endpoint lists them.

    A shop's export asks both endpoints, so it has the list under "transactions"; a webhook's order has not.
    """
    till, bag, text = life.till, life.till.bag, life.till.text
    totals = life.totals(at)
    company = people.company(life.company) if life.company is not None else None
    lines = life.lines_at(at)
    written = {line.id: line_item(life, line, at) for line in lines}
    body: dict[str, Any] = {
        "id": life.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{life.id}",
        "app_id": 580111,
        "browser_ip": "203.0.113.7",
        "buyer_accepts_marketing": False,
        "cancel_reason": None,
        "cancelled_at": None,
        "cart_token": None,
        "checkout_id": life.id + 1,
        "checkout_token": f"{life.id:032x}",
        "client_details": {"accept_language": "en", "browser_ip": "203.0.113.7", "user_agent": None},
        "closed_at": None,
        "company": None,
        "confirmation_number": f"C{life.number:08d}",
        "confirmed": True,
        "contact_email": people.email(life.buyer) if life.buyer else f"guest{life.index}@example.com",
        "created_at": life.placed_at.isoformat(),
        "currency": till.shop,
        "current_subtotal_price": text(totals.current_subtotal),
        "current_subtotal_price_set": bag(totals.current_subtotal),
        "current_total_additional_fees_set": bag(life.fee) if life.fee else None,
        "current_total_discounts": text(totals.current_discounts),
        "current_total_discounts_set": bag(totals.current_discounts),
        "current_total_duties_set": bag(totals.duties) if totals.duties else None,
        "current_total_price": text(totals.current_price),
        "current_total_price_set": bag(totals.current_price),
        "current_total_tax": text(totals.current_tax),
        "current_total_tax_set": bag(totals.current_tax),
        "customer_locale": "en",
        "device_id": None,
        "discount_codes": discount_codes(life, lines),
        "duties_included": False,
        "email": people.email(life.buyer) if life.buyer else f"guest{life.index}@example.com",
        "estimated_taxes": False,
        "financial_status": life.financial_status(at, totals),
        "fulfillment_status": life.fulfillment_status(at),
        "landing_site": None,
        "location_id": LOCATION_ID if life.source == "pos" else None,
        "merchant_of_record_app_id": None,
        "name": f"#{life.number}",
        "note": None,
        "note_attributes": [],
        "number": life.number - 1000,
        "order_number": life.number,
        "order_status_url": f"https://shop.example.com/orders/{life.id:x}",
        "original_total_additional_fees_set": bag(life.fee) if life.fee else None,
        "original_total_duties_set": bag(totals.duties) if totals.duties else None,
        "payment_gateway_names": gateways(life, at),
        "phone": None,
        "po_number": f"PO-{life.company}-{life.index}" if life.company is not None else None,
        "presentment_currency": till.buyer,
        "processed_at": life.placed_at.isoformat(),
        "reference": None,
        "referring_site": None,
        "source_identifier": None,
        "source_name": life.source,
        "source_url": None,
        "subtotal_price": text(totals.subtotal),
        "subtotal_price_set": bag(totals.subtotal),
        "tags": "",
        "tax_exempt": False,
        "tax_lines": [tax_line(tax, till) for tax in order_taxes(life, lines)],
        "taxes_included": life.taxes_included,
        "test": life.test,
        "token": f"{life.id:032x}",
        "total_cash_rounding_payment_adjustment_set": bag(cash_rounding(life, at)),
        "total_cash_rounding_refund_adjustment_set": bag(ZERO),
        "total_discounts": text(totals.discounts),
        "total_discounts_set": bag(totals.discounts),
        "total_line_items_price": text(totals.gross),
        "total_line_items_price_set": bag(totals.gross),
        "total_outstanding": text(totals.outstanding),
        "total_price": text(totals.price),
        "total_price_set": bag(totals.price),
        "total_shipping_price_set": bag(totals.shipping),
        "total_tax": text(totals.tax),
        "total_tax_set": bag(totals.tax),
        "total_tip_received": text(life.tip),
        "total_weight": sum(line.product.weight_g * line.quantity for line in lines if line.product),
        "updated_at": updated_at(life, at).isoformat(),
        "user_id": None,
        "billing_address": people.address(life.buyer or life.index, company),
        "customer": None,
        "discount_applications": [application(item, till) for item in life.applications],
        "fulfillments": [fulfillment(life, item, at) for item in life.shipments if item.at <= at],
        "line_items": list(written.values()),
        "payment_terms": payment_terms(life, at, totals),
        "refunds": [refund(life, item, at) for item in life.refunds if item.at <= at],
        "shipping_address": None,
        "shipping_lines": shipping_lines(life),
    }
    if life.cancelled_at is not None and life.cancelled_at <= at:
        body["cancel_reason"] = life.cancel_reason
        body["cancelled_at"] = body["closed_at"] = life.cancelled_at.isoformat()
    if life.company is not None:
        body["company"] = {"id": 5_000 + life.company, "location_id": 9_000 + life.company}
    if life.buyer is not None:
        body["customer"] = people.customer(life.buyer, till.shop, life.placed_at.isoformat())
    if life.shipping is not None:
        body["shipping_address"] = people.address(life.buyer or life.index, company)
    if transactions:
        body["transactions"] = [transaction(life, item, at) for item in life.payments_at(at)]
    return body


def updated_at(life: Life, at: datetime) -> datetime:
    """When the order last changed."""
    return max((happening.at for happening in life.happenings if happening.at <= at), default=life.placed_at)


def line_item(life: Life, line: Line, at: datetime) -> dict[str, Any]:
    """A line with its units as ordered, as they count now, and as they still have to ship."""
    till, product = life.till, line.product
    to_ship = life.to_ship_at(at, line)
    shipped = life.shipped_at(at, line)
    variant = variant_id(product) if product else None
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "attributed_staffs": [],
        "current_quantity": line.quantity - life.gone_at(at, line),
        "fulfillable_quantity": to_ship,
        "fulfillment_service": "gift_card" if line.gift_card else "manual",
        "fulfillment_status": None if not shipped else "partial" if to_ship else "fulfilled",
        "gift_card": line.gift_card,
        "grams": product.weight_g if product else 0,
        "name": line.title,
        "price": till.text(line.price),
        "price_set": till.bag(line.price),
        "product_exists": product is not None,
        "product_id": variant - 30_000_000_000_000 if variant else None,
        "properties": [{"name": name, "value": value} for name, value in line.properties],
        "quantity": line.quantity,
        "requires_shipping": line.ships,
        "sales_line_item_group_id": line.kit.id if line.kit else None,
        "sku": line.sku,
        "taxable": line.taxable,
        "title": line.title,
        "total_discount": till.text(line.own_discount),
        "total_discount_set": till.bag(line.own_discount),
        "variant_id": variant,
        "variant_inventory_management": "shopify" if line.ships else None,
        "variant_title": None,
        "vendor": "Ridgeline" if product else None,
        "tax_lines": [tax_line(tax, till) for tax in line.taxes],
        "duties": [
            {
                "id": duty.id,
                "admin_graphql_api_id": f"gid://shopify/Duty/{duty.id}",
                "harmonized_system_code": duty.hs_code,
                "country_code_of_origin": duty.origin,
                **till.bag(duty.amount),
                "tax_lines": [],
            }
            for duty in line.duties
        ],
        "discount_allocations": [
            {
                "amount": till.text(allocation.amount),
                "amount_set": till.bag(allocation.amount),
                "discount_application_index": allocation.application,
            }
            for allocation in line.allocations
        ],
    }


def tax_line(tax: Tax, till: Till) -> dict[str, Any]:
    return {
        "channel_liable": tax.rule.marketplace,
        "price": till.text(tax.amount),
        "price_set": till.bag(tax.amount),
        "rate": tax.rule.basis_points / 10_000,
        "title": tax.rule.title,
    }


def order_taxes(life: Life, lines: list[Line]) -> list[Tax]:
    """The order's tax by jurisdiction: the sum of its lines' and its shipping's tax lines."""
    sums: dict[str, Tax] = {}
    shipping = life.shipping.taxes if life.shipping else []
    for tax in [*(tax for line in lines for tax in line.taxes), *shipping]:
        known = sums.get(tax.rule.title)
        sums[tax.rule.title] = Tax(tax.rule, known.amount + tax.amount if known else tax.amount)
    return list(sums.values())


def application(item: Application, till: Till) -> dict[str, Any]:
    named = {"code": item.title} if item.kind == "discount_code" else {"title": item.title}
    if item.kind == "manual":
        named["description"] = item.title
    return {
        "target_type": item.target,
        "type": item.kind,
        "value": item.value,
        "value_type": item.value_type,
        "allocation_method": item.method,
        "target_selection": item.selection,
        **named,
    }


def discount_codes(life: Life, lines: list[Line]) -> list[dict[str, Any]]:
    codes = []
    for at, item in enumerate(life.applications):
        if item.kind != "discount_code":
            continue
        amount = ZERO
        for line in lines:
            for allocation in line.allocations:
                if allocation.application == at:
                    amount = amount + allocation.amount
        if item.target == "shipping_line" and life.shipping is not None:
            amount = life.shipping.discount
        kind = "shipping" if item.target == "shipping_line" else item.value_type
        codes.append({"code": item.title, "amount": life.till.text(amount), "type": kind})
    return codes


def shipping_lines(life: Life) -> list[dict[str, Any]]:
    return [shipping_line(life)] if life.shipping is not None else []


def shipping_line(life: Life) -> dict[str, Any]:
    item, till = life.shipping, life.till
    assert item is not None
    allocations = []
    if item.discount:
        allocations.append(
            {
                "amount": till.text(item.discount),
                "amount_set": till.bag(item.discount),
                "discount_application_index": item.application,
            }
        )
    return {
        "id": item.id,
        "carrier_identifier": None,
        "code": item.title,
        "discounted_price": till.text(item.discounted),
        "discounted_price_set": till.bag(item.discounted),
        "is_removed": False,
        "phone": None,
        "price": till.text(item.price),
        "price_set": till.bag(item.price),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": item.title,
        "tax_lines": [tax_line(tax, till) for tax in item.taxes],
        "discount_allocations": allocations,
    }


def gateways(life: Life, at: datetime) -> list[str]:
    return list(dict.fromkeys(payment.gateway for payment in life.payments_at(at)))


def cash_rounding(life: Life, at: datetime) -> Amount:
    """What the till rounded; on top of what was received, in no total of the order."""
    return next((payment.rounding for payment in life.payments_at(at) if payment.rounding is not None), ZERO)


def transaction(life: Life, item: Payment, at: datetime) -> dict[str, Any]:
    """A transaction; its flat amount is in the currency that the buyer paid in, unlike an order's flat fields."""
    till = life.till
    unsettled = till.bag(ZERO if item.kind != "authorization" else item.amount)
    body: dict[str, Any] = {
        "id": item.id,
        "order_id": life.id,
        "kind": item.kind,
        "gateway": item.gateway,
        "status": item.status_at(at),
        "message": "Declined" if item.status == "failure" else None,
        "created_at": item.at.isoformat(),
        "test": life.test,
        "authorization": f"auth-{item.parent or item.id}" if item.gateway in _ONLINE else None,
        "location_id": None,
        "user_id": None,
        "parent_id": item.parent,
        "processed_at": item.at.isoformat(),
        "device_id": None,
        "error_code": "card_declined" if item.status == "failure" else None,
        "source_name": life.source,
        "receipt": {},
        "currency_exchange_adjustment": None,
        "amount": till.buyer_text(item.amount),
        "currency": till.buyer,
        "payment_id": f"#{life.number}.{item.sequence}",
        "total_unsettled_set": {
            side: {"amount": money["amount"], "currency": money["currency_code"]} for side, money in unsettled.items()
        },
        "manual_payment_gateway": item.gateway in ("Bank Deposit", "manual", "cash"),
        "amount_rounding": till.text(item.rounding) if item.rounding is not None else None,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{item.id}",
    }
    if item.gateway == "gift_card":
        body["receipt"] = {"gift_card_id": 1_035_197_676 + life.index, "gift_card_last_characters": "0d0d"}
    elif item.gateway == "shopify_payments":
        body["payment_details"] = {
            "credit_card_number": "•••• •••• •••• 4242",
            "credit_card_company": "Visa",
            "payment_method_name": "visa",
        }
    return body


def fulfillment(life: Life, item: Shipment, at: datetime) -> dict[str, Any]:
    """A fulfilment; each of its lines carries the quantity that it ships."""
    delivered = item.delivered_at is not None and item.delivered_at <= at
    moment = item.delivered_at if delivered and item.delivered_at else item.at
    lines = []
    for _, line, quantity in item.parts:
        lines.append({**line_item(life, line, at), "quantity": quantity})
    urls = [f"{TRACKING_URL}{number}" for number in item.numbers]
    return {
        "id": item.id,
        "order_id": life.id,
        "status": "success",
        "created_at": item.at.isoformat(),
        "service": item.service,
        "updated_at": moment.isoformat(),
        "tracking_company": item.carrier,
        "shipment_status": "delivered" if delivered else None,
        "location_id": LOCATION_ID if item.service == "manual" else None,
        "origin_address": None,
        "line_items": lines,
        "tracking_number": item.numbers[0] if item.numbers else None,
        "tracking_numbers": list(item.numbers),
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": urls,
        "receipt": {},
        "name": f"#{life.number}.{item.sequence}",
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{item.id}",
    }


def refund(life: Life, item: Refund, at: datetime) -> dict[str, Any]:
    till = life.till
    return {
        "id": item.id,
        "order_id": life.id,
        "created_at": item.at.isoformat(),
        "note": item.note,
        "user_id": None,
        "processed_at": item.at.isoformat(),
        "duties": [],
        "total_duties_set": till.bag(ZERO),
        "return": _return_of(item),
        "restock": any(part.restock_type != "no_restock" for part in item.lines),
        "additional_fees": [],
        "total_additional_fees_set": till.bag(ZERO),
        "refund_shipping_lines": _refunded_shipping(life, item),
        "admin_graphql_api_id": f"gid://shopify/Refund/{item.id}",
        "order_adjustments": [
            {
                "id": part.id,
                "order_id": life.id,
                "refund_id": item.id,
                "amount": till.text(part.amount),
                "tax_amount": till.text(part.tax),
                "kind": part.kind,
                "reason": part.reason,
                "amount_set": till.bag(part.amount),
                "tax_amount_set": till.bag(part.tax),
            }
            for part in item.adjustments
        ],
        "refund_line_items": [
            {
                "id": part.id,
                "quantity": part.quantity,
                "line_item_id": part.line.id,
                "location_id": None if part.restock_type == "no_restock" else LOCATION_ID,
                "restock_type": part.restock_type,
                "subtotal": till.number(part.subtotal),
                "total_tax": till.number(part.tax),
                "subtotal_set": till.bag(part.subtotal),
                "total_tax_set": till.bag(part.tax),
                "line_item": line_item(life, part.line, at),
            }
            for part in item.lines
        ],
        "transactions": [transaction(life, payment, at) for payment in item.payments],
    }


def _return_of(item: Refund) -> dict[str, Any] | None:
    if item.part_of is None:
        return None
    return {"id": item.part_of.id, "admin_graphql_api_id": f"gid://shopify/Return/{item.part_of.id}"}


def _refunded_shipping(life: Life, item: Refund) -> list[dict[str, Any]]:
    if not item.shipping_id or life.shipping is None:
        return []
    return [
        {
            "id": item.shipping_id,
            "shipping_line_id": life.shipping.id,
            "subtotal_amount_set": life.till.bag(item.shipping),
            "shipping_line": shipping_line(life),
        }
    ]


def payment_terms(life: Life, at: datetime, totals: Totals) -> dict[str, Any] | None:
    if life.terms_days is None:
        return None
    issued = life.placed_at
    paid = life.paid_at is not None and life.paid_at <= at
    return {
        "id": life.id + 2,
        "payment_terms_name": f"Net {life.terms_days}",
        "payment_terms_type": "net",
        "due_in_days": life.terms_days,
        "created_at": issued.isoformat(),
        "updated_at": issued.isoformat(),
        "payment_schedules": [
            {
                "id": life.id + 3,
                "created_at": issued.isoformat(),
                "updated_at": issued.isoformat(),
                "payment_terms_id": life.id + 2,
                "reference_id": life.id,
                "reference_type": "Order",
                "issued_at": issued.isoformat(),
                "due_at": due_at(life).isoformat(),
                "completed_at": life.paid_at.isoformat() if paid and life.paid_at else None,
                "amount": life.till.text(totals.price),
                "currency": life.till.shop,
            }
        ],
    }


def due_at(life: Life) -> datetime:
    return life.placed_at + timedelta(days=life.terms_days or 0)


def order_edit(life: Life, item: Edit) -> dict[str, Any]:
    """The body of orders/edited: what changed, by line id; the amounts are only in the order itself."""
    return {
        "order_edit": {
            "id": item.id,
            "app_id": None,
            "created_at": item.at.isoformat(),
            "notify_customer": False,
            "order_id": life.id,
            "staff_note": "",
            "user_id": None,
            "committed_at": item.at.isoformat(),
            "line_items": {
                "additions": [{"id": line.id, "delta": line.quantity} for line in item.added],
                "removals": [{"id": line.id, "delta": quantity} for line, quantity in item.removed],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def approved_return(life: Life, item: Return) -> dict[str, Any]:
    """The body of returns/approve."""
    lines = []
    for number, part, line, quantity, reason in item.lines:
        lines.append(
            {
                "id": number,
                "admin_graphql_api_id": f"gid://shopify/ReturnLineItem/{number}",
                "fulfillment_line_item": {
                    "id": part,
                    "admin_graphql_api_id": f"gid://shopify/FulfillmentLineItem/{part}",
                    "line_item": {"id": line.id, "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}"},
                },
                "quantity": quantity,
                "return_reason": reason,
                "return_reason_note": "",
                "customer_note": None,
                "restocking_fee": None,
            }
        )
    return {
        "id": item.id,
        "admin_graphql_api_id": f"gid://shopify/Return/{item.id}",
        "status": "open",
        "order": {"id": life.id, "admin_graphql_api_id": f"gid://shopify/Order/{life.id}"},
        "total_return_line_items": sum(part[3] for part in item.lines),
        "name": f"#{life.number}-R{item.sequence}",
        "return_line_items": lines,
        "return_shipping_fees": [],
        "exchange_line_items": [
            {
                "id": number,
                "admin_graphql_api_id": f"gid://shopify/ExchangeLineItem/{number}",
                "line_item": {"id": line.id, "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}"},
            }
            for number, line in item.exchanged
        ],
        "total_exchange_line_items": len(item.exchanged),
    }


def closed_return(life: Life, item: Return) -> dict[str, Any]:
    """The body of returns/close."""
    return {
        "id": item.id,
        "admin_graphql_api_id": f"gid://shopify/Return/{item.id}",
        "order_id": life.id,
        "status": "closed",
    }
