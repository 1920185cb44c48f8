"""Lists of columns, written once for SELECT, INSERT, unnest and SET."""

from collections.abc import Sequence

FIELD_COLUMNS = (
    *("id", "type", "created", "run_at", "expire", "ttl", "priority", "max_attempts", "max_losses", "timeout"),
    *("callback", "attempt", "losses", "suspect", "claims", "started", "finished", "lane", "labels", "batch"),
    *("has_references", "traceparent"),
)
"""The columns of a task that are fields of domain.task.Task under the same names."""
CONVERTED_COLUMNS = ("status", "handler", "lease_until", "progress", "error")
"""The columns from which rows.py makes the other fields."""
TASK_COLUMNS = (*FIELD_COLUMNS, *CONVERTED_COLUMNS)
"""The columns of a task, as rows.task reads them."""

_PARAMETER_TYPES = {
    "bigint": ("batch", "id", "last_task", "task"),
    "integer": ("attempt", "claim", "losses", "max_attempts", "max_losses", "skipped", "ttl"),
    "smallint": ("priority",),
    "float8": ("timeout",),
    "boolean": ("has_references", "omitted", "retries_timeout", "suspect"),
    "timestamptz": (
        *("abandoned", "created", "ended", "expire", "finished", "lease_until", "next", "run_at", "started"),
        "wanted_run_at",
    ),
    "text": (
        *("args", "callback", "description", "error", "every", "fingerprint", "handler", "key", "labels", "lane"),
        *("log", "name", "outcome", "owner", "progress", "result", "result_schema", "schema", "status", "timezone"),
        *("traceback", "traceparent", "type"),
        "if_parent_failed",
        "terms",  # Each an array, written as text: PostgreSQL has no arrays of arrays of different lengths.
    ),
}
_TYPE_OF = {column: type for type, columns in _PARAMETER_TYPES.items() for column in columns}


def listed(columns: Sequence[str], of: str = "", **expressions: str) -> str:
    """List the columns: `a, b`, or `t.a, t.b` of the alias `of`. `expressions` replace columns by name."""
    prefix = f"{of}." if of else ""
    return ", ".join(expressions.get(column, f"{prefix}{column}") for column in columns)


def unnested(columns: Sequence[str]) -> str:
    """Turn parameters that are named like the columns, an array each, into rows: `unnest(CAST(:a AS text[]), …)`."""
    return f"unnest({', '.join(f'CAST(:{column} AS {_TYPE_OF[column]}[])' for column in columns)})"


def assigned(columns: Sequence[str], source: str) -> str:
    """Assign the columns from those of another alias: `a = s.a, b = s.b`."""
    return ", ".join(f"{column} = {source}.{column}" for column in columns)
