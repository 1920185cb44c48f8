"""Store the JSON Schema of the results of a type. Handlers of versions before publish none."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.execute("ALTER TABLE task_types ADD COLUMN result_schema text")
