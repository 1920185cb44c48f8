"""Store which tasks wait for which, and note the parents that have changed: triggers follow the tasks."""

from alembic import op

revision = "0028"
down_revision = "0027"

# No foreign keys: they would look up each deleted task here, and a parent may be deleted before its dependents. A task
# without parents and dependents writes nothing here, and the WHEN of a trigger costs next to nothing.
TABLES = """
ALTER TABLE tasks ADD COLUMN has_dependents boolean NOT NULL DEFAULT false;
ALTER TABLE tasks ADD COLUMN if_parent_failed text;
ALTER TABLE tasks ADD COLUMN wanted_run_at timestamptz;

CREATE TABLE dependencies (
    dependent bigint NOT NULL,
    parent bigint NOT NULL,
    PRIMARY KEY (dependent, parent)
);

CREATE INDEX dependencies_of_parent ON dependencies (parent, dependent);

-- The dependents of `parent` with ids from `first` to `last` are to be looked at.
CREATE TABLE changed_parents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent bigint NOT NULL,
    first bigint NOT NULL DEFAULT 0,
    last bigint NOT NULL DEFAULT 9223372036854775807
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
"""

# The functions may have been planned when the tables were small. A blocked task has domain.instants.NEVER as `run_at`.
TRIGGERS = """
CREATE FUNCTION note_changed_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changed_parents (parent) VALUES (OLD.id);
    RETURN NULL;
END
$$;

CREATE FUNCTION note_parent_of_blocked() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO changed_parents (parent, first, last)
    SELECT d.parent, NEW.id, NEW.id FROM dependencies d LEFT JOIN tasks p ON p.id = d.parent
    WHERE d.dependent = NEW.id
    ORDER BY coalesce(p.status, 'failed') IN ('failed', 'cancelled') DESC LIMIT 1;
    RETURN NULL;
END
$$;

CREATE FUNCTION forget_dependencies() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM dependencies WHERE dependent = OLD.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION dependencies_were_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM dependencies;
    DELETE FROM changed_parents;
    RETURN NULL;
END
$$;

CREATE TRIGGER parent_changed AFTER UPDATE OF finished ON tasks FOR EACH ROW
    WHEN (NEW.has_dependents AND OLD.finished IS DISTINCT FROM NEW.finished)
    EXECUTE FUNCTION note_changed_parent();
CREATE TRIGGER parent_removed AFTER DELETE ON tasks FOR EACH ROW
    WHEN (OLD.has_dependents)
    EXECUTE FUNCTION note_changed_parent();
CREATE TRIGGER dependent_blocked AFTER UPDATE OF finished ON tasks FOR EACH ROW
    WHEN (NEW.if_parent_failed IS NOT NULL AND NEW.run_at = timestamptz '9999-12-01Z' AND NEW.finished IS NULL
        AND OLD.finished IS NOT NULL)
    EXECUTE FUNCTION note_parent_of_blocked();
CREATE TRIGGER dependent_removed AFTER DELETE ON tasks FOR EACH ROW
    WHEN (OLD.if_parent_failed IS NOT NULL)
    EXECUTE FUNCTION forget_dependencies();
CREATE TRIGGER dependencies_emptied AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION dependencies_were_emptied();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)
