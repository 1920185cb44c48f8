"""Between rows and the domain's values. Texts that may hold any character are kept as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from adapters.postgres import statements
from adapters.postgres.arrays import array
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
UNCODED_COLUMNS = len(statements.UNCODED)
TASK_COLUMNS = UNCODED_COLUMNS + len(statements.CODED)


def task(row: Sequence[Any]) -> Task:
    """The task that a row of statements.TASK holds; what else the row may hold comes after that."""
    fields = dict(zip(statements.UNCODED, row, strict=False))
    status, handler, until, progress, error = row[UNCODED_COLUMNS:TASK_COLUMNS]
    fields["status"] = STATUSES[status]
    fields["lease"] = None if handler is None else Lease(handler, until)
    fields["progress"] = None if progress is None else Progress(*json.loads(progress))
    fields["error"] = _error(error)
    return Task.restored(fields)


def claimed(rows: Iterable[Sequence[Any]], lease: Lease) -> Sequence[ClaimedRecord]:
    """The tasks that rows of statements.CLAIMED hold, claimed under this lease, and their arguments."""
    return [_claimed(row, lease) for row in rows]


def _claimed(row: Sequence[Any], lease: Lease) -> ClaimedRecord:
    fields = dict(zip(statements.UNCODED, row, strict=False))
    error, args = row[UNCODED_COLUMNS:]
    fields["status"], fields["lease"], fields["progress"] = Status.RUNNING, lease, None
    fields["error"] = _error(error)
    return ClaimedRecord(Task.restored(fields), args)


def _error(text: str | None) -> Error | None:
    return None if text is None else Error(*json.loads(text))


def attempt(row: Row[Any]) -> Attempt:
    """The record that a row of statements.ATTEMPTS holds."""
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


def kept(task: TaskId, attempt: Attempt) -> dict[str, object]:
    """How the record of a start is kept."""
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
    """How the progress of a task is kept."""
    return None if progress is None else json.dumps([progress.value, progress.message])


def error_text(error: Error | None) -> str | None:
    """How the error of a task is kept."""
    return None if error is None else json.dumps([error.type, error.message, error.attempt])


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The rows turned on their side: an array for each name, as unnest takes them."""
    return {name: array([row[name] for row in rows]) for name in rows[0]}
