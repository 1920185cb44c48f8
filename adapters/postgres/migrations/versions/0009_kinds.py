"""Lists of one status or type are read by an index of their own, which is built beside the work that goes on."""

from alembic import op

revision = "0009"
down_revision = "0008"

# Of a type, what stands so? Running tasks are few, and found by their leases.
INDEX = "CREATE INDEX CONCURRENTLY tasks_kinds ON tasks (type, status, id) WHERE status <> 'running'"


def upgrade() -> None:
    # Outside a transaction: what was begun and broke off is there, and begins anew. It waits for all who are at work.
    with op.get_context().autocommit_block():
        op.execute("SELECT set_config('lock_timeout', '0', false)")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_kinds")
        op.execute(INDEX)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS tasks_troubled")
