"""crosswalks: a channel's words mapped to the ERP's, one or a file at a time, and the orders that this heals."""

import csv
import datetime
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hub.books.chart import MAPPABLE, Chart
from hub.errors import HubError, Misconfigured
from hub.model.crosswalk import ANY_CHANNEL, REFUSED, CrosswalkKind, CrosswalkRow, CustomerWord
from hub.model.decisions import HoldCode
from hub.model.order import OrderKey
from hub.model.payouts import SettlementKind
from hub.steps.exceptions import Healing, heal
from hub.steps.files import content_of_file
from hub.steps.hub import Hub
from hub.steps.reference import SEEDED, read_seeds
from hub.store import crosswalks
from hub.store.views import crosswalks as crosswalk_views
from hub.store.views import exceptions as exception_views

WORD_CHARS_MAX: Final = 200
FILE_BYTES_MAX: Final = 50_000_000
FAULTS_MAX: Final = 200  # of a file that are named
HEALED_BY: Final = {
    CrosswalkKind.ITEM: (HoldCode.UNMAPPED_ITEM, HoldCode.PRICE_OFF_LIST),
    CrosswalkKind.SETTLEMENT: (HoldCode.UNKNOWN_SETTLEMENT,),
}
"""The holds that a row of a kind may lift; of the other kinds only the unmapped word itself."""
FROM_EVER: Final = frozenset(
    {CrosswalkKind.ITEM, CrosswalkKind.LOCATION, CrosswalkKind.PAYMENT_METHOD, CrosswalkKind.SETTLEMENT}
)
"""Kinds whose new source holds from ever; of the others an unmapped word meant something before, so from today."""
COLUMNS: Final = ("source", "target", "channel", "from")


class BadRows(HubError):
    """A crosswalk file that was not taken; every fault is named with its line, and nothing was set."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row in force."""

    kind: str
    channel: str
    source: str
    target: str
    valid_from: datetime.date
    set_by: str  # "configuration" for one that the configuration starts with


@dataclass(frozen=True, slots=True)
class SetOutcome:
    rows: tuple[CrosswalkRow, ...]  # that were set
    unchanged: int  # rows of the file that hold already, exactly so
    from_today: int  # of the rows set: those that hold from today because they change one and no day was named
    unlisted: tuple[str, ...]  # items of no price list that were taken all the same
    healing: Healing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that a person asks for; `valid_from` None: see FROM_EVER."""

    source: str
    target: str
    channel: str = ANY_CHANNEL
    valid_from: datetime.date | None = None


def in_force(hub: Hub, kind: CrosswalkKind | None = None) -> list[Listed]:
    """The rows that hold today, those that people set and those of the configuration."""
    latest: dict[tuple[str, str, str], Listed] = {}
    today = {channel.slug: _today(hub, channel.slug) for channel in hub.settings.channels}
    latest_day = max(today.values())
    for row, by in _all_rows(hub):
        if (kind is None or row.kind is kind) and row.valid_from <= today.get(row.channel, latest_day):
            at = (row.kind.value, row.channel, row.source)
            held = latest.get(at)
            if held is None or held.valid_from <= row.valid_from:
                latest[at] = Listed(row.kind.value, row.channel, row.source, row.target, row.valid_from, by)
    return [latest[at] for at in sorted(latest)]


def _refuse(kind: CrosswalkKind) -> None:
    if kind in REFUSED:
        raise Misconfigured(f"crosswalk: {kind}: {REFUSED[kind]}")


def _check(hub: Hub, kind: CrosswalkKind, wanted: Wanted, unlisted: bool) -> None:
    _refuse(kind)
    listed = {} if unlisted else _listed(hub, kind)
    if fault := _fault(hub, kind, wanted) or _unlisted(listed, wanted):
        raise Misconfigured(f"crosswalk: {fault}")


def set_row(
    hub: Hub, kind: CrosswalkKind, wanted: Wanted, by: str, *, unlisted: bool = False, then_send: bool = True
) -> SetOutcome:
    """The row holds from its day on, and orders that it heals are decided anew and sent.

    Args:
        unlisted: take an item that the price list does not have; the ERP may know it, the hub does not.

    Raises:
        Misconfigured: a word is empty, too long or none of those that the kind knows, there is no such channel, or
            the kind is refused.
    """
    _check(hub, kind, wanted, unlisted)
    return _set(hub, kind, [wanted], by, then_send=then_send)


def import_rows(
    hub: Hub, kind: CrosswalkKind, file: Path, by: str, *, unlisted: bool = False, then_send: bool = True
) -> SetOutcome:
    """All rows of a CSV file hold, or none.

    Args:
        file: UTF-8, a header line `source,target` and optionally `channel` and `from` (2026-01-31).
        unlisted: as of `set_row`.

    Raises:
        BadRows: naming every fault with its line.
        Misconfigured: the file cannot be read, or the kind is refused.
    """
    _refuse(kind)
    return import_content(
        hub, kind, str(file), content_of_file(file, FILE_BYTES_MAX), by, unlisted=unlisted, then_send=then_send
    )


def import_content(
    hub: Hub,
    kind: CrosswalkKind,
    name: str,
    content: bytes,
    by: str,
    *,
    unlisted: bool = False,
    then_send: bool = True,
) -> SetOutcome:
    """As `import_rows`, of a file's content; its name stands before each fault."""
    _refuse(kind)
    return _set(hub, kind, _read(hub, kind, name, content, unlisted), by, then_send=then_send)


