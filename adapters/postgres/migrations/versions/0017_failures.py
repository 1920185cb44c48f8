"""Group failed tasks by their errors: triggers keep a row of each task that is failed."""

from alembic import op
from sqlalchemy import text

revision = "0017"
down_revision = "0016"

# application.failure_groups.masked_stored, as a number. Its texts have an E, so that they are the same whatever
# `standard_conforming_strings` is. The index is read alone, so that groups are counted without their tasks. No foreign
# key: it would look up each deleted task here, and few have failed. The WHEN of a trigger costs next to nothing.
CHANGES = r"""
CREATE TABLE task_failures (
    type text NOT NULL,
    failure_group bigint NOT NULL,
    task bigint NOT NULL,
    failed timestamptz NOT NULL,
    PRIMARY KEY (type, failure_group, task) INCLUDE (failed)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION failure_group(error text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(left(regexp_replace(left(error, 1000),
        E'(\\\\u[0-9a-f]{4})|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|0[xX][0-9a-fA-F]+|[0-9]+',
        E'\\1N', 'g'), 300), 0)
$$;

-- It may have been planned when the table was small.
CREATE FUNCTION keep_failure() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'failed' THEN
        DELETE FROM task_failures
        WHERE type = OLD.type AND failure_group = failure_group(OLD.error) AND task = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'failed' THEN
        INSERT INTO task_failures VALUES (NEW.type, failure_group(NEW.error), NEW.id, NEW.finished)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER failure_added AFTER INSERT ON tasks FOR EACH ROW
    WHEN (NEW.status = 'failed')
    EXECUTE FUNCTION keep_failure();
CREATE TRIGGER failure_changed AFTER UPDATE ON tasks FOR EACH ROW
    WHEN ('failed' IN (OLD.status, NEW.status)
        AND (OLD.status, OLD.type, OLD.error) IS DISTINCT FROM (NEW.status, NEW.type, NEW.error))
    EXECUTE FUNCTION keep_failure();
CREATE TRIGGER failure_removed AFTER DELETE ON tasks FOR EACH ROW
    WHEN (OLD.status = 'failed')
    EXECUTE FUNCTION keep_failure();

CREATE FUNCTION forget_failures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE task_failures;
    RETURN NULL;
END $$;
CREATE TRIGGER failures_emptied AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION forget_failures();
"""


def upgrade() -> None:
    # The pattern has colons that are no parameters.
    op.execute(text(CHANGES.replace(":", r"\:")))
