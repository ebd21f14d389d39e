"""From the webhook to the ERP's document by log lines alone, on both databases."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from erp_adapters.ledger.simulator import Fault
from hub.logs import ROOTS, log_to
from hub.steps.hub import Hub
from hub.steps.send import send, send_all
from hub.store.schema import step
from tests.hub.steps.conftest import plain_story, record, take_in


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    levels = {name: logging.getLogger(name).level for name in ROOTS}
    log_to(handler, as_json=True, level=logging.INFO)
    yield out
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_document_in_the_erp_is_found_from_the_record_that_told_of_it(hub: Hub, lines: io.StringIO) -> None:
    """By the record's number: the order, its intents, their steps and what they became; only ids are followed."""
    take_in(hub, record(plain_story().final, "w-1:aa"))
    send_all(hub)

    said: list[dict[str, Any]] = [json.loads(line) for line in lines.getvalue().splitlines()]
    [captured] = [one for one in said if one["event"] == "capture.stored"]
    number = captured["record"]
    [advanced] = [one for one in said if one["event"] == "advance.record" and one["record"] == number]
    decided = {
        one["intent"] for one in said if one["event"] == "decide.intent" and one.get("order") == advanced["order"]
    }
    sent = [one for one in said if one["event"] == "send.done" and one["intent"] in decided]

    assert captured["key"] == "w-1:aa"
    assert advanced["outcome"] == "order"
    assert decided == {one["intent"] for one in sent}
    assert {one["record"] for one in sent} == {number}
    with hub.store.connect() as connection:
        refs = {row.id: row.ref for row in connection.execute(step.select())}
    assert all(one["ref"] == refs[one["step"]] for one in sent)


def test_a_lost_answer_is_told_with_its_step_and_no_words_of_the_far_side(hub: Hub, lines: io.StringIO) -> None:
    take_in(hub, record(plain_story().final, "w-1:aa"))
    hub.erp.fail_next(Fault.LOST_BEFORE)

    send(hub)

    doubtful = [line for line in map(json.loads, lines.getvalue().splitlines()) if line["event"] == "send.in_doubt"]
    assert doubtful
    assert all(one["fault"].startswith("InDoubt") and one["step"] and one["document"] for one in doubtful)
