"""A worker in a process of its own, which kills itself: `python -m tests.hub.steps.killed CONFIG`, CONFIG in JSON."""

import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.settings import load_settings
from hub.steps.hub import open_hub
from hub.steps.send import send_all
from hub.testing.crashes import Crashes, CrashPoint
from tests.conftest import Clock


def work(home: str, url: str | None, slots: int | None, now: str, point: str, at: int, *, lost: bool) -> None:
    """All that is due is sent, unless the worker comes by the point for that time: then it is gone at once."""
    settings = load_settings(None, Path(home), {})
    settings = settings.model_copy(update={"erp": settings.erp.model_copy(update={"slots": slots})})
    if url is not None:
        settings = settings.model_copy(update={"database_url": SecretStr(url)})
    clock = Clock(datetime.fromisoformat(now))
    hub = open_hub(settings, clock, lambda config: LedgerSimulator(config, clock))
    if lost:
        hub.erp.fail_next(Fault.LOST_AFTER)
    Crashes(hub.store, hub.erp, CrashPoint(point), at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    send_all(hub)


if __name__ == "__main__":
    work(**json.loads(sys.argv[1]))