def _set(hub: Hub, kind: CrosswalkKind, wanted: Sequence[Wanted], by: str, *, then_send: bool) -> SetOutcome:
    now = hub.clock()
    new: list[CrosswalkRow] = []
    from_today = 0
    with hub.writing() as connection, connection.begin():
        standing = _standing(hub, connection, kind)
        for one in wanted:
            before = standing.setdefault((one.channel, one.source), [])
            row = _row(hub, kind, one, before)
            if _holds_already(before, row):
                continue
            crosswalks.put(connection, row, now, by)
            before.append(row)
            new.append(row)
            from_today += one.valid_from is None and row.valid_from != SEEDED
    healing = _heal(hub, kind, new, then_send=then_send)
    listed = _listed(hub, kind)
    unlisted = dict.fromkeys(one.target for one in wanted if _unlisted(listed, one))
    return SetOutcome(tuple(new), len(wanted) - len(new), from_today, tuple(unlisted), healing)


def proposed_row(hub: Hub, kind: CrosswalkKind, wanted: Wanted, *, unlisted: bool = False) -> CrosswalkRow:
    """The row as it would be set now; nothing is set.

    Raises:
        Misconfigured: as of `set_row`.
    """
    _check(hub, kind, wanted, unlisted)
    with hub.store.connect() as connection:
        standing = _standing(hub, connection, kind)
    return _row(hub, kind, wanted, standing.get((wanted.channel, wanted.source), []))


def proposed(hub: Hub, kind: CrosswalkKind, file: Path, *, unlisted: bool = False) -> list[CrosswalkRow]:
    """The rows of a file as they would be set now; nothing is set.

    Args:
        unlisted: as of `set_row`.

    Raises:
        BadRows: naming every fault with its line.
        Misconfigured: the file cannot be read, or the kind is refused.
    """
    _refuse(kind)
    return proposed_content(hub, kind, str(file), content_of_file(file, FILE_BYTES_MAX), unlisted=unlisted)


def proposed_content(
    hub: Hub, kind: CrosswalkKind, name: str, content: bytes, *, unlisted: bool = False
) -> list[CrosswalkRow]:
    """As `proposed`, of a file's content."""
    _refuse(kind)
    wanted = _read(hub, kind, name, content, unlisted)
    with hub.store.connect() as connection:
        standing = _standing(hub, connection, kind)
    return [_row(hub, kind, one, standing.get((one.channel, one.source), [])) for one in wanted]


def _standing(hub: Hub, connection: Connection, kind: CrosswalkKind) -> dict[tuple[str, str], list[CrosswalkRow]]:
    standing: dict[tuple[str, str], list[CrosswalkRow]] = {}
    for row in read_seeds(hub.settings.files.crosswalks) + crosswalks.rows(connection):
        if row.kind is kind:
            standing.setdefault((row.channel, row.source), []).append(row)
    return standing


