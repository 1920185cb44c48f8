"""JSON of the log of a task."""

import json
from collections.abc import Sequence

from domain.ids import TaskId
from domain.settlement import Attempt, Outcome
from entrypoints.task_json import milliseconds

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def log_json(id: TaskId, attempts: Sequence[Attempt]) -> str:
    """Make the JSON of a log from the attempts that it has."""
    return f'{{"id":{id},"attempts":[{",".join(map(_attempt_json, attempts))}]}}'


def _attempt_json(attempt: Attempt) -> str:
    ended = None if attempt.outcome is Outcome.RUNNING else attempt.ended
    return (
        f'{{"claim":{attempt.claim},"attempt":{attempt.attempt},"outcome":"{attempt.outcome}",'
        f'"started":{milliseconds(attempt.started)},"ended":{milliseconds(ended)},'
        f'"error":{_json(attempt.error)},"traceback":{_json(attempt.traceback)},"log":{_json(attempt.log)}}}'
    )
