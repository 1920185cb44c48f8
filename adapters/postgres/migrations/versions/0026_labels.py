"""Store the labels of a task. They are found by search terms, as arguments are."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks ADD COLUMN labels text")
    # The text stands in answers as it is stored. The rows of before have none, and need not be read.
    op.execute("""
        ALTER TABLE tasks ADD CONSTRAINT labels_are_an_object
        CHECK (json_typeof(CAST(labels AS json)) = 'object') NOT VALID
    """)
