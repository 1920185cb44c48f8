"""Store the task of the last tick of a schedule, and how many ticks were skipped. Older code writes neither."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE schedules ADD COLUMN last_task bigint, ADD COLUMN skipped integer NOT NULL DEFAULT 0")
