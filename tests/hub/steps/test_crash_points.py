"""A worker killed at any point of a step's way: one document each, and nothing is left to do."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from erp_adapters.ledger import schema
from erp_adapters.ledger.simulator import Fault
from hub.model.documents import DocumentKind, document_key
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.store.schema import intent, step
from hub.store.sending import LEASE_S
from hub.testing.crashes import Crashes, CrashPoint
from tests.conftest import ROOT, Clock
from tests.hub.conftest import ConnectErp
from tests.hub.steps.conftest import Killed, OpenHub, plain_story, record, take_in
from tests.hub.steps.in_parts import Announced, LedgerInParts
from tests.hub.steps.test_send import POSTED, documents_of, states

LOOKS = (CrashPoint.DURING_PROBE, CrashPoint.PROBED_UNSETTLED)
"""Points that only a step in doubt comes by."""

KILLED_S = LEASE_S + 31
"""After which whoever was killed is known to be gone."""


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def connect_erp(utc: Clock, announced: Announced) -> ConnectErp:
    return lambda config: LedgerInParts(config, utc, announced)


@pytest.fixture(params=[None, 2], ids=["batches", "slots"])
def erp_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"slots": request.param}


def kill() -> None:
    raise Killed


def holds_each_document_once(hub: Hub, order_id: str) -> None:
    """The ledger has each document of the order, every step is done and was read back as it was sent."""
    assert documents_of(hub, order_id) == POSTED
    assert set(states(hub)) == {"done"}
    with hub.store.connect() as connection:
        decided = sorted(connection.execute(select(intent.c.document_key)).scalars())
        assert set(connection.execute(select(step.c.matches)).scalars()) == {True}
    with hub.erp.engine.connect() as ledger:
        assert sorted(ledger.execute(select(schema.document.c.key)).scalars()) == decided


@pytest.mark.parametrize("point", list(CrashPoint))
def test_killed_there_as_often_as_it_comes_by(
    open_one: OpenHub, utc: Clock, announced: Announced, point: CrashPoint
) -> None:
    story = plain_story()
    hub = open_one()
    take_in(hub, record(story.final, "one"))
    kills = 0
    while True:
        if point in LOOKS:
            hub.erp.fail_next(Fault.LOST_AFTER)
        crashes = Crashes(hub.store, hub.erp, point, kills, kill)
        try:
            send_all(hub)
        except Killed:
            kills += 1
            crashes.disarm()
            hub = open_one()
            utc.pass_time(seconds=KILLED_S)
            continue
        crashes.disarm()
        break

    read_with_its_write = hub.settings.erp.slots is None and point is CrashPoint.READ_UNSETTLED
    assert (kills == 0) is read_with_its_write
    holds_each_document_once(hub, story.order_id)
    assert announced.keys == [document_key(DocumentKind.SALES_ORDER, "shopify", story.order_id)]


class TestProcesses:
    """The same with a process that is ended by the kernel: nothing is rolled back or closed by the program itself."""

    @pytest.fixture
    def connect_erp(self, utc: Clock) -> ConnectErp:
        from erp_adapters.ledger.simulator import LedgerSimulator

        return lambda config: LedgerSimulator(config, utc)

    @pytest.mark.parametrize(
        "point",
        [
            CrashPoint.CLAIMED_UNCALLED,
            CrashPoint.SENT_UNANSWERED,
            CrashPoint.ANSWERED_UNSETTLED,
            CrashPoint.DURING_PROBE,
            CrashPoint.DURING_READ_BACK,
        ],
    )
    def test_a_process_killed_there_is_made_up_for_by_the_next(
        self, hub: Hub, utc: Clock, tmp_path: Path, point: CrashPoint
    ) -> None:
        story = plain_story()
        take_in(hub, record(story.final, "one"))
        database = hub.settings.database_url
        ended = []
        for at in (0, 1):
            config = {
                "home": str(tmp_path / "home"),
                "url": database.get_secret_value() if database is not None else None,
                "slots": hub.settings.erp.slots,
                "now": utc.now.isoformat(),
                "point": point.value,
                "at": at,
                "lost": point in LOOKS,
            }
            command = [sys.executable, "-m", "tests.hub.steps.killed", json.dumps(config)]
            ended.append(subprocess.run(command, cwd=ROOT, check=False, timeout=120).returncode)
            utc.pass_time(seconds=KILLED_S)

        send_all(hub)

        assert ended[0] == -signal.SIGKILL
        holds_each_document_once(hub, story.order_id)
