"""Alembic's door: it migrates on the connection that `schema.migrate` hands it."""

from alembic import context

from erp_adapters.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
