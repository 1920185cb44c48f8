"""Tasks may have a key, by which a request that comes again finds the task of the first."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks ADD COLUMN key text, ADD COLUMN fingerprint text")
