"""Mark suspects: tasks that were running when their handler died."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # The default lets handlers of the version before add and settle tasks, and no row is rewritten.
    op.execute("ALTER TABLE tasks ADD COLUMN suspect boolean NOT NULL DEFAULT false")
