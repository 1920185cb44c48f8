"""Statements of application.ports.limits, and of AutocommitStore.claim_limited."""

from sqlalchemy import text

LIMITED_TYPES = text("SELECT type FROM type_limits")

# The snapshot of a statement is taken before its locks: what runs is counted by the next one. The LIMIT sets how long
# each statement of the transaction waits for a lock; it is computed before the first row is looked at.
LOCK_LIMITS = text("""
    SELECT type, declared, override, next_start, last_lanes, clock_timestamp() AS now
    FROM type_limits WHERE type = ANY (CAST(:types AS text[])) ORDER BY type
    LIMIT (SELECT CASE WHEN set_config('lock_timeout', '50ms', true) <> '' THEN 1000000 END)
    FOR UPDATE
""")

LOCK_FREE_LIMITS = text("""
    SELECT type, declared, override, next_start, last_lanes, clock_timestamp() AS now
    FROM type_limits WHERE type = ANY (CAST(:types AS text[])) ORDER BY type
    FOR UPDATE SKIP LOCKED
""")
"""The same without those that another transaction has locked."""

COUNT_RUNNING = text("""
    SELECT type, lane, count(*) AS number FROM tasks
    WHERE status = 'running' AND type = ANY (CAST(:types AS text[]))
    GROUP BY type, lane
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

# Long enough for a claim of the type to end, which locks its limits for a moment.
LIMITS_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '500ms'")

SET_OVERRIDE = text("""
    INSERT INTO type_limits (type, override) VALUES (:type, :override)
    ON CONFLICT (type) DO UPDATE SET override = excluded.override
""")

REMOVE_OVERRIDE = text("UPDATE type_limits SET override = NULL WHERE type = :type")

# Limits that are as they were are not locked: claims of the type hold that lock for most of the time on a slow line.
PUBLISH_LIMITS = text("""
    WITH changed AS (
        SELECT n.* FROM unnest(CAST(:types AS text[]), CAST(:declared AS text[])) AS n (type, declared)
        LEFT JOIN type_limits l USING (type) WHERE n.declared <> coalesce(l.declared, '{}')
    ), emptied AS (
        UPDATE type_limits l SET declared = '{}' FROM changed WHERE l.type = changed.type AND changed.declared = '{}'
    )
    INSERT INTO type_limits (type, declared)
    SELECT type, declared FROM changed WHERE declared <> '{}' ORDER BY type
    ON CONFLICT (type) DO UPDATE SET declared = excluded.declared
""")

# Types have a row only while limits are declared or an override stands. A statement of its own, which sees what the one
# before it has waited for.
DELETE_EMPTY_LIMITS = text("""
    DELETE FROM type_limits WHERE type = ANY (CAST(:types AS text[])) AND declared = '{}' AND override IS NULL
""")

FORGET_LIMITS = text("""
    DELETE FROM type_limits WHERE type = ANY (CAST(:types AS text[])) AND override IS NULL
""")

LAST_TEXT = "\U0010ffff"
"""Text behind all lanes."""
_WAITS_IN_LANE = "status = 'waiting' AND lane IS NOT NULL"
_PRIORITY = "CAST(:priority AS smallint)"
_IS_OF_PRIORITY = f"(type, priority) >= (:type, {_PRIORITY}) AND (type, priority) <= (:type, {_PRIORITY})"

# Rows are compared as wholes, so that only the index tasks_lanes has them in order, whatever the planner knows of it.
# Each step leads from a priority with waiting tasks to the next one, by one look-up.
LANE_PRIORITIES = text(f"""
    WITH RECURSIVE step AS (
        SELECT 32768 AS priority
        UNION ALL
        SELECT CAST(next.priority AS integer)
        FROM step CROSS JOIN LATERAL (
            SELECT priority FROM tasks
            WHERE {_WAITS_IN_LANE} AND (type, priority) >= (:type, -32768) AND (type, priority) < (:type, step.priority)
            ORDER BY type DESC, priority DESC LIMIT 1
        ) next
    )
    SELECT priority FROM step WHERE priority < 32768
""")

_HAS_PLACE = """CAST(%s.run_at <= :now AND coalesce(
            (SELECT places FROM known WHERE known.lane = %s.lane), CAST(:places_in_others AS integer)
        ) > 0 AS integer)"""


def _walk(name: str, begins: str, goes_on: str) -> str:
    """Walk the lanes of one part in their order, until `max_lanes` of them have a due task and a place."""
    look_up = f"""
            SELECT lane, run_at FROM tasks
            WHERE {_WAITS_IN_LANE} AND {_IS_OF_PRIORITY} AND {goes_on} AND %s
            ORDER BY type, priority, lane, run_at, id LIMIT 1
    """
    has_place = _HAS_PLACE % ("found", "found")
    return f"""{name} AS (
        SELECT found.lane, {has_place} AS has_place, {has_place} AS number FROM ({look_up % begins}) found
        UNION ALL
        SELECT next.lane, next.has_place, {name}.number + next.has_place
        FROM {name} CROSS JOIN LATERAL (
            SELECT found.lane, {has_place} AS has_place
            FROM ({look_up % f"(type, priority, lane) > (:type, {_PRIORITY}, {name}.lane)"}) found
        ) next
        WHERE {name}.number < :max_lanes
    )"""


_BEHIND = _walk("behind", f"(type, priority, lane) > (:type, {_PRIORITY}, CAST(:last AS text))", "true")
_BEFORE = _walk(
    "before", "true", f"(type, priority, lane) <= (:type, {_PRIORITY}, coalesce(CAST(:last AS text), '{LAST_TEXT}'))"
)

# The lanes behind the last one come first, then those before it, and the last one itself. Of each lane as many tasks
# are looked at as might be taken of it. A lane that has a place, but only tasks that are locked or left out, comes
# last, without an id.
CHOOSE_IN_LANES = text(f"""
    WITH RECURSIVE known AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:lanes AS text[]), CAST(:places AS integer[])) AS k (lane, places)
    ), {_BEHIND}, {_BEFORE}, turns AS (
        SELECT lane, row_number() OVER (ORDER BY part, lane) AS turn, count(*) OVER () AS lanes
        FROM (
            SELECT 1 AS part, lane FROM behind WHERE has_place = 1
            UNION ALL
            SELECT 2, lane FROM before WHERE has_place = 1
        ) parts
    )
    SELECT first.id, first.args_bytes, turns.lane, turns.lanes
    FROM turns LEFT JOIN known USING (lane) LEFT JOIN LATERAL (
        SELECT id, args_bytes, row_number() OVER (ORDER BY run_at, id) AS nth
        FROM (
            SELECT id, args_bytes, run_at FROM tasks
            WHERE {_WAITS_IN_LANE} AND id <> ALL (CAST(:left_out AS bigint[]))
                AND (type, priority, lane, run_at) >= (:type, {_PRIORITY}, turns.lane, '-infinity')
                AND (type, priority, lane, run_at) <= (:type, {_PRIORITY}, turns.lane, CAST(:now AS timestamptz))
            ORDER BY type, priority, lane, run_at, id LIMIT :most
            FOR UPDATE SKIP LOCKED
        ) free
        ORDER BY nth LIMIT coalesce(places, CAST(:places_in_others AS integer))
    ) first ON true
    ORDER BY nth, turn LIMIT :most
""")

MOVE_LANES = text("UPDATE type_limits SET last_lanes = :last_lanes WHERE type = :type")

ALL_LIMITS = text("SELECT type, declared, override FROM type_limits")

LOCK_WITHOUT_LANE = text("""
    SELECT id FROM tasks
    WHERE status = 'waiting' AND lane IS NULL AND type = ANY (CAST(:types AS text[]))
    LIMIT :most FOR UPDATE SKIP LOCKED
""")

ASSIGN_LANES = text("UPDATE tasks SET lane = '' WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id")
