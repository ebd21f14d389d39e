"""The GraphQL shape, rewritten into the REST shape, so that one mapping reads both and gives the same facts.

Only structure changes here: connections become lists, money bags become a flat shop amount beside its `*_set`, enum
words go to lower case. What is absurd goes through as it is, and the mapping names it, by its GraphQL path.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

Json = dict[str, Any]

_ORDER: Final = {
    "id": "id",
    "name": "name",
    "currency": "currencyCode",
    "presentment_currency": "presentmentCurrencyCode",
    "created_at": "createdAt",
    "processed_at": "processedAt",
    "updated_at": "updatedAt",
    "cancelled_at": "cancelledAt",
    "closed_at": "closedAt",
    "test": "test",
    "taxes_included": "taxesIncluded",
    "duties_included": "dutiesIncluded",
    "email": "email",
    "phone": "phone",
    "po_number": "poNumber",
    "source_name": "sourceName",
    "payment_gateway_names": "paymentGatewayNames",
}
_ORDER_WORDS: Final = {"cancel_reason": "cancelReason", "financial_status": "displayFinancialStatus"}
_ORDER_MONEY: Final = {
    "total_price": "totalPriceSet",
    "current_total_price": "currentTotalPriceSet",
    "total_discounts": "totalDiscountsSet",
    "total_tax": "totalTaxSet",
    "total_tip_received": "totalTipReceivedSet",
}
_ADDRESS: Final = {
    "first_name": "firstName",
    "last_name": "lastName",
    "name": "name",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "province_code": "provinceCode",
    "zip": "zip",
    "country": "country",
    "country_code": "countryCodeV2",
    "phone": "phone",
}

# REST name → GraphQL name, where it is not just the camel case of it; for paths in errors.
_NAMES: Final = {
    "currency": "currencyCode",
    "presentment_currency": "presentmentCurrencyCode",
    "financial_status": "displayFinancialStatus",
    "total_price": "totalPriceSet",
    "current_total_price": "currentTotalPriceSet",
    "total_discounts": "totalDiscountsSet",
    "total_tax": "totalTaxSet",
    "total_tip_received": "totalTipReceivedSet",
    "total_discount": "totalDiscountSet",
    "price": "priceSet",
    "price_set": "priceSet",
    "discounted_price": "discountedPriceSet",
    "amount": "amountSet",
    "tax_amount": "taxAmountSet",
    "subtotal": "subtotalSet",
    "gift_card": "isGiftCard",
    "shipment_status": "displayStatus",
    "refund_line_items": "refundLineItems",
    "shop_money": "shopMoney",
    "presentment_money": "presentmentMoney",
    "currency_code": "currencyCode",
    "country_code": "countryCodeV2",
    "line_item_id": "lineItem.id",
    "parent_id": "parentTransaction.id",
    "variant_id": "variant.id",
    "product_id": "product.id",
    "location_id": "location.id",
    "sales_line_item_group_id": "lineItemGroup.id",
    "company": "purchasingEntity.company",
}
_LINE_PRICE = re.compile(r"^((?:lineItems|shippingLines)\[\d+\])\.(?:nodes\.)?priceSet")


def graphql_path(path: str) -> str:
    """The path in a GraphQL answer of what the REST shape has at `path`."""
    parts = []
    for part in path.split("."):
        name, bracket, index = part.partition("[")
        parts.append(f"{_NAMES.get(name) or _camel(name)}{bracket}{index}")
    renamed = ".".join(parts)
    return _LINE_PRICE.sub(
        lambda found: f"{found[1]}.original{'Unit' if found[1].startswith('line') else ''}PriceSet", renamed
    )


def rest_order(node: Json) -> Json:
    """An Order node as REST has it; a field that was not asked for is left out."""
    order = _picked(node, _ORDER) | _words(node, _ORDER_WORDS)
    for name, given in _ORDER_MONEY.items():
        _money(order, name, node, given)
    for name, given in (
        ("original_total_duties_set", "originalTotalDutiesSet"),
        ("original_total_additional_fees_set", "originalTotalAdditionalFeesSet"),
    ):
        if given in node:
            order[name] = money_set(node[given])
    rounding = node.get("totalCashRoundingAdjustment")
    if isinstance(rounding, dict):
        order["total_cash_rounding_payment_adjustment_set"] = money_set(rounding.get("paymentSet"))
    if "discountApplications" in node:
        order["discount_applications"] = [_application(item) for item in listed(node["discountApplications"])]
    _each(order, "line_items", node, "lineItems", _line)
    _each(order, "shipping_lines", node, "shippingLines", _shipping)
    _each(order, "tax_lines", node, "taxLines", _tax)
    _each(order, "refunds", node, "refunds", rest_refund)
    _each(order, "fulfillments", node, "fulfillments", rest_fulfilment)
    _each(order, "transactions", node, "transactions", rest_transaction)
    customer = node.get("customer")
    if isinstance(customer, dict):
        names = {"id": "id", "first_name": "firstName", "last_name": "lastName", "email": "email", "phone": "phone"}
        order["customer"] = _picked(customer, names)
    elif "customer" in node:
        order["customer"] = customer
    for name, given in (("billing_address", "billingAddress"), ("shipping_address", "shippingAddress")):
        address = node.get(given)
        order[name] = _picked(address, _ADDRESS) if isinstance(address, dict) else address
    purchaser = node.get("purchasingEntity")
    if isinstance(purchaser, dict) and isinstance(company := purchaser.get("company"), dict):
        order["company"] = _picked(company, {"id": "id", "name": "name"})
    return order


def rest_refund(node: Any) -> Any:
    """A Refund node as REST has it. Its order adjustments are discrepancies: GraphQL has no other kind."""
    if not isinstance(node, dict):
        return node
    refund = _picked(node, {"id": "id", "created_at": "createdAt", "processed_at": "processedAt", "return": "return"})
    _each(refund, "refund_line_items", node, "refundLineItems", _refund_line)
    _each(refund, "transactions", node, "transactions", rest_transaction)
    _each(refund, "refund_shipping_lines", node, "refundShippingLines", _refund_shipping)
    _each(refund, "order_adjustments", node, "orderAdjustments", _adjustment)
    _each(refund, "duties", node, "duties", lambda duty: {"amount_set": money_set(_of(duty, "amountSet"))})
    order = node.get("order")
    if isinstance(order, dict):
        refund["order_id"] = order.get("id")
    return refund


def rest_fulfilment(node: Any) -> Any:
    """A Fulfillment node as REST has it."""
    if not isinstance(node, dict):
        return node
    names = {"id": "id", "created_at": "createdAt", "updated_at": "updatedAt", "delivered_at": "deliveredAt"}
    found = _picked(node, names) | _words(node, {"status": "status", "shipment_status": "displayStatus"})
    found["location_id"] = _of(node.get("location"), "id")
    tracking = [item for item in listed(node.get("trackingInfo")) if isinstance(item, dict)]
    if tracking:
        found["tracking_company"] = tracking[0].get("company")
        found["tracking_numbers"] = [item["number"] for item in tracking if item.get("number") is not None]
        found["tracking_urls"] = [item["url"] for item in tracking if item.get("url") is not None]
    _each(found, "line_items", node, "fulfillmentLineItems", _fulfilment_line)
    found["order_id"] = _of(node.get("order"), "id")
    return found


def rest_transaction(node: Any) -> Any:
    """An OrderTransaction node as REST has it, its amount in the shop's currency."""
    if not isinstance(node, dict):
        return node
    names = {"id": "id", "gateway": "gateway", "created_at": "createdAt", "processed_at": "processedAt", "test": "test"}
    found = _picked(node, names) | _words(node, {"kind": "kind", "status": "status"})
    _money(found, "amount", node, "amountSet")
    bag = found.get("amount_set")
    found["currency"] = _of(_of(bag, "shop_money"), "currency_code")
    found["parent_id"] = _of(node.get("parentTransaction"), "id")
    found["order_id"] = _of(node.get("order"), "id")
    return found


