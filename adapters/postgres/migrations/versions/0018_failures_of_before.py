"""Group the tasks that had failed before there were groups, some at a time, without blocking the work that goes on."""

from alembic import op
from psycopg2.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

revision = "0018"
down_revision = "0017"

# The lock keeps a task failed until its entry is visible, so that the trigger deletes it later.
BATCH = text("""
    WITH batch AS MATERIALIZED (
        SELECT id, type, error, finished FROM tasks
        WHERE id > :after AND status = 'failed'
        ORDER BY id LIMIT 1000 FOR SHARE
    ), entered AS (
        INSERT INTO task_failures SELECT type, failure_group(error), id, finished FROM batch ON CONFLICT DO NOTHING
    )
    SELECT max(id) FROM batch
""")

ALL = """
    INSERT INTO task_failures SELECT type, failure_group(error), id, finished FROM tasks WHERE status = 'failed'
    ON CONFLICT DO NOTHING
"""
"""The same in one statement, for an administrator who runs the printed SQL."""


def upgrade() -> None:
    if op.get_context().as_sql:
        op.execute(ALL)
        return
    with op.get_context().autocommit_block():
        after: int | None = 0
        while after is not None:
            after = _enter(after)


def _enter(after: int) -> int | None:
    """Enter the next tasks; again where a row stayed locked for too long. The last of them, or None."""
    while True:
        try:
            last: int | None = op.get_bind().execute(BATCH, {"after": after}).scalar_one()
            return last
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
