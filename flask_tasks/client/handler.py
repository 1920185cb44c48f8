"""A handler and a janitor in an answer of the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_tasks.client.from_json import from_json, from_json_or_none
from flask_tasks.client.task import Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A task that a handler runs. `started` is in Unix seconds."""

    id: int
    type: str
    started: float
    progress: Reported | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a running task from the JSON object of an answer."""
        return from_json(cls, data, progress=from_json_or_none(Reported, data["progress"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A handler. A field is None if a handler of an older version has not told it.

    - `state`: "live", "draining" while it stops, or "silent" if it gives no sign of life.
    - `started`, `last_seen`: times of its start and of its last sign of life, in Unix seconds.
    - `concurrency`: number of functions that it can run at once.
    - `idle`: how many more it could run now.
    - `running`: tasks that it runs, the one that has run longest first, a hundred at most; `running_count` of all.
    - `claimed_count`: number of tasks that it has claimed and not started yet.
    """

    id: str
    state: str
    host: str | None
    pid: int | None
    started: float | None
    last_seen: float | None
    concurrency: int | None
    idle: int | None
    types: list[str]
    running: list[Running]
    running_count: int
    claimed_count: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a handler from the JSON object of an answer."""
        return from_json(cls, data, running=[Running.of(each) for each in data["running"]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Janitor:
    """A janitor. `state` is "live" or "silent"; the times of its start and last sign of life are in Unix seconds."""

    id: str
    state: str
    host: str
    pid: int
    started: float
    last_seen: float
