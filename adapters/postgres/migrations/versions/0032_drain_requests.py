"""Store how a handler was asked to stop, by an operator who need not be on its machine."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("ALTER TABLE handlers ADD COLUMN drain_request text CHECK (drain_request IN ('grace', 'unlimited'))")
