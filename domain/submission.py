"""A submission: a task before the storage has given it an id."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from domain.dependencies import Dependencies
from domain.errors import InvalidOption
from domain.ids import BatchId, IdempotencyKey, Lane, Owner, TaskId, TypeName
from domain.instants import NEVER, after, whole_second
from domain.options import MAX_TIMEOUT_SECONDS, Options
from domain.task import Task
from domain.traceparent import Traceparent

NEW_TASK_DEFAULTS = {each.name: each.default for each in fields(Task) if each.default is not MISSING}
"""The fields of a new task for which Task has a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A type, its arguments as JSON text, and when and how to run them.

    `ttl`: seconds for which the task is kept.
    `run_at`: None is at once.
    `key`: the idempotency key; at most one task at a time has it.
    `fingerprint`: a hash of type and arguments, which tells whether a repeated key comes with the same request.
    `terms`: the search terms of arguments and labels.
    `lane`: the lane of the task; None of a type without lanes.
    `labels`: the labels as the text of a JSON object; None without labels.
    `batch`: the batch of the task; None of a task of its own.
    `dependencies`: the parents of a task that is blocked at first; the storage is told of them apart.
    `owner`, `max_waiting`: its owner, where no more than so many tasks of that may wait.
    `traceparent`: the place in a trace at which it is submitted; None without a trace.
    """

    type: TypeName
    args: str
    now: datetime
    ttl: int
    run_at: datetime | None = None
    key: IdempotencyKey | None = None
    fingerprint: str | None = None
    options: Options = field(default_factory=Options)
    terms: tuple[int, ...] = ()
    lane: Lane | None = None
    labels: str | None = None
    batch: BatchId | None = None
    dependencies: Dependencies | None = None
    owner: Owner | None = None
    max_waiting: int | None = None
    traceparent: Traceparent | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.ttl <= MAX_TIMEOUT_SECONDS:
            raise InvalidOption("ttl", self.ttl, f"a whole number of seconds from 1 to {MAX_TIMEOUT_SECONDS}")

    def registered(self, id: TaskId) -> Task:
        """The new task with that id: waiting, and kept for `ttl` seconds from when it may run."""
        return Task.restored(self.fields() | {"id": id})

    def fields(self) -> dict[str, Any]:
        """The fields of the new task by name, for Task.restored, without the id, which only a storage can give."""
        created, expire = _from_now(self.now, self.ttl)
        run_at = self.run_at
        if self.dependencies is not None:
            run_at = expire = NEVER
        elif run_at is not None:
            expire = after(max(created, whole_second(run_at)), self.ttl)
        return {
            **NEW_TASK_DEFAULTS,
            "type": self.type,
            "created": created,
            "run_at": self.now if run_at is None else run_at,
            "ttl": self.ttl,
            "expire": expire,
            "priority": self.options.priority,
            "max_attempts": self.options.max_attempts,
            "max_losses": self.options.max_losses,
            "timeout": self.options.timeout,
            "callback": self.options.callback,
            "lane": self.lane,
            "labels": self.labels,
            "batch": self.batch,
            "has_references": self.dependencies is not None and self.dependencies.has_references,
            "traceparent": self.traceparent,
        }


@lru_cache(maxsize=100)
def _from_now(now: datetime, ttl: int) -> tuple[datetime, datetime]:
    """Creation and expiry of a task that is submitted now. Cached, since many are submitted at one moment."""
    created = whole_second(now)
    return created, after(created, ttl)
