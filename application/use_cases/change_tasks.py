"""The batches in which many tasks are cancelled, retried or deleted: one transaction each, newest tasks first.

Of tasks that wait for each other, parents are retried first, and dependents are cancelled first: so no dependent fails
between two batches by a parent whose turn has come or is still to come.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.listing import Filter
from application.ports.unit_of_work import Begin, UnitOfWork
from application.use_cases.unblock_tasks import UnblockTasks
from domain.dependencies import depths
from domain.ids import TaskId
from domain.status import RULES, Verb
from domain.task import Task

BATCH_TASKS = 500
WINDOW_TASKS = 10_000
"""Tasks that are put in order together: as many as one request can submit."""
SIGNS = {Verb.RETRY: 1, Verb.CANCEL: -1, Verb.DELETE: 0}
"""The signs of the depths by which tasks are put in order: a deletion minds no parents."""
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


Apply = Callable[[UnitOfWork, Sequence[Task]], Collection[TaskId]]
"""Changes locked tasks in the storage, and returns the ids of these and of others that have changed with them."""


@dataclass(frozen=True, slots=True)
class Window:
    """The next tasks, in the order in which they are changed, and the `before` of those behind them."""

    ids: Sequence[TaskId]
    next: TaskId | None

    @property
    def before(self) -> TaskId | None:
        """The `before` of a search that finds all of these; None if no task follows."""
        return TaskId(max(self.ids) + 1) if self.ids else self.next

    def without(self, ids: Collection[TaskId]) -> "Window":
        """The tasks that are left."""
        return replace(self, ids=[id for id in self.ids if id not in ids])


class ChangeTasks:
    """Changes matching tasks from whose status the verb may start; a task with another status by then is unchanged.

    A lock that is held long, or an outage, ends the changes early. What waits for the changed tasks is unblocked after
    the last one.

    Raises StorageUnavailable: the storage is away, and no task was changed before that.
    """

    def __init__(
        self, begin: Begin, clock: Clock, unblock: UnblockTasks, verb: Verb, batch_tasks: int | None = None
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._unblock = unblock
        self._allowed = RULES[verb]
        self._sign = SIGNS[verb]
        self._batch_tasks = batch_tasks or BATCH_TASKS

    def __call__(
        self, request: ChangeTasksRequest, apply: Apply, notify: Callable[[Sequence[Task]], None]
    ) -> ChangeTasksResult:
        """Change the tasks, within some seconds. `notify` is given each batch, as the tasks were before the change."""
        filter = replace(request.filter, statuses=request.filter.statuses & self._allowed)
        ends = self._clock.monotonic() + request.seconds
        count, window = 0, Window((), request.before)
        try:
            while True:
                if not window.ids:
                    window = self._window(filter, window.next, min(WINDOW_TASKS, request.limit - count))
                batch = window.ids[: self._batch_tasks]
                tasks, changed = self._change(filter, batch, apply)
                notify(tasks)
                count += len({*window.ids}.intersection(changed))
                window = window.without({*batch, *changed})
                if window.before is None or count == request.limit or self._clock.monotonic() >= ends:
                    break
        except StorageUnavailable:
            if not count:
                raise
        if count:
            self._unblock.all()
        return ChangeTasksResult(count, window.before)

    @retry_on_conflict
    def _window(self, filter: Filter, before: TaskId | None, limit: int) -> Window:
        with self._begin() as work:
            found = work.listing.search(filter, before, limit)
            ids = [task.id for task in found.tasks]
            if self._sign and len(ids) > self._batch_tasks:
                depth = depths(work.dependencies.parents_among(ids))
                ids.sort(key=lambda id: self._sign * depth.get(id, 0))
        return Window(ids, found.next)

    @retry_on_conflict
    def _change(self, filter: Filter, ids: Sequence[TaskId], apply: Apply) -> tuple[Sequence[Task], Collection[TaskId]]:
        """Change one batch. The tasks as they were before, and the ids of all that have changed."""
        if not ids:
            return (), ()
        with self._begin() as work:
            tasks = [task for task in work.tasks.lock(*ids) if is_meant(task, filter)]
            changed = apply(work, tasks)
            work.commit()
        return tasks, changed


def is_meant(task: Task, filter: Filter) -> bool:
    """Whether a task that was found is still one of those that are meant, now that it is locked."""
    has_ended_since = filter.as_of is not None and task.finished is not None and task.finished > filter.as_of
    return task.status in filter.statuses and not has_ended_since