def rest_return(node: Any) -> Any:
    """A Return node as the webhook has it."""
    if not isinstance(node, dict):
        return node
    found = _picked(node, {"id": "id", "created_at": "createdAt", "closed_at": "closedAt", "order": "order"})
    found |= _words(node, {"status": "status"})
    _each(found, "return_line_items", node, "returnLineItems", _return_line)
    exchanged = [
        {"quantity": _of(item, "quantity") if len(lines) == 1 else 1, "line_item": line}
        for item in listed(node.get("exchangeLineItems"))
        for lines in [_of(item, "lineItems") or [_of(item, "lineItem")]]
        for line in lines
    ]
    if exchanged:
        found["exchange_line_items"] = exchanged
    return found


def rest_fulfilment_order(node: Any) -> Any:
    """A FulfillmentOrder node as REST has it."""
    if not isinstance(node, dict):
        return node
    names = {"id": "id", "created_at": "createdAt", "updated_at": "updatedAt", "fulfill_by": "fulfillBy"}
    found = _picked(node, names) | _words(node, {"status": "status"})
    method = node.get("deliveryMethod")
    if isinstance(method, dict):
        found["delivery_method"] = _picked(method, {"max_delivery_date_time": "maxDeliveryDateTime"})
    found["order_id"] = _of(node.get("order"), "id")
    return found


def listed(connection: Any) -> Any:
    """The nodes of a connection (`nodes`, `edges` or a plain list); anything else as it is, () for none."""
    if connection is None:
        return ()
    if isinstance(connection, dict):
        if isinstance(nodes := connection.get("nodes"), list):
            return nodes
        if isinstance(edges := connection.get("edges"), list):
            return [_of(edge, "node") for edge in edges]
        return ()
    return connection if isinstance(connection, list) else ()


