"""The inbox: what is due is found by what is due alone, however much was taken in before."""

from pathlib import Path

from sqlalchemy.dialects import sqlite

from hub.store.engine import connect
from hub.store.inbox import due_query


def test_what_is_due_is_read_along_the_index_of_what_is_due(tmp_path: Path) -> None:
    """SQLite would rather take the index of keys, by which it walks and sorts all that the channels ever sent."""
    engine = connect(f"sqlite:///{tmp_path / 'inbox.db'}", "inbox")
    query = due_query(500, ["shopify", "ledger"])
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    engine.dispose()

    assert plan == [
        "SCAN record USING INDEX record_due",
        "SEARCH body USING INTEGER PRIMARY KEY (rowid=?)",
    ]
