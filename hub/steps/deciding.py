"""One order's way through fold, hold, plan and decide, and the rows that come of it; reads no clock, no network."""

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import Misconfigured, Untranslatable
from hub.flow.decide import NOTHING, decide, standing
from hub.flow.fold import FactSet, events, fold, winners
from hub.flow.hold import holds, late
from hub.flow.plan import plan
from hub.flow.tell import refund_due, tell, untold
from hub.flow.terms import Item, Terms
from hub.flow.urgency import urgent_by
from hub.model.crosswalk import CrosswalkRow
from hub.model.decisions import Decision, Hold, HoldCode, Intent
from hub.model.documents import (
    DOCUMENT,
    Component,
    Document,
    DocumentKey,
    DocumentKind,
    DocumentLine,
    Rate,
    content_of,
    document_key,
    revision_of,
)
from hub.model.entries import entry_content
from hub.model.facts import Fact, FactKind
from hub.model.frozen import frozen
from hub.model.intents import Action, StepState
from hub.model.money import format_minor
from hub.model.order import OrderKey, PartyRef
from hub.model.records import Record
from hub.model.state import Commercial, Event, OrderState
from hub.ports import KeepsPeriods
from hub.settings import Ships
from hub.steps.hub import Hub, OpenChannel
from hub.store import credit
from hub.store.orders import ERP_TARGET, Changes, Known
from hub.store.schema import stamp
from hub.store.sending import NO_ORDER, NOT_TOLD, OF_SENDING, REJECTED

log = logging.getLogger(__name__)

POSTED: Final = "posted"
PLANNED: Final = StepState.PLANNED.value
STEP_NAME: Final = "put"  # an adapter that needs several steps a document declares them; the ledger needs one
CHAINED: Final = (
    "channel",
    "order_id",
    "seq",
    "kind",
    "fact_kind",
    "fact_id",
    "occurred_at",
    "recorded_at",
    "amount_minor",
    "fact_hash",
)
"""What an event's hash covers, beside the hash before it."""

_chained_values: Final = itemgetter(*CHAINED)

BEFORE_PLACING: Final = frozenset({HoldCode.PRICE_OFF_LIST, HoldCode.PAYMENT_NOT_CAPTURED, HoldCode.EDIT_WINDOW})
"""Holds that guard the ERP from an order; one that was adopted stands there already."""

MASTERS_DATE: Final = date(1970, 1, 1)
"""Customers and items are of no period: whichever order names one first, its document is the same."""

_UNKNOWN: Final = fold(OrderKey("", ""), FactSet())
"""The state of an order of which nothing can be told."""

_INDEX: Final = re.compile(r"\[\d+\]")


@frozen
class NewFact:
    """A fact that a record brought, ready to be stored."""

    fact: Fact
    content: bytes
    hash: str
    modified_at: str  # stamped
    record_id: int
    recorded_at: str

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """What tells it from other versions and other facts of its order."""
        return self.fact.kind, self.fact.external_id, self.hash, self.modified_at, self.fact.source


@dataclass(slots=True)
class DecidedOrder:
    """One order, folded and decided; `add_to` turns it into rows."""

    key: OrderKey
    channel: OpenChannel
    terms: Terms
    known: Known
    new: list[NewFact]
    now: datetime
    credit_minor: int  # what it takes of its customer's: as before, until the store has disposed of it
    state: OrderState
    columns: dict[str, Any] = field(default_factory=dict)  # of its row, as the state has them
    happened: list[tuple[Event, str]] = field(default_factory=list)  # with the hash of the fact that made it
    posting: str = POSTED
    holds: list[Hold] = field(default_factory=list)
    decision: Decision = NOTHING
    telling: Decision = NOTHING  # what the channel is told: held by nothing
    reports: list[Hold] = field(default_factory=list)  # what a person should know; it holds nothing
    fault: str | None = None  # why it was put aside
    masters: dict[DocumentKey, Document] = field(default_factory=dict)

    @property
    def customer(self) -> DocumentKey | None:
        """The key of the ERP's customer; None while the order itself is unknown."""
        return self.terms.customer(self.key, self.state.snapshot) if self.state.snapshot else None

    @property
    def credit_freed(self) -> bool:
        """Whether it takes less of its customer's credit than before."""
        return self.credit_minor < self.known.credit_minor

    def add_to(self, changes: Changes) -> None:
        key, now = self.key, stamp(self.now)
        changes.facts.extend(_fact_rows(self))
        chain, seq = self.known.chain, self.known.events
        for happening, fact_hash in self.happened:
            seq += 1
            row = _event_row(key, seq, happening, fact_hash, now)
            chain = chained(chain, row)
            row["hash"] = chain
            changes.events.append(row)
        row = _order_row(self, seq, chain, now)
        if self.known.version:
            changes.changed_orders.append(
                {"at_channel": key.channel, "at_order": key.external_id, "was": self.known.version, **row}
            )
        else:
            changes.new_orders.append({"channel": key.channel, "order_id": key.external_id, **row})
        for decision, target in ((self.decision, ERP_TARGET), (self.telling, key.channel)):
            changes.superseded.extend(self.known.unsent[key] for key in decision.superseded)
            urgent = urgency(self.channel, target, [intent.document for intent in decision.intents], self.state)
            for intent in decision.intents:
                add_intent(changes, key.channel, key.external_id, intent, now, target, urgent)
            if urgent is not None and self.known.version:
                changes.urgent.append(
                    {"at_channel": key.channel, "at_order": key.external_id, "at_target": target, "urgent": urgent}
                )
        _add_exceptions(self, changes, now)


