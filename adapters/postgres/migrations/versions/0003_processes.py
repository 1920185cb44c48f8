"""Store the process of each handler, so that others on its machine can see when it ends."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE handlers ADD COLUMN process text")
