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

DELETE_EXPIRED = text("""
    WITH expired AS MATERIALIZED (
        SELECT ctid AS location FROM tasks
        WHERE status <> 'running' AND expire <= :now
        ORDER BY expire LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM tasks WHERE ctid = ANY (ARRAY(SELECT location FROM expired)) RETURNING id, status
    )
    SELECT count(*) AS number, array_agg(id ORDER BY id) FILTER (WHERE status = 'waiting') AS unrun FROM deleted
""")
