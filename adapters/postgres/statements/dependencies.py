"""Statements of application.ports.dependencies. The triggers of revision 0028 write most of the changed parents."""

from sqlalchemy import text

from adapters.postgres.statements.columns import TASK_COLUMNS, listed
from domain.instants import NEVER

# Those that were marked have their lock until the commit, so that whatever ends them then knows that they are parents.
MARK_PARENTS = text("""
    WITH unmarked AS MATERIALIZED (
        SELECT id FROM tasks WHERE id = ANY (CAST(:parents AS bigint[])) AND NOT has_dependents
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE tasks t SET has_dependents = true FROM unmarked WHERE t.id = unmarked.id
    RETURNING t.id, t.finished IS NOT NULL AS has_finished
""")

PARENT_STATUSES = text("""
    SELECT given.id, t.status FROM unnest(CAST(:parents AS bigint[])) AS given (id) LEFT JOIN tasks t USING (id)
""")

ADD_DEPENDENCIES = text("""
    INSERT INTO dependencies (dependent, parent)
    SELECT * FROM unnest(CAST(:dependents AS bigint[]), CAST(:parents AS bigint[]))
""")

NOTE_CHANGED_PARENTS = text("""
    INSERT INTO changed_parents (parent, first, last)
    SELECT * FROM unnest(CAST(:parents AS bigint[]), CAST(:first AS bigint[]), CAST(:last AS bigint[]))
""")

# A note of a dependent alone has all of its parents looked at, so that any of them will do.
PUT_OFF = text("""
    INSERT INTO changed_parents (parent, first, last)
    SELECT min(parent), dependent, dependent FROM dependencies
    WHERE dependent = ANY (CAST(:dependents AS bigint[]))
    GROUP BY dependent
""")

_IS_UNDECIDED = f"t.run_at = timestamptz '{NEVER.isoformat()}' AND t.status IN ('waiting', 'failed')"

# Takes changes, and locks the first of the dependents on which they may decide, each returned with one of its changes.
# Of each change it returns the last dependent that was looked at, and whether there may be others behind that.
# Here and below a LIMIT has each task looked up by its id: the planner would rather read many tasks to find a few that
# have an edge.
TAKE_UNDECIDED = text(f"""
    WITH taken AS MATERIALIZED (
        SELECT id, parent, first, last FROM changed_parents ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), pairs AS MATERIALIZED (
        SELECT taken.id AS change, undecided.dependent, taken.last < :max_id AS is_new
        FROM (SELECT * FROM taken ORDER BY id) taken CROSS JOIN LATERAL (
            SELECT d.dependent
            FROM dependencies d CROSS JOIN LATERAL (
                SELECT FROM tasks t WHERE t.id = d.dependent AND {_IS_UNDECIDED} LIMIT 1
            ) t
            WHERE d.parent = taken.parent AND d.dependent BETWEEN taken.first AND taken.last
            ORDER BY d.dependent LIMIT :limit
        ) undecided
        ORDER BY taken.id, undecided.dependent LIMIT :max_pairs
    ), cut AS MATERIALIZED (
        SELECT max(change) AS change FROM pairs HAVING count(*) = :max_pairs
    ), looked_at AS MATERIALIZED (
        SELECT change, max(dependent) AS last_pair, count(*) = :limit OR change IN (SELECT change FROM cut) AS is_cut
        FROM pairs GROUP BY change
    ), found AS MATERIALIZED (
        SELECT min(change) AS change, dependent, bool_or(is_new) AS is_new
        FROM pairs GROUP BY dependent ORDER BY dependent LIMIT :limit
    ), free AS MATERIALIZED (
        SELECT t.id, t.status = 'failed' AS has_failed FROM tasks t
        WHERE t.id = ANY (ARRAY(SELECT dependent FROM found)) AND t.id <> ALL (CAST(:left_out AS bigint[]))
            AND {_IS_UNDECIDED}
        ORDER BY t.id FOR UPDATE SKIP LOCKED
    )
    SELECT taken.id AS change, taken.parent, taken.last, coalesce(last_pair, 0) AS last_pair,
        coalesce(is_cut, false) AS is_cut, found.dependent, free.id IS NOT NULL AS is_free,
        found.is_new OR free.has_failed AS is_new
    FROM taken LEFT JOIN looked_at ON looked_at.change = taken.id LEFT JOIN found ON found.change = taken.id
        LEFT JOIN free ON free.id = found.dependent
    WHERE taken.id <= coalesce((SELECT change FROM cut), :max_id)
""")

