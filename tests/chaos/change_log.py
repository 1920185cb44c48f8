"""The change log of the database: every insert, update and delete of a task and its author, by a trigger."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg2

from tests.chaos.history import Change, Row

INSTALL = """
CREATE TABLE chaos_changes (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    moment timestamptz NOT NULL DEFAULT clock_timestamp(),
    author text NOT NULL DEFAULT current_setting('application_name'),
    task bigint NOT NULL,
    old jsonb,
    new jsonb
);

CREATE FUNCTION chaos_row(t tasks) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object(
        'type', t.type, 'status', t.status, 'priority', t.priority, 'claims', t.claims, 'attempt', t.attempt,
        'max_attempts', t.max_attempts, 'losses', t.losses, 'max_losses', t.max_losses, 'handler', t.handler,
        'run_at', t.run_at, 'expire', t.expire, 'token', CAST(t.result AS json) ->> 'token', 'error', t.error
    )
$$;

CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_changes (task, old, new) VALUES (
        coalesce(NEW.id, OLD.id),
        CASE WHEN TG_OP <> 'INSERT' THEN chaos_row(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN chaos_row(NEW) END
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION record_change();
"""

READ = (
    "SELECT task, extract(epoch FROM moment)::float8, author, old::text, new::text FROM chaos_changes ORDER BY position"
)


def install(connection: Any) -> None:
    """Record every change of a task from now on."""
    with connection, connection.cursor() as cursor:
        cursor.execute(INSTALL)


def read(connection: Any) -> Iterator[tuple[int, Change]]:
    """Every change with the id of its task, in order."""
    with connection, connection.cursor("changes", cursor_factory=psycopg2.extensions.cursor) as cursor:
        cursor.execute(READ)
        for task, moment, author, old, new in cursor:
            yield task, Change(moment, author, _row(old), _row(new))


def _row(text: str | None) -> Row | None:
    if text is None:
        return None
    fields = json.loads(text)
    moments = {name: datetime.fromisoformat(fields[name]).timestamp() for name in ("run_at", "expire")}
    return Row(**fields | moments)
