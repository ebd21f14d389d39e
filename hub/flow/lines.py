"""lines: an order line keeps one id for life; the channel's line ids and SKUs are dated references to it.

Read off all versions of the order's snapshot, the oldest first, so that it is a pure function of the set of its facts.
See docs/decisions/0013-lines-for-life.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.model.facts import Body, Fulfilment, LineQuantity, Refund, Return
from hub.model.order import Line, LineId, Snapshot
from hub.model.state import Reference, ReferenceKind


@dataclass(slots=True)
class _Known:
    """A line as the latest version that has it names it."""

    id: LineId
    now: Line
    sku: str | None  # the one that counts: as placed, or as of the edit that put another product in its place


@dataclass(slots=True)
class Lines:
    """The lines of one order through all versions of its snapshot."""

    references: list[Reference] = field(default_factory=list)
    snapshot: Snapshot | None = None  # the latest, its lines by their ids for life and the SKUs that count
    _known: list[_Known] = field(default_factory=list)
    _renumbered: bool = False

    @classmethod
    def of(cls, versions: Sequence[Snapshot]) -> "Lines":
        """The lines as these versions tell, the oldest first; the first one's hold since the order was placed."""
        lines = cls()
        for number, version in enumerate(versions):
            lines._tell(version, version.placed_at if number == 0 else version.modified_at)
        return lines

    def body(self, body: Body, at: datetime) -> Body:
        """A fact's body with ids for life in place of the channel's line ids as they were at that moment."""
        if not self._renumbered:
            return body
        match body:
            case Fulfilment():
                return replace(body, lines=self._counted(body.lines, at))
            case Refund():
                return replace(body, lines=tuple(replace(x, line=self._find(x.line, at)) for x in body.lines))
            case Return():
                lines = None if body.lines is None else self._counted(body.lines, at)
                return replace(
                    body,
                    lines=lines,
                    exchange=None if body.exchange is None else self._counted(body.exchange, at),
                )
        return body

    def _counted(self, rows: Iterable[LineQuantity], at: datetime) -> tuple[LineQuantity, ...]:
        return tuple(replace(row, line=self._find(row.line, at)) for row in rows)

    def _find(self, external_id: str, at: datetime) -> LineId:
        """What the channel's line id meant then: the latest reference before it, else the first after it."""
        meant = [x for x in self.references if x.kind is ReferenceKind.CHANNEL_LINE and x.value == external_id]
        before = [x for x in meant if x.valid_from <= at]
        return before[-1].line if before else meant[0].line if meant else LineId(external_id)

    def _tell(self, version: Snapshot, since: datetime) -> None:
        matched = self._matched(version.lines)
        told: list[Line] = []
        by_external: dict[str, LineId] = {}
        for line in version.lines:
            known = matched.get(line.external_id)
            if known is None:
                known = _Known(self._new_id(line, since), line, line.sku)
                self._known.append(known)
                self._refer(known.id, ReferenceKind.CHANNEL_LINE, line.external_id, since)
                self._refer(known.id, ReferenceKind.SKU, line.sku, since)
            else:
                self._follow(known, line, since)
            by_external[line.external_id] = known.id
            told.append(line if line.id == known.id and line.sku == known.sku else _named(line, known))
        if self._renumbered:
            told = [x if x.parent is None else replace(x, parent=by_external.get(x.parent, x.parent)) for x in told]
        self.snapshot = replace(version, lines=tuple(told))

    def _follow(self, known: _Known, line: Line, since: datetime) -> None:
        if line.external_id != known.now.external_id:
            self._renumbered = True
            self._refer(known.id, ReferenceKind.CHANNEL_LINE, line.external_id, since)
        if line.sku != known.now.sku:
            self._refer(known.id, ReferenceKind.SKU, line.sku, since)
        if known.sku is None or _replaced(known.now, line):
            known.sku = line.sku
        known.now = line

    def _matched(self, lines: Sequence[Line]) -> dict[str, _Known]:
        """Which known line each is: of the same id and article, else of the same article, else of the same id."""
        found: dict[str, _Known] = {}
        left = list(self._known)
        for same in (_unchanged, _moved, _same_id):
            for line in lines:
                if line.external_id not in found:
                    known = next((x for x in left if same(x.now, line)), None)
                    if known is not None:
                        left = [x for x in left if x is not known]
                        found[line.external_id] = known
        return found

    def _new_id(self, line: Line, since: datetime) -> LineId:
        if all(known.id != line.external_id for known in self._known):
            return LineId(line.external_id)
        self._renumbered = True
        return LineId(f"{line.external_id}@{since:%Y%m%dT%H%M%S}")

    def _refer(self, line: LineId, kind: ReferenceKind, value: str | None, since: datetime) -> None:
        if value is not None:
            self.references.append(Reference(line, kind, value, since))


def _named(line: Line, known: _Known) -> Line:
    return replace(line, id=known.id, sku=known.sku)


def _same_id(before: Line, now: Line) -> bool:
    return before.external_id == now.external_id


def _unchanged(before: Line, now: Line) -> bool:
    return _same_id(before, now) and not _replaced(before, now)


def _moved(before: Line, now: Line) -> bool:
    return before.kind is now.kind and before.unit_price == now.unit_price and _same_article(before, now)


def _replaced(before: Line, now: Line) -> bool:
    """Whether another article stands in the line: another variant, or where none is given, other SKU and title."""
    if before.product is not None and now.product is not None:
        return before.product != now.product
    return before.sku != now.sku and before.title != now.title


def _same_article(before: Line, now: Line) -> bool:
    if before.product is not None and now.product is not None:
        return before.product == now.product
    return before.sku is not None and before.sku == now.sku
