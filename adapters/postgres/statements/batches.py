"""Statements of application.ports.batches."""

from sqlalchemy import text

from adapters.postgres.statements.columns import listed
from domain.batch import BatchCount

BATCH_COLUMNS = (*("id", "created", "expire", "ttl", "name", "labels", "is_open", "finished", "then_task", "callback"),)
_COUNTS = tuple(status.value for status in BatchCount)
_BATCH = listed(BATCH_COLUMNS, "b")
# Each is the number in the row and the changes that are not folded yet.
_COUNTED = ", ".join(f"CAST(b.{status} + coalesce(c.{status}, 0) AS bigint) AS {status}" for status in _COUNTS)
_SUMS = ", ".join(f"sum(change) FILTER (WHERE status = '{status}') AS {status}" for status in _COUNTS)
_WITH_CHANGES = f"""
    batches b LEFT JOIN LATERAL (
        SELECT {_SUMS} FROM batch_count_changes WHERE batch = b.id
    ) c ON true
"""
_RECORD = f"SELECT {_BATCH}, b.owner, {_COUNTED} FROM {_WITH_CHANGES}"

ADD_BATCH = text("""
    INSERT INTO batches (created, expire, ttl, name, labels, is_open, callback, key, fingerprint, owner)
    VALUES (:created, :expire, :ttl, :name, :labels, :is_open, :callback, :key, :fingerprint, :owner)
    ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
    RETURNING id
""")

REMEMBER_TASKS = text("UPDATE batches SET ids = CAST(:ids AS bigint[]), then_task = :then WHERE id = :id")

BATCH = text(f"{_RECORD} WHERE b.id = :id")

# A batch may have ten thousand ids, which only a repeated request needs.
BATCH_WITH_KEY = text(f"""
    SELECT {_BATCH}, b.owner, b.ids, b.fingerprint, {_COUNTED} FROM {_WITH_CHANGES} WHERE b.key = :key
""")

BATCHES = text(f"{_RECORD} WHERE b.id < :before ORDER BY b.id DESC LIMIT :limit")

BATCHES_OF_OWNER = text(f"""
    {_RECORD} WHERE b.owner = :owner AND b.id < :before ORDER BY b.owner DESC, b.id DESC LIMIT :limit
""")

LOCK_BATCH = text(f"SELECT {_BATCH} FROM batches b WHERE id = :id FOR UPDATE")

# The weakest lock that closing waits for: neither folding nor a retry does.
LOCK_BATCH_FOR_ADDING = text(f"SELECT {_BATCH} FROM batches b WHERE id = :id FOR KEY SHARE")

LOCK_FREE_BATCHES = text(f"""
    SELECT {_BATCH} FROM batches b WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE SKIP LOCKED
""")

BATCH_COUNTS = text(f"SELECT b.id, {_COUNTED} FROM {_WITH_CHANGES} WHERE b.id = ANY (CAST(:ids AS bigint[]))")

# A batch that was just closed may be ready to finish.
SAVE_BATCH = text("""
    UPDATE batches SET expire = :expire, is_open = :is_open, finished = :finished, then_task = :then_task,
        due = is_open AND NOT :is_open AND CAST(:finished AS timestamptz) IS NULL
    WHERE id = :id
""")

# All are locked and written, finished or not: one may be finished by a transaction that has not committed yet, and
# that does not see the retried task.
RESUME_BATCHES = text("""
    UPDATE batches SET finished = CASE WHEN id <> ALL (CAST(:ids AS bigint[])) THEN finished END,
        due = due OR coalesce(then_task = ANY (CAST(:then AS bigint[])), false)
    WHERE id = ANY (ARRAY(
        SELECT id FROM batches WHERE id = ANY (CAST(:ids AS bigint[])) OR then_task = ANY (CAST(:then AS bigint[]))
        ORDER BY id FOR NO KEY UPDATE
    ))
""")

# Returns those that it did not resume.
RESUME_FREE_BATCHES = text("""
    WITH free AS MATERIALIZED (
        SELECT id FROM batches WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), resumed AS (
        UPDATE batches SET finished = NULL WHERE id = ANY (ARRAY(SELECT id FROM free))
    )
    SELECT id FROM batches WHERE id = ANY (CAST(:ids AS bigint[])) AND id <> ALL (ARRAY(SELECT id FROM free))
""")

