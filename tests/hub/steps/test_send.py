"""send: nothing twice and nothing lost, wherever the answer, the worker or the ledger fails."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.event import listens_for

from erp_adapters.ledger import schema
from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.model.documents import DOCUMENT, Component, DocumentKind, document_key
from hub.model.intents import Action, Write
from hub.model.order import OrderKey
from hub.settings import load_settings
from hub.steps.advance import reconsider
from hub.steps.hub import Hub, open_hub
from hub.steps.send import probe, send, send_all
from hub.store import sending
from hub.store.orders import ERP_TARGET
from hub.store.schema import exception, intent, step
from tests.conftest import Clock
from tests.hub.steps.conftest import Killed, OpenHub, plain_story, record, stories, take_in


def states(hub: Hub) -> dict[str, int]:
    with hub.store.connect() as connection:
        return dict(connection.execute(select(step.c.state, func.count()).group_by(step.c.state)).all())


def documents_of(hub: Hub, order_id: str) -> list[str]:
    """The kinds of the ledger's own documents that name the order, in order."""
    with hub.erp.engine.connect() as connection:
        query = select(schema.document.c.kind).where(
            schema.document.c.order_id == order_id, schema.document.c.voided.is_(False)
        )
        return list(connection.execute(query.order_by(schema.document.c.id)).scalars())


POSTED = ["sales_order", "deposit", "fulfilment", "invoice", "deposit_application"]


@pytest.fixture
def order_id(hub: Hub) -> str:
    """One paid and shipped order, decided and not yet sent."""
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    return story.order_id


def test_documents_are_posted_in_their_order_and_read_back(hub: Hub, order_id: str) -> None:
    sent = send_all(hub)

    assert documents_of(hub, order_id) == POSTED
    assert sent.rejected == sent.in_doubt == sent.differing == 0
    with hub.store.connect() as connection:
        assert set(connection.execute(select(step.c.state, step.c.matches)).all()) == {("done", True)}


def test_sending_again_posts_nothing(hub: Hub, order_id: str) -> None:
    send_all(hub)

    assert send_all(hub).total == 0
    assert documents_of(hub, order_id) == POSTED


@pytest.mark.parametrize("fault", list(Fault))
def test_a_lost_answer_ends_in_one_document_each(hub: Hub, order_id: str, fault: Fault) -> None:
    hub.erp.fail_next(*[fault] * 4)

    for _ in range(4):
        send_all(hub)

    assert documents_of(hub, order_id) == POSTED
    assert set(states(hub)) == {"done"}


def test_an_answer_lost_after_the_commit_is_adopted_not_resent(hub: Hub, order_id: str) -> None:
    hub.erp.fail_next(Fault.LOST_AFTER)
    assert send(hub).in_doubt > 0
    written = len(documents_of(hub, order_id))

    found = probe(hub)

    assert found.adopted > 0
    assert found.again == 0
    assert len(documents_of(hub, order_id)) == written


def test_absent_is_believed_only_after_the_settling_time(open_one: OpenHub, utc: Clock) -> None:
    hub = open_one()
    erp = hub.settings.erp.model_copy(update={"settle_s": 900})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"erp": erp}))
    take_in(hub, record(plain_story().final, "one"))
    hub.erp.fail_next(Fault.LOST_BEFORE)
    send(hub)
    utc.pass_time(seconds=890)
    early = probe(hub)
    utc.pass_time(seconds=70)

    late = probe(hub)

    assert (early.again, early.in_doubt > 0) == (0, True)
    assert late.again > 0


def test_a_probe_that_comes_late_takes_no_step_back_that_was_sent_again(hub: Hub, order_id: str, utc: Clock) -> None:
    with hub.writing() as connection, connection.begin():
        first = sending.claim(connection, ERP_TARGET, 1, utc.now)
        sending.settle_in_doubt(connection, first, utc.now)
        mine = sending.in_doubt(connection, ERP_TARGET, 1, utc.now)
        slow = sending.in_doubt(connection, ERP_TARGET, 1, utc.now)
        sending.plan_again(connection, [(one, None) for one in mine])
        again = sending.claim(connection, ERP_TARGET, 1, utc.now)

    with hub.writing() as connection, connection.begin():
        sending.plan_again(connection, [(one, None) for one in slow])
        sending.settle_in_doubt(connection, slow, utc.now)

    assert (slow[0].id, slow[0].attempts, again[0].attempts) == (again[0].id, 1, 2)
    with hub.store.connect() as connection:
        assert connection.execute(select(step.c.state).where(step.c.id == slow[0].id)).scalar_one() == "sent"


def test_successors_wait_while_a_step_is_in_doubt(hub: Hub, order_id: str) -> None:
    send(hub)  # customers and items
    hub.erp.fail_next(Fault.LOST_BEFORE)
    send(hub)

    again = send(hub)

    assert again.total == 0
    assert documents_of(hub, order_id) == []


@pytest.mark.parametrize("table", ["UPDATE step SET state=", "INSERT INTO document"])
def test_a_worker_killed_anywhere_leaves_one_document_each(open_one: OpenHub, utc: Clock, table: str) -> None:
    """Killed after the claim, in the call, or between answer and settling: the next worker finds out."""
    hub = open_one()
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    moments = 0
    while True:
        kills = _kill_at(hub, table, moments)
        try:
            send_all(hub)
        except Killed:
            moments += 1
            kills()
            hub = open_one()
            utc.pass_time(seconds=sending.LEASE_S + 1)
            continue
        kills()
        break

    assert moments >= 3
    assert documents_of(hub, story.order_id) == POSTED
    assert set(states(hub)) == {"done"}


