"""Statements of application.ports.queue, but for the claim."""

from collections.abc import Sequence

from sqlalchemy import TextClause, text

from adapters.postgres.statements.columns import TASK_COLUMNS, assigned, listed, unnested

_HOLDS = "unnest(CAST(:ids AS bigint[]), CAST(:claims AS integer[]), CAST(:holders AS text[]))"

# A row that another transaction has locked is left as it is: waiting for it would cost the handler the leases
# of all its other tasks. The claim is compared too, as a handler may name two claims of one task.
RENEW = text(f"""
    WITH given AS (
        SELECT * FROM {_HOLDS} AS g (id, claim, handler)
    ), held AS MATERIALIZED (
        SELECT t.id FROM tasks t JOIN given ON t.id = given.id AND (t.claims, t.handler) = (given.claim, given.handler)
        WHERE t.status = 'running'
        ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    ), renewed AS (
        UPDATE tasks t SET lease_until = :lease_until, handler = :handler
        FROM held WHERE t.id = held.id
    )
    SELECT given.id, given.claim, given.handler, t.id IS NOT NULL AS locked
    FROM given
    LEFT JOIN tasks t ON t.id = given.id AND (t.claims, t.handler) = (given.claim, given.handler)
        AND t.status = 'running'
    WHERE t.id IS NULL OR t.id NOT IN (SELECT id FROM held)
""")

# For statements that skip locked rows: only a lock on a table is waited for.
TABLE_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '5ms'")

LOST = text(f"""
    SELECT given.id, given.claim, given.handler
    FROM {_HOLDS} AS given (id, claim, handler)
    LEFT JOIN tasks t ON t.id = given.id AND (t.claims, t.handler) = (given.claim, given.handler)
        AND t.status = 'running'
    WHERE t.id IS NULL
""")

HELD_BY = text("SELECT id, claims AS claim, handler FROM tasks WHERE status = 'running' AND handler = :handler")

REPORT = text("""
    WITH reports AS (
        SELECT * FROM unnest(
            CAST(:ids AS bigint[]), CAST(:claims AS integer[]), CAST(:holders AS text[]),
            CAST(:started AS timestamptz[]), CAST(:progress AS text[])
        ) AS r (id, claim, handler, started, progress)
    ), held AS MATERIALIZED (
        SELECT reports.* FROM tasks t
        JOIN reports ON t.id = reports.id AND (t.claims, t.handler) = (reports.claim, reports.handler)
        WHERE t.status = 'running'
        ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    ), reported AS (
        UPDATE tasks t SET started = held.started, progress = coalesce(held.progress, t.progress)
        FROM held WHERE t.id = held.id
    )
    SELECT reports.id, reports.claim, reports.handler FROM tasks t
    JOIN reports ON t.id = reports.id AND (t.claims, t.handler) = (reports.claim, reports.handler)
    WHERE t.status = 'running' AND t.id NOT IN (SELECT id FROM held)
""")

_SETTLED = ("id", "claim", "handler", "created")
_OUTCOME = (
    *("status", "run_at", "expire", "attempt", "losses", "suspect", "started", "finished", "progress", "error"),
    "result",
)
_SUCCESS = ("expire", "started", "finished", "progress", "result")
# A task is told from a later one with its id by `created`, unless Python has no form for its value.
_IS_SAME_TASK = "(t.created = {given}.created OR t.created NOT BETWEEN '0001-01-02' AND '9999-12-31')"


def _in_order(columns: Sequence[str]) -> str:
    """Return the settlements in the order of ids, each with its place in the list that was given.

    Rows are updated, and so locked, in that order, as by all writes of several rows: two of these wait for each other,
    but never in a circle. The planner cannot see the value of the LIMIT, so it expects few outcomes and looks the tasks
    up one by one in that order. The LIMIT also sets how long the statement waits for a row's lock: it is computed
    before the first row is looked at, and costs less than a statement of its own.
    """
    return f"""
        SELECT *
        FROM {unnested(columns)} WITH ORDINALITY AS o ({listed(columns)}, nth)
        ORDER BY id LIMIT (SELECT CASE WHEN set_config('lock_timeout', '30ms', true) <> '' THEN 1000000 END)
    """


def _settle(settled: Sequence[str], outcome: Sequence[str], is_held: str, constants: str = "") -> TextClause:
    # The CASE keeps the planner from expecting so few running tasks that it would read all of them for each outcome.
    return text(f"""
        UPDATE tasks t
        SET {assigned(outcome, "o")}, {constants}handler = NULL, lease_until = NULL
        FROM ({_in_order((*settled, *outcome))}) o
        WHERE t.id = o.id
            AND CASE WHEN {is_held} AND {_IS_SAME_TASK.format(given="o")} THEN t.status = 'running' END
        RETURNING o.nth, t.has_dependents
    """)


