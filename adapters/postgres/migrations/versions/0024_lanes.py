"""Store the lane of a task, in which it takes turns with others, and whose turn it was last."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    # Lanes are compared by their bytes, whatever the collation of the database is.
    op.execute('ALTER TABLE tasks ADD COLUMN lane text COLLATE "C"')
    # A JSON object: the last lane of each priority.
    op.execute("ALTER TABLE type_limits ADD COLUMN last_lanes text NOT NULL DEFAULT '{}'")
