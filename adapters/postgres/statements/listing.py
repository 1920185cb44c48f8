"""Statements of application.ports.listing."""

from sqlalchemy import text

from adapters.postgres.statements.columns import TASK_COLUMNS, listed

_TASK = listed(TASK_COLUMNS, "t")

# The planner may have no statistics of columns without an index. It then takes a condition on them for rarely true, and
# plans to read and sort the few rows that it expects. Of a CASE it expects that half of the rows match.
_IN_TIME = """
    CASE WHEN created >= :created_after AND created < :created_before
        THEN coalesce(finished >= :finished_after AND finished <= :finished_to, true) END
"""
_MATCHES = f"""
    CASE WHEN CAST(:terms AS bigint[]) = '{{}}' OR terms @> CAST(:terms AS bigint[]) THEN {_IN_TIME} END
"""

PAGE = text(f"""
    SELECT {_TASK} FROM tasks t
    WHERE t.id >= :since AND t.id < :before AND {_IN_TIME}
    ORDER BY t.id DESC LIMIT :limit
""")

# Takes the newest tasks of each wanted pair of type and status, and of those the newest. So it reads no tasks of other
# pairs, whatever the mixture, unless it searches for terms. The counts say which pairs there are. Rows are compared as
# wholes, so that only the index tasks_kinds has them in order. Running tasks are few, and have an index of their own.
PAGE_BY_TYPE_AND_STATUS = text(f"""
    WITH pair AS (
        SELECT type, status FROM task_count_changes
        WHERE status <> 'running' AND status = ANY (CAST(:statuses AS text[]))
            AND (CAST(:type AS text) IS NULL OR type = :type)
        GROUP BY type, status HAVING sum(change) > 0
    ), newest AS (
        SELECT of_pair.id
        FROM pair CROSS JOIN LATERAL (
            SELECT id FROM tasks
            WHERE status <> 'running' AND {_MATCHES}
                AND (type, status, id) >= (pair.type, pair.status, CAST(:since AS bigint))
                AND (type, status, id) < (pair.type, pair.status, CAST(:before AS bigint))
            ORDER BY type DESC, status DESC, id DESC LIMIT :limit
        ) of_pair
        UNION ALL
        SELECT id
        FROM (
            SELECT id, type, created, finished, terms FROM tasks
            WHERE status = 'running' AND 'running' = ANY (CAST(:statuses AS text[]))
            ORDER BY type OFFSET 0
        ) running
        WHERE id >= :since AND id < :before AND {_MATCHES} AND (CAST(:type AS text) IS NULL OR type = :type)
    )
    SELECT {_TASK} FROM tasks t
    WHERE t.id = ANY (ARRAY(SELECT id FROM newest ORDER BY id DESC LIMIT :limit))
    ORDER BY t.id DESC
""")

# Walks the tasks that have one term, newest first, and checks the rest of the filter on each. Of several terms it walks
# the rarest, by counting up to 10,000 tasks of each.
_RAREST = """
    rarest AS MATERIALIZED (
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
"""
PAGE_BY_TERM = text(f"""
    WITH {_RAREST}
    SELECT {_TASK}
    FROM task_terms found CROSS JOIN LATERAL (
        SELECT * FROM tasks
        WHERE id = found.task AND CASE
            WHEN status = ANY (CAST(:statuses AS text[])) AND (CAST(:type AS text) IS NULL OR type = :type)
            THEN {_MATCHES}
        END
        OFFSET 0
    ) t
    WHERE (found.term, found.task) >= ((SELECT term FROM rarest), CAST(:since AS bigint))
        AND (found.term, found.task) < ((SELECT term FROM rarest), CAST(:before AS bigint))
    ORDER BY found.term DESC, found.task DESC LIMIT :limit
""")

# The planner takes long over each element of an array that it knows, and there may be ten thousand. Of one that it does
# not know it expects few, so that it always looks them up.
_IS_WANTED = "id = ANY (ARRAY(SELECT unnest(CAST(:ids AS bigint[]))))"
# The end as the cursor has it, with bounds for those that an administrator wrote.
_END = "least(greatest(t.finished, timestamptz '1970-01-01Z'), timestamptz '9999-01-01Z')"
_CHOSEN = f"""
    SELECT {_TASK}, {_END} AS "end" FROM tasks t
    WHERE %s AND t.id >= :since AND t.id < :before
        AND t.status = ANY (CAST(:statuses AS text[])) AND (CAST(:type AS text) IS NULL OR t.type = :type)
        AND (CAST(:failure_group AS bigint) IS NULL OR EXISTS (
            SELECT FROM task_failures f
            WHERE f.type = t.type AND f.failure_group = :failure_group AND f.task = t.id
        ))
        AND {_MATCHES}
"""

_OF_IDS = f"t.{_IS_WANTED} AND (CAST(:batch AS bigint) IS NULL OR t.batch = :batch)"
_BY_END = f"""
    {_CHOSEN} AND t.finished >= CAST(:behind_end AS timestamptz)
        AND ({_END}, t.id) > (CAST(:behind_end AS timestamptz), CAST(:behind_id AS bigint))
    ORDER BY t.finished, t.id LIMIT :limit
"""

PAGE_BY_ID = text(f"{_CHOSEN % _OF_IDS} ORDER BY t.id DESC")

PAGE_BY_END = text(_BY_END % _OF_IDS)

PAGE_OF_BATCH_BY_END = text(_BY_END % "t.batch = :batch AND t.finished IS NOT NULL")

