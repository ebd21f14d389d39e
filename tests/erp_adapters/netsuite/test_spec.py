"""The check of requests against the vendor's specs passes the vendor's own samples, and nothing misspelt."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.erp_adapters.netsuite.spec import Spec

# What a sample has that no spec holds, by the start of its name.
BEYOND: Final = {
    "partial invoice from order": ["invoice.item.items[]"],
    "partial cash sale from order": ["cashSale.item.items[]"],
    "invoice to credit memo": ["creditMemo.apply.items[]"],
    "apply a deposit to an invoice": ["depositApplication.apply.items[]"],
    "customer payment": ["customerPayment.apply.items[]"],
    "unapply an invoice": ["customerPayment.apply.items[]"],
    "customer refund of": ["customerRefund.deposit.items[]", "customerRefund.apply.items[]"],
    "stand-alone credit memo": ["creditMemo.item.items[]"],
    "cash sale line by gross amount": ["cashSale.item.items[]"],
    "SuiteQL": ["path /query/v1/suiteql"],
    "asynchronous create": ["record account"],
}
# Its rows have a `name`, which no sales order has: the page shows the form of a batch, not of an order.
NOT_AN_ORDER: Final = "batch upsert of up to 100 records"


@pytest.fixture(scope="session")
def folder(shared_contracts: Path) -> Path:
    return shared_contracts / "netsuite"


@pytest.fixture(scope="session")
def spec(folder: Path) -> Spec:
    return Spec(folder)


@pytest.fixture(scope="session")
def samples(folder: Path) -> list[dict[str, Any]]:
    requests = json.loads((folder / "samples-vendor-docs.json").read_text())["requests"]
    assert len(requests) == 23
    return [request | {"path": request["path"].replace("{id}", "7")} for request in requests]


def _collection(folder: Path) -> Iterator[dict[str, Any]]:
    """The requests of the vendor's collection with a JSON body, or none."""

    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for item in node.get("item", ()):
            yield from walk(item)
            if request := item.get("request"):
                yield {"name": item["name"], "method": request["method"], "path": request["url"]["raw"], **request}

    for request in walk(json.loads((folder / "suiteworld24-rest.postman_collection.json").read_text())):
        path = request["path"].removeprefix("{{REST_SERVICES}}").replace("{{last_async_job}}", "1")
        raw = (request.get("body") or {}).get("raw")
        try:
            yield request | {"path": path, "body": json.loads(raw, strict=False) if raw else None}
        except json.JSONDecodeError:  # two samples lack commas
            assert "3.1" in request["name"]


