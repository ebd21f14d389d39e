"""advance: records become facts, facts orders, orders decisions; a batch in one short write transaction.

Everything is computed before the write lock is taken. An order that fails is put aside by name and the rest commits.
Repeating it changes nothing: facts are a set, and a decision is the difference to what was decided before.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.errors import HubError, Untranslatable
from hub.model.facts import FactKind, Source, content_hash
from hub.model.frozen import frozen
from hub.model.money import format_minor
from hub.model.order import OrderKey, Snapshot
from hub.model.problems import Problem
from hub.model.records import Notice, Record, StockLevel, Translation
from hub.ports import FetchesOrders, Translates
from hub.steps import allocating, payouts
from hub.steps.deciding import DecidedOrder, Decider, NewFact, limit_fingerprint, untranslated
from hub.steps.hub import Hub, sweep_cycles
from hub.steps.notices import heed
from hub.steps.settlement_files import TOPIC, translate_report
from hub.store import inbox, orders, roots
from hub.store import payouts as stored_payouts
from hub.store.engine import writing_back
from hub.store.orders import Changes, Overtaken, lost_the_race
from hub.store.personal import party_row
from hub.store.schema import stamp

log = logging.getLogger(__name__)

BATCH_RECORDS: Final = 500
ATTEMPTS_MAX: Final = 5  # times that a batch is decided anew because another worker was faster


@frozen
class Result:
    """What became of one record: the row that `import` prints."""

    record_id: int
    outcome: str  # order, held, facts, stock, payout, not_an_order
    order: str | None = None
    currency: str | None = None
    claimed_minor: int | None = None  # of the record itself, as placed
    computed_minor: int | None = None
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> str:
        return json.dumps(
            {
                "outcome": self.outcome,
                "order": self.order,
                "currency": self.currency,
                "claimed_minor": self.claimed_minor,
                "computed_minor": self.computed_minor,
                "problems": [{"path": p.path, "message": p.message} for p in self.problems],
            }
        )


@dataclass(slots=True)
class _Batch:
    """The records of a batch, translated."""

    facts: dict[OrderKey, list[NewFact]] = field(default_factory=dict)
    parties: list[dict[str, Any]] = field(default_factory=list)  # rows
    failed: list[tuple[Record, Untranslatable]] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    levels: list[StockLevel] = field(default_factory=list)
    refetch: list[tuple[str, str]] = field(default_factory=list)  # (channel, order) to be read anew
    notices: list[tuple[str, Notice]] = field(default_factory=list)  # by channel
    settled: list[tuple[Record, Translation]] = field(default_factory=list)  # payouts, and lines of a balance


def advance(hub: Hub, limit: int = BATCH_RECORDS) -> int:
    """The oldest records that were not yet advanced now are; how many they were, 0: none is left."""
    done = _advance(hub, limit)
    sweep_cycles()
    return done


def _advance(hub: Hub, limit: int) -> int:
    records = inbox.due(hub.inbox, limit, _sources(hub))
    if not records:
        payouts.decide_due(hub)  # once all that was captured is known: a payout comes in many records
        return 0
    with writing_back(*(hub.store, hub.inbox) if len(records) == limit else ()):
        batch = _translate(hub, records)
    if batch.levels and allocating.keep_levels(hub, batch.levels):
        pass_on_stock(hub)  # before the orders of this batch: those that wait are older
    _record(hub, batch.facts, batch)
    for channel, notice in batch.notices:
        heed(hub, channel, notice)
    inbox.settle(
        hub.inbox,
        [
            {
                "record_id": r.record_id,
                "readings": record.readings,
                "outcome": r.outcome,
                "order_id": r.order,
                "result": r.as_json(),
            }
            for record, r in zip(records, batch.results, strict=True)
        ],
        _can_be_read(hub, batch.refetch),
    )
    if log.isEnabledFor(logging.INFO):
        for record, result in zip(records, batch.results, strict=True):
            of = {"channel": record.channel, "record": record.id, "order": result.order}
            log.info("advance.record", extra={**of, "outcome": result.outcome})
    if batch.settled and len(records) < limit:
        payouts.decide_due(hub)
    return len(records)


def advance_all(hub: Hub, progress: Callable[[int], None] | None = None) -> int:
    """Nothing is left to advance; how many records there were."""
    done = 0
    while count := advance(hub):
        done += count
        if progress is not None:
            progress(done)
    return done


def reconsider(hub: Hub, keys: Sequence[OrderKey]) -> None:
    """These orders are decided anew under today's terms: after a release, a crosswalk row, a hold that ran out.

    Those of channels that are no longer configured stay as they are.
    """
    configured = _sources(hub)
    keys = [key for key in keys if key.channel in configured]
    for start in range(0, len(keys), BATCH_RECORDS):
        _record(hub, {key: [] for key in keys[start : start + BATCH_RECORDS]}, _Batch())


def _record(hub: Hub, facts: dict[OrderKey, list[NewFact]], batch: _Batch) -> None:
    for attempt in range(ATTEMPTS_MAX):
        changes = Changes()
        with hub.store.connect() as reading:
            now = roots.open_moment(reading, hub.clock())
            decider = Decider(hub, reading, orders.load(reading, facts), now)
            allocations = allocating.known(hub, reading, list(facts))
            decided = [decider.order(key, new) for key, new in facts.items()]
            wanted = {key for one in decided for key in one.masters}
            decider.masters(decided, orders.known_masters(reading, sorted(wanted)), changes)
        changes.parties.extend(batch.parties)
        for record, error in batch.failed:
            if _told_since(record, error, facts):
                continue
            changes.opened.extend(untranslated(record, error, now))
            changes.new_stubs.extend(decider.stub(record, error))
        try:
            with hub.writing() as writing, writing.begin():
                roots.hold_open(writing, now)
                disposed = [decider.dispose(writing, one) for one in decided]
                for one in disposed:
                    one.add_to(changes)
                given_back = allocating.dispose(writing, disposed, allocations)
                orders.record(writing, changes)
                _record_settled(writing, batch)
            hub.known_masters.update(wanted)
            _tell(facts, changes)
            _pass_on_credit(hub, disposed)
            if given_back:
                pass_on_stock(hub)
            return
        except (Overtaken, DBAPIError) as fault:
            if attempt == ATTEMPTS_MAX - 1 or not lost_the_race(fault):
                raise


def _tell(facts: Mapping[OrderKey, Sequence[NewFact]], changes: Changes) -> None:
    """What was decided stands in the log, each intent with the last of the records that brought it about."""
    if not log.isEnabledFor(logging.INFO):
        return
    for row in changes.intents:
        brought = facts.get(OrderKey(row["channel"], row["order_id"]), ())
        record = max((one.record_id for one in brought), default=None)
        named = {"channel": row["channel"], "order": row["order_id"] or None, "record": record, "intent": row["id"]}
        log.info("decide.intent", extra={**named, "document": row["document_key"], "action": row["action"]})


def pass_on_stock(hub: Hub) -> int:
    """Backordered orders are decided anew where stock is free for them, the oldest first; how many they were."""
    keys = allocating.waiting(hub)
    reconsider(hub, keys)
    return len(keys)


def _sources(hub: Hub) -> list[str]:
    """Whose records are advanced: the channels', the ERP's. Those of a channel that is gone wait until it is back."""
    return [*(channel.slug for channel in hub.settings.channels), hub.settings.erp.slug]


def _can_be_read(hub: Hub, asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those (channel, order) whose channel gives an order by its id: of the others the record is all there will be."""
    channels = {slug for slug in {slug for slug, _ in asked} if isinstance(hub.connector(slug), FetchesOrders)}
    return [one for one in asked if one[0] in channels]


