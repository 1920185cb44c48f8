"""Count the events of tasks by type and minute, with histograms of their durations: triggers follow every change."""

from alembic import op

revision = "0016"
down_revision = "0015"

# The counts are the sums of these. No row is ever updated, so nothing waits for another. Janitors fold many into one.
# `numbers` has the number of events in each bucket; without it there is one event for each element of `buckets`. An
# event without a duration has NULL as its bucket.
TABLE = """
CREATE TABLE task_event_counts (
    minute timestamptz NOT NULL,
    type text NOT NULL,
    event text NOT NULL,
    buckets smallint[] NOT NULL,
    numbers integer[]
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX task_event_counts_minutes ON task_event_counts (minute);
"""

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
    RETURN NULL;
END
$$;
"""

# The events are those of domain.event.events_between. Most statements make one group, which is counted by two or three
# short inserts. Retries and losses depend on more of a row, and are looked at apart where there may be any.
# A FULL JOIN is never planned as a nested loop, whatever the number of rows was when it was planned for the session.
CHANGED = f"""
CREATE OR REPLACE FUNCTION tasks_were_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    minute CONSTANT timestamptz = date_trunc('minute', now());
    may_be_back boolean = false;
    change record;
BEGIN
    FOR change IN
        SELECT NULLIF(before.type, after.type) AS old_type, before.status AS old_status, after.type, after.status,
            count(*) AS number,
            array_agg({BUCKET.format(start="after.run_at", end="after.started")})
                FILTER (WHERE before.started IS NULL AND after.started IS NOT NULL) AS waits,
            array_agg(CASE WHEN after.started IS NOT NULL THEN
                {BUCKET.format(start="after.started", end="after.finished")} END)
                FILTER (WHERE before.finished IS NULL AND after.finished IS NOT NULL) AS runs
        FROM before FULL JOIN after ON after.id = before.id
        GROUP BY 1, 2, 3, 4
    LOOP
        IF change.status IS DISTINCT FROM change.old_status OR change.old_type IS NOT NULL THEN
            INSERT INTO task_count_changes
            SELECT * FROM (VALUES
                (coalesce(change.old_type, change.type), change.old_status, -change.number),
                (change.type, change.status, change.number)
            ) AS sides (type, status) WHERE status IS NOT NULL;
            may_be_back = may_be_back OR change.status IN ('waiting', 'failed');
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


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ADDED)
    op.execute(CHANGED)
