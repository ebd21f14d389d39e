"""A batch of documents becomes rows: loaded at once, decided in memory, written at once.

No query is made for a single document. A document that is refused leaves nothing behind, and its neighbours stand.
"""

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from erp_adapters.ledger import schema
from erp_adapters.ledger.costing import Costing
from erp_adapters.ledger.documents import body_of, document_of, ref_of, row_of
from erp_adapters.ledger.periods import first_open_day, period_of
from hub.books import Chart, Policy, Role, Unpostable, post
from hub.errors import Rejected
from hub.model.documents import MASTER_KINDS, Component, Document, DocumentKey, DocumentKind
from hub.model.entries import Entry, Posting
from hub.model.intents import Action, Outcome, Verdict
from hub.model.money import AMOUNT_MINOR_MAX, exponent

QUANTITY_MAX: Final = 10**9
TICK: Final = datetime.timedelta(microseconds=1)
STOCK_KINDS: Final = frozenset(
    {
        DocumentKind.FULFILMENT,
        DocumentKind.RETURN_RECEIPT,
        DocumentKind.STOCK_RECEIPT,
        DocumentKind.STOCK_ADJUSTMENT,
        DocumentKind.JOURNAL_ENTRY,
    }
)


class Cause(StrEnum):
    """Why an entry was made."""

    DOCUMENT = "document"
    REVERSAL = "reversal"
    REVALUATION = "revaluation"  # what undoing a stock document leaves without stock to stand for it


@dataclass(frozen=True, slots=True)
class Books:
    """By what rules the ledger posts."""

    chart: Chart
    policy: Policy
    functional: Mapping[str, str]  # entity -> currency


@dataclass(frozen=True, slots=True)
class Shipment:
    """What a person says of a fulfilment beside the stock that it moves."""

    shipped_at: datetime.datetime
    carrier: str | None = None
    tracking_number: str | None = None
    unstocked: tuple[tuple[str, int], ...] = ()  # order lines that are no stock, and how many were shipped


@dataclass(frozen=True, slots=True)
class Operation:
    """One change asked for, by the hub or by a person."""

    action: Action
    document: Document
    revision: str | None = None
    by_hand: bool = False
    id: int | None = None  # the document changed by hand; None: found by its key
    name: str | None = None  # of the customer that the document is about
    shipment: Shipment | None = None  # None: nothing is said of one, or nothing new


