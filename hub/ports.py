"""The ports: one small protocol an ability. A plugin has the abilities that it has."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, runtime_checkable

from pydantic import SecretStr

from hub.errors import AuthExpired, InDoubt, Misconfigured, Rejected, Retryable
from hub.logs import about
from hub.model.adoption import Claim, ErpDocument
from hub.model.completeness import DayTally, Mark
from hub.model.documents import Document, DocumentKey
from hub.model.intents import Outcome, Probe, ReadBack, Verdict, Write
from hub.model.overlays import Overlays
from hub.model.postings import ErpPosting
from hub.model.problems import Problem
from hub.model.records import Received, Record, Translation
from hub.model.statement import ChannelRow, ErpRow

if TYPE_CHECKING:
    import httpx

HIDDEN: Final = "…"  # in place of personal data

Secrets = Callable[[str], SecretStr]
"""A secret by the connector's own name for it, read when it is asked for; Misconfigured where there is none."""


class Vault(Protocol):
    """Keeps what a far side hands out and changes (tokens), encrypted, from one process to the next."""

    def get(self, name: str) -> SecretStr | None:
        """What was put last; None: nothing was."""

    def put(self, name: str, content: SecretStr) -> None:
        """The content is on disk, encrypted."""

    def turn(self, name: str) -> AbstractContextManager[None]:
        """While the block runs, no other thread or process has its turn with this name."""


def _no_secret(name: str) -> NoReturn:
    raise Misconfigured(f"this plugin was opened without secrets: {name}")


def _no_clock() -> NoReturn:
    raise Misconfigured("this plugin was opened without a clock")


def _no_sleep(_seconds: float) -> NoReturn:
    raise Misconfigured("this plugin was opened without leave to wait")


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What a connector needs to know of its channel; below the time zone, what a live one needs."""

    slug: str
    entity: str
    currency: str
    timezone: str  # of the entity: where the days of a statement are
    address: str | None = None  # base URL of the shop; None: files only
    options: Mapping[str, Any] = field(default_factory=dict)  # the connector's own settings, validated by it
    overlays: Overlays = field(default_factory=dict)  # the merchant's own fields, for the mapping
    is_told: bool = False  # of what the ERP ships and calls off
    secrets: Secrets = field(default=_no_secret, repr=False)
    clock: Callable[[], datetime] = field(default=_no_clock, repr=False)
    sleep: Callable[[float], None] = field(default=_no_sleep, repr=False)
    vault: Vault | None = field(default=None, repr=False)
    transport: "httpx.BaseTransport | None" = field(default=None, repr=False)  # None: the network; else a rehearsal's


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a file that cannot even be cut out; `path` locates it in the file."""

    problem: Problem


# --- channels ------------------------------------------------------------------------------------------------------


@runtime_checkable
class Translates(Protocol):
    def translate(self, record: Record) -> Translation:
        """The record as facts.

        Raises:
            Untranslatable: with every fault found.
        """


@runtime_checkable
class ReadsFiles(Protocol):
    def read_file(self, content: bytes, received_at: datetime) -> Iterator[Received | Unreadable]:
        """The records of one file, in its order; a fault in one does not stop the next."""


@runtime_checkable
class StatesFromFile(Protocol):
    def statement_from_file(self, content: bytes) -> Iterator[ChannelRow | Unreadable]:
        """What the channel's own export says, one row a subject, of all periods in it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came."""

    headers: Mapping[str, str]  # lower-case names
    body: bytes
    received_at: datetime


@runtime_checkable
class Accepts(Protocol):
    def accept(self, delivery: Delivery) -> Received:
        """The delivery as a record, its seal checked on the raw body before anything is read; nothing is parsed.

        The web door calls it between two requests: it asks no network. Where the system stamps its deliveries, one
        that is too old or from the future is Forged too; Shopify's seal covers no time, so there is no such window.

        Raises:
            Forged: the seal is missing or wrong, or it is another shop's.
        """


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a stream: its records are committed together with the cursor."""

    received: tuple[Received, ...]
    cursor: str  # where the next fetch of the stream begins
    more: bool
    unread: tuple[str, ...] = ()  # orders that the channel could not give now: they are read anew by id


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that a channel is asked for again and again."""

    name: str  # "orders", "fulfillment_orders", "payouts" …
    every_s: int  # the default beat


