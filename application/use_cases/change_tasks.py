"""The batches in which many tasks are cancelled, retried or deleted: one transaction each, newest tasks first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.listing import Filter
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import TaskId
from domain.status import RULES, Verb
from domain.task import Task

BATCH_TASKS = 500
MAX_SECONDS = 10.0
"""Seconds after which no other batch begins, unless a request has its own."""
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTasksRequest:
    """The tasks to change: those that match, with ids below `before`, at most `limit`.

    `seconds`: the time after which no other batch begins, so that the caller has an answer in time.
    """

    filter: Filter
    before: TaskId | None = None
    limit: int = MAX_ID
    seconds: float = MAX_SECONDS


@dataclass(frozen=True, slots=True)
class ChangeTasksResult:
    """The number of changed tasks, and the `before` of the next request; None if no task follows."""

    count: int
    next: TaskId | None


Apply = Callable[[UnitOfWork, Sequence[Task]], None]
"""Changes locked tasks in the storage."""


class ChangeTasks:
    """Changes matching tasks from whose status the verb may start; a task with another status by then is unchanged.

    A lock that is held long, or an outage, ends the changes early.

    Raises StorageUnavailable: the storage is away, and no task was changed before that.
    """

    def __init__(self, begin: Begin, clock: Clock, verb: Verb, batch_tasks: int | None = None) -> None:
        self._begin = begin
        self._clock = clock
        self._allowed = RULES[verb]
        self._batch_tasks = batch_tasks or BATCH_TASKS

    def __call__(
        self, request: ChangeTasksRequest, apply: Apply, notify: Callable[[Sequence[Task]], None]
    ) -> ChangeTasksResult:
        """Change the tasks, within some seconds. `notify` is given each batch, as the tasks were before the change."""
        filter = replace(request.filter, statuses=request.filter.statuses & self._allowed)
        ends = self._clock.monotonic() + request.seconds
        count, before = 0, request.before
        try:
            while True:
                tasks, before = self._change(filter, before, min(self._batch_tasks, request.limit - count), apply)
                notify(tasks)
                count += len(tasks)
                if before is None or count == request.limit or self._clock.monotonic() >= ends:
                    break
        except StorageUnavailable:
            if not count:
                raise
        return ChangeTasksResult(count, before)

    @retry_on_conflict
    def _change(
        self, filter: Filter, before: TaskId | None, limit: int, apply: Apply
    ) -> tuple[Sequence[Task], TaskId | None]:
        """Change one batch. The tasks as they were before, and the `before` of the next batch."""
        with self._begin() as work:
            found = work.listing.search(filter, before, limit)
            tasks = [task for task in work.tasks.lock(*(task.id for task in found.tasks)) if is_meant(task, filter)]
            apply(work, tasks)
            work.commit()
        return tasks, found.next


def is_meant(task: Task, filter: Filter) -> bool:
    """Whether a task that was found is still one of those that are meant, now that it is locked."""
    has_ended_since = filter.as_of is not None and task.finished is not None and task.finished > filter.as_of
    return task.status in filter.statuses and not has_ended_since