def _row(hub: Hub, kind: CrosswalkKind, one: Wanted, before: Sequence[CrosswalkRow]) -> CrosswalkRow:
    """The row that is asked for, from its day on; see FROM_EVER where it names none."""
    day = one.valid_from or (_today(hub, one.channel) if before or kind not in FROM_EVER else SEEDED)
    return CrosswalkRow(kind, one.channel, one.source, one.target, day)


def _listed(hub: Hub, kind: CrosswalkKind) -> dict[str, Collection[str]]:
    """The items that a row may name, by its channel; none where there is no price list, and of other kinds."""
    if kind is not CrosswalkKind.ITEM:
        return {}
    lists = {channel.slug: frozenset(hub.channel(channel.slug).items) for channel in hub.settings.channels}
    return {**lists, ANY_CHANNEL: frozenset().union(*lists.values())}


def _unlisted(listed: Mapping[str, Collection[str]], one: Wanted) -> str | None:
    """That the target is in no price list that applies; None: it is in one, or there is none."""
    items = listed.get(one.channel)
    if not items or one.target in items:
        return None
    return f"target: item {one.target!r} is not in the price list; if the ERP knows it, --unlisted takes it"


def _holds_already(rows: Sequence[CrosswalkRow], wanted: CrosswalkRow) -> bool:
    """Whether the source already has this target on that day and no later row ends it."""
    then = [row for row in rows if row.valid_from <= wanted.valid_from]
    later = [row for row in rows if row.valid_from > wanted.valid_from]
    if not then or any(row.target != wanted.target for row in later):
        return False
    latest = max(row.valid_from for row in then)
    return [row for row in then if row.valid_from == latest][-1].target == wanted.target


def _heal(hub: Hub, kind: CrosswalkKind, rows: Sequence[CrosswalkRow], *, then_send: bool) -> Healing:
    if not rows:
        return Healing()
    return heal(hub, healed_by(hub, kind, rows), then_send=then_send)


def healed_by(hub: Hub, kind: CrosswalkKind, rows: Sequence[CrosswalkRow]) -> list[OrderKey]:
    """Orders held because one of these sources was unmapped, or mapped to an item of another price."""
    channels: dict[str, set[str]] = {}
    for row in rows:
        for code in HEALED_BY.get(kind, (f"unmapped_{kind.value}",)):
            channels.setdefault(f"{code}:{row.source}"[:200], set()).add(row.channel)
    return [
        one.key
        for one in exception_views.opened(hub.store)
        if one.fingerprint in channels and {one.channel, ANY_CHANNEL} & channels[one.fingerprint]
    ]


def _all_rows(hub: Hub) -> Iterator[tuple[CrosswalkRow, str]]:
    for row in read_seeds(hub.settings.files.crosswalks):
        yield row, "configuration"
    for said in reversed(crosswalk_views.history(hub.store)):
        day = datetime.date.fromisoformat(said.valid_from)
        yield CrosswalkRow(CrosswalkKind(said.kind), said.channel, said.source, said.target, day), said.set_by


def _today(hub: Hub, channel: str) -> datetime.date:
    """Today where the channel's entity keeps its books; for every channel, where the first entity does."""
    entity = hub.settings.entities[0]
    if channel != ANY_CHANNEL:
        entity = hub.settings.entity(hub.settings.channel(channel).entity)
    return hub.clock().astimezone(ZoneInfo(entity.timezone)).date()


