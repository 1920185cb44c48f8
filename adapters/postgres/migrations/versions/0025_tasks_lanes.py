"""Find waiting tasks by their lanes. A task without a lane is not in the index, and costs nothing."""

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0025"
down_revision = "0024"

INDEXES = {
    "tasks_lanes": """
        CREATE INDEX CONCURRENTLY tasks_lanes ON tasks (type, priority, lane, run_at, id)
        WHERE status = 'waiting' AND lane IS NOT NULL
    """
}


def upgrade() -> None:
    replace_indexes(INDEXES)
