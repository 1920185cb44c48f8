"""Store the seconds of each handler's leases; none for handlers whose code is older than the column."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE handlers ADD COLUMN lease double precision")
