"""A task in an answer of the service. Times are in Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from flask_tasks.client.from_json import from_json, from_json_or_none

Status = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error of the last failed attempt."""

    type: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The progress that a function reported.

    - `value`: the completed share, from 0 to 1.
    - `message`: the current step.
    """

    value: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """The callback of a task: its address `url`, its state, and when the next try is due."""

    url: str
    state: str
    attempts: int
    next: float | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A task in a list, without arguments and result."""

    id: int
    type: str
    status: Status
    error: Failure | None
    progress: Reported | None
    created: int
    expire: int | None
    run_at: float | None
    started: float | None
    finished: float | None
    attempt: int
    max_attempts: int
    priority: int
    handler: str | None
    waiting_for: str | None
    labels: dict[str, str]
    batch: int | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a task from the JSON object of an answer."""
        error, progress = from_json_or_none(Failure, data["error"]), from_json_or_none(Reported, data["progress"])
        callback = from_json_or_none(Callback, _optional("callback", data))
        labels = _optional("labels", data) or {}
        parts = {
            "callback": callback,
            "labels": labels,
            "batch": _optional("batch", data),
            "after": tuple(_optional("after", data) or ()),
        }
        return from_json(cls, data, error=error, progress=progress, **parts)

    @property
    def is_final(self) -> bool:
        """Whether the task has finished: it is done, failed or cancelled, and changes only by a retry."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Summary):
    """A task with its arguments and its result. The result is None until the task is done.

    - `after`: the ids of the tasks for which it waits or has waited.
    """

    args: dict[str, Any]
    result: Any
    callback: Callback | None
    after: tuple[int, ...] = ()


Id = int | Summary
"""A task, or the id of a task."""


def id_of(task: Id) -> int:
    """Return the id of a task."""
    return task.id if isinstance(task, Summary) else int(task)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """The state of one of many followed tasks.

    - `status`: `deleted` if the task is gone.
    - `finished`, `error_type`: when the task finished, and the type of its error if it failed; None before.
    """

    id: int
    status: Status | Literal["deleted"]
    progress: Reported | None = None
    attempt: int = 0
    finished: float | None = None
    error_type: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a state from the JSON object of an event."""
        ended = {name: data.get(name) for name in ("finished", "error_type")}
        return from_json(cls, data, progress=from_json_or_none(Reported, data["progress"]), **ended)

    @classmethod
    def deleted(cls, data: Mapping[str, Any]) -> Self:
        """Make the state of a task that is gone."""
        return cls(id=data["id"], status="deleted")

    @property
    def is_final(self) -> bool:
        """Whether no other state follows: the task has finished or is gone."""
        return self.status in ("done", "failed", "cancelled", "deleted")


def _optional(field: str, data: Mapping[str, Any]) -> Any:
    """Return the field, which not all tasks have. Where one has not, an argument of the same name may stand there."""
    value = data.get(field)
    return None if value is None or value == data.get("args", {}).get(field) else value