SETTLE = _settle(_SETTLED, _OUTCOME, "(t.claims, t.handler) = (o.claim, o.handler)")
SETTLE_SUCCESSES = _settle(
    ("id", "claim", "created"),
    _SUCCESS,
    "(t.claims, t.handler) = (o.claim, :handler)",
    "status = 'done', error = NULL, ",
)
"""What SETTLE does for successes of one handler, in less time: it writes only what a success changes."""

# A row that has these values already was written by the same settlement, whose answer was lost; it names no handler any
# more. The lock is needed because only a locked row is sure to be the newest version: the commit without an answer may
# still be under way.
SETTLED = text(f"""
    SELECT o.nth, t.has_dependents
    FROM tasks t JOIN ({_in_order((*_SETTLED, *_OUTCOME))}) o
        ON t.id = o.id AND t.claims = o.claim AND {_IS_SAME_TASK.format(given="o")}
    WHERE ({listed(_OUTCOME, "t")}) IS NOT DISTINCT FROM ({listed(_OUTCOME, "o")})
    ORDER BY t.id FOR UPDATE OF t
""")

_GIVEN = f"WITH given AS (SELECT * FROM {_HOLDS} AS g (id, claim, handler))"

# Locks the tasks of these holds, and returns the holds whose tasks others have locked.
LOCK_UNLOCKED = text(f"""
    {_GIVEN}, free AS MATERIALIZED (
        SELECT t.id FROM tasks t JOIN given ON t.id = given.id ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    )
    SELECT given.* FROM tasks t JOIN given ON t.id = given.id WHERE t.id NOT IN (SELECT id FROM free)
""")

# The same for the records of their starts. It is apart, so that a lock on the whole table delays no other settlement,
# and has an UPDATE of no row, so that such a lock is met before anything is written.
LOCK_UNLOCKED_RECORDS = text(f"""
    {_GIVEN}, trial AS (
        UPDATE attempts SET log = log WHERE task = 0
    ), free AS MATERIALIZED (
        SELECT a.task, a.claim FROM attempts a JOIN given ON a.task = given.id AND a.claim = given.claim
        ORDER BY a.task, a.claim FOR UPDATE OF a SKIP LOCKED
    )
    SELECT given.* FROM attempts a JOIN given ON a.task = given.id AND a.claim = given.claim
    WHERE (a.task, a.claim) NOT IN (SELECT task, claim FROM free)
""")

_RECORDED = ("attempt", "outcome", "started", "ended", "error", "traceback", "log")
_ATTEMPT = ("task", "claim", *_RECORDED)

# A rescuer knows of no output: what the lost handler has stored of it stays.
_KEPT_LOG = """
    CASE WHEN attempts.outcome = 'running' AND excluded.outcome = 'lost' AND excluded.log = '""'
        THEN attempts.log ELSE excluded.log END
"""

SETTLE_ATTEMPTS = text(f"""
    INSERT INTO attempts ({listed(_ATTEMPT)})
    SELECT * FROM {unnested(_ATTEMPT)}
    ON CONFLICT (task, claim) DO UPDATE SET {assigned(_RECORDED[:-1], "excluded")}, log = {_KEPT_LOG}
""")

_RUNNING_LOG = (*_ATTEMPT, "handler")

# The lock on the task keeps settlements and other writers of the record away, so that nothing is waited for. The commit
# need not reach the disk: all that a crash of the server can lose is the last moment of a log that is written again.
REPORT_LOGS = text(f"""
    WITH logs AS MATERIALIZED (
        SELECT * FROM {unnested(_RUNNING_LOG)} AS l ({listed(_RUNNING_LOG)})
        WHERE set_config('synchronous_commit', 'off', true) <> ''
    ), held AS MATERIALIZED (
        SELECT logs.* FROM tasks t
        JOIN logs ON t.id = logs.task AND (t.claims, t.handler) = (logs.claim, logs.handler)
        WHERE t.status = 'running'
        ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    ), free_records AS MATERIALIZED (
        SELECT a.task FROM attempts a JOIN held ON a.task = held.task AND a.claim = held.claim
        ORDER BY a.task FOR UPDATE OF a SKIP LOCKED
    ), free AS MATERIALIZED (
        SELECT held.* FROM held LEFT JOIN attempts a ON a.task = held.task AND a.claim = held.claim
        WHERE a.task IS NULL OR a.task IN (SELECT task FROM free_records)
    ), recorded AS (
        INSERT INTO attempts ({listed(_ATTEMPT)}, logged_by)
        SELECT {listed(_RUNNING_LOG)} FROM free
        ON CONFLICT (task, claim) DO UPDATE SET {assigned(_RECORDED, "excluded")}
        WHERE attempts.outcome = 'running'
    ), marked AS (
        UPDATE tasks t SET printed = free.ended FROM free WHERE t.id = free.task
    )
    SELECT logs.task AS id, logs.claim, logs.handler FROM tasks t
    JOIN logs ON t.id = logs.task AND (t.claims, t.handler) = (logs.claim, logs.handler)
    WHERE t.status = 'running' AND t.id NOT IN (SELECT task FROM free)
""")

