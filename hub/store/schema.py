"""The tables, on SQLite and PostgreSQL alike.

Moments are ISO 8601 text in UTC with microseconds, days ISO 8601 text: they sort as they stand and cost no conversion.
Tables that are read by their whole key or an order's part of it are clustered by it on SQLite (no rowid).
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

BIG: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for a key of type INTEGER."""

OPEN_STATES: Final = ("planned", "sent", "in_doubt", "rejected")
IS_OPEN: Final = "state NOT IN ('done', 'superseded')"  # SQLite builds a table for a list of more than two
IS_PLANNED: Final = "state = 'planned'"
IS_URGENT: Final = "urgent_by IS NOT NULL"
IS_UNREAD: Final = "read_back_due IS NOT NULL"
IS_UNDER_WAY: Final = "state IN ('sent', 'in_doubt')"
IS_OF_NO_ORDER: Final = "order_id = ''"
IS_UNDECIDED: Final = "changed <> decided"
IS_MASTER: Final = f"{IS_OF_NO_ORDER} AND {IS_OPEN}"
"""Conditions of partial indexes. Queries must use them word for word: SQLite matches the text, not bound values."""


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


inbox_metadata = MetaData()
hub_metadata = MetaData()

record = Table(
    "record",
    inbox_metadata,
    Column("id", BIG, primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("key", String(200), nullable=False),
    Column("topic", String(100), nullable=False),
    Column("source", String(10), nullable=False),
    Column("received_at", String(27), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("outcome", String(20)),  # null: not yet advanced
    Column("order_id", String(100)),
    Column("result", Text),  # the row that `import` prints, as JSON
    Column("readings", Integer),  # how often it was read again, as it stood or as a person edited it; null: never
    UniqueConstraint("channel", "key", name="record_once"),
    Index("record_last", "channel", "id"),  # when a channel was heard of last
    _partial("record_due", "id", where="outcome IS NULL"),
)

body = Table(  # apart from its record, so that noting what became of the record does not write it anew
    "body",
    inbox_metadata,
    Column("record_id", BIG, primary_key=True),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # empty where purged: the record's digest still says what it was
    Column("purged_at", String(27)),
)

edit = Table(
    "edit",  # what a person made of a record's body; the original stays in `body`
    inbox_metadata,
    Column("record_id", BIG, nullable=False),
    Column("reading", Integer, nullable=False),  # of the record, for the first time with this body
    Column("body", LargeBinary, nullable=False),
    Column("edited_at", String(27), nullable=False),
    Column("edited_by", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("record_id", "reading"),
)

cursor = Table(
    "cursor",  # how far a stream was read: of a channel, or of the ERP under its own slug
    inbox_metadata,
    Column("channel", String(20), nullable=False),
    Column("stream", String(40), nullable=False),
    Column("value", Text, nullable=False),
    Column("moved_at", String(27), nullable=False),
    PrimaryKeyConstraint("channel", "stream"),
)

refetch = Table(
    "refetch",  # orders to be read anew by id
    inbox_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("ask", BIG, nullable=False),  # the number of the last ask: clocks that differ cannot confuse two
    PrimaryKeyConstraint("channel", "order_id"),
)

party = Table(  # of an order, so that each order's go by themselves; an account's under no order, "", once
    "party",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("id", String(100), nullable=False),
    Column("version", String(12), nullable=False),
    Column("body", Text),  # null: purged
    Column("received_at", String(27), nullable=False),  # of the last record that brought it
    Column("purged_at", String(27)),
    PrimaryKeyConstraint("channel", "order_id", "id", "version"),
    sqlite_with_rowid=False,
)

redaction = Table(  # standing rules: what was received until then stays purged, however often it is read again
    "redaction",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("kind", String(10), nullable=False),  # channel, customer, order
    Column("subject", String(100), nullable=False),  # the customer's or order's id; "" for the whole channel
    Column("until", String(27), nullable=False),
    PrimaryKeyConstraint("channel", "kind", "subject"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("at", String(27), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),  # JSON, no personal data
)

fact = Table(
    "fact",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("external_id", String(100), nullable=False),
    Column("hash", String(32), nullable=False),
    Column("modified_at", String(27), nullable=False),
    Column("occurred_at", String(27), nullable=False),
    Column("source", String(10), nullable=False),
    Column("recorded_at", String(27), nullable=False),
    Column("record_id", BIG, nullable=False),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("channel", "order_id", "kind", "external_id", "hash", "modified_at", "source"),
    sqlite_with_rowid=False,
)

orders = Table(
    "orders",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("version", Integer, nullable=False),  # moves with each change; guards a decision made on an older one
    Column("name", Text),
    Column("entity", String(20), nullable=False),
    Column("currency", String(3)),  # null: a stub, known by its facts alone
    Column("placed_at", String(27)),
    Column("placed_on", String(10)),  # the day where the entity keeps its books
    Column("modified_at", String(27)),
    Column("claimed_minor", BigInteger),
    Column("computed_minor", BigInteger),
    Column("captured_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("commercial", String(20), nullable=False),
    Column("fulfilment", String(20), nullable=False),
    Column("financial", String(20), nullable=False),
    Column("processing_at", String(27)),
    Column("shipped_at", String(27)),
    Column("post_sale_at", String(27)),
    Column("posting", String(20), nullable=False),  # posted, test, before_go_live, stub: whether it goes to the ERP
    Column("customer", String(40)),  # the ERP's customer: its document key
    Column("credit_minor", BigInteger, nullable=False),  # of the customer's credit limit, taken by this order
    Column("holds", Integer, nullable=False),
    Column("recheck_at", String(27)),  # a hold lifts by itself then, or a write told something new
    Column("problems", Text, nullable=False),  # JSON
    Column("events", Integer, nullable=False),
    Column("chain", String(64), nullable=False),  # hash of the last event, chained
    Column("folded_at", String(27), nullable=False),
    PrimaryKeyConstraint("channel", "order_id"),
    Index("orders_placed", "placed_on"),
    _partial("orders_held", "holds", where="holds > 0"),
    _partial("orders_recheck", "recheck_at", where="recheck_at IS NOT NULL"),
)

event = Table(
    "event",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("fact_kind", String(12), nullable=False),
    Column("fact_id", String(100), nullable=False),
    Column("occurred_at", String(27), nullable=False),
    Column("recorded_at", String(27), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("fact_hash", String(32), nullable=False),
    Column("hash", String(64), nullable=False),  # of the one before and all of the above
    PrimaryKeyConstraint("channel", "order_id", "seq"),
    # A day's events are found by it: a few pages on PostgreSQL. On SQLite it is kept empty and costs nothing: a real
    # index would slow every import for one scan a day.
    Index("event_recorded", "recorded_at", postgresql_using="brin", sqlite_where=text("0")),
    sqlite_with_rowid=False,
)

root = Table(  # one a day (UTC), from the first event on; see docs/decisions on the event chain
    "root",
    hub_metadata,
    Column("day", String(10), primary_key=True),
    Column("orders", Integer, nullable=False),  # with an event recorded that day
    Column("events", Integer, nullable=False),  # recorded that day
    Column("root", String(64), nullable=False),  # over those, chained to the day before
    Column("made_at", String(27), nullable=False),
)

exception = Table(
    "exception",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),  # "record-N" where the record names no order
    Column("fingerprint", String(200), nullable=False),  # the cause: the same fix heals all that share it
    Column("code", String(30), nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("currency", String(3)),
    Column("amount_minor", BigInteger),  # the money held; null: not legible
    Column("opened_at", String(27), nullable=False),
    Column("resolved_at", String(27)),
    Column("resolution", String(20)),  # cured, released
    Column("assignee", String(100)),
    PrimaryKeyConstraint("channel", "order_id", "fingerprint"),
    _partial("exception_open", "fingerprint", where="resolved_at IS NULL"),
    sqlite_with_rowid=False,
)

release = Table(
    "release",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("code", String(30), nullable=False),
    Column("released_at", String(27), nullable=False),
    Column("released_by", String(100), nullable=False),
    PrimaryKeyConstraint("channel", "order_id", "code"),
    sqlite_with_rowid=False,
)

crosswalk = Table(
    "crosswalk",
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("source", String(200), nullable=False),
    Column("target", String(200), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("set_at", String(27), nullable=False),
    Column("set_by", String(100), nullable=False),
)

intent = Table(
    "intent",
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),  # "" for master data, which belongs to no order
    Column("document_key", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("action", String(10), nullable=False),
    Column("revision", String(12), nullable=False),
    Column("plan_digest", String(12), nullable=False),
    Column("entity", String(20), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("date", String(10), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # the document, frozen, as JSON
    Column("entry", Text),  # hub.model.entries.Entry as JSON: what it does to the expected books; null: nothing
    Column("reversal", Text),  # the entry that undoes what stood before, where this amends or voids it
    Column("policy", String(40), nullable=False),  # versions of the policies and crosswalks that decided it
    Column("decided_at", String(27), nullable=False),
    Index("intent_order", "channel", "order_id"),
    _partial("intent_master", "document_key", where=IS_OF_NO_ORDER),
)

step = Table(
    "step",
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("intent_id", BIG, nullable=False),
    Column("target", String(20), nullable=False),
    Column("name", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", String(27)),
    Column("leased_until", String(27)),
    Column("urgent_by", String(27)),  # when it is too late; null: its target takes what it gets by age
    Column("sent_at", String(27)),
    Column("settled_at", String(27)),
    Column("ref", Text),  # the target's own id; of a document in parts all of them, joined
    Column("part", String(40)),  # of a write in several requests, the one that comes next; null: the first
    Column("code", String(40)),
    Column("field", String(100)),
    Column("remedy", Text),
    Column("readback_total_minor", BigInteger),
    Column("readback_tax_minor", BigInteger),
    Column("readback_currency", String(3)),
    Column("readback_date", String(10)),
    Column("readback_lines", Integer),
    Column("readback_version", Integer),
    Column("matches", Boolean),  # the read-back equals what was sent; null: not read back
    Column("read_back_due", String(27)),  # when it is to be read back; null: it is not, or was with its write
    Column("restored_at", String(27)),  # when the store was put back, and it may have been sent before; else null
    Index("step_intent", "intent_id", unique=True),
    _partial("step_open", "channel", "order_id", "id", where=IS_OPEN),
    _partial("step_planned", "target", "id", where=IS_PLANNED),
    _partial("step_urgent", "target", "urgent_by", "id", where=f"{IS_PLANNED} AND {IS_URGENT}"),
    _partial("step_under_way", "target", "id", where=IS_UNDER_WAY),
    _partial("step_master", "target", "id", where=IS_MASTER),
    _partial("step_unread", "target", "read_back_due", "id", where=IS_UNREAD),
)

target = Table(  # that something was sent to
    "target",
    hub_metadata,
    Column("name", String(20), primary_key=True),  # as in its steps
    Column("failures", Integer, nullable=False),  # calls in a row without an answer
    Column("paused_at", String(27)),  # null: it is not paused, nor was since it last answered
    Column("paused_until", String(27)),
    Column("pause", String(20)),  # hub.store.targets.Pause
    Column("reason", Text),
    Column("probing_until", String(27)),  # somebody looks for what is in doubt; one at a time where there are slots
    Column("reading_until", String(27)),  # somebody reads back
)

restoration = Table(  # the store was put back from a backup
    "restoration",
    hub_metadata,
    Column("restored_at", String(27), primary_key=True),
    Column("taken_at", String(27)),  # when the backup was taken; null: nobody said
)

bank_line = Table(  # of the bank's statements, each once
    "bank_line",
    hub_metadata,
    Column("account", String(60), nullable=False),
    Column("key", String(32), nullable=False),
    Column("booked_on", String(10), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reference", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("imported_at", String(27), nullable=False),
    Column("channel", String(20)),  # of the payout that a person says it is; null: nobody has
    Column("payout_id", String(100)),
    PrimaryKeyConstraint("account", "key"),
    sqlite_with_rowid=False,
)

adoption = Table(
    "adoption",  # orders that an older integration brought into the ERP
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("posts_from", String(10), nullable=False),  # what is dated earlier and was not found is not posted
    Column("adopted_at", String(27), nullable=False),
    Column("adopted_by", String(100), nullable=False),
    PrimaryKeyConstraint("channel", "order_id"),
    sqlite_with_rowid=False,
)

signoff = Table(
    "signoff",  # a person vouches for a reconciliation; rows are added and never changed
    hub_metadata,
    Column("period", String(7), nullable=False),
    Column("signed_at", String(27), nullable=False),
    Column("run", Text, nullable=False),  # its folder's name
    Column("digest", String(64), nullable=False),
    Column("signed_by", String(100), nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("period", "signed_at"),
)

completeness = Table(
    "completeness",  # what each check found of a channel; rows are added and never changed
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("checked_at", String(27), nullable=False),
    Column("scheduled", Boolean, nullable=False),  # by the clock; else a person asked
    Column("orders", Integer, nullable=False),
    Column("missing", Integer, nullable=False),  # orders that the hub lacks, and documents that the ERP lacks
    Column("late", Integer, nullable=False),
    Column("untold", Integer, nullable=False),  # no webhook told of them
    Column("digest", String(64), nullable=False),  # of the set of the channel's orders, as the hub has it
    Column("answer", Text, nullable=False),  # all of it, as JSON
    Index("completeness_last", "channel", "id"),
)

payout = Table(  # of payment providers; what a channel said of each last, by `rank`
    "payout",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("payout_id", String(100), nullable=False),
    Column("status", String(20)),  # null: only lines of it are known
    Column("paid_on", String(10)),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("method", String(100)),  # the channel's word
    Column("reference", String(200)),
    Column("opening_minor", BigInteger),
    Column("closing_minor", BigInteger),
    Column("rank", String(120), nullable=False),  # "" while only lines of it are known
    Column("record_id", BIG),
    Column("changed", BIG, nullable=False),  # grows with each change of it or its lines
    Column("decided", BIG, nullable=False),  # at which change it was decided
    Column("state", String(20), nullable=False),  # hub.model.payouts.PayoutState; "" where not yet decided
    PrimaryKeyConstraint("channel", "payout_id"),
    _partial("payout_due", "channel", "payout_id", where=IS_UNDECIDED),
    sqlite_with_rowid=False,
)

settlement_line = Table(  # what moved a provider's balance; what a channel said of each last, by `rank`
    "settlement_line",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("line_id", String(100), nullable=False),
    Column("payout_id", String(100)),  # null: in none yet
    Column("kind", String(20), nullable=False),
    Column("word", String(100), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("net_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("method", String(100), nullable=False),
    Column("order_id", String(100)),
    Column("transaction_id", String(100)),
    Column("processed_at", String(27), nullable=False),
    Column("rank", String(120), nullable=False),
    Column("record_id", BIG),
    PrimaryKeyConstraint("channel", "line_id"),
    Index("settlement_line_payout", "channel", "payout_id"),
    sqlite_with_rowid=False,
)

credit = Table(
    "credit",
    hub_metadata,
    Column("customer", String(40), primary_key=True),
    Column("used_minor", BigInteger, nullable=False),
)


alert = Table(  # a condition that somebody is told of, from when it began until it is over
    "alert",
    hub_metadata,
    Column("id", BIG, primary_key=True),
    Column("condition", String(100), nullable=False),  # kind and subject
    Column("kind", String(20), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("words", Text, nullable=False),
    Column("opened_at", String(27), nullable=False),
    Column("resolved_at", String(27)),
    Index(  # a condition is open once, whoever finds it
        "alert_open",
        "condition",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
)

alert_notice = Table(  # of an alert, to be told to one receiver; told and gone are told apart by `told_at`
    "alert_notice",
    hub_metadata,
    Column("alert_id", BIG, nullable=False),
    Column("phase", String(10), nullable=False),  # opened, resolved
    Column("receiver", String(10), nullable=False),  # mail, webhook
    Column("attempts", Integer, nullable=False),
    Column("due_at", String(27), nullable=False),  # not before then: it was tried, or somebody is at it
    Column("told_at", String(27)),
    PrimaryKeyConstraint("alert_id", "phase", "receiver"),
    _partial("alert_notice_due", "alert_id", where="told_at IS NULL"),
)

stock = Table(
    "stock",
    hub_metadata,
    Column("entity", String(20), nullable=False),
    Column("item", String(200), nullable=False),
    Column("location", String(100), nullable=False),
    Column("on_hand", BigInteger, nullable=False),  # as the ERP last said, less what was seen to leave since
    Column("reserved", BigInteger, nullable=False),  # the sum of the place's reservations
    Column("as_of", BigInteger, nullable=False),  # of the ERP's word; an older one changes nothing
    PrimaryKeyConstraint("entity", "item", "location"),
    sqlite_with_rowid=False,
)

reservation = Table(
    "reservation",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("line", String(100), nullable=False),
    Column("entity", String(20), nullable=False),
    Column("item", String(200), nullable=False),
    Column("location", String(100), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    PrimaryKeyConstraint("channel", "order_id", "line", "entity", "item", "location"),
    sqlite_with_rowid=False,
)

backorder = Table(
    "backorder",
    hub_metadata,
    Column("channel", String(20), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("line", String(100), nullable=False),
    Column("entity", String(20), nullable=False),
    Column("item", String(200), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("placed_at", String(27), nullable=False),  # of the order: the oldest is served first
    PrimaryKeyConstraint("channel", "order_id", "line"),
    Index("backorder_item", "entity", "item", "placed_at"),
    sqlite_with_rowid=False,
)


def _counter(metadata: MetaData) -> Table:
    return Table(
        "counter",
        metadata,
        Column("name", String(20), primary_key=True),
        Column("value", BigInteger, nullable=False),  # the last number given out
    )


counter = _counter(hub_metadata)
inbox_counter = _counter(inbox_metadata)


sealed = Table(  # what a far side handed out, encrypted; whoever has its turn renews it
    "sealed",
    hub_metadata,
    Column("owner", String(20), primary_key=True),  # the slug of a channel or ERP
    Column("name", String(40), primary_key=True),
    Column("content", LargeBinary),  # null: nothing yet
    Column("turn", String(32)),  # whose turn it is; null: nobody's
    Column("turn_until", String(27)),
)


api_token = Table(
    "api_token",
    hub_metadata,
    Column("id", String(12), primary_key=True),
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, which is 256 bits of chance
    Column("name", String(100), nullable=False),
    Column("role", String(10), nullable=False),
    Column("channel", String(20)),  # null: every channel
    Column("created_at", String(27), nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("expires_at", String(27), nullable=False),
    Column("used_at", String(27)),
    Column("revoked_at", String(27)),
    Column("revoked_by", String(100)),
)


job = Table(  # that one worker at a time does, or that is due by a schedule
    "job",
    hub_metadata,
    Column("name", String(120), primary_key=True),
    Column("known_at", String(27), nullable=False),  # when it was first rung or begun
    Column("next_at", String(27)),  # when the schedule rings it next; null: it is of no schedule
    Column("rung_at", String(27)),  # since when it waits to be begun; null: nobody waits for it
    Column("not_before", String(27)),  # it failed, and is left alone until then
    Column("holder", String(60)),  # whose turn it is; null: nobody's
    Column("held_until", String(27)),  # unless its holder says that it goes on
    Column("began_at", String(27)),
    Column("ended_at", String(27)),
)


@lru_cache(maxsize=10_000)  # an order stamps the same few moments in all of its rows, and a batch takes turns
def stamp(at: datetime) -> str:
    """A moment as the tables keep it: `2026-11-01T12:00:00.000000Z`.

    Raises:
        ValueError: the moment has no offset.
    """
    if at.tzinfo is None:
        raise ValueError(f"a moment without an offset: {at}")
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def moment(stamped: str) -> datetime:
    """The reverse of `stamp`."""
    return datetime.fromisoformat(stamped)


def day(on: str) -> date:
    """A day as the tables keep it."""
    return date.fromisoformat(on)
