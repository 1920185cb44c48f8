"""Errors of the client."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from flask_tasks.client.task import Summary, Task

EMPTY: Mapping[str, Any] = MappingProxyType({})


class ClientError(Exception):
    """A request failed. The message is that of the service, if it sent one.

    - `code`: HTTP status of the answer, or None without an answer.
    - `errors`: what is wrong in each part of the request, such as `{"json": {"$.r0.1": ["…"]}}`.
    """

    def __init__(self, message: str, code: int | None = None, errors: Mapping[str, Any] = EMPTY) -> None:
        super().__init__(message, code, dict(errors))
        self.message, self.code, self.errors = message, code, dict(errors)

    def __str__(self) -> str:
        return "; ".join([self.message, *_lines(self.errors)])


class NotFound(ClientError):
    """The task, the batch or the type does not exist."""


class Gone(NotFound):
    """The task existed, and was deleted: by a request, or by the service, which keeps no task longer than `expire`."""

    def __init__(self, task: Summary) -> None:
        self.task = task
        end = "" if task.expire is None else f", {datetime.fromtimestamp(task.expire, UTC).isoformat()}"
        super().__init__(
            f"task {task.id} of type {task.type} was deleted: by a request, or at the end of its time{end}",
            404,
        )
        self.args = (task,)


class Conflict(ClientError):
    """The status of the task, or the batch, does not allow the operation."""


class Invalid(ClientError):
    """The request is not valid: a value does not match, cannot be stored exactly, or is too large."""


class Unavailable(ClientError):
    """The service did not answer any of the requests, or cannot serve requests now.

    - `retry_after`: seconds after which the service expects the next request; 0 without such a time.
    - `is_unsent`: whether the request certainly did not reach the service.
    """

    def __init__(
        self, message: str, code: int | None = None, retry_after: float = 0.0, is_unsent: bool = False
    ) -> None:
        super().__init__(message, code)
        self.args = (message, code, retry_after, is_unsent)
        self.retry_after, self.is_unsent = retry_after, is_unsent


class TaskFailed(ClientError):
    """The task failed or was cancelled, so that it has no result.

    `type` is the type of the error of the task, or `Cancelled`.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        # A cancelled task may have an error of an earlier attempt.
        error = task.error if task.status == "failed" else None
        self.type = error.type if error else "Cancelled"
        why = f"failed with {error.type}: {error.message}" if error else "was cancelled"
        super().__init__(f"task {task.id} of type {task.type} {why}")
        self.args = (task,)


class NotFinished(ClientError, TimeoutError):
    """The task did not finish in time. It goes on."""

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
