"""What a Shopify document is: told by its topic, else its envelope, else its own shape."""

from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    ORDER = "order"
    ORDER_NODE = "order_node"  # GraphQL
    REFUND = "refund"
    REFUND_NODE = "refund_node"
    FULFILMENT = "fulfillment"
    FULFILMENT_NODE = "fulfillment_node"
    TRANSACTION = "transaction"
    TRANSACTION_NODE = "transaction_node"
    RETURN = "return"
    RETURN_NODE = "return_node"
    FULFILMENT_ORDER = "fulfillment_order"
    FULFILMENT_ORDER_NODE = "fulfillment_order_node"  # inside an order's node only
    EDIT = "order_edit"
    DELETION = "order_deletion"
    PAYOUT = "payout"
    PAYOUT_NODE = "payout_node"
    BALANCE = "balance_transaction"
    BALANCE_NODE = "balance_transaction_node"


ENVELOPES: Final = {
    "order": Kind.ORDER,
    "orders": Kind.ORDER,
    "refund": Kind.REFUND,
    "refunds": Kind.REFUND,
    "fulfillment": Kind.FULFILMENT,
    "fulfillments": Kind.FULFILMENT,
    "transaction": Kind.TRANSACTION,
    "transactions": Kind.TRANSACTION,
    "return": Kind.RETURN,
    "returns": Kind.RETURN,
    "order_edit": Kind.EDIT,
    "order_node": Kind.ORDER_NODE,
    "payout": Kind.PAYOUT,
    "payouts": Kind.PAYOUT,
}
"""The key around a document → what it is. Two balance lists share the key `transactions`: their shape tells."""

OTHERS: Final = {
    **dict.fromkeys(("draft_order", "draft_orders"), "draft order"),
    **dict.fromkeys(("checkout", "checkouts"), "checkout"),
    "balance": "balance",
    **dict.fromkeys(("dispute", "disputes"), "dispute"),
    **dict.fromkeys(("gift_card", "gift_cards"), "gift card"),
    **dict.fromkeys(("inventory_level", "inventory_levels"), "inventory level"),
    **dict.fromkeys(("inventory_item", "inventory_items"), "inventory item"),
    **dict.fromkeys(("location", "locations"), "location"),
    **dict.fromkeys(("product", "products"), "product"),
    **dict.fromkeys(("customer", "customers"), "customer"),
    "shop": "shop",
    **dict.fromkeys(("risk", "risks"), "order risk"),
    **dict.fromkeys(("webhook", "webhooks"), "webhook subscription"),
    **dict.fromkeys(("tender_transaction", "tender_transactions"), "tender transaction"),
    **dict.fromkeys(
        (
            "fulfillment_order",
            "fulfillment_orders",
            "original_fulfillment_order",
            "moved_fulfillment_order",
            "submitted_fulfillment_order",
            "replacement_fulfillment_order",
        ),
        "fulfillment order",
    ),
}
"""Envelopes of what says nothing of an order's money or goods. A tender transaction repeats an order's transaction."""

