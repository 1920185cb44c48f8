"""A task as it was asked for, before the store has given it an id."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import InvalidOption
from domain.ids import Key, TaskId, TypeName
from domain.instants import after, aware, whole_second
from domain.options import LONGEST, Options
from domain.task import Task


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
    key: Key | None = None
    fingerprint: str | None = None
    options: Options = field(default_factory=Options)
    terms: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.ttl <= LONGEST:
            raise InvalidOption("ttl", self.ttl, f"whole seconds from 1 to {LONGEST}")

    def registered(self, id: TaskId) -> Task:
        """The task that this becomes under that id: waiting, and kept for `ttl` seconds from when it may run."""
        created = whole_second(self.now)
        run_at = aware(self.now if self.run_at is None else self.run_at)
        return Task(
            id=id,
            type=self.type,
            created=created,
            run_at=run_at,
            ttl=self.ttl,
            expire=after(max(created, whole_second(run_at)), self.ttl),
            priority=self.options.priority,
            max_attempts=self.options.max_attempts,
            max_losses=self.options.max_losses,
            timeout=self.options.timeout,
            callback=self.options.callback,
        )
