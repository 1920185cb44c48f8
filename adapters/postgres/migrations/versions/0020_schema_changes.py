"""Store when the schema of a type became another one: a publication that brings another schema sets the time."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE task_types ADD COLUMN changed timestamptz")
