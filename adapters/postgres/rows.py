"""Conversion between rows and the domain's values. Texts that may hold any character are stored as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from adapters.postgres.arrays import array
from adapters.postgres.statements.columns import CONVERTED_COLUMNS, FIELD_COLUMNS
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
FIELDS_END = len(FIELD_COLUMNS)
TASK_END = FIELDS_END + len(CONVERTED_COLUMNS)


def task(row: Sequence[Any]) -> Task:
    """Return the task of a row whose first columns are columns.TASK_COLUMNS."""
    fields = dict(zip(FIELD_COLUMNS, row, strict=False))
    status, handler, until, progress, error = row[FIELDS_END:TASK_END]
    fields["status"] = STATUSES[status]
    fields["lease"] = None if handler is None else Lease(handler, until)
    fields["progress"] = None if progress is None else Progress(*json.loads(progress))
    fields["error"] = _error(error)
    return Task.restored(fields)


def claimed(rows: Iterable[Sequence[Any]], lease: Lease) -> Sequence[ClaimedRecord]:
    """Return the tasks and arguments of rows of claim.CLAIMED_COLUMNS, which were claimed under this lease."""
    return [_claimed(row, lease) for row in rows]


def _claimed(row: Sequence[Any], lease: Lease) -> ClaimedRecord:
    fields = dict(zip(FIELD_COLUMNS, row, strict=False))
    error, args = row[FIELDS_END:]
    fields["status"], fields["lease"], fields["progress"] = Status.RUNNING, lease, None
    fields["error"] = _error(error)
    return ClaimedRecord(Task.restored(fields), args)


def _error(text: str | None) -> Error | None:
    return None if text is None else Error(*json.loads(text))


def attempt(row: Row[Any]) -> Attempt:
    """Return the attempt that a row of statements.ATTEMPTS holds."""
    return Attempt(
        claim=row.claim,
        attempt=row.attempt,
        outcome=Outcome(row.outcome),
        started=row.started,
        ended=row.ended,
        error=None if row.error is None else json.loads(row.error),
        traceback=json.loads(row.traceback),
        log=json.loads(row.log),
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
    return None if error is None else json.dumps([error.type, error.message, error.attempt])


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Transpose the rows: return an array for each name, as unnest takes them."""
    return {name: array([row[name] for row in rows]) for name in rows[0]}
