"""Store the idempotency key of a task, by which a repeated request finds the task of the first."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks ADD COLUMN key text, ADD COLUMN fingerprint text")
