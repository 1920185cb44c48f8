"""Store the schemas of each handler, in the order of its types: two versions of a function may be live at once."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE handlers ADD COLUMN schemas text[]")
