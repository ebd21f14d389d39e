"""bench send: what it says was seen at the wire."""

import os
from pathlib import Path

from hub.rehearsal.bench_send import bench
from hub.settings import SHIPPED, load_settings


def test_the_calls_that_it_tells_apart_are_all_that_were_made(tmp_path: Path) -> None:
    settings = load_settings(SHIPPED, tmp_path, os.environ)

    answer = bench(settings, None, 30, 7, slots=4, call_ms=10)

    per_order = answer["calls_per_order"]
    assert answer["orders"] > 20
    assert answer["documents"] > 3 * answer["orders"]
    assert round(per_order["all"] * answer["orders"]) == answer["calls"]
    assert abs(sum(count for purpose, count in per_order.items() if purpose != "all") - per_order["all"]) < 0.02
    assert {"sales_order", "deposit", "fulfilment", "invoice", "deposit_application", "read back"} <= per_order.keys()
    assert 0 < answer["slot_use_to_the_end"] <= answer["slot_use"] <= 1
