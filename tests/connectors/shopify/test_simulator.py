"""The rehearsed shop keeps Shopify's arithmetic, words and shapes; otherwise it proves nothing about a mapping."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import graphql
import pytest

from connectors.shopify.simulator import CATALOGUE, Story, compose

START = datetime(2026, 10, 1, tzinfo=timezone(timedelta(hours=-5)))
SHOPS = [(1, "USD"), (7, "USD"), (2026, "USD"), (7, "JPY"), (7, "KWD")]
SIDES = ("shop_money", "presentment_money")
TRAITS = frozenset(
    """
    plain foreign_presentment tax_included untaxed two_jurisdictions marketplace_tax b2b guest test kit same_sku_twice
    gift_card_line custom_line line_discount order_code free shipping_discount shipping_tax duties tip additional_fee
    cash_rounding card card_later failed_then_card gift_card_and_card store_credit store_credit_and_card several_cards
    manual void paid_on_terms unpaid_terms delivered_parcel delivered unfulfilled partial_fulfilment
    several_fulfilments several_parcels pending_payment authorized cancelled_unpaid cancelled_unpaid_restocked
    cancelled_paid cancelled_part return_restock return_open exchange refund_no_restock refund_amount_only
    refund_shipping_only refund_withheld refund_pending refund_to_gift_card gift_card_refund full_refund
    partial_refund refunded_to_the_end shipping_refund_listed_twice edit_added edit_removed edit_swapped
    """.split()
)


def stories(seed: int, orders: int, currency: str = "USD") -> Iterator[Story]:
    return compose(seed, orders, start=START, days=30, currency=currency)


def amount(bag: dict[str, Any] | None, side: str) -> Decimal:
    return Decimal(bag[side]["amount"]) if bag else Decimal(0)


def tips(order: dict[str, Any]) -> Decimal:
    """REST has a tip in the shop's currency alone; orders with a foreign buyer are composed without one."""
    return Decimal(order["total_tip_received"])


def extras(order: dict[str, Any], side: str) -> Decimal:
    duties = amount(order["original_total_duties_set"], side)
    return tips(order) + duties + amount(order["original_total_additional_fees_set"], side)