def test_the_vendors_samples_pass(spec: Spec, samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        report = spec.check(sample["method"], sample["path"], sample.get("body"))
        beyond = next((parts for name, parts in BEYOND.items() if sample["name"].startswith(name)), [])

        if sample["name"] == NOT_AN_ORDER:
            assert report.faults == ["items[0].name: unknown property"]
        else:
            assert report.faults == [], sample["name"]
        assert report.not_covered == beyond, sample["name"]


def test_the_vendors_collection_passes(spec: Spec, folder: Path) -> None:
    covered = []
    for sample in _collection(folder):
        report = spec.check(sample["method"], sample["path"], sample["body"])

        assert report.faults == [], sample["name"]
        if not report.not_covered:
            covered.append(sample["name"].partition(":")[0])

    assert covered == ["Ex 4.3", "Hlp"]


def test_each_name_misspelt_is_a_fault(spec: Spec, samples: list[dict[str, Any]]) -> None:
    """Every property of every sample, wherever a spec knows what stands there."""
    misspelt = 0
    for sample in samples:
        if sample["name"] == NOT_AN_ORDER or not sample["path"].startswith("/record/") or "body" not in sample:
            continue
        unknown = spec.check(sample["method"], sample["path"], sample["body"]).not_covered
        for where, body in _misspellings(sample["body"]):
            report = spec.check(sample["method"], sample["path"], body)
            if not report.faults:
                assert any(part.startswith("record ") or f"{part.split('.')[1]}.items" in where for part in unknown)
            misspelt += bool(report.faults)

    assert misspelt > 60


def _misspellings(body: Any) -> Iterator[tuple[str, Any]]:
    """The body again and again, each time with one name spelt wrongly, and where that is."""

    def walk(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
        if isinstance(node, dict):
            for name, inner in node.items():
                yield (*path, name)
                yield from walk(inner, (*path, name))
        elif isinstance(node, list):
            for index, inner in enumerate(node):
                yield from walk(inner, (*path, index))

    for path in list(walk(body, ())):
        changed = copy.deepcopy(body)
        at = changed
        for step in path[:-1]:
            at = at[step]
        at[f"{path[-1]}x"] = at.pop(path[-1])
        yield ".".join(map(str, path)), changed


@pytest.mark.parametrize(
    ("method", "url", "body", "fault"),
    [
        ("POST", "/record/v1/salesOrder", {"memo": 5}, "salesOrder.memo: string is expected, not int 5"),
        ("POST", "/record/v1/salesOrder", {"item": []}, "salesOrder.item: {items: [...]} is expected, not list []"),
        (
            "POST",
            "/record/v1/salesOrder",
            {"item": {"items": [{"quantity": "2"}]}},
            'salesOrder.item.items[0].quantity: number is expected, not str "2"',
        ),
        (
            "POST",
            "/record/v1/salesOrder",
            {"item": {"items": [{"commitInventory": {"id": "4"}}]}},
            "salesOrder.item.items[0].commitInventory: 4 is not one of 1, 2, 3",
        ),
        ("POST", "/record/v1/salesOrder", {"entity": {"eid": "x"}}, "salesOrder.entity.eid: unknown property"),
        (
            "POST",
            "/record/v1/salesOrder",
            {"tranDate": "05.03.2026"},
            'salesOrder.tranDate: date is expected, not str "05.03.2026"',
        ),
        ("POST", "/record/v1/salesOrder", {"memo": "a", "Memo": "b"}, "salesOrder.Memo: given twice"),
        ("POST", "/record/v1/salesOrder", None, "$: an object is expected, not nothing"),
        ("GET", "/record/v1/salesOrder/7", {}, "GET has a body"),
        ("PATCH", "/record/v1/salesOrder/7?replaces=item", {}, "query replaces: unknown"),
        (
            "GET",
            "/record/v1/salesOrder/eid:a|b",
            None,
            "id eid:a|b: neither a number nor eid: with letters, digits, _ and -",
        ),
        ("POST", "/record/v1/salesOrder/7", {}, "POST is not an operation of /record/v1/salesOrder/7"),
        (
            "POST",
            "/record/v1/itemFulfillment/7/!transform/invoice",
            {},
            "no spec has /itemFulfillment/{id}/!transform/invoice",
        ),
        ("POST", "/record/v1/salesOrder/7/!transform/invoice", {"itm": {}}, "invoice.itm: unknown property"),
    ],
)
def test_what_is_wrong_is_named(spec: Spec, method: str, url: str, body: Any, fault: str) -> None:
    assert spec.check(method, url, body).faults[:1] == [fault]


def test_custom_fields_are_the_accounts_own(spec: Spec) -> None:
    body = {"custbody_orderhub_order": "1", "item": {"items": [{"custcol_orderhub_line": "2"}]}}

    report = spec.check("POST", "/services/rest/record/v1/salesOrder", body)

    assert (report.faults, report.not_covered, report.respelt) == ([], [], [])


def test_a_name_in_another_case_is_respelt(spec: Spec) -> None:
    report = spec.check("PATCH", "/record/v1/salesorder/7", {"otherrefnum": "1"})

    assert report.ok
    assert report.respelt == ["/salesorder/{id}: /salesOrder/{id}", "salesOrder.otherrefnum: otherRefNum"]
