"""Statements of application.ports.statistics. Where an entry has no numbers, each of its buckets counts one event."""

from sqlalchemy import text

EVENT_COUNTS = text("""
    SELECT type, step, event, CAST(sum(number) AS bigint) AS number,
        array_agg(bucket) FILTER (WHERE bucket IS NOT NULL) AS buckets,
        array_agg(number) FILTER (WHERE bucket IS NOT NULL) AS numbers
    FROM (
        SELECT type, CAST(floor(date_part('epoch', minute - :since) / :step_seconds) AS integer) AS step, event, bucket,
            CAST(sum(coalesce(number, 1)) AS bigint) AS number
        FROM task_event_counts CROSS JOIN LATERAL unnest(buckets, numbers) AS of_bucket (bucket, number)
        WHERE minute >= :since AND minute < :until AND (CAST(:type AS text) IS NULL OR type = :type)
        GROUP BY type, step, event, bucket
    ) summed
    GROUP BY type, step, event
""")

# An entry has one event at least, so as many entries as events are enough.
LATEST_EVENTS = text("""
    SELECT buckets, numbers FROM task_event_counts
    WHERE minute >= :since AND type = :type AND event = :event
    ORDER BY minute DESC LIMIT :number
""")

# Entries that another transaction has locked are being folded by it. Where each type, minute and event has one entry,
# none is locked or written. Entries are taken in order, so that even a batch of two makes progress.
FOLD_EVENTS = text("""
    WITH repeated AS (
        SELECT minute, type, event FROM task_event_counts WHERE minute >= :since
        GROUP BY minute, type, event HAVING count(*) > 1
    ), locked AS MATERIALIZED (
        SELECT e.ctid AS location FROM task_event_counts e JOIN repeated USING (minute, type, event)
        WHERE e.minute >= :since
        ORDER BY minute, type, event LIMIT :limit
        FOR UPDATE OF e SKIP LOCKED
    ), folded AS (
        DELETE FROM task_event_counts WHERE ctid = ANY (ARRAY(SELECT location FROM locked))
        RETURNING minute, type, event, buckets, numbers
    ), sums AS (
        INSERT INTO task_event_counts (minute, type, event, buckets, numbers)
        SELECT minute, type, event, array_agg(bucket), array_agg(number)
        FROM (
            SELECT minute, type, event, bucket, CAST(sum(coalesce(number, 1)) AS integer) AS number
            FROM folded CROSS JOIN LATERAL unnest(buckets, numbers) AS of_bucket (bucket, number)
            GROUP BY minute, type, event, bucket
        ) summed
        GROUP BY minute, type, event
    )
    SELECT count(*) FROM folded
""")

FORGET_EVENTS = text("""
    WITH forgotten AS (
        DELETE FROM task_event_counts
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM task_event_counts WHERE minute < :before
            ORDER BY minute LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
""")
