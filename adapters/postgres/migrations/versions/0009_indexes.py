"""Create the indexes that large tables need, without blocking the work that goes on."""

from alembic import op

revision = "0009"
down_revision = "0008"

INDEXES = {
    # Finds the task that has a key: one at most.
    "tasks_key": "CREATE UNIQUE INDEX CONCURRENTLY tasks_key ON tasks (key) WHERE key IS NOT NULL",
    # Finds the tasks of a type and status. Running tasks are few, and are found by the index of their leases.
    "tasks_kinds": "CREATE INDEX CONCURRENTLY tasks_kinds ON tasks (type, status, id) WHERE status <> 'running'",
}


def upgrade() -> None:
    # Outside a transaction nothing is rolled back: first drop the index that a failed attempt may have left half built.
    with op.get_context().autocommit_block():
        lock_timeout = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        # These statements wait for all open transactions, however long that takes. No transaction waits for them.
        op.execute("SET lock_timeout = 0")
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(index)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_troubled")
        op.execute(f"SET lock_timeout = '{lock_timeout}'")
