"""A whole sale as the searches tell it: what the account books can be added up again from its rows alone."""

from decimal import Decimal
from typing import Any

import pytest

from erp_adapters.netsuite.account import saving, suiteql, transforms
from erp_adapters.netsuite.account.bodies import draft_of
from erp_adapters.netsuite.account.world import Rec, World, reference


def _named(world: World, kind: str, name: str, value: str) -> dict[str, str]:
    found = world.named(kind, name, value)
    assert found is not None
    return reference(found)


@pytest.fixture
def sale(world: World) -> dict[str, Rec]:
    """In euros at 1.10: ordered with a discount, paid in part before, shipped, billed, paid, returned, refunded."""
    euro, bank = _named(world, "currency", "symbol", "EUR"), world.account_ref("1200")
    company = reference(next(world.every("subsidiary")))
    customer = saving.create(
        world, "customer", draft_of({"companyName": "Acme", "subsidiary": company, "currency": euro})
    )
    header = {"currency": euro, "exchangeRate": Decimal("1.10"), "tranDate": "2026-03-05"}
    place = {"location": _named(world, "location", "name", "main")}
    lines: list[dict[str, Any]] = [
        {
            "item": _named(world, "inventoryItem", "itemId", "TENT-2P-GRN"),
            "quantity": Decimal(3),
            "amount": Decimal("100.01"),
        },
        {"item": _named(world, "discountItem", "itemId", "DISCOUNT"), "amount": Decimal("-10.00")},
    ]
    made = {"customer": customer}
    made["order"] = saving.create(
        world,
        "salesOrder",
        draft_of(header | place | {"entity": reference(customer), "orderStatus": {"id": "B"}}, {"item": lines}),
    )
    made["deposit"] = saving.create(
        world,
        "customerDeposit",
        draft_of(header | {"customer": reference(customer), "payment": Decimal("50.00"), "account": bank}),
    )
    made["fulfilment"] = transforms.transform(
        world, made["order"], "itemFulfillment", draft_of({"shipStatus": {"id": "C"}, "tranDate": "2026-03-06"})
    )
    made["invoice"] = transforms.transform(world, made["order"], "invoice", draft_of({"tranDate": "2026-03-06"}))
    made["application"] = transforms.transform(
        world,
        made["deposit"],
        "depositApplication",
        draft_of({}, {"apply": [{"doc": reference(made["invoice"]), "apply": True, "amount": Decimal("20.00")}]}),
    )
    made["payment"] = transforms.transform(world, made["invoice"], "customerPayment", draft_of({"account": bank}))
    made["return"] = transforms.transform(
        world, made["order"], "returnAuthorization", draft_of({"orderStatus": {"id": "B"}})
    )
    made["receipt"] = transforms.transform(world, made["return"], "itemReceipt", draft_of({}))
    made["memo"] = transforms.transform(world, made["return"], "creditMemo", draft_of({}))
    return made


def _ask(world: World, q: str, *params: Any) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != "links"}
        for row in suiteql.run(world, q, params, 1000, 0)[0]
    ]


def test_what_posts_balances_transaction_by_transaction_in_both_currencies(world: World, sale: dict[str, Rec]) -> None:
    rows = _ask(
        world,
        "SELECT t.type, SUM(p.amount) AS base FROM transaction t"
        " JOIN transactionaccountingline p ON p.transaction = t.id"
        " WHERE p.posting = 'T' GROUP BY t.type ORDER BY t.type",
    )
    lines = _ask(
        world,
        "SELECT t.type, SUM(l.foreignamount) AS amount FROM transaction t"
        " JOIN transactionline l ON l.transaction = t.id"
        " WHERE t.posting = 'T' GROUP BY t.type ORDER BY t.type",
    )

    types = ["CustCred", "CustDep", "CustInvc", "CustPymt", "DepAppl", "ItemRcpt", "ItemShip"]
    assert rows == [{"type": kind, "base": "0"} for kind in types]
    assert lines == [{"type": kind, "amount": "0"} for kind in types]


def test_the_trial_balance_by_searching_is_that_of_the_account(world: World, sale: dict[str, Rec]) -> None:
    expected: dict[str, Decimal] = {}
    for rec in world.records.values():
        for entry in rec.gl:
            expected[entry.account] = expected.get(entry.account, Decimal(0)) + entry.base

    rows = _ask(
        world,
        "SELECT a.acctnumber AS number, SUM(p.amount) AS amount FROM transactionaccountingline p"
        " JOIN account a ON a.id = p.account WHERE p.posting = 'T' GROUP BY a.acctnumber",
    )

    assert len(rows) > 5
    assert {row["number"]: Decimal(row["amount"]) for row in rows} == expected


def test_rows_of_goods_are_found_among_the_lines_that_the_system_adds(world: World, sale: dict[str, Rec]) -> None:
    rows = _ask(
        world,
        "SELECT id, quantity FROM transactionline WHERE transaction = ? AND mainline = 'F' AND taxline = 'F'"
        " AND iscogs = 'F' ORDER BY id",
        sale["fulfilment"].id,
    )
    all_rows = _ask(world, "SELECT id FROM transactionline WHERE transaction = ?", sale["fulfilment"].id)

    assert rows == [{"id": "1", "quantity": "-3"}]
    assert len(all_rows) == 4


def test_links_follow_the_order_to_its_shipment_bill_and_return(world: World, sale: dict[str, Rec]) -> None:
    rows = _ask(
        world,
        "SELECT DISTINCT nextdoc, nexttype, linktype FROM nexttransactionlinelink WHERE previousdoc = ?"
        " ORDER BY nextdoc",
        sale["order"].id,
    )
    headers = _ask(
        world,
        "SELECT nextdoc, nexttype, linktype FROM NextTransactionLink WHERE previousdoc = ? ORDER BY nextdoc",
        sale["order"].id,
    )

    assert headers == rows

    assert rows == [
        {"nextdoc": str(sale["fulfilment"].id), "nexttype": "ItemShip", "linktype": "ShipRcpt"},
        {"nextdoc": str(sale["invoice"].id), "nexttype": "CustInvc", "linktype": "OrdBill"},
        {"nextdoc": str(sale["return"].id), "nexttype": "RtnAuth", "linktype": "SaleRet"},
    ]


def test_an_order_that_was_followed_shows_what_is_left_of_it(world: World, sale: dict[str, Rec]) -> None:
    header = _ask(world, "SELECT status FROM transaction WHERE id = ?", sale["order"].id)
    line = _ask(
        world,
        "SELECT quantityshiprecv AS shipped, quantitybilled AS billed FROM transactionline"
        " WHERE transaction = ? AND id = 1",
        sale["order"].id,
    )
    deposit = _ask(world, "SELECT foreignpaymentamountunused AS unused FROM transaction WHERE type = 'CustDep'")

    assert header == [{"status": "G"}]
    assert line == [{"shipped": "3", "billed": "3"}]
    assert deposit == [{"unused": "30"}]
