"""Store callbacks: a trigger begins a delivery when a task with a callback finishes, and ends it at a retry."""

from alembic import op

revision = "0007"
down_revision = "0006"

# No foreign key: it would look up each deleted task here, and few tasks have a callback. The triggers delete the
# deliveries instead, and the WHEN of a trigger costs next to nothing.
CHANGES = """
ALTER TABLE tasks ADD COLUMN callback text;
ALTER TABLE task_types ADD COLUMN callback text;

CREATE TABLE deliveries (
    task bigint PRIMARY KEY,
    finished timestamptz NOT NULL,
    due timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending',
    url text NOT NULL,
    error text,
    CONSTRAINT state_is_known CHECK (state IN ('pending', 'delivered', 'given_up')),
    CONSTRAINT attempts_are_counted CHECK (attempts >= 0)
);

-- Who is to be told next?
CREATE INDEX deliveries_due ON deliveries (due, task) WHERE state = 'pending';

CREATE FUNCTION keep_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries WHERE task = OLD.id;
    IF TG_OP = 'UPDATE' AND NEW.finished IS NOT NULL THEN
        INSERT INTO deliveries (task, finished, due, url) VALUES (NEW.id, NEW.finished, NEW.finished, NEW.callback);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tasks_finished AFTER UPDATE OF finished ON tasks FOR EACH ROW
    WHEN (NEW.callback IS NOT NULL AND OLD.finished IS DISTINCT FROM NEW.finished)
    EXECUTE FUNCTION keep_delivery();
CREATE TRIGGER tasks_gone AFTER DELETE ON tasks FOR EACH ROW
    WHEN (OLD.callback IS NOT NULL)
    EXECUTE FUNCTION keep_delivery();
"""


def upgrade() -> None:
    op.execute(CHANGES)