# A claim that a failover has lost may have been given again, and the record of a settled start names no handler. So
# nothing is touched while another handler holds the claim, nor a start whose outcome or whose log is known, unless this
# handler wrote that log while the start went on: its own log came with it.
# The lock keeps the tasks from being deleted until the commit. It does not wait for transactions that only change them.
RECORD_LATE_LOGS = text(f"""
    WITH late_logs AS (
        SELECT * FROM {unnested((*_ATTEMPT, "handler", "created"))} AS l ({listed((*_ATTEMPT, "handler", "created"))})
    ), locked AS MATERIALIZED (
        SELECT late_logs.*, t.status = 'cancelled' AND t.claims = late_logs.claim AS cancelled
        FROM tasks t JOIN late_logs ON t.id = late_logs.task AND {_IS_SAME_TASK.format(given="late_logs")}
        WHERE t.claims <> late_logs.claim OR t.status NOT IN ('running', 'done') OR t.handler = late_logs.handler
        ORDER BY t.id, late_logs.claim FOR KEY SHARE OF t
    )
    INSERT INTO attempts ({listed(_ATTEMPT)}, logged_by)
    SELECT {listed(_ATTEMPT, outcome="CASE WHEN cancelled THEN 'cancelled' ELSE outcome END")}, handler
    FROM locked
    ON CONFLICT (task, claim) DO UPDATE SET
        outcome = CASE attempts.outcome WHEN 'running' THEN excluded.outcome ELSE attempts.outcome END,
        ended = CASE attempts.outcome WHEN 'running' THEN excluded.ended ELSE attempts.ended END,
        log = excluded.log
    WHERE attempts.outcome IN ('running', 'lost', 'cancelled')
        AND (attempts.log = '""' OR attempts.logged_by = excluded.logged_by)
""")

# No task has the id 0, so no row is changed. The message is what the commit has to write and flush.
_TRIAL = "trial AS (UPDATE tasks SET lease_until = lease_until, handler = handler WHERE id = 0)"
_MESSAGE = "pg_logical_emit_message(true, 'flask-tasks', 'trial write')"
TRY_WRITE = text(f"WITH {_TRIAL} SELECT {_MESSAGE}")

# A lease is known by this value, since Python has no form for 'infinity' and its like. None is NULL.
_READABLE_UNTIL = "greatest(least(lease_until, timestamptz '9999-01-01Z'), timestamptz '0001-01-01Z')"

# Not prepared: on a slow line, preparing it over each new connection would take another round trip. While nothing runs
# there is no lease to judge, and nothing is flushed.
OBSERVE_LEASES = text(f"""
    WITH {_TRIAL}, held AS MATERIALIZED (
        SELECT DISTINCT handler, {_READABLE_UNTIL} AS lease_until FROM tasks WHERE status = 'running'
    ), flushed AS MATERIALIZED (
        SELECT pg_postmaster_start_time() AS up_since, CASE WHEN EXISTS (SELECT FROM held) THEN {_MESSAGE} END
    )
    SELECT flushed.up_since, held.handler, held.lease_until, handlers.lease
    FROM flushed LEFT JOIN held ON true LEFT JOIN handlers ON handlers.id = held.handler
""")

_LAPSED = f"""
    SELECT {listed(TASK_COLUMNS, "t")}
    FROM tasks t JOIN {unnested(("handler", "lease_until"))} AS lapsed (handler, until)
        ON t.handler = lapsed.handler AND {_READABLE_UNTIL} = lapsed.until
    WHERE t.status = 'running' AND t.id <> ALL (CAST(:left_out AS bigint[]))
    ORDER BY t.lease_until, t.id LIMIT :limit
    FOR UPDATE OF t SKIP LOCKED
"""
LAPSED = text(_LAPSED)

# Writes each of them as a renewal does, and changes nothing: on a full disk some rows find room and others do not.
TRY_LAPSED = text(f"""
    WITH free AS MATERIALIZED ({_LAPSED}), written AS (
        UPDATE tasks t SET lease_until = t.lease_until FROM free WHERE t.id = free.id
    )
    SELECT {listed(TASK_COLUMNS)} FROM free ORDER BY lease_until, id
""")

RUNNING_UNDER = text(f"""
    SELECT {listed(TASK_COLUMNS, "t")} FROM tasks t
    WHERE t.status = 'running' AND t.handler = :handler
        AND (t.id, t.claims, t.handler) NOT IN (SELECT * FROM {_HOLDS})
    ORDER BY t.id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")
