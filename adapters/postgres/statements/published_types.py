"""Statements of application.ports.published_types."""

from sqlalchemy import text

from adapters.postgres.statements.columns import assigned, listed, unnested

_OPTIONS = ("priority", "max_attempts", "max_losses", "timeout", "retries_timeout", "callback")
_PUBLISHED = ("description", "schema", *_OPTIONS)
_TYPE = ("name", *_PUBLISHED)

PUBLISH_HANDLER = text("""
    INSERT INTO handlers (id, until, types, schemas, process, lease)
    VALUES (:handler, :until, CAST(:names AS text[]), CAST(:schemas AS text[]), :process, :lease)
    ON CONFLICT (id) DO UPDATE SET
        until = excluded.until, types = excluded.types, schemas = excluded.schemas, process = excluded.process,
        lease = excluded.lease
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
        ON CONFLICT (name) DO UPDATE SET {assigned(_PUBLISHED, "excluded")}
    )
    SELECT name FROM locked
""")

# A type that is published elsewhere for the first time, or a table, may be locked.
PUBLISH_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '100ms'")

# The shortest wait that there is, for a row as for the table.
NO_LOCK_WAIT = text("SET LOCAL lock_timeout = '1ms'")

RENEW_HANDLER = text("UPDATE handlers SET until = :until WHERE id = :handler RETURNING id")

WITHDRAW = text("""
    DELETE FROM handlers WHERE id = (SELECT id FROM handlers WHERE id = :handler FOR UPDATE SKIP LOCKED)
""")

PROCESSES = text("SELECT id, process FROM handlers WHERE process IS NOT NULL")

DEAD = text("SELECT id FROM handlers WHERE until <= :before ORDER BY id FOR UPDATE SKIP LOCKED")

FORGET = text("DELETE FROM handlers WHERE id = ANY (CAST(:ids AS text[])) RETURNING id")

# Handlers whose code is older than the column have no schemas.
SCHEMAS_ELSEWHERE = text("""
    SELECT DISTINCT schemas[array_position(types, :type)] AS schema
    FROM handlers
    WHERE until > :now AND id <> :handler AND :type = ANY (types) AND schemas IS NOT NULL
""")

ALL_TYPES = text(f"""
    SELECT {listed(_TYPE)},
        EXISTS (SELECT FROM handlers WHERE until > :now AND task_types.name = ANY (types)) AS live,
        every, timezone, CASE WHEN abandoned IS NULL THEN next END AS next
    FROM task_types LEFT JOIN schedules ON type = name ORDER BY name
""")
