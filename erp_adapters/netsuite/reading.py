"""Documents read back: many at once by query, and by the record service those that a query does not show as told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from erp_adapters.netsuite.client import Client, eid
from erp_adapters.netsuite.directory import AccountDirectory
from erp_adapters.netsuite.options import Options
from erp_adapters.netsuite.suiteql import DAY, MOMENT, marks, some_at_once
from erp_adapters.netsuite.writing import GOODS_RECORDS, code_of, kept_in
from hub.errors import Rejected
from hub.model.documents import MASTER_KINDS, Document, DocumentKey, DocumentKind, content_of, revision_of
from hub.model.intents import ReadBack
from mappings.netsuite import customer
from mappings.netsuite.fields import Fields
from mappings.netsuite.reading import Seen, found, read_back, seen
from mappings.netsuite.segments import misplaced
from mappings.netsuite.statement import version_of
from mappings.netsuite.words import CANCELLED, CLASS, DEPARTMENT, PARTY, REVISION

AT_ONCE: Final = 100  # records asked for in one query
FEW: Final = 3  # documents, up to which queries are no gain

HEADERS: Final = f"""
    SELECT t.id, t.externalid, t.recordtype, {DAY.format("t.trandate")} AS day,
        {MOMENT.format("t.lastmodifieddate")} AS modified, c.symbol, t.foreigntotal, t.{REVISION}, t.{CANCELLED}
    FROM transaction t LEFT JOIN currency c ON c.id = t.currency
    WHERE t.externalid IN ({{marks}}) ORDER BY t.id
"""  # noqa: S608 - ours
CUSTOMERS: Final = f"""
    SELECT c.id, c.externalid, {MOMENT.format("c.lastmodifieddate")} AS modified, c.{PARTY}
    FROM customer c WHERE c.externalid IN ({{marks}}) ORDER BY c.id
"""  # noqa: S608 - ours
ROWS: Final = """
    SELECT tl.uniquekey, tl.transaction, tl.id, tl.quantity, tl.quantitybilled, tl.quantityshiprecv, tl.foreignamount,
        tl.taxline, tl.iscogs, tl.isclosed, tl.item, tl.mainline, tl.{line_field}{more}
    FROM transactionline tl
    WHERE tl.transaction IN ({marks}){only}
    ORDER BY tl.uniquekey
