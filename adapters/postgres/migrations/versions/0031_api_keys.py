"""Store API keys, and whose key has made each batch. The search terms of a task say the same of it."""

from alembic import op

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0031"
down_revision = "0030"

TABLES = """
CREATE TABLE api_keys (
    id text PRIMARY KEY,
    digest text NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    types text[],
    own_only boolean NOT NULL,
    created timestamptz NOT NULL,
    expires timestamptz,
    last_used timestamptz,
    revoked timestamptz
);

ALTER TABLE batches ADD COLUMN owner text;
"""
OWNER_INDEX = "CREATE INDEX CONCURRENTLY batches_owner ON batches (owner, id) WHERE owner IS NOT NULL"


def upgrade() -> None:
    op.execute(TABLES)
    replace_indexes({"batches_owner": OWNER_INDEX})
