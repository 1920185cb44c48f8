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

# Counts of minutes before `until` are in task_event_totals; those of later ones are added to them.
EVENT_TOTALS = text("""
    SELECT type, event, CAST(sum(number) AS bigint) AS number,
        array_agg(bucket) FILTER (WHERE bucket IS NOT NULL) AS buckets,
        array_agg(number) FILTER (WHERE bucket IS NOT NULL) AS numbers
    FROM (
        SELECT type, event, bucket, CAST(sum(number) AS bigint) AS number
        FROM (
            SELECT type, event, bucket, number FROM task_event_totals
            UNION ALL
            SELECT type, event, bucket, coalesce(number, 1)
            FROM task_event_counts CROSS JOIN LATERAL unnest(buckets, numbers) AS of_bucket (bucket, number)
            WHERE minute >= coalesce((SELECT until FROM task_events_added), '-infinity')
        ) parts
        GROUP BY type, event, bucket
    ) summed
    GROUP BY type, event
""")

BEGIN_ADDING_UP = text("""
    INSERT INTO task_events_added SELECT '-infinity' WHERE NOT EXISTS (SELECT FROM task_events_added)
    ON CONFLICT DO NOTHING
""")

# One janitor at a time adds up. A period is bounded, since the first one may be a fortnight: it ends some hours after
# the first minute that has entries, however long ago an administrator has set one.
ADD_UP_EVENTS = text("""
    WITH period AS MATERIALIZED (
        SELECT until AS since, least(:until, coalesce(
            (SELECT min(minute) FROM task_event_counts WHERE minute >= a.until AND minute > '-infinity'), :until
        ) + interval '6 hours') AS until
        FROM task_events_added a WHERE until < :until
        FOR UPDATE SKIP LOCKED
    ), added AS (
        INSERT INTO task_event_totals AS t (type, event, bucket, number)
        SELECT type, event, bucket, sum(coalesce(number, 1))
        FROM period JOIN task_event_counts c ON c.minute >= period.since AND c.minute < period.until
        CROSS JOIN LATERAL unnest(buckets, numbers) AS of_bucket (bucket, number)
        GROUP BY type, event, bucket
        ON CONFLICT (type, event, coalesce(bucket, -32768)) DO UPDATE SET number = t.number + excluded.number
    ), moved AS (
        UPDATE task_events_added a SET until = period.until FROM period
    )
    SELECT until < :until AS has_more FROM period
""")

# What is not added up yet is kept.
FORGET_EVENTS = text("""
    WITH forgotten AS (
        DELETE FROM task_event_counts
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM task_event_counts
            WHERE minute < least(:before, coalesce((SELECT until FROM task_events_added), '-infinity'))
            ORDER BY minute LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
""")
