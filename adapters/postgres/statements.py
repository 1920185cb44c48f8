"""The SQL statements of the unit of work and of the autocommit store."""

from sqlalchemy import text

UNCODED = (
    *("id", "type", "created", "run_at", "expire", "ttl", "priority", "max_attempts", "max_losses", "timeout"),
    *("callback", "attempt", "losses", "claims", "started", "finished"),
)
"""The columns that are fields of a task under the same names."""
CODED = ("status", "handler", "lease_until", "progress", "error")
"""Those that the other fields are made of."""
TASK = ", ".join(f"t.{name}" for name in (*UNCODED, *CODED))
"""The columns of a task, as rows.task reads them."""
CLAIMED = ", ".join(f"t.{name}" for name in (*UNCODED, "error", "args"))
"""Those of a task that was just claimed, as rows.claimed reads them: the others are known."""

ADD = text("""
    INSERT INTO tasks
        (type, args, terms, created, run_at, expire, ttl, priority, max_attempts, max_losses, timeout, callback)
    SELECT type, args, CAST(terms AS bigint[]), created, run_at, expire, ttl, priority, max_attempts, max_losses,
        timeout, callback
    FROM unnest(
        CAST(:type AS text[]), CAST(:args AS text[]), CAST(:terms AS text[]), CAST(:created AS timestamptz[]),
        CAST(:run_at AS timestamptz[]), CAST(:expire AS timestamptz[]), CAST(:ttl AS integer[]),
        CAST(:priority AS smallint[]), CAST(:max_attempts AS integer[]), CAST(:max_losses AS integer[]),
        CAST(:timeout AS float8[]), CAST(:callback AS text[])
    ) WITH ORDINALITY AS new (
        type, args, terms, created, run_at, expire, ttl, priority, max_attempts, max_losses, timeout, callback, place
    )
    ORDER BY place
    RETURNING id
""")

# Ids are drawn in the order given. Rows are written in the order of keys, so that two who write the same keys wait for
# each other and never in a circle.
ADD_WITH_KEYS = text("""
    WITH new AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('tasks', 'id')) AS id, given.*
        FROM (
            SELECT * FROM unnest(
                CAST(:type AS text[]), CAST(:args AS text[]), CAST(:terms AS text[]), CAST(:created AS timestamptz[]),
                CAST(:run_at AS timestamptz[]), CAST(:expire AS timestamptz[]), CAST(:ttl AS integer[]),
                CAST(:priority AS smallint[]), CAST(:max_attempts AS integer[]), CAST(:max_losses AS integer[]),
                CAST(:timeout AS float8[]), CAST(:callback AS text[]), CAST(:key AS text[]),
                CAST(:fingerprint AS text[])
            ) WITH ORDINALITY AS g (
                type, args, terms, created, run_at, expire, ttl, priority, max_attempts, max_losses, timeout, callback,
                key, fingerprint, place
            )
            ORDER BY place
        ) given
    ), added AS (
        INSERT INTO tasks (
            id, type, args, terms, created, run_at, expire, ttl, priority, max_attempts, max_losses, timeout, callback,
            key, fingerprint
        )
        OVERRIDING SYSTEM VALUE
        SELECT id, type, args, CAST(terms AS bigint[]), created, run_at, expire, ttl, priority, max_attempts,
            max_losses, timeout, callback, key, fingerprint
        FROM new ORDER BY key, id
        ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT added.id FROM new LEFT JOIN added USING (id) ORDER BY new.id
""")

# Whoever writes a row leaves the number of the transaction on it.
_VERSION = "CAST(CAST(t.xmin AS text) AS bigint) AS version"
_STORED = f"{TASK}, t.args, t.result, {_VERSION}"

WITH_KEYS = text("SELECT id, key, fingerprint FROM tasks WHERE key = ANY (CAST(:keys AS text[]))")

GET = text(f"SELECT {_STORED} FROM tasks t WHERE t.id = :id")

SEVERAL = text(f"SELECT {_STORED} FROM tasks t WHERE t.id = ANY (CAST(:ids AS bigint[]))")

VERSIONS = text(f"SELECT t.id, {_VERSION} FROM tasks t WHERE t.id = ANY (CAST(:ids AS bigint[]))")