@runtime_checkable
class Fetches(Protocol):
    streams: tuple[Stream, ...]

    def fetch(self, stream: str, cursor: str | None, since: datetime | None = None) -> Iterator[Page]:
        """What changed since the cursor, page by page; the last page has more=False.

        The cursor it leaves is the latest change seen minus an overlap, never the time of day.

        Args:
            cursor: of the page committed last; None: from `since`, else from the channel's beginning.
        """


@runtime_checkable
class FetchesOrders(Protocol):
    def fetch_orders(self, ids: Sequence[str]) -> Iterator[Received]:
        """Each order, whole; one that the shop does not know comes as the record of its deletion."""


@runtime_checkable
class Backfills(Protocol):
    def backfill(self, since: datetime, cursor: str | None) -> Iterator[Page]:
        """Everything changed since then, by the channel's way for much at once; ends with more=False."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many orders the channel says it holds of a period."""

    orders: int
    exact: bool  # False: at least so many


@runtime_checkable
class StatesPeriod(Protocol):
    def statement(self, first: date, last: date) -> Iterator[ChannelRow | Unreadable]:
        """What the channel says now of the subjects dated in the period, read anew."""

    def count(self, first: date, last: date) -> Count:
        """The channel's own count of orders placed in the period."""


@runtime_checkable
class ListsPlaced(Protocol):
    listed_at_once: int
    """Orders that one call of `placed` brings: so few are listed rather than counted by the hour."""

    def count_placed(self, begin: datetime, end: datetime) -> Count:
        """The channel's own count of orders placed from `begin` to before `end`, tests left out."""

    def placed(self, begin: datetime, end: datetime) -> Iterator[Mark]:
        """Each of them by id, with what it came to as placed; no more is asked of the channel than that."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """How a channel's webhooks stood, and stand now."""

    kept: tuple[str, ...]  # topics that were subscribed as they must be
    registered: tuple[str, ...]  # were missing, or went elsewhere, and are registered again
    problems: tuple[Problem, ...] = ()  # topics that the channel refused


@runtime_checkable
class KeepsSubscriptions(Protocol):
    def subscriptions(self, callback: str) -> Subscriptions:
        """Every topic that the connector accepts is delivered to the callback URL."""


@runtime_checkable
class Checks(Protocol):
    def check(self) -> Iterator[Problem]:
        """What is wrong with credentials, scopes, access and version, each with what to do."""


# --- ERPs ----------------------------------------------------------------------------------------------------------


