"""Store batches, and count their tasks: triggers follow every change of the tasks."""

from alembic import op

from adapters.postgres.concurrent_indexes import replace_indexes

revision = "0027"
down_revision = "0026"

# The counts of a batch are those of its row and the sums of the changes. Triggers only append, so nothing waits for
# another. Janitors fold the changes into the rows. `due` says that the batch may be ready to finish.
TABLES = """
ALTER TABLE tasks ADD COLUMN batch bigint;

CREATE TABLE batches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created timestamptz NOT NULL,
    expire timestamptz NOT NULL,
    ttl integer NOT NULL,
    name text,
    labels text,
    is_open boolean NOT NULL,
    finished timestamptz,
    then_task bigint,
    callback text,
    key text,
    fingerprint text,
    ids bigint[],
    due boolean NOT NULL DEFAULT true,
    waiting bigint NOT NULL DEFAULT 0,
    running bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    deleted bigint NOT NULL DEFAULT 0,
    CONSTRAINT labels_are_an_object CHECK (json_typeof(CAST(labels AS json)) = 'object'),
    CONSTRAINT open_means_unfinished CHECK (NOT is_open OR finished IS NULL)
);

CREATE UNIQUE INDEX batches_key ON batches (key) WHERE key IS NOT NULL;
CREATE INDEX batches_due ON batches (id) WHERE due;
CREATE INDEX batches_then ON batches (then_task) WHERE then_task IS NOT NULL;
CREATE INDEX batches_open ON batches (expire) WHERE is_open;
CREATE INDEX batches_expire ON batches (expire) WHERE finished IS NOT NULL;

CREATE TABLE batch_deliveries (
    batch bigint PRIMARY KEY,
    finished timestamptz NOT NULL,
    due timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending',
    url text NOT NULL,
    error text,
    CONSTRAINT state_is_known CHECK (state IN ('pending', 'delivered', 'given_up')),
    CONSTRAINT attempts_are_counted CHECK (attempts >= 0)
);

CREATE INDEX batch_deliveries_due ON batch_deliveries (due, batch) WHERE state = 'pending';

CREATE TABLE batch_count_changes (
    batch bigint NOT NULL,
    status text NOT NULL,
    change bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX batch_count_changes_batches ON batch_count_changes (batch);
"""

# A delivery begins with each finish, and ends when a retry lets the batch go on, or with the batch.
DELIVERIES = """
CREATE FUNCTION keep_batch_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM batch_deliveries WHERE batch = OLD.id;
    IF TG_OP = 'UPDATE' AND NEW.finished IS NOT NULL THEN
        INSERT INTO batch_deliveries (batch, finished, due, url)
        VALUES (NEW.id, NEW.finished, NEW.finished, NEW.callback);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER batches_finished AFTER UPDATE OF finished ON batches FOR EACH ROW
    WHEN (NEW.callback IS NOT NULL AND OLD.finished IS DISTINCT FROM NEW.finished)
    EXECUTE FUNCTION keep_batch_delivery();
CREATE TRIGGER batches_gone AFTER DELETE ON batches FOR EACH ROW
    WHEN (OLD.callback IS NOT NULL)
    EXECUTE FUNCTION keep_batch_delivery();
"""

INDEXES = {
    "tasks_batches": "CREATE INDEX CONCURRENTLY tasks_batches ON tasks (batch, status, id) WHERE batch IS NOT NULL",
    "tasks_batch_ends": """
        CREATE INDEX CONCURRENTLY tasks_batch_ends ON tasks (batch, finished, id)
        WHERE batch IS NOT NULL AND finished IS NOT NULL
    """,
    "tasks_batch_failures": """
        CREATE INDEX CONCURRENTLY tasks_batch_failures ON tasks (batch, finished, id)
        WHERE batch IS NOT NULL AND status = 'failed'
    """,
}

# domain.histogram.bucket_between. Between infinite timestamps lies NaN, which is the greatest number to PostgreSQL.
BUCKET = """
    CAST(floor(ln(least(greatest(date_part('epoch', {end}) - date_part('epoch', {start}), 0.001), 604800))
        * 5.7707801635558535 + 1e-9) AS smallint)
"""

