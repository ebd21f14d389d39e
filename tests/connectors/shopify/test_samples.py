"""Each sample is an order that adds up; that it gives its canonical result is the conformance suite's to show."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

import connectors.shopify
from connectors.shopify import PLUGIN
from hub.model.order import Snapshot
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


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_order_adds_up_in_the_buyers_currency_too(name: str) -> None:
    for fact in translated(name).facts:
        if isinstance(fact.body, Snapshot) and (shown := fact.body.presentment):
            assert shown.computed_total_minor == shown.claimed_total_minor


def test_the_same_order_is_the_same_in_both_shapes() -> None:
    rest = json.loads((SAMPLES / "cancelled-shipping-refunded.out.json").read_text())
    graphql = json.loads((SAMPLES / "cancelled-shipping-refunded.graphql.out.json").read_text())

    assert graphql == rest