class Batch:
    """Operations on the ledger inside one transaction."""

    def __init__(self, connection: Connection, books: Books, now: datetime.datetime, accounts: set[str]) -> None:
        self.connection = connection
        self.books = books
        self.now = now
        self.accounts = accounts  # known to be open; the caller adds `opened` once this has been committed
        self.opened: set[str] = set()
        self.numbers = schema.take_turn(connection)
        self.first_entry = self.numbers["entries"] + 1
        self.by_key: dict[str, dict[str, Any]] = {}
        self.by_id: dict[int, dict[str, Any]] = {}
        self.changed: dict[int, dict[str, Any]] = {}
        self.documents: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.postings: list[dict[str, Any]] = []
        self.standing: dict[int, tuple[int, Entry]] = {}  # document -> the entry that stands for it, with its number
        self.customers: dict[str, int] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.closed: set[tuple[str, str]] = set()
        self.shipments: dict[int, Shipment] = {}

    def keep(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Each operation is done or refused, an outcome each, in their order."""
        self._load(operations)
        outcomes = [self._outcome(operation) for operation in operations]
        self._write()
        return outcomes

    def _outcome(self, operation: Operation) -> Outcome:
        entries, postings = len(self.entries), len(self.postings)
        number = self.numbers["entries"]
        self.costing.mark()
        try:
            id = self._apply(operation)
        except Rejected as refusal:
            del self.entries[entries:], self.postings[postings:]
            self.numbers["entries"] = number
            self.costing.undo()
            return Outcome(Verdict.REJECTED, None, refusal.code, refusal.field, refusal.remedy)
        return Outcome(Verdict.DONE, None if id is None else ref_of(operation.document.kind, id))

    def _apply(self, operation: Operation) -> int | None:
        """The number of the document that the operation is about; None where there is nothing to void."""
        document = operation.document
        row = self.by_id.get(operation.id) if operation.id is not None else self.by_key.get(document.key)
        match operation.action:
            case Action.VOID:
                if row is not None and not row["voided"]:
                    self._void(row, operation)
            case _ if row is None:
                return self._claimed_item(document) or self._create(operation)
            case Action.AMEND:
                same = row["revision"] == operation.revision and not (row["voided"] or row["by_hand"])
                if operation.by_hand or not same:
                    self._amend(row, operation)
            case Action.CREATE:
                pass  # it exists: adopted as it is, and reading it back shows what differs
        return None if row is None else int(row["id"])

    # --- one operation ----------------------------------------------------------------------------------------------

    def _create(self, operation: Operation) -> int:
        document = operation.document
        if document.kind is DocumentKind.ITEM:
            self._check_item(document, None)
        id = self.numbers["documents"] + 1
        row = row_of(document, id)
        entry = self._book(document, row)
        self.numbers["documents"] = id
        row |= {"revision": operation.revision, "version": 1, "voided": False, "by_hand": operation.by_hand}
        row |= {"entry": entry, "changed": self.numbers["changes"], "modified_at": self.now}
        self.documents.append(row)
        if operation.shipment is not None:
            self.shipments[id] = operation.shipment
        self.by_id[id] = row
        if document.key:
            self.by_key[document.key] = row
        self._register(document, id, operation.name)
        return id

    def _claimed_item(self, document: Document) -> int | None:
        """The number of an item that somebody entered under this code: it has our key from now on. None: no such."""
        if document.kind is not DocumentKind.ITEM or not document.key:
            return None
        held = self.items.get(_item_of(document)[0])
        row = self.by_id.get(held["document"]) if held else None
        if row is None or row["key"]:
            return None
        self._change(row, {"key": document.key, "by_hand": False})
        self.by_key[document.key] = row
        return int(row["id"])

    def _amend(self, row: dict[str, Any], operation: Operation) -> None:
        document = operation.document
        if document.kind != row["kind"]:
            raise Rejected(
                f"{document.key} is a {row['kind']}",
                code="unknown_kind",
                field="kind",
                remedy="void it and create the other under a key of its own",
            )
        if self._differs_in_parcels_alone(row, operation):
            self._change(row, {"body": body_of(document), "revision": operation.revision})
            return
        if document.kind is DocumentKind.ITEM:
            self._check_item(document, row["id"])
        if not row["voided"]:
            self._reverse(row)
        changed = row_of(document, row["id"])
        changed["entry"] = self._book(document, changed)
        changed["key"] = row["key"]
        if operation.revision is not None:
            changed["revision"] = operation.revision
        self._change(row, changed | {"voided": False, "by_hand": operation.by_hand})
        self._register(document, row["id"], operation.name)
        if operation.shipment is not None:
            self.shipments[row["id"]] = operation.shipment

    def _differs_in_parcels_alone(self, row: dict[str, Any], operation: Operation) -> bool:
        """Whether a fulfilment stands as it is told but for its parcels: no entry and no stock moves."""
        if row["kind"] != DocumentKind.FULFILMENT or row["voided"] or row["by_hand"] or operation.by_hand:
            return False
        return document_of(row["body"]).same_but_for_parcels(operation.document)

    def _void(self, row: dict[str, Any], operation: Operation) -> None:
        if row["kind"] in MASTER_KINDS:
            raise Rejected(
                f"{row['key']} is referred to",
                code="in_use",
                field="kind",
                remedy="customers and items stay; amend it instead",
            )
        self._reverse(row)
        self._change(row, {"voided": True, "by_hand": operation.by_hand, "entry": None})

    def _change(self, row: dict[str, Any], changes: dict[str, Any]) -> None:
        row |= changes
        row |= {"version": row["version"] + 1, "changed": self.numbers["changes"]}
        row["modified_at"] = max(self.now, in_utc(row["modified_at"]) + TICK)  # versions are told apart by it
        if row["id"] not in self.fresh:
            self.changed[row["id"]] = row

    @property
    def fresh(self) -> range:
        """The numbers of the documents that this batch made."""
        return range(self.numbers["documents"] - len(self.documents) + 1, self.numbers["documents"] + 1)

    def _book(self, document: Document, row: dict[str, Any]) -> int | None:
        """The number of the document's entry, None where it posts nothing."""
        self._check(document)
        costed = document
        if document.kind in STOCK_KINDS:
            costed = replace(document, lines=self.costing.lines(document, row["id"], self._item))
        try:
            entry = post(costed, self.books.chart, self.books.policy, self.books.functional[document.entity])
        except Unpostable as fault:
            raise Rejected(
                str(fault), code=fault.code, field=fault.field, remedy=f"correct the document: {fault}"
            ) from None
        except ValueError as fault:  # an amount beyond all bounds, once converted
            raise Rejected(
                str(fault), code="bad_amount", field="rate", remedy=f"correct the document's rate: {fault}"
            ) from None
        if entry is None:
            return None
        number = self._enter(row["id"], Cause.DOCUMENT, entry)
        self.standing[row["id"]] = (number, entry)
        return number

    def _reverse(self, row: dict[str, Any]) -> None:
        """The document's entry is undone, on its own day if that is open, else on the first open day after."""
        if row["entry"] is not None:
            number, entry = self.standing[row["id"]]
            on = first_open_day(self.closed, row["entity"], entry.date)
            reversal = entry.reversed(on)
            if on != entry.date:
                reversal = replace(reversal, original_date=entry.original_date or entry.date)
            self._enter(row["id"], Cause.REVERSAL, reversal, number)
        stock, in_transit = self.costing.reverse(row["id"]) if row["kind"] in STOCK_KINDS else (0, 0)
        if stock or in_transit:
            chart = self.books.chart
            revalued = {Role.INVENTORY: stock, Role.INVENTORY_IN_TRANSIT: in_transit}
            revalued[Role.COST_OF_GOODS_SOLD] = -stock - in_transit
            functional = self.books.functional[row["entity"]]
            on = first_open_day(self.closed, row["entity"], row["date"])
            entry = Entry(
                DocumentKey(row["key"] or ""),
                row["entity"],
                on,
                f"revaluation: {row['kind'].replace('_', ' ')} {row['reference'] or row['key'] or ''}".rstrip(),
                functional,
                tuple(
                    Posting(chart.account(role), minor, functional, minor) for role, minor in revalued.items() if minor
                ),
            )
            self._enter(row["id"], Cause.REVALUATION, entry)

    def _enter(self, document: int, cause: Cause, entry: Entry, reverses: int | None = None) -> int:
        number = self.numbers["entries"] = self.numbers["entries"] + 1
        self.entries.append(
            {
                "id": number,
                "document": document,
                "cause": cause,
                "reverses": reverses,
                "entity": entry.entity,
                "date": entry.date,
                "period": period_of(entry.date),
                "original_date": entry.original_date,
                "memo": entry.memo,
                "functional": entry.functional,
                "posted": False,
            }
        )
        for line, posting in enumerate(entry.postings, start=1):
            self.postings.append(
                {
                    "entry": number,
                    "line": line,
                    "account": posting.account,
                    "amount_minor": posting.amount_minor,
                    "currency": posting.currency,
                    "functional_minor": posting.functional_minor,
                }
            )
        return number

    # --- checks -----------------------------------------------------------------------------------------------------

    def _check(self, document: Document) -> None:
        entity = document.entity
        if entity not in self.books.functional:
            raise Rejected(
                f"no entity {entity!r}",
                code="unknown_entity",
                field="entity",
                remedy=f"use one of {', '.join(self.books.functional)}, or configure {entity!r}",
            )
        if document.kind not in MASTER_KINDS and self.closed and (entity, period_of(document.date)) in self.closed:
            on = first_open_day(self.closed, entity, document.date)
            raise Rejected(
                f"{period_of(document.date)} is closed for {entity}",
                code="closed_period",
                field="date",
                remedy=f"date it {on} or later, or open {period_of(document.date)} for {entity}",
            )
        if document.customer is not None and document.customer not in self.customers:
            raise Rejected(
                f"no customer {document.customer!r}",
                code="unknown_customer",
                field="customer",
                remedy=f"create the customer {document.customer!r} first",
            )
        try:
            exponent(document.currency)
        except ValueError as fault:
            raise Rejected(
                str(fault), code="unknown_currency", field="currency", remedy="use an ISO 4217 code"
            ) from None
        for number, line in enumerate(document.lines):
            if line.item is not None and document.kind is not DocumentKind.ITEM:
                self._item(line.item, number)
            if abs(line.amount_minor) > AMOUNT_MINOR_MAX or abs(line.quantity) > QUANTITY_MAX:
                raise Rejected(
                    f"line {number} is beyond all bounds",
                    code="bad_amount",
                    field=f"lines[{number}].amount_minor",
                    remedy="correct the amount or the quantity",
                )

    def _item(self, code: str | None, number: int) -> dict[str, Any]:
        item = None if code is None else self.items.get(code)
        if item is None:
            raise Rejected(
                f"no item {code!r}",
                code="unknown_item",
                field=f"lines[{number}].item",
                remedy=f"create the item {code!r}, or map the SKU to one that exists",
            )
        return item

    def _register(self, document: Document, id: int, name: str | None) -> None:
        """A customer or an item can be referred to from now on."""
        if document.kind is DocumentKind.CUSTOMER and document.key not in self.customers:
            self.customers[document.key] = id
            self.new_customers.append({"key": document.key, "document": id, "name": name})
        if document.kind is DocumentKind.ITEM:
            code, cost = _item_of(document)
            item = {"code": code, "document": id, "name": document.memo or code, "standard_cost_minor": cost}
            held = self.items.get(code)
            if held is None:
                self.new_items.append(item)
                self.items[code] = item
            else:
                held |= item
                if held not in self.new_items:
                    self.changed_items[code] = held

    def _check_item(self, document: Document, id: int | None) -> None:
        """An item has its code for itself and for life; `id` is the item's document where it has one already."""
        code, _ = _item_of(document)
        held = self.items.get(code)
        if (held["document"] if held else None) != id:
            raise Rejected(
                f"{code} is not the code of {document.key}",
                code="duplicate_item",
                field="lines[0].item",
                remedy=f"use the item that has the code {code!r}, or give the new one a code of its own",
            )

    # --- loading ----------------------------------------------------------------------------------------------------

    def _load(self, operations: Sequence[Operation]) -> None:
        self.new_customers: list[dict[str, Any]] = []
        self.new_items: list[dict[str, Any]] = []
        self.changed_items: dict[str, dict[str, Any]] = {}
        read = self.connection.execute
        period = schema.period
        self.closed = {(x.entity, x.period) for x in read(select(period).where(period.c.closed))}
        keys = {operation.document.key for operation in operations if operation.document.key}
        ids = {operation.id for operation in operations if operation.id is not None}
        document = schema.document
        for wanted, column in ((keys, document.c.key), (ids, document.c.id)):
            if wanted:
                for found in read(select(document).where(column.in_(wanted))).mappings():
                    row = self.by_id.setdefault(found["id"], dict(found))
                    if row["key"]:
                        self.by_key[row["key"]] = row
        touched = [
            held["id"]
            for operation in operations
            if operation.action is not Action.CREATE
            and (held := self.by_id.get(operation.id or 0) or self.by_key.get(operation.document.key))
        ]
        self._load_standing(touched)
        self._load_masters(operation.document for operation in operations)
        self._load_items(operation.document for operation in operations)
        stocked = [operation.document for operation in operations if operation.document.kind in STOCK_KINDS]
        self.costing = Costing(self.connection, self.numbers)
        if stocked:
            self.costing.load(stocked, touched)

    def _load_standing(self, documents: list[int]) -> None:
        numbers = {self.by_id[id]["entry"]: id for id in documents if self.by_id[id]["entry"] is not None}
        if not numbers:
            return
        read = self.connection.execute
        postings: defaultdict[int, list[Posting]] = defaultdict(list)
        posting, entry = schema.posting.c, schema.entry
        rows = select(schema.posting).where(posting.entry.in_(numbers)).order_by(posting.entry, posting.line)
        for x in read(rows):
            postings[x.entry].append(Posting(x.account, x.amount_minor, x.currency, x.functional_minor))
        for x in read(select(entry).where(entry.c.id.in_(numbers))):
            document = self.by_id[numbers[x.id]]
            self.standing[document["id"]] = (
                x.id,
                Entry(
                    DocumentKey(document["key"] or ""),
                    x.entity,
                    x.date,
                    x.memo,
                    x.functional,
                    tuple(postings[x.id]),
                    x.original_date,
                ),
            )

    def _load_masters(self, documents: Iterable[Document]) -> None:
        customers: set[str] = set()
        items: set[str] = set()
        for document in documents:
            if document.customer is not None:
                customers.add(document.customer)
            if document.kind is DocumentKind.CUSTOMER:
                customers.add(document.key)
            if document.kind is DocumentKind.ITEM:
                items.add(document.key)
            for line in document.lines:
                if line.item is not None:
                    items.add(line.item)
        read = self.connection.execute
        if customers:
            customer = schema.customer
            self.customers = {
                x.key: x.document for x in read(select(customer).where(customer.c.key.in_(sorted(customers))))
            }
        if items:
            item = schema.item
            for found in read(select(item).where(item.c.code.in_(sorted(items)))).mappings():
                self.items[found["code"]] = dict(found)

    def _load_items(self, documents: Iterable[Document]) -> None:
        """The documents of items that these are to make and that are there under no key."""
        new = {_item_of(x)[0] for x in documents if x.kind is DocumentKind.ITEM and x.key and x.key not in self.by_key}
        ids = sorted({self.items[code]["document"] for code in new if code in self.items} - set(self.by_id))
        if ids:
            document = schema.document
            for found in self.connection.execute(select(document).where(document.c.id.in_(ids))).mappings():
                self.by_id[found["id"]] = dict(found)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        run = self.connection.execute
        if self.documents:
            run(insert(schema.document), self.documents)
        if self.changed:
            document = schema.document
            columns = [column.name for column in document.columns if column.name != "id"]
            statement = update(document).where(document.c.id == bindparam("at"))
            statement = statement.values({name: bindparam(f"new_{name}") for name in columns})
            run(
                statement,
                [{"at": row["id"]} | {f"new_{name}": row[name] for name in columns} for row in self.changed.values()],
            )
        if self.shipments:
            shipment = schema.shipment
            run(shipment.delete().where(shipment.c.document.in_(sorted(self.shipments))))
            run(insert(shipment), [_shipment_row(id, said) for id, said in self.shipments.items()])
        if self.new_customers:
            run(insert(schema.customer), self.new_customers)
        if self.new_items:
            run(insert(schema.item), self.new_items)
        for code, row in self.changed_items.items():
            item = schema.item
            run(
                update(item)
                .where(item.c.code == code)
                .values(name=row["name"], standard_cost_minor=row["standard_cost_minor"])
            )
        if self.entries:
            self._open_accounts()
            run(insert(schema.entry), self.entries)
            run(insert(schema.posting), self.postings)
            entry = schema.entry
            run(update(entry).where(entry.c.id >= self.first_entry).values(posted=True))
        self.costing.write()
        numbers = {name: self.numbers[name] for name in ("documents", "entries", "moves")}
        run(update(schema.counter).values(numbers))

    def _open_accounts(self) -> None:
        used = {posting["account"] for posting in self.postings} - self.accounts
        if used:
            account = schema.account
            used -= set(self.connection.scalars(select(account.c.id).where(account.c.id.in_(sorted(used)))))
        if used:
            chart = self.books.chart
            rows = []
            for id in sorted(used):
                found = chart.find(id)
                if found is None:
                    raise LookupError(f"posted to an account that the chart lacks: {id}")
                rows.append(
                    {"id": id, "number": found.number, "name": chart.name(id), "type": found.type, "role": found.role}
                )
            self.connection.execute(insert(schema.account), rows)
        self.opened = {posting["account"] for posting in self.postings}


def in_utc(at: datetime.datetime) -> datetime.datetime:
    """The moment with its offset; SQLite hands it out without."""
    return at.replace(tzinfo=datetime.UTC) if at.tzinfo is None else at.astimezone(datetime.UTC)


def _shipment_row(document: int, said: Shipment) -> dict[str, Any]:
    return {
        "document": document,
        "shipped_at": in_utc(said.shipped_at),
        "carrier": said.carrier,
        "tracking_number": said.tracking_number,
        "unstocked": json.dumps(said.unstocked),
    }


def _item_of(document: Document) -> tuple[str, int]:
    """An item's code and standard cost: those of its STOCK line, else its key and no cost."""
    for line in document.lines:
        if line.component is Component.STOCK:
            return line.item or document.key, line.amount_minor
    return document.key, 0
