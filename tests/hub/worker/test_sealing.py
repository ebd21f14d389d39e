"""The worker seals each day that is over, without anybody asking."""

import threading
import time
from datetime import UTC, date, datetime

from hub.steps.hub import Hub
from hub.store import roots
from hub.worker.jobs import Jobs
from tests.conftest import Clock
from tests.hub.cli.shop import order
from tests.hub.steps.conftest import hub, open_one, record, take_in

__all__ = ["hub", "open_one"]

WAITS_S = 20
LOOKS_S = 0.05


def test_a_day_that_is_over_is_sealed(hub: Hub, utc: Clock) -> None:
    take_in(hub, record(order(1001), "1"))
    utc.now = datetime(2026, 11, 3, 0, 30, tzinfo=UTC)
    jobs = Jobs(hub)

    jobs.start()
    sealed, until = None, time.monotonic() + WAITS_S
    while sealed is None and time.monotonic() < until:
        threading.Event().wait(LOOKS_S)
        with hub.store.connect() as connection:
            sealed = roots.last_root(connection)
    jobs.stop()

    assert sealed is not None
    assert (sealed.day, sealed.orders) == (date(2026, 11, 2), 1)
