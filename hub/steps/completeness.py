"""completeness: what channel, hub and ERP hold of some days, compared as sets; what the hub lacks is asked for anew.

A count that agrees is a hint, a set that was listed is proof; each answer says how many orders are proven.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.errors import Misconfigured
from hub.flow.completeness import Compared, compare, days, digest, hours, midnight, sums
from hub.flow.match import month_of
from hub.model.completeness import Bucket, Mark, Proof, Tally
from hub.model.statement import StatementRow, Subject
from hub.ports import (
    FetchesOrders,
    ListsPlaced,
    ProbesDocuments,
    StatesDocuments,
    StatesPeriod,
    TalliesDocuments,
    Unreadable,
)
from hub.steps.hub import Hub
from hub.steps.syncing import told
from hub.store import completeness as stored
from hub.store import refetching
from hub.store.completeness import BookedOrder, PlacedOrder

LATE_S: Final = 600
"""An order that came so much later than it was placed is late; one that is not there by then is missing."""
PROVEN_DAYS: Final = 3
"""The last days, which the daily check lists whatever the counts say."""
DAYS_MAX: Final = 400  # of one check
LISTED_MAX: Final = 1_000  # orders named in an answer, of each kind
STUB: Final = "stub"
POSTED: Final = "posted"
HELD: Final = "held"
WAITING: Final = "waiting"


@dataclass(slots=True)
class Found:
    """What a check found of one channel."""

    channel: str
    first: str
    last: str
    checked_at: str
    compared: list[str]  # the sides that were asked: channel, erp
    orders: int  # as the hub has them
    sums_minor: dict[str, int]  # as placed
    digest: str
    proven: dict[str, int] = field(default_factory=dict)  # orders in buckets that a side listed
    buckets: dict[str, dict[str, int]] = field(default_factory=dict)  # by side: counted, read, differing
    missing: int = 0
    late: int = 0
    untold: int = 0  # of those that webhooks were to tell of
    unread: int = 0  # captured, but not legible: they are among the exceptions
    lists: dict[str, list[str]] = field(default_factory=dict)  # orders by what is the matter with them
    counts: dict[str, int] = field(default_factory=dict)  # how many they are, where the list is cut short
    not_posted: dict[str, int] = field(default_factory=dict)  # why the ERP has no document of them yet

    def add(self, what: str, orders: Iterable[str]) -> int:
        """These orders are named; how many they are."""
        named = sorted(set(orders))
        if named:
            self.lists[what] = named[:LISTED_MAX]
            self.counts[what] = len(named)
        return len(named)

    @property
    def complete(self) -> bool:
        """Nothing is missing, and nothing is where it should not be or other than it should be."""
        return not any(self.counts.get(what) for what in FAULTS)


MISSING: Final = "missing from the hub"
GONE: Final = "missing from the ERP"
FAULTS: Final = (
    MISSING,
    GONE,
    "not at the channel any more",
    "another amount at the channel",
    "another amount in the ERP",
    "only in the ERP",
    "twice at the channel",
    "twice in the ERP",
)
LATE: Final = "late"
ON_THE_WAY: Final = "on the way"
UNTOLD: Final = "without a webhook"
UNREAD: Final = "not legible"


def period_of(words: str) -> tuple[date, date]:
    """The first and last day of `2026-05`, `2026-05-17` or `2026-05-17..2026-05-20`.

    Raises:
        Misconfigured: it is written otherwise, or is of more than DAYS_MAX days.
    """
    if re.fullmatch(r"\d{4}-\d{2}", words):
        return month_of(words)
    first, _, last = words.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        days = date.max, date.min
    if days[1] - days[0] >= timedelta(days=DAYS_MAX):
        raise Misconfigured(f"{words!r} are more than {DAYS_MAX} days: ask for them part by part")
    if not date.min < days[0] <= days[1] < date.max:
        raise Misconfigured(f"{words!r} are no days; write 2026-10, 2026-10-05 or 2026-10-05..2026-10-07")
    return days


def check_completeness(
    hub: Hub,
    first: date,
    last: date,
    slug: str | None = None,
    *,
    prove_from: date | None = None,
    scheduled: bool = False,
) -> list[Found]:
    """Each channel's days were compared and what was found is noted; orders that the hub lacks wait to be read anew.

    Args:
        slug: only this channel; None: all.
        prove_from: buckets from this day on are listed though their counts agree.
    """
    slugs = [hub.settings.channel(slug).slug] if slug else [channel.slug for channel in hub.settings.channels]
    erp = _Erp(hub, first, last) if isinstance(hub.erp, StatesDocuments) else None
    return [_check(hub, one, first, last, erp, prove_from, scheduled=scheduled) for one in slugs]


def check_open_days(hub: Hub) -> int:
    """The open month and the last days of each channel were checked since it was first heard of; how many are missing.

    The last days are listed; of the days before, counts are compared.
    """
    missing = 0
    for channel in hub.settings.channels:
        heard = stored.first_heard(hub.inbox, channel.slug)
        if heard is None:
            continue
        zone = hub.channel(channel.slug).timezone
        today = hub.clock().astimezone(zone).date()
        recent = today - timedelta(days=PROVEN_DAYS)
        first = max(min(today.replace(day=1), recent), heard.astimezone(zone).date())
        [found] = check_completeness(hub, first, today, channel.slug, prove_from=recent, scheduled=True)
        missing += found.missing
    return missing


def as_json(found: Found) -> dict[str, Any]:
    """What was found, as the store keeps it and doors show it."""
    return asdict(found) | {"complete": found.complete}


def _check(
    hub: Hub, slug: str, first: date, last: date, erp: "_Erp | None", prove_from: date | None, *, scheduled: bool
) -> Found:
    zone = hub.channel(slug).timezone
    now = hub.clock()
    last = max(first, min(last, now.astimezone(zone).date()))
    begins_at = None if prove_from is None else midnight(prove_from, zone)
    buckets = list(days(first, last, zone))

    def prove(bucket: Bucket) -> bool:
        return begins_at is not None and bucket.begin >= begins_at

    with hub.store.connect() as connection:
        held = stored.placed(connection, slug, first, last)
        documents = stored.booked(connection, slug, first, last)
    marks = [Mark(one.order, one.currency, one.claimed_minor, one.placed_at) for one in held]
    found = Found(
        slug, first.isoformat(), last.isoformat(), now.isoformat(), [], len(marks), sums(marks), digest(marks)
    )
    side = _side_of(hub, slug, first, last, zone)
    missing: list[str] = []
    if side is not None:
        with told(hub, slug, "completeness"):
            there = compare(buckets, marks, side, prove)
        missing = _of_channel(hub, slug, there, found, now)
        _note(found, "channel", there)
    if erp is not None:
        erp.of(slug, zone)
        booked = [Mark(one.order, one.currency, one.total_minor, midnight(one.day, zone)) for one in documents.values()]
        _of_erp(hub, slug, compare(buckets, booked, erp, prove), documents, found, now)
    _not_posted(held, documents, found)
    _arrivals(hub, slug, first, last, found)
    found.missing = found.counts.get(MISSING, 0) + found.counts.get(GONE, 0)
    found.late = found.counts.get(LATE, 0) + found.counts.get(ON_THE_WAY, 0)
    _record(hub, slug, (first, last), missing, found, now, scheduled=scheduled)
    return found


def _record(
    hub: Hub,
    slug: str,
    days: tuple[date, date],
    missing: Sequence[str],
    found: Found,
    now: datetime,
    *,
    scheduled: bool,
) -> None:
    if missing and isinstance(hub.connector(slug), FetchesOrders):
        with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
            refetching.ask(connection, [(slug, order) for order in missing])
    with hub.writing() as connection, connection.begin():
        stored.add(connection, slug, days, now, as_json(found), scheduled=scheduled)


# --- the channel ----------------------------------------------------------------------------------------------------


class _Listed:
    """A channel that counts between two moments and lists orders by id."""

    def __init__(self, channel: ListsPlaced) -> None:
        self._channel = channel

    def tally(self, bucket: Bucket) -> Tally:
        count = self._channel.count_placed(bucket.begin, bucket.end)
        return Tally(count.orders, exact=count.exact)

    def split(self, bucket: Bucket, said: Tally) -> Sequence[Bucket]:
        return hours(bucket) if said.orders > self._channel.listed_at_once * 2 else []

    def marks(self, bucket: Bucket) -> Iterable[Mark]:
        return self._channel.placed(bucket.begin, bucket.end)


class _Stated:
    """A channel that gives a whole statement and no more: it is read once, and every bucket from it."""

    def __init__(self, channel: StatesPeriod, first: date, last: date, zone: ZoneInfo) -> None:
        self._by_day: dict[datetime, list[Mark]] = {}
        for one in channel.statement(first, last):
            if isinstance(one, Unreadable) or one.row.subject is not Subject.ORDER:
                continue
            row = one.row
            at = midnight(row.date, zone)
            as_placed = row.total_minor - row.edited_minor - row.cancelled_minor
            self._by_day.setdefault(at, []).append(Mark(row.order, row.currency, as_placed, at))

    def tally(self, bucket: Bucket) -> None:
        return None

    def split(self, bucket: Bucket, said: Tally) -> Sequence[Bucket]:
        return ()

    def marks(self, bucket: Bucket) -> Iterable[Mark]:
        return self._by_day.get(bucket.begin, ())


def _side_of(hub: Hub, slug: str, first: date, last: date, zone: ZoneInfo) -> _Listed | _Stated | None:
    connector = hub.connector(slug)
    if isinstance(connector, ListsPlaced):
        return _Listed(connector)
    if isinstance(connector, StatesPeriod):
        with told(hub, slug, "completeness"):
            return _Stated(connector, first, last, zone)
    return None


def _of_channel(hub: Hub, slug: str, there: Compared, found: Found, now: datetime) -> list[str]:
    """Names what differs; the orders to be read anew."""
    with hub.store.connect() as connection:
        known = stored.known(connection, slug, [mark.order for mark in there.only_there])
    strange = [mark for mark in there.only_there if mark.order not in known]
    young = {mark.order for mark in strange if now - mark.at < timedelta(seconds=LATE_S)}
    missing = [mark.order for mark in strange if mark.order not in young]
    gone = [mark.order for mark in there.only_here]
    changed = [ours.order for ours, _ in there.differing]
    found.add(MISSING, missing)
    found.add(ON_THE_WAY, young)
    found.unread = found.add(UNREAD, (id for id, posting in known.items() if posting == STUB))
    found.add("not at the channel any more", gone)
    found.add("another amount at the channel", changed)
    found.add("twice at the channel", (mark.order for mark in there.twice))
    return sorted({*missing, *gone, *changed})


# --- the ERP --------------------------------------------------------------------------------------------------------


class _Erp:
    """The ERP's orders of some days, of one channel at a time; each day is read once, for all of them."""

    def __init__(self, hub: Hub, first: date, last: date) -> None:
        self._erp = hub.erp
        self._days = (first, last)
        self._tallied: dict[tuple[str, date], Tally] | None = None
        self._read: dict[date, dict[str, list[StatementRow]]] = {}
        self._slug = ""
        self._zone = ZoneInfo("UTC")

    def of(self, slug: str, zone: ZoneInfo) -> None:
        """From now on this channel is looked at."""
        self._slug, self._zone = slug, zone

    def tally(self, bucket: Bucket) -> Tally | None:
        if not isinstance(self._erp, TalliesDocuments):
            return None
        if self._tallied is None:
            self._tallied = {}
            for one in self._erp.tally(*self._days):
                at = (one.channel, one.day)
                before = self._tallied.get(at, Tally(0, {}))
                amounts = {**(before.sums_minor or {}), one.currency: one.total_minor}
                self._tallied[at] = Tally(before.orders + one.orders, amounts)
        return self._tallied.get((self._slug, self._day(bucket)), Tally(0, {}))

    def split(self, bucket: Bucket, said: Tally) -> Sequence[Bucket]:
        return ()

    def marks(self, bucket: Bucket) -> Iterator[Mark]:
        day = self._day(bucket)
        if day not in self._read:
            read: dict[str, list[StatementRow]] = {}
            for one in self._erp.statement(day, day):
                row = one.row
                if row.subject is Subject.ORDER and not one.voided and row.order:
                    read.setdefault(row.channel, []).append(row)
            self._read[day] = read
        for row in self._read[day].get(self._slug, ()):
            yield Mark(row.order, row.currency, row.total_minor, bucket.begin)

    def _day(self, bucket: Bucket) -> date:
        return bucket.begin.astimezone(self._zone).date()


