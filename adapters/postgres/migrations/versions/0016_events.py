"""Count the events of tasks by type and minute, with histograms of their durations: triggers follow every change."""

from alembic import op

revision = "0016"
down_revision = "0015"

# The counts are the sums of these. No row is ever updated, so nothing waits for another. Janitors fold many into one.
TABLE = """
CREATE TABLE task_event_counts (
    minute timestamptz NOT NULL,
    type text NOT NULL,
    event text NOT NULL,
    buckets smallint[] NOT NULL,
    numbers bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX task_event_counts_minutes ON task_event_counts (minute);
"""

# domain.histogram.bucket_of. A NaN, as between infinite timestamps, is the greatest number to PostgreSQL.
BUCKET = """
    CAST(floor(ln(least(greatest(date_part('epoch', {end}) - date_part('epoch', {start}), 0.001), 604800))
        * 5.770780163555854) AS smallint)
"""

# domain.event.events_between
ADDED = """
CREATE OR REPLACE FUNCTION tasks_were_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH counted AS (
        INSERT INTO task_count_changes SELECT type, status, count(*) FROM added GROUP BY type, status
        RETURNING type, change
    )
    INSERT INTO task_event_counts
    SELECT date_trunc('minute', now()), type, 'submitted', '{NULL}', ARRAY[change] FROM counted;
    INSERT INTO task_terms SELECT unnest(terms), id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
"""

# Rows are joined once, and grouped by all that the counts depend on: few groups are left. A FULL JOIN is never planned
# as a nested loop, whatever the number of rows was when the statement was planned.
CHANGED = f"""
CREATE OR REPLACE FUNCTION tasks_were_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changes AS MATERIALIZED (
        SELECT before.type AS old_type, before.status AS old_status, after.type, after.status,
            CASE WHEN before.started IS NULL AND after.started IS NOT NULL THEN
                {BUCKET.format(start="after.run_at", end="after.started")} END AS wait,
            CASE WHEN after.status <> before.status AND after.finished IS NOT NULL AND after.started IS NOT NULL THEN
                {BUCKET.format(start="after.started", end="after.finished")} END AS run,
            CASE WHEN before.status = 'running' AND after.status <> 'running' THEN
                CASE
                    WHEN after.losses > before.losses OR after.suspect AND NOT before.suspect THEN 'lost'
                    WHEN after.status = 'waiting' AND after.attempt >= before.attempt THEN
                        CASE WHEN before.started IS NULL THEN 'unseen' ELSE 'retried' END
                END
            END AS back,
            count(*) AS number
        FROM before FULL JOIN after ON after.id = before.id
        WHERE before.status IS DISTINCT FROM after.status OR before.type IS DISTINCT FROM after.type
            OR before.started IS NULL AND after.started IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), counted AS (
        INSERT INTO task_count_changes
        SELECT type, status, sum(change)
        FROM (
            SELECT old_type AS type, old_status AS status, -number AS change FROM changes WHERE old_type IS NOT NULL
            UNION ALL
            SELECT type, status, number FROM changes WHERE type IS NOT NULL
        ) each
        GROUP BY type, status HAVING sum(change) <> 0
    )
    INSERT INTO task_event_counts
    SELECT date_trunc('minute', now()), type, event, ARRAY[bucket], ARRAY[sum(number)]
    FROM changes CROSS JOIN LATERAL (
        VALUES
            (CASE WHEN wait IS NOT NULL OR back = 'unseen' THEN 'started' END, wait),
            (CASE WHEN status <> old_status AND status IN ('done', 'failed', 'cancelled') THEN status END, run),
            (CASE
                WHEN back = 'unseen' OR status = 'waiting' AND old_status IN ('done', 'failed', 'cancelled')
                    THEN 'retried'
                ELSE back
            END, NULL)
    ) AS events (event, bucket)
    WHERE event IS NOT NULL
    GROUP BY type, event, bucket;
    RETURN NULL;
END
$$;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ADDED)
    op.execute(CHANGED)
