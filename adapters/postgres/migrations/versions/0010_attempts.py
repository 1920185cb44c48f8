"""Delete attempts with their tasks by the trigger on deletions, once a statement."""

from alembic import op

revision = "0010"
down_revision = "0009"

# No foreign key: it would look up each deleted task here, which takes a third of a janitor's time. A transaction that
# writes an attempt holds the lock of its task, so no attempt is written after the deletion.
CHANGES = """
ALTER TABLE attempts DROP CONSTRAINT attempts_task_fkey;

CREATE OR REPLACE FUNCTION tasks_were_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO task_count_changes SELECT type, status, -count(*) FROM removed GROUP BY type, status;
    -- Neighbours in the index one after the other.
    DELETE FROM task_terms t USING (SELECT unnest(terms) AS term, id FROM removed ORDER BY 1, 2) of_task
    WHERE t.term = of_task.term AND t.task = of_task.id;
    -- Most starts leave no record: one look tells whether any of all these did.
    IF EXISTS (
        SELECT FROM attempts
        WHERE task BETWEEN (SELECT min(id) FROM removed) AND (SELECT max(id) FROM removed)
    ) THEN
        DELETE FROM attempts a USING removed WHERE a.task = removed.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION tasks_were_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE task_count_changes, task_terms;
    -- Not truncated, for that may be just what the same statement has done.
    DELETE FROM attempts;
    RETURN NULL;
END
$$;
"""


def upgrade() -> None:
    op.execute(CHANGES)