LOCK = text(f"SELECT {TASK} FROM tasks t WHERE t.id = ANY (CAST(:ids AS bigint[])) ORDER BY t.id FOR UPDATE")

ATTEMPTS = text("""
    SELECT *
    FROM (
        SELECT claim, attempt, outcome, started, ended, error, traceback, log
        FROM attempts WHERE task = :id ORDER BY claim DESC LIMIT :latest
    ) last
    ORDER BY claim
""")

SAVE = text("""
    UPDATE tasks t
    SET status = s.status, run_at = s.run_at, expire = s.expire, max_attempts = s.max_attempts, attempt = s.attempt,
        losses = s.losses, handler = s.handler, lease_until = s.lease_until, started = s.started,
        finished = s.finished, progress = s.progress, error = s.error
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:status AS text[]), CAST(:run_at AS timestamptz[]),
        CAST(:expire AS timestamptz[]), CAST(:max_attempts AS integer[]), CAST(:attempt AS integer[]),
        CAST(:losses AS integer[]), CAST(:handler AS text[]), CAST(:lease_until AS timestamptz[]),
        CAST(:started AS timestamptz[]), CAST(:finished AS timestamptz[]), CAST(:progress AS text[]),
        CAST(:error AS text[])
    ) AS s (id, status, run_at, expire, max_attempts, attempt, losses, handler, lease_until, started, finished,
        progress, error)
    WHERE t.id = s.id AND t.id = ANY (CAST(:id AS bigint[]))
""")

REMOVE = text("DELETE FROM tasks WHERE id = :id")