# The size of a text is known without reading it.
TEXTS = text(f"""
    WITH found AS (
        SELECT t.id, wanted.nth,
            CASE WHEN :args THEN t.args_bytes ELSE 0 END
            + CASE WHEN :result THEN coalesce(octet_length(t.result), 0) ELSE 0 END AS bytes
        FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, nth)
        JOIN (SELECT id, args_bytes, result FROM tasks WHERE {_IS_WANTED} OFFSET 0) t ON t.id = wanted.id
    ), sized AS (
        SELECT id, nth, sum(bytes) OVER (ORDER BY nth) AS bytes FROM found
        WHERE CAST(:max_each AS bigint) IS NULL OR bytes <= :max_each
    )
    SELECT t.id, CASE WHEN :args THEN t.args END AS args, CASE WHEN :result THEN t.result END AS result
    FROM sized JOIN tasks t ON t.id = sized.id
    WHERE sized.bytes <= :max_bytes OR sized.nth = (SELECT min(nth) FROM sized)
    ORDER BY sized.nth
""")


FIRST_FAILURES = text(f"""
    SELECT {_TASK} FROM tasks t
    WHERE t.batch = :batch AND t.status = 'failed'
    ORDER BY t.batch, t.finished, t.id LIMIT :limit
""")

# The next tasks of each pair of a type and a status, or of a type and a failure group, with whether they match.
_LOOK = f"""
    SELECT pair.nth, t.id, {_MATCHES} AS matches, t.error, t.attempt
    FROM unnest(CAST(:types AS text[]), CAST(:keys AS %s[])) WITH ORDINALITY AS pair (type, key, nth)
    CROSS JOIN LATERAL (%s LIMIT :each) of_pair
    JOIN LATERAL (SELECT * FROM tasks WHERE id = of_pair.id OFFSET 0) t ON true
    ORDER BY t.id DESC
"""

LOOK_BY_STATUS = text(
    _LOOK
    % (
        "text",
        """
        SELECT id FROM tasks
        WHERE status <> 'running'
            AND (type, status, id) >= (pair.type, pair.key, CAST(:since AS bigint))
            AND (type, status, id) < (pair.type, pair.key, CAST(:before AS bigint))
        ORDER BY type DESC, status DESC, id DESC
        """,
    )
)

# The pairs have the statuses alone.
LOOK_BY_BATCH = text(
    _LOOK
    % (
        "text",
        """
        SELECT id FROM tasks
        WHERE batch = :batch AND status = pair.key AND id >= :since AND id < :before
            AND (CAST(:type AS text) IS NULL OR type = :type)
            AND (CAST(:failure_group AS bigint) IS NULL OR failure_group(error) = :failure_group)
        ORDER BY id DESC
        """,
    )
)

LOOK_BY_FAILURE_GROUP = text(
    _LOOK
    % (
        "bigint",
        """
        SELECT task AS id FROM task_failures
        WHERE (type, failure_group, task) >= (pair.type, pair.key, CAST(:since AS bigint))
            AND (type, failure_group, task) < (pair.type, pair.key, CAST(:before AS bigint))
        ORDER BY type DESC, failure_group DESC, task DESC
        """,
    )
)

# Each step leads from the newest task of a group to that of the group before, by one look-up in the index.
FAILURE_GROUPS = text("""
    WITH RECURSIVE newest AS (
        (SELECT type, failure_group, task FROM task_failures ORDER BY type DESC, failure_group DESC, task DESC LIMIT 1)
        UNION ALL
        SELECT next.*
        FROM newest CROSS JOIN LATERAL (
            SELECT type, failure_group, task FROM task_failures
            WHERE (type, failure_group) < (newest.type, newest.failure_group)
            ORDER BY type DESC, failure_group DESC, task DESC LIMIT 1
        ) next
    ), first AS MATERIALIZED (
        SELECT * FROM newest LIMIT :limit
    )
    SELECT first.type, first.failure_group AS number, t.error, t.attempt
    FROM first JOIN LATERAL (SELECT error, attempt FROM tasks WHERE id = first.task OFFSET 0) t ON true
""")

# The largest groups, each with its newest error.
COUNTED_FAILURE_GROUPS = text("""
    SELECT largest.*, t.error, t.attempt
    FROM (
        SELECT type, failure_group AS number, count(*) AS tasks, min(failed) AS first, max(failed) AS last,
            max(task) AS newest
        FROM task_failures
        GROUP BY type, failure_group ORDER BY tasks DESC, newest DESC LIMIT :limit
    ) largest
    JOIN LATERAL (SELECT error, attempt FROM tasks WHERE id = largest.newest OFFSET 0) t ON true
    ORDER BY tasks DESC, newest DESC
""")

# A binary search over the ids. As these have gaps, each step looks at the first id from the middle on.
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

# The number of tasks at which it has looked is in every row.
COUNTS_BY_TERM = text(f"""
    WITH {_RAREST}, newest AS MATERIALIZED (
        SELECT task FROM task_terms found
        WHERE (found.term, found.task) >= ((SELECT term FROM rarest), CAST(:since AS bigint))
            AND (found.term, found.task) < ((SELECT term FROM rarest), CAST(:before AS bigint))
        ORDER BY found.term DESC, found.task DESC LIMIT :limit
    )
    SELECT t.type, t.status, count(*) FILTER (WHERE t.terms @> CAST(:terms AS bigint[])) AS number,
        (SELECT count(*) FROM newest) AS looked
    FROM newest JOIN LATERAL (SELECT type, status, terms FROM tasks WHERE id = newest.task OFFSET 0) t ON true
    GROUP BY t.type, t.status
""")
