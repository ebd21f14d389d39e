"""sync: what a channel says now is captured page by page with its cursor; orders asked for are read anew by id."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.errors import AuthExpired, HubError, Misconfigured, RateLimited, Rejected, Retryable
from hub.logs import fault_of
from hub.model.records import Received
from hub.ports import Backfills, Fetches, FetchesOrders, KeepsSubscriptions, Stream, Subscriptions
from hub.steps.advance import advance_all
from hub.steps.capture import told_of
from hub.steps.hub import Hub
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.store import inbox, orders, refetching
from hub.store.refetching import Asked
from hub.store.schema import stamp

log = logging.getLogger(__name__)

REFETCH_BATCH: Final = 50
FAILED_MAX: Final = 3  # orders that a channel cannot give; with more of them it is the channel that fails
SWEPT_DAYS: Final = 90
"""How far back open orders are read anew on the slow beat: no channel's stamp moves for every change."""
SWEEP_MAX: Final = 20_000
BACKFILL: Final = "backfill"
"""The stream whose cursor says how far a backfill came; those of its last page are of the stream ORDERS."""
ORDERS: Final = "orders"
NOT_BEGUN: Final = ""
CHANNEL_ITSELF: Final = "channel"
"""The order of an exception that is the channel's own."""


@dataclass(slots=True)
class Pulled:
    """What one pull brought."""

    pages: int = 0
    records: int = 0  # as the channel gave them
    new: int = 0  # of these, not seen before

    def add(self, other: "Pulled") -> None:
        self.pages += other.pages
        self.records += other.records
        self.new += other.new


def streams(hub: Hub, slug: str) -> tuple[Stream, ...]:
    """What can be pulled from a channel, each with the beat of its connector; the configuration may say another."""
    connector = hub.connector(slug)
    return tuple(connector.streams) if isinstance(connector, Fetches) else ()


def pull_job(slug: str, stream: str) -> str:
    """The job that pulls a stream."""
    return f"pull {slug} {stream}"


def pull(hub: Hub, slug: str, stream: str, since: datetime | None = None) -> Pulled:
    """All that the stream has beyond its cursor is captured; each page is committed together with its cursor.

    Args:
        since: where to begin in place of the cursor, which stays where it is: what lies between is still to be pulled.

    Raises:
        Misconfigured: the channel has no such stream.
    """
    connector = hub.connector(slug)
    if not isinstance(connector, Fetches) or stream not in {one.name for one in connector.streams}:
        raise Misconfigured(f"channel {slug}: nothing to pull under {stream!r}")
    pulled = Pulled()
    with told(hub, slug, f"pull {stream}"):
        stands = inbox.cursor(hub.inbox, slug, stream)
        for page in connector.fetch(stream, None if since else stands, since):
            if since is not None and stands is not None:
                new = inbox.put_aside(hub.inbox, page.received, slug, page.unread)
            else:
                new = inbox.put_page(
                    hub.inbox, page.received, slug, stream, page.cursor, hub.clock(), unread=page.unread
                )
            told_of(page.received, new)
            pulled.add(Pulled(1, len(page.received), len(new)))
    figures = {"pages": pulled.pages, "records": pulled.records, "new": pulled.new}
    log.info("pull.done", extra={"channel": slug, "stream": stream, **figures})
    return pulled


def backfill(hub: Hub, slug: str, since: datetime) -> Pulled:
    """All that changed since then is captured by the channel's way for much at once.

    Where nothing was pulled before, pulls go on from where it ended; else from where they stand, so that nothing
    between is left out. One that was broken off goes on from its last page.

    Raises:
        Misconfigured: the channel has no such way.
    """
    connector = hub.connector(slug)
    if not isinstance(connector, Backfills):
        raise Misconfigured(f"channel {slug}: it has no way for much at once; leave --backfill out")
    pulled = Pulled()
    with told(hub, slug, BACKFILL):
        begun = inbox.cursor(hub.inbox, slug, BACKFILL) or None
        try:
            for page in connector.backfill(since, begun):
                stream = BACKFILL if page.more else ORDERS
                if page.more or inbox.cursor(hub.inbox, slug, ORDERS) is None:
                    new = inbox.put_page(hub.inbox, page.received, slug, stream, page.cursor, hub.clock())
                else:
                    new = inbox.put(hub.inbox, page.received)
                pulled.add(Pulled(1, len(page.received), len(new)))
        except Rejected:  # the channel gave it up: the next one begins anew
            inbox.put_page(hub.inbox, (), slug, BACKFILL, NOT_BEGUN, hub.clock())
            raise
        inbox.put_page(hub.inbox, (), slug, BACKFILL, NOT_BEGUN, hub.clock())
    return pulled