# A claim walks the pairs of type and priority that have waiting tasks, by an index look-up each, so that neither what
# is not due yet nor what is of another type is ever read, nor what lies before a cursor. It looks at what is due first
# (`due`), decides how many of each pair there are to be (`share`), and only then locks: nobody else finds rows locked
# that are not taken.
# The planner takes a limit that it cannot see for a tenth of the table. So each has one below it that it sees,
# `:limit`, and the ids come as an array: else it would join by reading the table, and compile its plan for a second.
CLAIM = text(f"""
    WITH RECURSIVE claim_cursor AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:cursor_types AS text[]), CAST(:cursor_priorities AS smallint[]),
            CAST(:cursor_run_at AS timestamptz[]), CAST(:cursor_ids AS bigint[])
        ) AS c (type, priority, after_run_at, after_id)
    ), wanted AS (
        SELECT type, most, slow, turn, cursor_priorities
        FROM unnest(CAST(:types AS text[]), CAST(:most AS integer[]), CAST(:slow AS boolean[]))
            WITH ORDINALITY AS w (type, most, slow, turn)
        LEFT JOIN (
            SELECT type, array_agg(priority ORDER BY priority DESC) AS cursor_priorities FROM claim_cursor GROUP BY type
        ) cursors USING (type)
    ), step AS (
        SELECT type, most, slow, turn, cursor_priorities, 1 AS nth_cursor, 32768 AS priority FROM wanted
        UNION ALL
        SELECT step.type, step.most, step.slow, step.turn, step.cursor_priorities,
            step.nth_cursor + CASE WHEN waiting.priority IS NULL THEN 1 ELSE 0 END,
            CAST(coalesce(waiting.priority, step.cursor_priorities[step.nth_cursor]) AS integer)
        FROM step LEFT JOIN LATERAL (
            SELECT priority FROM tasks
            WHERE status = 'waiting' AND type = step.type AND priority < step.priority
                AND priority > coalesce(step.cursor_priorities[step.nth_cursor], -32769)
            ORDER BY priority DESC LIMIT 1
        ) waiting ON true
        WHERE coalesce(waiting.priority, step.cursor_priorities[step.nth_cursor]) IS NOT NULL
    ), pair AS (
        SELECT step.*, coalesce(after_run_at, '-infinity') AS after_run_at, coalesce(after_id, 0) AS after_id
        FROM step LEFT JOIN claim_cursor USING (type, priority)
        WHERE step.priority < 32768
    ), due AS (
        SELECT pair.*, nth,
            sum(1) OVER (PARTITION BY pair.type ORDER BY pair.priority DESC, nth) AS nth_of_type
        FROM pair CROSS JOIN LATERAL (
            SELECT row_number() OVER (ORDER BY run_at, id) AS nth
            FROM (
                SELECT run_at, id FROM tasks
                WHERE status = 'waiting' AND type = pair.type AND priority = pair.priority AND run_at <= :now
                    AND (run_at, id) > (pair.after_run_at, pair.after_id)
                ORDER BY run_at, id LIMIT :limit
            ) first
            LIMIT pair.most
        ) each
    ), share AS (
        SELECT type, priority, turn, after_run_at, after_id, count(*) AS size
        FROM (
            SELECT *
            FROM (
                SELECT *, row_number() OVER (PARTITION BY slow ORDER BY priority DESC, nth, turn) AS nth_of_speed
                FROM due WHERE nth_of_type <= most
            ) wanted
            WHERE NOT slow OR nth_of_speed <= :max_slow
            ORDER BY priority DESC, nth, turn LIMIT :limit
        ) taken
        GROUP BY type, priority, turn, after_run_at, after_id
    ), locked AS MATERIALIZED (
        SELECT share.priority, share.turn, free.*
        FROM share CROSS JOIN LATERAL (
            SELECT *
            FROM (
                SELECT id, run_at, args_bytes FROM tasks
                WHERE status = 'waiting' AND type = share.type AND priority = share.priority AND run_at <= :now
                    AND (run_at, id) > (share.after_run_at, share.after_id)
                ORDER BY run_at, id LIMIT :limit
                FOR UPDATE SKIP LOCKED
            ) first
            LIMIT share.size
        ) free
    ), ranked AS (
        SELECT id, args_bytes, row_number() OVER (ORDER BY priority DESC, round, turn) AS position
        FROM (
            SELECT *, row_number() OVER (PARTITION BY turn, priority ORDER BY run_at, id) AS round FROM locked
        ) rounds
    ), chosen AS (
        SELECT id, position
        FROM (SELECT *, sum(args_bytes) OVER (ORDER BY position) AS bytes FROM ranked) sized
        WHERE position = 1 OR bytes <= :max_bytes
    ), claimed AS (
        UPDATE tasks t
        SET status = 'running', attempt = attempt + 1, claims = claims + 1, handler = :handler,
            lease_until = :lease_until, finished = NULL, progress = NULL,
            started = CASE
                WHEN t.id = ANY (ARRAY(SELECT id FROM chosen WHERE position <= :starting))
                THEN CAST(:now AS timestamptz)
            END
        WHERE t.id = ANY (ARRAY(SELECT id FROM chosen))
        RETURNING {CLAIMED}
    )
    SELECT claimed.* FROM claimed JOIN chosen USING (id) ORDER BY position
""")

# A row that somebody has locked is left as it is at first, or one would cost all the others their leases. A handler may
# name two claims of one task: the pair decides.
_RENEW = """
    WITH mine AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS integer[])) AS m (id, claim)
    ), held AS MATERIALIZED (
        SELECT t.id FROM tasks t JOIN mine ON t.id = mine.id AND t.claims = mine.claim
        WHERE t.status = 'running'
        ORDER BY t.id FOR UPDATE OF t {how}
    ), renewed AS (
        UPDATE tasks t SET lease_until = :lease_until, handler = :handler
        FROM held WHERE t.id = held.id
    )
    SELECT mine.id, mine.claim, t.id IS NOT NULL AS locked
    FROM mine LEFT JOIN tasks t ON t.id = mine.id AND t.claims = mine.claim AND t.status = 'running'
    WHERE t.id IS NULL OR t.id NOT IN (SELECT id FROM held)
"""
RENEW, RENEW_WAITING = (text(_RENEW.format(how=how)) for how in ("SKIP LOCKED", ""))

SHORT_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '300ms'")

LOST = text("""
    SELECT mine.id, mine.claim
    FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS integer[])) AS mine (id, claim)
    LEFT JOIN tasks t ON t.id = mine.id AND t.claims = mine.claim AND t.status = 'running'
    WHERE t.id IS NULL
""")

HELD_BY = text("SELECT id, claims AS claim FROM tasks WHERE status = 'running' AND handler = :handler")

