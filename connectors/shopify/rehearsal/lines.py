"""Writes the lines of an order as Shopify's REST JSON: goods, shipping, taxes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.shopify.rehearsal.basket import variant_id
from connectors.shopify.rehearsal.life import Life, Line, Shipping, Tax
from connectors.shopify.rehearsal.money import Till


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


def shipping_line(item: Shipping, till: Till) -> dict[str, Any]:
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