@dataclass(frozen=True, slots=True)
class Adoptable:
    """An order as adoption looks at it."""

    channel: OpenChannel
    state: OrderState
    terms: Terms
    holds: list[Hold]
    planned: list[Document]  # none where it is held

    def intent(self, document: Document) -> Intent:
        """Of one that the ERP has already."""
        return standing(document, self.terms, self.channel.chart, self.channel.policy)


class Decider:
    """Decides the orders of one batch: what they share is looked up once."""

    def __init__(
        self,
        hub: Hub,
        connection: Connection,
        known: Mapping[OrderKey, Known],
        now: datetime,
        proposed: Sequence[CrosswalkRow] = (),
    ) -> None:
        """Args:
        proposed: crosswalk rows beside those in force, for a preview.
        """
        self._hub = hub
        self._proposed = proposed
        self._connection = connection
        self._known = known
        self._now = now
        self._closed: dict[str, date | None] = {}
        self._terms_at_home: dict[str, Terms] = {}  # by channel, for orders in the functional currency

    def order(self, key: OrderKey, new: Sequence[NewFact], *, denied: Sequence[Hold] = ()) -> DecidedOrder:
        """The order with these facts added to those known.

        Args:
            denied: holds that the store decided on, beside those that the order's state gives.
        """
        channel = self._hub.channel(key.channel)
        known = self._known.get(key) or Known()
        decided = DecidedOrder(
            key=key,
            channel=channel,
            terms=self.terms_at_home(channel),
            known=known,
            new=_unseen(new, known),
            now=self._now,
            credit_minor=known.credit_minor,
            state=_UNKNOWN,
        )
        try:
            self._fold(decided)
            self._decide(decided, list(denied))
        except Misconfigured:  # of all orders, not of this one
            raise
        except Exception as fault:  # noqa: BLE001  put aside by name
            # The one order that this program cannot handle is put aside by name; the rest of the batch goes on.
            log.warning("advance.fault", extra={"channel": key.channel, "order": key.external_id, "fault": fault})
            decided.fault = f"{type(fault).__name__}: {fault}"
            decided.columns = decided.columns or _order_columns(channel, decided.state)  # where it does not even fold
            decided.decision = decided.telling = NOTHING
            decided.holds = [
                Hold(
                    HoldCode.FAULT,
                    f"fault:{type(fault).__name__}",
                    decided.fault,
                    "a fault of this program or of the policies: report it with the order's timeline, then retry",
                )
            ]
        return decided

    def planned(self, key: OrderKey) -> tuple[OrderState, list[Document] | None]:
        """The order as its facts fold, and every document that they call for, held or not, on its natural day.

        None for documents: the order itself is unknown, or it is held because it cannot be planned.
        """
        channel = self._hub.channel(key.channel)
        known = self._known.get(key) or Known()
        state = fold(key, winners(known.facts))
        if state.snapshot is None:
            return state, None
        try:
            return state, plan(state, self._terms(channel, state, known))
        except Exception:
            # Holds guard the plan from what it cannot bear; of an order that is held it is only asked for a report.
            if not known.open_exceptions:
                raise
            return state, None

    def adoptable(self, key: OrderKey) -> "Adoptable":
        """The order with every document that its facts call for, on its natural day, and what keeps it from a plan."""
        channel = self._hub.channel(key.channel)
        known = self._known.get(key) or Known()
        state = fold(key, winners(known.facts))
        terms = self._terms(channel, state, known)
        found = holds(state, terms, channel.rules, channel.items, self._now)
        held = [hold for hold in found if hold.code not in BEFORE_PLACING and hold.code.value not in known.released]
        return Adoptable(channel, state, terms, held, [] if held else plan(state, terms))

    def dispose(self, connection: Connection, decided: DecidedOrder) -> DecidedOrder:
        """The order as the store allows it: what orders share is taken here, by conditional updates."""
        rules = self._hub.settings.holds.credit
        snapshot = decided.state.snapshot
        if not rules.on or snapshot is None or not snapshot.business or decided.posting != POSTED:
            return decided
        customer = decided.terms.customer(decided.key, snapshot)
        name = (snapshot.customer.id if snapshot.customer else "").removeprefix("customer-")
        limit = rules.limits_minor.get(name, rules.default_limit_minor)
        if limit is None or HoldCode.CREDIT_LIMIT.value in decided.known.released:
            return decided
        due = 0
        if snapshot.cancelled_at is None and not decided.holds:
            due = max(0, snapshot.computed_total_minor - decided.state.captured_minor)
        if credit.take(connection, customer, due - decided.known.credit_minor, limit):
            decided.credit_minor = due
            return decided
        hold = Hold(
            HoldCode.CREDIT_LIMIT,
            limit_fingerprint(customer),
            f"{format_minor(due, snapshot.currency)} more than the credit limit of "
            f"{format_minor(limit, snapshot.currency)} bears",
            "wait for a payment, raise the limit under holds.credit in config/hub.yaml and retry, or release it",
        )
        return self.order(decided.key, decided.new, denied=[hold])

    def masters(self, decided: Sequence[DecidedOrder], known: set[DocumentKey], changes: Changes) -> None:
        """Customers and items that these orders are the first to name: their intents stand before the orders' own."""
        for one in decided:
            for key, document in one.masters.items():
                if key in known:
                    continue
                known.add(key)
                content = content_of(document)
                revision = revision_of(content)
                intent = Intent(Action.CREATE, document, content, revision, revision, None, one.terms.policy)
                add_intent(changes, one.key.channel, NO_ORDER, intent, stamp(self._now))

    def stub(self, record: Record, error: Untranslatable) -> Iterator[dict[str, Any]]:
        """An order that is known only by a record that does not translate: it is counted all the same."""
        if error.order is None:
            return
        channel = self._hub.channel(record.channel)
        yield {
            "channel": record.channel,
            "order_id": error.order,
            **_order_columns(channel, _UNKNOWN),
            "version": 1,
            "currency": error.currency,
            "claimed_minor": error.claimed_minor,
            "posting": "stub",
            "customer": None,
            "credit_minor": 0,
            "holds": 1,
            "recheck_at": None,
            "events": 0,
            "chain": "0" * 64,
            "folded_at": stamp(self._now),
        }

    def _fold(self, decided: DecidedOrder) -> None:
        """All that the facts say, or nothing of it."""
        key, channel, known = decided.key, decided.channel, decided.known
        before = winners(known.facts)
        after = winners([*known.facts, *(one.fact for one in decided.new)]) if decided.new else before
        decided.happened = _happened(before, after, {id(one.fact): one.hash for one in decided.new})
        state = fold(key, after)
        columns = _order_columns(channel, state)
        terms, posting = self._terms(channel, state, known), _posting(channel, state, known)
        decided.state, decided.columns, decided.terms, decided.posting = state, columns, terms, posting

    def _decide(self, decided: DecidedOrder, denied: list[Hold]) -> None:
        if decided.posting != POSTED:
            return
        channel, state, terms = decided.channel, decided.state, decided.terms
        self._tell(decided)
        found = holds(state, terms, channel.rules, channel.items, self._now) + denied
        if decided.known.posts_from is not None:
            found = [hold for hold in found if hold.code not in BEFORE_PLACING]
        decided.holds = [hold for hold in found if hold.code.value not in decided.known.released]
        if decided.holds:
            return
        planned = _ours(plan(state, terms), decided.known)
        decided.decision = decide(planned, decided.known.decided, terms, channel.chart, channel.policy)
        if HoldCode.CLOSED_PERIOD.value not in decided.known.released:
            decided.holds = late(decided.decision, terms, channel.rules)
        if decided.holds:
            decided.decision = NOTHING
        if decided.decision.intents and planned:
            decided.masters = _masters(decided, planned, self._hub.known_masters)

    def _tell(self, decided: DecidedOrder) -> None:
        """What the channel is told does not wait for a hold: the goods are gone, and the customer asks where."""
        channel, state, known = decided.channel, decided.state, decided.known
        decided.reports += [x for x in refund_due(state, decided.terms) if x.code.value not in known.released]
        if channel.channel.ships is Ships.CHANNEL:  # what was told before it was so configured stands
            decided.reports += [one for one in untold(state) if one.code.value not in known.released]
            unsent = [key for key, held in known.told.items() if not held.sent]
            decided.telling = Decision([], unsent) if unsent else NOTHING
        elif state.commercial is not Commercial.DELETED:
            notices = tell(state, decided.terms)
            if notices or known.told:
                decided.telling = decide(notices, known.told, decided.terms, channel.chart, channel.policy)

    def terms_at_home(self, channel: OpenChannel) -> Terms:
        """The terms of a channel today, for what is in the functional currency."""
        slug = channel.channel.slug
        if slug not in self._terms_at_home:
            crosswalks = self._hub.crosswalks(slug, self._connection, self._proposed)
            self._terms_at_home[slug] = Terms(
                entity=channel.entity.slug,
                functional=channel.entity.currency,
                timezone=channel.timezone,
                recognise_on_delivery=channel.recognise_on_delivery,
                cash_sales=channel.cash_sales,
                policy=f"{channel.policy_version}.{crosswalks.version}",
                crosswalks=crosswalks,
                closed_until=self._closed_until(channel.entity.slug),
            )
        return self._terms_at_home[slug]

    def _terms(self, channel: OpenChannel, state: OrderState, known: Known) -> Terms:
        terms = self.terms_at_home(channel)
        snapshot = state.snapshot
        if snapshot is None or snapshot.currency == terms.functional:
            return terms
        rate = stamped_rate(known)
        if rate is None:
            rate = self._hub.rates.find(snapshot.currency, terms.functional, terms.day(snapshot.placed_at))
        return replace(terms, rate=rate)

    def _closed_until(self, entity: str) -> date | None:
        if entity not in self._closed:
            erp = self._hub.erp
            self._closed[entity] = erp.closed_until(entity) if isinstance(erp, KeepsPeriods) else None
        return self._closed[entity]


