"""A task as it was asked for, before the store has given it an id."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from domain.errors import InvalidOption
from domain.ids import IdempotencyKey, TaskId, TypeName
from domain.instants import after, whole_second
from domain.options import MAX_TIMEOUT_SECONDS, Options
from domain.task import Task

UNTOUCHED = {each.name: each.default for each in fields(Task) if each.default is not MISSING}
"""What a task has of which nothing was asked, and that nothing has happened to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A type, its arguments as JSON text, and when and how to run them. `ttl` is in seconds.

    `run_at` None is at once. At any time one task at most has a `key`; `fingerprint` is what was asked for under it, of
    domain.key. `terms` are those of domain.search_terms.
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

    def __post_init__(self) -> None:
        if not 1 <= self.ttl <= MAX_TIMEOUT_SECONDS:
            raise InvalidOption("ttl", self.ttl, f"a whole number of seconds from 1 to {MAX_TIMEOUT_SECONDS}")

    def registered(self, id: TaskId) -> Task:
        """The task that this becomes under that id: waiting, and kept for `ttl` seconds from when it may run."""
        return Task.restored(self.fields() | {"id": id})

    def fields(self) -> dict[str, Any]:
        """All fields of that task by name, for Task.restored, but for its id: only a storage has one to give."""
        created, expire = _from_now(self.now, self.ttl)
        if self.run_at is not None:
            expire = after(max(created, whole_second(self.run_at)), self.ttl)
        return {
            **UNTOUCHED,
            "type": self.type,
            "created": created,
            "run_at": self.now if self.run_at is None else self.run_at,
            "ttl": self.ttl,
            "expire": expire,
            "priority": self.options.priority,
            "max_attempts": self.options.max_attempts,
            "max_losses": self.options.max_losses,
            "timeout": self.options.timeout,
            "callback": self.options.callback,
        }


@lru_cache(maxsize=100)
def _from_now(now: datetime, ttl: int) -> tuple[datetime, datetime]:
    """When what is submitted now was created, and when it expires. Many are submitted at one moment."""
    created = whole_second(now)
    return created, after(created, ttl)
