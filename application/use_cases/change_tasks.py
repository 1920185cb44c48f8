"""What cancelling and retrying many tasks share: batches, each a transaction of its own, newest first, for a while."""

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
"""Seconds after which no other batch begins: who asked would not wait for ever."""


MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTasksRequest:
    """Which tasks, from where on, and how many at most."""

    filter: Filter
    before: TaskId | None = None
    limit: int = MAX_ID


@dataclass(frozen=True, slots=True)
class ChangeTasksResult:
    """How many tasks were changed, and the id to go on from; None where nothing follows."""

    count: int
    next: TaskId | None


class ChangeTasks:
    """Changes by one verb what it may start from, and lets be what does not stand so any more when its turn has come.

    What somebody else has locked for long, or an outage, ends it: it says how far it came, or raises StorageUnavailable
    where it has changed nothing. `tell` is called after each batch with what was changed, as it was before.
    """

    def __init__(self, begin: Begin, clock: Clock, verb: Verb) -> None:
        self._begin = begin
        self._clock = clock
        self._allowed = RULES[verb]

    def __call__(
        self, request: ChangeTasksRequest, change: Callable[[Task], Task], tell: Callable[[Sequence[Task]], None]
    ) -> ChangeTasksResult:
        """How far it came, within some seconds."""
        filter = replace(request.filter, statuses=request.filter.statuses & self._allowed)
        ends = self._clock.monotonic() + MAX_SECONDS
        count, place = 0, request.before
        try:
            while True:
                tasks, place = self._change(filter, place, min(BATCH_TASKS, request.limit - count), change)
                tell(tasks)
                count += len(tasks)
                if place is None or count == request.limit or self._clock.monotonic() >= ends:
                    break
        except StorageUnavailable:
            if not count:
                raise
        return ChangeTasksResult(count, place)

    @retry_on_conflict
    def _change(
        self, filter: Filter, before: TaskId | None, most: int, change: Callable[[Task], Task]
    ) -> tuple[Sequence[Task], TaskId | None]:
        """One batch: the tasks as they were, and where to go on."""
        with self._begin() as work:
            # One more than there are to be changed, to know whether anything follows.
            ids = [task.id for task in work.listing.page(filter, before, most + 1)]
            tasks = [task for task in work.tasks.lock(*ids[:most]) if task.status in filter.statuses]
            work.tasks.save(*map(change, tasks))
            work.commit()
        return tasks, ids[most - 1] if len(ids) > most else None
