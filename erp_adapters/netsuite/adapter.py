"""NetSuite's abilities: documents in, probes, read-backs, statements, postings, changes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from erp_adapters.netsuite import postings, statement
from erp_adapters.netsuite.auth import Nonce
from erp_adapters.netsuite.changes import Changes
from erp_adapters.netsuite.checking import Walk
from erp_adapters.netsuite.client import ANSWER_S, Client
from erp_adapters.netsuite.directory import AccountDirectory
from erp_adapters.netsuite.drafting import DraftClient, drafts
from erp_adapters.netsuite.options import options_of
from erp_adapters.netsuite.reading import Reads
from erp_adapters.netsuite.writing import Writes
from hub.model.completeness import DayTally
from hub.model.documents import Document
from hub.model.intents import Outcome, Probe, ReadBack, Write
from hub.model.postings import ErpPosting
from hub.model.records import Record, Translation
from hub.model.statement import ErpRow
from hub.ports import Draft, ErpConfig, InUse, Looked, Page
from mappings.netsuite.changes import translate
from mappings.netsuite.postings import chart_map

CALL_S_MAX: Final = int(4 * ANSWER_S)  # a write, what it reads before, and the look at a key that was taken
SETTLE_S: Final = 900  # a request may run for 15 minutes (vendor)


class NetSuiteAdapter:
    """One NetSuite account."""

    settle_s = SETTLE_S
    call_s_max = CALL_S_MAX

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
        self._chart = chart_map(self._directory.numbers, self.options.accounts)
        self._reads = Reads(self.client, self._directory, self.options)
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

    def draft(self, writes: Sequence[Write]) -> list[Draft]:
        """The requests that `put` would make, by the same functions; what they are made of is read, nothing is written.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        client = DraftClient(self._config, self.options, self._nonce)
        try:
            return drafts(client, Writes(client, self._directory, self.options), writes)
        finally:
            client.close()

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
        return self._reads.read_back(documents)

    def statement(self, first: date, last: date) -> Iterator[ErpRow]:
        """The orders, refunds and payments dated in the period, ours or not, voided ones marked; by internal id.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return statement.rows(self.client, self.options, self._entities, first, last)

    def tally(self, first: date, last: date) -> Iterator[DayTally]:
        """How many orders stand of each day in the period, by channel and currency, and their sum.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return statement.tally(self.client, first, last)

    @property
    def together(self) -> Mapping[str, str]:
        """Accounts of the hub's that `options.accounts` keeps on another one."""
        return self._chart.together

    def postings(self, first: date, last: date) -> Iterator[ErpPosting]:
        """What stands in the general ledger on these days, ours or not; sub-accounts are one with their account.

        Raises:
            Retryable, AuthExpired: nobody could look.
        """
        return postings.rows(self.client, self.options, self._chart, self._config.entities, first, last)

    # --- changes out --------------------------------------------------------------------------------------------------

    def changes(self, since: str | None) -> Iterator[Page]:
        """What people did to orders of ours after a cursor, and every stock level that moved; by time of change.

        Raises:
            Misconfigured: the cursor is none of this adapter's.
            Retryable, AuthExpired: nobody could look.
        """
        config = self._config
        return Changes(self.client, self.options, config.entities, config.slug, config.clock()).pages(since)

    def translate(self, record: Record) -> Translation:
        """A record of `changes` as facts and stock levels.

        Raises:
            Untranslatable: with every fault found.
        """
        return translate(record, {theirs: hub for hub, theirs in self.options.locations.items()})