def limit_fingerprint(customer: DocumentKey) -> str:
    """The cause that orders beyond this customer's credit limit share."""
    return f"credit_limit:{customer}"


def untranslated(record: Record, error: Untranslatable, now: datetime) -> Iterator[dict[str, Any]]:
    """An exception for a record that does not translate, grouped by where and what its first fault is."""
    first = error.problems[0]
    yield {
        "channel": record.channel,
        "order_id": error.order or f"record-{record.id}",
        "fingerprint": f"untranslatable:{_INDEX.sub('[]', first.path)}: {first.message}"[:200],
        "code": HoldCode.UNTRANSLATABLE.value,
        "message": f"record {record.id}: {error}"[:2000],
        "remedy": "correct it in the channel and import it again",
        "currency": error.currency,
        "amount_minor": error.claimed_minor,
        "opened_at": stamp(now),
    }


def urgency(
    channel: OpenChannel, target: str, documents: Sequence[Document], state: OrderState | None = None
) -> str | None:
    """By when the target must know of these documents, stamped; None: it takes what it gets by age."""
    if not documents or target not in channel.by_urgency:
        return None
    return stamp(urgent_by(documents, state, channel.timezone))


def add_intent(
    changes: Changes,
    channel: str,
    order_id: str,
    intent: Intent,
    now: str,
    target: str = ERP_TARGET,
    urgent: str | None = None,
) -> None:
    """The intent, with what it does to the expected books, and its step; ids count within the batch."""
    number = len(changes.intents)
    document = intent.document
    changes.intents.append(
        {
            "id": number,
            "channel": channel,
            "order_id": order_id,
            "document_key": document.key,
            "kind": str(document.kind),
            "action": str(intent.action),
            "revision": intent.revision,
            "plan_digest": intent.plan_digest,
            "entity": document.entity,
            "currency": document.currency,
            "date": document.date.isoformat(),
            "total_minor": document.total_minor,
            "tax_minor": document.tax_minor,
            "content": intent.content.decode(),
            "entry": None if intent.entry is None else entry_content(intent.entry).decode(),
            "reversal": None if intent.reversal is None else entry_content(intent.reversal).decode(),
            "policy": intent.policy,
            "decided_at": now,
        }
    )
    changes.steps.append(
        {
            "intent_id": number,
            "target": target,
            "name": STEP_NAME,
            "channel": channel,
            "order_id": order_id,
            "state": PLANNED,
            "attempts": 0,
            "urgent_by": urgent,
        }
    )


