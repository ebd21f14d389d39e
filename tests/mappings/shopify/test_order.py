"""What an order's payload means, figure by figure."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

import connectors.shopify
from hub.model.facts import (
    Adjustment,
    AdjustmentKind,
    FactKind,
    Fulfilment,
    FulfilmentStatus,
    Refund,
    Restock,
    Source,
    Tender,
    TenderKind,
    TenderStatus,
)
from hub.model.order import ChargeKind, Collector, LineKind, Scope, Snapshot
from hub.model.records import Translation
from mappings.shopify import translate

SAMPLES: Final = Path(connectors.shopify.__file__).parent / "samples"
AT: Final = datetime(2026, 10, 1, tzinfo=UTC)


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.in.json").read_text(), parse_float=Decimal)
    inner = document.get("order", document)
    assert isinstance(inner, dict)
    return inner


def read(document: object, topic: str = "") -> Translation:
    return translate("shop", topic, document, Source.WEBHOOK, "USD", AT)


def snapshot(document: object) -> Snapshot:
    body = read(document).facts[0].body
    assert isinstance(body, Snapshot)
    return body


def body_of(document: object, kind: FactKind, external_id: str) -> Any:
    [fact] = [f for f in read(document).facts if f.kind is kind and f.external_id == external_id]
    return fact.body


def test_tax_in_the_price_is_marked_so_and_does_not_add_to_the_total() -> None:
    order = snapshot(sample("tax-included"))

    [line] = order.lines
    assert (line.gross_minor, line.discount_minor, line.net_minor) == (11900, 1190, 9000)
    assert [(tax.amount_minor, tax.included) for tax in line.taxes] == [(1710, True)]
    assert order.computed_total_minor == 11200


def test_a_code_on_the_whole_order_has_its_name_and_scope() -> None:
    [discount] = snapshot(sample("tax-included")).lines[0].discounts

    assert (discount.amount_minor, discount.title, discount.scope) == (1190, "WELCOME", Scope.ORDER)


def test_a_discount_known_only_on_the_order_is_spread_by_what_the_lines_cost() -> None:
    document = sample("edited") | {"total_discounts": "10.00", "total_price": "65.00"}

    order = snapshot(document)

    assert [line.discount_minor for line in order.lines] == [667, 333]
    assert order.computed_total_minor == 6500


def test_a_tax_known_only_on_the_order_is_spread_over_its_lines() -> None:
    document = sample("edited") | {
        "total_price": "79.50",
        "total_tax": "4.50",
        "tax_lines": [{"title": "State Tax", "price": "4.50", "rate": Decimal("0.06")}],
    }

    order = snapshot(document)

    assert [[tax.amount_minor for tax in line.taxes] for line in order.lines] == [[300], [150]]


def test_the_rounding_of_an_orders_tax_goes_to_a_charge_of_its_own() -> None:
    order = snapshot(sample("dinar-marketplace-tax"))

    assert [(charge.kind, charge.amount_minor) for charge in order.charges] == [(ChargeKind.TAX_ROUNDING, 1)]


def test_a_tax_that_is_off_by_more_than_rounding_stays_off() -> None:
    document = sample("dinar-marketplace-tax") | {"total_tax": "0.622", "total_price": "12.997"}

    order = snapshot(document)

    assert order.charges == ()
    assert order.claimed_total_minor - order.computed_total_minor == 3


def test_a_tax_that_the_marketplace_remits_is_never_the_sellers() -> None:
    [tax] = snapshot(sample("dinar-marketplace-tax")).lines[0].taxes

    assert tax.collector is Collector.MARKETPLACE


def test_units_taken_out_by_an_edit_are_told_from_refunded_ones() -> None:
    assert [line.removed_quantity for line in snapshot(sample("edited")).lines] == [1, 0]
    assert [line.removed_quantity for line in snapshot(sample("exchange")).lines] == [0, 0]


def test_a_stale_current_quantity_is_a_problem_and_no_hold() -> None:
    document = sample("exchange")
    document["line_items"][0]["current_quantity"] = 1

    found = read(document)

    [problem] = found.problems
    assert (problem.path, problem.code) == ("line_items[0].current_quantity", "current_claim")
    assert [line.removed_quantity for line in snapshot(document).lines] == [0, 0]


def test_a_current_total_that_the_facts_do_not_leave_is_a_problem_with_its_amount() -> None:
    document = sample("exchange") | {"current_total_price": "53.00"}

    [problem] = read(document).problems

    assert (problem.path, problem.code, problem.amount_minor) == ("current_total_price", "current_claim", 2120)


def test_duties_fees_and_tips_are_charges() -> None:
    duties = snapshot(sample("duties-fee-custom-line"))
    tip = snapshot(sample("tip-and-gift-card-tender"))

    assert [(c.kind, c.amount_minor) for c in duties.charges] == [(ChargeKind.DUTY, 800), (ChargeKind.FEE, 29)]
    assert [(c.kind, c.amount_minor) for c in tip.charges] == [(ChargeKind.TIP, 600)]


def test_line_kinds_are_told_apart() -> None:
    kit = snapshot(sample("kit-and-gift-card-line")).lines
    custom = snapshot(sample("duties-fee-custom-line")).lines

    assert [line.kind for line in kit] == [LineKind.COMPONENT] * 3 + [LineKind.GIFT_CARD]
    assert [line.parent for line in kit] == ["91", "91", "91", None]
    assert [(line.kind, line.sku, line.product) for line in custom] == [
        (LineKind.PRODUCT, "TENT", "5014"),
        (LineKind.CUSTOM, None, None),
    ]


def test_a_company_on_terms_is_a_business_named_by_its_address() -> None:
    found = read(sample("b2b-company"))
    order = snapshot(sample("b2b-company"))

    assert (order.business, order.po_number, order.claimed_financial) == (True, "PO-77", "pending")
    assert found.parties[0].company == "Example Works, Inc."


def test_a_foreign_buyers_total_is_added_up_in_both_currencies() -> None:
    order = snapshot(sample("foreign-presentment"))

    assert (order.currency, order.computed_total_minor) == ("USD", 4740)
    assert order.presentment is not None
    assert order.presentment.currency == "EUR"
    assert order.presentment.computed_total_minor == 4361


def test_a_foreign_payment_of_the_whole_order_is_the_whole_order() -> None:
    tender = body_of(sample("foreign-presentment"), FactKind.TENDER, "31")

    assert (tender.amount_minor, tender.currency) == (4740, "USD")
    assert read(sample("foreign-presentment")).problems == ()


def test_a_foreign_payment_of_a_part_is_converted_at_the_orders_rate_and_says_so() -> None:
    document = sample("foreign-presentment")
    document["transactions"][0]["amount"] = "20.00"

    assert body_of(document, FactKind.TENDER, "31").amount_minor == 2174
    assert [(p.path, p.code) for p in read(document).problems] == [("transactions[0].amount", "converted")]


def test_a_transaction_in_a_third_currency_is_left_out_with_a_problem_and_does_not_hold_its_order() -> None:
    document = sample("tip-and-gift-card-tender")
    document["transactions"][0]["currency"] = "AUD"

    found = read(document)

    assert [fact.external_id for fact in found.facts if fact.kind is FactKind.TENDER] == ["33"]
    assert [(p.path, p.code) for p in found.problems] == [("transactions[0].currency", "tender_currency")]


def test_refunded_shipping_that_is_said_twice_counts_once() -> None:
    refund: Refund = body_of(sample("cancelled-shipping-refunded"), FactKind.REFUND, "45")

    assert refund.adjustments == (Adjustment(AdjustmentKind.SHIPPING, 500, 30),)
    assert refund.total_minor == 3710


def test_refunded_shipping_that_is_said_only_by_its_line_counts() -> None:
    document = sample("cancelled-shipping-refunded")
    document["refunds"][0]["order_adjustments"] = []

    refund: Refund = body_of(document, FactKind.REFUND, "45")

    assert refund.adjustments == (Adjustment(AdjustmentKind.SHIPPING, 500, 0),)


def test_money_given_beyond_the_parts_is_a_discrepancy_in_the_customers_favour() -> None:
    refund: Refund = body_of(sample("yen-amount-refund-pending"), FactKind.REFUND, "42")

    assert refund.adjustments == (Adjustment(AdjustmentKind.DISCREPANCY, 1000, 0),)


def test_the_same_transaction_in_its_refund_and_in_the_order_is_one_fact_that_knows_its_refund() -> None:
    facts = [fact for fact in read(sample("yen-amount-refund-pending")).facts if fact.external_id == "44"]

    assert [fact.body for fact in facts] == [
        Tender(
            TenderKind.REFUND,
            TenderStatus.PENDING,
            "shopify_payments",
            1000,
            "JPY",
            datetime(2026, 9, 21, tzinfo=UTC),
            "39",
            "42",
        )
    ]


def test_a_settled_transaction_outranks_its_pending_self() -> None:
    document = sample("yen-amount-refund-pending")
    pending = read(document).facts[2]
    document["refunds"][0]["transactions"][0]["status"] = "success"

    settled = read(document).facts[2]

    assert settled.external_id == pending.external_id == "44"
    assert settled.modified_at > pending.modified_at


def test_the_version_of_a_transaction_that_names_its_refund_outranks_the_one_alone() -> None:
    document = sample("yen-amount-refund-pending")
    alone = read(document["transactions"][1] | {"currency": "USD"}).facts[0]

    within = read(document).facts[2]

    assert (alone.external_id, within.external_id) == ("44", "44")
    assert within.modified_at > alone.modified_at


def test_a_refund_alone_tells_from_its_rate_that_its_subtotal_holds_the_tax() -> None:
    document = json.loads((SAMPLES / "refund-alone-tax-included.in.json").read_text(), parse_float=Decimal)

    refund: Refund = body_of(document, FactKind.REFUND, "102")

    assert [(line.net_minor, line.tax_minor, line.restock) for line in refund.lines] == [
        (4500, 855, Restock.NO_RESTOCK)
    ]


def test_a_refund_alone_that_cannot_tell_is_held() -> None:
    document = json.loads((SAMPLES / "refund-alone-tax-included.in.json").read_text(), parse_float=Decimal)
    document["refund"]["refund_line_items"][0]["line_item"]["tax_lines"] = []
    document["refund"]["transactions"] = []

    with pytest.raises(Exception, match=r"refund_line_items\[0\].subtotal: does not say whether it holds the tax"):
        read(document)


def test_a_delivered_fulfilment_has_its_day_and_its_parcel() -> None:
    fulfilment: Fulfilment = body_of(sample("exchange"), FactKind.FULFILMENT, "81")

    assert fulfilment.status is FulfilmentStatus.DELIVERED
    assert fulfilment.delivered_at == datetime(2026, 9, 17, 20, 30, tzinfo=UTC)
    assert [(parcel.carrier, parcel.tracking_number) for parcel in fulfilment.parcels] == [
        ("UPS", "1Z999AA10123456784")
    ]


def test_a_draft_a_checkout_and_a_product_say_nothing_of_orders() -> None:
    assert read({"draft_order": {"id": 1}}).ignored == "draft order"
    assert read({"checkouts": [{"id": 1}]}).ignored == "checkout"
    assert read({"id": 1, "title": "x", "variants": []}).ignored == "product"
    assert read({"id": 1}, "themes/publish").ignored == "topic themes/publish"


def test_a_party_is_an_immutable_version_that_shows_nothing_of_the_person() -> None:
    one = read(sample("edited")).parties[0]
    document = sample("edited")
    document["customer"]["email"] = "ada@elsewhere.example"

    other = read(document).parties[0]

    assert one.ref.id == other.ref.id == "customer-11106"
    assert one.ref.version != other.ref.version
    assert "ada" not in repr(one).lower()
