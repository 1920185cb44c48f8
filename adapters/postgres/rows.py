"""Conversion between rows and the domain's values. Texts that may hold any character are stored as JSON.

Rows that an administrator or a newer version wrote are read as far as they can be.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from sqlalchemy import Row

from adapters.postgres.arrays import array
from adapters.postgres.statements.columns import CONVERTED_COLUMNS, FIELD_COLUMNS
from application.errors import UnreadableTask
from application.failure_groups import stored_text
from application.json.text import dump
from application.ports.queue import ClaimedRecord
from domain.failure import Error
from domain.ids import TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Attempt, Outcome
from domain.status import Status
from domain.task import Task

STATUSES = {status.value: status for status in Status}
OUTCOMES = {outcome.value: outcome for outcome in Outcome}
UNREADABLE = "Unreadable"
FIELDS_END = len(FIELD_COLUMNS)
TASK_END = FIELDS_END + len(CONVERTED_COLUMNS)


def task(row: Sequence[Any]) -> Task:
    """Return the task of a row whose first columns are columns.TASK_COLUMNS.

    Raises UnreadableTask: this version does not know its status.
    """
    fields = _fields(row)
    status, handler, until, progress, error = row[FIELDS_END:TASK_END]
    if status not in STATUSES:
        raise UnreadableTask(fields["id"], f"its status is {status}")
    fields["status"] = STATUSES[status]
    fields["lease"] = None if handler is None else Lease(handler, until)
    fields["progress"] = progress_of(progress)
    fields["error"] = None if error is None else error_of(error, fields["attempt"])
    return Task.restored(fields)


def claimed(rows: Iterable[Sequence[Any]], lease: Lease) -> Sequence[ClaimedRecord]:
    """Return the tasks and arguments of rows of claim.CLAIMED_COLUMNS, which were claimed under this lease."""
    return [_claimed(row, lease) for row in rows]


def _claimed(row: Sequence[Any], lease: Lease) -> ClaimedRecord:
    fields = _fields(row)
    error, args = row[FIELDS_END:]
    fields["status"], fields["lease"], fields["progress"] = Status.RUNNING, lease, None
    fields["error"] = None if error is None else error_of(error, fields["attempt"])
    return ClaimedRecord(Task.restored(fields), args)


def _fields(row: Sequence[Any]) -> dict[str, Any]:
    fields = dict(zip(FIELD_COLUMNS, row, strict=False))
    if fields["timeout"] is not None and not isfinite(fields["timeout"]):
        fields["timeout"] = None
    return fields


def progress_of(text: str | None) -> Progress | None:
    """Return the stored progress, or None where it cannot be read. A newer version may write more elements."""
    if text is None:
        return None
    try:
        value, message = json.loads(text)[:2]
        return Progress(float(value), str(message)) if 0 <= value <= 1 else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def error_of(text: str, attempt: int) -> Error:
    """Return the stored error, or one that says that it cannot be read. A newer version may write more elements."""
    try:
        type, message, of = json.loads(text)[:3]
        return Error(str(type), str(message), int(of))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Error(UNREADABLE, "the stored error cannot be read", attempt)


def text_of(stored: str | None) -> str | None:
    """Return the text that is stored as JSON; the stored text itself where it is no JSON."""
    try:
        return None if stored is None else str(json.loads(stored))
    except (ValueError, RecursionError):
        return stored


def _nullable(stored: str) -> str | None:
    return None if stored == "null" else text_of(stored)


def attempt(row: Row[Any]) -> Attempt:
    """Return the attempt that a row of statements.ATTEMPTS holds."""
    return Attempt(
        claim=row.claim,
        attempt=row.attempt,
        outcome=OUTCOMES.get(row.outcome, row.outcome),
        started=row.started,
        ended=row.ended,
        error=text_of(row.error),
        traceback=_nullable(row.traceback),
        log=text_of(row.log) or "",
    )


def attempt_columns(task: TaskId, attempt: Attempt) -> dict[str, object]:
    """Return the columns of an attempt as they are stored."""
    return {
        "task": task,
        "claim": attempt.claim,
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "started": attempt.started,
        "ended": attempt.ended,
        "error": None if attempt.error is None else json.dumps(attempt.error),
        "traceback": json.dumps(attempt.traceback),
        "log": dump(attempt.log),
    }


def progress_text(progress: Progress | None) -> str | None:
    """Return the progress of a task as it is stored."""
    return None if progress is None else json.dumps([progress.value, progress.message])


def error_text(error: Error | None) -> str | None:
    """Return the error of a task as it is stored."""
    return None if error is None else stored_text(error)


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Transpose the rows: return an array for each name, as unnest takes them."""
    return {name: array([row[name] for row in rows]) for name in rows[0]}
