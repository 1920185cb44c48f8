"""Store the output of a start while it goes on, in the record that its end will replace."""

from alembic import op

revision = "0014"
down_revision = "0013"

# No column has a default other than NULL, so no row is rewritten. The constraint admits more than the one before, so
# the rows that are there need not be read.
CHANGES = """
ALTER TABLE tasks ADD COLUMN printed timestamptz;

ALTER TABLE attempts
    ADD COLUMN logged_by text,
    DROP CONSTRAINT outcome_is_known,
    ADD CONSTRAINT outcome_is_known CHECK (outcome IN ('running', 'done', 'failed', 'lost', 'cancelled')) NOT VALID;

-- A long log is replaced once a second: clean up often, in small steps.
ALTER TABLE attempts SET (
    toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.05
);
"""


def upgrade() -> None:
    op.execute(CHANGES)
