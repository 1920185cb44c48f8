"""The statements that claim waiting tasks for a handler, of unlimited types and of limited ones."""

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from adapters.postgres.statements.columns import FIELD_COLUMNS, listed

CLAIMED_COLUMNS = (*FIELD_COLUMNS, "error", "args")
"""The columns of a task that was just claimed, as rows.claimed reads them. The values of the others are known."""

# A claim walks the pairs of type and priority that have waiting tasks, by one index look-up each. So it never reads a
# task that is not due yet, is of another type, or lies before a cursor. It selects the due tasks first (`due`), decides
# how many to take of each pair (`share`), and only then locks: it locks no row that it does not take, but for those
# beyond the bound of bytes.
# The planner assumes that a limit of unknown value returns a tenth of the table. So each such limit has one below it
# that the planner knows, `:limit`, and the ids come as an array. Otherwise it would join by reading the table, and
# compile its plan for a second.
_CHOSEN = """
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
        ) cursors USING (type){guard}
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
                WHERE status = 'waiting' AND type = pair.type AND priority = pair.priority AND run_at <= :now{other}
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
                WHERE status = 'waiting' AND type = share.type AND priority = share.priority AND run_at <= :now{other}
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
    )"""
_CLAIMED = f"""claimed AS (
        UPDATE tasks t
        SET status = 'running', attempt = attempt + 1, claims = claims + 1, handler = :handler,
            lease_until = :lease_until, finished = NULL, progress = NULL,
            started = CASE
                WHEN NOT t.suspect AND t.id = ANY (ARRAY(SELECT id FROM chosen WHERE position <= :starting))
                THEN CAST(:now AS timestamptz)
            END
        WHERE t.id = ANY (ARRAY(SELECT id FROM chosen))
        RETURNING {listed(CLAIMED_COLUMNS, "t")}
    )
    SELECT claimed.* FROM claimed JOIN chosen USING (id) ORDER BY position
"""
_OTHER = " AND id <> ALL (CAST(:left_out AS bigint[]))"
_UNLIMITED = " WHERE type <> ALL (ARRAY(SELECT type FROM type_limits))"
"""A type that has become limited a moment ago, by another handler or an operator, is not claimed by this way."""


@dataclass(frozen=True, slots=True)
class ClaimStatements:
    """The statements that claim tasks by one choice.

    - `claim`: claims them.
    - `claim_others`: claims no task that is left out.
    - `choose_others`: returns the ids that `claim_others` would claim, in its order. Where a claim fails, the adapter
      looks for the tasks that make it fail.
    """

    claim: TextClause
    claim_others: TextClause
    choose_others: TextClause

    @classmethod
    def of(cls, guard: str) -> "ClaimStatements":
        """Build the statements, with this condition on the requested types."""
        all, others = (_CHOSEN.format(guard=guard, other=other) for other in ("", _OTHER))
        return cls(
            text(f"{all}, {_CLAIMED}"),
            text(f"{others}, {_CLAIMED}"),
            text(f"{others} SELECT id FROM chosen ORDER BY position"),
        )


CLAIM_UNLIMITED = ClaimStatements.of(_UNLIMITED)
CLAIM_LIMITED = ClaimStatements.of("")
"""For a transaction that has locked the limits of the types."""

CLAIM_CHOSEN = text(f"""
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:positions AS integer[])) AS g (id, position)
    ), chosen AS MATERIALIZED (
        SELECT t.id, given.position FROM tasks t JOIN given USING (id)
        WHERE t.status = 'waiting'
        ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    ), {_CLAIMED}
""")
"""Claims these tasks, so far as they still wait."""

SET_ASIDE = text("""
    UPDATE tasks t
    SET status = 'failed', finished = :now, result = NULL,
        error = CAST(json_build_array(CAST(:kind AS text), CAST(:why AS text), attempt) AS text),
        expire = greatest(expire, date_trunc('second', CAST(:now AS timestamptz))
            + make_interval(secs => least(60, ttl) + 1))
    WHERE id = (SELECT id FROM tasks WHERE id = :id AND status = 'waiting' FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
"""domain.task.Task.set_aside for a waiting task, without reading its row."""
