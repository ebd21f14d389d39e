"""Every sample gives its canonical result, and each is an order that adds up."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import TypeAdapter

import connectors.shopify
from connectors.shopify import PLUGIN
from hub.model.facts import adapter
from hub.model.order import PARTY, Snapshot
from hub.model.records import Received, Record, Translation
from hub.ports import ChannelConfig

SAMPLES: Final = Path(connectors.shopify.__file__).parent / "samples"
NAMES: Final = sorted(path.name.removesuffix(".in.json") for path in SAMPLES.glob("*.in.json"))
RECEIVED_AT: Final = datetime(2026, 10, 1, tzinfo=UTC)


def translated(name: str) -> Translation:
    connector = PLUGIN.connect(ChannelConfig("shop", "main", "USD", "America/New_York"))
    [item] = connector.read_file((SAMPLES / f"{name}.in.json").read_bytes(), RECEIVED_AT)
    assert isinstance(item, Received)
    found: Translation = connector.translate(
        Record(1, item.channel, item.topic, item.source, item.body, item.received_at)
    )
    return found


def canonical(found: Translation) -> dict[str, Any]:
    parties = [json.loads(PARTY.dump_json(party)) for party in found.parties]
    return {
        "ignored": found.ignored,
        "facts": [
            {
                "kind": fact.kind,
                "order": str(fact.order),
                "external_id": fact.external_id,
                "modified_at": fact.modified_at.isoformat(),
                "occurred_at": fact.occurred_at.isoformat(),
                "body": json.loads(adapter(fact.kind).dump_json(fact.body)),
            }
            for fact in found.facts
        ],
        "parties": [{key: value for key, value in party.items() if value} for party in parties],
        "problems": TypeAdapter(Any).dump_python([problem.path for problem in found.problems]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_gives_its_canonical_result(name: str) -> None:
    expected = json.loads((SAMPLES / f"{name}.out.json").read_text())

    assert canonical(translated(name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_order_adds_up_in_each_of_its_currencies(name: str) -> None:
    for fact in translated(name).facts:
        if isinstance(snapshot := fact.body, Snapshot):
            assert snapshot.computed_total_minor == snapshot.claimed_total_minor
            if shown := snapshot.presentment:
                assert shown.computed_total_minor == shown.claimed_total_minor


def test_the_same_order_is_the_same_in_both_shapes() -> None:
    rest = json.loads((SAMPLES / "cancelled-shipping-refunded.out.json").read_text())
    graphql = json.loads((SAMPLES / "cancelled-shipping-refunded.graphql.out.json").read_text())

    assert graphql == rest
