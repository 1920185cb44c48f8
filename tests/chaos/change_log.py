"""The change log of the database: every insert, update and delete of a task and its author, by a trigger."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

from tests.chaos.history import BatchChange, BatchHistory, Change, Row

INSTALL = """
CREATE TABLE chaos_changes (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    moment timestamptz NOT NULL,
    author text NOT NULL DEFAULT current_setting('application_name'),
    task bigint NOT NULL,
    old jsonb,
    new jsonb
);
CREATE INDEX chaos_administered ON chaos_changes (task) WHERE author = 'administrator';

-- The first characters of a text have its mark and its token: results have megabytes, and may be no JSON.
CREATE FUNCTION chaos_member(name text, content text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(left(content, 200) from '"' || name || '": ?"([^"]*)"')
$$;

CREATE FUNCTION chaos_row(t tasks) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'type', t.type, 'status', t.status, 'priority', t.priority, 'claims', t.claims, 'attempt', t.attempt,
        'max_attempts', t.max_attempts, 'losses', t.losses, 'max_losses', t.max_losses, 'handler', t.handler,
        'run_at', t.run_at, 'expire', t.expire, 'token', chaos_member('token', t.result), 'error', t.error,
        'mark', chaos_member('mark', t.args), 'key', t.key, 'callback', t.callback IS NOT NULL,
        'created', t.created, 'lane', t.lane, 'finished', CAST(extract(epoch FROM t.finished) * 1000000 AS bigint),
        'batch', t.batch, 'is_parent', t.has_dependents, 'if_parent_failed', t.if_parent_failed
    )
$$;

-- The clock of the host may have been set, by as much as the file says: two equal readings enclose the time's.
CREATE FUNCTION chaos_moment() RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    set_by text;
    moment timestamptz;
BEGIN
    LOOP
        set_by := pg_read_file('{clock}');
        moment := clock_timestamp() - CAST(trim(set_by) || ' seconds' AS interval);
        EXIT WHEN set_by = pg_read_file('{clock}');
    END LOOP;
    RETURN moment;
END
$$;

CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_changes (moment, task, old, new) VALUES (
        chaos_moment(),
        coalesce(NEW.id, OLD.id),
        CASE WHEN TG_OP <> 'INSERT' THEN chaos_row(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN chaos_row(NEW) END
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER record_change AFTER INSERT OR DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION record_change();
-- A rescuer writes rows without a change, to see whether there is room for them.
CREATE TRIGGER record_update AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION record_change();

-- Kept after the deletion of the task.
CREATE TABLE chaos_parents (task bigint NOT NULL, parent bigint NOT NULL);

CREATE FUNCTION record_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_parents VALUES (NEW.dependent, NEW.parent);
    RETURN NULL;
END
$$;

CREATE TRIGGER record_parent AFTER INSERT ON dependencies FOR EACH ROW EXECUTE FUNCTION record_parent();

CREATE TABLE chaos_batches (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    moment timestamptz NOT NULL,
    batch bigint NOT NULL,
    is_open boolean NOT NULL,
    finished bigint,
    then_task bigint,
    has_callback boolean NOT NULL
);

CREATE FUNCTION record_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_batches (moment, batch, is_open, finished, then_task, has_callback) VALUES (
        chaos_moment(), NEW.id, NEW.is_open, CAST(extract(epoch FROM NEW.finished) * 1000000 AS bigint),
        NEW.then_task, NEW.callback IS NOT NULL
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER record_batch AFTER INSERT ON batches FOR EACH ROW EXECUTE FUNCTION record_batch();
CREATE TRIGGER record_batch_update AFTER UPDATE ON batches FOR EACH ROW
    WHEN ((OLD.is_open, OLD.finished, OLD.then_task) IS DISTINCT FROM (NEW.is_open, NEW.finished, NEW.then_task))
    EXECUTE FUNCTION record_batch();
"""

BATCH_STATUSES = ("waiting", "running", "done", "failed", "cancelled", "deleted")
LAST_POSITION = "SELECT coalesce(max(position), 0) FROM chaos_changes"
READ = """
SELECT position, task, extract(epoch FROM moment)::float8, author, old::text, new::text
FROM chaos_changes WHERE position > %s ORDER BY position
"""
READ_PARENTS = "SELECT task, array_agg(DISTINCT parent) FROM chaos_parents GROUP BY task"
READ_BATCHES = """
SELECT batch, extract(epoch FROM moment)::float8, is_open, finished, then_task, has_callback
FROM chaos_batches ORDER BY position
"""
READ_BATCH_COUNTS = f"""
SELECT b.id, {
    ", ".join(
        f"b.{status} + coalesce((SELECT sum(change) FROM batch_count_changes "
        f"WHERE batch = b.id AND status = '{status}'), 0)::bigint"
        for status in BATCH_STATUSES
    )
} FROM batches b
"""


class LogEntry(NamedTuple):
    """A change of the task with this id, at its position in the log."""

    position: int
    task: int
    change: Change


def install(connection: Any, clock: Path) -> None:
    """Record every change of a task from now on. `clock`: the file with the seconds by which the clock was set."""
    with connection, connection.cursor() as cursor:
        cursor.execute(INSTALL.replace("{clock}", str(clock)))


def last_position(connection: Any) -> int:
    """The position of the last entry."""
    with connection, connection.cursor() as cursor:
        cursor.execute(LAST_POSITION)
        return int(cursor.fetchone()[0])


def read(connection: Any, after: int = 0) -> Iterator[LogEntry]:
    """Every entry after that position, in order."""
    with connection, connection.cursor("changes", cursor_factory=psycopg2.extensions.cursor) as cursor:
        cursor.execute(READ, [after])
        for position, task, moment, author, old, new in cursor:
            yield LogEntry(position, task, Change(moment, author, _row(old), _row(new)))


def read_parents(connection: Any) -> Mapping[int, frozenset[int]]:
    """The parents that each task has had."""
    with connection, connection.cursor(cursor_factory=psycopg2.extensions.cursor) as cursor:
        cursor.execute(READ_PARENTS)
        return {task: frozenset(parents) for task, parents in cursor}


def read_batches(connection: Any) -> Mapping[int, BatchHistory]:
    """The histories of all batches, with the counts of those that are there at the end."""
    batches: dict[int, BatchHistory] = {}
    with connection, connection.cursor(cursor_factory=psycopg2.extensions.cursor) as cursor:
        cursor.execute(READ_BATCHES)
        for id, *change in cursor:
            batches.setdefault(id, BatchHistory(id)).changes.append(BatchChange(*change))
        cursor.execute(READ_BATCH_COUNTS)
        for id, *counts in cursor:
            batches[id].counts = {
                status: number for status, number in zip(BATCH_STATUSES, counts, strict=True) if number
            }
    return batches


def _row(text: str | None) -> Row | None:
    if text is None:
        return None
    fields = json.loads(text)
    return Row(**fields | {name: _seconds(fields[name]) for name in ("run_at", "expire")})


def _seconds(moment: str) -> float:
    infinite = {"infinity": inf, "-infinity": -inf}
    return infinite[moment] if moment in infinite else datetime.fromisoformat(moment).timestamp()
