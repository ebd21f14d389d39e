"""Writes a life as an Order node of Shopify's Admin GraphQL API, with the fields an integration asks for."""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import Any

from connectors.shopify.rehearsal import people, rest
from connectors.shopify.rehearsal.basket import variant_id
from connectors.shopify.rehearsal.happenings import LOCATION_ID, TRACKING_URL
from connectors.shopify.rehearsal.life import Life, Line, Payment, Refund, Return, Shipment, Shipping, Tax, Totals
from connectors.shopify.rehearsal.money import ZERO, Till, total

_APPLICATION_TYPES = {
    "discount_code": "DiscountCodeApplication",
    "manual": "ManualDiscountApplication",
    "automatic": "AutomaticDiscountApplication",
}
_FULFILLMENT_STATUS = {
    None: "UNFULFILLED",
    "partial": "PARTIALLY_FULFILLED",
    "fulfilled": "FULFILLED",
    "restocked": "RESTOCKED",
}


def order(life: Life, at: datetime) -> dict[str, Any]:
    """The order at that moment, connections as `{"nodes": […]}`."""
    bag = life.till.money_bag
    totals = life.totals(at)
    lines = life.lines_at(at)
    original = life.totals(life.placed_at).price
    refunds = [item for item in life.refunds if item.at <= at]
    cancelled = life.cancelled_at is not None and life.cancelled_at <= at
    shipping_refunded = total([refund.shipping for refund in refunds])
    rounding = rest.cash_rounding(life, at)
    return {
        "id": f"gid://shopify/Order/{life.id}",
        "legacyResourceId": str(life.id),
        "name": f"#{life.number}",
        "number": life.number,
        "createdAt": life.placed_at.isoformat(),
        "processedAt": life.processed_at.isoformat(),
        "updatedAt": rest.updated_at(life, at).isoformat(),
        "cancelledAt": life.cancelled_at.isoformat() if cancelled and life.cancelled_at else None,
        "cancelReason": life.cancel_reason.upper() if cancelled and life.cancel_reason else None,
        "closed": cancelled,
        "closedAt": life.cancelled_at.isoformat() if cancelled and life.cancelled_at else None,
        "confirmed": True,
        "test": life.test,
        "edited": any(edit.at <= at for edit in life.edits),
        "email": people.email(life.buyer) if life.buyer else f"guest{life.index}@example.com",
        "note": None,
        "tags": [],
        "poNumber": f"PO-{life.company}-{life.index}" if life.company is not None else None,
        "sourceName": life.source,
        "currencyCode": life.till.shop,
        "presentmentCurrencyCode": life.till.buyer,
        "taxesIncluded": life.taxes_included,
        "dutiesIncluded": False,
        "taxExempt": False,
        "displayFinancialStatus": life.financial_status(at, totals).upper(),
        "displayFulfillmentStatus": _FULFILLMENT_STATUS[life.fulfillment_status(at)],
        "returnStatus": _return_status(life, at),
        "paymentGatewayNames": rest.gateways(life, at),
        "discountCodes": [item.title for item in life.applications if item.kind == "discount_code"],
        "subtotalPriceSet": bag(totals.subtotal),
        "totalPriceSet": bag(totals.price),
        "originalTotalPriceSet": bag(original),
        "totalDiscountsSet": bag(totals.discounts),
        "totalShippingPriceSet": bag(totals.shipping),
        "totalTaxSet": bag(totals.tax),
        "totalTipReceivedSet": bag(life.tip),
        "originalTotalDutiesSet": bag(totals.duties) if totals.duties else None,
        "originalTotalAdditionalFeesSet": bag(life.fee) if life.fee else None,
        "currentSubtotalPriceSet": bag(totals.current_subtotal),
        "currentTotalPriceSet": bag(totals.current_price),
        "currentTotalDiscountsSet": bag(totals.current_discounts),
        "currentShippingPriceSet": bag(totals.current_shipping),
        "currentTotalTaxSet": bag(totals.current_tax),
        "currentTotalDutiesSet": bag(totals.duties) if totals.duties else None,
        "currentTotalAdditionalFeesSet": bag(life.fee) if life.fee else None,
        "totalOutstandingSet": bag(totals.outstanding),
        "totalReceivedSet": bag(totals.received),
        "totalRefundedSet": bag(totals.refunded),
        "totalRefundedShippingSet": bag(shipping_refunded),
        "netPaymentSet": bag(totals.received - totals.refunded),
        "refundDiscrepancySet": bag(total([refund.discrepancy() for refund in refunds])),
        "totalCashRoundingAdjustment": {"paymentSet": bag(rounding), "refundSet": bag(ZERO)},
        "additionalFees": _fees(life),
        "customer": _customer(life),
        "purchasingEntity": _purchaser(life),
        "paymentTerms": _terms(life, at, totals),
        "billingAddress": _address(life),
        "shippingAddress": _address(life) if life.shipping is not None else None,
        "taxLines": [_tax(tax, life.till) for tax in rest.order_taxes(life, lines)],
        "discountApplications": {"nodes": [_application(life, index) for index in range(len(life.applications))]},
        "lineItems": {"nodes": [_line(life, line, at) for line in lines]},
        "shippingLines": {"nodes": [_shipping(life, life.shipping, at)] if life.shipping is not None else []},
        "transactions": [_transaction(life, item, at) for item in life.payments_at(at)],
        "fulfillments": [_fulfillment(life, item, at) for item in life.shipments if item.at <= at],
        "refunds": [_refund(life, item, at) for item in refunds],
        "returns": {"nodes": [_return(life, item, at) for item in life.returns if item.at <= at]},
    }


