"""receive: a webhook's delivery is on disk, its seal checked, before it is acknowledged."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError

from hub.errors import Misconfigured, Retryable
from hub.ports import Accepts, Delivery
from hub.steps.capture import capture
from hub.steps.hub import Hub

DELIVERY_BYTES_MAX: Final = 2 * 1024 * 1024
BUSY_S: Final = 5


def receive(hub: Hub, slug: str, headers: Mapping[str, str], body: bytes) -> bool:
    """The delivery is in the inbox, committed with full durability; False: it was there before.

    Args:
        headers: by lower-case name.

    Raises:
        Forged: no seal or a wrong one; nothing is kept of it.
        Misconfigured: there is no such channel, or it takes no webhooks.
        Retryable: the inbox could not take it now; the sender should try again.
    """
    connector = hub.connector(slug)
    if not isinstance(connector, Accepts):
        raise Misconfigured(f"channel {slug}: its connector takes no webhooks")
    received = connector.accept(Delivery(headers, body, hub.clock()))
    try:
        return bool(capture(hub, [received]))
    except DBAPIError as fault:
        raise Retryable(f"the inbox took no delivery: {type(fault.orig).__name__}", BUSY_S) from fault
