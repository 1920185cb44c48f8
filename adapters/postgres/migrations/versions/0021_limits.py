"""Store the limits of types: the declared ones, those that an operator sets, and the next regular start of a rate."""

from alembic import op

revision = "0021"
down_revision = "0020"

# One row for each limited type; a claim locks it before it counts what runs. `declared` and `override` are JSON.
# Updates are frequent, and change no index: room beside each row keeps its versions on one page.
TABLE = """
CREATE TABLE type_limits (
    type text PRIMARY KEY,
    declared text NOT NULL DEFAULT '{}',
    override text,
    next_start timestamptz
) WITH (fillfactor = 20)
"""


def upgrade() -> None:
    op.execute(TABLE)
