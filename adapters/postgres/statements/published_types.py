"""Statements of application.ports.published_types."""

from sqlalchemy import text

from adapters.postgres.statements.columns import assigned, listed, unnested

_OPTIONS = ("priority", "max_attempts", "max_losses", "timeout", "retries_timeout", "callback")
_PUBLISHED = ("description", "schema", "result_schema", *_OPTIONS)
_TYPE = ("name", *_PUBLISHED)

PUBLISH_HANDLER = text("""
    INSERT INTO handlers (id, until, types, schemas, process, lease, host, pid, started, concurrency)
    VALUES (:handler, :until, CAST(:names AS text[]), CAST(:schemas AS text[]), :process, :lease,
        :host, :pid, :started, :concurrency)
    ON CONFLICT (id) DO UPDATE SET
        until = excluded.until, types = excluded.types, schemas = excluded.schemas, process = excluded.process,
        lease = excluded.lease, host = excluded.host, pid = excluded.pid, started = excluded.started,
        concurrency = excluded.concurrency, is_draining = NULL
""")

# Returns the names of the types whose rows are locked, which are left as they are.
PUBLISH_TYPES = text(f"""
    WITH new AS (
        SELECT * FROM {unnested(_TYPE)} AS n ({listed(_TYPE)})
    ), free AS MATERIALIZED (
        SELECT name FROM task_types WHERE name IN (SELECT name FROM new)
        ORDER BY name FOR NO KEY UPDATE SKIP LOCKED
    ), locked AS MATERIALIZED (
        SELECT name FROM task_types JOIN new USING (name) WHERE name NOT IN (SELECT name FROM free)
    ), published AS (
        INSERT INTO task_types ({listed(_TYPE)})
        SELECT {listed(_TYPE)} FROM new WHERE name NOT IN (SELECT name FROM locked) ORDER BY name
        ON CONFLICT (name) DO UPDATE SET {assigned(_PUBLISHED, "excluded")}, abandoned_at = NULL,
            changed = CASE WHEN task_types.schema = excluded.schema THEN task_types.changed ELSE now() END
    )
    SELECT name FROM locked
""")

# A type that is published elsewhere for the first time, or a table, may be locked.
PUBLISH_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '100ms'")

# The shortest wait that there is, for a row as for the table.
NO_LOCK_WAIT = text("SET LOCAL lock_timeout = '1ms'")

RENEW_HANDLER = text("UPDATE handlers SET until = :until, is_draining = :is_draining WHERE id = :handler RETURNING id")

ASK_TO_DRAIN = text("UPDATE handlers SET drain_request = :request WHERE id = :handler RETURNING id")

WITHDRAW = text("""
    DELETE FROM handlers WHERE id = (SELECT id FROM handlers WHERE id = :handler FOR UPDATE SKIP LOCKED)
""")

DEAD = text("SELECT id FROM handlers WHERE until <= :before ORDER BY id FOR UPDATE SKIP LOCKED")

FORGET = text("DELETE FROM handlers WHERE id = ANY (CAST(:ids AS text[])) RETURNING id")

# Handlers whose code is older than the column have no schemas.
SCHEMAS_ELSEWHERE = text("""
    SELECT DISTINCT schemas[array_position(types, :type)] AS schema
    FROM handlers
    WHERE until > :now AND id <> :handler AND :type = ANY (types) AND schemas IS NOT NULL
""")

ALL_TYPES = text(f"""
    SELECT {listed(_TYPE)}, changed,
        EXISTS (SELECT FROM handlers WHERE until > :now AND task_types.name = ANY (types)) AS live,
        abandoned_at IS NOT NULL OR EXISTS (SELECT FROM handlers WHERE until > :now) AS abandoned_unless_live,
        every, timezone, CASE WHEN schedules.abandoned IS NULL THEN next END AS next, skipped,
        declared, override, next_start, CASE WHEN declared IS NOT NULL THEN (
            SELECT coalesce(json_agg(json_build_array(lane, number)), '[]')
            FROM (
                SELECT lane, count(*) AS number FROM tasks WHERE status = 'running' AND tasks.type = name GROUP BY lane
            ) in_lane
        ) END AS running
    FROM task_types LEFT JOIN schedules ON schedules.type = name LEFT JOIN type_limits ON type_limits.type = name
    ORDER BY name
""")

# Locks the types of which one of two things is true: they are noted as abandoned, a live handler has them.
LOCK_TO_REVIEW = text("""
    WITH live_handlers AS (
        SELECT types FROM handlers WHERE until > :now
    )
    SELECT name FROM task_types
    WHERE EXISTS (SELECT FROM live_handlers)
        AND (abandoned_at IS NULL) <> EXISTS (SELECT FROM live_handlers WHERE name = ANY (types))
    ORDER BY name FOR NO KEY UPDATE OF task_types SKIP LOCKED
""")

REVIEW_TYPES = text("""
    UPDATE task_types SET abandoned_at = CASE WHEN abandoned_at IS NULL THEN CAST(:now AS timestamptz) END
    WHERE name = ANY (CAST(:names AS text[]))
""")

# The counts know it without a look at the tasks.
_HAS_NO_TASK = "name NOT IN (SELECT type FROM task_count_changes GROUP BY type HAVING sum(change) > 0)"

# A statement of its own: what another transaction wrote before these locks is seen by the statements after this one.
LOCK_ABANDONED = text(f"""
    SELECT name FROM task_types
    WHERE abandoned_at <= :since AND {_HAS_NO_TASK}
    ORDER BY name LIMIT :limit
    FOR UPDATE OF task_types SKIP LOCKED
""")

LOCK_TYPE = text("SELECT FROM task_types WHERE name = :name FOR UPDATE")

# A publication that has a type leaves it for later while it is locked here. The schedules go with their types.
FORGET_TYPES = text(f"""
    WITH dead AS MATERIALIZED (
        SELECT id FROM handlers WHERE types && CAST(:names AS text[]) AND until <= :now
        ORDER BY id FOR UPDATE SKIP LOCKED
    ), free_schedules AS MATERIALIZED (
        SELECT type FROM schedules WHERE type = ANY (CAST(:names AS text[]))
        ORDER BY type FOR UPDATE SKIP LOCKED
    ), kept AS (
        SELECT unnest(types) AS name FROM handlers WHERE id NOT IN (SELECT id FROM dead)
        UNION ALL
        SELECT type FROM schedules WHERE type NOT IN (SELECT type FROM free_schedules)
    ), forgotten AS (
        DELETE FROM task_types t
        WHERE name = ANY (CAST(:names AS text[])) AND {_HAS_NO_TASK}
            AND NOT EXISTS (SELECT FROM kept WHERE kept.name = t.name)
        RETURNING name
    ), removed AS (
        DELETE FROM handlers
        WHERE id IN (SELECT id FROM dead) AND types && ARRAY(SELECT name FROM forgotten)
    )
    SELECT name FROM forgotten ORDER BY name
""")
