"""Two sides of a period compared by buckets; only those that differ are gone into, down to the orders themselves."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from hub.model.completeness import Bucket, Mark, Proof, Tally

HOUR: Final = timedelta(hours=1)
_MODULUS: Final = 1 << 256


def digest(marks: Iterable[Mark]) -> str:
    """A digest of the set, whatever its order: SHA-256 of (order, currency, total) of each, summed modulo 2^256."""
    total = 0
    for mark in marks:
        content = f"{mark.order}\0{mark.currency}\0{mark.total_minor}".encode()
        total += int.from_bytes(hashlib.sha256(content).digest(), "big")
    return f"{total % _MODULUS:064x}"


def sums(marks: Iterable[Mark]) -> dict[str, int]:
    """What the orders come to, by currency."""
    found: dict[str, int] = {}
    for mark in marks:
        found[mark.currency] = found.get(mark.currency, 0) + mark.total_minor
    return dict(sorted(found.items()))


def alike(held: Sequence[Mark], said: Tally) -> bool:
    """Whether a count gives no reason to look closer."""
    if not said.exact or said.orders != len(held):
        return False
    return said.sums_minor is None or dict(said.sums_minor) == sums(held)


def days(first: date, last: date, timezone: ZoneInfo) -> Iterator[Bucket]:
    """A bucket a day, by the clock of that time zone."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        yield Bucket(midnight(day, timezone), midnight(day + timedelta(days=1), timezone))


def midnight(day: date, timezone: ZoneInfo) -> datetime:
    """When a day begins there, in UTC."""
    return datetime.combine(day, time(), timezone).astimezone(UTC)


def hours(bucket: Bucket) -> list[Bucket]:
    """A day's hours, 23 or 25 of them where the clocks change; nothing of an hour or less."""
    if bucket.end - bucket.begin <= HOUR:
        return []
    parts = []
    begin = bucket.begin
    while begin < bucket.end:
        end = min(begin + HOUR, bucket.end)
        parts.append(Bucket(begin, end))
        begin = end
    return parts


class Side(Protocol):
    """What the hub's own marks are compared with."""

    def tally(self, bucket: Bucket) -> Tally | None:
        """What it says of the bucket; None: it does not count, and is read."""

    def split(self, bucket: Bucket, said: Tally) -> Sequence[Bucket]:
        """What the bucket is cut into where the tallies differ; empty: it is read whole."""

    def marks(self, bucket: Bucket) -> Iterable[Mark]:
        """All orders of the bucket."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A bucket that was not cut any further."""

    bucket: Bucket
    proof: Proof
    held: int  # orders here
    said: int  # orders there
    same: bool


@dataclass(slots=True)
class Compared:
    """What became of all buckets."""

    leaves: list[Leaf] = field(default_factory=list)
    tallies: int = 0  # buckets that the side was asked to count
    only_there: list[Mark] = field(default_factory=list)
    only_here: list[Mark] = field(default_factory=list)
    differing: list[tuple[Mark, Mark]] = field(default_factory=list)  # ours, theirs
    twice: list[Mark] = field(default_factory=list)  # listed there more than once

    @property
    def read(self) -> int:
        """Buckets whose orders were listed."""
        return sum(leaf.proof is Proof.READ for leaf in self.leaves)

    @property
    def proven(self) -> int:
        """Orders here that are in buckets which were listed."""
        return sum(leaf.held for leaf in self.leaves if leaf.proof is Proof.READ)


def compare(
    buckets: Iterable[Bucket], held: Iterable[Mark], side: Side, prove: Callable[[Bucket], bool] = lambda _: False
) -> Compared:
    """What differs; a bucket whose tally agrees is not gone into.

    Args:
        held: the hub's; what is in none of the buckets is left out.
        prove: buckets that are listed whatever the tallies say.
    """
    found = Compared()
    waiting = sorted(held, key=lambda mark: mark.at)
    for bucket in buckets:
        _go_into(bucket, _within(bucket, waiting), side, prove, found)
    return found


def _within(bucket: Bucket, ordered: list[Mark]) -> list[Mark]:
    """Those of the bucket; they, and what lies before them, are taken off the list's front."""
    low = 0
    while low < len(ordered) and ordered[low].at < bucket.begin:
        low += 1
    high = low
    while high < len(ordered) and ordered[high].at < bucket.end:
        high += 1
    taken = ordered[low:high]
    del ordered[:high]
    return taken


def _go_into(bucket: Bucket, held: list[Mark], side: Side, prove: Callable[[Bucket], bool], found: Compared) -> None:
    if not prove(bucket):
        said = side.tally(bucket)
        if said is not None:
            found.tallies += 1
            if alike(held, said):
                found.leaves.append(Leaf(bucket, Proof.COUNTED, len(held), said.orders, same=True))
                return
            parts = side.split(bucket, said)
            waiting = list(held)
            for part in parts:
                _go_into(part, _within(part, waiting), side, prove, found)
            if parts:
                return
    _read(bucket, held, side, found)


def _read(bucket: Bucket, held: list[Mark], side: Side, found: Compared) -> None:
    there: dict[str, Mark] = {}
    listed = 0
    for mark in side.marks(bucket):
        listed += 1
        if mark.order in there:
            found.twice.append(mark)
        else:
            there[mark.order] = mark
    here = {mark.order: mark for mark in held}
    same = listed == len(held) and digest(there.values()) == digest(held)
    found.leaves.append(Leaf(bucket, Proof.READ, len(held), listed, same))
    if same:
        return
    found.only_there += [mark for order, mark in there.items() if order not in here]
    found.only_here += [mark for order, mark in here.items() if order not in there]
    for order, mark in here.items():
        other = there.get(order)
        if other is not None and (other.currency, other.total_minor) != (mark.currency, mark.total_minor):
            found.differing.append((mark, other))
