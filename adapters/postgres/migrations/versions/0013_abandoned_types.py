"""Store since when no live handler has a type while others live; nothing for the types of live handlers."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # Not `abandoned`: processes of the version before read that column of the schedules without naming the table.
    op.execute("ALTER TABLE task_types ADD COLUMN abandoned_at timestamptz")