def _return_status(life: Life, at: datetime) -> str:
    opened = [item for item in life.returns if item.at <= at]
    if not opened:
        return "NO_RETURN"
    return "RETURNED" if all(item.closed_at and item.closed_at <= at for item in opened) else "IN_PROGRESS"


def _tax(tax: Tax, till: Till) -> dict[str, Any]:
    return {
        "title": tax.rule.title,
        "rate": tax.rule.basis_points / 10_000,
        "ratePercentage": tax.rule.basis_points / 100,
        "priceSet": till.money_bag(tax.amount),
        "channelLiable": tax.rule.marketplace,
    }


def _application(life: Life, index: int) -> dict[str, Any]:
    item = life.applications[index]
    value: dict[str, Any] = {"__typename": "PricingPercentageValue", "percentage": 0.0}
    if item.value_type == "percentage":
        value["percentage"] = float(item.value)
    else:
        value = {"__typename": "MoneyV2", **life.till.buyer_money(item.fixed)}
    body: dict[str, Any] = {
        "__typename": _APPLICATION_TYPES[item.kind],
        "index": index,
        "allocationMethod": item.method.upper(),
        "targetSelection": item.selection.upper(),
        "targetType": item.target.upper(),
        "value": value,
    }
    body["code" if item.kind == "discount_code" else "title"] = item.title
    return body


def _line(life: Life, line: Line, at: datetime) -> dict[str, Any]:
    bag, product = life.till.money_bag, line.product
    variant = variant_id(product) if product else None
    gone = life.gone_at(at, line)
    kit = line.kit
    group = kit and {
        "id": f"gid://shopify/LineItemGroup/{kit.id}",
        "title": kit.product.title,
        "quantity": kit.quantity,
        "variantId": f"gid://shopify/ProductVariant/{variant_id(kit.product)}",
        "variantSku": kit.product.sku,
    }
    return {
        "id": f"gid://shopify/LineItem/{line.id}",
        "name": line.title,
        "title": line.title,
        "variantTitle": None,
        "sku": line.sku,
        "vendor": "Ridgeline" if product else None,
        "variant": {"id": f"gid://shopify/ProductVariant/{variant}"} if variant else None,
        "product": {"id": f"gid://shopify/Product/{variant - 30_000_000_000_000}"} if variant else None,
        "quantity": line.quantity,
        "currentQuantity": line.quantity - gone,
        "refundableQuantity": line.quantity - gone,
        "unfulfilledQuantity": life.to_ship_at(at, line),
        "isGiftCard": line.gift_card,
        "taxable": line.taxable,
        "requiresShipping": line.ships,
        "originalUnitPriceSet": bag(line.price),
        "originalTotalSet": bag(line.gross),
        "totalDiscountSet": bag(line.own_discount),
        "discountedTotalSet": bag(line.gross - line.own_discount),
        "customAttributes": [{"key": key, "value": value} for key, value in line.properties],
        "lineItemGroup": group,
        "taxLines": [_tax(tax, life.till) for tax in line.taxes],
        "duties": [
            {
                "id": f"gid://shopify/Duty/{duty.id}",
                "harmonizedSystemCode": duty.hs_code,
                "countryCodeOfOrigin": duty.origin,
                "price": bag(duty.amount),
                "taxLines": [],
            }
            for duty in line.duties
        ],
        "discountAllocations": [
            {
                "allocatedAmountSet": bag(allocation.amount),
                "discountApplication": _application(life, allocation.application),
            }
            for allocation in line.allocations
        ],
    }


