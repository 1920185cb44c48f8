"""Store how often an API key may send requests, and whose tasks may wait up to a limit."""

from alembic import op

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0036"
down_revision = "0034"

TABLES = """
ALTER TABLE api_keys ADD COLUMN per_second float8, ADD COLUMN burst integer, ADD COLUMN max_waiting integer;

CREATE TABLE request_rates (
    owner text PRIMARY KEY,
    next timestamptz NOT NULL
);

ALTER TABLE tasks ADD COLUMN owner text;
"""
WAITING_INDEX = """
    CREATE INDEX CONCURRENTLY tasks_waiting_of_owner ON tasks (owner) WHERE owner IS NOT NULL AND status = 'waiting'
"""


def upgrade() -> None:
    op.execute(TABLES)
    replace_indexes({"tasks_waiting_of_owner": WAITING_INDEX})
