"""The state of the memory storage: plain dictionaries of frozen values."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from application.ports.monitoring import DrainRequest, HandlerInfo, JanitorRecord
from application.ports.task_repository import Version
from domain.api_key import ApiKey
from domain.batch import Batch
from domain.delivery import Delivery
from domain.dependencies import Dependencies
from domain.event import Event, events_between
from domain.ids import ApiKeyId, BatchId, Claim, HandlerId, IdempotencyKey, JanitorId, Lane, Owner, TaskId, TypeName
from domain.instants import EPOCH
from domain.limits import Override
from domain.schedule import Recurrence
from domain.settlement import Attempt
from domain.task import Task
from domain.task_type import TaskType


@dataclass(frozen=True, slots=True)
class Row:
    """A task with its arguments and result, its key, its search terms, and an owner whose tasks are limited."""

    task: Task
    args: str
    result: str | None = None
    key: IdempotencyKey | None = None
    fingerprint: str | None = None
    terms: tuple[int, ...] = ()
    owner: Owner | None = None
    printed: datetime | None = None

    @property
    def version(self) -> Version:
        """A number made of the task, its result and the time of its output, so that it changes whenever they do."""
        return Version(abs(hash((self.task, self.result, self.printed))) or 1)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with its key, its owner, and the ids of its first tasks, which are kept where it has a key."""

    batch: Batch
    key: IdempotencyKey | None = None
    fingerprint: str | None = None
    ids: tuple[TaskId, ...] = ()
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class LivingHandler:
    """A published handler.

    - `until`: the moment until which it lives.
    - `types`: the schema of each type that it can run.
    - `process`: the name of its process, if it is known.
    - `lease`: the seconds of its leases, if they are known.
    - `info`: the facts that it has published, if it has.
    - `is_draining`: whether it has said that it stops.
    - `drain_request`: how it was asked to stop, if it was.
    """

    until: datetime
    types: Mapping[TypeName, str]
    process: str | None = None
    lease: float | None = None
    info: HandlerInfo | None = None
    is_draining: bool = False
    drain_request: DrainRequest | None = None