LOCK_FAILED_BY = text(f"""
    SELECT t.id FROM tasks t
    WHERE t.id = ANY (ARRAY(SELECT dependent FROM dependencies WHERE parent = ANY (CAST(:parents AS bigint[]))))
        AND t.status = 'failed' AND {_IS_UNDECIDED}
    ORDER BY t.id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")

_PARENTS = """
    dependencies d LEFT JOIN LATERAL (SELECT p.status FROM tasks p WHERE p.id = d.parent LIMIT 1) p ON true
"""
# Held until the end of the transaction: of two at once, neither would see the other's edges, which may close a circle
# together. The walk is a statement of its own, whose snapshot is newer than the lock. Nothing waits for a batch that no
# task follows: it needs no lock, and there is no row.
LOCK_GRAPH = text("""
    SELECT pg_advisory_xact_lock(7218374650192837) FROM batches WHERE id = :batch AND then_task IS NOT NULL
""")
# Walks from the task that follows the batch to those that wait for it: mostly there are few.
AFTER_BATCH = text("""
    WITH RECURSIVE later (id) AS (
        SELECT then_task FROM batches WHERE id = :batch
        UNION
        SELECT next.id FROM later CROSS JOIN LATERAL (
            SELECT dependent AS id FROM dependencies WHERE parent = later.id
            UNION ALL
            SELECT b.then_task FROM tasks t JOIN batches b ON b.id = t.batch WHERE t.id = later.id
        ) next
    )
    SELECT id FROM later WHERE id = ANY (CAST(:tasks AS bigint[]))
""")

_HAS_FAILED = "(p.status IS NULL OR p.status IN ('failed', 'cancelled'))"

# A statement of its own, since its snapshot has to be newer than the locks. Of many parents the one that ends last is
# mostly the last one. While one has not ended, only those that have changed can be the first to have failed, unless
# the dependent itself is new.
DEPENDENTS = text(f"""
    WITH changed AS MATERIALIZED (
        SELECT d.parent FROM unnest(CAST(:changed AS bigint[])) AS d (parent) LEFT JOIN LATERAL (
            SELECT p.status FROM tasks p WHERE p.id = d.parent LIMIT 1
        ) p ON true WHERE {_HAS_FAILED}
    )
    SELECT {listed(TASK_COLUMNS, "t")}, t.wanted_run_at, unfinished.parent IS NULL AS is_ready,
        failed.parent AS failed_parent, failed.status AS failed_status
    FROM tasks t LEFT JOIN LATERAL (
        SELECT d.parent FROM {_PARENTS}
        WHERE d.dependent = t.id AND p.status IN ('waiting', 'running')
        ORDER BY d.parent DESC LIMIT 1
    ) unfinished ON true LEFT JOIN LATERAL (
        SELECT d.parent, p.status FROM {_PARENTS}
        WHERE d.dependent = t.id AND {_HAS_FAILED} AND t.if_parent_failed = 'fail' AND (
            unfinished.parent IS NULL OR t.id = ANY (CAST(:new AS bigint[])) OR (
                SELECT true FROM dependencies d
                WHERE d.dependent = t.id AND d.parent = ANY (ARRAY(SELECT parent FROM changed)) LIMIT 1
            )
        )
        ORDER BY d.parent LIMIT 1
    ) failed ON true
    WHERE t.id = ANY (CAST(:ids AS bigint[]))
    ORDER BY t.id
""")

FORGET_CHANGES = text("DELETE FROM changed_parents WHERE id = ANY (CAST(:changes AS bigint[]))")

PARENTS_AMONG = text("""
    SELECT d.dependent, array_agg(d.parent) AS parents
    FROM unnest(CAST(:tasks AS bigint[])) AS given (id) JOIN dependencies d ON d.dependent = given.id
    WHERE d.parent = ANY (CAST(:tasks AS bigint[]))
    GROUP BY d.dependent
""")

PARENTS = text("SELECT parent FROM dependencies WHERE dependent = :task ORDER BY parent")