def _of_erp(
    hub: Hub, slug: str, there: Compared, documents: dict[str, BookedOrder], found: Found, now: datetime
) -> None:
    """Names what differs; what was written a moment ago, or is being written, is on the way."""
    settle_s = hub.erp.settle_s if isinstance(hub.erp, ProbesDocuments) else LATE_S

    def moves(order: str, among: dict[str, BookedOrder]) -> bool:
        one = among[order]
        fresh = one.settled_at is not None and now - one.settled_at < timedelta(seconds=settle_s)
        return fresh or one.moving

    with hub.store.connect() as connection:
        elsewhere = stored.booked_of(connection, slug, [mark.order for mark in there.only_there])
    strange = [
        mark.order
        for mark in there.only_there
        if mark.order not in elsewhere or midnight(elsewhere[mark.order].day, hub.channel(slug).timezone) != mark.at
    ]
    gone = [mark.order for mark in there.only_here]
    changed = [ours.order for ours, _ in there.differing]
    found.add(GONE, (order for order in gone if not moves(order, documents)))
    found.add("another amount in the ERP", (order for order in changed if not moves(order, documents)))
    found.add("only in the ERP", (order for order in strange if order not in elsewhere or not moves(order, elsewhere)))
    found.add("twice in the ERP", (mark.order for mark in there.twice))
    _note(found, "erp", there)


