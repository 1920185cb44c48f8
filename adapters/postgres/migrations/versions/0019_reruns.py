"""Link tasks that run others again with these, in a table of their own: a task that is no rerun writes nothing."""

from alembic import op

revision = "0019"
down_revision = "0018"

TABLE = """
CREATE TABLE reruns (
    task bigint PRIMARY KEY,
    origin bigint NOT NULL
);

CREATE INDEX reruns_of_origin ON reruns (origin, task);
"""

# No foreign key: it would look up each deleted task here. A rerun is written in the transaction that adds its task.
TRIGGERS = """
CREATE FUNCTION reruns_were_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    -- Few tasks are reruns: one look tells whether any of all these is.
    IF EXISTS (
        SELECT FROM reruns WHERE task BETWEEN (SELECT min(id) FROM removed) AND (SELECT max(id) FROM removed)
    ) THEN
        DELETE FROM reruns r USING removed WHERE r.task = removed.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION reruns_were_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reruns;
    RETURN NULL;
END
$$;

CREATE TRIGGER reruns_removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION reruns_were_removed();

CREATE TRIGGER reruns_emptied AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION reruns_were_emptied();
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(TRIGGERS)