def cut_short(node: Json) -> Iterable[str]:
    """The paths of connections that have more pages than this answer holds: facts would be missing."""
    stack: list[tuple[str, Any]] = [("", node)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            page = value.get("pageInfo")
            if isinstance(page, dict) and page.get("hasNextPage") is True:
                yield f"{path}.pageInfo.hasNextPage"
            stack += [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
        elif isinstance(value, list):
            stack += [(f"{path}[{i}]", item) for i, item in enumerate(value)]


def money_set(bag: Any) -> Any:
    """A MoneyBag as a REST `*_set`."""
    if not isinstance(bag, dict):
        return bag
    return {"shop_money": _side(bag.get("shopMoney")), "presentment_money": _side(bag.get("presentmentMoney"))}


def _side(money: Any) -> Any:
    if not isinstance(money, dict):
        return money
    return {"amount": money.get("amount"), "currency_code": money.get("currencyCode")}


def _money(found: Json, name: str, node: Json, given: str) -> None:
    if given not in node:
        return
    bag = money_set(node[given])
    side = _of(bag, "shop_money") if isinstance(bag, dict) else bag
    found[name] = side.get("amount") if isinstance(side, dict) else side
    found[f"{name}_set"] = bag


def _line(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    names = {"id": "id", "title": "title", "name": "name", "sku": "sku", "quantity": "quantity"}
    names |= {"current_quantity": "currentQuantity", "gift_card": "isGiftCard", "requires_shipping": "requiresShipping"}
    line = _picked(node, names)
    _money(line, "price", node, "originalUnitPriceSet")
    _money(line, "total_discount", node, "totalDiscountSet")
    line["variant_id"] = _of(node.get("variant"), "id")
    line["product_id"] = _of(node.get("product"), "id")
    line["sales_line_item_group_id"] = _of(node.get("lineItemGroup"), "id")
    _each(line, "tax_lines", node, "taxLines", _tax)
    _each(line, "discount_allocations", node, "discountAllocations", _allocation)
    _each(line, "duties", node, "duties", _duty)
    return line


def _shipping(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    line = _picked(node, {"id": "id", "title": "title", "code": "code", "is_removed": "isRemoved"})
    _money(line, "price", node, "originalPriceSet")
    _money(line, "discounted_price", node, "discountedPriceSet")
    _each(line, "tax_lines", node, "taxLines", _tax)
    _each(line, "discount_allocations", node, "discountAllocations", _allocation)
    return line


def _tax(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    tax = _picked(node, {"title": "title", "rate": "rate", "channel_liable": "channelLiable"})
    _money(tax, "price", node, "priceSet")
    return tax


def _duty(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    duty: Json = {"price_set": money_set(node.get("price"))}
    _each(duty, "tax_lines", node, "taxLines", _tax)
    return duty


def _allocation(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    found: Json = {"discount_application_index": _of(node.get("discountApplication"), "index")}
    _money(found, "amount", node, "allocatedAmountSet")
    return found


def _application(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    found = _picked(node, {"code": "code", "title": "title", "description": "description"})
    return found | _words(node, {"target_type": "targetType", "allocation_method": "allocationMethod"})


def _refund_line(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    line = _picked(node, {"quantity": "quantity"}) | _words(node, {"restock_type": "restockType"})
    line["line_item_id"] = _of(node.get("lineItem"), "id")
    line["location_id"] = _of(node.get("location"), "id")
    _money(line, "subtotal", node, "subtotalSet")
    _money(line, "total_tax", node, "totalTaxSet")
    return line


def _refund_shipping(node: Any) -> Any:
    return {
        "subtotal_amount_set": money_set(_of(node, "subtotalAmountSet")),
        "tax_amount_set": money_set(_of(node, "taxAmountSet")),
    }


def _adjustment(node: Any) -> Any:
    found: Json = {"kind": "refund_discrepancy"}
    if isinstance(node, dict):
        _money(found, "amount", node, "amountSet")
        _money(found, "tax_amount", node, "taxAmountSet")
    return found


def _fulfilment_line(node: Any) -> Any:
    return {"id": _of(_of(node, "lineItem"), "id"), "quantity": _of(node, "quantity")}


def _return_line(node: Any) -> Any:
    reason = _of(node, "returnReason")
    return {
        "quantity": _of(node, "quantity"),
        "line_item": _of(_of(node, "fulfillmentLineItem"), "lineItem"),
        "return_reason": reason.lower() if isinstance(reason, str) else reason,
    }


def _each(found: Json, name: str, node: Json, given: str, rewrite: Any) -> None:
    if given not in node:
        return
    connection = node[given]
    known = connection is None or isinstance(connection, list)
    if isinstance(connection, dict):
        known = isinstance(connection.get("nodes"), list) or isinstance(connection.get("edges"), list)
    found[name] = [rewrite(item) for item in listed(connection)] if known else connection


def _picked(node: Json, names: dict[str, str]) -> Json:
    return {name: node[given] for name, given in names.items() if given in node}


def _words(node: Json, names: dict[str, str]) -> Json:
    return {
        name: value.lower() if isinstance(value := node[given], str) else value
        for name, given in names.items()
        if given in node
    }


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
