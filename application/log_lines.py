"""Log lines on single tasks: one for each failed attempt, each loss and each expiry, with id, type and error."""

import logging
from collections.abc import Mapping
from itertools import islice

from domain.ids import TaskId, TypeName
from domain.settlement import Attempt, Outcome
from domain.status import Status
from domain.task import Task

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


def log_failure(log: logging.Logger, task: Task, start: Attempt) -> None:
    """Log that the start failed or was lost, after which the task is as it is; nothing of a start that ended well."""
    if start.outcome is Outcome.DONE:
        return
    end = "was lost" if start.outcome is Outcome.LOST else f"failed in attempt {start.attempt} of {task.max_attempts}"
    following = ", and waits for another start" if task.status is Status.WAITING else ""
    log.warning("%s %s%s: %s", named(task.id, task.type), end, following, one_line(start.error or ""))


def log_rescue(log: logging.Logger, task: Task) -> None:
    """Log a task that was taken back from a handler that is gone."""
    error = f": {one_line(f'{task.error.type}: {task.error.message}')}" if task.error else ""
    log.warning("took back %s, whose handler is gone: it is %s now%s", named(task.id, task.type), task.status, error)


def log_expired(log: logging.Logger, unrun: Mapping[TaskId, TypeName]) -> None:
    """Log the deleted tasks that waited when they expired."""
    for id, type in islice(unrun.items(), MAX_EXPIRY_LINES):
        log.warning("%s expired before it ran, and is deleted", named(id, type))
    if len(unrun) > MAX_EXPIRY_LINES:
        log.warning("%d more tasks expired before they ran, and are deleted", len(unrun) - MAX_EXPIRY_LINES)


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
