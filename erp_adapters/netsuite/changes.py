"""What changed in the account since a cursor, as records that NetSuite's mapping reads.

NetSuite tells nobody of a change, so the searches are asked for what has a later time of change. That time is the
clock of the integration's user, to the second; it may be older than the moment when a search shows the row, and a
request that runs for minutes may be stamped when it began. So every look begins an overlap before the latest stamp that
was seen, and what was told within the overlap is remembered by the cursor, to be told once.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.options import Options
from erp_adapters.netsuite.suiteql import DAY, MOMENT, marks, some_at_once
from hub.errors import Misconfigured, Rejected
from hub.model.documents import KEY_WORDS, DocumentKind
from hub.model.facts import Source
from hub.model.records import Received
from hub.ports import EntityConfig, Page
from mappings.netsuite.changes import CLOSED, DELETED, DOCUMENT, FULFILMENT, SHIPPED, STOCK, moment, units_cut
from mappings.netsuite.fields import Fields
from mappings.netsuite.order import closed_by_hand
from mappings.netsuite.packages import PACKAGES
from mappings.netsuite.postings import KINDS
from mappings.netsuite.words import CANCELLED, CHANNEL, ORDER, REVISION, VOIDED

log = logging.getLogger(__name__)

OVERLAP_S: Final = 1200  # a request may run for 900 s; searches lag behind
SECOND_OVER_S: Final = 5  # so much after a stamp nothing more gets it, the clocks' difference included
ROWS_A_PAGE: Final = 500
ITEMS_AT_ONCE: Final = 200
SHIPS_KEPT_MAX: Final = 5000  # fulfilments whose order is remembered, for what is deleted is but an id
BEGINNING: Final = "1970-01-01T00:00:00"
MOVES_STOCK: Final = frozenset(
    # as `deletedrecord` may spell them
    "itemship itemrcpt invadjst itemfulfillment itemreceipt inventoryadjustment cashsale cashrfnd cashrefund".split()
)
SHIPMENTS: Final = frozenset({"itemship", "itemfulfillment"})

_SINCE: Final = "TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')"
_TYPES: Final = ", ".join(f"'{word}'" for word in KINDS)
_OURS: Final = f"{KEY_WORDS[DocumentKind.FULFILMENT]}-%"
_HEAD: Final = f"""t.id, t.externalid, t.type, t.status, {DAY.format("t.trandate")} AS day,
        {MOMENT.format("t.lastmodifieddate")} AS modified, {MOMENT.format("t.createddate")} AS created"""

LATEST: Final = f"""
    SELECT t.id, {MOMENT.format("t.lastmodifieddate")} AS modified FROM transaction t
    WHERE t.lastmodifieddate >= {_SINCE}
    ORDER BY t.lastmodifieddate DESC, t.id DESC FETCH FIRST 1 ROWS ONLY
"""  # noqa: S608 - ours
# What people, or other systems, entered for an order of ours. Custom fields of an order may come along to what is made
# of it; an external id does not.
ENTERED: Final = f"""
    SELECT {_HEAD}, m.subsidiary, COALESCE(p.{CHANNEL}, t.{CHANNEL}) AS of_channel,
        COALESCE(p.{ORDER}, t.{ORDER}) AS of_order
    FROM transaction t
        JOIN transactionline m ON m.transaction = t.id AND m.mainline = 'T'
        LEFT JOIN transaction p ON p.id = m.createdfrom
    WHERE ((t.type = 'ItemShip' AND p.{ORDER} IS NOT NULL AND (t.externalid IS NULL OR t.externalid NOT LIKE '{_OURS}'))
            OR (t.type <> 'ItemShip' AND t.type IN ({_TYPES}) AND t.externalid IS NULL
                AND COALESCE(p.{ORDER}, t.{ORDER}) IS NOT NULL))
        AND t.lastmodifieddate >= {_SINCE}
        AND (t.lastmodifieddate > {_SINCE} OR t.id > ?)
    ORDER BY t.lastmodifieddate, t.id FETCH FIRST {ROWS_A_PAGE} ROWS ONLY
