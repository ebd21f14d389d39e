"""What Shopify sends, REST and webhook shape: only the fields used, strict types, everything else ignored.

Amounts stay the text they came as, times too: the mapping reads them, so that a fault is named with its path and all
faults of a record come at once. A `*_set` stays raw: it is looked into only where the flat field does not suffice
(another presentment currency), which spares three models an amount.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

LINES_MAX: Final = 2_000  # lines of one order; Shopify's own limit is 500 (checkout), 1,000 with edits
PARTS_MAX: Final = 2_000  # refunds, fulfilments, transactions … of one order
TEXT_CHARS_MAX: Final = 2_000

Text = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
Id = Annotated[int | Text, Field(union_mode="left_to_right")]
Amount = Text  # "199.00"
Number = Annotated[int | Decimal | Text, Field(union_mode="left_to_right")]  # 199.0, in two fields of a refund line
Quantity = Annotated[int, Field(ge=0, le=10_000_000)]
Raw = Any  # looked into by the mapping


class Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    def __repr__(self) -> str:
        """No field: buyers' names and addresses are among them."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class TaxLinePayload(Payload):
    title: Text | None = None
    price: Amount
    price_set: Raw = None
    rate: Number | None = None
    channel_liable: bool | None = None


class AllocationPayload(Payload):
    amount: Amount
    amount_set: Raw = None
    discount_application_index: int | None = None


class ApplicationPayload(Payload):
    target_type: Text | None = None
    allocation_method: Text | None = None
    code: Text | None = None
    title: Text | None = None
    description: Text | None = None


class DutyPayload(Payload):
    price_set: Raw = None
    shop_money: Raw = None
    presentment_money: Raw = None
    tax_lines: list[TaxLinePayload] = []


class LinePayload(Payload):
    id: Id
    title: Text | None = None
    name: Text | None = None
    sku: Text | None = None
    product_id: Id | None = None
    variant_id: Id | None = None
    quantity: Quantity
    current_quantity: Quantity | None = None
    price: Amount
    price_set: Raw = None
    total_discount: Amount | None = None
    total_discount_set: Raw = None
    gift_card: bool | None = None
    requires_shipping: bool | None = None
    discount_allocations: list[AllocationPayload] | None = None
    tax_lines: list[TaxLinePayload] | None = None
    duties: list[DutyPayload] | None = None
    sales_line_item_group_id: Id | None = None  # the bundle that it was sold in


class ShippingPayload(Payload):
    id: Id | None = None
    title: Text | None = None
    code: Text | None = None
    price: Amount
    price_set: Raw = None
    discounted_price: Amount | None = None
    discounted_price_set: Raw = None
    discount_allocations: list[AllocationPayload] | None = None
    tax_lines: list[TaxLinePayload] | None = None
    is_removed: bool | None = None


class AddressPayload(Payload):
    first_name: Text | None = None
    last_name: Text | None = None
    name: Text | None = None
    company: Text | None = None
    address1: Text | None = None
    address2: Text | None = None
    city: Text | None = None
    province: Text | None = None
    province_code: Text | None = None
    zip: Text | None = None
    country: Text | None = None
    country_code: Text | None = None
    phone: Text | None = None


class CustomerPayload(Payload):
    id: Id | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None


class CompanyPayload(Payload):
    id: Id | None = None
    name: Text | None = None


class FulfilmentLinePayload(Payload):
    id: Id
    quantity: Quantity


class FulfilmentPayload(Payload):
    id: Id
    order_id: Id | None = None
    status: Text | None
    shipment_status: Text | None = None
    created_at: Text
    updated_at: Text | None = None
    delivered_at: Text | None = None  # GraphQL alone says it
    location_id: Id | None = None
    tracking_company: Text | None = None
    tracking_number: Text | None = None
    tracking_numbers: list[Text] | None = None
    tracking_url: Text | None = None
    tracking_urls: list[Text] | None = None
    line_items: list[FulfilmentLinePayload] = Field(default=[], max_length=LINES_MAX)


class DeliveryMethodPayload(Payload):
    max_delivery_date_time: Text | None = None


class FulfilmentOrderPayload(Payload):
    id: Id
    order_id: Id | None = None
    status: Text | None = None
    created_at: Text | None = None
    updated_at: Text | None = None
    fulfill_by: Text | None = None
    delivery_method: DeliveryMethodPayload | None = None


class TransactionPayload(Payload):
    id: Id
    order_id: Id | None = None
    parent_id: Id | None = None
    kind: Text
    status: Text
    gateway: Text | None = None
    amount: Amount
    amount_set: Raw = None
    currency: Text | None = None
    created_at: Text | None = None
    processed_at: Text | None = None
    test: bool | None = None


