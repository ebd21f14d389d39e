"""The migrations make the tables that the code reads, up and down."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from erp_adapters.ledger import schema
from erp_adapters.ledger.simulator import LedgerSimulator
from hub.errors import Misconfigured
from tests.erp_adapters.ledger.conftest import OpenLedger
from tests.erp_adapters.ledger.sale import invoice, masters, write


def test_the_migrated_tables_are_those_of_the_code(ledger: LedgerSimulator) -> None:
    with ledger.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)

    assert differences == []


def test_the_head_is_the_last_migration() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.head()


def test_down_leaves_nothing_and_up_again_works_with_entries_posted_before(ledger: LedgerSimulator) -> None:
    ledger.put([*masters(), write(invoice())])

    schema.migrate(ledger.engine, "base")
    left = inspect(ledger.engine).get_table_names()
    schema.migrate(ledger.engine, "head")
    outcomes = ledger.put([*masters(), write(invoice())])

    assert left == ["alembic_version"]
    assert [outcome.ref for outcome in outcomes] == ["CUST-1", "ITEM-2", "INV-3"]


def test_a_database_of_another_version_is_not_opened(ledger: LedgerSimulator, open_ledger: OpenLedger) -> None:
    with schema.write(ledger.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'v0000_older'"))

    with pytest.raises(Misconfigured, match=r"v0000_older.*orderhub migrate"):
        open_ledger()
