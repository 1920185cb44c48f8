"""Create the schedules of types. Code that is older than this revision publishes none and leaves them unchanged."""

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
