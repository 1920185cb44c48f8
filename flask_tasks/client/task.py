"""A task, as the service shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

Status = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in the last attempt."""

    type: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Reported:
    """How far a task is, as its function says: a share from 0 to 1, and what it does."""

    value: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A task as lists show it. Times are in Unix seconds."""

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
        """What an answer shows. It may hold more than this."""
        error, progress = shown["error"], shown["progress"]
        return cls(
            **{field.name: shown[field.name] for field in fields(cls)}
            | {
                "error": error and Failure(error["type"], error["message"], error["attempt"]),
                "progress": progress and Reported(progress["value"], progress["message"]),
            }
        )

    @property
    def is_final(self) -> bool:
        """Whether it has finished, well or not: nothing happens to it any more, unless somebody asks for a retry."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Summary):
    """A task with its arguments and its result, which is None until it is done."""

    args: dict[str, Any]
    result: Any
