"""Statements of application.ports.task_repository, and of the same methods of application.ports.autocommit."""

from sqlalchemy import text

from adapters.postgres.statements.columns import TASK_COLUMNS, assigned, listed, unnested

_SUBMITTED = (
    *("type", "args", "terms", "created", "run_at", "expire", "ttl", "priority", "max_attempts", "max_losses"),
    *("timeout", "callback", "lane", "labels", "batch", "traceparent"),
)
_SUBMITTED_WITH_KEY = (
    *_SUBMITTED,
    "key",
    "fingerprint",
    "if_parent_failed",
    "wanted_run_at",
    "has_references",
    "owner",
)
_TERMS = "CAST(terms AS bigint[])"

ADD = text(f"""
    INSERT INTO tasks ({listed(_SUBMITTED)})
    SELECT {listed(_SUBMITTED, terms=_TERMS)}
    FROM {unnested(_SUBMITTED)} WITH ORDINALITY AS new ({listed(_SUBMITTED)}, position)
    ORDER BY position
    RETURNING id
""")

# Ids are drawn in the given order. Rows are written in the order of keys, so that two transactions that write the same
# keys wait for each other, but never in a circle.
ADD_WITH_KEYS = text(f"""
    WITH new AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('tasks', 'id')) AS id, given.*
        FROM (
            SELECT * FROM {unnested(_SUBMITTED_WITH_KEY)}
                WITH ORDINALITY AS g ({listed(_SUBMITTED_WITH_KEY)}, position)
            ORDER BY position
        ) given
    ), added AS (
        INSERT INTO tasks (id, {listed(_SUBMITTED_WITH_KEY)})
        OVERRIDING SYSTEM VALUE
        SELECT id, {listed(_SUBMITTED_WITH_KEY, terms=_TERMS)}
        FROM new ORDER BY key, id
        ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT added.id FROM new LEFT JOIN added USING (id) ORDER BY new.id
""")

# xmin is the number of the transaction that wrote the row, so it changes whenever the row does.
_VERSION = "CAST(CAST(t.xmin AS text) AS bigint) AS version"
# The size of a text is known without reading it.
_IS_SMALL = "t.args_bytes + coalesce(octet_length(t.result), 0) <= CAST(:max_bytes AS bigint)"
_RECORD = f"""
    {listed(TASK_COLUMNS, "t")}, CASE WHEN {_IS_SMALL} THEN t.args END AS args,
    CASE WHEN {_IS_SMALL} THEN t.result END AS result, {_VERSION}, t.printed, t.key, t.if_parent_failed
"""

LOCK_OWNER = text("SELECT pg_advisory_xact_lock(hashtextextended('owner ' || :owner, 0))")

COUNT_WAITING = text("""
    SELECT count(*) FROM (SELECT FROM tasks WHERE owner = :owner AND status = 'waiting' LIMIT :limit) waiting
""")

KEY_OWNERS = text("SELECT id, key, fingerprint FROM tasks WHERE key = ANY (CAST(:keys AS text[]))")

GET = text(f"SELECT {_RECORD} FROM tasks t WHERE t.id = :id")

GET_MANY = text(f"SELECT {_RECORD} FROM tasks t WHERE t.id = ANY (CAST(:ids AS bigint[]))")

VERSIONS = text(f"SELECT t.id, {_VERSION} FROM tasks t WHERE t.id = ANY (CAST(:ids AS bigint[]))")

# The subquery is looked up by its index once for each id, however many there are: the planner does not know the number.
CHANGED = text(f"""
    SELECT {listed(TASK_COLUMNS, "t")}, NULL AS args, NULL AS result, t.version, t.printed, t.key, seen.id AS known
    FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[])) AS seen (id, version)
    LEFT JOIN LATERAL (SELECT *, {_VERSION} FROM tasks t WHERE t.id = seen.id OFFSET 0) t ON true
    WHERE t.version IS DISTINCT FROM seen.version
""")

_LOCK = f"""
    SELECT {listed(TASK_COLUMNS, "t")} FROM tasks t
    WHERE t.id = ANY (CAST(:ids AS bigint[]))
    ORDER BY t.id FOR UPDATE"""
LOCK = text(_LOCK)
LOCK_FREE = text(f"{_LOCK} SKIP LOCKED")

# A record of a running start is left behind where the end of the start had none: the task knows how it ended.
_IS_OF_TASK = "t.claims = a.claim AND t.status <> 'waiting'"
_OUTCOME = f"CASE WHEN a.outcome <> 'running' THEN a.outcome WHEN {_IS_OF_TASK} THEN t.status ELSE 'lost' END"
_ENDED = f"coalesce(CASE WHEN a.outcome = 'running' AND {_IS_OF_TASK} THEN t.finished END, a.ended)"

ATTEMPTS = text(f"""
    SELECT *
    FROM (
        SELECT a.claim, a.attempt, {_OUTCOME} AS outcome, a.started, {_ENDED} AS ended, a.error, a.traceback, a.log
        FROM attempts a JOIN tasks t ON t.id = a.task
        WHERE a.task = :id ORDER BY a.claim DESC LIMIT :latest
    ) last
    ORDER BY claim
""")

_SAVED = (
    *(
        "status",
        "run_at",
        "expire",
        "max_attempts",
        "attempt",
        "losses",
        "suspect",
        "handler",
        "lease_until",
        "started",
    ),
    *("finished", "progress", "error"),
)

SAVE = text(f"""
    UPDATE tasks t
    SET {assigned(_SAVED, "s")}
    FROM {unnested(("id", *_SAVED))} AS s (id, {listed(_SAVED)})
    WHERE t.id = s.id AND t.id = ANY (CAST(:id AS bigint[]))
""")

REPLACE_ARGS = text("""
    UPDATE tasks t SET args = given.args
    FROM unnest(CAST(:ids AS bigint[]), CAST(:args AS text[])) AS given (id, args)
    WHERE t.id = given.id AND t.id = ANY (CAST(:ids AS bigint[]))
""")

# Results that are left out are not read. The subquery is looked up by its index once for each id.
RESULTS = text("""
    SELECT id, status, finished,
        CASE WHEN bytes = total OR bytes IS NOT NULL AND total <= :max_bytes THEN coalesce(result, 'null') END AS result
    FROM (
        SELECT *, sum(bytes) OVER (ORDER BY position) AS total
        FROM (
            SELECT t.*, given.position,
                CASE WHEN t.status = 'done' AND t.finished IS DISTINCT FROM given.known
                    THEN coalesce(octet_length(t.result), 4) END AS bytes
            FROM unnest(CAST(:ids AS bigint[]), CAST(:known AS timestamptz[]))
                WITH ORDINALITY AS given (id, known, position)
            CROSS JOIN LATERAL (
                SELECT t.id, t.status, t.finished, t.result FROM tasks t WHERE t.id = given.id LIMIT 1
            ) t
        ) found
    ) sized
    ORDER BY position
""")

REMOVE = text("DELETE FROM tasks WHERE id = ANY (CAST(:ids AS bigint[]))")
