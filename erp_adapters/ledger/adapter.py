"""The ledger's abilities: documents in, probes, read-backs, changes, statements, periods, books."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, InternalError, OperationalError

from erp_adapters.ledger import adoption, schema
from erp_adapters.ledger.changes import pages
from erp_adapters.ledger.documents import ref_of
from erp_adapters.ledger.export import export_lines
from erp_adapters.ledger.journal import Batch, Books, Operation
from erp_adapters.ledger.periods import first_day, last_day
from erp_adapters.ledger.reports import accounts, ageing, costs, journal, postings, trial_balance
from erp_adapters.ledger.statement import ROW_KINDS, erp_row
from hub.books import Chart, Policy
from hub.errors import InDoubt, Misconfigured, Retryable
from hub.model.adoption import Claim, ErpDocument
from hub.model.completeness import DayTally
from hub.model.documents import Document, DocumentKey, DocumentKind, content_of
from hub.model.intents import Action, Found, Outcome, Probe, ReadBack, Verdict, Write
from hub.model.postings import ErpPosting
from hub.model.records import Record, Translation
from hub.model.statement import ErpRow
from hub.ports import Cost, Draft, ErpConfig, Page, Request
from mappings.ledger import translate

Clock = Callable[[], datetime.datetime]

ROWS_AT_ONCE: Final = 1000  # fetched from the database
KEYS_AT_ONCE: Final = 5000  # looked for in one query
BUSY_S: Final = 2.0  # until a ledger that could not be reached is tried again


class LedgerAdapter:
    """The reference ledger.

    `accounts` gives id, number, name, type, role. `trial_balance` gives entity, account, name, type, currency,
    debit_minor, credit_minor (one of them zero), balance_minor, functional, functional_minor. `journal` gives entry,
    cause, reverses, date, original_date, entity, memo, document (key), ref, kind, channel, order, reference and
    postings (account, amount_minor, currency, functional_minor). `ageing` gives entity, customer, name, channel, order,
    reference, currency, oldest, buckets ("0-30", "31-60", "61-90", "over 90"), credit_minor and total_minor.
    """

    together: Mapping[str, str] = MappingProxyType({})  # it has the hub's own chart
    settle_s = 0  # a write is done or undone when its call ends

    def __init__(self, config: ErpConfig, now: Clock) -> None:
        self._now = now
        self._slug = config.slug
        self._timezones = {entity.slug: entity.timezone for entity in config.entities}
        self._functional = {entity.slug: entity.functional for entity in config.entities}
        try:
            self._books = Books(Chart.parse(config.chart), Policy.parse(config.policies), self._functional)
        except ValueError as fault:
            raise Misconfigured(f"the books of {config.slug}: {fault}") from None
        self._accounts: set[str] = set()
        self.engine = schema.open_engine(config.database_url)

    def close_connections(self) -> None:
        """No connection of this adapter is open any more."""
        self.engine.dispose()

    # --- documents in ---------------------------------------------------------------------------------------------

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in the ledger; an outcome a write, in their order. A refused one hurts no other.

        Raises:
            InDoubt: the commit got no answer.
            Retryable: the database could not be reached, or was busy; nothing was written.
        """
        return self.keep([operation_of(write) for write in writes])

    def draft(self, writes: Sequence[Write]) -> list[Draft]:
        """The documents that `put` would be handed: the ledger takes them as they are, by their keys."""
        return [Draft((_request(write.action, write.document),)) for write in writes]

    def keep(self, operations: Sequence[Operation]) -> list[Outcome]:
        """As `put`; an operation may also be a person's."""
        if not operations:
            return []
        try:
            return self._keep(operations)
        except (IntegrityError, DataError, InternalError, ValueError) as refusal:
            if self._accounts:  # perhaps the database was restored under us and they are not there
                self._accounts = set()
                return self.keep(operations)
            # The database itself refused something: one by one, so that it is that one alone.
            if len(operations) > 1:
                return [outcome for operation in operations for outcome in self.keep([operation])]
            return [_refused_by_database(refusal)]

    def _keep(self, operations: Sequence[Operation]) -> list[Outcome]:
        with self.engine.connect().execution_options(writes=True) as connection:
            try:
                transaction = connection.begin()
                batch = Batch(connection, self._books, self._now(), self._accounts)
                outcomes = batch.keep(operations)
            except (OperationalError, InterfaceError) as fault:
                raise Retryable(f"the ledger's database: {fault.orig}", BUSY_S) from fault
            try:
                transaction.commit()
            except (OperationalError, InterfaceError) as fault:
                raise InDoubt(f"the ledger's commit got no answer: {fault.orig}") from fault
        self._accounts |= batch.opened
        return outcomes

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened: created, standing at this revision, or gone."""
        held = self.held([write.document.key for write in writes])
        probes = []
        for write in writes:
            found = held.get(write.document.key)
            match write.action:
                case Action.CREATE:
                    done = found is not None
                case Action.AMEND:
                    done = found is not None and not found.voided and found.revision == write.revision
                case Action.VOID:
                    done = found is None or found.voided
            ref = found.ref if found else None
            probes.append(Probe(Found.DONE, ref) if done else Probe(Found.ABSENT))
        return probes

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        """Each document as the ledger holds it now; None where it holds none."""
        held = self.held([document.key for document in documents])
        return [held.get(document.key) for document in documents]

    def held(self, keys: Sequence[DocumentKey]) -> dict[str, ReadBack]:
        """Of these documents those that the ledger holds, as it holds them now.

        Raises:
            Retryable: the database could not be reached, or was busy.
        """
        held: dict[str, ReadBack] = {}
        with self._reading() as connection:
            for first in range(0, len(keys), KEYS_AT_ONCE):
                some = keys[first : first + KEYS_AT_ONCE]
                for row in connection.execute(select(*_READ).where(schema.document.c.key.in_(some))):
                    held[row.key] = _read_back(row)
        return held

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection to read on.

        Raises:
            Retryable: the database could not be reached, or was busy.
        """
        with _reached(), self.engine.connect() as connection:
            yield connection

    # --- changes ---------------------------------------------------------------------------------------------------

    def changes(self, since: str | None) -> Iterator[Page]:
        """What people did, and what moved stock, after a cursor; at least one page, though it be empty.

        Raises:
            Misconfigured: the cursor is none that this gave.
        """
        with _reached():
            yield from pages(self.engine, self._slug, self._timezones, since, self._now())

    def translate(self, record: Record) -> Translation:
        """A record of `changes` as facts and stock levels.

        Raises:
            Untranslatable: with every fault found.
        """
        return translate(record)

    def erase(self, customers: Sequence[DocumentKey]) -> int:
        """The names of these customers are gone; their documents and what they owe stay. How many had one."""
        customer = schema.customer
        erased = 0
        with schema.write(self.engine) as connection:
            schema.overwrite(connection)
            for first in range(0, len(customers), KEYS_AT_ONCE):
                some = customers[first : first + KEYS_AT_ONCE]
                found = update(customer).where(customer.c.key.in_(some), customer.c.name.is_not(None))
                erased += connection.execute(found.values(name=None)).rowcount
        return erased

    def scrub(self) -> bool:
        """What was erased is not in the ledger's files either; False: somebody was reading."""
        return schema.scrub(self.engine)

    # --- statements ------------------------------------------------------------------------------------------------

    def statement(self, first: datetime.date, last: datetime.date) -> Iterator[ErpRow]:
        """The orders, refunds and payments dated in the period, ours or not, voided ones marked; by number."""
        document = schema.document
        rows = (
            select(document)
            .where(document.c.kind.in_(ROW_KINDS), document.c.date.between(first, last))
            .order_by(document.c.id)
        )
        with (
            self._reading() as connection,
            connection.execution_options(yield_per=ROWS_AT_ONCE).execute(rows) as found,
        ):
            for row in found:
                yield erp_row(row)

    def tally(self, first: datetime.date, last: datetime.date) -> Iterator[DayTally]:
        """How many orders stand of each day in the period, by channel and currency, and their sum."""
        document = schema.document
        cell = (document.c.channel, document.c.date, document.c.currency)
        query = (
            select(*cell, func.count(), func.sum(document.c.total_minor))
            .where(
                document.c.kind == DocumentKind.SALES_ORDER,
                document.c.date.between(first, last),
                document.c.voided.is_(False),
            )
            .group_by(*cell)
            .order_by(*cell)
        )
        with self._reading() as connection:
            for channel, day, currency, orders, total in connection.execute(query).all():
                yield DayTally(channel or "", day, currency, orders, int(total))

    def documents(self, first: datetime.date, last: datetime.date) -> Iterator[ErpDocument]:
        """Every document of an order dated in the period, whoever made it; voided ones left out; by number."""
        with self.engine.connect().execution_options(yield_per=ROWS_AT_ONCE) as connection:
            yield from adoption.documents(connection, first, last)

    def adopt(self, claims: Sequence[Claim]) -> list[Outcome]:
        """Each document carries our key, an outcome a claim; rejected: gone, other_key, key_taken. Safe to repeat."""
        if not claims:
            return []
        with schema.write(self.engine) as connection:
            return adoption.adopt(connection, claims, self._now())

    # --- periods ---------------------------------------------------------------------------------------------------

    def closed_until(self, entity: str) -> datetime.date | None:
        """The last day of the last period that is closed; None: nothing is."""
        period = schema.period
        with self.engine.connect() as connection:
            closed = connection.scalars(select(period.c.period).where(period.c.entity == entity, period.c.closed))
            latest = max(closed, default=None)
        return None if latest is None else last_day(latest)

    def close(self, entity: str, period: str) -> None:
        """Nothing can be posted into the period any more."""
        self._set_period(entity, period, closed=True)

    def open(self, entity: str, period: str) -> None:
        """The period can be posted into again."""
        self._set_period(entity, period, closed=False)

    def _set_period(self, entity: str, name: str, *, closed: bool) -> None:
        first_day(name)
        if entity not in self._functional:
            raise Misconfigured(f"no entity {entity!r}; there are {', '.join(self._functional)}")
        period = schema.period
        with schema.write(self.engine) as connection:
            schema.take_turn(connection)
            statement = update(period).where(period.c.entity == entity, period.c.period == name)
            if not connection.execute(statement.values(closed=closed)).rowcount:
                connection.execute(insert(period).values(entity=entity, period=name, closed=closed))

    # --- books -----------------------------------------------------------------------------------------------------

    def accounts(self) -> list[dict[str, Any]]:
        """The chart's accounts and the sub-accounts opened so far."""
        with self.engine.connect() as connection:
            return accounts(connection, self._books.chart)

    def trial_balance(self, until: datetime.date | None = None) -> list[dict[str, Any]]:
        """Each account's balance by entity and currency; the balances of a currency sum to zero."""
        with self.engine.connect() as connection:
            return trial_balance(connection, until)

    def journal(
        self, first: datetime.date | None = None, last: datetime.date | None = None
    ) -> Iterator[dict[str, Any]]:
        """The posted entries dated in the period, in the order they were posted."""
        with self.engine.connect() as connection:
            yield from journal(connection, first, last)

    def costs(self, first: datetime.date, last: datetime.date) -> Iterator[Cost]:
        """What goods sold cost by document and item; a document's cost is split by the cost that it moved of each."""
        with self.engine.connect() as connection:
            yield from costs(connection, first, last)

    def postings(self, first: datetime.date, last: datetime.date) -> Iterator[ErpPosting]:
        """What each document stands for on each account, by posted entries of these days, whoever made it."""
        with self._reading() as connection:
            yield from postings(connection, first, last)

    def ageing(self, on: datetime.date) -> list[dict[str, Any]]:
        """What customers owe on a day, by order, the oldest debts paid first."""
        with self.engine.connect() as connection:
            return ageing(connection, self._books.chart, on)

    def export(self, form: str) -> Iterable[str]:
        """The journal in lines: `beancount`, `csv` or `json` (one entry a line).

        Raises:
            ValueError: another form.
        """
        return export_lines(form, self.journal(), self.accounts(), self._functional)


