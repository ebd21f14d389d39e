"""Commits deliveries in groups of one: `python -m tests.hub.api.committing HOME LEVEL`.

LEVEL is what the committing connection is set to once the writer has looked at it: FULL, or OFF to see it found.
"""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from hub.model.facts import Source
from hub.model.records import Received
from hub.settings import load_settings
from hub.steps.hub import Hub
from hub.steps.opening import opened
from hub.steps.receiving import Intake

GROUPS = 12
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def main(home: str, level: str) -> None:
    with opened(load_settings(None, Path(home), {}), lambda: NOW) as hub:
        commit_groups(hub, f"PRAGMA synchronous={level}")


def commit_groups(hub: Hub, setting: str, keys: str = "w") -> None:
    """GROUPS deliveries were committed, each by itself, the connection set so once the writer had looked at it."""
    answered = threading.Event()
    intake: Intake[int] = Intake(hub, lambda _: answered.set())
    hub.inbox.dispose()  # one connection alone, which the writer looks at before it is set otherwise
    intake.start()

    @event.listens_for(hub.inbox, "checkout")
    def weaken(connection: Any, *_: object) -> None:
        connection.cursor().execute(setting)
        connection.commit()

    for number in range(GROUPS):
        answered.clear()
        assert intake.offer(Received("shopify", f"{keys}-{number}", "t", Source.WEBHOOK, b"{}" * 3_000, NOW), number)
        assert answered.wait(60)
    intake.stop()
    assert intake.counts.commits == GROUPS


if __name__ == "__main__":
    main(*sys.argv[1:])
