"""echo: what the hub told a channel and hears back from it is one shipment, a pure function of the set of facts.

The ERP's fulfilment is the shipment: its quantities count once. The channel's own is recognised by the echo that the
settled push left, and, as its webhook may come before the answer, by a common tracking number with lines that fit, or,
where neither side has a number, by equal lines. One that matches none is a shipment of its own.
See docs/decisions/0015-telling-channels.md.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.flow.lines import Lines
from hub.model.facts import Body, Echo, Fact, FactKind, Fulfilment, FulfilmentStatus, Source
from hub.model.order import LineId
from hub.model.state import DatedFulfilment
from hub.model.subjects import LEFT

_Matches = Callable[[Fulfilment, "_Pair"], bool]

CALLED_OFF = (FulfilmentStatus.CANCELLED, FulfilmentStatus.FAILED)


def shipments(facts: Mapping[tuple[FactKind, str], Fact], lines: Lines | None) -> list[DatedFulfilment]:
    """The fulfilments among the latest facts of an order, of whatever status, each shipment once; in no order.

    Args:
        lines: what the channel's line ids mean; None: themselves. The ERP has the ids for life already.
    """
    found = [
        DatedFulfilment(id, body, fact.source)
        for (_, id), fact in facts.items()
        if isinstance(body := _read(fact, lines), Fulfilment)
    ]
    told = [one for one in found if one.source is Source.ERP]
    if not told:
        return found
    pairs = {one.id: _Pair(one) for one in sorted(told, key=_rank)}
    strangers = _by_echo(facts, pairs, sorted([one for one in found if one.source is not Source.ERP], key=_rank))
    for matches in (_same_parcel_and_lines, _same_parcel, _same_lines):
        strangers = [heard for heard in strangers if not _matched(heard, pairs, matches)]
    return [pair.shipment() for pair in pairs.values()] + strangers


def _read(fact: Fact, lines: Lines | None) -> Body:
    if lines is None or fact.source is Source.ERP:
        return fact.body
    return lines.body(fact.body, fact.modified_at)


@dataclass(slots=True)
class _Pair:
    """One shipment: as the ERP told it, and what the channel says of it."""

    told: DatedFulfilment
    heard: list[DatedFulfilment] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # in the channel, known from echoes
    off: list[str] = field(default_factory=list)  # of these, called off in the channel

    @property
    def left(self) -> Counter[LineId]:
        """The units that nothing heard accounts for."""
        units = _units(self.told.body)
        for heard in self.heard:
            units.subtract(_units(heard.body))
        return units

    def shipment(self) -> DatedFulfilment:
        body = self.told.body
        known = {parcel.tracking_number for parcel in body.parcels}
        heard = (parcel for one in self.heard for parcel in one.body.parcels if parcel.tracking_number not in known)
        if body.status is FulfilmentStatus.SHIPPED and (delivered_at := self._delivered_at()) is not None:
            body = replace(body, status=FulfilmentStatus.DELIVERED, delivered_at=delivered_at)
        echoes = tuple(sorted({heard.id for heard in self.heard}.union(self.made)))
        called_off = bool(self.off) and not set(echoes).difference(self.off)
        return replace(self.told, body=body, echoes=echoes, called_off=called_off, heard=tuple(dict.fromkeys(heard)))

    def _delivered_at(self) -> datetime | None:
        """When the channel saw the last of it arrive; None: not all of it has."""
        arrived = [heard.body for heard in self.heard if heard.body.status is FulfilmentStatus.DELIVERED]
        if not arrived or len(arrived) < len(self.heard) or any(count > 0 for count in self.left.values()):
            return None
        return max(body.delivered_at or body.shipped_at for body in arrived)


def _by_echo(
    facts: Mapping[tuple[FactKind, str], Fact], pairs: dict[str, _Pair], heard: list[DatedFulfilment]
) -> list[DatedFulfilment]:
    """The channel's fulfilments that no echo names."""
    for (kind, id), fact in facts.items():
        if kind is FactKind.ECHO and isinstance(fact.body, Echo) and (pair := pairs.get(fact.body.fulfilment)):
            pair.made.append(id)
    names = {id: pair for pair in pairs.values() for id in pair.made}
    strangers: list[DatedFulfilment] = []
    for one in heard:
        named = names.get(one.id)
        if named is None:
            strangers.append(one)
        elif one.body.status in CALLED_OFF:
            named.off.append(one.id)
        else:
            named.heard.append(one)
    return strangers


def _matched(heard: DatedFulfilment, pairs: dict[str, _Pair], matches: _Matches) -> bool:
    if heard.body.status not in LEFT:
        return False
    for pair in pairs.values():
        if matches(heard.body, pair):
            pair.heard.append(heard)
            return True
    return False


def _same_parcel_and_lines(heard: Fulfilment, pair: _Pair) -> bool:
    return _same_parcel(heard, pair) and _units(heard) == pair.left


def _same_parcel(heard: Fulfilment, pair: _Pair) -> bool:
    """A tracking number in common, and units that are not heard of yet: a push may be split in the channel."""
    common = set(_numbers(heard)).intersection(_numbers(pair.told.body))
    left = pair.left
    return bool(common) and all(count <= left[line] for line, count in _units(heard).items())


def _same_lines(heard: Fulfilment, pair: _Pair) -> bool:
    """Equal lines, where neither side has a number to tell one parcel from another, and nothing else is known."""
    told = pair.told.body
    if told.status not in LEFT or pair.heard or pair.made or any(_numbers(told)) or any(_numbers(heard)):
        return False
    return _units(heard) == _units(told)


def _units(body: Fulfilment) -> Counter[LineId]:
    units: Counter[LineId] = Counter()
    for row in body.lines:
        if row.quantity > 0:
            units[row.line] += row.quantity
    return units


def _numbers(body: Fulfilment) -> Iterator[str]:
    for parcel in body.parcels:
        if parcel.tracking_number:
            yield parcel.tracking_number


def _rank(one: DatedFulfilment) -> tuple[bool, datetime, str]:
    """Those that stand first, then by time and id: the same whatever came first."""
    return one.body.status in CALLED_OFF, one.body.shipped_at, one.id
