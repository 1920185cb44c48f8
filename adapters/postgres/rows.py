"""Between rows and the domain's values. Texts that may hold any character are kept as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from domain import json_text
from domain.failure import Error
from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Attempt, Outcome
from domain.status import Status
from domain.task import Task


def task(row: Row[Any]) -> Task:
    """The task that a row of statements.TASK holds."""
    return Task(
        id=row.id,
        type=row.type,
        created=row.created,
        run_at=row.run_at,
        expire=row.expire,
        ttl=row.ttl,
        priority=row.priority,
        max_attempts=row.max_attempts,
        max_losses=row.max_losses,
        timeout=row.timeout,
        status=Status(row.status),
        attempt=row.attempt,
        losses=row.losses,
        claims=row.claims,
        lease=None if row.handler is None else Lease(HandlerId(row.handler), row.lease_until),
        started=row.started,
        finished=row.finished,
        progress=None if row.progress is None else Progress(*json.loads(row.progress)),
        error=None if row.error is None else Error(*json.loads(row.error)),
        callback=row.callback,
    )


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
        "log": json_text.dump(attempt.log),
    }


def progress_text(progress: Progress | None) -> str | None:
    """How the progress of a task is kept."""
    return None if progress is None else json.dumps([progress.value, progress.message])


def error_text(error: Error | None) -> str | None:
    """How the error of a task is kept."""
    return None if error is None else json.dumps([error.type, error.message, error.attempt])


def columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The rows turned on their side: a list for each name, as unnest takes them."""
    return {name: [row[name] for row in rows] for name in rows[0]}
