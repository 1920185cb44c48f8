"""Types may recur. What is older than this publishes nothing of it, and leaves schedules as they are."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLE = """
CREATE TABLE schedules (
    type text PRIMARY KEY REFERENCES task_types ON DELETE CASCADE,
    every text NOT NULL,
    timezone text NOT NULL,
    next timestamptz NOT NULL,
    omitted boolean NOT NULL,
    abandoned timestamptz,
    CONSTRAINT abandoned_means_omitted CHECK (abandoned IS NULL OR omitted)
)
"""


def upgrade() -> None:
    op.execute(TABLE)