REPORT = text("""
    WITH news AS (
        SELECT * FROM unnest(
            CAST(:ids AS bigint[]), CAST(:claims AS integer[]), CAST(:started AS timestamptz[]),
            CAST(:progress AS text[])
        ) AS n (id, claim, started, progress)
    ), held AS MATERIALIZED (
        SELECT news.* FROM tasks t JOIN news ON t.id = news.id AND t.claims = news.claim
        WHERE t.status = 'running'
        ORDER BY t.id FOR UPDATE OF t
    )
    UPDATE tasks t SET started = held.started, progress = coalesce(held.progress, t.progress)
    FROM held WHERE t.id = held.id
""")

# Written, and so locked, in the order of ids, as all writes of several rows are, so that they wait for each other and
# never in a circle. Behind a limit that it cannot see the planner expects few, and looks up row by row in that order;
# in a CASE it cannot take what runs for so few that it might as well read all of it for each.
_OUTCOME = """
    SELECT *
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:claim AS integer[]), CAST(:status AS text[]), CAST(:run_at AS timestamptz[]),
        CAST(:expire AS timestamptz[]), CAST(:attempt AS integer[]), CAST(:losses AS integer[]),
        CAST(:started AS timestamptz[]), CAST(:finished AS timestamptz[]), CAST(:progress AS text[]),
        CAST(:error AS text[]), CAST(:result AS text[])
    ) AS o (id, claim, status, run_at, expire, attempt, losses, started, finished, progress, error, result)
    ORDER BY id LIMIT (SELECT 1000000)
"""
SETTLE = text(f"""
    UPDATE tasks t
    SET status = o.status, run_at = o.run_at, expire = o.expire, attempt = o.attempt, losses = o.losses,
        handler = NULL, lease_until = NULL, started = o.started, finished = o.finished, progress = o.progress,
        error = o.error, result = o.result
    FROM ({_OUTCOME}) o
    WHERE t.id = o.id AND CASE WHEN t.claims = o.claim THEN t.status = 'running' END
    RETURNING t.id, t.claims
""")

# A row that stands already as it would be written was written by this settlement, whose answer was lost. Only what a
# lock returns is sure to be the newest version of a row: the commit that went unanswered may be under way.
SETTLED = text(f"""
    SELECT t.id, t.claims
    FROM tasks t JOIN ({_OUTCOME}) o ON t.id = o.id AND t.claims = o.claim
    WHERE (t.status, t.run_at, t.expire, t.attempt, t.losses, t.started, t.finished, t.progress, t.error, t.result)
        IS NOT DISTINCT FROM
        (o.status, o.run_at, o.expire, o.attempt, o.losses, o.started, o.finished, o.progress, o.error, o.result)
    ORDER BY t.id FOR UPDATE OF t
""")

SETTLE_ATTEMPTS = text("""
    INSERT INTO attempts (task, claim, attempt, outcome, started, ended, error, traceback, log)
    SELECT * FROM unnest(
        CAST(:task AS bigint[]), CAST(:claim AS integer[]), CAST(:attempt AS integer[]), CAST(:outcome AS text[]),
        CAST(:started AS timestamptz[]), CAST(:ended AS timestamptz[]), CAST(:error AS text[]),
        CAST(:traceback AS text[]), CAST(:log AS text[])
    )
    ON CONFLICT (task, claim) DO UPDATE SET
        attempt = excluded.attempt, outcome = excluded.outcome, started = excluded.started, ended = excluded.ended,
        error = excluded.error, traceback = excluded.traceback, log = excluded.log
""")

# The lock keeps the tasks from being deleted until this is committed, and waits for nobody who only changes them.
RECORD = text("""
    WITH said AS (
        SELECT * FROM unnest(
            CAST(:task AS bigint[]), CAST(:claim AS integer[]), CAST(:attempt AS integer[]), CAST(:outcome AS text[]),
            CAST(:started AS timestamptz[]), CAST(:ended AS timestamptz[]), CAST(:error AS text[]),
            CAST(:traceback AS text[]), CAST(:log AS text[])
        ) AS s (task, claim, attempt, outcome, started, ended, error, traceback, log)
    ), locked AS MATERIALIZED (
        SELECT said.*, t.status = 'cancelled' AND t.claims = said.claim AS cancelled
        FROM tasks t JOIN said ON t.id = said.task
        ORDER BY t.id, said.claim FOR KEY SHARE OF t
    )
    INSERT INTO attempts (task, claim, attempt, outcome, started, ended, error, traceback, log)
    SELECT task, claim, attempt, CASE WHEN cancelled THEN 'cancelled' ELSE outcome END, started, ended, error,
        traceback, log
    FROM locked
    ON CONFLICT (task, claim) DO UPDATE SET log = excluded.log
""")

