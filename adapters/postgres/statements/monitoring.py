"""Statements of application.ports.monitoring."""

from sqlalchemy import text

HANDLERS = text("""
    WITH known AS (
        (SELECT * FROM handlers WHERE until > :now)
        UNION ALL
        (SELECT * FROM handlers WHERE until <= :now ORDER BY until DESC, id LIMIT :max_silent)
    )
    SELECT id, until, ARRAY(SELECT type FROM unnest(types) AS type WHERE type IS NOT NULL ORDER BY type) AS types,
        coalesce(is_draining, false) AS is_draining,
        CASE WHEN lease BETWEEN 0 AND 1e9 THEN until - make_interval(secs => lease) END AS last_seen,
        host, pid, started, concurrency
    FROM known
    ORDER BY until > :now DESC, CASE WHEN until <= :now THEN until END DESC, id
""")

# Running tasks are few, and have an index of their own.
HELD_TASKS = text("""
    SELECT handler, id, type, started, progress, number, started_number
    FROM (
        SELECT handler, id, type, started, progress,
            count(*) OVER of_handler AS number, count(started) OVER of_handler AS started_number,
            row_number() OVER (PARTITION BY handler ORDER BY started, id) AS nth
        FROM tasks WHERE status = 'running'
        WINDOW of_handler AS (PARTITION BY handler)
    ) ranked
    WHERE nth = 1 OR started IS NOT NULL AND nth <= :limit
    ORDER BY handler, nth
""")

# The counts say which types wait. Of each type it walks the priorities, as a claim does, by one look-up in the index
# tasks_waiting each: that finds the first task by `run_at`, which is the oldest due one if it is due.
OLDEST_DUE = text("""
    WITH RECURSIVE type_waiting AS (
        SELECT type FROM task_count_changes WHERE status = 'waiting' GROUP BY type HAVING sum(change) > 0
    ), first AS (
        SELECT type, 32768 AS priority, CAST('infinity' AS timestamptz) AS run_at FROM type_waiting
        UNION ALL
        SELECT first.type, next.priority, next.run_at
        FROM first CROSS JOIN LATERAL (
            SELECT CAST(priority AS integer) AS priority, run_at FROM tasks
            WHERE status = 'waiting' AND type = first.type AND tasks.priority < first.priority
            ORDER BY tasks.priority DESC, run_at, id LIMIT 1
        ) next
    )
    SELECT type, min(run_at) AS run_at FROM first WHERE run_at <= :now GROUP BY type
""")

JANITORS = text("""
    (SELECT id, host, pid, started, last_seen FROM janitors WHERE last_seen > :silent_since ORDER BY id)
    UNION ALL
    (
        SELECT id, host, pid, started, last_seen FROM janitors WHERE last_seen <= :silent_since
        ORDER BY last_seen DESC, id LIMIT :max_silent
    )
""")

# It waits for no lock, and its commit for no disk: a renewal that a crash of the server loses is followed by another.
RENEWAL_SETTINGS = text("""
    SELECT set_config('lock_timeout', '1ms', true), set_config('synchronous_commit', 'off', true)
""")

RENEW_JANITOR = text("""
    INSERT INTO janitors (id, host, pid, started, last_seen) VALUES (:id, :host, :pid, :started, :last_seen)
    ON CONFLICT (id) DO UPDATE SET
        host = excluded.host, pid = excluded.pid, started = excluded.started, last_seen = excluded.last_seen
""")

WITHDRAW_JANITOR = text("""
    DELETE FROM janitors WHERE id = (SELECT id FROM janitors WHERE id = :id FOR UPDATE SKIP LOCKED)
""")

FORGET_DEAD_JANITORS = text("""
    DELETE FROM janitors
    WHERE id = ANY (ARRAY(SELECT id FROM janitors WHERE last_seen <= :before ORDER BY id FOR UPDATE SKIP LOCKED))
    RETURNING id
""")
