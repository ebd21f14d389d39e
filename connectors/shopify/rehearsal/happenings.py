"""Writes what happens to an order as Shopify's REST and webhook JSON: payment, fulfilment, refund, edit, return."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.shopify.rehearsal.life import Edit, Life, Payment, Refund, Return, Shipment
from connectors.shopify.rehearsal.lines import line_item, shipping_line
from connectors.shopify.rehearsal.money import ZERO

LOCATION_ID = 655_441_491
TRACKING_URL = "https://tracking.example.com/"
_ONLINE = ("shopify_payments", "paypal")


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
    cancelled = item.cancelled_at is not None and item.cancelled_at <= at
    lines = []
    for _, line, quantity in item.parts:
        lines.append({**line_item(life, line, at), "quantity": quantity})
    urls = item.urls if item.urls is not None else [f"{TRACKING_URL}{number}" for number in item.numbers]
    return {
        "id": item.id,
        "order_id": life.id,
        "status": "cancelled" if cancelled else "success",
        "created_at": item.at.isoformat(),
        "service": item.service,
        "updated_at": item.updated_at(at).isoformat(),
        "tracking_company": item.carrier,
        "shipment_status": "delivered" if delivered else None,
        "location_id": (item.location or LOCATION_ID) if item.service == "manual" else None,
        "origin_address": None,
        "line_items": lines,
        "tracking_number": item.numbers[0] if item.numbers else None,
        "tracking_numbers": list(item.numbers),
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": list(urls),
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
            "shipping_line": shipping_line(life.shipping, life.till),
        }
    ]


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