def chained(before: str, row: Mapping[str, Any]) -> str:
    """The hash of an event: of the one before it and of all that it says."""
    said = "|".join(map(str, _chained_values(row)))
    return sha256(f"{before}|{said}".encode()).hexdigest()


def _unseen(new: Sequence[NewFact], known: Known) -> list[NewFact]:
    seen = set(known.identities)
    unseen = []
    for one in new:
        if one.identity not in seen:
            seen.add(one.identity)
            unseen.append(one)
    return unseen


def _happened(before: FactSet, after: FactSet, hashes: Mapping[int, str]) -> list[tuple[Event, str]]:
    if before is after:
        return []
    return [(event, hashes[id(after[event.fact_kind, event.fact_id])]) for event in events(before, after)]


def _posting(channel: OpenChannel, state: OrderState, known: Known) -> str:
    """Whether the order goes to the ERP at all."""
    if state.snapshot is None:
        return "stub"
    if state.snapshot.test:
        return "test"
    go_live = channel.channel.go_live if known.posts_from is None else None
    if go_live is not None and state.snapshot.placed_at.astimezone(channel.timezone).date() < go_live:
        return "before_go_live"
    return POSTED


def _ours(planned: list[Document], known: Known) -> list[Document]:
    """What of an adopted order is the hub's to keep in step: what was adopted, and what came after."""
    if known.posts_from is None:
        return planned
    return [document for document in planned if document.key in known.decided or document.date >= known.posts_from]