def _not_posted(held: Sequence[PlacedOrder], documents: dict[str, BookedOrder], found: Found) -> None:
    for one in held:
        if one.posting == POSTED and one.order not in documents and not one.ended:
            why = HELD if one.held else WAITING
            found.not_posted[why] = found.not_posted.get(why, 0) + 1


def _note(found: Found, side: str, there: Compared) -> None:
    found.compared.append(side)
    found.proven[side] = there.proven
    found.buckets[side] = {
        "counted": there.tallies,
        "read": there.read,
        "alike": sum(leaf.proof is Proof.COUNTED for leaf in there.leaves),
        "differing": sum(not leaf.same for leaf in there.leaves),
    }


# --- how they came --------------------------------------------------------------------------------------------------


def _arrivals(hub: Hub, slug: str, first: date, last: date, found: Found) -> None:
    """Names those that came late, and those of which no webhook told; what was placed before the channel was first
    heard of is history, and neither."""
    heard = stored.first_heard(hub.inbox, slug)
    if heard is None:
        return
    with hub.store.connect() as connection:
        came = [one for one in stored.arrivals(connection, slug, first, last) if one.placed_at >= heard]
    suspects = [one for one in came if one.noted_at - one.placed_at > timedelta(seconds=LATE_S)]
    received = stored.received_at(hub.inbox, [one.first_record for one in suspects])
    late = (
        one.order
        for one in suspects
        if received.get(one.first_record, one.noted_at) - one.placed_at > timedelta(seconds=LATE_S)
    )
    found.add(LATE, late)
    if any(one.told for one in came):  # a channel that sends none loses none
        found.untold = found.add(UNTOLD, (one.order for one in came if not one.told))
