"""What happened in the ERP is in the inbox, up to its latest change."""

from typing import Final

from hub.errors import Misconfigured
from hub.ports import StatesChanges
from hub.steps.advance import advance_all
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.steps.syncing import told
from hub.store import inbox

CHANGES: Final = "changes"
"""The stream of the ERP's cursor."""
JOB: Final = "pull erp"
EVERY_S: Final = 60
"""How often it is read where the configuration says nothing."""


def tells_changes(hub: Hub) -> bool:
    """Whether the configured ERP can be asked what changed in it."""
    return isinstance(hub.erp, StatesChanges)


def synced_erp(hub: Hub, *, send: bool = True) -> dict[str, int]:
    """The ERP's changes were pulled, the orders decided and, if wanted, what follows sent; how much of each.

    Raises:
        Misconfigured: this ERP tells no changes.
    """
    if not tells_changes(hub):
        raise Misconfigured(f"{hub.settings.erp.slug}: the adapter of {hub.settings.erp.system} tells no changes")
    new = pull_erp(hub)
    advanced = advance_all(hub)
    sent = send_all(hub) if send else Sent()
    return {
        "new": new,
        "advanced": advanced,
        "sent": sent.done + sent.adopted,
        "rejected": sent.rejected,
        "in_doubt": sent.in_doubt,
    }


def pull_erp(hub: Hub) -> int:
    """All that changed in the ERP since the last look is captured, a page and its cursor at once; how many records.

    Breaking off anywhere loses nothing: a page that was not committed comes again, and a record twice is one row.
    An ERP that does not tell its changes has none.
    """
    erp, slug = hub.erp, hub.settings.erp.slug
    if not isinstance(erp, StatesChanges):
        return 0
    captured = 0
    with told(hub, slug, "pull changes"):
        for page in erp.changes(inbox.cursor(hub.inbox, slug, CHANGES)):
            captured += len(inbox.put_page(hub.inbox, page.received, slug, CHANGES, page.cursor, hub.clock()))
    return captured
