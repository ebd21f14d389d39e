"""Every authentic Shopify payload is accounted for, by name: what it is, or why it is held.

The payloads are read in place and never copied. A file that is added there fails this test until it is listed here.
"""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from connectors.shopify import PLUGIN
from connectors.shopify.connector import ShopifyConnector
from hub.errors import Untranslatable
from hub.model.order import Snapshot
from hub.model.records import Received, Record
from hub.ports import ChannelConfig, Unreadable

SAMPLES: Final = Path(__file__).parents[3] / "shared" / "contracts" / "shopify" / "samples"
RECEIVED_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("shared_contracts")  # skips, with its reason, where they are not beside

# "order": its identity as placed holds to the unit. After " | ": the paths of claims that its facts do not bear out.
OUTCOMES: Final = {
    "graphql-fixtures/BulkMutationResponse.json": "not_an_order: GraphQL answer to bulkOperationRunMutation",
    "graphql-fixtures/BulkOperationCompletedResult.json": "not_an_order: GraphQL answer to node",
    "graphql-fixtures/CompanyLocationResult.json": "not_an_order: GraphQL answer to companyLocation",
    "graphql-fixtures/CompanyLocations.json": "not_an_order: GraphQL answer to companyLocationCreate",
    "graphql-fixtures/DraftOrderCompleteResult.json": "not_an_order: GraphQL answer to draftOrderComplete",
    "graphql-fixtures/FulfillmentCreateResult.json": "not_an_order: GraphQL answer to fulfillmentCreate",
    "graphql-fixtures/FulfillmentFailedResult.json": "not_an_order: GraphQL answer to fulfillmentCreate",
    "graphql-fixtures/FulfillmentOrderAcceptResponse.json": (
        "not_an_order: GraphQL answer to fulfillmentOrderAcceptFulfillmentRequest"
    ),
    "graphql-fixtures/FulfillmentOrderResult.json": "not_an_order: GraphQL order without anything that is used here",
    "graphql-fixtures/OrderTransactionResult.json": "held: id: missing",
    "rest-2026-07/REQUESTS.json": (
        "held: $: not a Shopify document that is known here; its keys: "
        "balance/balance.json, dispute/disputes.jso, draft_order/draft-or, draft_order/draft-or"
    ),
    "rest-2026-07/balance/balance.json": "not_an_order: balance",
    "rest-2026-07/dispute/disputes.json": "not_an_order: dispute",
    "rest-2026-07/draft_order/draft-order-completed.json": "not_an_order: draft order",
    "rest-2026-07/draft_order/draft-order-discount-custom-lines.json": "not_an_order: draft order",
    "rest-2026-07/fulfillment/fulfillment-test_1.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_10.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_11.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_12.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_13.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_2.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_3.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_5.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_6.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_7.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_8.json": "facts: fulfilment",
    "rest-2026-07/fulfillment/fulfillment-test_9.json": "facts: fulfilment",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_1.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_10.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_11.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_12.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_14.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_2.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_3.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_4.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_5.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_6.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_7.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_8.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_order/fulfillment_order-test_9.json": "not_an_order: fulfillment order",
    "rest-2026-07/fulfillment_request/fulfillment-request-partial-split.json": "not_an_order: fulfillment order",
    "rest-2026-07/gift_card/gift-card-created-recipient.json": "not_an_order: gift card",
    "rest-2026-07/gift_card/gift-card.json": "not_an_order: gift card",
    "rest-2026-07/gift_card/gift-cards-enabled.json": "not_an_order: gift card",
    "rest-2026-07/inventory_level/inventory-level-set.json": "not_an_order: inventory level",
    "rest-2026-07/inventory_level/inventory-levels.json": "not_an_order: inventory level",
    "rest-2026-07/location/locations.json": "not_an_order: location",
    "rest-2026-07/order/order-cancelled-with-amount-refund.json": "order | current_total_price",
    "rest-2026-07/order/order-cancelled-with-line-refund-restock.json": "order | current_total_price",
    "rest-2026-07/order/order-cancelled.json": "order",
    "rest-2026-07/order/order-closed.json": "order",
    "rest-2026-07/order/order-created-comprehensive-discount-code.json": "order",
    "rest-2026-07/order/order-created-eur-custom-line-transaction-tax.json": "order",
    "rest-2026-07/order/order-created-fulfilled-shipping-lines.json": "order",
    "rest-2026-07/order/order-created-fulfilled-with-fulfillments.json": "order",
    "rest-2026-07/order/order-created-partially-paid-new-customer.json": "order",
    "rest-2026-07/order/order-created-pending-existing-customer.json": "order",
    "rest-2026-07/order/order-created-send-receipt.json": "order",
    "rest-2026-07/order/order-created-simple-guest.json": "order",
    "rest-2026-07/order/order-created-tax-lines-per-item.json": "order",
    "rest-2026-07/order/order-updated-customer-removed.json": "order",
    "rest-2026-07/order/order-updated-shipping-address.json": "order",
    "rest-2026-07/order/orders-list-by-ids.json": "order",
    "rest-2026-07/order/orders-list-partially-refunded.json": "order",
    "rest-2026-07/payment_transaction/payment_transaction-test_1.json": "balance",
    "rest-2026-07/payout/payout-test_1.json": "payout",
    "rest-2026-07/payout/payout-test_2.json": "payout",
    "rest-2026-07/payout/payout-test_3.json": "payout",
    "rest-2026-07/refund/refund-test_1.json": "facts: refund tender",
    "rest-2026-07/refund/refund-test_2.json": "facts: refund tender",
    "rest-2026-07/refund/refund-test_3.json": "facts: refund tender",
    "rest-2026-07/refund/refund-test_4.json": "facts: refund tender",
    "rest-2026-07/refund/refund-test_5.json": "not_an_order: calculation of a refund, not a refund",
    "rest-2026-07/refund/refund-test_6.json": "not_an_order: calculation of a refund, not a refund",
    "rest-2026-07/shop/shop.json": "not_an_order: shop",
    "rest-2026-07/tender_transaction/tender-transactions.json": "not_an_order: tender transaction",
    "rest-2026-07/transaction/transaction-test_1.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_2.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_3.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_4.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_5.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_6.json": "facts: tender",
    "rest-2026-07/transaction/transaction-test_8.json": "facts: tender",
    "rest-2026-07/webhook/webhook-created.json": "not_an_order: webhook subscription",
    "rest-2026-07/webhook/webhooks-list.json": "not_an_order: webhook subscription",
    "rest-fixtures/go-draft_order.json": "not_an_order: draft order",
    "rest-fixtures/go-fulfillment.json": "facts: fulfilment",
    "rest-fixtures/go-fulfillment_order.json": "not_an_order: fulfillment order",
    "rest-fixtures/go-order.json": "order | current_total_price",
    "rest-fixtures/go-order_with_transaction.json": "order | transactions[0].currency, current_total_price",
    "rest-fixtures/go-orders.json": "order | current_total_price",
    "rest-fixtures/go-payments_transactions.json": "balance",
    "rest-fixtures/go-payouts.json": "payout",
    "rest-fixtures/py-balance.json": "not_an_order: balance",
    "rest-fixtures/py-checkouts.json": "not_an_order: checkout",
    "rest-fixtures/py-disputes.json": "not_an_order: dispute",
    "rest-fixtures/py-draft_order_completed.json": "not_an_order: draft order",
    "rest-fixtures/py-fulfillment.json": "facts: fulfilment",
    "rest-fixtures/py-gift_card.json": "not_an_order: gift card",
    "rest-fixtures/py-inventory_levels.json": "not_an_order: inventory level",
    "rest-fixtures/py-locations.json": "not_an_order: location",
    "rest-fixtures/py-order.json": "held: identity -19900",
    "rest-fixtures/py-order_risks.json": "not_an_order: order risk",
    "rest-fixtures/py-orders.json": "held: line_items: none",
    "rest-fixtures/py-payout.json": "payout",
    "rest-fixtures/py-payouts.json": "payout",
    "rest-fixtures/py-payouts_transactions.json": "balance",
    "rest-fixtures/py-refund.json": (
        "held: refund_line_items[0].subtotal: missing; refund_line_items[1].subtotal: missing"
    ),
    "rest-fixtures/py-refund_calculate.json": "not_an_order: calculation of a refund, not a refund",
    "rest-fixtures/py-tender_transactions.json": "not_an_order: tender transaction",
    "rest-fixtures/py-transactions.json": "facts: tender",
    "webhooks-2024-10/app.uninstalled.json": "not_an_order: topic app/uninstalled",
    "webhooks-2024-10/bulk_operations.finish.json": "not_an_order: topic bulk_operations/finish",
    "webhooks-2024-10/companies.create.json": "not_an_order: topic companies/create",
    "webhooks-2024-10/company_locations.create.json": "not_an_order: topic company_locations/create",
    "webhooks-2024-10/customers.create.json": "not_an_order: topic customers/create",
    "webhooks-2024-10/disputes.create.json": "not_an_order: dispute",
    "webhooks-2024-10/draft_orders.create.json": "not_an_order: draft order",
    "webhooks-2024-10/fulfillment_orders.cancelled.json": "not_an_order: fulfillment order",
    "webhooks-2024-10/fulfillment_orders.moved.json": "not_an_order: fulfillment order",
    "webhooks-2024-10/fulfillment_orders.placed_on_hold.json": "not_an_order: fulfillment order",
    "webhooks-2024-10/fulfillment_orders.split.json": "not_an_order: fulfillment order",
    "webhooks-2024-10/fulfillments.create.json": "facts: fulfilment",
    "webhooks-2024-10/inventory_items.update.json": "not_an_order: topic inventory_items/update",
    "webhooks-2024-10/inventory_levels.update.json": "not_an_order: inventory level",
    "webhooks-2024-10/order_transactions.create.json": "facts: tender",
    "webhooks-2024-10/orders.cancelled.json": "order | current_total_price",
    "webhooks-2024-10/orders.create.json": "order | current_total_price",
    "webhooks-2024-10/orders.delete.json": "facts: deletion",
    "webhooks-2024-10/orders.edited.json": "facts: edit",
    "webhooks-2024-10/orders.paid.json": "order | current_total_price",
    "webhooks-2024-10/orders.risk_assessment_changed.json": "not_an_order: topic orders/risk_assessment_changed",
    "webhooks-2024-10/refunds.create.json": "facts: refund",
    "webhooks-2024-10/returns.approve.json": "facts: return | exchange_line_items[0].line_item",
    "webhooks-2024-10/returns.close.json": "facts: return",
    "webhooks-2024-10/returns.decline.json": "not_an_order: return that names no order",
    "webhooks-2024-10/returns.request.json": "facts: return",
    "webhooks-2024-10/returns.update.json": "not_an_order: change of a return, which names no order",
    "webhooks-2024-10/reverse_fulfillment_orders.dispose.json": (
        "not_an_order: topic reverse_fulfillment_orders/dispose"
    ),
    "webhooks-2024-10/shop.update.json": "not_an_order: topic shop/update",
    "webhooks-2024-10/tender_transactions.create.json": "not_an_order: tender transaction",
}