"""  # noqa: S608 - ours
# What the hub wrote and somebody else changed.
EDITED: Final = f"""
    SELECT {_HEAD}, t.foreigntotal, t.memo, c.symbol AS currency,
        BUILTIN.DF(t.lastmodifiedby) AS editor, t.{CHANNEL} AS of_channel, t.{ORDER} AS of_order
    FROM transaction t LEFT JOIN currency c ON c.id = t.currency
    WHERE t.type IN ({_TYPES}) AND t.externalid IS NOT NULL AND t.{ORDER} IS NOT NULL
        AND t.lastmodifiedby <> t.createdby AND t.lastmodifieddate >= {_SINCE} AND t.id > ?
    ORDER BY t.id
"""  # noqa: S608 - ours
# Orders of ours of which a row is closed: by the hub, or by people.
CLOSING: Final = f"""
    SELECT {_HEAD}, t.{CANCELLED} AS cancelled, t.{REVISION} AS revision, t.{CHANNEL} AS of_channel,
        t.{ORDER} AS of_order
    FROM transaction t
    WHERE t.type = 'SalesOrd' AND t.externalid IS NOT NULL AND t.{ORDER} IS NOT NULL AND t.{CHANNEL} IS NOT NULL
        AND t.lastmodifieddate >= {_SINCE} AND t.id > ?
        AND (t.status IN ('C', 'H') OR EXISTS (
            SELECT 1 FROM transactionline tl WHERE tl.transaction = t.id AND tl.mainline = 'F' AND tl.isclosed = 'T'))
    ORDER BY t.id
"""  # noqa: S608 - ours
# Orders of which it was told that people closed something, and that changed since.
CLOSED_BEFORE: Final = f"""
    SELECT {_HEAD}, t.{CANCELLED} AS cancelled, t.{REVISION} AS revision, t.{CHANNEL} AS of_channel,
        t.{ORDER} AS of_order
    FROM transaction t WHERE t.lastmodifieddate >= {_SINCE} AND t.id IN ({{marks}}) ORDER BY t.id
"""  # noqa: S608 - ours
CLOSED_LINES: Final = """
    SELECT tl.uniquekey, tl.transaction, tl.quantity, tl.quantityshiprecv, tl.quantitybilled, tl.isclosed,
        tl.{line_field} AS orderline
    FROM transactionline tl
    WHERE tl.mainline = 'F' AND tl.taxline = 'F' AND tl.transaction IN ({marks})
    ORDER BY tl.uniquekey
"""
CANCELLED_STATUS: Final = "C"
GONE: Final = f"""
    SELECT d.recordid AS id, d.type, d.name, {MOMENT.format("d.deleteddate")} AS modified FROM deletedrecord d
    WHERE d.deleteddate >= {_SINCE}
    ORDER BY d.deleteddate, d.recordid
"""  # noqa: S608 - ours
SHIPPED_LINES: Final = """
    SELECT f.uniquekey, f.transaction, f.quantity, loc.name AS location, o.{line_field} AS orderline
    FROM previoustransactionlinelink l
        JOIN transactionline f ON f.transaction = l.nextdoc AND f.id = l.nextline
        JOIN transactionline o ON o.transaction = l.previousdoc AND o.id = l.previousline
        LEFT JOIN location loc ON loc.id = f.location
    WHERE l.linktype = 'ShipRcpt' AND f.mainline = 'F' AND l.nextdoc IN ({marks})
    ORDER BY f.uniquekey
"""
MOVED: Final = f"""
    SELECT tl.item, MAX({MOMENT.format("t.lastmodifieddate")}) AS modified, MAX(t.id) AS mover
    FROM transactionline tl JOIN transaction t ON t.id = tl.transaction
    WHERE tl.isinventoryaffecting = 'T' AND t.lastmodifieddate >= {_SINCE} AND tl.item > ?
    GROUP BY tl.item ORDER BY tl.item
