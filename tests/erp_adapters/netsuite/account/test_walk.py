"""An order's whole life through the service, and what it leaves in the books."""

from typing import Any

LINES = {"items": [{"orderLine": 1, "quantity": 1}, {"orderLine": 4, "itemReceive": False}]}


def invoice_tax(caller: Any) -> dict[str, Any]:
    code = caller.id("salesTaxItem", "itemId", "CHANNEL-TAX")
    kind = caller.id("taxType", "name", "US Sales Tax")
    return {
        "taxDetailsOverride": True,
        "taxDetails": {
            "items": [
                {"taxDetailsReference": "a", "taxCode": {"id": code}, "taxType": {"id": kind}, "taxAmount": 33.60}
            ]
        },
    }


def test_an_order_becomes_goods_and_money_and_every_account_is_explained(
    caller: Any, customer: str, order: str
) -> None:
    main = {"id": caller.id("location", "name", "main")}
    seen = caller.seen(f"salesOrder/{order}")
    assert [row["line"] for row in seen["item"]["items"]] == [1, 4, 7]
    assert (seen["total"], seen["taxTotal"], seen["status"]["id"]) == (593.54, 33.6, "B")

    deposit = caller.made(
        "customerDeposit",
        {
            "externalId": "dep-1",
            "customer": {"id": customer},
            "salesOrder": {"externalId": "SO-1"},
            "payment": 593.54,
            "account": caller.account("1200"),
        },
    )
    fulfilment = caller.made(
        f"salesOrder/{order}/!transform/itemFulfillment",
        {
            "externalId": "if-1",
            "shipStatus": "C",
            "item": {"items": [{"orderLine": 1, "quantity": 1}, {"orderLine": 4, "itemReceive": False}]},
            "package": {"items": [{"packageTrackingNumber": "1Z999", "packageWeight": 2.4}]},
        },
    )
    assert caller.rec(order).letter() == "E"
    assert caller.seen(f"itemFulfillment/{fulfilment}")["package"]["items"][0]["packageTrackingNumber"] == "1Z999"
    caller.made("salesOrder/eid:so-1/!transform/itemFulfillment", {"externalId": "if-2", "shipStatus": {"id": "C"}})
    assert caller.rec(order).letter() == "F"
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {"externalId": "inv-1", **invoice_tax(caller)})
    assert caller.rec(order).letter() == "G"
    assert caller.seen(f"invoice/{invoice}")["amountRemaining"] == 593.54
    caller.made(
        f"customerDeposit/{deposit}/!transform/depositApplication",
        {"externalId": "da-1", "apply": {"items": [{"doc": {"id": "eid:inv-1"}, "apply": True}]}},
    )

    assert caller.seen(f"invoice/{invoice}")["status"] == {"links": [], "id": "B", "refName": "Paid In Full"}
    assert caller.books() == {
        "1200": "593.54",
        "1300": "-251.98",
        "2200": "-33.60",
        "4000": "-549.99",
        "4100": "-9.95",
        "5000": "251.98",
    }

    rma = caller.made(
        f"salesOrder/{order}/!transform/returnAuthorization",
        {
            "externalId": "rma-1",
            "orderStatus": "B",
            "item": {
                "items": [
                    {"orderLine": 1, "quantity": 1},
                    {"orderLine": 4, "quantity": 0},
                    {"orderLine": 7, "quantity": 0},
                ]
            },
        },
    )
    caller.made(
        f"returnAuthorization/{rma}/!transform/itemReceipt",
        {"externalId": "ir-1", "item": {"items": [{"orderLine": 1, "quantity": 1, "location": main}]}},
    )
    memo = caller.made(
        f"returnAuthorization/{rma}/!transform/creditMemo",
        {
            "externalId": "cm-1",
            "item": {"items": [{"orderLine": 1, "quantity": 1, "amount": 249, "taxDetailsReference": "a"}]},
            "taxDetailsOverride": True,
            "taxDetails": {
                "items": [{**invoice_tax(caller)["taxDetails"]["items"][0], "taxAmount": 14.94}],
            },
        },
    )
    assert caller.rec(rma).letter() == "G"
    assert caller.seen(f"creditMemo/{memo}")["unapplied"] == 263.94
    refund = caller.made(
        f"creditMemo/{memo}/!transform/customerRefund", {"externalId": "rf-1", "account": caller.account("1200")}
    )

    assert caller.seen(f"customerRefund/{refund}")["total"] == 263.94
    assert caller.seen(f"creditMemo/{memo}")["status"]["refName"] == "Fully Applied"
    assert caller.books() == {
        "1200": "329.60",
        "1300": "-133.58",
        "2200": "-18.66",
        "4000": "-300.99",
        "4100": "-9.95",
        "5000": "133.58",
    }
