"""Create the indexes that large tables need, without blocking the work that goes on."""

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0009"
down_revision = "0008"

INDEXES = {
    # Finds the task that has a key: one at most.
    "tasks_key": "CREATE UNIQUE INDEX CONCURRENTLY tasks_key ON tasks (key) WHERE key IS NOT NULL",
    # Finds the tasks of a type and status. Running tasks are few, and have an index of their own.
    "tasks_kinds": "CREATE INDEX CONCURRENTLY tasks_kinds ON tasks (type, status, id) WHERE status <> 'running'",
}


def upgrade() -> None:
    replace_indexes(INDEXES, dropped=["tasks_troubled"])
