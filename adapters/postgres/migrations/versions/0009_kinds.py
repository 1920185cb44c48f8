"""Lists of one status or type are read by an index of their own, which is built beside the work that goes on."""

from alembic import op

revision = "0009"
down_revision = "0008"

# Of a type, what stands so? Running tasks are few, and found by their leases.
INDEX = "CREATE INDEX CONCURRENTLY tasks_kinds ON tasks (type, status, id) WHERE status <> 'running'"


def upgrade() -> None:
    # Outside a transaction nothing is undone: what another attempt has left half built goes first.
    with op.get_context().autocommit_block():
        patience = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
        # It waits for all who are at work, however long that takes; nobody waits for it.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_kinds")
        op.execute(INDEX)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_troubled")
        op.execute(f"SET lock_timeout = '{patience}'")