LAPSED = text(f"""
    SELECT {TASK} FROM tasks t
    WHERE t.status = 'running' AND t.lease_until < :now
    ORDER BY t.lease_until, t.id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")

LEFT_BY = text(f"""
    SELECT {TASK} FROM tasks t
    WHERE t.status = 'running' AND t.handler = :handler
    ORDER BY t.id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")

UP_SINCE = text("SELECT pg_postmaster_start_time()")

# Of columns that have no index the planner may know nothing, takes what is asked of them for rare, and reads and sorts
# what it believes to be little. In a CASE it is as likely as not.
CREATED = "CASE WHEN created >= :created_after THEN created < :created_before END"
FOUND = f"""
    CASE WHEN CAST(:terms AS bigint[]) = '{{}}' OR terms @> CAST(:terms AS bigint[]) THEN {CREATED} END
"""

PAGE = text(f"""
    SELECT {TASK} FROM tasks t
    WHERE t.id >= :since AND t.id < :before AND {CREATED}
    ORDER BY t.id DESC LIMIT :limit
""")

# The newest of each pair of type and status, of which the newest are the page: so it reads nothing of other kinds,
# whatever the mixture, unless it looks for terms. The counts say which pairs there are. Rows are compared as wholes, so
# that no index but that of the kinds has them in order. What runs is little, and found by its leases.
PAGE_OF_KINDS = text(f"""
    WITH kind AS (
        SELECT type, status FROM task_count_changes
        WHERE status <> 'running' AND status = ANY (CAST(:statuses AS text[]))
            AND (CAST(:type AS text) IS NULL OR type = :type)
        GROUP BY type, status HAVING sum(change) > 0
    ), newest AS (
        SELECT of_kind.id
        FROM kind CROSS JOIN LATERAL (
            SELECT id FROM tasks
            WHERE status <> 'running' AND {FOUND}
                AND (type, status, id) >= (kind.type, kind.status, CAST(:since AS bigint))
                AND (type, status, id) < (kind.type, kind.status, CAST(:before AS bigint))
            ORDER BY type DESC, status DESC, id DESC LIMIT :limit
        ) of_kind
        UNION ALL
        SELECT id
        FROM (
            SELECT id, type, created, terms FROM tasks
            WHERE status = 'running' AND 'running' = ANY (CAST(:statuses AS text[]))
            ORDER BY lease_until OFFSET 0
        ) running
        WHERE id >= :since AND id < :before AND {FOUND} AND (CAST(:type AS text) IS NULL OR type = :type)
    )
    SELECT {TASK} FROM tasks t
    WHERE t.id = ANY (ARRAY(SELECT id FROM newest ORDER BY id DESC LIMIT :limit))
    ORDER BY t.id DESC
""")

# Walks the tasks of one term, newest first, and looks at each whether it is what else is asked for. Of several terms it
# walks the one of which there are fewest, as far as a few look-ups can tell.
PAGE_OF_TERMS = text(f"""
    WITH rarest AS MATERIALIZED (
        SELECT term
        FROM unnest(CAST(:terms AS bigint[])) AS wanted (term) CROSS JOIN LATERAL (
            SELECT count(*) AS number
            FROM (
                SELECT FROM task_terms t
                WHERE cardinality(CAST(:terms AS bigint[])) > 1
                    AND (t.term, t.task) >= (wanted.term, CAST(:since AS bigint))
                    AND (t.term, t.task) < (wanted.term, CAST(:before AS bigint))
                ORDER BY t.term, t.task LIMIT 10000
            ) few
        ) counted
        ORDER BY number LIMIT 1
    )
    SELECT {TASK}
    FROM task_terms found CROSS JOIN LATERAL (
        SELECT * FROM tasks
        WHERE id = found.task AND CASE
            WHEN status = ANY (CAST(:statuses AS text[])) AND (CAST(:type AS text) IS NULL OR type = :type) THEN {FOUND}
        END
        OFFSET 0
    ) t
    WHERE (found.term, found.task) >= ((SELECT term FROM rarest), CAST(:since AS bigint))
        AND (found.term, found.task) < ((SELECT term FROM rarest), CAST(:before AS bigint))
    ORDER BY found.term DESC, found.task DESC LIMIT :limit
""")

# A binary search over the ids, which have gaps: what is probed is the first id from the middle on.
FIRST_CREATED = text("""
    WITH RECURSIVE search AS (
        SELECT CAST(1 AS bigint) AS low, coalesce(max(id), 0) + 1 AS high FROM tasks
        UNION ALL
        SELECT CASE WHEN is_earlier THEN id + 1 ELSE low END, CASE WHEN is_earlier THEN high ELSE middle END
        FROM (SELECT low, high, low + (high - low) / 2 AS middle FROM search WHERE low < high) half
        LEFT JOIN LATERAL (
            SELECT id, created < :moment AS is_earlier FROM tasks
            WHERE id >= middle AND id < high
            ORDER BY id LIMIT 1
        ) probe ON true
    )
    SELECT min(high) FROM search
""")

COUNTS = text("""
    SELECT type, status, CAST(sum(change) AS bigint) AS number FROM task_count_changes
    GROUP BY type, status HAVING sum(change) > 0
""")

# What another has locked is being folded. Where there is one entry of each pair nothing is locked, and nothing written.
# Entries of one pair come together, so that a batch of two is progress.
FOLD_COUNTS = text("""
    WITH crowded AS (
        SELECT type, status FROM task_count_changes GROUP BY type, status HAVING count(*) > 1
    ), locked AS MATERIALIZED (
        SELECT c.ctid AS place FROM task_count_changes c JOIN crowded USING (type, status)
        ORDER BY type, status LIMIT :limit
        FOR UPDATE OF c SKIP LOCKED
    ), folded AS (
        DELETE FROM task_count_changes WHERE ctid = ANY (ARRAY(SELECT place FROM locked))
        RETURNING type, status, change
    ), sums AS (
        INSERT INTO task_count_changes
        SELECT type, status, sum(change) FROM folded GROUP BY type, status HAVING sum(change) <> 0
    )
    SELECT count(*) FROM folded
""")

DELETE_EXPIRED = text("""
    WITH expired AS MATERIALIZED (
        SELECT ctid AS place FROM tasks
        WHERE status <> 'running' AND expire <= :now
        ORDER BY expire LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM tasks WHERE ctid = ANY (ARRAY(SELECT place FROM expired)) RETURNING id, status
    )
    SELECT count(*) AS number, array_agg(id ORDER BY id) FILTER (WHERE status = 'waiting') AS unrun FROM deleted
""")

PUBLISH_HANDLER = text("""
    INSERT INTO handlers (id, until, types, schemas, process)
    VALUES (:handler, :until, CAST(:names AS text[]), CAST(:schemas AS text[]), :process)
    ON CONFLICT (id) DO UPDATE SET
        until = excluded.until, types = excluded.types, schemas = excluded.schemas, process = excluded.process
""")

PUBLISH_TYPES = text("""
    INSERT INTO task_types (
        name, description, schema, priority, max_attempts, max_losses, timeout, retries_timeout, callback
    )
    SELECT * FROM unnest(
        CAST(:name AS text[]), CAST(:description AS text[]), CAST(:schema AS text[]), CAST(:priority AS smallint[]),
        CAST(:max_attempts AS integer[]), CAST(:max_losses AS integer[]), CAST(:timeout AS float8[]),
        CAST(:retries_timeout AS boolean[]), CAST(:callback AS text[])
    )
    ON CONFLICT (name) DO UPDATE SET
        description = excluded.description, schema = excluded.schema, priority = excluded.priority,
        max_attempts = excluded.max_attempts, max_losses = excluded.max_losses, timeout = excluded.timeout,
        retries_timeout = excluded.retries_timeout, callback = excluded.callback
""")

RENEW_HANDLER = text("UPDATE handlers SET until = :until WHERE id = :handler RETURNING id")

WITHDRAW = text("DELETE FROM handlers WHERE id = :handler")

PROCESSES = text("SELECT id, process FROM handlers WHERE process IS NOT NULL")

FORGET_DEAD = text("DELETE FROM handlers WHERE until <= :before")

# Handlers of code that is older than the column have no schemas.
ELSEWHERE = text("""
    SELECT DISTINCT schemas[array_position(types, :type)] AS schema
    FROM handlers
    WHERE until > :now AND id <> :handler AND :type = ANY (types) AND schemas IS NOT NULL
""")

ALL_TYPES = text("""
    SELECT name, description, schema, priority, max_attempts, max_losses, timeout, retries_timeout, callback,
        EXISTS (SELECT FROM handlers WHERE until > :now AND task_types.name = ANY (types)) AS live,
        every, timezone, CASE WHEN abandoned IS NULL THEN next END AS next
    FROM task_types LEFT JOIN schedules ON type = name ORDER BY name
""")

LOCK_SCHEDULES = text("SELECT * FROM schedules ORDER BY type FOR UPDATE")

DUE_SCHEDULES = text("""
    SELECT * FROM schedules
    WHERE next <= :now AND abandoned IS NULL
    ORDER BY type FOR UPDATE SKIP LOCKED
""")

SAVE_SCHEDULES = text("""
    INSERT INTO schedules (type, every, timezone, next, omitted, abandoned)
    SELECT * FROM unnest(
        CAST(:type AS text[]), CAST(:every AS text[]), CAST(:timezone AS text[]), CAST(:next AS timestamptz[]),
        CAST(:omitted AS boolean[]), CAST(:abandoned AS timestamptz[])
    )
    ON CONFLICT (type) DO UPDATE SET
        every = excluded.every, timezone = excluded.timezone, next = excluded.next, omitted = excluded.omitted,
        abandoned = excluded.abandoned
""")

REMOVE_SCHEDULES = text("DELETE FROM schedules WHERE type = ANY (:types)")

REVIEW_SCHEDULES = text("""
    WITH living AS (
        SELECT types FROM handlers WHERE until > :now
    ), forgotten AS (
        SELECT type FROM schedules
        WHERE abandoned <= :forgotten AND NOT EXISTS (SELECT FROM handlers WHERE schedules.type = ANY (types))
        ORDER BY type FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM schedules s USING forgotten WHERE s.type = forgotten.type
    ), changed AS (
        SELECT type FROM schedules
        WHERE omitted AND EXISTS (SELECT FROM living)
            AND (abandoned IS NULL) <> EXISTS (SELECT FROM living WHERE schedules.type = ANY (types))
        ORDER BY type FOR UPDATE SKIP LOCKED
    )
    UPDATE schedules s SET abandoned = CASE WHEN abandoned IS NULL THEN CAST(:now AS timestamptz) END
    FROM changed WHERE s.type = changed.type
""")

NEXT_AFTER = text("SELECT min(next) FROM schedules WHERE next > :now AND abandoned IS NULL")

DELIVERY = text("SELECT * FROM deliveries WHERE task = :task")

CLAIM_DELIVERIES = text("""
    WITH free AS MATERIALIZED (
        SELECT task, row_number() OVER (ORDER BY due, task) AS place
        FROM (
            SELECT task, due FROM deliveries
            WHERE state = 'pending' AND due <= :now
            ORDER BY due, task LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ) first
    ), claimed AS (
        UPDATE deliveries d SET attempts = attempts + 1, due = :until
        FROM free WHERE d.task = free.task
        RETURNING d.*, free.place
    )
    SELECT * FROM claimed ORDER BY place
""")

SETTLE_DELIVERY = text("""
    UPDATE deliveries SET state = :state, due = :due, error = :error
    WHERE task = :task AND finished = :finished AND attempts = :attempts AND state = 'pending'
""")

PREPARED = (
    ADD,
    ADD_WITH_KEYS,
    GET,
    SEVERAL,
    VERSIONS,
    DELIVERY,
    CLAIM,
    RENEW,
    LOST,
    REPORT,
    SETTLE,
    LAPSED,
    RENEW_HANDLER,
)
"""Those that are sent again and again over the same connection."""