@cache
def connector() -> ShopifyConnector:
    connected: ShopifyConnector = PLUGIN.connect(ChannelConfig("shopify", "main", "USD", "America/New_York"))
    return connected


def outcome(item: Received | Unreadable) -> str:
    if isinstance(item, Unreadable):
        return f"unreadable: {item.problem.path}: {item.problem.message}"
    record = Record(1, item.channel, item.topic, item.source, item.body, item.received_at)
    try:
        found = connector().translate(record)
    except Untranslatable as error:
        return f"held: {error}"
    if found.ignored is not None:
        return f"not_an_order: {found.ignored}"
    if found.payouts or found.settlement_lines:
        return "payout" if found.payouts else "balance"
    first = found.facts[0].body
    said = "facts: " + " ".join(fact.kind for fact in found.facts)
    if isinstance(first, Snapshot):
        gap = first.claimed_total_minor - first.computed_total_minor
        said = "order" if not gap else f"held: identity {gap}"
    return " | ".join((said, ", ".join(problem.path for problem in found.problems))) if found.problems else said


def test_every_authentic_payload_is_listed() -> None:
    assert sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.json")) == sorted(OUTCOMES)


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_an_authentic_payload_has_the_outcome_that_fits(name: str) -> None:
    content = (SAMPLES / name).read_bytes()

    seen = {outcome(item) for item in connector().read_file(content, RECEIVED_AT)}

    assert seen == {OUTCOMES[name]}


def test_only_two_authentic_orders_are_held() -> None:
    held = {name for name, said in OUTCOMES.items() if said.startswith("held") and "order" in Path(name).name}

    assert held == {"rest-fixtures/py-order.json", "rest-fixtures/py-orders.json"}