def discrepancies(order: dict[str, Any]) -> Decimal:
    return sum(
        (
            Decimal(part["amount"]) + Decimal(part["tax_amount"])
            for refund in order["refunds"]
            for part in refund["order_adjustments"]
            if part["kind"] == "refund_discrepancy"
        ),
        Decimal(0),
    )


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_the_parts_of_an_order_make_its_total_in_both_currencies(seed: int, currency: str) -> None:
    for story in stories(seed, 300, currency):
        order = story.final
        for side in SIDES:
            parts = sum(
                (amount(li["price_set"], side) * li["quantity"] for li in order["line_items"]), extras(order, side)
            )
            parts += sum(amount(line["price_set"], side) for line in order["shipping_lines"])
            parts -= amount(order["total_discounts_set"], side)
            parts += 0 if order["taxes_included"] else amount(order["total_tax_set"], side)

            assert parts == amount(order["total_price_set"], side), (story.order_id, side)
        assert order["total_price"] == order["total_price_set"]["shop_money"]["amount"]


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_lines_and_shipping_hold_the_whole_discount_and_the_whole_tax(seed: int, currency: str) -> None:
    for story in stories(seed, 300, currency):
        order = story.final
        carriers = [*order["line_items"], *order["shipping_lines"]]
        for side in SIDES:
            discounts = sum(amount(a["amount_set"], side) for c in carriers for a in c["discount_allocations"])
            taxes = sum(amount(tax["price_set"], side) for c in carriers for tax in c["tax_lines"])
            by_jurisdiction = sum(amount(tax["price_set"], side) for tax in order["tax_lines"])

            assert discounts == amount(order["total_discounts_set"], side)
            assert taxes == by_jurisdiction == amount(order["total_tax_set"], side)


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_what_is_refunded_or_removed_is_what_the_current_totals_lack(seed: int, currency: str) -> None:
    """Recomputed from the facts of the payload: the units that are left, the shipping that was not refunded."""
    for story in stories(seed, 300, currency):
        order = story.final
        refunded = [line for refund in order["refunds"] for line in refund["refund_line_items"]]
        shipped_back = [line for refund in order["refunds"] for line in refund["refund_shipping_lines"]]
        for side in SIDES:
            subtotal = amount(order["subtotal_price_set"], side) - sum(
                amount(x["subtotal_set"], side) for x in refunded
            )
            shipping = sum((amount(x["discounted_price_set"], side) for x in order["shipping_lines"]), Decimal(0))
            shipping -= sum(amount(x["subtotal_amount_set"], side) for x in shipped_back)
            if not story.traits & {"edit_removed", "edit_swapped", "cancelled_unpaid"}:
                assert subtotal == amount(order["current_subtotal_price_set"], side)
            if story.traits & {"cancelled_unpaid", "cancelled_unpaid_restocked"}:
                shipping = Decimal(0)
            current = amount(order["current_subtotal_price_set"], side) + shipping + extras(order, side)
            current += 0 if order["taxes_included"] else amount(order["current_total_tax_set"], side)

            assert current == amount(order["current_total_price_set"], side), story.traits


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_units_that_are_all_refunded_add_up_to_their_line(seed: int, currency: str) -> None:
    seen = 0
    for story in stories(seed, 300, currency):
        order = story.final
        for line in order["line_items"]:
            parts = [
                part
                for refund in order["refunds"]
                for part in refund["refund_line_items"]
                if part["line_item_id"] == line["id"]
            ]
            if sum(part["quantity"] for part in parts) != line["quantity"]:
                continue
            seen += 1
            for side in SIDES:
                net = amount(line["price_set"], side) * line["quantity"]
                net -= sum(amount(item["amount_set"], side) for item in line["discount_allocations"])
                assert sum(amount(part["subtotal_set"], side) for part in parts) == net
                tax = sum(amount(item["price_set"], side) for item in line["tax_lines"])
                assert sum(amount(part["total_tax_set"], side) for part in parts) == tax
    assert seen > 20


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_money_paid_back_is_what_the_refund_says_it_is_for(seed: int, currency: str) -> None:
    """In the buyer's currency, in which transactions are."""
    side = "presentment_money"
    for story in stories(seed, 300, currency):
        order = story.final
        for refund in order["refunds"]:
            owed = sum((amount(x["subtotal_set"], side) for x in refund["refund_line_items"]), Decimal(0))
            if not order["taxes_included"]:
                owed += sum(amount(x["total_tax_set"], side) for x in refund["refund_line_items"])
            owed += sum(amount(x["subtotal_amount_set"], side) for x in refund["refund_shipping_lines"])
            for part in refund["order_adjustments"]:
                if part["kind"] == "refund_discrepancy":
                    owed -= amount(part["amount_set"], side)
                else:
                    owed -= amount(part["tax_amount_set"], side)
            paid = sum(Decimal(x["amount"]) for x in refund["transactions"])

            if "cancelled_unpaid_restocked" in story.traits:
                assert paid == 0
            elif "exchange" in story.traits:
                assert paid <= owed
            else:
                assert paid == owed, story.traits


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_outstanding_is_what_current_totals_and_payments_leave(seed: int, currency: str) -> None:
    for story in stories(seed, 300, currency):
        order = story.final
        if order["presentment_currency"] != order["currency"]:
            continue
        sums = {"sale": Decimal(0), "capture": Decimal(0), "refund": Decimal(0)}
        for payment in order["transactions"]:
            if payment["status"] == "success" and payment["kind"] in sums:
                sums[payment["kind"]] += Decimal(payment["amount"])
        received = sums["sale"] + sums["capture"]

        left = Decimal(order["current_total_price"]) - received + sums["refund"] + discrepancies(order)

        assert left == Decimal(order["total_outstanding"])
        assert (left > 0) == (order["financial_status"] in {"pending", "authorized", "partially_paid"}), story.traits
        assert (order["financial_status"] == "refunded") == (0 < received == sums["refund"])


@pytest.mark.parametrize(("seed", "currency"), SHOPS)
def test_units_that_are_left_less_current_discounts_are_the_current_subtotal(seed: int, currency: str) -> None:
    for story in stories(seed, 300, currency):
        order = story.final
        if "shipping_discount" in story.traits:
            continue
        for side in SIDES:
            left = sum(amount(line["price_set"], side) * line["current_quantity"] for line in order["line_items"])

            subtotal = left - amount(order["current_total_discounts_set"], side)

            assert subtotal == amount(order["current_subtotal_price_set"], side), story.traits


def test_a_return_or_refund_never_takes_back_more_units_than_were_bought() -> None:
    for story in stories(7, 600):
        for line in story.final["line_items"]:
            assert 0 <= line["current_quantity"] <= line["quantity"]
            assert 0 <= line["fulfillable_quantity"] <= line["quantity"]


