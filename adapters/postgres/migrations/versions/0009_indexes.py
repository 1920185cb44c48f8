"""Indexes that large tables need, built beside the work that goes on."""

from alembic import op

revision = "0009"
down_revision = "0008"

INDEXES = {
    # Which task has that key? One at most.
    "tasks_key": "CREATE UNIQUE INDEX CONCURRENTLY tasks_key ON tasks (key) WHERE key IS NOT NULL",
    # Of a type, what stands so? Running tasks are few, and found by their leases.
    "tasks_kinds": "CREATE INDEX CONCURRENTLY tasks_kinds ON tasks (type, status, id) WHERE status <> 'running'",
}


def upgrade() -> None:
    # Outside a transaction nothing is undone: what another attempt has left half built goes first.
    with op.get_context().autocommit_block():
        patience = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        # It waits for all who are at work, however long that takes; nobody waits for it.
        op.execute("SET lock_timeout = 0")
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(index)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_troubled")
        op.execute(f"SET lock_timeout = '{patience}'")
