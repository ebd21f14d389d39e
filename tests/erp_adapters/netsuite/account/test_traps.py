"""The unpleasant facts of the record service, each as the sheet has it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.erp_adapters.netsuite.account.conftest import sales_order

STRICT = {"X-NetSuite-PropertyNameValidation": "Error"}


def lines(caller: Any, order: str) -> list[int]:
    return [row["line"] for row in caller.seen(f"salesOrder/{order}")["item"]["items"]]


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_write_answers_204_without_a_body_and_says_where_in_a_header(caller: Any) -> None:
    answer = caller.call("POST", "/record/v1/customer", {"companyName": "Ada & Co"})

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Location"].startswith(
        "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/record/v1/customer/"
    )
    assert {"x-n-operationid", "x-netsuite-jobid"} <= set(answer.headers)


def test_a_missing_transaction_is_a_bad_request_and_a_missing_entity_is_not_found(caller: Any, customer: str) -> None:
    assert caller.refused("GET", "/record/v1/salesOrder/99999") == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. Transaction type specified is incorrect.",
    )
    assert caller.refused("GET", "/record/v1/invoice/eid:inv-none")[0] == 400
    assert caller.refused("GET", "/record/v1/customer/99999")[:2] == (404, "NONEXISTENT_ID")
    assert caller.refused("GET", f"/record/v1/salesOrder/{customer}")[0] == 400
    assert caller.refused("GET", "/record/v1/file/1")[:2] == (404, "NONEXISTENT_ID")


def test_unknown_properties_are_ignored_and_named_in_a_header_only(caller: Any) -> None:
    body = {"companyName": "Ada", "loyaltyTier": "gold"}

    lax = caller.call("POST", "/record/v1/customer", body)
    strict = caller.call("POST", "/record/v1/customer", body, STRICT)

    assert lax.status == 204
    assert lax.headers["X-NetSuite-PropertyValidation"] == "loyaltyTier"
    assert "loyaltyTier" in lax.headers["X-NetSuite-Warning"]
    assert strict.status == 400
    assert json.loads(strict.body)["o:errorDetails"][0]["o:errorPath"] == "loyaltyTier"


def test_an_unknown_property_of_a_row_is_named_with_its_path(caller: Any, customer: str) -> None:
    body = sales_order(caller, customer)
    body["item"]["items"][1]["sku"] = "SOCK"

    answer = caller.call("POST", "/record/v1/salesOrder", body)

    assert answer.headers["X-NetSuite-PropertyValidation"] == "item.items[1].sku"


def test_property_names_are_found_in_any_case(caller: Any, customer: str) -> None:
    order = caller.made(
        "salesorder",
        {"entity": {"id": customer}, "otherrefnum": "PO-1", "item": {"items": [{"item": caller.item("BOTTLE-1L")}]}},
    )

    assert caller.seen(f"salesOrder/{order}")["otherRefNum"] == "PO-1"


def test_a_bad_reference_in_a_row_names_its_path(caller: Any, customer: str) -> None:
    body = {"entity": {"id": customer}, "item": {"items": [{"item": {"id": 9999}, "quantity": 1}]}}

    answer = caller.call("POST", "/record/v1/salesOrder", body)

    assert json.loads(answer.body)["o:errorDetails"] == [
        {
            "detail": "Error while accessing resource: You have entered an Invalid Field Value 9999 for the following"
            " field: item",
            "o:errorPath": "item.items[0].item",
            "o:errorCode": "INVALID_CONTENT",
        }
    ]


def test_malformed_json_is_refused(caller: Any) -> None:
    answer = caller.app.handle(
        "POST", "/services/rest/record/v1/customer", "", {"Authorization": "Bearer good"}, b"{not json"
    )

    assert (answer.status, b"INVALID_REQUEST" in answer.body) == (400, True)


def test_nulls_and_private_matters_are_absent_and_fields_choose(caller: Any, order: str) -> None:
    whole = caller.seen(f"salesOrder/{order}")
    chosen = caller.seen(f"salesOrder/{order}", "fields=id,total")

    assert None not in whole.values()
    assert not [name for row in whole["item"]["items"] for name in (*row, *whole) if name.startswith("_")]
    assert (set(chosen), chosen["total"]) == ({"links", "id", "total"}, 593.54)


def test_lists_are_links_until_they_are_expanded_and_links_are_in_lower_case(caller: Any, order: str) -> None:
    seen = caller.seen(f"salesOrder/{order}", "")

    assert list(seen["item"]) == ["links"]
    assert f"/record/v1/salesorder/{order}/item" in seen["item"]["links"][0]["href"]
    rows = caller.seen(f"salesOrder/{order}/item", "")["items"]
    assert list(rows[0]) == ["links"]
    assert caller.seen(f"salesOrder/{order}/item")["items"][1]["quantity"] == 3
    assert caller.seen(f"salesOrder/{order}/item/4", "")["quantity"] == 3


def test_enums_have_the_form_of_their_release(caller: Any, order: str) -> None:
    new = caller.seen(f"salesOrder/{order}")["orderStatus"]
    flat = caller.seen(f"salesOrder/{order}", "simpleEnumFormat=true")["orderStatus"]
    caller.world.switches.enum_form = "2020"

    old = caller.seen(f"salesOrder/{order}")["orderStatus"]

    assert (new["id"], new["refName"], flat, old) == ("B", "Pending Fulfillment", "B", "B")


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_row_without_its_line_is_added_and_one_with_it_merges(caller: Any, order: str) -> None:
    added = {"item": {"items": [{"item": caller.item("BOTTLE-1L"), "quantity": 1}]}}
    merged = {"item": {"items": [{"line": 4, "quantity": 2}]}}

    caller.call("PATCH", f"/record/v1/salesOrder/{order}", added)
    caller.call("PATCH", f"/record/v1/salesOrder/{order}", merged)

    assert lines(caller, order) == [1, 4, 7, 9]
    assert caller.seen(f"salesOrder/{order}/item/4", "")["amount"] == 34.66


def test_replace_takes_the_place_of_all_rows_until_something_is_fulfilled(caller: Any, order: str) -> None:
    body = {"item": {"items": [{"item": caller.item("BOTTLE-1L"), "quantity": 1}]}}

    answer = caller.call("PATCH", f"/record/v1/salesOrder/{order}", body, query="replace=item")

    assert (answer.status, lines(caller, order)) == (204, [9])
    caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})
    assert caller.refused("PATCH", f"/record/v1/salesOrder/{order}", body, query="replace=item")[:2] == (
        400,
        "USER_ERROR",
    )


def test_null_empties_and_what_is_omitted_stays(caller: Any, order: str) -> None:
    caller.call("PATCH", f"/record/v1/salesOrder/{order}", {"memo": "call first", "otherRefNum": "PO-9"})

    caller.call("PATCH", f"/record/v1/salesOrder/{order}", {"memo": None})

    seen = caller.seen(f"salesOrder/{order}")
    assert ("memo" in seen, seen["otherRefNum"]) == (False, "PO-9")


def test_closing_every_line_closes_the_order(caller: Any, order: str) -> None:
    body = {"item": {"items": [{"line": line, "isclosed": True} for line in (1, 4, 7)]}}

    caller.call("PATCH", f"/record/v1/salesorder/{order}", body)

    assert caller.seen(f"salesOrder/{order}")["status"]["id"] == "H"
    assert caller.seen(f"salesOrder/{order}/item/1", "")["quantityCommitted"] == 0
    assert caller.refused("POST", f"/record/v1/salesOrder/{order}/!transform/invoice", {})[1] == "USER_ERROR"


def test_a_quantity_may_not_fall_below_what_is_fulfilled(caller: Any, order: str) -> None:
    caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})

    refused = caller.refused(
        "PATCH", f"/record/v1/salesOrder/{order}", {"item": {"items": [{"line": 1, "quantity": 1}]}}
    )

    assert refused[1] == "USER_ERROR"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_external_ids_are_one_name_space_for_all_transactions_whatever_their_case(
    caller: Any, customer: str, order: str
) -> None:
    deposit = {"customer": {"id": customer}, "payment": 5, "externalId": "SO-1"}

    assert caller.refused("POST", "/record/v1/customerDeposit", deposit) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. This entity already exists.",
    )
    assert caller.seen("salesOrder/eid:So-1", "fields=id")["id"] == order
    caller.made("customer", {"companyName": "Other", "externalId": "so-1"})  # entities have a name space of their own


def test_external_ids_have_letters_digits_dash_and_underscore_only(caller: Any) -> None:
    assert caller.refused("POST", "/record/v1/customer", {"companyName": "A", "externalId": "a|b"})[0] == 400


def test_where_keys_are_not_unique_a_second_record_is_made(caller: Any, customer: str) -> None:
    caller.world.switches.unique_external_ids = False
    body = {"customer": {"id": customer}, "payment": 5, "externalId": "dep-1"}

    first, second = caller.made("customerDeposit", body), caller.made("customerDeposit", body)

    assert first != second
    assert caller.call("DELETE", f"/record/v1/customerDeposit/{first}").status == 204
    assert caller.seen("customerDeposit/eid:dep-1", "fields=id")["id"] == second


def test_a_deleted_records_key_is_free_again(caller: Any, customer: str) -> None:
    body = {"customer": {"id": customer}, "payment": 5, "externalId": "dep-1"}
    first = caller.made("customerDeposit", body)

    caller.call("DELETE", f"/record/v1/customerDeposit/{first}")

    assert caller.made("customerDeposit", body) != first


def test_references_are_taken_by_id_by_external_id_and_by_eid(caller: Any, customer: str) -> None:
    for reference in ({"id": customer}, {"externalId": "CUST-1"}, {"id": "eid:cust-1"}, customer):
        body = {"entity": reference, "item": {"items": [{"item": caller.item("BOTTLE-1L")}]}}
        assert caller.call("POST", "/record/v1/salesOrder", body).status == 204


# --- transforms -------------------------------------------------------------------------------------------------------


def test_lines_not_named_in_a_fulfilment_are_fulfilled_with_what_is_open(caller: Any, order: str) -> None:
    body = {"shipStatus": "C", "item": {"items": [{"orderLine": 1, "quantity": 1}]}}

    made = caller.made(f"salesOrder/{order}/!transform/itemFulfillment", body)

    rows = caller.seen(f"itemFulfillment/{made}")["item"]["items"]
    assert [(row["orderLine"], row["quantity"]) for row in rows] == [(1, 1), (4, 3)]


def test_a_fulfilment_is_only_picked_unless_it_says_shipped_and_stock_stays(caller: Any, order: str) -> None:
    made = caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {})
    tent = caller.world.named("inventoryItem", "itemId", "TENT-2P-GRN")
    picked = (tent.rows("locations")[0].fields["quantityOnHand"], caller.rec(order).letter())

    caller.call("PATCH", f"/record/v1/itemFulfillment/{made}", {"shipStatus": "C"})

    assert picked == (100, "B")
    assert (tent.rows("locations")[0].fields["quantityOnHand"], caller.rec(order).letter()) == (98, "F")


def test_a_fulfilment_needs_committed_stock_where_the_order_has_it(caller: Any, customer: str) -> None:
    east = {"id": caller.id("location", "name", "east")}
    order = caller.made("salesOrder", sales_order(caller, customer) | {"location": east})

    refused = caller.refused("POST", f"/record/v1/salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})

    assert caller.seen(f"salesOrder/{order}/item/1", "")["quantityBackOrdered"] == 2
    assert refused[1] == "USER_ERROR"
    assert "at least one valid line item" in refused[2]


def test_goods_at_another_location_are_not_committed(caller: Any, order: str) -> None:
    east = {"id": caller.id("location", "name", "east")}
    body = {"item": {"items": [{"orderLine": 1, "location": east}, {"orderLine": 4, "itemReceive": False}]}}

    refused = caller.refused("POST", f"/record/v1/salesOrder/{order}/!transform/itemFulfillment", body)

    assert "at least one valid line item" in refused[2]


def test_an_order_pending_approval_ships_and_bills_nothing(caller: Any, customer: str) -> None:
    body = sales_order(caller, customer)
    del body["orderStatus"]
    order = caller.made("salesOrder", body)

    assert caller.rec(order).letter() == "A"
    for to in ("itemFulfillment", "invoice"):
        assert caller.refused("POST", f"/record/v1/salesOrder/{order}/!transform/{to}", {})[1] == "USER_ERROR"


def test_an_invoice_with_an_empty_body_bills_all_and_quantity_zero_leaves_out(caller: Any, order: str) -> None:
    part = {
        "item": {
            "items": [{"orderLine": 1, "quantity": 1}, {"orderLine": 4, "quantity": 0}, {"orderLine": 7, "quantity": 0}]
        }
    }

    first = caller.made(f"salesOrder/{order}/!transform/invoice", part)
    second = caller.made(f"salesOrder/{order}/!transform/invoice", {})

    assert [row["amount"] for row in caller.seen(f"invoice/{first}")["item"]["items"]] == [249]
    assert [row["amount"] for row in caller.seen(f"invoice/{second}")["item"]["items"]] == [249, 51.99, 9.95]
    assert "at least one valid" in caller.refused("POST", f"/record/v1/salesOrder/{order}/!transform/invoice", {})[2]


def test_only_what_is_fulfilled_is_billed_where_billing_in_advance_is_off(caller: Any, order: str) -> None:
    caller.world.switches.bill_in_advance = False

    made = caller.made(f"salesOrder/{order}/!transform/invoice", {})

    assert [row["orderLine"] for row in caller.seen(f"invoice/{made}")["item"]["items"]] == [7]


def test_a_credit_memo_that_applies_nothing_stays_open(caller: Any, order: str) -> None:
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {})
    amount = caller.seen(f"invoice/{invoice}")["total"]
    body = {"apply": {"items": [{"doc": {"id": invoice}, "apply": True, "amount": amount}]}}

    caller.made(f"invoice/{invoice}/!transform/creditMemo", {"externalId": "cm-1"})
    caller.made(f"invoice/{invoice}/!transform/creditMemo", {"externalId": "cm-2"} | body)

    assert caller.seen("creditMemo/eid:cm-1")["status"]["refName"] == "Open"
    assert caller.seen("creditMemo/eid:cm-2")["status"]["refName"] == "Fully Applied"
    assert caller.seen(f"invoice/{invoice}")["amountRemaining"] == 0


@pytest.mark.parametrize("kind", ["depositApplication", "itemFulfillment", "itemReceipt"])
def test_some_records_are_made_by_transform_only(caller: Any, kind: str) -> None:
    assert caller.refused("POST", f"/record/v1/{kind}", {})[1] == "USER_ERROR"


def test_a_transform_that_does_not_exist_is_refused(caller: Any, order: str) -> None:
    made = caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {})

    assert caller.refused("POST", f"/record/v1/itemFulfillment/{made}/!transform/invoice", {})[0] == 400


# --- tax --------------------------------------------------------------------------------------------------------------


def test_tax_is_computed_anew_unless_it_is_overridden(caller: Any, customer: str, order: str) -> None:
    body = sales_order(caller, customer, "so-2")
    del body["taxDetailsOverride"]  # with details, but without the word that makes them count

    other = caller.made("salesOrder", body)

    assert caller.seen(f"salesOrder/{order}")["taxTotal"] == 33.6
    assert caller.seen(f"salesOrder/{other}")["taxTotal"] == 34.98  # 6.25 % of each line, rounded down
    assert caller.seen(f"salesOrder/{other}")["total"] == 594.92


def test_an_invoice_does_not_inherit_the_orders_override(caller: Any, order: str) -> None:
    made = caller.made(f"salesOrder/{order}/!transform/invoice", {})

    assert caller.seen(f"invoice/{made}")["taxTotal"] == 34.98


def test_an_override_must_refer_to_a_line(caller: Any, customer: str) -> None:
    body = sales_order(caller, customer)
    body["taxDetails"]["items"][0]["taxDetailsReference"] = "nowhere"

    assert caller.refused("POST", "/record/v1/salesOrder", body)[1] == "INVALID_CONTENT"


def test_without_the_tax_engine_details_are_unknown_properties(caller: Any, customer: str) -> None:
    caller.world.switches.suite_tax = False

    answer = caller.call("POST", "/record/v1/salesOrder", sales_order(caller, customer))

    assert answer.headers["X-NetSuite-PropertyValidation"] == "taxDetailsOverride, taxDetails"


# --- amounts ----------------------------------------------------------------------------------------------------------


def test_an_amount_is_rate_times_quantity_unless_it_is_given(caller: Any, customer: str) -> None:
    rows = [
        {"item": caller.item("BOTTLE-1L"), "quantity": 3},
        {"item": caller.item("BOTTLE-1L"), "quantity": 3, "rate": 1.005},
        {"item": caller.item("BOTTLE-1L"), "quantity": 3, "amount": 10},
        {"item": caller.item("DISCOUNT"), "rate": "-10.0%"},
        {"item": caller.item("DISCOUNT"), "amount": -2.5},
    ]

    order = caller.made("salesOrder", {"entity": {"id": customer}, "item": {"items": rows}})

    seen = caller.seen(f"salesOrder/{order}")["item"]["items"]
    assert [row["amount"] for row in seen] == [87, 3.02, 10, -1, -2.5]
    assert seen[2]["rate"] == 3.33333333
    assert caller.seen(f"salesOrder/{order}")["subtotal"] == 96.52


def test_a_currency_must_be_allowed_on_the_customer_and_stays(caller: Any, customer: str) -> None:
    euro = {"id": caller.id("currency", "symbol", "EUR")}
    body = {"entity": {"id": customer}, "currency": euro, "item": {"items": [{"item": caller.item("BOTTLE-1L")}]}}
    refused = caller.refused("POST", "/record/v1/salesOrder", body)

    caller.call("PATCH", f"/record/v1/customer/{customer}", {"currencyList": {"items": [{"currency": euro}]}})

    assert refused[1] == "INVALID_CONTENT"
    order = caller.made("salesOrder", body)
    assert caller.seen(f"salesOrder/{order}")["exchangeRate"] == 1.08
    dollars = {"currency": {"id": caller.id("currency", "symbol", "USD")}}
    assert caller.refused("PATCH", f"/record/v1/salesOrder/{order}", dollars)[1] == "USER_ERROR"


def test_a_text_may_not_be_too_long(caller: Any, customer: str) -> None:
    body = {"entity": {"id": customer}, "memo": "x" * 1000, "item": {"items": [{"item": caller.item("BOTTLE-1L")}]}}

    assert "maximum number ( 999 )" in caller.refused("POST", "/record/v1/salesOrder", body)[2]


# --- what refuses -----------------------------------------------------------------------------------------------------


def test_what_has_successors_is_not_deleted(caller: Any, order: str) -> None:
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {})

    assert "linked" in caller.refused("DELETE", f"/record/v1/salesOrder/{order}")[2]
    assert caller.call("DELETE", f"/record/v1/invoice/{invoice}").status == 204
    assert caller.rec(order).letter() == "B"
    assert caller.call("DELETE", f"/record/v1/salesOrder/{order}").status == 204
    assert caller.books() == {}


def test_more_than_what_is_open_is_not_applied(caller: Any, customer: str, order: str) -> None:
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {})
    apply = {"items": [{"doc": {"id": invoice}, "apply": True, "amount": 1000}]}
    body = {"customer": {"id": customer}, "payment": 1000, "account": caller.account("1200"), "apply": apply}

    assert caller.refused("POST", "/record/v1/customerPayment", body)[1] == "USER_ERROR"


def test_apply_rows_are_known_by_their_document(caller: Any, order: str) -> None:
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {})
    payment = caller.made(f"invoice/{invoice}/!transform/customerPayment", {"account": caller.account("1200")})
    row = {"doc": {"id": invoice}, "apply": True, "amount": 100}

    for _ in range(2):
        caller.call("PATCH", f"/record/v1/customerPayment/{payment}", {"apply": {"items": [row]}})
    held = caller.seen(f"customerPayment/{payment}")
    caller.call("PATCH", f"/record/v1/customerPayment/{payment}", {"apply": {"items": [row | {"apply": False}]}})

    assert ([one["amount"] for one in held["apply"]["items"]], held["unapplied"]) == ([100], 494.92)
    assert caller.seen(f"invoice/{invoice}")["amountRemaining"] == 594.92


def test_a_refunds_deposits_are_empty_when_read_back(caller: Any, customer: str) -> None:
    deposit = caller.made(
        "customerDeposit", {"customer": {"id": customer}, "payment": 50, "account": caller.account("1200")}
    )

    made = caller.made(f"customerDeposit/{deposit}/!transform/customerRefund", {"account": caller.account("1200")})

    assert caller.seen(f"customerRefund/{made}")["deposit"]["items"] == []
    assert caller.seen(f"customerDeposit/{deposit}")["status"]["refName"] == "Fully Applied"
    assert caller.books() == {}


def test_money_without_an_account_lies_in_undeposited_funds(caller: Any, customer: str) -> None:
    caller.made("customerDeposit", {"customer": {"id": customer}, "payment": 50})

    assert caller.books() == {"1199": "50.00", "2100": "-50.00"}


def test_a_journal_must_balance(caller: Any) -> None:
    debit = {"account": caller.account("5200"), "debit": 10.1}
    credit = {"account": caller.account("1200"), "credit": 10.1}

    assert caller.refused("POST", "/record/v1/journalEntry", {"line": {"items": [debit, credit | {"credit": 10}]}})[
        1
    ] == ("USER_ERROR")
    caller.made("journalEntry", {"externalId": "je-1", "line": {"items": [debit, credit]}})
    assert caller.books() == {"1200": "-10.10", "5200": "10.10"}


def test_a_form_may_want_fields_of_its_own(caller: Any, customer: str) -> None:
    caller.world.switches.required_fields["customerDeposit"] = ("custbody_orderhub_order",)
    body = {"customer": {"id": customer}, "payment": 5}

    assert caller.refused("POST", "/record/v1/customerDeposit", body)[1] == "USER_ERROR"
    assert caller.made("customerDeposit", body | {"custbody_orderhub_order": "1001"})


# --- goods and money in two currencies --------------------------------------------------------------------------------


def test_a_gain_of_two_rates_is_realized_and_the_receivable_is_closed(caller: Any, customer: str) -> None:
    euro = {"id": caller.id("currency", "symbol", "EUR")}
    caller.call("PATCH", f"/record/v1/customer/{customer}", {"currencyList": {"items": [{"currency": euro}]}})
    row = {"item": caller.item("ALLOWANCE"), "amount": 100}
    head = {"entity": {"id": customer}, "currency": euro, "exchangeRate": 1.08, "item": {"items": [row]}}
    invoice = caller.made("invoice", head)

    caller.made(
        f"invoice/{invoice}/!transform/customerPayment", {"exchangeRate": 1.1, "account": caller.account("1200")}
    )

    assert caller.books() == {"1200": "110.00", "4300": "-108.00", "4900": "-2.00"}
    for rec in caller.world.every("invoice", "customerPayment"):
        assert sum(line.base for line in rec.gl) == 0
        assert sum(line.amount for line in rec.gl) == 0


def test_a_kit_takes_its_members_from_stock(caller: Any, customer: str) -> None:
    main = {"id": caller.id("location", "name", "main")}
    rows = {"items": [{"item": caller.item("KIT-COOK"), "quantity": 2}]}
    order = caller.made("salesOrder", {"entity": {"id": customer}, "orderStatus": "B", "location": main, "item": rows})

    caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})

    fuel = caller.world.named("inventoryItem", "itemId", "FUEL-230")
    assert fuel.rows("locations")[0].fields["quantityOnHand"] == Decimal(96)
    assert caller.books() == {"1300": "-91.34", "5000": "91.34"}


def test_a_credit_memo_that_stands_alone_puts_goods_back(caller: Any, customer: str) -> None:
    rows = {"items": [{"item": caller.item("BOTTLE-1L"), "quantity": 1, "amount": 29, "isTaxable": False}]}

    caller.made("creditMemo", {"entity": {"id": customer}, "item": rows})

    assert caller.books() == {"1100": "-29.00", "1300": "9.94", "4000": "29.00", "5000": "-9.94"}


def test_a_cash_sale_and_its_refund_leave_nothing(caller: Any, customer: str, order: str) -> None:
    caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})
    sale = caller.made(f"salesOrder/{order}/!transform/cashSale", {"account": caller.account("1200")})
    taken = caller.books()["1200"]

    caller.made(f"cashSale/{sale}/!transform/cashRefund", {"account": caller.account("1200")})

    assert taken == "594.92"
    assert caller.books() == {}


def test_what_two_rates_differ_by_when_a_credit_is_matched_is_realized(caller: Any, customer: str) -> None:
    euro = {"id": caller.id("currency", "symbol", "EUR")}
    caller.call("PATCH", f"/record/v1/customer/{customer}", {"currencyList": {"items": [{"currency": euro}]}})
    rows = {"items": [{"item": caller.item("ALLOWANCE"), "amount": 33.33}]}
    head = {"entity": {"id": customer}, "currency": euro, "item": rows}
    invoice = caller.made("invoice", head | {"exchangeRate": 1.0847})

    for amount in (11.11, 11.11):
        apply = {"items": [{"doc": {"id": invoice}, "apply": True, "amount": amount}]}
        money = {"payment": amount, "account": caller.account("1200"), "exchangeRate": 1.0913}
        caller.made("customerPayment", {"customer": {"id": customer}, "currency": euro, "apply": apply, **money})
    apply = {"items": [{"doc": {"id": invoice}, "apply": True, "amount": 11.11}]}
    memo = caller.made("creditMemo", head | {"exchangeRate": 1.1, "apply": apply})
    caller.made(f"creditMemo/{memo}/!transform/customerRefund", {"account": caller.account("1200")})

    assert "1100" not in caller.books()


def test_two_customers_may_not_have_one_name(caller: Any, customer: str) -> None:
    assert "unique customer ID" in caller.refused("POST", "/record/v1/customer", {"companyName": "Ada & Co"})[2]
    caller.made("customer", {"companyName": "Ada & Co", "entityId": "cust-2"})
    caller.world.switches.unique_entity_names = False
    caller.made("customer", {"companyName": "Ada & Co"})


def test_an_edited_fulfilment_ships_no_more_than_was_ordered(caller: Any, order: str) -> None:
    made = caller.made(f"salesOrder/{order}/!transform/itemFulfillment", {"shipStatus": "C"})

    more = {"item": {"items": [{"line": 1, "quantity": 3}]}}

    assert caller.refused("PATCH", f"/record/v1/itemFulfillment/{made}", more)[1] == "USER_ERROR"


def test_without_advanced_shipping_a_fulfilment_makes_the_invoice(caller: Any, order: str) -> None:
    caller.world.switches.advanced_shipping = False
    body = {
        "shipStatus": "C",
        "item": {"items": [{"orderLine": 1, "quantity": 1}, {"orderLine": 4, "itemReceive": False}]},
    }

    caller.made(f"salesOrder/{order}/!transform/itemFulfillment", body)

    (invoice,) = caller.world.every("invoice")
    assert [row.fields["amount"] for row in invoice.rows("item")] == [Decimal("249.00"), Decimal("9.95")]


def test_an_address_is_a_part_of_its_own_and_decides_the_accounts_tax(caller: Any, customer: str) -> None:
    rows = {"items": [{"item": caller.item("BOTTLE-1L"), "quantity": 1}]}
    address = {"addr1": "1 High St", "city": "London", "zip": "N1 1AA", "country": {"id": "GB"}}

    order = caller.made("salesOrder", {"entity": {"id": customer}, "item": rows, "shippingAddress": address})

    assert list(caller.seen(f"salesOrder/{order}", "")["shippingAddress"]) == ["links"]
    assert caller.seen(f"salesOrder/{order}/shippingAddress")["zip"] == "N1 1AA"
    assert caller.seen(f"salesOrder/{order}")["taxTotal"] == 5.8


def test_a_customers_address_is_added_anew_by_each_put(caller: Any) -> None:
    body = {"companyName": "Ada", "addressBook": {"items": [{"addressBookAddress": {"city": "Bath", "country": "GB"}}]}}

    for _ in range(2):
        assert caller.call("PUT", "/record/v1/customer/eid:c-1", body).status == 204

    assert caller.seen("customer/eid:c-1")["addressBook"]["totalResults"] == 2
