"""All that one account holds, and the only doors by which a record comes in, changes and goes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from erp_adapters.netsuite.account.records import kind_of

Clock = Callable[[], datetime]
Ref = dict[str, str]

BASE_CURRENCY: Final = "USD"
APPLYING: Final = ("apply", "deposit")  # sublists whose rows point at what they settle
LINE_STEPS: Final = (1, 3, 2, 1, 3)  # line numbers as accounts show them: 1, 4, 7, 9, 12 …


@dataclass(slots=True)
class Switches:
    """What accounts differ in: features, preferences, releases."""

    unique_external_ids: bool = True  # off: as in ERPs that keep no key of ours
    enum_form: str = "2026"  # {"id", "refName"}; "2020": the bare text
    concurrency_limit: int = 15
    concurrency_form: str = "429"  # "400": as one fixture shows; "401": as under token-based authentication
    concurrency_wait_s: int = 60  # how long a request of the "401" form waits before it is refused
    suite_tax: bool = True  # off: tax details are refused
    tax_rounding: str = "down_line"  # or "half_up_line": the account's own way
    bill_in_advance: bool = True  # off: only what is fulfilled can be billed
    fulfil_uncommitted: bool = False  # on: stock may go below zero
    advanced_shipping: bool = True  # off: a fulfilment makes the invoice too
    date_form: str = "M/D/YYYY"  # how searches show a date, and read a bare one
    time_zone: str = "UTC"  # of the searches' moments: the preference of the integration's user
    credit_in_advance: bool = True  # off: a return is credited only when the goods are back
    unique_entity_names: bool = True  # off: customers get a number for a name
    duplicate_text: str = "This entity already exists."  # recorded for an entity; of a transaction nobody has seen it
    mandatory_segments: tuple[str, ...] = ()  # of department and class: what no transaction may be without
    segments_by_line: bool = True  # off: a row's own is passed over, it shows the record's
    required_fields: dict[str, tuple[str, ...]] = field(default_factory=dict)  # a form's own mandatory fields, by type


@dataclass(slots=True)
class Row:
    """One line of a sublist. `line` is the number that the service shows; numbers are not consecutive."""

    line: int
    fields: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)

    def amount(self, name: str) -> Decimal:
        """The number of this name, zero when the row has none."""
        return Decimal(str(self.fields.get(name) or 0))

    def ref(self, name: str) -> int | None:
        """The internal id that a reference holds."""
        return id_in(self.fields.get(name))


@dataclass(slots=True)
class GlLine:
    """One line of a record's posting: debits positive, credits negative; each column of a record sums to zero."""

    line: int  # the transaction line it belongs to; 0: the main line; tax lines from 100_000 on, costs from 200_000 on
    account: str  # its number
    amount: Decimal  # in the transaction's currency
    base: Decimal  # in the subsidiary's
    tax_code: int | None = None
    entity: int | None = None
    memo: str | None = None
    item: int | None = None


@dataclass(slots=True)
class Rec:
    """A record; `fields` and rows hold the vendor's names, references as {"id", "refName"}, amounts as Decimal."""

    type: str
    id: int
    created_at: datetime
    modified_at: datetime
    external_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    sublists: dict[str, list[Row]] = field(default_factory=dict)
    created_from: int | None = None
    gl: list[GlLine] = field(default_factory=list)
    by_hand: bool = False
    deleted: bool = False
    last_line: dict[str, int] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)

    def amount(self, name: str) -> Decimal:
        """The number of this name, zero when the record has none."""
        return Decimal(str(self.fields.get(name) or 0))

    def ref(self, name: str) -> int | None:
        """The internal id that a reference holds."""
        return id_in(self.fields.get(name))

    def rows(self, sublist: str = "item") -> list[Row]:
        return self.sublists.get(sublist, [])

    def row(self, sublist: str, line: int) -> Row | None:
        return next((row for row in self.rows(sublist) if row.line == line), None)

    def letter(self) -> str | None:
        """The status as one letter."""
        status = self.fields.get("status")
        return str(status["id"]) if isinstance(status, dict) else None

    def day(self) -> date:
        """The transaction's date."""
        return date.fromisoformat(str(self.fields["tranDate"]))

    def add_row(self, sublist: str, fields: dict[str, Any]) -> Row:
        """A new row with the next line number; numbers that were once given do not come back."""
        rows = self.sublists.setdefault(sublist, [])
        last = self.last_line.get(sublist, 0)
        line = 1 if last == 0 else last + LINE_STEPS[last % len(LINE_STEPS)]
        self.last_line[sublist] = line
        row = Row(line, fields)
        rows.append(row)
        return row


