"""Store the place of a task in the trace of the request that submitted it."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.execute("ALTER TABLE tasks ADD COLUMN traceparent text")
    # It is sent to others as a header. The rows of before have none, and need not be read.
    op.execute("""
        ALTER TABLE tasks ADD CONSTRAINT traceparent_is_a_header
        CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') NOT VALID
    """)
