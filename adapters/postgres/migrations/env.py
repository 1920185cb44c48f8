"""Alembic's environment: runs the revisions on the connection that migrate.py passes, or prints their SQL."""

from alembic import context

if context.is_offline_mode():
    # Named parameters, of which there are none: the style of the driver would double each percent sign.
    context.configure(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, transaction_per_migration=True)
else:
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