def stamped_rate(known: Known) -> Rate | None:
    """The rate that the order's first documents were decided at: it is stamped once."""
    for held in known.decided.values():
        document: Document = DOCUMENT.validate_json(held.content)
        if document.rate is not None:
            return document.rate
    return None


def _masters(
    decided: DecidedOrder, planned: Sequence[Document], known: Collection[DocumentKey]
) -> dict[DocumentKey, Document]:
    """The customer and the items that the order's documents name, but for those known to stand."""
    terms, channel = decided.terms, decided.channel
    first = planned[0]
    found: dict[DocumentKey, Document] = {}
    if first.customer is not None and first.customer not in known:
        snapshot = decided.state.snapshot
        customer = snapshot.customer if snapshot else None
        if customer is not None and not customer.of_account:
            customer = None  # the one account of all guests is nobody
        master = _master(DocumentKind.CUSTOMER, first.customer, terms.entity, terms.functional, customer)
        if snapshot and (named := terms.customer_class(snapshot, terms.day(snapshot.placed_at))) is not None:
            master = replace(master, customer_class=named)
        found[first.customer] = master
    for code in sorted({line.item for document in planned for line in document.lines if line.item is not None}):
        key = _item_key(code)
        if key in known:
            continue
        item = channel.items.get(code) or Item(code, code, None, 0)
        found[key] = item_document(item, terms.entity, terms.functional)
    return found


@lru_cache(maxsize=10_000)
def _item_key(code: str) -> DocumentKey:
    return document_key(DocumentKind.ITEM, code)


def item_document(item: Item, entity: str, functional: str) -> Document:
    """The document that makes an item known to the ERP, at its standard cost."""
    line = DocumentLine(Component.STOCK, item.cost_minor, item=item.code, quantity=1)
    return replace(
        _master(DocumentKind.ITEM, _item_key(item.code), entity, functional, None), lines=(line,), memo=item.name
    )


def _master(kind: DocumentKind, key: DocumentKey, entity: str, functional: str, party: PartyRef | None) -> Document:
    return Document(key=key, kind=kind, entity=entity, currency=functional, date=MASTERS_DATE, party=party)


