"""The batches in which many tasks are cancelled or retried: one transaction each, newest tasks first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.listing import Filter
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.status import RULES, Verb
from domain.task import Task

BATCH_TASKS = 500
MAX_SECONDS = 10.0
"""Seconds after which no other batch begins, so that the caller has an answer in time."""
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTasksRequest:
    """The tasks to change: those that match, with ids below `before`, at most `limit`."""

    filter: Filter
    before: TaskId | None = None
    limit: int = MAX_ID


@dataclass(frozen=True, slots=True)
class ChangeTasksResult:
    """The number of changed tasks, and the `before` of the next request; None if no task follows."""

    count: int
    next: TaskId | None


class ChangeTasks:
    """Changes matching tasks from whose status the verb may start; a task with another status by then is unchanged.

    A lock that is held long, or an outage, ends the changes early.

    Raises StorageUnavailable: the storage is away, and no task was changed before that.
    """

    def __init__(self, begin: Begin, clock: Clock, verb: Verb) -> None:
        self._begin = begin
        self._clock = clock
        self._allowed = RULES[verb]

    def __call__(
        self, request: ChangeTasksRequest, change: Callable[[Task], Task], notify: Callable[[Sequence[Task]], None]
    ) -> ChangeTasksResult:
        """Change the tasks, within some seconds. `notify` is given each batch, as the tasks were before the change."""
        filter = replace(request.filter, statuses=request.filter.statuses & self._allowed)
        ends = self._clock.monotonic() + MAX_SECONDS
        count, before = 0, request.before
        try:
            while True:
                tasks, before = self._change(filter, before, min(BATCH_TASKS, request.limit - count), change)
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
        self, filter: Filter, before: TaskId | None, limit: int, change: Callable[[Task], Task]
    ) -> tuple[Sequence[Task], TaskId | None]:
        """Change one batch. The tasks as they were before, and the `before` of the next batch."""
        with self._begin() as work:
            # One task more than may be changed, to know whether another follows.
            ids = [task.id for task in work.listing.page(filter, before, limit + 1)]
            tasks = [task for task in work.tasks.lock(*ids[:limit]) if task.status in filter.statuses]
            work.tasks.save(*map(change, tasks))
            work.commit()
        return tasks, ids[limit - 1] if len(ids) > limit else None
