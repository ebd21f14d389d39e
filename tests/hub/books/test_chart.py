"""The chart of accounts."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.books import Chart, Faulty, Policy, Role
from hub.books.chart import DETAIL_CHARS_MAX, sub_account

CHART_FILE = Path(__file__).parents[3] / "config" / "chart.yaml"


@pytest.fixture
def raw() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CHART_FILE.read_text())
    return loaded


def test_a_role_has_an_account(raw: dict[str, Any]) -> None:
    assert Chart.parse(raw).account(Role.RECEIVABLE) == "1100"


def test_tax_payable_has_one_account_a_jurisdiction(raw: dict[str, Any]) -> None:
    chart = Chart.parse(raw)

    assert chart.account(Role.SALES_TAX_PAYABLE, "State Tax") == "2200:State Tax"
    assert chart.account(Role.SALES_TAX_PAYABLE, "County Tax") == "2200:County Tax"
    assert chart.name("2200:State Tax") == "Sales tax payable: State Tax"


@pytest.mark.parametrize("method", ["gift_card", "shopify_store_credit", "store_credit"])
def test_a_gift_card_or_store_credit_pays_out_of_its_liability(raw: dict[str, Any], method: str) -> None:
    liability = {"gift_card": "2300", "shopify_store_credit": "2350", "store_credit": "2350"}[method]

    assert Chart.parse(raw).account(Role.PAYMENT_CLEARING, method) == liability


def test_every_fault_is_named_at_once(raw: dict[str, Any]) -> None:
    raw["accounts"][0] = {"number": 1000, "name": "", "type": "assets", "role": "banc"}
    raw["accounts"][2]["number"] = "1100"
    raw["accounts"] = [account for account in raw["accounts"] if account.get("role") != "fees"]
    raw["methods"]["points"] = "loyalty"
    raw["colour"] = "red"

    with pytest.raises(Faulty) as caught:
        Chart.parse(raw)

    assert [problem.path for problem in caught.value.problems] == [
        "$.accounts[0].number",
        "$.accounts[0].name",
        "$.accounts[0].type",
        "$.accounts[0].role",
        "$.accounts[2].number",
        "$.methods.points",
        "$.colour",
        "$.accounts",
        "$.accounts",
        "$.accounts",
    ]
    assert "no account has the role fees" in str(caught.value)


def test_a_policy_names_every_fault_at_once() -> None:
    with pytest.raises(Faulty) as caught:
        Policy.parse({"recognise": "someday", "colour": "red"})

    assert [problem.path for problem in caught.value.problems] == [
        "$.recognise",
        "$.colour",
    ]


def test_a_policy_has_another_version_when_a_choice_changes() -> None:
    assert Policy.parse({"recognise": "shipment"}).version == Policy().version
    assert Policy.parse({"recognise": "delivery"}).version != Policy().version


@given(st.text(min_size=1))
def test_any_word_of_a_channel_names_a_sub_account_of_one_line(word: str) -> None:
    name = sub_account(word)

    assert 0 < len(name) <= DETAIL_CHARS_MAX
    assert ":" not in name
    assert name == name.strip()
    assert len(name.splitlines()) == 1


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_words_share_a_sub_account_only_where_white_space_alone_differs(one: str, other: str) -> None:
    if one.split() != other.split():
        assert sub_account(one) != sub_account(other)


def test_a_second_account_of_a_role_is_an_alternative_of_the_same_type(raw: dict[str, Any]) -> None:
    online = {"number": "4010", "name": "Online revenue", "type": "income", "role": "revenue"}
    raw["accounts"] += [online, online | {"number": "4020", "type": "expense", "alternative": True}]

    with pytest.raises(Faulty) as caught:
        Chart.parse(raw)

    assert [problem.message for problem in caught.value.problems] == [
        "revenue is played by another account; a second one is `alternative: true`",
        "4000 has the same role and is of type income",
    ]


def test_an_alternative_is_posted_to_only_when_chosen(raw: dict[str, Any]) -> None:
    online = {"number": "4010", "name": "Online revenue", "type": "income", "role": "revenue", "alternative": True}
    raw["accounts"].insert(0, online)
    chart = Chart.parse(raw)

    assert chart.account(Role.REVENUE) == "4000"
    assert chart.choosing((("revenue", "4010"),)).account(Role.REVENUE) == "4010"
    assert chart.account(Role.REVENUE) == "4000"
