"""capture: raw records are on disk before anything else happens to them."""

import logging
from collections.abc import Mapping, Sequence

from hub.logs import ITEMS_MAX
from hub.model.records import Received
from hub.steps.hub import Hub
from hub.store import inbox

log = logging.getLogger(__name__)


def capture(hub: Hub, received: Sequence[Received]) -> dict[tuple[str, str], int]:
    """All are in the inbox, each once, committed with full durability; the ids of the new ones by (channel, key)."""
    new = inbox.put(hub.inbox, received)
    told_of(received, new)
    return new


def told_of(received: Sequence[Received], new: Mapping[tuple[str, str], int]) -> None:
    """The new ones stand in the log, each under the number by which all that follows from it is found."""
    if not log.isEnabledFor(logging.INFO):
        return
    for one in received:
        if (record := new.get((one.channel, one.key))) is not None:
            said = {"channel": one.channel, "record": record, "source": one.source.value}
            log.info("capture.stored", extra={**said, "key": one.key, "topic": one.topic})


def told_of_group(received: Sequence[Received], new: Mapping[tuple[str, str], int]) -> None:
    """As `told_of`, in a line for many: a line for each took longer than storing it (measured, 2026-11)."""
    if len(received) == 1:
        told_of(received, new)
        return
    if not log.isEnabledFor(logging.INFO):
        return
    stored: dict[tuple[str, str], list[int]] = {}
    for one in received:
        if (record := new.get((one.channel, one.key))) is not None:
            stored.setdefault((one.channel, one.source.value), []).append(record)
    for (channel, source), records in stored.items():
        for start in range(0, len(records), ITEMS_MAX):
            part = records[start : start + ITEMS_MAX]
            log.info("capture.stored", extra={"channel": channel, "source": source, "records": part})