def test_shipments_never_hold_more_units_than_were_bought() -> None:
    for story in stories(7, 600):
        order = story.final
        shipped: dict[int, int] = {}
        for fulfillment in order["fulfillments"]:
            for line in fulfillment["line_items"]:
                shipped[line["id"]] = shipped.get(line["id"], 0) + line["quantity"]
        for line in order["line_items"]:
            assert shipped.get(line["id"], 0) + line["fulfillable_quantity"] <= line["quantity"]
        if order["fulfillment_status"] == "fulfilled":
            assert all(line["fulfillable_quantity"] == 0 for line in order["line_items"])


def test_every_trait_occurs_within_six_hundred_orders_and_most_orders_are_plain() -> None:
    seen = [story.traits for story in stories(7, 600)]

    assert frozenset().union(*seen) == TRAITS
    assert 0.55 < sum("plain" in traits for traits in seen) / 600 < 0.65


def test_an_order_is_the_same_whether_ten_or_a_thousand_are_composed() -> None:
    few = [(s.final, s.graphql, s.deliveries) for s in stories(7, 10)]
    many = [(s.final, s.graphql, s.deliveries) for s, _ in zip(stories(7, 1000), range(10), strict=False)]

    assert few == many


def test_another_seed_is_another_shop() -> None:
    mine = {story.order_id for story in stories(7, 200)}
    other = {story.order_id for story in stories(8, 200)}

    assert not mine & other
    assert any(int(order_id) > 2**53 for order_id in mine)
    assert any(int(order_id) < 2**53 for order_id in mine)


def test_the_last_snapshot_agrees_with_the_final_order() -> None:
    for story in stories(7, 300):
        final = story.final
        snapshots = [said.body for said in story.deliveries if said.topic in ("orders/create", "orders/updated")]

        last = snapshots[-1]

        assert last == {name: value for name, value in final.items() if name != "transactions"}


def test_deliveries_bring_every_transaction_refund_and_fulfilment_of_the_final_order() -> None:
    for story in stories(7, 300):
        final = story.final
        said = {(delivery.topic, delivery.body.get("id")) for delivery in story.deliveries}

        assert {("order_transactions/create", each["id"]) for each in final["transactions"]} <= said
        assert {("refunds/create", each["id"]) for each in final["refunds"]} <= said
        assert {("fulfillments/create", each["id"]) for each in final["fulfillments"]} <= said


def test_deliveries_are_in_time_order_with_ids_of_their_own() -> None:
    for story in stories(7, 300):
        times = [delivery.at for delivery in story.deliveries]
        ids = {delivery.webhook_id for delivery in story.deliveries}

        assert times == sorted(times)
        assert len(ids) == len(times)


def test_an_edit_keeps_the_quantity_as_ordered_and_says_what_changed() -> None:
    story = next(story for story in stories(7, 600) if "edit_removed" in story.traits)

    edit = next(said.body["order_edit"] for said in story.deliveries if said.topic == "orders/edited")
    removal = edit["line_items"]["removals"][0]
    line = next(line for line in story.final["line_items"] if line["id"] == removal["id"])

    assert line["quantity"] - line["current_quantity"] == removal["delta"]
    assert Decimal(story.final["current_total_price"]) < Decimal(story.final["total_price"])


def test_a_pending_refund_succeeds_later() -> None:
    story = next(story for story in stories(7, 600) if "refund_pending" in story.traits)

    refund = next(said.body for said in story.deliveries if said.topic == "refunds/create")

    assert refund["transactions"][0]["status"] == "pending"
    assert story.final["refunds"][0]["transactions"][0]["status"] == "success"


def test_refund_lines_carry_json_numbers_beside_strings() -> None:
    story = next(story for story in stories(7, 600) if "refund_no_restock" in story.traits)

    line = json.loads(json.dumps(story.final), parse_float=Decimal)["refunds"][0]["refund_line_items"][0]

    assert isinstance(line["subtotal"], Decimal)
    assert line["subtotal"] == Decimal(line["subtotal_set"]["shop_money"]["amount"])


def test_money_is_written_with_the_decimals_of_its_currency() -> None:
    assert {len(story.final["total_price"].partition(".")[2]) for story in stories(7, 20, "USD")} == {2}
    assert {len(story.final["total_price"].partition(".")[2]) for story in stories(7, 20, "JPY")} == {0}
    assert {len(story.final["total_price"].partition(".")[2]) for story in stories(7, 20, "KWD")} == {3}


def test_a_foreign_buyers_flat_fields_are_the_shops_and_transactions_the_buyers() -> None:
    story = next(s for s in stories(7, 600) if "foreign_presentment" in s.traits and s.final["transactions"])
    order = story.final

    assert order["currency"] == "USD" != order["presentment_currency"]
    assert order["total_price"] == order["total_price_set"]["shop_money"]["amount"]
    assert order["transactions"][0]["currency"] == order["presentment_currency"]