_DUE = """
    (SELECT id FROM batches WHERE due AND id > :after ORDER BY id LIMIT :limit)
    UNION ALL
    (SELECT id FROM batches WHERE is_open AND expire <= :now AND id > :after ORDER BY expire LIMIT :limit)
"""
DUE_BATCHES = text(f"SELECT DISTINCT id FROM ({_DUE}) due ORDER BY id LIMIT :limit")

# Those whose tasks have all finished, by the changes that are not folded yet too.
FINISHED_BATCHES = text(f"""
    SELECT b.id FROM {_WITH_CHANGES}
    WHERE b.id = ANY (CAST(:ids AS bigint[])) AND NOT b.is_open AND b.finished IS NULL
        AND b.waiting + coalesce(c.waiting, 0) <= 0 AND b.running + coalesce(c.running, 0) <= 0
""")

HAS_BATCH_WORK = text(f"SELECT FROM batch_count_changes UNION ALL SELECT FROM ({_DUE}) due LIMIT 1")

UNFOLDED_BATCHES = text("""
    SELECT batch, count(*) AS entries
    FROM (SELECT batch FROM batch_count_changes WHERE batch > :after ORDER BY batch LIMIT :limit) first
    GROUP BY batch
""")

# The locks keep two janitors from folding the changes of one batch at once. Changes of no batch are dropped.
FOLD_BATCHES = text(f"""
    WITH asked AS (
        SELECT unnest(CAST(:ids AS bigint[])) AS batch
    ), locked AS MATERIALIZED (
        SELECT id FROM batches WHERE id = ANY (CAST(:ids AS bigint[]))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), folded AS (
        DELETE FROM batch_count_changes
        WHERE batch = ANY (ARRAY(SELECT id FROM locked))
            OR batch = ANY (ARRAY(SELECT batch FROM asked WHERE NOT EXISTS (SELECT FROM batches WHERE id = batch)))
        RETURNING batch, status, change
    ), sums AS (
        SELECT batch, {_SUMS} FROM folded GROUP BY batch
    ), counted AS (
        UPDATE batches b
        SET {", ".join(f"{status} = b.{status} + coalesce(sums.{status}, 0)" for status in _COUNTS)},
            due = b.due OR NOT b.is_open AND b.finished IS NULL
                AND b.waiting + coalesce(sums.waiting, 0) <= 0 AND b.running + coalesce(sums.running, 0) <= 0
        FROM sums WHERE b.id = sums.batch
    )
    SELECT count(*) FROM folded
""")

# One is kept of which a task is left, or the one that follows it, or whose delivery is locked: a trigger deletes that
# with the batch, and would wait. Each LIMIT keeps the planner from reading all tasks.
LOCK_EXPIRED_BATCHES = text("""
    WITH expired AS MATERIALIZED (
        SELECT id, coalesce(
            (SELECT t.id FROM tasks t WHERE t.batch = batches.id ORDER BY t.batch, t.status, t.id LIMIT 1),
            (SELECT t.id FROM tasks t WHERE t.id = batches.then_task LIMIT 1)
        ) IS NOT NULL AS has_tasks
        FROM batches
        WHERE finished IS NOT NULL AND expire <= :now
        ORDER BY expire LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), free AS MATERIALIZED (
        SELECT batch FROM batch_deliveries WHERE batch = ANY (ARRAY(SELECT id FROM expired)) FOR UPDATE SKIP LOCKED
    )
    SELECT expired.id, has_tasks OR d.batch IS NOT NULL AND free.batch IS NULL AS is_kept
    FROM expired
    LEFT JOIN batch_deliveries d ON d.batch = expired.id
    LEFT JOIN free ON free.batch = expired.id
    ORDER BY expired.id
""")

KEEP_BATCHES = text("""
    UPDATE batches SET expire = CAST(:now AS timestamptz) + interval '1 minute'
    WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id
""")

DELETE_BATCHES = text("""
    WITH gone AS (
        DELETE FROM batch_count_changes WHERE batch = ANY (CAST(:ids AS bigint[]))
    )
    DELETE FROM batches WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id
""")
