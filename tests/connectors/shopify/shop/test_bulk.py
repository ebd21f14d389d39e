"""Bulk operations: a file of lines that name their parents, ready after a while, for a week."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from connectors.shopify.simulator import App
from tests.connectors.shopify.shop.caller import Caller

RUN = """mutation ($query: String!, $group: Boolean!) { bulkOperationRunQuery(query: $query, groupObjects: $group) {
  bulkOperation { id status url } userErrors { code field message } } }"""
STATE = """query ($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url completedAt } }"""
ORDERS = "{ orders { edges { node { id updatedAt lineItems { edges { node { id quantity } } } } } } }"


def run(caller: Caller, query: str = ORDERS, *, group: bool = False) -> dict[str, Any]:
    return dict(caller.ask(RUN, query=query, group=group)["bulkOperationRunQuery"])


def result(app: App, caller: Caller, *, group: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    started = run(caller, group=group)["bulkOperation"]
    app.shop.move_to(app.shop.now + timedelta(seconds=30))
    done = caller.ask(STATE, id=started["id"])["bulkOperation"]
    lines = [json.loads(line) for line in caller.client.get(done["url"]).text.splitlines()]
    return done, lines


@pytest.mark.parametrize("group", [False, True])
def test_every_object_is_a_line_and_a_child_names_its_parent(app: App, caller: Caller, group: bool) -> None:
    done, lines = result(app, caller, group=group)

    parents = [line["id"] for line in lines if "__parentId" not in line]
    children = Counter(line["__parentId"] for line in lines if "__parentId" in line)
    assert done["status"] == "COMPLETED"
    assert int(done["objectCount"]) == len(lines)
    assert int(done["rootObjectCount"]) == len(parents) == len(set(parents)) == 61
    assert set(children) <= set(parents)
    assert max(children.values()) == 300
    seen: set[str] = set()
    for line in lines:
        assert line.get("__parentId") in seen | {None}
        seen.add(line["id"])


def test_lines_are_not_in_the_order_of_their_stamps(app: App, caller: Caller) -> None:
    _, lines = result(app, caller, group=True)

    stamps = [line["updatedAt"] for line in lines if "updatedAt" in line]

    assert stamps != sorted(stamps)


def test_it_takes_a_while_and_is_kept_for_a_week(app: App, caller: Caller) -> None:
    started = run(caller)["bulkOperation"]
    app.shop.move_to(app.shop.now + timedelta(seconds=30))
    done = caller.ask(STATE, id=started["id"])["bulkOperation"]
    app.shop.move_to(app.shop.now + timedelta(days=8))

    assert started["status"] == "CREATED"
    assert started["url"] is None
    assert caller.client.get(done["url"]).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { name } }",
        "{ orders { edges { node { total } } } }",
        "{ orders { edges {",
        "mutation { bulkOperationCancel(id: 1) { userErrors { message } } }",
        "{ orders { nodes { id returns { nodes { id refunds { nodes { id transactions { nodes { id } } } } } } } } }",
        "{ orders { edges { node { id refunds { id refundLineItems { edges { node { quantity } } } } } } } }",
    ],
)
def test_a_query_that_is_no_bulk_query_is_refused_in_a_200(caller: Caller, query: str) -> None:
    refused = run(caller, query)

    assert refused["bulkOperation"] is None
    assert refused["userErrors"][0]["code"] == "INVALID"


def test_a_plain_list_is_told_in_the_line_of_its_order(app: App, caller: Caller) -> None:
    started = run(caller, "{ orders { edges { node { id refunds { id } lineItems { edges { node { id } } } } } } }")

    assert started["userErrors"] == []


def test_a_sixth_operation_at_once_is_refused(caller: Caller) -> None:
    answers = [run(caller) for _ in range(6)]

    assert [answer["userErrors"] for answer in answers[:5]] == [[]] * 5
    assert answers[5]["userErrors"][0]["code"] == "LIMIT_REACHED"