def test_only_the_named_skus_are_sold() -> None:
    sold = {
        line["sku"]
        for story in compose(7, 100, start=START, days=30, skus=["PATCH-KIT", "NO-SUCH-SKU"])
        for line in story.final["line_items"]
    }

    assert sold - {None, ""} == {"PATCH-KIT", "NO-SUCH-SKU"}


def test_what_kits_are_made_of_is_in_the_catalogue() -> None:
    skus = {product.sku for product in CATALOGUE}

    assert len(skus) == len(CATALOGUE)
    assert {sku for product in CATALOGUE for sku, _ in product.components} <= skus


def test_orders_are_placed_within_the_days_asked_for() -> None:
    for story in compose(7, 300, start=datetime(2026, 10, 1, tzinfo=UTC), days=2):
        placed_at = datetime.fromisoformat(story.final["created_at"])

        assert datetime(2026, 10, 1, tzinfo=UTC) <= placed_at < datetime(2026, 10, 3, tzinfo=UTC)


SAME_TOTALS = {
    "totalPriceSet": "total_price_set",
    "subtotalPriceSet": "subtotal_price_set",
    "totalDiscountsSet": "total_discounts_set",
    "totalTaxSet": "total_tax_set",
    "totalShippingPriceSet": "total_shipping_price_set",
    "currentTotalPriceSet": "current_total_price_set",
    "currentSubtotalPriceSet": "current_subtotal_price_set",
    "currentTotalTaxSet": "current_total_tax_set",
    "currentTotalDiscountsSet": "current_total_discounts_set",
    "originalTotalDutiesSet": "original_total_duties_set",
}


def test_graphql_says_the_same_as_rest() -> None:
    for story in stories(7, 300):
        rest, node = story.final, story.graphql
        for theirs, ours in SAME_TOTALS.items():
            for side, name in (("shopMoney", "shop_money"), ("presentmentMoney", "presentment_money")):
                assert amount(node[theirs], side) == amount(rest[ours], name), theirs
        assert node["id"] == rest["admin_graphql_api_id"]
        assert node["displayFinancialStatus"] == rest["financial_status"].upper()
        lines = [(line["id"], line["quantity"], line["currentQuantity"]) for line in node["lineItems"]["nodes"]]
        assert lines == [
            (line["admin_graphql_api_id"], line["quantity"], line["current_quantity"]) for line in rest["line_items"]
        ]
        for theirs, ours in (
            ("transactions", "transactions"),
            ("fulfillments", "fulfillments"),
            ("refunds", "refunds"),
        ):
            assert [each["id"] for each in node[theirs]] == [each["admin_graphql_api_id"] for each in rest[ours]]


def faults(schema: graphql.GraphQLSchema, kind: Any, value: Any, path: str) -> Iterator[str]:
    """What the vendor's server could not have answered: unknown fields and enum words, null where it never is."""
    if isinstance(kind, graphql.GraphQLNonNull):
        if value is None:
            yield f"{path}: null"
        kind = kind.of_type
    if value is None:
        return
    if isinstance(kind, graphql.GraphQLList):
        if not isinstance(value, list):
            yield f"{path}: not a list"
            return
        for each in value:
            yield from faults(schema, kind.of_type, each, f"{path}[]")
    elif isinstance(kind, graphql.GraphQLEnumType):
        if value not in kind.values:
            yield f"{path}: {value}"
    elif isinstance(kind, graphql.GraphQLUnionType | graphql.GraphQLInterfaceType):
        if not isinstance(value, dict):
            yield f"{path}: not an object"
        elif "__typename" in value and schema.is_sub_type(kind, schema.type_map[value["__typename"]]):
            yield from faults(schema, schema.type_map[value["__typename"]], value, path)
        else:
            yield f"{path}: no __typename of {kind.name}"
    elif isinstance(kind, graphql.GraphQLObjectType):
        for name, inner in value.items():
            if name == "__typename":
                continue
            if name in kind.fields:
                yield from faults(schema, kind.fields[name].type, inner, f"{path}.{name}")
            else:
                yield f"{path}.{name}: no such field"
    elif isinstance(value, dict | list):
        yield f"{path}: a scalar was expected"


def test_graphql_uses_only_fields_and_words_of_the_vendors_schema(shopify_schema: graphql.GraphQLSchema) -> None:
    order = shopify_schema.type_map["Order"]

    found = {fault for story in stories(7, 600) for fault in faults(shopify_schema, order, story.graphql, "")}

    assert found == set()