@runtime_checkable
class PutsDocuments(Protocol):
    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is so in the ERP; an outcome a write, in their order. Safe to repeat.

        Raises:
            InDoubt: no answer; any of the writes may have happened.
        """


def put_each(put: Callable[[Write], Outcome], writes: Sequence[Write]) -> list[Outcome]:
    """What became of each write, told one by one; what comes after one that could not be sent is not sent either.

    Raises:
        Retryable, AuthExpired: none of the writes happened.
    """
    outcomes: list[Outcome] = []
    for write in writes:
        try:
            with about(document=write.document.key):
                outcomes.append(put(write))
        except Rejected as refusal:
            outcomes.append(_rejected(refusal, write))
        except InDoubt:
            outcomes.append(Outcome(Verdict.IN_DOUBT))
        except (Retryable, AuthExpired):
            if not outcomes:
                raise
            return outcomes + [Outcome(Verdict.UNSENT)] * (len(writes) - len(outcomes))
    return outcomes


def _rejected(refusal: Rejected, write: Write) -> Outcome:
    """What the far side says may repeat what it was told: personal data is left out, which would stay in a refusal."""
    code, field, remedy = refusal.code, refusal.field, refusal.remedy
    for party in write.parties:
        said = (party.name, party.company, party.email, party.phone, *party.address, party.postcode)
        for text in sorted((text for text in said if text), key=len, reverse=True):
            field, remedy = field.replace(text, HIDDEN), remedy.replace(text, HIDDEN)
    return Outcome(Verdict.REJECTED, None, code, field, remedy)


@runtime_checkable
class ProbesDocuments(Protocol):
    settle_s: int

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        """Whether each write has happened, found by its key."""


@runtime_checkable
class BoundsCalls(Protocol):
    call_s_max: int
    """How long one call of `put`, `probe` or `read_back` may take, all its requests and waits together."""


@runtime_checkable
class ReadsBack(Protocol):
    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        """Each document as the ERP holds it now, found by its key; None where it holds none.

        Amounts and the number of lines are in the terms of the document, which says how the ERP was told of it.
        """


@runtime_checkable
class ErasesParties(Protocol):
    def erase(self, customers: Sequence[DocumentKey]) -> int:
        """The personal data of these customers is gone from the ERP, what they owe stays; how many had any."""

    def scrub(self) -> bool:
        """What was erased is not on its disk either; False: not yet, try again later."""


@runtime_checkable
class StatesDocuments(Protocol):
    def statement(self, first: date, last: date) -> Iterator[ErpRow]:
        """All documents of the population dated in the period, ours or not, voided ones marked."""


@runtime_checkable
class TalliesDocuments(Protocol):
    def tally(self, first: date, last: date) -> Iterator[DayTally]:
        """How many orders the ERP holds of each day in the period, by channel and currency, and their sum.

        A sum that is not the statement's costs a closer look and no more.
        """


@runtime_checkable
class StatesPostings(Protocol):
    together: Mapping[str, str]
    """Accounts of the hub's chart that the ERP keeps on another one of it: {"2400": "1100"}; empty: none."""

    def postings(self, first: date, last: date) -> Iterator[ErpPosting]:
        """What stands in the general ledger on these days, all of it, ours or not; what sums to zero may be left out.

        A document's sub-accounts may be left out (`1200` for `1200:card`): then the account is compared as one.
        """


@runtime_checkable
class Adopts(Protocol):
    def documents(self, first: date, last: date) -> Iterator[ErpDocument]:
        """Every document of an order dated in the period, whoever made it; voided ones left out."""

    def adopt(self, claims: Sequence[Claim]) -> list[Outcome]:
        """Each document carries our key, as if the hub had made it; an outcome a claim. Safe to repeat.

        Rejected: it is gone, it carries another key than when it was read, or another document carries ours.
        """


@runtime_checkable
class StatesChanges(Protocol):
    def changes(self, since: str | None) -> Iterator[Page]:
        """What happened in the ERP after a cursor, in the order of its commits; None: from the beginning.

        The records have the ERP's slug as their channel, so the ERP's adapter translates them. What the hub wrote is
        no change, but what it did to stock is. A thing that changed twice may be told once, as it stands now; one that
        was committed is never passed over.
        """


@runtime_checkable
class KeepsPeriods(Protocol):
    def closed_until(self, entity: str) -> date | None:
        """The last day that is closed; None: nothing is."""

    def close(self, entity: str, period: str) -> None: ...

    def open(self, entity: str, period: str) -> None: ...


