"""A task, as the service shows it. Times are in Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from flask_tasks.client.from_json import made, made_if_any

Status = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in the last attempt."""

    type: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """How far a task is, as its function says: a share from 0 to 1, and what it does."""

    value: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """The address that is told when the task has finished, and how far it has been."""

    url: str
    state: str
    attempts: int
    next: float | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A task as lists show it."""

    id: int
    type: str
    status: Status
    error: Failure | None
    progress: Reported | None
    created: int
    expire: int
    run_at: float
    started: float | None
    finished: float | None
    attempt: int
    max_attempts: int
    priority: int
    handler: str | None
    waiting_for: str | None

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        """What an answer shows."""
        error, progress = made_if_any(Failure, shown["error"]), made_if_any(Reported, shown["progress"])
        return made(cls, shown, error=error, progress=progress, callback=made_if_any(Callback, _callback(shown)))

    @property
    def is_final(self) -> bool:
        """Whether it has finished, well or not: nothing happens to it any more, unless somebody asks for a retry."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Summary):
    """A task with its arguments, and its result, which is None until it is done."""

    args: dict[str, Any]
    result: Any
    callback: Callback | None


def _callback(shown: Mapping[str, Any]) -> Any:
    """That of the task: where it has none, an argument of that name may stand in the place."""
    given = shown.get("callback")
    return None if given is None or given == shown["args"].get("callback") else given
