"""Statements of application.ports.cleaning."""

from sqlalchemy import text

# Entries that another transaction has locked are being folded by it. Where each pair of type and status has one entry,
# none is locked or written. Entries are taken in the order of pairs, so that even a batch of two makes progress.
FOLD_COUNTS = text("""
    WITH repeated AS (
        SELECT type, status FROM task_count_changes GROUP BY type, status HAVING count(*) > 1
    ), locked AS MATERIALIZED (
        SELECT c.ctid AS location FROM task_count_changes c JOIN repeated USING (type, status)
        ORDER BY type, status LIMIT :limit
        FOR UPDATE OF c SKIP LOCKED
    ), folded AS (
        DELETE FROM task_count_changes WHERE ctid = ANY (ARRAY(SELECT location FROM locked))
        RETURNING type, status, change
    ), sums AS (
        INSERT INTO task_count_changes
        SELECT type, status, sum(change) FROM folded GROUP BY type, status HAVING sum(change) <> 0
    )
    SELECT count(*) FROM folded
""")

# Sizes are those of the stored values, which are not read for that. The LIMITs keep the planner from
# reading all dependencies, or many tasks, for the few parents among the tasks.
_EXPIRED = """
    expired AS MATERIALIZED (
        SELECT id, ctid AS location, has_dependents AND status <> 'waiting' AS may_be_needed,
            pg_column_size(args) + coalesce(pg_column_size(result), 0) AS bytes
        FROM tasks
        WHERE status <> 'running' AND expire <= :now AND id <> ALL (CAST(:left_out AS bigint[]))
        ORDER BY expire LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), first AS MATERIALIZED (
        SELECT id, location, may_be_needed AND (
            SELECT true
            FROM dependencies d CROSS JOIN LATERAL (
                SELECT FROM tasks t WHERE t.id = d.dependent AND t.status IN ('waiting', 'running') LIMIT 1
            ) t
            WHERE d.parent = summed.id LIMIT 1
        ) IS TRUE AS is_needed
        FROM (
            SELECT id, location, may_be_needed, row_number() OVER () AS nth,
                sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) AS total
            FROM expired
        ) summed
        WHERE nth = 1 OR total <= :max_bytes
    )"""
_DELETED = """
    SELECT count(*) AS number, array_agg(id ORDER BY id) FILTER (WHERE status = 'waiting') AS unrun,
        array_agg(type ORDER BY id) FILTER (WHERE status = 'waiting') AS types,
        array_agg(traceparent ORDER BY id) FILTER (WHERE status = 'waiting') AS traces"""

DELETE_EXPIRED = text(f"""
    WITH {_EXPIRED}, kept AS (
        UPDATE tasks SET expire = :kept_until WHERE ctid = ANY (ARRAY(SELECT location FROM first WHERE is_needed))
    ), deleted AS (
        DELETE FROM tasks WHERE ctid = ANY (ARRAY(SELECT location FROM first WHERE NOT is_needed))
        RETURNING id, type, status, traceparent
    )
    {_DELETED}, (SELECT count(*) FROM expired) AS locked FROM deleted
""")

# Where a batch cannot be deleted, the adapter looks for the tasks that cannot.
LOCK_EXPIRED = text(f"WITH {_EXPIRED} SELECT id, is_needed FROM first ORDER BY id")

KEEP_LOCKED = text("UPDATE tasks SET expire = :kept_until WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id")

DELETE_LOCKED = text(f"""
    WITH deleted AS (
        DELETE FROM tasks WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id, type, status, traceparent
    )
    {_DELETED} FROM deleted
""")

_FAILURES = """
    SELECT f.task FROM tasks t
    JOIN task_failures f ON (f.type, f.failure_group, f.task) = (t.type, failure_group(t.error), t.id)
    WHERE t.id = ANY (CAST(:ids AS bigint[])) AND t.status = 'failed'"""

# Deleting a task deletes these rows as well, by triggers that would wait for their locks.
WITH_LOCKED_ROWS = text(f"""
    WITH free_attempts AS MATERIALIZED (
        SELECT task, claim FROM attempts WHERE task = ANY (CAST(:ids AS bigint[])) FOR UPDATE SKIP LOCKED
    ), free_deliveries AS MATERIALIZED (
        SELECT task FROM deliveries WHERE task = ANY (CAST(:ids AS bigint[])) FOR UPDATE SKIP LOCKED
    ), free_reruns AS MATERIALIZED (
        SELECT task FROM reruns WHERE task = ANY (CAST(:ids AS bigint[])) FOR UPDATE SKIP LOCKED
    ), free_failures AS MATERIALIZED (
        {_FAILURES} FOR UPDATE OF f SKIP LOCKED
    )
    SELECT task FROM attempts
    WHERE task = ANY (CAST(:ids AS bigint[])) AND (task, claim) NOT IN (SELECT task, claim FROM free_attempts)
    UNION
    SELECT task FROM deliveries
    WHERE task = ANY (CAST(:ids AS bigint[])) AND task NOT IN (SELECT task FROM free_deliveries)
    UNION
    SELECT task FROM reruns
    WHERE task = ANY (CAST(:ids AS bigint[])) AND task NOT IN (SELECT task FROM free_reruns)
    UNION
    {_FAILURES} AND f.task NOT IN (SELECT task FROM free_failures)
""")

CLEANING_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '100ms'")
