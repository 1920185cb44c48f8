"""Statements of application.ports.deliveries."""

from sqlalchemy import text

DELIVERY = text("SELECT * FROM deliveries WHERE task = :task")

_FREE = """
    free AS MATERIALIZED (
        SELECT task, row_number() OVER (ORDER BY due, task) AS position
        FROM (
            SELECT task, due FROM deliveries
            WHERE state = 'pending' AND due <= :now
            ORDER BY due, task LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ) first
    )"""
_CLAIMED = """
    claimed AS (
        UPDATE deliveries d SET attempts = attempts + 1, due = :until
        FROM free WHERE d.task = free.task
        RETURNING d.*, free.position
    )
    SELECT * FROM claimed ORDER BY position
"""

CLAIM_DELIVERIES = text(f"WITH {_FREE}, {_CLAIMED}")

# Where a batch cannot be claimed, the adapter looks for the deliveries that cannot.
FREE_DELIVERIES = text(f"WITH {_FREE} SELECT task FROM free ORDER BY position")

CLAIM_DELIVERIES_OF = text(f"""
    WITH free AS (
        SELECT * FROM unnest(CAST(:tasks AS bigint[])) WITH ORDINALITY AS f (task, position)
    ), {_CLAIMED}
""")

GIVE_UP_DELIVERY = text("UPDATE deliveries SET state = 'given_up', error = :error WHERE task = :task")

SETTLE_DELIVERY = text("""
    UPDATE deliveries SET state = :state, due = :due, error = :error
    WHERE task = :task AND finished = :finished AND attempts = :attempts AND state = 'pending'
""")
