"""Writes a life as Shopify's REST and webhook JSON, as it stood at any moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.shopify.rehearsal import happenings, people
from connectors.shopify.rehearsal.life import Application, Life, Line, Tax, Totals
from connectors.shopify.rehearsal.lines import line_item, shipping_line, tax_line
from connectors.shopify.rehearsal.money import ZERO, Amount, Till


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
        "location_id": happenings.LOCATION_ID if life.source == "pos" else None,
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
        "processed_at": life.processed_at.isoformat(),
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
        "fulfillments": [happenings.fulfillment(life, item, at) for item in life.shipments if item.at <= at],
        "line_items": list(written.values()),
        "payment_terms": payment_terms(life, at, totals),
        "refunds": [happenings.refund(life, item, at) for item in life.refunds if item.at <= at],
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
        body["transactions"] = [happenings.transaction(life, item, at) for item in life.payments_at(at)]
    return body


def updated_at(life: Life, at: datetime) -> datetime:
    """When the order last changed."""
    return max((happening.at for happening in life.happenings if happening.at <= at), default=life.placed_at)


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
    return [shipping_line(life.shipping, life.till)] if life.shipping is not None else []


def gateways(life: Life, at: datetime) -> list[str]:
    return list(dict.fromkeys(payment.gateway for payment in life.payments_at(at)))


def cash_rounding(life: Life, at: datetime) -> Amount:
    """What the till rounded; on top of what was received, in no total of the order."""
    return next((payment.rounding for payment in life.payments_at(at) if payment.rounding is not None), ZERO)


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
