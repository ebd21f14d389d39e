"""An adapter that believes what it wishes: it trusts a 200, sends again after a timeout, replays a PUT with its lines.

Against this account each of its habits costs money. It is test code, so that the account is shown to bite.
"""

import json
from typing import Any

import pytest

from erp_adapters.netsuite.account.faults import ConnectionLost
from hub.testing.conformance.bench import Fault
from tests.erp_adapters.netsuite.account.conftest import sales_order


class Naive:
    """Writes until somebody says something below 300."""

    def __init__(self, caller: Any) -> None:
        self.caller = caller

    def write(self, method: str, path: str, body: Any) -> bool:
        """Whether it went well, as far as this adapter can tell."""
        for _ in range(3):
            try:
                return bool(self.caller.call(method, f"/record/v1/{path}", body).status < 300)
            except ConnectionLost:
                continue  # surely nothing happened
        return False

    def id_of(self, method: str, path: str, body: Any) -> str | None:
        """The id that it reads from the body, as clients do that drop the headers."""
        answer = self.caller.call(method, f"/record/v1/{path}", body)
        return json.loads(answer.body).get("id") if answer.body else None


@pytest.fixture
def naive(caller: Any) -> Naive:
    return Naive(caller)


def test_replaying_a_put_with_keyless_lines_doubles_lines_and_tax(caller: Any, naive: Naive, customer: str) -> None:
    body = sales_order(caller, customer)

    for _ in range(2):
        assert naive.write("PUT", "salesOrder/eid:so-1", body)

    seen = caller.seen("salesOrder/eid:so-1")
    assert len(seen["item"]["items"]) == 6
    assert (seen["subtotal"], seen["taxTotal"], seen["total"]) == (1119.88, 67.2, 1187.08)


def test_sending_again_after_a_lost_answer_doubles_what_has_no_key(caller: Any, naive: Naive, customer: str) -> None:
    caller.app.faults.fail_write(Fault.LOST_AFTER)

    assert naive.write("POST", "customerDeposit", {"customer": {"id": customer}, "payment": 50})

    assert caller.books() == {"1199": "100.00", "2100": "-100.00"}


def test_sending_again_after_a_lost_answer_is_taken_for_a_failure_where_there_is_a_key(
    caller: Any, naive: Naive, customer: str
) -> None:
    caller.app.faults.fail_write(Fault.LOST_AFTER)
    body = {"customer": {"id": customer}, "payment": 50, "externalId": "dep-1"}

    assert not naive.write("POST", "customerDeposit", body)

    assert caller.seen("customerDeposit/eid:dep-1")["payment"] == 50  # though it is there


def test_a_late_commit_doubles_what_was_looked_for_and_sent_again(
    caller: Any, naive: Naive, customer: str, time: Any
) -> None:
    caller.world.switches.unique_external_ids = False
    caller.app.faults.late_s = (300, 300)
    caller.app.faults.fail_write(Fault.LATE_COMMIT)
    body = {"customer": {"id": customer}, "payment": 50, "externalId": "dep-1"}

    assert naive.write("POST", "customerDeposit", body)
    time.passes(900)
    caller.app.tick()

    assert [rec.external_id for rec in caller.world.every("customerDeposit")] == ["dep-1", "dep-1"]


def test_the_id_is_not_in_the_body(naive: Naive) -> None:
    assert naive.id_of("POST", "customer", {"companyName": "Ada"}) is None


def test_a_misspelt_property_is_a_success_that_did_nothing(caller: Any, naive: Naive, customer: str) -> None:
    rows = {"items": [{"item": caller.item("BOTTLE-1L"), "qty": 5, "price_each": 20}]}

    assert naive.write("POST", "salesOrder", {"entity": {"id": customer}, "externalId": "so-9", "item": rows})

    assert caller.seen("salesOrder/eid:so-9")["subtotal"] == 29  # one, at the list price


def test_naming_only_the_lines_to_ship_ships_the_others_too(caller: Any, naive: Naive, order: str) -> None:
    body = {"shipStatus": "C", "item": {"items": [{"orderLine": 1, "quantity": 1}]}}

    assert naive.write("POST", f"salesOrder/{order}/!transform/itemFulfillment", body)

    assert caller.seen(f"salesOrder/{order}/item/4", "")["quantityFulfilled"] == 3


def test_sending_the_tax_once_loses_it_on_the_invoice(caller: Any, naive: Naive, order: str) -> None:
    assert naive.write("POST", f"salesOrder/{order}/!transform/invoice", {"externalId": "inv-1"})

    assert caller.seen(f"salesOrder/{order}")["taxTotal"] == 33.6
    assert caller.seen("invoice/eid:inv-1")["taxTotal"] == 34.98


def test_guessing_line_numbers_ships_nothing(caller: Any, naive: Naive, order: str) -> None:
    body = {"shipStatus": "C", "item": {"items": [{"orderLine": 2, "quantity": 3}]}}

    assert not naive.write("POST", f"salesOrder/{order}/!transform/itemFulfillment", body)


def test_a_credit_without_its_invoice_leaves_the_invoice_open(caller: Any, naive: Naive, order: str) -> None:
    invoice = caller.made(f"salesOrder/{order}/!transform/invoice", {})

    assert naive.write("POST", f"invoice/{invoice}/!transform/creditMemo", {"externalId": "cm-1"})

    assert caller.seen(f"invoice/{invoice}")["status"]["refName"] == "Open"


def test_asking_for_404_makes_a_missing_transaction_an_error(caller: Any) -> None:
    status = caller.call("GET", "/record/v1/salesOrder/eid:so-none").status

    assert status != 404


def test_amounts_sent_as_they_are_shown_are_kept_to_the_cent(caller: Any, naive: Naive, customer: str) -> None:
    """The one habit that is no harm: a JSON number of two places arrives as it was meant."""
    body = {"customer": {"id": customer}, "payment": 0.1 + 0.2, "account": caller.account("1200"), "externalId": "d-1"}

    assert naive.write("POST", "customerDeposit", body)

    assert caller.seen("customerDeposit/eid:d-1")["payment"] == 0.3
