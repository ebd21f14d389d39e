"""What the adapter asks by query, answered by the simulated account's own SuiteQL."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from erp_adapters.netsuite import suiteql
from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account import suiteql as account
from erp_adapters.netsuite.account.world import World
from erp_adapters.netsuite.client import Client
from hub.errors import Rejected
from tests.erp_adapters.netsuite.wired import SUITEQL, TOKENS, Time, connected, token

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> World:
    world = World(lambda: MARCH, random.Random(7))
    seed.company(world, on_hand=100)
    return world


@pytest.fixture
def asked() -> list[Any]:
    return []


@pytest.fixture
def client(company: World, asked: list[Any]) -> Iterator[Client]:
    def answer(request: httpx.Request) -> httpx.Response:
        said = json.loads(request.content)
        asked.append(said)
        query = {name: int(value) for name, value in request.url.params.items()}
        rows, total = account.run(company, said["q"], said.get("params", []), query["limit"], query["offset"])
        more = query["offset"] + len(rows) < total
        return httpx.Response(
            200,
            json={"count": len(rows), "hasMore": more, "items": rows, "offset": query["offset"], "totalResults": total},
        )

    with respx.mock(assert_all_called=False) as router:
        router.post(TOKENS).mock(return_value=token())
        router.post(SUITEQL).mock(side_effect=answer)
        yield connected(Time())


def test_an_item_is_found_by_its_code(client: Client) -> None:
    found = suiteql.items(client, ["TENT-2P-GRN", "SHIPPING", "DISCOUNT", "NO-SUCH", "SHIPPING"])

    assert {code: (item.name, item.kind, item.inactive) for code, item in found.items()} == {
        "TENT-2P-GRN": ("TENT-2P-GRN", "InvtPart", False),
        "SHIPPING": ("SHIPPING", "OthCharge", False),
        "DISCOUNT": ("DISCOUNT", "Discount", False),
    }
    assert all(item.id.isdigit() for item in found.values())


def test_an_account_is_found_by_its_number(client: Client) -> None:
    found = suiteql.accounts(client, ["1100", "4000", "9999"])

    assert {number: account.kind for number, account in found.items()} == {"1100": "AcctRec", "4000": "Income"}


def test_places_moneys_and_taxes_are_found_by_their_names(client: Client) -> None:
    assert list(suiteql.locations(client, ["main", "nowhere"])) == ["main"]
    assert list(suiteql.currencies(client, ["USD", "XXX"])) == ["USD"]
    assert list(suiteql.tax_codes(client, ["State Tax", "None"])) == ["State Tax"]
    assert list(suiteql.tax_types(client, ["US Sales Tax", "None"])) == ["US Sales Tax"]


def test_many_names_are_asked_in_several_queries(client: Client, asked: list[Any]) -> None:
    suiteql.items(client, (f"ITEM-{number}" for number in range(1001)))

    assert [len(said["params"]) for said in asked] == [500, 500, 1]


def test_nothing_is_asked_for_no_names(client: Client, asked: list[Any]) -> None:
    assert suiteql.items(client, []) == {}
    assert asked == []


def test_two_records_of_one_name_are_an_alarm() -> None:
    world = World(lambda: MARCH, random.Random(7))
    seed.company(world)
    seed.charge_item(world, "TWICE", "4000")
    seed.charge_item(world, "TWICE", "4100")
    with respx.mock(assert_all_called=False) as router:
        router.post(TOKENS).mock(return_value=token())

        def answer(request: httpx.Request) -> httpx.Response:
            said = json.loads(request.content)
            rows, total = account.run(world, said["q"], said["params"], 1000, 0)
            return httpx.Response(200, json={"hasMore": False, "items": rows, "totalResults": total})

        router.post(SUITEQL).mock(side_effect=answer)

        with pytest.raises(Rejected) as raised:
            suiteql.items(connected(Time()), ["TWICE"])

    assert raised.value.code == "ambiguous_item"


def test_all_rows_are_walked_by_their_id(client: Client) -> None:
    walked = client.walk("SELECT id, symbol FROM currency WHERE id > ? ORDER BY id")

    assert [row.text("symbol") for row in walked] == ["USD", "EUR", "GBP", "CAD", "JPY", "KWD"]
