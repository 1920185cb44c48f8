"""Store the log of each attempt, also of those that are done or cancelled."""

from alembic import op

revision = "0002"
down_revision = "0001"

CHANGES = """
ALTER TABLE attempts
    ADD COLUMN log text NOT NULL DEFAULT '""',
    ALTER COLUMN error DROP NOT NULL,
    DROP CONSTRAINT outcome_is_known,
    ADD CONSTRAINT outcome_is_known CHECK (outcome IN ('done', 'failed', 'lost', 'cancelled')),
    ADD CONSTRAINT failed_means_error CHECK (outcome <> 'failed' OR error IS NOT NULL);
"""


def upgrade() -> None:
    op.execute(CHANGES)
