"""NetSuite's abilities: documents in, probes, read-backs, statements."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from erp_adapters.netsuite import statement
from erp_adapters.netsuite.auth import Nonce
from erp_adapters.netsuite.checking import Walk
from erp_adapters.netsuite.client import Client, eid
from erp_adapters.netsuite.directory import AccountDirectory
from erp_adapters.netsuite.options import options_of
from erp_adapters.netsuite.writing import GOODS_RECORDS, Writes, code_of, kept_in
from hub.errors import Rejected
from hub.model.documents import MASTER_KINDS, Document, DocumentKind
from hub.model.intents import Outcome, Probe, ReadBack, Write
from hub.model.statement import ErpRow
from hub.ports import ErpConfig, InUse, Looked
from mappings.netsuite.fields import Fields
from mappings.netsuite.reading import read_back

SETTLE_S: Final = 900  # a request may run for 15 minutes (vendor)


class NetSuiteAdapter:
    """One NetSuite account."""

    settle_s = SETTLE_S

    def __init__(self, config: ErpConfig, nonce: Nonce) -> None:
        """
        Raises:
            Misconfigured: with every fault of the options.
        """
        self.options = options_of(config)
        self.client = Client(config, self.options, nonce)
        self._entities = [entity.slug for entity in config.entities]
        self._config = config
        self._nonce = nonce
        self._directory = AccountDirectory(self.client, self.options, config)
        self._writes = Writes(self.client, self._directory, self.options)

    def close_connections(self) -> None:
        """No connection of this adapter is open any more."""
        self.client.close()

    def check_setup(self, used: InUse) -> Iterator[Looked]:
        """Everything that must be set up before the first document is told, thing by thing; nothing is written.

        Raises:
            AuthExpired: the account let us in, and does so no more.
        """
        return Walk(self.client, self.options, self._config, used, self._nonce).looks()

    # --- documents in ---------------------------------------------------------------------------------------------

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in NetSuite; an outcome a write, in their order. Safe to repeat.

        A write of several requests makes one of them a call; its outcome names the one that comes `then`.

        Raises:
            Retryable, AuthExpired: none of the writes happened.
        """
        return self._writes.put(writes)

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened, looked for in the record service, which shows what was written at once.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return self._writes.probe(writes)

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        """Each document as NetSuite holds it now; None where it holds none.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return [self._read_back(document) for document in documents]

    def statement(self, first: date, last: date) -> Iterator[ErpRow]:
        """The orders, refunds and payments dated in the period, ours or not, voided ones marked; by internal id.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return statement.rows(self.client, self.options, self._entities, first, last)

    def _read_back(self, document: Document) -> ReadBack | None:
        if document.kind in MASTER_KINDS:
            return self._read_master(document)
        try:
            wanted = kept_in(document)
        except Rejected:
            return None
        records = [
            held for kept in wanted if (held := self.client.get(kept.record, eid(kept.key), expand=True)) is not None
        ]
        if not records:
            return None
        currency = self._currency(document, records[0], goods=wanted[-1].record in GOODS_RECORDS)
        return read_back(document, records, len(wanted), currency, self.options.line_field)

    def _read_master(self, document: Document) -> ReadBack | None:
        """A customer or an item: it has no amounts, and is of no day."""
        if document.kind is DocumentKind.ITEM:
            try:
                ref = self._directory.item(code_of(document))
            except Rejected:
                return None
            return ReadBack(document.key, ref, None, 0, 0, document.currency, document.date, len(document.lines), 0)
        if self.options.guests == "one":
            ref = ",".join(sorted(set(self.options.customers.values())))
            return ReadBack(document.key, ref, None, 0, 0, document.currency, document.date, len(document.lines), 0)
        held = self.client.get("customer", eid(document.key))
        if held is None:
            return None
        return read_back(document, [held], 1, document.currency, self.options.line_field)

    def _currency(self, document: Document, record: Fields, *, goods: bool) -> str:
        """The record's currency: the document's where it is the same or the record moves goods alone."""
        said = record.ref("currency")
        if goods or said is None or said.id == self._directory.currency(document.currency):
            return document.currency
        return said.name or said.id