def _read(hub: Hub, kind: CrosswalkKind, file: str, content: bytes, unlisted: bool) -> list[Wanted]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRows(f"{file}: not UTF-8 at byte {error.start}; nothing was set") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    listed = {} if unlisted else _listed(hub, kind)
    faults: list[str] = []
    wanted: list[Wanted] = []
    lines: dict[tuple[str, str, datetime.date | None], int] = {}
    try:
        _check_header(file, reader.fieldnames)
        for row in reader:
            at = f"{file}:{reader.line_num}"
            one = _parse(hub, kind, row)
            if isinstance(one, str):
                faults.append(f"{at}: {one}")
                continue
            first = lines.setdefault((one.channel, one.source, one.valid_from), reader.line_num)
            if first != reader.line_num:
                faults.append(f"{at}: {one.source!r} stands on line {first} already")
            if unknown := _unlisted(listed, one):
                faults.append(f"{at}: {unknown}")
            wanted.append(one)
    except csv.Error as error:
        faults.append(f"{file}:{reader.line_num}: {error}")
    if faults:
        more = [f"and {len(faults) - FAULTS_MAX} more"] if len(faults) > FAULTS_MAX else []
        raise BadRows("\n".join([*faults[:FAULTS_MAX], *more, "nothing was set"]))
    if not wanted:
        raise BadRows(f"{file}: no rows; nothing was set")
    return wanted


def _check_header(file: str, names: Sequence[str] | None) -> None:
    given = list(names or ())
    missing = [name for name in COLUMNS[:2] if name not in given]
    unknown = [name for name in given if name not in COLUMNS]
    if missing or unknown or len(set(given)) != len(given):
        raise BadRows(
            f"{file}:1: expected the columns source,target and optionally channel,from; "
            f"got {','.join(given)[:200] or 'nothing'}; nothing was set"
        )


def _parse(hub: Hub, kind: CrosswalkKind, row: dict[str, str | None]) -> Wanted | str:
    if None in row or None in row.values():
        return "not as many values as there are columns"
    words = {name: (text or "").strip() for name, text in row.items()}
    day = None
    if written := words.get("from"):
        try:
            day = datetime.date.fromisoformat(written)
        except ValueError:
            return f"from: expected a day like 2026-01-31: {written!r}"
    wanted = Wanted(words["source"], words["target"], words.get("channel") or ANY_CHANNEL, day)
    return _fault(hub, kind, wanted) or wanted


def _fault(hub: Hub, kind: CrosswalkKind, wanted: Wanted) -> str | None:
    for name, word in (("source", wanted.source), ("target", wanted.target)):
        if not word:
            return f"{name}: empty"
        if len(word) > WORD_CHARS_MAX:
            return f"{name}: longer than {WORD_CHARS_MAX} characters"
        if not word.isprintable():
            return f"{name}: holds a character that does not print"
    slugs = [channel.slug for channel in hub.settings.channels]
    if wanted.channel != ANY_CHANNEL and wanted.channel not in slugs:
        return f"channel: no such channel: {wanted.channel!r}; there is {', '.join(slugs)}"
    return word_fault(kind, wanted.source, wanted.target, _charts(hub, wanted.channel))


def _charts(hub: Hub, channel: str) -> dict[str, Chart]:
    """The charts that a row of a channel, or of every channel, posts by; by entity."""
    slugs = [one.slug for one in hub.settings.channels if channel in (one.slug, ANY_CHANNEL)]
    return {opened.entity.slug: opened.chart for opened in map(hub.channel, slugs)}


def word_fault(kind: CrosswalkKind, source: str, target: str, charts: Mapping[str, Chart]) -> str | None:
    """What is wrong with a row of a kind whose words are the hub's own; None: nothing."""
    if kind in REFUSED:
        return REFUSED[kind]
    if kind is CrosswalkKind.CUSTOMER_CLASS and source not in list(CustomerWord):
        return f"source: {source!r} is none of {', '.join(CustomerWord)}"
    if kind is CrosswalkKind.SETTLEMENT and target not in list(SettlementKind):
        return f"target: {target!r} is none of {', '.join(SettlementKind)}"
    if kind is CrosswalkKind.GL_ACCOUNT:
        if source not in MAPPABLE:
            return f"source: {source!r} is none of the roles {', '.join(sorted(MAPPABLE))}"
        for entity, chart in charts.items():
            found = [account.number for account in chart.accounts if account.role == source]
            if target not in found:
                return (
                    f"target: the chart of {entity} has no account {target!r} of the role {source}, it has "
                    f"{', '.join(found)}; add it there with `role: {source}, alternative: true`"
                )
    return None