def system_time() -> datetime:
    """The time of the storage's own clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class State:
    """Everything that is stored. Changing a copy leaves the original as it is.

    - `log_writers`: the handler that stored the log of an attempt while the start went on.
    - `events`: the number of events by type, minute, event, and bucket of their durations.
    - `forgotten_events`: the same of minutes that are forgotten, all together.
    - `events_added_until`: the minute before which events are added up.
    - `origins`: the task that each rerun runs again.
    - `overrides`: the limits that an operator has set.
    - `next_starts`: the next regular start of each type that has a rate.
    - `deleted_of_batches`: the number of tasks of each batch that were deleted.
    - `last_lanes`: by type and priority, the lane whose turn it was last.
    - `dependencies`: the parents of each task that has any.
    - `dependents`: the tasks that wait or have waited for each parent.
    - `next_requests`: the next regular request of each owner whose requests have a rate.
    - `changed_parents`: the parents whose dependents are to be looked at.
    """

    now: Callable[[], datetime] = system_time
    last_id: int = 0
    rows: dict[TaskId, Row] = field(default_factory=dict)
    attempts: dict[tuple[TaskId, Claim], Attempt] = field(default_factory=dict)
    log_writers: dict[tuple[TaskId, Claim], HandlerId | None] = field(default_factory=dict)
    types: dict[TypeName, TaskType] = field(default_factory=dict)
    abandoned: dict[TypeName, datetime] = field(default_factory=dict)
    changed: dict[TypeName, datetime] = field(default_factory=dict)
    handlers: dict[HandlerId, LivingHandler] = field(default_factory=dict)
    janitors: dict[JanitorId, JanitorRecord] = field(default_factory=dict)
    schedules: dict[TypeName, Recurrence] = field(default_factory=dict)
    deliveries: dict[TaskId, Delivery] = field(default_factory=dict)
    events: Counter[tuple[TypeName, datetime, Event, int | None]] = field(default_factory=Counter)
    forgotten_events: Counter[tuple[TypeName, Event, int | None]] = field(default_factory=Counter)
    events_added_until: datetime = EPOCH
    origins: dict[TaskId, TaskId] = field(default_factory=dict)
    overrides: dict[TypeName, Override] = field(default_factory=dict)
    next_starts: dict[TypeName, datetime] = field(default_factory=dict)
    last_lanes: dict[tuple[TypeName, int], Lane] = field(default_factory=dict)
    last_batch_id: int = 0
    batches: dict[BatchId, BatchRow] = field(default_factory=dict)
    deleted_of_batches: Counter[BatchId] = field(default_factory=Counter)
    batch_deliveries: dict[BatchId, Delivery] = field(default_factory=dict)
    dependencies: dict[TaskId, Dependencies] = field(default_factory=dict)
    dependents: dict[TaskId, frozenset[TaskId]] = field(default_factory=dict)
    changed_parents: list[TaskId] = field(default_factory=list)
    api_keys: dict[ApiKeyId, ApiKey] = field(default_factory=dict)
    next_requests: dict[Owner, datetime] = field(default_factory=dict)

    def put(self, row: Row) -> None:
        """Store a row, and count its events.

        A task with a callback that finishes gets a delivery, and a retried one loses it.
        """
        task, before = row.task, self.rows.get(row.task.id)
        self.rows[task.id] = row
        if before and before.task.finished != task.finished:
            self._note_parent(task.id)
            if task.is_blocked and not task.finished:
                self.note_parent_of(task.id)
        minute = self.now().replace(second=0, microsecond=0)
        for event, bucket in events_between(before.task if before else None, task):
            self.events[task.type, minute, event, bucket] += 1
        if task.callback is None or before is None or before.task.finished == task.finished:
            return
        self.deliveries.pop(task.id, None)
        if task.finished:
            self.deliveries[task.id] = Delivery.of(task.id, task.callback, task.finished)

    def put_batch(self, batch: Batch) -> None:
        """Store a batch beside the other values of its row. One that finishes gets a delivery, as a task does."""
        before = self.batches[batch.id]
        self.batches[batch.id] = replace(before, batch=batch)
        if batch.callback is None or before.batch.finished == batch.finished:
            return
        self.batch_deliveries.pop(batch.id, None)
        if batch.finished:
            self.batch_deliveries[batch.id] = Delivery.of_batch(batch.id, batch.callback, batch.finished)

    def put_task(self, task: Task) -> None:
        """Store a task beside the other values of its row."""
        self.put(replace(self.rows[task.id], task=task))

    def forget(self, id: TaskId) -> None:
        """Delete a task with its delivery, the records of its starts and the link to its origin."""
        batch = self.rows.pop(id).task.batch
        if batch is not None:
            self.deleted_of_batches[batch] += 1
        self._note_parent(id)
        for parent in self.dependencies.pop(id).parents if id in self.dependencies else ():
            self.dependents[parent] -= {id}
        self.deliveries.pop(id, None)
        self.origins.pop(id, None)
        for hold in [hold for hold in self.attempts if hold[0] == id]:
            del self.attempts[hold]
            self.log_writers.pop(hold, None)

    def add_dependencies(self, id: TaskId, dependencies: Dependencies) -> None:
        """Store the parents of a new task."""
        self.dependencies[id] = dependencies
        for parent in dependencies.parents:
            self.dependents[parent] = self.dependents_of(parent) | {id}
        self.note_parent_of(id)

    def dependents_of(self, parent: TaskId) -> frozenset[TaskId]:
        """Return the existing tasks that have this parent."""
        return self.dependents.get(parent, frozenset())

    def note_parent_of(self, id: TaskId) -> None:
        """Note a parent of a blocked task, by which it is found."""
        if known := self.dependencies.get(id):
            self._note_parent(min(known.parents))

    def _note_parent(self, id: TaskId) -> None:
        if self.dependents_of(id):
            self.changed_parents.append(id)

    def copy(self) -> "State":
        """Return a state of its own with the same values."""
        values = (getattr(self, name) for name in FIELDS)
        copies: list[Any] = [value.copy() if isinstance(value, dict | list) else value for value in values]
        return State(*copies)


FIELDS = tuple(each.name for each in fields(State))