def _shipping(life: Life, item: Shipping, at: datetime) -> dict[str, Any]:
    bag = life.till.money_bag
    allocations = []
    if item.discount:
        allocations.append(
            {
                "allocatedAmountSet": bag(item.discount),
                "discountApplication": _application(life, item.application),
            }
        )
    return {
        "id": f"gid://shopify/ShippingLine/{item.id}",
        "title": item.title,
        "code": item.title,
        "custom": False,
        "isRemoved": False,
        "source": "shopify",
        "originalPriceSet": bag(item.price),
        "discountedPriceSet": bag(item.discounted),
        "currentDiscountedPriceSet": bag(life.totals(at).current_shipping),
        "taxLines": [_tax(tax, life.till) for tax in item.taxes],
        "discountAllocations": allocations,
    }


def _transaction(life: Life, item: Payment, at: datetime) -> dict[str, Any]:
    bag = life.till.money_bag
    return {
        "id": f"gid://shopify/OrderTransaction/{item.id}",
        "kind": item.kind.upper(),
        "status": item.status_at(at).upper(),
        "gateway": item.gateway,
        "test": life.test,
        "createdAt": item.at.isoformat(),
        "processedAt": item.at.isoformat(),
        "amountSet": bag(item.amount),
        "amountRoundingSet": bag(item.rounding) if item.rounding is not None else None,
        "errorCode": "CARD_DECLINED" if item.status == "failure" else None,
        "manualPaymentGateway": item.gateway in ("Bank Deposit", "manual", "cash"),
        "paymentId": f"#{life.number}.{item.sequence}",
        "parentTransaction": {"id": f"gid://shopify/OrderTransaction/{item.parent}"} if item.parent else None,
    }


def _fulfillment(life: Life, item: Shipment, at: datetime) -> dict[str, Any]:
    delivered = item.delivered_at if item.delivered_at and item.delivered_at <= at else None
    urls = item.urls if item.urls is not None else [f"{TRACKING_URL}{number}" for number in item.numbers]
    tracking = [
        {"company": item.carrier, "number": number, "url": url}
        for number, url in zip_longest(item.numbers, urls[: len(item.numbers)])
    ]
    cancelled = item.cancelled_at is not None and item.cancelled_at <= at
    return {
        "id": f"gid://shopify/Fulfillment/{item.id}",
        "legacyResourceId": str(item.id),
        "name": f"#{life.number}.{item.sequence}",
        "status": "CANCELLED" if cancelled else "SUCCESS",
        "displayStatus": "CANCELED" if cancelled else "DELIVERED" if delivered else "FULFILLED",
        "createdAt": item.at.isoformat(),
        "updatedAt": item.updated_at(at).isoformat(),
        "deliveredAt": delivered.isoformat() if delivered else None,
        "totalQuantity": sum(quantity for _, _, quantity in item.parts),
        "location": {"id": f"gid://shopify/Location/{item.location or LOCATION_ID}"}
        if item.service == "manual"
        else None,
        "trackingInfo": tracking,
        "fulfillmentLineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/FulfillmentLineItem/{number}",
                    "quantity": quantity,
                    "lineItem": {"id": f"gid://shopify/LineItem/{line.id}"},
                }
                for number, line, quantity in item.parts
            ]
        },
    }


def _refund(life: Life, item: Refund, at: datetime) -> dict[str, Any]:
    bag = life.till.money_bag
    lines = [
        {
            "id": f"gid://shopify/RefundLineItem/{part.id}",
            "lineItem": {"id": f"gid://shopify/LineItem/{part.line.id}"},
            "quantity": part.quantity,
            "restockType": part.restock_type.upper(),
            "restocked": part.restock_type != "no_restock",
            "location": None if part.restock_type == "no_restock" else {"id": f"gid://shopify/Location/{LOCATION_ID}"},
            "subtotalSet": bag(part.subtotal),
            "totalTaxSet": bag(part.tax),
        }
        for part in item.lines
    ]
    adjustments = [
        {
            "id": f"gid://shopify/OrderAdjustment/{part.id}",
            "reason": "REFUND_DISCREPANCY",
            "amountSet": bag(part.amount),
            "taxAmountSet": bag(part.tax),
        }
        for part in item.adjustments
        if part.kind == "refund_discrepancy"  # GraphQL has refunded shipping in refundShippingLines alone
    ]
    shipping = []
    if item.shipping_id and life.shipping is not None:
        shipping.append(
            {
                "id": f"gid://shopify/RefundShippingLine/{item.shipping_id}",
                "shippingLine": {"id": f"gid://shopify/ShippingLine/{life.shipping.id}"},
                "subtotalAmountSet": bag(item.shipping),
                "taxAmountSet": bag(item.shipping_tax),
            }
        )
    return {
        "id": f"gid://shopify/Refund/{item.id}",
        "legacyResourceId": str(item.id),
        "createdAt": item.at.isoformat(),
        "processedAt": item.at.isoformat(),
        "updatedAt": item.at.isoformat(),
        "note": item.note,
        "totalRefundedSet": bag(total([payment.amount for payment in item.payments])),
        "return": {"id": f"gid://shopify/Return/{item.part_of.id}"} if item.part_of else None,
        "duties": [],
        "refundLineItems": {"nodes": lines},
        "refundShippingLines": {"nodes": shipping},
        "orderAdjustments": {"nodes": adjustments},
        "transactions": {"nodes": [_transaction(life, payment, at) for payment in item.payments]},
    }


