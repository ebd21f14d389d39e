"""orderhub purge and personal-data: how much goes is said first, what is gone says so, and the trail is kept."""

from typing import Any

import pytest

from tests.hub.cli.shop import Orderhub, order

ADDRESS = {"name": "Mabel Quist", "address1": "4 Elm Row", "city": "Troy", "zip": "12180", "country_code": "US"}


def bought(id: int, customer: int) -> dict[str, Any]:
    person = {"id": customer, "first_name": "Mabel", "last_name": "Quist", "email": "mabel@example.com"}
    return order(id) | {"customer": person, "shipping_address": ADDRESS, "billing_address": ADDRESS}


@pytest.fixture
def selling(orderhub: Orderhub) -> Orderhub:
    """Two orders of customer 5001, one of 5002, all posted."""
    orders = [bought(1001, 5001), bought(1002, 5001), bought(1003, 5002)]
    orderhub.json("import", "shopify", orderhub.file(orders))
    return orderhub


def test_one_customer_goes_and_the_other_stays(selling: Orderhub) -> None:
    ran = selling("purge", "--customer", "5001", "--as", "ann", "--format", "json")

    (purged,) = ran.json["purged"]
    assert (ran.status, ran.json["scrubbed"]) == (0, True)
    assert (purged["parties"], purged["records"], purged["erp_customers"]) == (3, 2, 1)
    assert "orderhub: shopify, customer 5001: 3 parties, 2 records" in ran.err
    assert selling.json("personal-data", "shopify", "5001")["parties"] == []
    assert len(selling.json("personal-data", "shopify", "5002")["parties"]) == 2


def test_a_dry_run_says_how_much_and_takes_nothing(selling: Orderhub) -> None:
    would = selling.json("purge", "--older-than", "0", "--dry-run")

    assert [(one["parties"], one["records"]) for one in would["purged"]] == [(5, 3)]
    assert len(selling.json("personal-data", "shopify", "5001")["records"]) == 2


def test_a_purged_record_says_so_and_its_order_still_shows(selling: Orderhub) -> None:
    selling.json("purge", "--older-than", "0")
    record = selling.json("records", "list")["records"][0]

    ran = selling("records", "show", str(record["id"]))

    assert f"the body of record {record['id']} was purged" in ran.err
    assert "Mabel" not in ran.out
    assert selling.json("records", "show", str(record["id"]))["body"] is None
    assert f"#{record['order']}" in selling("orders", "show", record["order"]).out


def test_nothing_goes_where_no_retention_is_configured(selling: Orderhub) -> None:
    ran = selling("purge")

    assert ran.status == 0
    assert "no retention is configured" in ran.err
    assert len(selling.json("personal-data", "shopify", "5001")["records"]) == 2
