"""What a client raises."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flask_tasks.client.task import Task

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ClientError(Exception):
    """What went wrong, in the words of the service where it said anything.

    `code` is the HTTP status of its answer, where there was one; `errors` names what is wrong with a request, as
    `{"json": {"$.r0.1": ["…"]}}`.
    """

    def __init__(self, message: str, code: int | None = None, errors: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(message, code, dict(errors))
        self.message, self.code, self.errors = message, code, dict(errors)

    def __str__(self) -> str:
        return "; ".join([self.message, *_lines(self.errors)])


class NotFound(ClientError):
    """There is no such task, or nobody has published such a type."""


class Conflict(ClientError):
    """The task does not stand so that this could be done with it."""


class Invalid(ClientError):
    """The request is wrong: what was sent does not fit, cannot be kept or is too large."""


class Unavailable(ClientError):
    """Nobody answered, however often they were asked, or the service cannot answer now.

    `retry_after` is how many seconds it wants to be left alone; `is_unsent` says that it has not heard of the request.
    """

    def __init__(
        self, message: str, code: int | None = None, retry_after: float = 0.0, is_unsent: bool = False
    ) -> None:
        super().__init__(message, code)
        self.args = (message, code, retry_after, is_unsent)
        self.retry_after, self.is_unsent = retry_after, is_unsent


class TaskFailed(ClientError):
    """A task that has no result, since it failed or was cancelled. `type` is that of the task's error, or Cancelled."""

    def __init__(self, task: Task) -> None:
        self.task = task
        # What was cancelled may have failed before, in an attempt that was not its last.
        error = task.error if task.status == "failed" else None
        self.type = error.type if error else "Cancelled"
        why = f"failed with {error.type}: {error.message}" if error else "was cancelled"
        super().__init__(f"task {task.id} of type {task.type} {why}")
        self.args = (task,)


class NotFinished(ClientError, TimeoutError):
    """The time is over and the task has not finished. It goes on."""

    def __init__(self, task: Task) -> None:
        self.task = task
        super().__init__(f"task {task.id} of type {task.type} is still {task.status}")
        self.args = (task,)


def _lines(errors: Any, *path: str) -> Iterator[str]:
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _lines(inner, *path, str(name))
    else:
        yield f"{' '.join(path)}: {' '.join(map(str, errors)) if isinstance(errors, list) else errors}"
