"""`orderhub` as a process that something is wrong with: its clock is off, or it resends what got no answer.

    python -m hub.rehearsal.tampered CLOCK_OFF_S sound|blind WORDS…

The command line is the hub's own; what it is handed is changed before it runs.
"""

import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from hub import registry
from hub.rehearsal.naive import BlindResend

SOUND: Final = "sound"
BLIND: Final = "blind"


def main() -> None:
    off_s, adapter, *words = sys.argv[1:]
    door: Any = import_module("hub.cli.door")
    off = timedelta(seconds=float(off_s))
    door.now = lambda: datetime.now(UTC) + off
    if adapter == BLIND:
        found = registry.erp_adapter

        class Blind:
            def __init__(self, system: str) -> None:
                self._plugin = found(system)

            def connect(self, config: Any) -> BlindResend:
                return BlindResend(self._plugin.connect(config))

        registry.erp_adapter = Blind  # type: ignore[assignment]
    sys.argv = ["orderhub", *words]
    import_module("hub.cli").main()


if __name__ == "__main__":
    main()