def _fact_rows(decided: DecidedOrder) -> Iterator[dict[str, Any]]:
    key = decided.key
    for one in decided.new:
        fact = one.fact
        yield {
            "channel": key.channel,
            "order_id": key.external_id,
            "kind": str(fact.kind),
            "external_id": fact.external_id,
            "hash": one.hash,
            "modified_at": one.modified_at,
            "occurred_at": one.modified_at if fact.occurred_at == fact.modified_at else stamp(fact.occurred_at),
            "source": str(fact.source),
            "recorded_at": one.recorded_at,
            "record_id": one.record_id,
            "content": one.content.decode(),
        }


def _event_row(key: OrderKey, seq: int, happening: Event, fact_hash: str, now: str) -> dict[str, Any]:
    return {
        "channel": key.channel,
        "order_id": key.external_id,
        "seq": seq,
        "kind": str(happening.kind),
        "fact_kind": str(happening.fact_kind),
        "fact_id": happening.fact_id,
        "occurred_at": stamp(happening.occurred_at),
        "recorded_at": now,
        "amount_minor": happening.amount_minor,
        "fact_hash": fact_hash,
    }


def _order_row(decided: DecidedOrder, seq: int, chain: str, now: str) -> dict[str, Any]:
    waits = [hold.until for hold in decided.holds if hold.until is not None]
    snapshot = decided.state.snapshot
    return {
        **decided.columns,
        "version": decided.known.version + 1,
        "posting": decided.posting,
        "customer": decided.terms.customer(decided.key, snapshot) if snapshot else None,
        "credit_minor": decided.credit_minor,
        "holds": len(decided.holds),
        "recheck_at": stamp(min(waits)) if waits else None,
        "events": seq,
        "chain": chain,
        "folded_at": now,
    }


def _order_columns(channel: OpenChannel, state: OrderState) -> dict[str, Any]:
    snapshot = state.snapshot
    placed = snapshot.placed_at if snapshot else None
    return {
        "name": snapshot.name if snapshot else None,
        "entity": channel.entity.slug,
        "currency": snapshot.currency if snapshot else None,
        "placed_at": stamp(placed) if placed else None,
        "placed_on": placed.astimezone(channel.timezone).date().isoformat() if placed else None,
        "modified_at": stamp(snapshot.modified_at) if snapshot else None,
        "claimed_minor": snapshot.claimed_total_minor if snapshot else None,
        "computed_minor": snapshot.computed_total_minor if snapshot else None,
        "captured_minor": state.captured_minor,
        "refunded_minor": state.refunded_minor,
        "commercial": str(state.commercial),
        "fulfilment": str(state.fulfilment),
        "financial": str(state.financial),
        "processing_at": stamp(state.processing_at) if state.processing_at else None,
        "shipped_at": stamp(state.shipped_at) if state.shipped_at else None,
        "post_sale_at": stamp(state.post_sale_at) if state.post_sale_at else None,
        "problems": json.dumps([[p.path, p.message] for p in state.problems]) if state.problems else "[]",
    }


def _add_exceptions(decided: DecidedOrder, changes: Changes, now: str) -> None:
    """Holds open exceptions, one a cause; an exception whose hold is gone is cured."""
    found = decided.holds + decided.reports
    if not found and not decided.known.open_exceptions:
        return
    key, snapshot = decided.key, decided.state.snapshot
    still = {hold.fingerprint[:200] for hold in found}
    for hold in found:
        fingerprint = hold.fingerprint[:200]
        if fingerprint not in decided.known.open_exceptions:
            changes.opened.append(
                {
                    "channel": key.channel,
                    "order_id": key.external_id,
                    "fingerprint": fingerprint,
                    "code": hold.code.value,
                    "message": hold.message,
                    "remedy": hold.remedy,
                    "currency": snapshot.currency if snapshot else None,
                    "amount_minor": snapshot.claimed_total_minor if snapshot else None,
                    "opened_at": now,
                }
            )
    for fingerprint, code in decided.known.open_exceptions.items():
        if fingerprint in still or (code == HoldCode.UNTRANSLATABLE and not _has_snapshot(decided.new)):
            continue
        gone = {REJECTED: decided.decision.superseded, NOT_TOLD: decided.telling.superseded}
        if code in OF_SENDING and not gone.get(code):
            continue
        changes.resolved.append(
            {
                "by_channel": key.channel,
                "by_order": key.external_id,
                "by_fingerprint": fingerprint,
                "resolved_at": now,
                "resolution": "released" if code in decided.known.released else "cured",
            }
        )


def _has_snapshot(new: Sequence[NewFact]) -> bool:
    return any(one.fact.kind is FactKind.SNAPSHOT for one in new)