ADDED = """
CREATE OR REPLACE FUNCTION tasks_were_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH counted AS (
        INSERT INTO task_count_changes SELECT type, status, count(*) FROM added GROUP BY type, status
        RETURNING type, change
    )
    INSERT INTO task_event_counts
    SELECT date_trunc('minute', now()), type, 'submitted', '{NULL}', ARRAY[CAST(change AS integer)] FROM counted;
    INSERT INTO task_terms SELECT unnest(terms), id FROM added ON CONFLICT DO NOTHING;
    IF EXISTS (SELECT FROM added WHERE batch IS NOT NULL) THEN
        INSERT INTO batch_count_changes
        SELECT batch, status, count(*) FROM added WHERE batch IS NOT NULL GROUP BY batch, status;
    END IF;
    RETURN NULL;
END
$$;
"""

# The groups are those of types and batches: most statements change tasks of one.
CHANGED = f"""
CREATE OR REPLACE FUNCTION tasks_were_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    minute CONSTANT timestamptz = date_trunc('minute', now());
    may_be_back boolean = false;
    change record;
BEGIN
    FOR change IN
        SELECT NULLIF(before.type, after.type) AS old_type, before.status AS old_status, after.type, after.status,
            after.batch, count(*) AS number,
            array_agg({BUCKET.format(start="after.run_at", end="after.started")})
                FILTER (WHERE before.started IS NULL AND after.started IS NOT NULL) AS waits,
            array_agg(CASE WHEN after.started IS NOT NULL THEN
                {BUCKET.format(start="after.started", end="after.finished")} END)
                FILTER (WHERE before.finished IS NULL AND after.finished IS NOT NULL) AS runs
        FROM before FULL JOIN after ON after.id = before.id
        GROUP BY 1, 2, 3, 4, 5
    LOOP
        IF change.status IS DISTINCT FROM change.old_status OR change.old_type IS NOT NULL THEN
            INSERT INTO task_count_changes
            SELECT * FROM (VALUES
                (coalesce(change.old_type, change.type), change.old_status, -change.number),
                (change.type, change.status, change.number)
            ) AS sides (type, status) WHERE status IS NOT NULL;
            may_be_back = may_be_back OR change.status IN ('waiting', 'failed');
        END IF;
        IF change.batch IS NOT NULL AND change.status IS DISTINCT FROM change.old_status THEN
            INSERT INTO batch_count_changes VALUES
                (change.batch, change.old_status, -change.number), (change.batch, change.status, change.number);
        END IF;
        IF change.waits IS NOT NULL THEN
            INSERT INTO task_event_counts VALUES (minute, change.type, 'started', change.waits);
        END IF;
        IF change.runs IS NOT NULL THEN
            INSERT INTO task_event_counts VALUES (minute, change.type, change.status, change.runs);
        END IF;
    END LOOP;
    IF may_be_back THEN
        INSERT INTO task_event_counts
        SELECT minute, type, event, '{{NULL}}', ARRAY[CAST(count(*) AS integer)]
        FROM (
            SELECT after.type, unnest(CASE
                WHEN before.status <> 'running' THEN ARRAY['retried']
                WHEN after.losses > before.losses OR after.suspect AND NOT before.suspect THEN ARRAY['lost']
                WHEN after.status = 'waiting' AND after.attempt >= before.attempt THEN
                    CASE WHEN before.started IS NULL THEN ARRAY['retried', 'started'] ELSE ARRAY['retried'] END
            END) AS event
            FROM before FULL JOIN after ON after.id = before.id
            WHERE after.status = 'waiting' AND before.status <> 'waiting'
                OR after.status = 'failed' AND before.status = 'running'
        ) back
        GROUP BY type, event;
    END IF;
    RETURN NULL;
END
$$;
"""

REMOVED = """
CREATE FUNCTION batch_tasks_were_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO batch_count_changes
    SELECT counted.batch, side.status, side.sign * counted.number
    FROM (SELECT batch, status, count(*) AS number FROM removed WHERE batch IS NOT NULL GROUP BY batch, status) counted
    CROSS JOIN LATERAL (VALUES (counted.status, -1), ('deleted', 1)) AS side (status, sign);
    RETURN NULL;
END
$$;

CREATE FUNCTION batches_were_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM batch_count_changes;
    DELETE FROM batches;
    DELETE FROM batch_deliveries;
    RETURN NULL;
END
$$;

CREATE TRIGGER batch_tasks_removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION batch_tasks_were_removed();
CREATE TRIGGER batches_emptied AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION batches_were_emptied();
"""


def upgrade() -> None:
    for statement in (TABLES, DELIVERIES, ADDED, CHANGED, REMOVED):
        op.execute(statement)
    replace_indexes(INDEXES)