def _return(life: Life, item: Return, at: datetime) -> dict[str, Any]:
    closed = item.closed_at if item.closed_at and item.closed_at <= at else None
    lines = []
    for number, part, _line_item, quantity, reason in item.lines:
        processed = quantity if closed else 0
        lines.append(
            {
                "__typename": "ReturnLineItem",
                "id": f"gid://shopify/ReturnLineItem/{number}",
                "fulfillmentLineItem": {
                    "id": f"gid://shopify/FulfillmentLineItem/{part}",
                    "lineItem": {"id": f"gid://shopify/LineItem/{_line_item.id}"},
                },
                "quantity": quantity,
                "processedQuantity": processed,
                "refundedQuantity": processed,
                "refundableQuantity": quantity - processed,
                "returnReason": reason.upper(),
                "returnReasonNote": "",
                "customerNote": None,
                "restockingFee": None,
            }
        )
    exchanged = [
        {
            "id": f"gid://shopify/ExchangeLineItem/{number}",
            "quantity": line.quantity,
            "variantSku": line.sku,
            "lineItems": [{"id": f"gid://shopify/LineItem/{line.id}"}],
        }
        for number, line in item.exchanged
    ]
    return {
        "id": f"gid://shopify/Return/{item.id}",
        "name": f"#{life.number}-R{item.sequence}",
        "status": "CLOSED" if closed else "OPEN",
        "createdAt": item.at.isoformat(),
        "closedAt": closed.isoformat() if closed else None,
        "totalQuantity": sum(part[3] for part in item.lines),
        "returnLineItems": {"nodes": lines},
        "exchangeLineItems": {"nodes": exchanged},
        "returnShippingFees": [],
        "refunds": {"nodes": [{"id": f"gid://shopify/Refund/{r.id}"} for r in life.refunds if r.part_of is item]},
    }


def _fees(life: Life) -> list[dict[str, Any]]:
    if not life.fee:
        return []
    fee = {"name": "Retail delivery fee", "price": life.till.money_bag(life.fee), "taxLines": []}
    return [{"id": f"gid://shopify/AdditionalFee/{life.id + 4}", **fee}]


def _customer(life: Life) -> dict[str, Any] | None:
    if life.buyer is None:
        return None
    first, last = people.name(life.buyer)
    number = people.customer_id(life.buyer)
    return {
        "id": f"gid://shopify/Customer/{number}",
        "legacyResourceId": str(number),
        "displayName": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "email": people.email(life.buyer),
    }


def _purchaser(life: Life) -> dict[str, Any] | None:
    if life.company is not None:
        company = {"id": f"gid://shopify/Company/{5_000 + life.company}", "name": people.company(life.company)}
        location = {"id": f"gid://shopify/CompanyLocation/{9_000 + life.company}", "name": "Main"}
        return {"__typename": "PurchasingCompany", "company": company, "location": location}
    if life.buyer is None:
        return None
    return {"__typename": "Customer", "id": f"gid://shopify/Customer/{people.customer_id(life.buyer)}"}


def _terms(life: Life, at: datetime, totals: Totals) -> dict[str, Any] | None:
    if life.terms_days is None:
        return None
    paid = life.paid_at if life.paid_at and life.paid_at <= at else None
    due_at = rest.due_at(life)
    schedule = {
        "id": f"gid://shopify/PaymentSchedule/{life.id + 3}",
        "issuedAt": life.placed_at.isoformat(),
        "dueAt": due_at.isoformat(),
        "completedAt": paid.isoformat() if paid else None,
        "totalBalance": life.till.money(totals.price),
        "balanceDue": life.till.money(totals.outstanding),
    }
    return {
        "id": f"gid://shopify/PaymentTerms/{life.id + 2}",
        "paymentTermsName": f"Net {life.terms_days}",
        "paymentTermsType": "NET",
        "dueInDays": life.terms_days,
        "overdue": paid is None and due_at < at,
        "paymentSchedules": {"nodes": [schedule]},
    }


def _address(life: Life) -> dict[str, Any]:
    buyer = life.buyer or life.index
    first, last = people.name(buyer)
    street, city, postal_code, province, code = people.place(buyer)
    return {
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "company": people.company(life.company) if life.company is not None else None,
        "address1": street,
        "address2": None,
        "city": city,
        "zip": postal_code,
        "province": province,
        "provinceCode": code,
        "country": "United States",
        "countryCodeV2": "US",
        "phone": "+1 555 0100",
    }
