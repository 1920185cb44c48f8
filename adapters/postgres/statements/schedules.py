"""Statements of application.ports.schedules."""

from sqlalchemy import text

from adapters.postgres.statements.columns import assigned, listed, unnested

_SAVED = ("every", "timezone", "next", "omitted", "abandoned", "last_task", "skipped")
_SCHEDULE = ("type", *_SAVED)

SCHEDULED_TYPES = text("SELECT type FROM schedules")

LOCK_SCHEDULES = text("SELECT * FROM schedules ORDER BY type FOR UPDATE SKIP LOCKED")

DUE_SCHEDULES = text("""
    SELECT * FROM schedules
    WHERE next <= :now AND abandoned IS NULL
    ORDER BY type FOR UPDATE SKIP LOCKED
""")

SAVE_SCHEDULES = text(f"""
    INSERT INTO schedules ({listed(_SCHEDULE)})
    SELECT * FROM {unnested(_SCHEDULE)}
    ON CONFLICT (type) DO UPDATE SET {assigned(_SAVED, "excluded")}
""")

REMOVE_SCHEDULES = text("DELETE FROM schedules WHERE type = ANY (:types)")

LIVE_HANDLERS = """
    live_handlers AS (
        SELECT types FROM handlers WHERE until > :now
    )"""
IS_OUTDATED = """
    (abandoned <= :abandoned_before AND NOT EXISTS (SELECT FROM handlers WHERE schedules.type = ANY (types)))
"""
IS_CHANGED = """
    (omitted AND EXISTS (SELECT FROM live_handlers)
        AND (abandoned IS NULL) <> EXISTS (SELECT FROM live_handlers WHERE schedules.type = ANY (types)))
"""

REVIEW_SCHEDULES = text(f"""
    WITH {LIVE_HANDLERS}, outdated AS (
        SELECT type FROM schedules
        WHERE {IS_OUTDATED}
        ORDER BY type FOR UPDATE SKIP LOCKED
    ), removed AS (
        DELETE FROM schedules s USING outdated WHERE s.type = outdated.type
    ), changed AS (
        SELECT type FROM schedules
        WHERE {IS_CHANGED}
        ORDER BY type FOR UPDATE SKIP LOCKED
    )
    UPDATE schedules s SET abandoned = CASE WHEN abandoned IS NULL THEN CAST(:now AS timestamptz) END
    FROM changed WHERE s.type = changed.type
""")

WAITING_TICKS = text("""
    SELECT s.type FROM schedules s JOIN tasks t ON t.id = s.last_task
    WHERE s.type = ANY (:types) AND t.status = 'waiting' AND t.expire > :now
""")

NEXT_AFTER = text("SELECT min(next) FROM schedules WHERE next > :now AND abandoned IS NULL")
