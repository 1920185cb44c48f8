"""Statements of application.ports.pending_work."""

from sqlalchemy import text

from adapters.postgres.statements.schedules import IS_CHANGED, IS_OUTDATED, LIVE_HANDLERS

HAS_EXPIRED = text("SELECT FROM tasks WHERE status <> 'running' AND expire <= :now ORDER BY expire LIMIT 1")

HAS_CHANGED_PARENTS = text("SELECT FROM changed_parents ORDER BY id LIMIT 1")

NEXT_SCHEDULE_WORK = text(f"""
    WITH {LIVE_HANDLERS}
    SELECT min(
        CASE
            WHEN {IS_OUTDATED} OR {IS_CHANGED} THEN CAST(:now AS timestamptz)
            WHEN abandoned IS NULL THEN next
        END
    ) AS next
    FROM schedules
""")

DRAIN_REQUEST = text("SELECT drain_request FROM handlers WHERE id = :handler AND drain_request IS NOT NULL")

PROCESSES = text("SELECT id, process FROM handlers WHERE process IS NOT NULL")
