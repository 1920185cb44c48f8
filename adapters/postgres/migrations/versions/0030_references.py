"""Store whether the arguments of a task refer to results of other tasks, which its handler fills in."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks ADD COLUMN has_references boolean NOT NULL DEFAULT false")
