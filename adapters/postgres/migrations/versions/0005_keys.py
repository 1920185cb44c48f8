"""Tasks may have a key, by which a request that comes again finds the task of the first."""

from alembic import op

revision = "0005"
down_revision = "0004"

CHANGES = """
ALTER TABLE tasks ADD COLUMN key text;
CREATE UNIQUE INDEX tasks_key ON tasks (key) WHERE key IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(CHANGES)