def preview(
    hub: Hub, slug: str, since: datetime | None = None, kept: list[Received] | None = None, keeps: int = 0
) -> Pulled:
    """What a pull of every stream would bring; nothing is kept but for the first new records, for who asks for them."""
    connector = hub.connector(slug)
    if not isinstance(connector, Fetches):
        raise Misconfigured(f"channel {slug}: its connector pulls nothing; use orderhub import")
    pulled = Pulled()
    seen: set[tuple[str, str]] = set()  # a record may come by two streams
    for stream in connector.streams:
        cursor = None if since else inbox.cursor(hub.inbox, slug, stream.name)
        for page in connector.fetch(stream.name, cursor, since):
            known = inbox.known(hub.inbox, [(one.channel, one.key) for one in page.received])
            new = [one for one in page.received if (one.channel, one.key) not in known | seen]
            seen |= {(one.channel, one.key) for one in new}
            pulled.add(Pulled(1, len(page.received), len(new)))
            if kept is not None:
                kept.extend(new[: keeps - len(kept)])
    return pulled


def refetch(hub: Hub, slug: str) -> int:
    """The orders that webhooks and sweeps asked for were read anew, each once; how many they were.

    One that cannot be read goes to the end of the queue, so that it keeps no other from its turn.
    """
    connector = hub.connector(slug)
    if not isinstance(connector, FetchesOrders):
        return 0
    read = 0
    failed: dict[str, HubError] = {}
    try:
        with told(hub, slug, "refetch"):
            while asked := _next(hub, slug, failed):
                read += _read(hub, slug, connector, asked, failed)
            if failed:
                raise next(iter(failed.values()))
    finally:
        if failed:  # they wait behind the others
            with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
                refetching.ask(connection, [(slug, order_id) for order_id in failed])
    return read


def _next(hub: Hub, slug: str, failed: Collection[str]) -> list[Asked]:
    waiting = refetching.waiting(hub.inbox, slug, REFETCH_BATCH + len(failed))
    return [one for one in waiting if one.order_id not in failed][:REFETCH_BATCH]


def _read(hub: Hub, slug: str, connector: FetchesOrders, asked: Sequence[Asked], failed: dict[str, HubError]) -> int:
    """How many of these were read; one that the channel cannot give stays, and keeps no other from being read.

    Raises:
        Retryable, Rejected: the channel asks for a pause, or gives nothing at all.
    """
    try:
        received = tuple(connector.fetch_orders([one.order_id for one in asked]))
    except RateLimited:
        raise
    except (Retryable, Rejected) as fault:
        if len(asked) > 1:
            half = len(asked) // 2
            parts = (asked[:half], asked[half:])
            return sum(_read(hub, slug, connector, part, failed) for part in parts)
        failed[asked[0].order_id] = fault
        if len(failed) > FAILED_MAX:
            raise
        return 0
    told_of(received, inbox.put_refetched(hub.inbox, slug, received, asked))
    return len(asked)


def waiting(hub: Hub) -> dict[str, int]:
    """How many orders of each channel wait to be read anew."""
    return {channel.slug: refetching.count(hub.inbox, channel.slug) for channel in hub.settings.channels}


def waiting_of(hub: Hub, slug: str) -> int:
    """How many orders of a channel wait to be read anew."""
    return refetching.count(hub.inbox, slug)