"""  # noqa: S608 - ours
STOCKED: Final = """
    SELECT s.item, MAX(s.location) AS location FROM inventoryitemlocations s WHERE s.item > ?
    GROUP BY s.item ORDER BY s.item
"""
LEVELS: Final = """
    SELECT s.item AS id, s.location AS place, i.itemid AS item, l.name AS location, l.subsidiary, s.quantityonhand
    FROM inventoryitemlocations s JOIN item i ON i.id = s.item JOIN location l ON l.id = s.location
    WHERE s.item IN ({marks})
    ORDER BY s.item, s.location
"""


@dataclass
class Reading:
    """How far the account was read."""

    at: str = BEGINNING  # where the next look begins, by the clock of the integration's user
    told: dict[str, str] = field(default_factory=dict)  # digest of what was told since then -> its stamp
    ships: dict[str, list[str]] = field(default_factory=dict)  # fulfilment -> channel and order, the oldest first
    closed: list[str] = field(default_factory=list)  # orders that people closed rows of, the oldest first

    def text(self) -> str:
        return json.dumps(
            {"at": self.at, "told": self.told, "ships": self.ships, "closed": self.closed}, separators=(",", ":")
        )

    def reached(self, latest: str, zone: ZoneInfo) -> None:
        """The next look begins an overlap before this stamp, and what was told before that is forgotten."""
        self.at = max(self.at, begins_before(latest, zone))
        self.told = {token: stamp for token, stamp in self.told.items() if stamp >= self.at}
        del self.closed[: max(0, len(self.closed) - SHIPS_KEPT_MAX)]
        for id in list(self.ships)[: max(0, len(self.ships) - SHIPS_KEPT_MAX)]:
            del self.ships[id]


def reading_of(slug: str, cursor: str | None) -> Reading:
    """
    Raises:
        Misconfigured: the cursor is none that `pages` gave.
    """
    if cursor is None:
        return Reading()
    try:
        said = json.loads(cursor)
        datetime.fromisoformat(said["at"])
        return Reading(said["at"], dict(said["told"]), dict(said["ships"]), list(said.get("closed", ())))
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(
            f"{slug}: {cursor[:40]!r} is no cursor of NetSuite's; remove it to read from the beginning"
        ) from None


def begins_before(stamp: str, zone: ZoneInfo) -> str:
    """An overlap before a stamp; an hour more where clocks are set back in it: they show the hour twice."""
    at = datetime.fromisoformat(stamp)
    first, again = (at.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return (at - timedelta(seconds=OVERLAP_S) - max(first - again, timedelta())).isoformat()


class Changes:
    """Reads one account's changes."""

    def __init__(
        self, client: Client, options: Options, entities: Sequence[EntityConfig], slug: str, now: datetime
    ) -> None:
        self._client, self._options, self._slug, self._now = client, options, slug, now
        self._zone = ZoneInfo(options.time_zone)
        by_slug = {entity.slug: entity for entity in entities}
        self._by_subsidiary = {id: by_slug[entity] for entity, id in options.subsidiaries.items()}
        self._first = entities[0]

    def pages(self, since: str | None) -> Iterator[Page]:
        """What people did, then every stock level that moved; at least one page.

        Raises:
            Misconfigured: the cursor is none of this.
            Retryable, AuthExpired: nobody could look.
        """
        reading = reading_of(self._slug, since)
        begin = reading.at
        # Asked before the rest: what is changed meanwhile is seen again.
        latest = [row.needed("modified") for row in self._ask(LATEST, _bound(begin))]
        for received in self._entered(begin, reading):
            yield Page(tuple(received), reading.text(), more=True)
        gone = list(self._ask(GONE, _bound(begin))) if since is not None else []
        last = [*self._edited(begin, reading), *self._closed(begin, reading), *self._deleted(gone, reading)]
        for levels in self._levels(begin, gone, reading, everything=since is None):
            yield Page((*last, *levels), reading.text(), more=True)
            last = []
        for stamp in (*latest, *(row.needed("modified") for row in gone)):
            reading.reached(stamp, self._zone)
        yield Page(tuple(last), reading.text(), more=False)

    # --- documents ----------------------------------------------------------------------------------------------------

    def _entered(self, begin: str, reading: Reading) -> Iterator[list[Received]]:
        stamp, id = begin, "0"
        while True:
            rows = list(self._ask(ENTERED, _bound(stamp), _bound(stamp), id))
            if not rows:
                return
            yield self._told(rows, reading)
            stamp, id = rows[-1].needed("modified"), rows[-1].needed("id")
            if len(rows) < ROWS_A_PAGE:
                return

    def _told(self, rows: Sequence[Fields], reading: Reading) -> list[Received]:
        news = [row for row in rows if self._is_news("row", row.needed("id"), row.needed("modified"), reading=reading)]
        shipped = [row for row in news if row.needed("type") == "ItemShip"]
        lines = self._lines([row.needed("id") for row in shipped])
        received = []
        for row in news:
            id = row.needed("id")
            if row.needed("type") != "ItemShip":
                received.append(self._record(DOCUMENT, id, {"row": row.raw()}))
                continue
            body = {
                "row": row.raw(),
                "lines": lines.get(id, []),
                "record": self._packages(id),
                "told": row.text("status") != SHIPPED and id in reading.ships,
                "zone": self._options.time_zone,
                "timezone": self._entity(row).timezone,
            }
            if row.text("status") == SHIPPED:
                reading.ships[id] = [row.needed("of_channel"), row.needed("of_order")]
            received.append(self._record(FULFILMENT, id, body))
        return received

    def _lines(self, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        query = SHIPPED_LINES.format(line_field=self._options.line_field, marks=marks(ids))
        for row in self._ask(query, *ids) if ids else ():
            found.setdefault(row.needed("transaction"), []).append(row.raw())
        return found

    def _packages(self, id: str) -> dict[str, Any]:
        """What searches do not show of a fulfilment; nothing of one that is gone meanwhile."""
        held = self._client.get("itemFulfillment", id, expand=True)
        wanted = {name.lower() for name in PACKAGES}
        return {name: said for name, said in (held.raw() if held else {}).items() if name.lower() in wanted}

    def _edited(self, begin: str, reading: Reading) -> list[Received]:
        try:
            rows = list(self._client.walk(EDITED, (_bound(begin),)))
        except Rejected as refusal:  # the column of who changed it last is not known to be in every account
            log.warning("netsuite.edits_unseen", extra={"code": refusal.code})
            return []
        return [
            self._record(DOCUMENT, row.needed("id"), {"row": row.raw(), "zone": self._options.time_zone})
            for row in rows
            if self._is_news("edit", row.needed("id"), row.needed("modified"), reading=reading)
        ]

    def _closed(self, begin: str, reading: Reading) -> list[Received]:
        """Orders of which people closed rows, or opened those again that they had closed."""
        rows = {row.needed("id"): row for row in self._client.walk(CLOSING, (_bound(begin),))}
        for some in some_at_once([id for id in reading.closed if id not in rows], ITEMS_AT_ONCE):
            query = CLOSED_BEFORE.format(marks=marks(some))
            rows |= {row.needed("id"): row for row in self._ask(query, _bound(begin), *some)}
        rows = {id: row for id, row in rows.items() if row.text("revision") != VOIDED}
        lines: dict[str, list[Fields]] = {}
        for some in some_at_once(rows, ITEMS_AT_ONCE):
            query = CLOSED_LINES.format(line_field=self._options.line_field, marks=marks(some))
            for line in self._ask(query, *some):
                lines.setdefault(line.needed("transaction"), []).append(line)
        received = []
        for id, row in rows.items():
            own = [line for line in lines.get(id, ()) if line.text("orderline") is not None]
            closed = own if row.text("status") == CANCELLED_STATUS else [x for x in own if x.flag("isclosed")]
            known = (
                id in reading.closed
            )  # then it is the same cancellation, though the hub has followed the channel in it
            by_hand = closed_by_hand(row.text("cancelled"), len(closed)) and any(units_cut(line) for line in closed)
            if not (known or by_hand) or not self._is_news("closed", id, row.needed("modified"), reading=reading):
                continue
            if not known:
                reading.closed.append(id)
            said = {"row": row.raw(), "lines": [line.raw() for line in closed], "zone": self._options.time_zone}
            received.append(self._record(CLOSED, id, said | ({"known": True} if known else {})))
        return received

    def _deleted(self, gone: Sequence[Fields], reading: Reading) -> Iterator[Received]:
        for row in gone:
            id, stamp = row.needed("id"), row.needed("modified")
            known = reading.ships.get(id)
            if row.needed("type").lower() in SHIPMENTS and known and self._is_news("gone", id, stamp, reading=reading):
                body = {"row": row.raw(), "channel": known[0], "order": known[1], "zone": self._options.time_zone}
                yield self._record(DELETED, id, body)

    # --- stock --------------------------------------------------------------------------------------------------------

    def _levels(
        self, begin: str, gone: Sequence[Fields], reading: Reading, *, everything: bool
    ) -> Iterator[list[Received]]:
        """Of the items that moved; of all where something is gone whose items nobody can tell any more."""
        moved = {
            row.needed("item"): (row.needed("modified"), row.needed("mover"))
            for row in self._client.walk(MOVED, (_bound(begin),), key="item")
        }
        ends = [
            (row.needed("modified"), row.needed("id"))
            for row in gone
            if row.needed("type").lower() in MOVES_STOCK
            and self._is_news("stock", row.needed("id"), row.needed("modified"), reading=reading)
        ]
        if ends or everything:
            least = max(ends, default=("", ""))
            every = (row.needed("item") for row in self._client.walk(STOCKED, (), key="item"))
            moved = {item: max(moved.get(item, ("", "")), least) for item in every}
        for some in some_at_once(moved, ITEMS_AT_ONCE):
            query = LEVELS.format(marks=marks(some))
            levels = (self._level(row, moved[row.needed("id")], reading) for row in self._ask(query, *some))
            yield [level for level in levels if level is not None]

    def _level(self, row: Fields, by: tuple[str, str], reading: Reading) -> Received | None:
        entity = self._by_subsidiary.get(row.text("subsidiary") or "") if self._by_subsidiary else self._first
        if entity is None:  # a subsidiary that is none of the hub's entities
            return None
        stamp, mover = by
        token = (row.needed("id"), row.needed("place"), row.text("quantityonhand") or "0", mover)
        if stamp and not self._is_news(STOCK, *token, stamp, reading=reading):
            return None
        as_of = int(self._now.timestamp() * 1_000_000)
        body = {"row": row.raw(), "entity": entity.slug, "as_of": as_of}
        return self._record(STOCK, _digest(*token, stamp), body, named=True)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _is_news(self, *token: str, reading: Reading) -> bool:
        """Whether it was not told yet with this stamp, its last part; it is from now on.

        What is as young as its stamp may change once more and keep it: it is told again, as the same record if it did
        not.
        """
        digest, stamp = _digest(*token), token[-1]
        if digest in reading.told:
            return False
        if self._now - moment(stamp, self._zone) > timedelta(seconds=SECOND_OVER_S):
            reading.told[digest] = stamp
        return True

    def _entity(self, row: Fields) -> EntityConfig:
        return self._by_subsidiary.get(row.text("subsidiary") or "", self._first)

    def _record(self, topic: str, id: str, said: Mapping[str, Any], *, named: bool = False) -> Received:
        """A record whose key is its content's, or `named` by its id alone."""
        body = json.dumps(said, sort_keys=True, default=str).encode()
        key = f"{topic}-{id}" if named else f"{topic}-{id}-{sha256(body).hexdigest()[:16]}"
        return Received(self._slug, key, topic, Source.ERP, body, self._now)

    def _ask(self, query: str, *params: str) -> Iterator[Fields]:
        return self._client.suiteql(query, params)


def _bound(stamp: str) -> str:
    return stamp.replace("T", " ")


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:12]