_TOPICS: Final = {
    "orders/create": Kind.ORDER,
    "orders/updated": Kind.ORDER,
    "orders/paid": Kind.ORDER,
    "orders/partially_fulfilled": Kind.ORDER,
    "orders/fulfilled": Kind.ORDER,
    "orders/cancelled": Kind.ORDER,
    "orders/edited": Kind.EDIT,
    "orders/delete": Kind.DELETION,
    "refunds/create": Kind.REFUND,
    "fulfillments/create": Kind.FULFILMENT,
    "fulfillments/update": Kind.FULFILMENT,
    "order_transactions/create": Kind.TRANSACTION,
}
_SHAPES: Final = (  # keys that only this has, most telling first
    (Kind.EDIT, ("order_edit",)),
    (Kind.REFUND, ("refund_line_items",)),
    (Kind.REFUND_NODE, ("refundLineItems",)),
    (Kind.RETURN, ("return_line_items",)),
    (Kind.RETURN_NODE, ("returnLineItems",)),
    (Kind.FULFILMENT_NODE, ("fulfillmentLineItems",)),
    (Kind.ORDER_NODE, ("lineItems", "totalPriceSet", "currentTotalPriceSet", "displayFinancialStatus")),
    (Kind.TRANSACTION_NODE, ("amountSet", "parentTransaction")),
    (Kind.BALANCE_NODE, ("associatedPayout",)),
    (Kind.BALANCE, ("payout_id",)),
)
_SHAPES_APART: Final = (  # keys that tell it from an order
    ("draft order", ("invoice_sent_at", "invoice_url")),
    ("checkout", ("abandoned_checkout_url",)),
    ("fulfillment order", ("assigned_location_id", "fulfillment_orders")),
    ("tender transaction", ("remote_reference",)),
    ("dispute", ("network_reason_code", "evidence_due_by")),
    ("product", ("variants",)),
    ("inventory level", ("inventory_item_id",)),
    ("row of a bulk export", ("__parentId",)),
)
_TELLING_APART: Final = frozenset(key for _, keys in _SHAPES_APART for key in keys)
_GIDS: Final = {
    "Order": (Kind.ORDER, Kind.ORDER_NODE),
    "Refund": (Kind.REFUND, Kind.REFUND_NODE),
    "Fulfillment": (Kind.FULFILMENT, Kind.FULFILMENT_NODE),
    "OrderTransaction": (Kind.TRANSACTION, Kind.TRANSACTION_NODE),
    "Return": (Kind.RETURN, Kind.RETURN_NODE),
    "ShopifyPaymentsPayout": (Kind.PAYOUT, Kind.PAYOUT_NODE),
    "ShopifyPaymentsBalanceTransaction": (Kind.BALANCE, Kind.BALANCE_NODE),
}
_ORDER_KEYS: Final = frozenset(("line_items", "total_price", "order_number", "financial_status", "subtotal_price"))
_TRANSACTION_KEYS: Final = frozenset(("kind", "gateway", "status", "amount"))
_FULFILMENT_KEYS: Final = frozenset(("tracking_company", "tracking_numbers", "shipment_status"))


def kind_of(topic: str, document: dict[str, Any]) -> Kind | str | None:
    """The kind; as a text what it is instead, where it says nothing of orders; None where nobody knows it."""
    if not document.keys().isdisjoint(_TELLING_APART):
        return next(word for word, keys in _SHAPES_APART if any(key in document for key in keys))
    if topic in _TOPICS:
        return _TOPICS[topic]
    if topic == "returns/update":
        return "change of a return, which names no order"
    if topic.startswith("returns/"):
        return Kind.RETURN
    if topic.startswith("answer/"):
        return f"GraphQL answer to {topic.removeprefix('answer/')}"
    if "/" in topic:
        return f"topic {topic}"
    if topic in OTHERS:
        return OTHERS[topic]
    shape = _shape(document)
    if topic == "balance_transactions":
        return shape if isinstance(shape, Kind) else Kind.BALANCE
    return shape if shape is not None or topic not in ENVELOPES else ENVELOPES[topic]


def _shape(document: dict[str, Any]) -> Kind | str | None:
    identity = document.get("id")
    if isinstance(identity, str) and identity.startswith("gid://shopify/"):
        word = identity.removeprefix("gid://shopify/").partition("/")[0]
        return _GIDS[word][1] if word in _GIDS else f"GraphQL {word[:40]}"
    for kind, keys in _SHAPES:
        if any(key in document for key in keys):
            return kind
    identity = document.get("admin_graphql_api_id")
    if isinstance(identity, str) and identity.startswith("gid://shopify/"):
        word = identity.removeprefix("gid://shopify/").partition("/")[0]
        return _GIDS[word][0] if word in _GIDS else word[:40]
    if len(_ORDER_KEYS & document.keys()) > 1:
        return Kind.ORDER
    if "order_id" in document and _FULFILMENT_KEYS & document.keys():
        return Kind.FULFILMENT
    if len(_TRANSACTION_KEYS & document.keys()) > 2:
        return Kind.TRANSACTION
    if len(_ORDER_KEYS & document.keys()) == 1 and "id" in document:
        return Kind.ORDER
    return None