"""


class Reads:
    """What one account holds of documents."""

    def __init__(self, client: Client, directory: AccountDirectory, options: Options) -> None:
        self._client = client
        self._directory = directory
        self._options = options

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        """Each document as NetSuite holds it now; None where it holds none.

        A query lags behind writes: what it does not show as it was told is read one by one.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        shown: dict[str, ReadBack] = {}
        if len(documents) > FEW:
            rest = iter([one for one in documents if one.kind not in MASTER_KINDS])
            while some := list(islice(rest, AT_ONCE)):
                shown |= {one.key: one for one in self._searched(some)}
            shown |= {one.key: one for one in self._searched_customers(documents)}
        return [shown.get(document.key) or self._read(document) for document in documents]

    # --- one by one ---------------------------------------------------------------------------------------------------

    def _read(self, document: Document) -> ReadBack | None:
        if document.kind in MASTER_KINDS:
            return self._master(document)
        try:
            wanted = kept_in(document)
        except Rejected:
            return None
        records = [
            held for kept in wanted if (held := self._client.get(kept.record, eid(kept.key), expand=True)) is not None
        ]
        if not records:
            return None
        told = [seen(record, self._directory.line_field, document.currency) for record in records]
        return self._compared(document, told, len(wanted), self._currency(document, records[0], wanted[-1].record))

    def _compared(self, document: Document, records: Sequence[Seen], wanted: int, currency: str) -> ReadBack:
        """As `read_back`; what is of another department or class than was told counts as a line that is missing."""
        read = read_back(document, records, wanted, currency)
        off = misplaced(document, revision_of(content_of(document)), records, self._directory)
        return replace(read, lines=read.lines - off) if off else read

    def _segments(self) -> dict[str, str]:
        """Of the query for rows: the columns of the lists that are in use, an account may not have the others."""
        used = {DEPARTMENT: self._options.departments, CLASS: self._options.classes or self._options.item_classes}
        more = "".join(f", tl.{name}" for name, named in used.items() if named)
        return {"more": more, "only": "" if more else " AND tl.mainline = 'F'"}

    def _master(self, document: Document) -> ReadBack | None:
        """A customer or an item: it has no amounts, and is of no day."""
        version = 0
        if document.kind is DocumentKind.ITEM:
            try:
                ref = self._directory.item(code_of(document))
            except Rejected:
                return None
        elif self._options.guests == "one":
            ref = ",".join(sorted(set(self._options.customers.values())))
        else:
            held = self._client.get("customer", eid(document.key))
            if held is None:
                return None
            ref, version = held.needed("id"), version_of(held.moment("lastModifiedDate"))
        return _master_as(document, ref, version)

    def _currency(self, document: Document, record: Fields, kind: str) -> str:
        """The record's currency: the document's where it is the same or the record moves goods alone."""
        said = record.ref("currency")
        if kind in GOODS_RECORDS or said is None or said.id == self._directory.currency(document.currency):
            return document.currency
        return said.name or said.id

    # --- many at once -------------------------------------------------------------------------------------------------

    def _searched(self, documents: Sequence[Document]) -> Iterator[ReadBack]:
        """Those that the query shows whole, at the revision that was told."""
        wanted = {document.key: kept_in(document) for document in documents if _is_kept(document)}
        headers = self._headers([kept.key for some in wanted.values() for kept in some])
        lines = self._lines([header.needed("id") for header in headers.values()])
        for document in documents:
            held = [
                headers[kept.record.lower(), kept.key]
                for kept in wanted.get(document.key, ())
                if (kept.record.lower(), kept.key) in headers
            ]
            revision = revision_of(content_of(document))
            if not held or len(held) < len(wanted[document.key]):
                continue
            if any(parcel.tracking_number for parcel in document.parcels):
                continue  # what the query does not show
            if any(header.text(REVISION) != revision for header in held):
                continue
            told = [self._found(header, lines.get(header.needed("id"), []), document) for header in held]
            goods = wanted[document.key][-1].record in GOODS_RECORDS
            currency = document.currency if goods else held[0].text("symbol") or document.currency
            yield self._compared(document, told, len(held), currency)

    def _searched_customers(self, documents: Sequence[Document]) -> Iterator[ReadBack]:
        """Those that the query shows with the version of the buyer's data that was told."""
        if self._options.guests == "one":
            return
        wanted = {document.key: document for document in documents if document.kind is DocumentKind.CUSTOMER}
        for some in some_at_once(wanted, AT_ONCE):
            for row in self._client.suiteql(CUSTOMERS.format(marks=marks(some)), some):
                document = wanted.get(DocumentKey(row.needed("externalid")))
                if document is None:
                    continue
                told = None if document.party is None else customer.version_of(document.party)
                if row.text(PARTY) == told:
                    version = version_of(row.moment("modified"), ZoneInfo(self._options.time_zone))
                    yield _master_as(document, row.needed("id"), version)

    def _found(self, header: Fields, lines: Sequence[Fields], document: Document) -> Seen:
        zone = ZoneInfo(self._options.time_zone)
        return found(header, lines, self._directory.line_field, document.currency, zone)

    def _headers(self, keys: Sequence[str]) -> dict[tuple[str, str], Fields]:
        """By record and key."""
        headers: dict[tuple[str, str], Fields] = {}
        for some in some_at_once(keys, AT_ONCE):
            for row in self._client.suiteql(HEADERS.format(marks=marks(some)), some):
                headers[row.needed("recordtype").lower(), row.needed("externalid")] = row
        return headers

    def _lines(self, ids: Sequence[str]) -> dict[str, list[Fields]]:
        """By transaction."""
        lines: dict[str, list[Fields]] = {}
        for some in some_at_once(ids, AT_ONCE):
            query = ROWS.format(line_field=self._directory.line_field, marks=marks(some), **self._segments())
            for row in self._client.suiteql(query, some):
                lines.setdefault(row.needed("transaction"), []).append(row)
        return lines


def _master_as(document: Document, ref: str, version: int) -> ReadBack:
    lines = len(document.lines)
    return ReadBack(document.key, ref, None, 0, 0, document.currency, document.date, lines, version)


def _is_kept(document: Document) -> bool:
    try:
        return bool(kept_in(document))
    except Rejected:
        return False