@runtime_checkable
class KeepsBooks(Protocol):
    """Dicts with JSON-ready values; their keys stand in the docstring of the class that has the ability."""

    def accounts(self) -> list[dict[str, Any]]: ...

    def trial_balance(self, until: date | None = None) -> list[dict[str, Any]]: ...

    def journal(self, first: date | None = None, last: date | None = None) -> Iterator[dict[str, Any]]: ...

    def ageing(self, on: date) -> list[dict[str, Any]]: ...

    def export(self, form: str) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What one document put on an account of cost of goods sold, of one item."""

    entity: str
    account: str
    document: str | None  # the document's key; None: typed in by hand
    ref: str  # the ERP's own id
    kind: str
    channel: str | None
    order: str | None  # the channel's order id; None: of no order
    item: str | None  # None: the document moved no stock
    functional_minor: int  # + is a debit


@runtime_checkable
class StatesCosts(Protocol):
    def costs(self, first: date, last: date) -> Iterator[Cost]:
        """What goods sold cost, by posted entries of these days; by account they sum to what the account moved."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a write, as it would be made."""

    method: str
    path: str  # below the address, with its query
    body: str | None  # the very text that would be sent; None: none
    note: str | None = None  # what stands in it for something that only the far side knows, once it is told


@dataclass(frozen=True, slots=True)
class Draft:
    """What a write would be; a problem: what keeps it from being written, after the requests that would be made."""

    requests: tuple[Request, ...] = ()
    problem: Problem | None = None


@runtime_checkable
class Drafts(Protocol):
    def draft(self, writes: Sequence[Write]) -> list[Draft]:
        """The requests that `put` would make, a draft a write, each as if those before it were done.

        Nothing is written.

        Raises:
            Retryable, AuthExpired: what they are made of could not be read.
        """


@dataclass(frozen=True, slots=True)
class InUse:
    """What the hub names when it tells an ERP something, by configuration, price list and crosswalks of today."""

    items: frozenset[str] = frozenset()  # codes
    locations: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()  # of payment
    ship_methods: frozenset[str] = frozenset()
    tax_codes: frozenset[str] = frozenset()
    customer_classes: frozenset[str] = frozenset()
    currencies: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()  # beside the usual one of each role: numbers that crosswalks choose
    channels: tuple[str, ...] = ()
    on_delivery: tuple[str, ...] = ()  # of the channels, those whose sales become revenue when they are delivered
    sold_to: Mapping[str, str] = field(default_factory=dict)  # component, allowance or fee_kept -> account of the books


@dataclass(frozen=True, slots=True)
class Looked:
    """One thing of a far side's set-up that was looked at; neither problem nor note: it is well."""

    what: str
    problems: tuple[Problem, ...] = ()  # each with what to do
    note: str | None = None  # what could not be seen, or is for a person to judge


@runtime_checkable
class ChecksSetup(Protocol):
    def check_setup(self, used: InUse) -> Iterator[Looked]:
        """Everything that must be set up before the first document is told, thing by thing; nothing is written."""


# --- plugins -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EntityConfig:
    slug: str
    functional: str  # currency
    timezone: str


@dataclass(frozen=True, slots=True)
class ErpConfig:
    slug: str
    database_url: str  # of the ERP's own store, where it has one here
    entities: tuple[EntityConfig, ...]
    chart: dict[str, Any]  # the parsed chart of accounts
    policies: dict[str, Any]  # the parsed policies
    address: str | None = None  # base URL of its service; None: it has none
    options: Mapping[str, Any] = field(default_factory=dict)  # the adapter's own settings, validated by it
    secrets: Secrets = field(default=_no_secret, repr=False)
    clock: Callable[[], datetime] = field(default=_no_clock, repr=False)
    sleep: Callable[[float], None] = field(default=_no_sleep, repr=False)
    vault: Vault | None = field(default=None, repr=False)
    transport: "httpx.BaseTransport | None" = field(default=None, repr=False)  # None: the network; else a rehearsal's


@dataclass(frozen=True, slots=True)
class ConnectorPlugin:
    """What a connector package exports as PLUGIN."""

    system: str
    connect: Callable[[ChannelConfig], Any]  # its abilities are found with isinstance against the ports


@dataclass(frozen=True, slots=True)
class ErpPlugin:
    """What an ERP adapter package exports as PLUGIN."""

    system: str
    connect: Callable[[ErpConfig], Any]