_READ: Final = [
    schema.document.c[name]
    for name in (
        "id", "key", "kind", "revision", "total_minor", "tax_minor", "currency", "date", "lines", "version", "voided",
    )
]  # fmt: skip


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as fault:
        raise Retryable(f"the ledger's database: {fault.orig}", BUSY_S) from fault


def operation_of(write: Write) -> Operation:
    """What the hub asks for, as the ledger takes it: of the personal data only the customer's name."""
    who = write.party(write.document.party)
    return Operation(write.action, write.document, write.revision, name=(who.name or who.company) if who else None)


def _request(action: Action, document: Document) -> Request:
    return Request(action.value, f"{document.kind}/{document.key}", content_of(document).decode())


def _read_back(x: Any) -> ReadBack:
    return ReadBack(
        DocumentKey(x.key or ""),
        ref_of(x.kind, x.id),
        x.revision,
        x.total_minor,
        x.tax_minor,
        x.currency,
        x.date,
        x.lines,
        x.version,
        x.voided,
    )


_BY_TRIGGER: Final = {
    "ledger: unbalanced entry": ("unbalanced", "lines", "correct the document's amounts"),
    "ledger: closed period": ("closed_period", "date", "date it in an open period, or open that one"),
}


def _refused_by_database(refusal: Exception) -> Outcome:
    said = str(getattr(refusal, "orig", refusal)).splitlines()[0]
    for words, (code, field, remedy) in _BY_TRIGGER.items():
        if words in said:
            return Outcome(Verdict.REJECTED, None, code, field, remedy)
    return Outcome(Verdict.REJECTED, None, "unstorable", "document", f"correct what the database refused: {said}")