def _record_settled(writing: Connection, batch: _Batch) -> None:
    if batch.settled:
        stored_payouts.record(writing, [(of, said.payouts, said.settlement_lines) for of, said in batch.settled])


def _told_since(record: Record, error: Untranslatable, facts: Mapping[OrderKey, Sequence[NewFact]]) -> bool:
    """Whether a later record of the same batch tells the whole order, which cures what did not translate."""
    later = facts.get(OrderKey(record.channel, error.order or ""), ())
    return any(one.fact.kind is FactKind.SNAPSHOT and one.record_id > record.id for one in later)


def _pass_on_credit(hub: Hub, disposed: Iterable[DecidedOrder]) -> None:
    """Orders held by a customer's credit limit are decided anew once another order of the customer gave some back."""
    freed = {limit_fingerprint(one.customer) for one in disposed if one.customer and one.credit_freed}
    if freed:
        with hub.store.connect() as reading:
            waiting = orders.held_by(reading, sorted(freed))
        if waiting:
            reconsider(hub, waiting)


def _translate(hub: Hub, records: Iterable[Record]) -> _Batch:
    batch = _Batch()
    recorded_at = stamp(hub.clock())
    for record in records:
        try:
            translation = _translated(hub, record)
        except Untranslatable as error:
            batch.failed.append((record, error))
            if record.source is Source.WEBHOOK and error.order:  # a hint is one, legible or not
                batch.refetch.append((record.channel, error.order))
            batch.results.append(
                Result(record.id, "held", error.order, error.currency, error.claimed_minor, None, error.problems)
            )
            continue
        if record.channel == hub.settings.erp.slug:
            translation = _of_our_channels(hub, translation)
        batch.parties.extend(_party_rows(record, translation))
        batch.levels.extend(translation.levels)
        batch.refetch.extend((record.channel, order_id) for order_id in translation.refetch)
        batch.notices.extend((record.channel, notice) for notice in translation.notices)
        for new in new_facts(record, translation, recorded_at):
            batch.facts.setdefault(new.fact.order, []).append(new)
        if translation.payouts or translation.settlement_lines:
            batch.settled.append((record, translation))
        batch.results.append(_result(record, translation))
    return batch