def sweep(hub: Hub, slug: str) -> int:
    """The channel's orders that are still open wait to be read anew; how many they are."""
    if not isinstance(hub.connector(slug), FetchesOrders):
        return 0
    placed_since = stamp(hub.clock() - timedelta(days=SWEPT_DAYS))
    with hub.store.connect() as connection:
        ids = orders.open_ids(connection, slug, placed_since, SWEEP_MAX)
    with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
        refetching.ask(connection, [(slug, id) for id in ids])
    return len(ids)


def subscribe(hub: Hub, slug: str) -> Subscriptions | None:
    """Every topic of the channel is delivered to this hub; None: it keeps no subscriptions, or no address is public."""
    connector = hub.connector(slug)
    if not isinstance(connector, KeepsSubscriptions) or hub.settings.public_url is None:
        return None
    with told(hub, slug, "subscribe"):
        found = connector.subscriptions(f"{hub.settings.public_url.rstrip('/')}/webhooks/{slug}")
    if found.registered or found.problems:
        log.warning("subscribe.mended", extra={"channel": slug, "registered": list(found.registered)})
    return found


def synced(
    hub: Hub, slug: str, since: datetime | None = None, *, send: bool = True, at_once: bool = False
) -> dict[str, int]:
    """The channel was pulled whole, its orders decided and, if wanted, what follows sent; how much of each.

    The orders that what came in asks to be read anew are read, until nothing asks.

    Args:
        at_once: what changed since then comes by the channel's way for much at once.
    """
    pulled = Pulled()
    if at_once and since is not None:
        pulled.add(backfill(hub, slug, since))
        since = None
    for stream in streams(hub, slug):
        pulled.add(pull(hub, slug, stream.name, since))
    advanced = advance_all(hub)
    reread = 0
    while read := refetch(hub, slug):
        reread += read
        advanced += advance_all(hub)
    sent = send_all(hub) if send else Sent()
    return {
        "pages": pulled.pages,
        "records": pulled.records,
        "new": pulled.new,
        "read_anew": reread,
        "advanced": advanced,
        "sent": sent.done + sent.adopted,
        "rejected": sent.rejected,
        "in_doubt": sent.in_doubt,
    }


@contextmanager
def told(hub: Hub, slug: str, doing: str) -> Iterator[None]:
    """What fails at the channel in this block stands among the exceptions, and is cured when it works again."""
    fingerprint = f"{doing}:{slug}"
    try:
        yield
    except HubError as fault:
        _open(hub, slug, fingerprint, doing, fault)
        raise
    with hub.store.connect() as connection:
        cured = orders.is_excepted(connection, slug, CHANNEL_ITSELF, fingerprint)
    if cured:
        with hub.writing() as connection, connection.begin():
            orders.cure(connection, slug, CHANNEL_ITSELF, [fingerprint], stamp(hub.clock()))


def _open(hub: Hub, slug: str, fingerprint: str, doing: str, fault: HubError) -> None:
    remedy = f"nothing to do: it is tried again; if it lasts, see orderhub check {slug}"
    if isinstance(fault, AuthExpired):
        remedy = f"renew the channel's credentials, then run orderhub check {slug}"
    elif isinstance(fault, Misconfigured):
        remedy = "correct the configuration, see orderhub check"
    row = {
        "channel": slug,
        "order_id": CHANNEL_ITSELF,
        "fingerprint": fingerprint[:200],
        "code": "auth_expired" if isinstance(fault, AuthExpired) else "channel_failing",
        "message": f"{doing}: {fault_of(fault)}"[:2000],  # a far side's own words may repeat what it was told
        "remedy": getattr(fault, "remedy", None) or remedy,
        "currency": None,
        "amount_minor": None,
        "opened_at": stamp(hub.clock()),
    }
    with hub.writing() as connection, connection.begin():
        orders.open_exceptions(connection, [row])


def channels_live(hub: Hub) -> Sequence[str]:
    """The channels that can be pulled or read by id."""
    slugs = [channel.slug for channel in hub.settings.channels]
    return [slug for slug in slugs if isinstance(hub.connector(slug), Fetches | FetchesOrders)]
