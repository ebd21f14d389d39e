"""What people do in the account, closed periods, and searches that lag."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp_adapters.netsuite.account.errors import Refused
from erp_adapters.netsuite.account.hands import Hands
from tests.erp_adapters.netsuite.account.conftest import sales_order


@pytest.fixture
def hands(caller: Any) -> Hands:
    return Hands(caller.world)


@pytest.fixture
def invoice(caller: Any, order: str) -> str:
    body = sales_order(caller, caller.seen(f"salesOrder/{order}")["entity"]["id"])
    rows = [{"orderLine": line, "taxDetailsReference": name} for line, name in ((1, "a"), (4, "b"), (7, "c"))]
    taxes = {"taxDetailsOverride": True, "taxDetails": body["taxDetails"]}
    return str(
        caller.made(f"salesOrder/{order}/!transform/invoice", {"externalId": "inv-1", "item": {"items": rows}, **taxes})
    )


def test_an_edited_amount_posts_anew_and_keeps_its_mark(caller: Any, hands: Hands, time: Any, invoice: str) -> None:
    before = caller.rec(invoice).modified_at
    time.passes(60)

    edited = hands.edit_amount("inv-1", Decimal("-10.00"))

    assert (edited.by_hand, edited.modified_at > before) == (True, True)
    assert caller.seen(f"invoice/{invoice}")["total"] == 583.54
    assert caller.books()["1100"] == "583.54"


def test_a_deleted_invoice_frees_what_paid_it(caller: Any, hands: Hands, invoice: str, order: str) -> None:
    caller.made(
        f"invoice/{invoice}/!transform/customerPayment", {"account": caller.account("1200"), "externalId": "p-1"}
    )

    hands.delete("inv-1")

    assert caller.refused("GET", f"/record/v1/invoice/{invoice}")[0] == 400
    assert caller.seen("customerPayment/eid:p-1")["unapplied"] == 593.54
    assert caller.books() == {"1100": "-593.54", "1200": "593.54"}
    assert caller.rec(order).letter() == "B"


def test_a_document_typed_in_has_no_key(caller: Any, hands: Hands, customer: str) -> None:
    typed = hands.type_in(
        "invoice",
        {
            "entity": {"id": customer},
            "externalId": "x",
            "item": {"items": [{"item": caller.item("ALLOWANCE"), "amount": 12}]},
        },
    )

    assert (typed.by_hand, typed.external_id, typed.fields["total"]) == (True, None, Decimal("12.00"))


def test_a_payment_entered_twice_stands_as_a_credit(caller: Any, hands: Hands, invoice: str) -> None:
    caller.made(
        f"invoice/{invoice}/!transform/customerPayment", {"account": caller.account("1200"), "externalId": "p-1"}
    )

    twice = hands.apply_twice("p-1")

    assert (twice.external_id, twice.fields["unapplied"]) == (None, Decimal("593.54"))
    assert (caller.books()["1100"], caller.books()["1200"]) == ("-593.54", "1187.08")


def test_a_document_can_be_put_in_a_wrong_period(caller: Any, hands: Hands, invoice: str) -> None:
    hands.move("inv-1", date(2026, 2, 27))

    assert caller.seen(f"invoice/{invoice}")["postingPeriod"]["refName"] == "Feb 2026"


def test_recomputed_tax_is_the_accounts_own(caller: Any, hands: Hands, invoice: str) -> None:
    hands.recompute_tax("inv-1")

    assert caller.seen(f"invoice/{invoice}")["taxTotal"] == 34.98
    assert caller.books()["2200"] == "-34.98"


def test_people_ship_goods_and_count_stock(caller: Any, hands: Hands, order: str) -> None:
    shipped = hands.fulfil("so-1", {1: 1}, tracking="1Z999")
    hands.adjust_stock("SOCK-HIKE-2", -2)

    assert (shipped.letter(), shipped.by_hand) == ("C", True)
    assert [row.fields["orderLine"] for row in shipped.rows("item")] == [1]
    assert caller.books() == {"1300": "-128.52", "5000": "118.40", "5100": "10.12"}


def test_a_closed_period_refuses_until_it_is_opened(caller: Any, hands: Hands, customer: str, invoice: str) -> None:
    hands.close_period(date(2026, 3, 1))
    body = {"customer": {"id": customer}, "payment": 5, "tranDate": "2026-03-09", "account": caller.account("1200")}

    assert "closed period" in caller.refused("POST", "/record/v1/customerDeposit", body)[2]
    assert "closed period" in caller.refused("PATCH", f"/record/v1/invoice/{invoice}", {"memo": "x"})[2]
    assert "closed period" in caller.refused("DELETE", f"/record/v1/invoice/{invoice}")[2]
    caller.made("customerDeposit", body | {"tranDate": "2026-04-01"})
    caller.made("salesOrder", sales_order(caller, customer, "so-2"))  # an order does not post
    hands.open_period(date(2026, 3, 1))
    caller.made("customerDeposit", body)


def test_a_date_without_a_period_is_refused(caller: Any, customer: str) -> None:
    body = {"customer": {"id": customer}, "payment": 5, "tranDate": "2035-01-01"}

    assert "accounting period" in caller.refused("POST", "/record/v1/customerDeposit", body)[2]


def test_a_refused_edit_changes_nothing(caller: Any, hands: Hands, order: str) -> None:
    before = json.dumps(caller.seen(f"salesOrder/{order}"))

    with pytest.raises(Refused):
        hands.edit_amount("so-1", Decimal(-10_000))

    assert json.dumps(caller.seen(f"salesOrder/{order}")) == before


def test_a_search_lags_behind_the_record_service(caller: Any, time: Any, customer: str) -> None:
    caller.world.lag(120)
    caller.made("customerDeposit", {"customer": {"id": customer}, "payment": 5, "externalId": "dep-1"})
    query = {"q": "SELECT id FROM transaction WHERE externalid = ?", "params": ["dep-1"]}

    early = json.loads(caller.call("POST", "/query/v1/suiteql", query, {"Prefer": "transient"}).body)
    found = caller.call("GET", "/record/v1/customerDeposit/eid:dep-1").status
    time.passes(120)
    late = json.loads(caller.call("POST", "/query/v1/suiteql", query, {"Prefer": "transient"}).body)

    assert (early["totalResults"], found, late["totalResults"]) == (0, 200, 1)


def test_a_search_never_goes_back_to_a_record_s_past(caller: Any, time: Any, customer: str) -> None:
    """What lagged longer than a later change of the same record is heard of no more."""
    caller.world.lag(120)
    caller.call("PATCH", f"/record/v1/customer/{customer}", {"companyName": "Older"})
    caller.world.lag(0)
    caller.call("PATCH", f"/record/v1/customer/{customer}", {"companyName": "Newer"})

    seen = []
    for seconds in (1, 200):
        time.passes(seconds)
        seen += [rec.get("companyName") for rec in caller.world.visible() if str(rec.id) == customer]

    assert seen == ["Newer", "Newer"]
    assert caller.world.lagging == 0
