"""What happened in the ERP is in the inbox, up to its latest change."""

from typing import Final

from hub.ports import StatesChanges
from hub.steps.hub import Hub
from hub.steps.syncing import told
from hub.store import inbox

CHANGES: Final = "changes"
"""The stream of the ERP's cursor."""


def tells_changes(hub: Hub) -> bool:
    """Whether the configured ERP can be asked what changed in it."""
    return isinstance(hub.erp, StatesChanges)


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
