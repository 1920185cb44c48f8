"""Store where and since when each handler runs, with how many slots, whether it stops; and a record of each janitor."""

from alembic import op

revision = "0015"
down_revision = "0014"

# Handlers of the version before publish and renew their records without these columns.
COLUMNS = """
ALTER TABLE handlers
    ADD COLUMN host text,
    ADD COLUMN pid integer,
    ADD COLUMN started timestamptz,
    ADD COLUMN concurrency integer,
    ADD COLUMN is_draining boolean
"""

JANITORS = """
CREATE TABLE janitors (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    started timestamptz NOT NULL,
    last_seen timestamptz NOT NULL
)
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(JANITORS)
