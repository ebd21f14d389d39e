"""The worked examples in config/examples are what the books do."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.books import Chart, Policy, Recognise, post
from hub.model.entries import Entry
from tests.hub.books.documents import read

CONFIG = Path(__file__).parents[3] / "config"
CHART = Chart.parse(yaml.safe_load((CONFIG / "chart.yaml").read_text()))
EXAMPLES = [
    pytest.param(example, id=f"{file.stem}: {example['about'].split(';')[0]}")
    for file in sorted((CONFIG / "examples").glob("*.yaml"))
    for example in yaml.safe_load(file.read_text())
]


def entries_of(example: dict[str, Any]) -> list[Entry | None]:
    policy = Policy.parse(example["policy"])
    return [
        post(read(raw, number), CHART, policy, example["functional"])
        for number, raw in enumerate(example["documents"], start=1)
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_worked_example_posts_what_was_typed_by_hand(example: dict[str, Any]) -> None:
    functional = example["functional"]
    expected = [
        None
        if entry is None
        else sorted((x[0], x[1], x[2] if len(x) > 2 else functional, x[3] if len(x) > 3 else x[1]) for x in entry)
        for entry in example["entries"]
    ]

    posted = [
        entry and sorted((p.account, p.amount_minor, p.currency, p.functional_minor) for p in entry.postings)
        for entry in entries_of(example)
    ]

    assert posted == expected


@pytest.mark.parametrize("example", [x for x in EXAMPLES if "balances" in x.values[0]])  # type: ignore[operator]
def test_a_worked_example_leaves_the_balances_typed_by_hand(example: dict[str, Any]) -> None:
    balances: Counter[str] = Counter()
    for entry in entries_of(example):
        for posting in entry.postings if entry else ():
            balances[posting.account] += posting.functional_minor

    assert {account: minor for account, minor in balances.items() if minor} == example["balances"]


@pytest.mark.parametrize("example", [x for x in EXAMPLES if "dates" in x.values[0]])  # type: ignore[operator]
def test_a_late_fact_stands_in_an_open_period_and_names_its_own_day(example: dict[str, Any]) -> None:
    dates = [[entry.date, entry.original_date] for entry in entries_of(example) if entry]

    assert dates == example["dates"]


def test_the_examples_work_out_every_policy() -> None:
    chosen = {name for param in EXAMPLES for name in param.values[0]["policy"]}  # type: ignore[index]

    assert {"recognise", "billing", "late_facts", "refunded_shipping", "allowance", "fee_kept"} <= chosen


def test_the_shipped_policies_are_the_defaults() -> None:
    policy = Policy.parse(yaml.safe_load((CONFIG / "policies.yaml").read_text()))

    assert policy == Policy()
    assert policy.recognise is Recognise.SHIPMENT
