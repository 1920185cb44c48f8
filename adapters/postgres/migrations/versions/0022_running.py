"""Find running tasks by their type instead of by their lease: a renewal of leases changes no index any more."""

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0022"
down_revision = "0021"

# What runs of a limited type is counted by it. What looks for leases reads all of it, as running tasks are few.
INDEXES = {"tasks_running": "CREATE INDEX CONCURRENTLY tasks_running ON tasks (type) WHERE status = 'running'"}


def upgrade() -> None:
    replace_indexes(INDEXES, dropped=["tasks_leases"])
