"""status: how the hub stands now, in one look."""

from dataclasses import dataclass

from hub.steps.hub import Hub
from hub.steps.showing import last_run
from hub.store.views import backlog, exceptions
from hub.store.views.backlog import Backlog, Backordered, Holding
from hub.store.views.completeness import Checked, last_checks
from hub.store.views.exceptions import Group
from hub.store.views.sending import TargetStatus, sending


@dataclass(frozen=True, slots=True)
class Standing:
    records: Backlog
    orders: Holding
    backordered: Backordered
    steps: dict[str, int]  # to the ERP, by state
    told: dict[str, dict[str, int]]  # the same of each channel that was told something
    targets: list[TargetStatus]
    documents: dict[str, int]  # decided for the ERP, by kind
    exceptions: list[Group]  # the open causes
    reconciliation: str | None  # the last run; None: none yet
    completeness: list[Checked]  # the last check of each channel


def standing(hub: Hub) -> Standing:
    """What waits, what is held and with how much money, what the ERP and the channels have been told."""
    return Standing(
        records=backlog.backlog(hub.inbox),
        orders=backlog.holding(hub.store, hub.clock()),
        backordered=backlog.backordered(hub.store),
        steps=backlog.steps_by_state(hub.store),
        told=backlog.told(hub.store),
        targets=sending(hub.store, hub.clock(), hub.settings.slots()),
        documents=backlog.documents_by_kind(hub.store),
        exceptions=exceptions.groups(hub.store),
        reconciliation=last_run(hub),
        completeness=last_checks(hub.store, [channel.slug for channel in hub.settings.channels]),
    )