class World:
    """One account."""

    def __init__(
        self,
        clock: Clock,
        chance: random.Random,
        *,
        account: str = "1234567_SB1",
        switches: Switches | None = None,
        search_lag_s: int = 0,
    ) -> None:
        """Nothing in it; `seed.company` puts a company in.

        Args:
            search_lag_s: how much later than the record service a search sees a change.
        """
        self.clock, self.chance, self.account = clock, chance, account
        self.switches = switches or Switches()
        self.records: dict[int, Rec] = {}
        self.by_external: dict[tuple[str, str], int] = {}
        self.version = 0
        self.stamps: dict[int, int] = {}  # the version at which a record was last touched
        self.custom_fields: dict[str, str] = {}  # name -> body, line, entity, item
        self.search_lag_s = search_lag_s
        self.waiting: set[int] = set()  # orders that wait for stock
        self._children: dict[int, list[int]] = {}
        self._applying: dict[int, set[int]] = {}
        self._last_id = 0
        self._by_type: dict[str, list[int]] = {}
        self._numbers: dict[str, int] = {}
        self._lagging: list[tuple[datetime, int, Rec]] = []
        self._images: dict[int, Rec] = {}

    # --- time -----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock().astimezone(UTC)

    # --- in and out -----------------------------------------------------------------------------------------------

    def new(self, kind: str, fields: dict[str, Any] | None = None, external_id: str | None = None) -> Rec:
        """A record with an id of its own that the account does not hold yet."""
        self._last_id += 1
        now = self.now()
        return Rec(kind, self._last_id, now, now, external_id, dict(fields or {}))

    def keep(self, rec: Rec) -> Rec:
        """The account holds the record as it is now; it was changed at this moment."""
        if rec.id not in self.records:
            self.records[rec.id] = rec
            self._by_type.setdefault(rec.type, []).append(rec.id)
            if rec.created_from is not None:
                self._children.setdefault(rec.created_from, []).append(rec.id)
        if rec.external_id is not None:
            self.by_external.setdefault((kind_of(rec.type).group, rec.external_id.lower()), rec.id)
        self.touch(rec)
        return rec

    def touch(self, rec: Rec) -> None:
        """The record was changed at this moment."""
        rec.modified_at = self.now()
        self.version += 1
        self.stamps[rec.id] = self.version
        for sublist in APPLYING:
            for row in rec.rows(sublist):
                if (doc := row.ref("doc")) is not None:
                    self._applying.setdefault(doc, set()).add(rec.id)
        if self.search_lag_s or self._images:
            image = copy.deepcopy(rec)
            self._lagging.append((rec.modified_at + timedelta(seconds=self.search_lag_s), rec.id, image))

    def drop(self, rec: Rec) -> None:
        """The record is deleted; its external id is free again."""
        rec.deleted = True
        rec.gl = []
        if rec.external_id is not None:
            key = (kind_of(rec.type).group, rec.external_id.lower())
            if self.by_external.get(key) == rec.id:
                del self.by_external[key]
                for other in self.records.values():  # where keys are not unique, the next of this key is found
                    if other.external_id is not None and not other.deleted:
                        self.by_external.setdefault((kind_of(other.type).group, other.external_id.lower()), other.id)
        self.touch(rec)

    def number(self, kind: str) -> str:
        """The next document number of a type, as `tranId` shows it."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind_of(kind).prefix}{self._numbers[kind]}"

    # --- finding --------------------------------------------------------------------------------------------------

    def get(self, id: int | str | None, *types: str) -> Rec | None:
        """The record of this internal id, of one of the types when any is named; None: there is none."""
        try:
            rec = self.records.get(int(id)) if id is not None else None
        except ValueError:
            return None
        if rec is None or rec.deleted or (types and rec.type not in types):
            return None
        return rec

    def must(self, id: int | str | None, *types: str) -> Rec:
        """The record of this internal id.

        Raises:
            LookupError: there is none.
        """
        rec = self.get(id, *types)
        if rec is None:
            raise LookupError(f"no {' or '.join(types) or 'record'} {id}")
        return rec

    def external(self, group: str, external_id: str) -> Rec | None:
        """The record of this external id in its group, whatever its case."""
        found = self.by_external.get((group, external_id.lower()))
        if found is not None:
            return self.get(found)
        return None

    def every(self, *types: str) -> Iterator[Rec]:
        """The records of the types that are there now, by id within a type."""
        for kind in types or tuple(self._by_type):
            for id in self._by_type.get(kind, ()):
                if not (rec := self.records[id]).deleted:
                    yield rec

    def named(self, kind: str, name: str, value: str) -> Rec | None:
        """The first record of a type whose field has this text."""
        return next((rec for rec in self.every(kind) if rec.fields.get(name) == value), None)

    def account_ref(self, number: str) -> Ref:
        """The reference to the account of this number.

        Raises:
            LookupError: the chart has none.
        """
        found = self.named("account", "acctNumber", number)
        if found is None:
            raise LookupError(f"the chart has no account {number}")
        return reference(found)

    def account_number(self, id: int | None) -> str:
        return str(self.must(id, "account").fields["acctNumber"])

    def successors(self, id: int) -> list[Rec]:
        """What was made from this record."""
        return [rec for child in self._children.get(id, ()) if not (rec := self.records[child]).deleted]

    def applications(self, id: int) -> Iterator[tuple[Rec, Row, str]]:
        """Every row, with its record and sublist, that applies something to this transaction."""
        for applying in sorted(self._applying.get(id, ())):
            rec = self.records[applying]
            if rec.deleted:
                continue
            for sublist in APPLYING:
                for row in rec.rows(sublist):
                    if row.ref("doc") == id and row.fields.get("apply"):
                        yield rec, row, sublist

    # --- searches -------------------------------------------------------------------------------------------------

    def lag(self, seconds: int) -> None:
        """From now on searches see a change so much later; what was changed before, when it was to be seen."""
        if seconds and not self._images:
            self._images = {id: copy.deepcopy(rec) for id, rec in self.records.items()}
            self._lagging.clear()
        self.search_lag_s = seconds

    @property
    def lagging(self) -> int:
        """How many changes searches do not see yet."""
        self._index()
        return len(self._lagging)

    def _index(self) -> None:
        """Searches have heard of what is due, and of no record's past after its later state."""
        now = self.now()
        heard: dict[int, int] = {}
        for number, (at, id, image) in enumerate(self._lagging):
            if at <= now:
                self._images[id], heard[id] = image, number
        self._lagging = [
            entry for number, entry in enumerate(self._lagging) if entry[0] > now and number > heard.get(entry[1], -1)
        ]
        if not self._lagging and not self.search_lag_s:
            self._images.clear()

    def visible(self, *, deleted: bool = False) -> Iterator[Rec]:
        """The records as searches see them now, which may be older than what the record service shows.

        Args:
            deleted: the deleted ones instead of those that are there.
        """
        self._index()
        if self._images:
            yield from (rec for _, rec in sorted(self._images.items()) if rec.deleted is deleted)
        else:
            yield from (rec for rec in self.records.values() if rec.deleted is deleted)


def id_in(value: Any) -> int | None:
    """The internal id that a reference holds, None when it holds none."""
    if isinstance(value, dict):
        value = value.get("id")
    try:
        return int(value) if value is not None else None
    except (TypeError, ValueError):
        return None


def reference(rec: Rec) -> Ref:
    """How another record refers to this one."""
    return {"id": str(rec.id), "refName": name_of(rec)}


def name_of(rec: Rec) -> str:
    """What people call the record."""
    match rec.type:
        case "account":
            return f"{rec.fields['acctNumber']} {rec.fields['acctName']}"
        case "accountingPeriod":
            return str(rec.fields["periodName"])
        case "customer":
            return str(rec.fields.get("entityId") or rec.id)
    if kind_of(rec.type).transaction:
        return f"{kind_of(rec.type).label} #{rec.fields.get('tranId', rec.id)}"
    return str(rec.fields.get("itemId") or rec.fields.get("name") or rec.id)


def cents(amount: Decimal, places: int = 2) -> Decimal:
    """The amount to so many decimal places, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
