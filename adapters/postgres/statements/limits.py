"""Statements of application.ports.limits, and of AutocommitStore.claim_limited."""

from sqlalchemy import text

LIMITED_TYPES = text("SELECT type FROM type_limits")

# The snapshot of a statement is taken before its locks: what runs is counted by the next one. The LIMIT sets how long
# each statement of the transaction waits for a lock; it is computed before the first row is looked at.
LOCK_LIMITS = text("""
    SELECT type, declared, override, next_start, clock_timestamp() AS now
    FROM type_limits WHERE type = ANY (CAST(:types AS text[])) ORDER BY type
    LIMIT (SELECT CASE WHEN set_config('lock_timeout', '50ms', true) <> '' THEN 1000000 END)
    FOR UPDATE
""")

LOCK_FREE_LIMITS = text("""
    SELECT type, declared, override, next_start, clock_timestamp() AS now
    FROM type_limits WHERE type = ANY (CAST(:types AS text[])) ORDER BY type
    FOR UPDATE SKIP LOCKED
""")
"""The same without those that another transaction has locked."""

COUNT_RUNNING = text("""
    SELECT type, count(*) AS number FROM tasks
    WHERE status = 'running' AND type = ANY (CAST(:types AS text[]))
    GROUP BY type
""")

# The tasks have been claimed since the limits were read: a process may have stood still in between. Their starts count
# from now on, so that no later claim takes that time for one in which nothing started.
MOVE_STARTS = text("""
    UPDATE type_limits l
    SET next_start = greatest(moved.next_start, clock_timestamp()) + make_interval(secs => moved.seconds)
    FROM unnest(CAST(:types AS text[]), CAST(:next_starts AS timestamptz[]), CAST(:seconds AS float8[]))
        AS moved (type, next_start, seconds)
    WHERE l.type = moved.type
""")

# The shortest wait that a claim of the type, which has its limits locked for a moment, does not make fail.
LIMITS_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '500ms'")

SET_OVERRIDE = text("""
    INSERT INTO type_limits (type, override) VALUES (:type, :override)
    ON CONFLICT (type) DO UPDATE SET override = excluded.override
""")

REMOVE_OVERRIDE = text("""
    WITH deleted AS (
        DELETE FROM type_limits WHERE type = :type AND declared = '{}'
    )
    UPDATE type_limits SET override = NULL WHERE type = :type AND declared <> '{}'
""")

# Types without declared limits have a row only while an override stands.
PUBLISH_LIMITS = text("""
    WITH new AS (
        SELECT * FROM unnest(CAST(:types AS text[]), CAST(:declared AS text[])) AS n (type, declared)
    ), deleted AS (
        DELETE FROM type_limits l USING new
        WHERE l.type = new.type AND new.declared = '{}' AND l.override IS NULL
    ), updated AS (
        UPDATE type_limits l SET declared = '{}' FROM new
        WHERE l.type = new.type AND new.declared = '{}' AND l.declared <> '{}' AND l.override IS NOT NULL
    )
    INSERT INTO type_limits AS l (type, declared)
    SELECT type, declared FROM new WHERE declared <> '{}' ORDER BY type
    ON CONFLICT (type) DO UPDATE SET declared = excluded.declared WHERE l.declared <> excluded.declared
""")

FORGET_LIMITS = text("""
    DELETE FROM type_limits WHERE type = ANY (CAST(:types AS text[])) AND override IS NULL
""")
