"""Statements of application.ports.deliveries."""

from sqlalchemy import text

DELIVERY = text("SELECT * FROM deliveries WHERE task = :task")

CLAIM_DELIVERIES = text("""
    WITH free AS MATERIALIZED (
        SELECT task, row_number() OVER (ORDER BY due, task) AS position
        FROM (
            SELECT task, due FROM deliveries
            WHERE state = 'pending' AND due <= :now
            ORDER BY due, task LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ) first
    ), claimed AS (
        UPDATE deliveries d SET attempts = attempts + 1, due = :until
        FROM free WHERE d.task = free.task
        RETURNING d.*, free.position
    )
    SELECT * FROM claimed ORDER BY position
""")

SETTLE_DELIVERY = text("""
    UPDATE deliveries SET state = :state, due = :due, error = :error
    WHERE task = :task AND finished = :finished AND attempts = :attempts AND state = 'pending'
""")
