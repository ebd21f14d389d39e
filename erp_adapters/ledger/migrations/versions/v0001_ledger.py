"""The ledger's first tables, and the triggers that keep its books.

The triggers are written twice because SQLite and PostgreSQL have no trigger language in common. Both say: an entry
is inserted as a draft and posted by an update, which checks that it balances in each currency and in the functional
one, that it has postings, and that its period is open; a posted entry and its postings never change.
"""

import sqlalchemy as sa
from alembic import op

revision = "v0001_ledger"
down_revision = None

TABLES = (
    "stock_move", "stock", "item", "customer", "period", "posting", "entry", "shipment", "document", "account",
    "counter",
)  # fmt: skip

MINOR = sa.BigInteger
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("documents", ID, nullable=False),
        sa.Column("entries", ID, nullable=False),
        sa.Column("moves", ID, nullable=False),
        sa.Column("changes", ID, nullable=False),
    )
    op.execute("INSERT INTO counter (id, documents, entries, moves, changes) VALUES (1, 0, 0, 0, 0)")
    op.create_table(
        "account",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
    )
    op.create_table(
        "document",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(40), unique=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("customer", sa.Text),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("total_minor", MINOR, nullable=False),
        sa.Column("tax_minor", MINOR, nullable=False),
        sa.Column("goods_minor", MINOR, nullable=False),
        sa.Column("discount_minor", MINOR, nullable=False),
        sa.Column("shipping_minor", MINOR, nullable=False),
        sa.Column("charges_minor", MINOR, nullable=False),
        sa.Column("rounding_minor", MINOR, nullable=False),
        sa.Column("edited_minor", MINOR, nullable=False),
        sa.Column("cancelled_minor", MINOR, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("revision", sa.String(12)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("voided", sa.Boolean, nullable=False),
        sa.Column("by_hand", sa.Boolean, nullable=False),
        sa.Column("entry", ID),
        sa.Column("changed", ID, nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("document_by_date", "document", ["date"])
    op.create_index("document_by_order", "document", ["order_id"])
    op.create_index(
        "document_by_hand",
        "document",
        ["changed"],
        sqlite_where=sa.text("by_hand"),
        postgresql_where=sa.text("by_hand"),
    )
    op.create_table(
        "shipment",
        sa.Column("document", ID, sa.ForeignKey("document.id"), primary_key=True, autoincrement=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("tracking_number", sa.Text),
        sa.Column("unstocked", sa.Text, nullable=False),
    )
    op.create_table(
        "entry",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("document", ID, sa.ForeignKey("document.id"), nullable=False),
        sa.Column("cause", sa.String(12), nullable=False),
        sa.Column("reverses", ID, sa.ForeignKey("entry.id"), unique=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("original_date", sa.Date),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("functional", sa.String(3), nullable=False),
        sa.Column("posted", sa.Boolean, nullable=False),
    )
    op.create_index("entry_by_date", "entry", ["date"])
    op.create_table(
        "posting",
        sa.Column("entry", ID, sa.ForeignKey("entry.id"), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("account", sa.String(80), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("amount_minor", MINOR, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("functional_minor", MINOR, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "period",
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("period", sa.String(7), primary_key=True),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "customer",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("document", ID, sa.ForeignKey("document.id"), nullable=False),
        sa.Column("name", sa.Text),
    )
    op.create_table(
        "item",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("document", ID, sa.ForeignKey("document.id"), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("standard_cost_minor", MINOR, nullable=False),
    )
    op.create_table(
        "stock",
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("location", sa.Text, primary_key=True),
        sa.Column("quantity", ID, nullable=False),
        sa.Column("value_minor", MINOR, nullable=False),
        sa.Column("known_quantity", ID, nullable=False),
        sa.Column("known_value_minor", MINOR, nullable=False),
        sa.Column("changed", ID, nullable=False),
    )
    op.create_index("stock_by_change", "stock", ["changed"])
    op.create_table(
        "stock_move",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("document", ID, sa.ForeignKey("document.id"), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("source", ID, sa.ForeignKey("document.id")),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("quantity", ID, nullable=False),
        sa.Column("cost_minor", MINOR, nullable=False),
    )
    op.create_index("stock_move_by_document", "stock_move", ["document"])
    op.create_index("stock_move_by_source", "stock_move", ["source"])
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        for table in ("entry", "posting"):
            op.execute(f"DROP TRIGGER keep_{table} ON {table}")
            op.execute(f"DROP TRIGGER keep_all_{table} ON {table}")
    else:  # dropping a table deletes its rows, which the triggers forbid
        for name in (
            "entry_inserted", "entry_posted", "entry_updated", "entry_deleted",
            "posting_inserted", "posting_updated", "posting_deleted",
        ):  # fmt: skip
            op.execute(f"DROP TRIGGER {name}")
    for table in TABLES:
        op.drop_table(table)
    if on_postgresql:
        for function in ("keep_entry", "keep_posting", "keep_all"):
            op.execute(f"DROP FUNCTION {function}()")


# A REPLACE on SQLite deletes the row in its way without firing its delete trigger: hence the looks at what is there.
ON_SQLITE = (
    """
    CREATE TRIGGER entry_inserted BEFORE INSERT ON entry
    WHEN NEW.posted <> 0
      OR EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
      OR EXISTS (SELECT 1 FROM entry WHERE reverses = NEW.reverses)
    BEGIN SELECT RAISE(ABORT, 'ledger: an entry is inserted once, as a draft'); END
    """,
    """
    CREATE TRIGGER entry_posted BEFORE UPDATE ON entry
    WHEN OLD.posted = 0 AND NEW.posted <> 0
    BEGIN
      SELECT RAISE(ABORT, 'ledger: unbalanced entry') WHERE EXISTS (
        SELECT 1 FROM posting WHERE entry = NEW.id GROUP BY currency HAVING SUM(amount_minor) <> 0);
      SELECT RAISE(ABORT, 'ledger: unbalanced entry')
        WHERE (SELECT SUM(functional_minor) FROM posting WHERE entry = NEW.id) IS NOT 0;
      SELECT RAISE(ABORT, 'ledger: closed period') WHERE EXISTS (
        SELECT 1 FROM period WHERE entity = NEW.entity AND period = NEW.period AND closed <> 0);
      SELECT RAISE(ABORT, 'ledger: the period is not that of the date') WHERE NEW.period <> substr(NEW.date, 1, 7);
      SELECT RAISE(ABORT, 'ledger: an entry keeps its number') WHERE NEW.id <> OLD.id;
    END
    """,
    """
    CREATE TRIGGER entry_updated BEFORE UPDATE ON entry WHEN OLD.posted <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger: a posted entry is reversed, not changed'); END
    """,
    """
    CREATE TRIGGER entry_deleted BEFORE DELETE ON entry WHEN OLD.posted <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger: a posted entry is reversed, not deleted'); END
    """,
    """
    CREATE TRIGGER posting_inserted BEFORE INSERT ON posting
    WHEN (SELECT posted FROM entry WHERE id = NEW.entry) <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger: a posted entry is reversed, not changed'); END
    """,
    """
    CREATE TRIGGER posting_updated BEFORE UPDATE ON posting
    WHEN EXISTS (SELECT 1 FROM entry WHERE id IN (OLD.entry, NEW.entry) AND posted <> 0)
    BEGIN SELECT RAISE(ABORT, 'ledger: a posted entry is reversed, not changed'); END
    """,
    """
    CREATE TRIGGER posting_deleted BEFORE DELETE ON posting
    WHEN (SELECT posted FROM entry WHERE id = OLD.entry) <> 0
    BEGIN SELECT RAISE(ABORT, 'ledger: a posted entry is reversed, not changed'); END
    """,
)

ON_POSTGRESQL = (
    """
    CREATE FUNCTION keep_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF NEW.posted THEN
          RAISE 'ledger: an entry is inserted once, as a draft' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
      END IF;
      IF OLD.posted THEN
        RAISE 'ledger: a posted entry is reversed, not changed' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      IF TG_OP = 'DELETE' THEN
        RETURN OLD;
      END IF;
      IF NEW.posted THEN
        IF EXISTS (SELECT 1 FROM posting WHERE entry = NEW.id GROUP BY currency HAVING SUM(amount_minor) <> 0)
           OR (SELECT SUM(functional_minor) FROM posting WHERE entry = NEW.id) IS DISTINCT FROM 0 THEN
          RAISE 'ledger: unbalanced entry' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM period WHERE entity = NEW.entity AND period = NEW.period AND closed) THEN
          RAISE 'ledger: closed period' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.period <> to_char(NEW.date, 'YYYY-MM') THEN
          RAISE 'ledger: the period is not that of the date' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.id <> OLD.id THEN
          RAISE 'ledger: an entry keeps its number' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION keep_posting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' AND (SELECT posted FROM entry WHERE id = OLD.entry)
         OR TG_OP <> 'DELETE' AND (SELECT posted FROM entry WHERE id = NEW.entry) THEN
        RAISE 'ledger: a posted entry is reversed, not changed' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      IF TG_OP = 'DELETE' THEN
        RETURN OLD;
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION keep_all() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE 'ledger: a posted entry is reversed, not deleted' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER keep_entry BEFORE INSERT OR UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION keep_entry()",
    "CREATE TRIGGER keep_all_entry BEFORE TRUNCATE ON entry EXECUTE FUNCTION keep_all()",
    """
    CREATE TRIGGER keep_posting BEFORE INSERT OR UPDATE OR DELETE ON posting
    FOR EACH ROW EXECUTE FUNCTION keep_posting()
    """,
    "CREATE TRIGGER keep_all_posting BEFORE TRUNCATE ON posting EXECUTE FUNCTION keep_all()",
)
