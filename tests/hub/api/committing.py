"""Commits deliveries in groups of one: `python -m tests.hub.api.committing HOME LEVEL`.

LEVEL is what the committing connection is set to once the writer has looked at it: FULL, or OFF to see it found.
"""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, event

from hub.model.facts import Source
from hub.model.records import Received
from hub.settings import load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.steps.receiving import Intake
from hub.store.engine import commit_mode

GROUPS = 12
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def main(home: str, level: str) -> None:
    with opened(load_settings(None, Path(home), {}), lambda: NOW) as hub:
        commit_groups(hub, f"PRAGMA synchronous={level}")


def commit_groups(hub: Hub, setting: str, keys: str = "w") -> None:
    """GROUPS deliveries were committed, each by itself, the connection set so once the writer had looked at it."""
    answered = threading.Event()
    intake: Intake[int] = Intake(hub, lambda _: answered.set())
    intake.start()

    @event.listens_for(hub.inbox, "engine_connect")
    def weaken(connection: Connection) -> None:
        commit_mode(connection)  # asked once of each connection, and there may be two: one writes back beside
        connection.rollback()
        driver = connection.connection
        driver.cursor().execute(setting)  # no transaction around it: SQLite changes its level in none
        driver.commit()

    for number in range(GROUPS):
        answered.clear()
        assert intake.offer(Received("shopify", f"{keys}-{number}", "t", Source.WEBHOOK, b"{}" * 3_000, NOW), number)
        assert answered.wait(60)
    intake.stop()
    assert intake.counts.commits == GROUPS


if __name__ == "__main__":
    main(*sys.argv[1:])
