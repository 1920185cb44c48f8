"""Log lines on single tasks: one for each failed attempt, each loss, each refused outcome and each expiry.

A line has no argument, no result and no secret: of an exception of the user's function it has the type alone.
"""

import logging
from collections.abc import Mapping
from itertools import islice

from domain.failure import LOST, SET_ASIDE
from domain.ids import Hold, TaskId, TypeName
from domain.settlement import Attempt, Outcome, Settlement
from domain.status import Status
from domain.task import Task
from domain.traceparent import Traceparent, trace_id

KEYS = ("task", "type", "attempt", "claim", "handler", "request", "trace")
"""Keys of the lines, in this order. A line has those that apply."""
KEYS_OF_RECORD = "keys"
"""Attribute of a log record that has its values by key."""
ERRORS_OF_HANDLERS = {"Crashed", "OutOfMemory", "TimeoutError", "UnknownType"}
"""Errors whose messages handlers write, if they have no traceback. The message of an exception may hold arguments."""
MAX_CHARACTERS = 300
"""Characters of an error in a line. The whole error is in the view of the task."""
MAX_EXPIRY_LINES = 500
"""Lines for the tasks of one batch of deletions. More at once would not be written, but dropped."""


def one_line(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    """The text without line breaks and other control characters, which would look like lines of another origin."""
    escaped = "".join(map(_printable, text[: max_characters + 1]))
    return escaped if len(escaped) <= max_characters else f"{escaped[: max_characters - 1]}…"


def named(id: TaskId, type: TypeName) -> str:
    """The task as log lines name it."""
    return f"task {id} ({one_line(type)})"


def keys(**values: object) -> Mapping[str, Mapping[str, object]]:
    """The `extra` of a log line with these values by key; those that are None do not apply."""
    return {KEYS_OF_RECORD: {name: value for name, value in values.items() if value is not None}}


def keys_of(task: Task, hold: Hold | None = None, start: Attempt | None = None) -> Mapping[str, object]:
    """The `extra` of a log line on a task, or on the end of a start, after which the task has changed."""
    return keys(
        task=task.id,
        type=task.type,
        attempt=start.attempt if start else task.attempt,
        claim=task.claims,
        handler=(hold or task.hold).handler,
        trace=trace_id(task.traceparent),
    )


def keys_of_end(ended: Settlement) -> Mapping[str, object]:
    """The `extra` of a log line on the end of a start."""
    return keys_of(ended.task, ended.hold, ended.attempt)


def keys_of_hold(hold: Hold) -> Mapping[str, object]:
    """The `extra` of a log line on a task of which no more is at hand."""
    return keys(**hold._asdict())


def log_failure(log: logging.Logger, ended: Settlement) -> None:
    """Log that a start failed or was lost, after which the task is as it is; nothing of a start that ended well."""
    task, start = ended.task, ended.attempt
    if start is None or start.outcome is Outcome.DONE:
        return
    end = "was lost" if start.outcome is Outcome.LOST else f"failed in attempt {start.attempt} of {task.max_attempts}"
    following = ", and waits for another start" if task.status is Status.WAITING else ""
    name, extra = named(task.id, task.type), keys_of_end(ended)
    log.warning("%s %s%s: %s", name, end, following, _error(start), extra=extra)


def log_refusal(log: logging.Logger, refused: Settlement) -> None:
    """Log that the outcome of a start was refused, since the task has moved on."""
    name, extra = named(refused.task.id, refused.task.type), keys_of_end(refused)
    log.info("the outcome of %s came late and was refused: it is not held any more", name, extra=extra)


def log_dropped(log: logging.Logger, task: Task) -> None:
    """Log that a run has ended whose task had moved on before, so that its outcome is not stored."""
    log.info("the outcome of %s is dropped: it is not held any more", named(task.id, task.type), extra=keys_of(task))


def log_rescue(log: logging.Logger, lost: Settlement) -> None:
    """Log a task that was taken back from a handler that is gone."""
    task = lost.task
    error = task.error if task.error and task.error.type in (LOST, SET_ASIDE) else None
    why = f": {one_line(f'{error.type}: {error.message}')}" if error else ""
    name, extra = named(task.id, task.type), keys_of_end(lost)
    log.warning("took back %s, whose handler is gone: it is %s now%s", name, task.status, why, extra=extra)


def log_expired(log: logging.Logger, unrun: Mapping[TaskId, TypeName], traces: Mapping[TaskId, Traceparent]) -> None:
    """Log the deleted tasks that waited when they expired."""
    for id, type in islice(unrun.items(), MAX_EXPIRY_LINES):
        extra = keys(task=id, type=type, trace=trace_id(traces.get(id)))
        log.warning("%s expired before it ran, and is deleted", named(id, type), extra=extra)
    if len(unrun) > MAX_EXPIRY_LINES:
        log.warning("%d more tasks expired before they ran, and are deleted", len(unrun) - MAX_EXPIRY_LINES)


def _error(start: Attempt) -> str:
    """The error of a start: of an exception its type alone."""
    error, type = start.error or "", (start.error or "").partition(": ")[0]
    is_ours = start.outcome is Outcome.LOST or (start.traceback is None and type in ERRORS_OF_HANDLERS)
    return one_line(error if is_ours else type)


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
