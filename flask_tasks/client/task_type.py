"""A type of task, as the service shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_tasks.client.from_json import made, made_if_any


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a task is made without anybody asking; `next` is in Unix seconds."""

    every: str
    timezone: str
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """What can be run: the JSON Schema of its arguments, and the options of its tasks where none are given.

    `live` says whether a handler is there that can run it.
    """

    name: str
    description: str
    live: bool
    schema: dict[str, Any]
    defaults: dict[str, Any]
    schedule: Schedule | None

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        """What an answer shows."""
        return made(cls, shown, schedule=made_if_any(Schedule, shown["schedule"]))
