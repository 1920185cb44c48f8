"""What is stored, as plain dictionaries of values that never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from application.ports.task_repository import Version
from domain.delivery import Delivery
from domain.ids import Claim, HandlerId, IdempotencyKey, TaskId, TypeName
from domain.schedule import Recurrence
from domain.settlement import Attempt
from domain.task import Task
from domain.task_type import TaskType


@dataclass(frozen=True, slots=True)
class Row:
    """A task, the texts that travel beside it, and what it is found by."""

    task: Task
    args: str
    result: str | None = None
    key: IdempotencyKey | None = None
    fingerprint: str | None = None
    terms: tuple[int, ...] = ()

    @property
    def version(self) -> Version:
        """Another one for everything else that it might be."""
        return Version(abs(hash((self.task, self.result))) or 1)


@dataclass(frozen=True, slots=True)
class LivingHandler:
    """Until when a handler lives, the schemas of what it can run, and which process it is."""

    until: datetime
    types: Mapping[TypeName, str]
    process: str | None = None


@dataclass(slots=True)
class State:
    """All there is. A copy can be changed without the original noticing."""

    last_id: int = 0
    rows: dict[TaskId, Row] = field(default_factory=dict)
    attempts: dict[tuple[TaskId, Claim], Attempt] = field(default_factory=dict)
    types: dict[TypeName, TaskType] = field(default_factory=dict)
    handlers: dict[HandlerId, LivingHandler] = field(default_factory=dict)
    schedules: dict[TypeName, Recurrence] = field(default_factory=dict)
    deliveries: dict[TaskId, Delivery] = field(default_factory=dict)

    def put(self, row: Row) -> None:
        """Whatever is stored of a task passes here: one that finishes has an address to tell, a retried one not yet."""
        task, before = row.task, self.rows.get(row.task.id)
        self.rows[task.id] = row
        if task.callback is None or before is None or before.task.finished == task.finished:
            return
        self.deliveries.pop(task.id, None)
        if task.finished:
            self.deliveries[task.id] = Delivery.of(task.id, task.callback, task.finished)

    def copy(self) -> "State":
        """The same now, its own from now on."""
        return State(
            self.last_id,
            dict(self.rows),
            dict(self.attempts),
            dict(self.types),
            dict(self.handlers),
            dict(self.schedules),
            dict(self.deliveries),
        )
