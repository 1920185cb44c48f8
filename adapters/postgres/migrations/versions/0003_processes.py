"""Handlers say which process they are, so that others on their machine can see when they end."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE handlers ADD COLUMN process text")
