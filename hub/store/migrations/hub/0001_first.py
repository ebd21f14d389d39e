"""The first tables of the hub."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "adoption",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("posts_from", sa.String(length=10), nullable=False),
        sa.Column("adopted_at", sa.String(length=27), nullable=False),
        sa.Column("adopted_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(length=27), nullable=False),
        sa.Column("resolved_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "alert_open",
        "alert",
        ["condition"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "alert_notice",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("receiver", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("told_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("alert_id", "phase", "receiver"),
    )
    op.create_index(
        "alert_notice_due",
        "alert_notice",
        ["alert_id"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("used_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "backorder",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id", "line"),
        sqlite_with_rowid=False,
    )
    op.create_index("backorder_item", "backorder", ["entity", "item", "placed_at"], unique=False)
    op.create_table(
        "bank_line",
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("booked_on", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.String(length=27), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("payout_id", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("account", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "completeness",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("first", sa.String(length=10), nullable=False),
        sa.Column("last", sa.String(length=10), nullable=False),
        sa.Column("checked_at", sa.String(length=27), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("untold", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("completeness_last", "completeness", ["channel", "id"], unique=False)
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "credit",
        sa.Column("customer", sa.String(length=40), nullable=False),
        sa.Column("used_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
    op.create_table(
        "crosswalk",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.Column("set_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "event",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("fact_kind", sa.String(length=12), nullable=False),
        sa.Column("fact_id", sa.String(length=100), nullable=False),
        sa.Column("occurred_at", sa.String(length=27), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fact_hash", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "event_recorded", "event", ["recorded_at"], unique=False, postgresql_using="brin", sqlite_where=sa.text("0")
    )
    op.create_table(
        "exception",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.String(length=27), nullable=False),
        sa.Column("resolved_at", sa.String(length=27), nullable=True),
        sa.Column("resolution", sa.String(length=20), nullable=True),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("channel", "order_id", "fingerprint"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "exception_open",
        "exception",
        ["fingerprint"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "fact",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.Column("modified_at", sa.String(length=27), nullable=False),
        sa.Column("occurred_at", sa.String(length=27), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id", "kind", "external_id", "hash", "modified_at", "source"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "intent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("document_key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.String(length=12), nullable=False),
        sa.Column("plan_digest", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=True),
        sa.Column("reversal", sa.Text(), nullable=True),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "intent_master",
        "intent",
        ["document_key"],
        unique=False,
        sqlite_where=sa.text("order_id = ''"),
        postgresql_where=sa.text("order_id = ''"),
    )
    op.create_index("intent_order", "intent", ["channel", "order_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("known_at", sa.String(length=27), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=True),
        sa.Column("rung_at", sa.String(length=27), nullable=True),
        sa.Column("not_before", sa.String(length=27), nullable=True),
        sa.Column("holder", sa.String(length=60), nullable=True),
        sa.Column("held_until", sa.String(length=27), nullable=True),
        sa.Column("began_at", sa.String(length=27), nullable=True),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "orders",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("placed_at", sa.String(length=27), nullable=True),
        sa.Column("placed_on", sa.String(length=10), nullable=True),
        sa.Column("modified_at", sa.String(length=27), nullable=True),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=True),
        sa.Column("computed_minor", sa.BigInteger(), nullable=True),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("commercial", sa.String(length=20), nullable=False),
        sa.Column("fulfilment", sa.String(length=20), nullable=False),
        sa.Column("financial", sa.String(length=20), nullable=False),
        sa.Column("processing_at", sa.String(length=27), nullable=True),
        sa.Column("shipped_at", sa.String(length=27), nullable=True),
        sa.Column("post_sale_at", sa.String(length=27), nullable=True),
        sa.Column("posting", sa.String(length=20), nullable=False),
        sa.Column("customer", sa.String(length=40), nullable=True),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("recheck_at", sa.String(length=27), nullable=True),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("folded_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id"),
    )
    op.create_index(
        "orders_held",
        "orders",
        ["holds"],
        unique=False,
        sqlite_where=sa.text("holds > 0"),
        postgresql_where=sa.text("holds > 0"),
    )
    op.create_index("orders_placed", "orders", ["placed_on"], unique=False)
    op.create_index(
        "orders_recheck",
        "orders",
        ["recheck_at"],
        unique=False,
        sqlite_where=sa.text("recheck_at IS NOT NULL"),
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )
    op.create_table(
        "party",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=12), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("received_at", sa.String(length=27), nullable=False),
        sa.Column("purged_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("channel", "order_id", "id", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("payout_id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("paid_on", sa.String(length=10), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("method", sa.String(length=100), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("rank", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decided", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("channel", "payout_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "payout_due",
        "payout",
        ["channel", "payout_id"],
        unique=False,
        sqlite_where=sa.text("changed <> decided"),
        postgresql_where=sa.text("changed <> decided"),
    )
    op.create_table(
        "redaction",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("channel", "kind", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "release",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("released_at", sa.String(length=27), nullable=False),
        sa.Column("released_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id", "code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reservation",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=100), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "order_id", "line", "entity", "item", "location"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "restoration",
        sa.Column("restored_at", sa.String(length=27), nullable=False),
        sa.Column("taken_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("restored_at"),
    )
    op.create_table(
        "root",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "sealed",
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("turn", sa.String(length=32), nullable=True),
        sa.Column("turn_until", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("owner", "name"),
    )
    op.create_table(
        "settlement_line",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("line_id", sa.String(length=100), nullable=False),
        sa.Column("payout_id", sa.String(length=100), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=True),
        sa.Column("transaction_id", sa.String(length=100), nullable=True),
        sa.Column("processed_at", sa.String(length=27), nullable=False),
        sa.Column("rank", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("channel", "line_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("settlement_line_payout", "settlement_line", ["channel", "payout_id"], unique=False)
    op.create_table(
        "signoff",
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("signed_at", sa.String(length=27), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("period", "signed_at"),
    )
    op.create_table(
        "step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("intent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.String(length=27), nullable=True),
        sa.Column("leased_until", sa.String(length=27), nullable=True),
        sa.Column("urgent_by", sa.String(length=27), nullable=True),
        sa.Column("sent_at", sa.String(length=27), nullable=True),
        sa.Column("settled_at", sa.String(length=27), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("part", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("field", sa.String(length=100), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("readback_total_minor", sa.BigInteger(), nullable=True),
        sa.Column("readback_tax_minor", sa.BigInteger(), nullable=True),
        sa.Column("readback_currency", sa.String(length=3), nullable=True),
        sa.Column("readback_date", sa.String(length=10), nullable=True),
        sa.Column("readback_lines", sa.Integer(), nullable=True),
        sa.Column("readback_version", sa.Integer(), nullable=True),
        sa.Column("matches", sa.Boolean(), nullable=True),
        sa.Column("read_back_due", sa.String(length=27), nullable=True),
        sa.Column("restored_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("step_intent", "step", ["intent_id"], unique=True)
    op.create_index(
        "step_master",
        "step",
        ["target", "id"],
        unique=False,
        sqlite_where=sa.text("order_id = '' AND state NOT IN ('done', 'superseded')"),
        postgresql_where=sa.text("order_id = '' AND state NOT IN ('done', 'superseded')"),
    )
    op.create_index(
        "step_open",
        "step",
        ["channel", "order_id", "id"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('done', 'superseded')"),
        postgresql_where=sa.text("state NOT IN ('done', 'superseded')"),
    )
    op.create_index(
        "step_planned",
        "step",
        ["target", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "step_under_way",
        "step",
        ["target", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('sent', 'in_doubt')"),
        postgresql_where=sa.text("state IN ('sent', 'in_doubt')"),
    )
    op.create_index(
        "step_unread",
        "step",
        ["target", "read_back_due", "id"],
        unique=False,
        sqlite_where=sa.text("read_back_due IS NOT NULL"),
        postgresql_where=sa.text("read_back_due IS NOT NULL"),
    )
    op.create_index(
        "step_urgent",
        "step",
        ["target", "urgent_by", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'planned' AND urgent_by IS NOT NULL"),
        postgresql_where=sa.text("state = 'planned' AND urgent_by IS NOT NULL"),
    )
    op.create_table(
        "stock",
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=100), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "item", "location"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "target",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_at", sa.String(length=27), nullable=True),
        sa.Column("paused_until", sa.String(length=27), nullable=True),
        sa.Column("pause", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("probing_until", sa.String(length=27), nullable=True),
        sa.Column("reading_until", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("target")
    op.drop_table("stock")
    op.drop_index(
        "step_urgent",
        table_name="step",
        sqlite_where=sa.text("state = 'planned' AND urgent_by IS NOT NULL"),
        postgresql_where=sa.text("state = 'planned' AND urgent_by IS NOT NULL"),
    )
    op.drop_index(
        "step_unread",
        table_name="step",
        sqlite_where=sa.text("read_back_due IS NOT NULL"),
        postgresql_where=sa.text("read_back_due IS NOT NULL"),
    )
    op.drop_index(
        "step_under_way",
        table_name="step",
        sqlite_where=sa.text("state IN ('sent', 'in_doubt')"),
        postgresql_where=sa.text("state IN ('sent', 'in_doubt')"),
    )
    op.drop_index(
        "step_planned",
        table_name="step",
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.drop_index(
        "step_open",
        table_name="step",
        sqlite_where=sa.text("state NOT IN ('done', 'superseded')"),
        postgresql_where=sa.text("state NOT IN ('done', 'superseded')"),
    )
    op.drop_index(
        "step_master",
        table_name="step",
        sqlite_where=sa.text("order_id = '' AND state NOT IN ('done', 'superseded')"),
        postgresql_where=sa.text("order_id = '' AND state NOT IN ('done', 'superseded')"),
    )
    op.drop_index("step_intent", table_name="step")
    op.drop_table("step")
    op.drop_table("signoff")
    op.drop_index("settlement_line_payout", table_name="settlement_line")
    op.drop_table("settlement_line")
    op.drop_table("sealed")
    op.drop_table("root")
    op.drop_table("restoration")
    op.drop_table("reservation")
    op.drop_table("release")
    op.drop_table("redaction")
    op.drop_index(
        "payout_due",
        table_name="payout",
        sqlite_where=sa.text("changed <> decided"),
        postgresql_where=sa.text("changed <> decided"),
    )
    op.drop_table("payout")
    op.drop_table("party")
    op.drop_index(
        "orders_recheck",
        table_name="orders",
        sqlite_where=sa.text("recheck_at IS NOT NULL"),
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )
    op.drop_index("orders_placed", table_name="orders")
    op.drop_index(
        "orders_held", table_name="orders", sqlite_where=sa.text("holds > 0"), postgresql_where=sa.text("holds > 0")
    )
    op.drop_table("orders")
    op.drop_table("job")
    op.drop_index("intent_order", table_name="intent")
    op.drop_index(
        "intent_master",
        table_name="intent",
        sqlite_where=sa.text("order_id = ''"),
        postgresql_where=sa.text("order_id = ''"),
    )
    op.drop_table("intent")
    op.drop_table("fact")
    op.drop_index(
        "exception_open",
        table_name="exception",
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.drop_table("exception")
    op.drop_index("event_recorded", table_name="event", postgresql_using="brin", sqlite_where=sa.text("0"))
    op.drop_table("event")
    op.drop_table("crosswalk")
    op.drop_table("credit")
    op.drop_table("counter")
    op.drop_index("completeness_last", table_name="completeness")
    op.drop_table("completeness")
    op.drop_table("bank_line")
    op.drop_index("backorder_item", table_name="backorder")
    op.drop_table("backorder")
    op.drop_table("audit")
    op.drop_table("api_token")
    op.drop_index(
        "alert_notice_due",
        table_name="alert_notice",
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.drop_table("alert_notice")
    op.drop_index(
        "alert_open",
        table_name="alert",
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.drop_table("alert")
    op.drop_table("adoption")