class RefundLineTaxes(Payload):
    """The order line inside a refund line, looked at only to learn whether the subtotal holds the tax."""

    tax_lines: list[TaxLinePayload] | None = None


class RefundLinePayload(Payload):
    line_item_id: Id
    quantity: Quantity
    subtotal: Number
    subtotal_set: Raw = None
    total_tax: Number | None = None
    total_tax_set: Raw = None
    restock_type: Text | None = None
    location_id: Id | None = None
    line_item: RefundLineTaxes | None = None


class OrderAdjustmentPayload(Payload):
    kind: Text
    amount: Amount
    amount_set: Raw = None
    tax_amount: Amount | None = None
    tax_amount_set: Raw = None


class RefundShippingPayload(Payload):
    subtotal_amount_set: Raw
    tax_amount_set: Raw = None


class RefundDutyPayload(Payload):
    amount_set: Raw


class RefundPayload(Payload):
    id: Id
    order_id: Id | None = None
    created_at: Text | None = None
    processed_at: Text | None = None
    return_: Raw = Field(default=None, alias="return")
    refund_line_items: list[RefundLinePayload] = Field(default=[], max_length=LINES_MAX)
    order_adjustments: list[OrderAdjustmentPayload] | None = None
    refund_shipping_lines: list[RefundShippingPayload] | None = None
    duties: list[RefundDutyPayload] | None = None
    transactions: list[TransactionPayload] | None = None


class OrderPayload(Payload):
    id: Id
    name: Text | None = None
    currency: Text
    presentment_currency: Text | None = None
    created_at: Text
    processed_at: Text | None = None
    updated_at: Text
    cancelled_at: Text | None = None
    cancel_reason: Text | None = None
    closed_at: Text | None = None
    test: bool | None = None
    taxes_included: bool
    duties_included: bool | None = None
    financial_status: Text | None = None
    total_price: Amount
    total_price_set: Raw = None
    current_total_price: Amount | None = None
    total_discounts: Amount | None = None
    total_discounts_set: Raw = None
    total_tax: Amount | None = None
    total_tax_set: Raw = None
    total_tip_received: Amount | None = None
    total_tip_received_set: Raw = None
    original_total_duties_set: Raw = None
    original_total_additional_fees_set: Raw = None
    total_cash_rounding_payment_adjustment_set: Raw = None
    tax_lines: list[TaxLinePayload] | None = None
    line_items: list[LinePayload] = Field(default=[], max_length=LINES_MAX)  # none is named by the mapping
    shipping_lines: list[ShippingPayload] | None = None
    discount_applications: list[ApplicationPayload] | None = None
    refunds: list[RefundPayload] | None = Field(default=None, max_length=PARTS_MAX)
    fulfillments: list[FulfilmentPayload] | None = Field(default=None, max_length=PARTS_MAX)
    transactions: list[TransactionPayload] | None = Field(default=None, max_length=PARTS_MAX)
    customer: CustomerPayload | None = None
    email: Text | None = None
    phone: Text | None = None
    billing_address: AddressPayload | None = None
    shipping_address: AddressPayload | None = None
    company: CompanyPayload | None = None
    po_number: Text | None = None
    source_name: Text | None = None
    payment_gateway_names: list[Text] | None = None
    gateway: Text | None = None


class ReturnLinePayload(Payload):
    quantity: Quantity
    fulfillment_line_item: Raw = None
    line_item: Raw = None
    return_reason: Text | None = None


class ExchangeLinePayload(Payload):
    quantity: Quantity | None = None
    line_item: Raw = None


class ReturnPayload(Payload):
    id: Id
    status: Text
    order_id: Id | None = None
    order: Raw = None
    created_at: Text | None = None
    closed_at: Text | None = None
    return_line_items: list[ReturnLinePayload] | None = Field(default=None, max_length=LINES_MAX)
    exchange_line_items: list[ExchangeLinePayload] | None = None


class DeltaPayload(Payload):
    id: Id
    delta: Quantity


class DeltasPayload(Payload):
    additions: list[DeltaPayload] = []
    removals: list[DeltaPayload] = []


class EditPayload(Payload):
    id: Id
    order_id: Id
    committed_at: Text | None = None
    created_at: Text | None = None
    line_items: DeltasPayload = DeltasPayload()


class DeletionPayload(Payload):
    id: Id


class PayoutPayload(Payload):
    id: Id
    status: Text
    date: Text
    amount: Amount
    currency: Text
    trace_id: Text | None = None
    withdrawal: bool = False


class BalancePayload(Payload):
    id: Id
    type: Text
    test: bool | None = None
    payout_id: Id | None = None
    currency: Text
    amount: Amount
    fee: Amount
    net: Amount
    source_order_id: Id | None = None
    source_order_transaction_id: Id | None = None
    processed_at: Text