def _kill_at(hub: Hub, opening: str, number: int) -> Callable[[], None]:
    """Ctrl-C at the number-th statement of that opening, in the hub's store or the ledger's; call it to disarm."""
    seen = [0]
    armed = [True]

    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if armed[0] and statement.startswith(opening):
            seen[0] += 1
            if seen[0] == number + 1:
                raise Killed

    for engine in (hub.store, hub.erp.engine):
        listens_for(engine, "before_cursor_execute")(kill)

    def disarm() -> None:
        armed[0] = False

    return disarm


def test_two_workers_at_once_post_each_document_once(hub: Hub, open_one: OpenHub) -> None:
    chosen = stories(60)
    take_in(hub, *[record(s.final, s.order_id) for s in chosen])
    workers = [hub, open_one()]
    failures: list[Exception] = []

    def work(one: Hub) -> None:
        try:
            while send(one, limit=7).total:
                pass
        except Exception as failure:  # noqa: BLE001  the thread's failures are the test's to judge
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_all(hub)

    assert failures == []
    with hub.store.connect() as connection:
        decided = connection.execute(select(func.count()).select_from(intent)).scalar_one()
        attempts = set(connection.execute(select(step.c.attempts)).scalars())
    assert states(hub) == {"done": decided}
    assert attempts == {1}


def test_a_refused_document_holds_its_successors_and_goes_on_when_retried(hub: Hub, order_id: str) -> None:
    hub.erp.close("main", "2026-10")

    refused = send_all(hub)

    assert refused.rejected == 1
    with hub.store.connect() as connection:
        held = connection.execute(select(exception.c.fingerprint, exception.c.remedy)).one()
    assert held.fingerprint == "rejected:closed_period:date"
    assert "2026-10" in held.remedy
    hub.erp.open("main", "2026-10")
    with hub.writing() as connection, connection.begin():
        assert sending.retry_rejected(connection, [("shopify", order_id)]) == 1
    send_all(hub)
    assert documents_of(hub, order_id) == POSTED
    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.resolution)).scalar_one() == "cured"


def test_a_document_read_back_otherwise_is_an_exception(hub: Hub, order_id: str) -> None:
    send(hub)  # customers and items
    key = document_key(DocumentKind.SALES_ORDER, "shopify", order_id)
    with hub.store.connect() as connection:
        claimed = connection.execute(select(intent.c.content).where(intent.c.document_key == key)).scalar_one()
    earlier = DOCUMENT.validate_json(claimed)
    altered = replace(earlier, lines=(replace(earlier.lines[0], amount_minor=1), *earlier.lines[1:]))
    hub.erp.put([Write(Action.CREATE, altered, "0" * 12)])

    sent = send_all(hub)

    assert sent.differing == 1
    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.fingerprint)).scalar_one() == "read_back:sales_order"


def test_what_was_decided_after_closing_goes_into_the_next_open_period(hub: Hub, utc: Clock) -> None:
    hub.erp.close("main", "2026-10")
    story = plain_story()

    take_in(hub, record(story.final, "one"))
    sent = send_all(hub)

    assert sent.rejected == 0
    (read,) = hub.erp.held([document_key(DocumentKind.SALES_ORDER, "shopify", story.order_id)]).values()
    assert read.date.isoformat() == "2026-11-01"


def test_a_hand_edit_is_left_to_the_reconciliation(hub: Hub, order_id: str) -> None:
    send_all(hub)
    key = document_key(DocumentKind.SALES_ORDER, "shopify", order_id)
    before = hub.erp.held([key])[key]
    hub.erp.edit_amount(hub.erp.ref(key), 500, Component.GOODS)

    reconsider(hub, [OrderKey("shopify", order_id)])
    send_all(hub)

    after = hub.erp.held([key])[key]
    assert after.total_minor == before.total_minor + 500


@settings(max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 10_000), st.floats(0.1, 0.7))
def test_random_faults_never_lose_or_double(seed: int, share: float) -> None:
    """Faults at random in the ledger; the books end as if there had been none."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(datetime(2026, 11, 2, 12, tzinfo=UTC))
        hub = open_hub(load_settings(None, Path(folder), {}), clock, lambda config: LedgerSimulator(config, clock))
        take_in(hub, *[record(s.final, s.order_id) for s in stories(8, seed=seed % 50)])
        hub.erp.fail_at_random(seed, share)
        for _ in range(60):
            send_all(hub)
            clock.now += timedelta(seconds=61)
            if set(states(hub)) <= {"done"}:
                break
        hub.erp.settle()
        with hub.store.connect() as connection:
            decided = set(connection.execute(select(intent.c.document_key)).scalars())
        with hub.erp.engine.connect() as ledger:
            booked = list(ledger.execute(select(schema.document.c.key)).scalars())
        left = states(hub)
        hub.store.dispose()
        hub.inbox.dispose()
        hub.erp.close_connections()

    assert set(left) == {"done"}
    assert sorted(booked) == sorted(decided)


def test_an_order_that_changes_after_a_refusal_goes_on_with_what_is_decided_now(hub: Hub, order_id: str) -> None:
    hub.erp.close("main", "2026-10")
    send_all(hub)
    hub.erp.open("main", "2026-10")
    changed = plain_story().final | {"updated_at": "2026-11-01T09:00:00+00:00", "name": "#1001-B"}

    take_in(hub, record(changed, "changed"))
    sent = send_all(hub)

    assert sent.rejected == 0
    assert documents_of(hub, order_id) == POSTED
    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.resolution)).scalar_one() == "cured"