def _translated(hub: Hub, record: Record) -> Translation:
    connector: Translates = hub.connector(record.channel)
    try:
        return translate_report(hub, record) if record.topic.startswith(TOPIC) else connector.translate(record)
    except HubError:
        raise
    except Exception as fault:
        # The one record that the connector stumbles over is put aside by name; the rest of the batch goes on.
        log.warning("advance.fault", extra={"channel": record.channel, "record": record.id, "fault": fault})
        words = (
            f"a fault of the connector ({type(fault).__name__}): report it, then orderhub records replay {record.id}"
        )
        raise Untranslatable((Problem("$", words, "fault"),)) from fault


def new_facts(record: Record, translation: Translation, recorded_at: str) -> Iterator[NewFact]:
    """The facts of a record, ready to be stored.

    Of a record read again each counts as newer than from the reading before, by a microsecond, and older than any
    later version: so the newest mapping and a person's edit win, until the channel says something new.
    """
    newer = timedelta(microseconds=record.readings)
    for told in translation.facts:
        fact = replace(told, modified_at=told.modified_at + newer) if newer else told
        content = fact.content()
        yield NewFact(fact, content, content_hash(content), stamp(fact.modified_at), record.id, recorded_at)


def _of_our_channels(hub: Hub, translation: Translation) -> Translation:
    """What the ERP says of orders of these channels; it may know others, and orders of its own."""
    ours = {channel.slug for channel in hub.settings.channels}
    for fact in translation.facts:
        if fact.order.channel not in ours:
            return Translation(ignored=f"of {fact.order}: no such channel is configured")
    return translation


def _result(record: Record, translation: Translation) -> Result:
    for fact in translation.facts:
        if isinstance(fact.body, Snapshot):
            return _snapshot_result(record, fact.order, fact.body, translation.problems)
    if translation.facts:
        first = translation.facts[0]
        return Result(record.id, "facts", first.order.external_id, problems=translation.problems)
    if translation.levels:
        return Result(record.id, "stock")
    if translation.payouts or translation.settlement_lines:
        return Result(record.id, "payout")
    return Result(record.id, "not_an_order", problems=(Problem("$", translation.ignored or "says nothing of orders"),))


def _snapshot_result(record: Record, key: OrderKey, snapshot: Snapshot, problems: tuple[Problem, ...]) -> Result:
    claimed, computed = snapshot.claimed_total_minor, snapshot.computed_total_minor
    outcome = "order"
    if claimed != computed:
        outcome = "held"
        currency = snapshot.currency
        gap = Problem(
            "$",
            f"the channel claims {format_minor(claimed, currency)}, its parts make {format_minor(computed, currency)}",
            "identity",
            claimed - computed,
        )
        problems = (*problems, gap)
    return Result(record.id, outcome, key.external_id, snapshot.currency, claimed, computed, problems)


def _party_rows(record: Record, translation: Translation) -> Iterator[dict[str, Any]]:
    """The record's parties, each with the order whose snapshot names it."""
    if not translation.parties:
        return
    received_at = stamp(record.received_at)
    for fact in translation.facts:
        if isinstance(fact.body, Snapshot):
            named = (fact.body.customer, fact.body.bill_to, fact.body.ship_to)
            for party in translation.parties:
                if party.ref in named:
                    yield party_row(fact.order, party, received_at)
