"""A type of task in an answer of the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_tasks.client.from_json import from_json, from_json_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The schedule on which tasks of a type are submitted.

    - `next`: its next time, in Unix seconds.
    - `skipped`: number of times that passed without a task while the type was paused or accepted none.
    """

    every: str
    timezone: str
    next: int | None
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type of task.

    - `live`: whether a live handler can run tasks of this type.
    - `abandoned`: whether no live handler can while others live. The type still takes tasks, and is forgotten later.
    - `oldest_due`: earliest `run_at` of its tasks that wait and may start, in Unix seconds; None if there is none.
    - `schema`: JSON Schema of the arguments.
    - `result`: JSON Schema of the results; None if the function does not say what it returns.
    - `defaults`: default options of its tasks.
    - `limits`: the limits that hold, those that are declared and those that were set; None if it has none.
    """

    name: str
    description: str
    live: bool
    abandoned: bool
    oldest_due: float | None
    schema: dict[str, Any]
    result: dict[str, Any] | None
    defaults: dict[str, Any]
    schedule: Schedule | None
    limits: dict[str, Any] | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a type from the JSON object of an answer."""
        # A service of an older version tells neither.
        later = {"limits": data.get("limits"), "result": data.get("result")}
        return from_json(cls, data, schedule=from_json_or_none(Schedule, data["schedule"]), **later)
