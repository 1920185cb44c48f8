"""Count tasks by type and status, and find them by their arguments: triggers follow every change of the tasks."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
-- What a task is found by; kept with it, so that whoever deletes it knows.
ALTER TABLE tasks ADD COLUMN terms bigint[];

-- Without a reference to the task: who submits must not look it up again, and the trigger takes both out together.
CREATE TABLE task_terms (
    term bigint NOT NULL,
    task bigint NOT NULL,
    PRIMARY KEY (term, task)
);

-- The counts are the sums of these. No row is ever updated, so nobody waits for another. Janitors fold many into one.
CREATE TABLE task_count_changes (
    type text NOT NULL,
    status text NOT NULL,
    change bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION tasks_were_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO task_count_changes SELECT type, status, count(*) FROM added GROUP BY type, status;
    INSERT INTO task_terms SELECT unnest(terms), id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION tasks_were_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO task_count_changes
    SELECT type, status, sum(change)
    FROM (SELECT type, status, -1 AS change FROM before UNION ALL SELECT type, status, 1 FROM after) changes
    GROUP BY type, status HAVING sum(change) <> 0;
    RETURN NULL;
END
$$;

-- The planner does not know how many were removed, and may have planned for a table that was small then.
CREATE FUNCTION tasks_were_removed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO task_count_changes SELECT type, status, -count(*) FROM removed GROUP BY type, status;
    DELETE FROM task_terms t USING (SELECT unnest(terms) AS term, id FROM removed) of_task
    WHERE t.term = of_task.term AND t.task = of_task.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION tasks_were_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE task_count_changes, task_terms;
    RETURN NULL;
END
$$;

CREATE TRIGGER added AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tasks_were_added();
CREATE TRIGGER changed AFTER UPDATE ON tasks
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION tasks_were_changed();
CREATE TRIGGER removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION tasks_were_removed();
CREATE TRIGGER emptied AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION tasks_were_emptied();

INSERT INTO task_count_changes SELECT type, status, count(*) FROM tasks GROUP BY type, status;
"""


def upgrade() -> None:
    op.execute(TABLES)
