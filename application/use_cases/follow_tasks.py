"""Follow many tasks: their states now, and after each change, until all of them have finished."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import NamedTuple

from application.change_feed import ChangeFeed
from application.coalescing import Coalesced
from application.errors import StorageUnavailable, TooManyTasks
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.listing import ANY_STATUS, Filter, Found
from application.ports.task_repository import LARGE_BYTES, UNKNOWN_VERSION, TaskRecord
from application.ports.unit_of_work import Begin
from application.subscriber import Subscriber
from application.use_cases.follow_task import HEARTBEAT_SECONDS
from application.use_cases.view_task import ViewTask
from application.view import View, Viewer
from domain.ids import BatchId, TaskId
from domain.status import FINAL
from domain.task import Task

MAX_TASKS = 10_000
"""Unfinished tasks of one follower at most. Of the finished ones the newest are shown, up to this number in all."""
LOOK_SECONDS, MIN_REST_PER_LOOK = 1.0, 20
"""Seconds between two looks for new tasks, and the smallest ratio of this rest to the look before it."""
LOOK_TASKS, MAX_LOOK_STEPS = 1_000, 10
"""Tasks of one step of a look, and its steps: an older task may begin to match, behind as many that are known."""
UNFINISHED = ANY_STATUS - FINAL

States = Mapping[TaskId, TaskRecord | None]
"""Tasks by id, each as a summary; None for one that is gone."""


class Step(NamedTuple):
    """A step of a search."""

    filter: Filter
    before: TaskId | None
    limit: int


class Search:
    """Searches tasks. Threads that search at the same moment share one transaction, and equal steps."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._find = Coalesced(self._found)

    def __call__(self, step: Step) -> Found:
        """The tasks that a step finds."""
        return self._find(step)

    def _found(self, steps: Sequence[Step]) -> Sequence[Found]:
        with self._begin() as work:
            found = {step: work.listing.search(*step) for step in {*steps}}
        return [found[step] for step in steps]


class Arrivals:
    """Finds the tasks that begin to match a filter, which are mostly new ones.

    `known`: the tasks that have matched before. Older ones than `floor` are not looked for.
    """

    def __init__(self, search: Search, clock: Clock, filter: Filter, known: Collection[TaskId], floor: TaskId) -> None:
        self._search = search
        self._clock = clock
        self._filter = filter
        self._known = {*known}
        self._floor = floor
        self._due_at = clock.monotonic() + LOOK_SECONDS

    def due(self) -> Sequence[TaskId]:
        """The tasks that have begun to match; none before the next look is due."""
        return self.found() if self._clock.monotonic() >= self._due_at else []

    def found(self) -> Sequence[TaskId]:
        """The tasks that have begun to match since the last look."""
        began = self._clock.monotonic()
        with suppress(StorageUnavailable):
            new = list(self._new())
            self._known.update(new)
            self._forget_old()
            now = self._clock.monotonic()
            self._due_at = now + max(LOOK_SECONDS, MIN_REST_PER_LOOK * (now - began))
            return new
        return []

    def _new(self) -> Iterator[TaskId]:
        before, steps = None, 0
        while steps < MAX_LOOK_STEPS:
            found = self._search(Step(self._filter, before, LOOK_TASKS))
            new = [task.id for task in found.tasks if task.id > self._floor and task.id not in self._known]
            yield from new
            before, steps = found.next, steps + (not new)
            if before is None or before <= self._floor:
                return

    def _forget_old(self) -> None:
        """Forget the oldest known tasks, so that a follower of very many costs no more and more memory."""
        if len(self._known) > 2 * MAX_TASKS:
            newest = sorted(self._known)[-MAX_TASKS:]
            self._known, self._floor = {*newest}, max(self._floor, newest[0])


class TasksFollower:
    """The states of many tasks. The caller has to close it.

    `first`: the states at the beginning.
    """

    def __init__(
        self, first: States, change_feed: ChangeFeed, arrivals: Arrivals | None, is_open: Callable[[], bool]
    ) -> None:
        self.first = first
        self._change_feed = change_feed
        self._arrivals = arrivals
        self._is_open = is_open
        self._stack = ExitStack()
        self._subscriber: Subscriber[TaskRecord] | None = None
        unfinished = {id: each.version for id, each in first.items() if each and not each.task.status.is_final}
        self.is_over = not unfinished and not is_open()
        if not self.is_over:
            self._subscriber = self._stack.enter_context(change_feed.subscribe_to_set(unfinished))

    @property
    def was_turned_away(self) -> bool:
        """Whether no states follow the first ones, since the change feed has admitted no more subscribers."""
        return self._subscriber is None and not self.is_over

    def close(self) -> None:
        """Stop following. A second call does nothing."""
        self._stack.close()

    def later(self) -> Iterator[States]:
        """The states of changed tasks, as often as some have changed; no states after a while without a change.

        States in between may merge; the last one of each task always comes. It ends when all tasks have finished or are
        gone and their batch is not open, when too many have begun to match, and when the change feed is closed.
        """
        pause = LOOK_SECONDS if self._arrivals else HEARTBEAT_SECONDS
        while (subscriber := self._subscriber) and self._goes_on(subscriber):
            changes = subscriber.next(pause)
            if not changes and subscriber.has_ended:
                return
            yield changes
            if self._arrivals:
                self._welcome(subscriber, self._arrivals.due())

    def _goes_on(self, subscriber: Subscriber[TaskRecord]) -> bool:
        return not subscriber.is_done or self._welcomes_last_arrivals(subscriber) or self._is_open()

    def _welcomes_last_arrivals(self, subscriber: Subscriber[TaskRecord]) -> bool:
        """Follow the tasks that have begun to match since the last look; whether there are any."""
        return bool(self._arrivals and self._welcome(subscriber, self._arrivals.found()))

    def _welcome(self, subscriber: Subscriber[TaskRecord], arrivals: Sequence[TaskId]) -> bool:
        if subscriber.awaited + len(arrivals) > MAX_TASKS:
            subscriber.end()
        elif arrivals:
            self._change_feed.extend(subscriber, arrivals)
        return bool(arrivals)


class FollowTasks:
    """Follows the tasks that match a filter, and those that begin to match it, unless it names its tasks by their ids.

    A task that matched once is followed until it has finished.

    Raises TooManyTasks: more than MAX_TASKS that have not finished match.
    """

    def __init__(
        self,
        begin: Begin,
        storage: AutocommitStore,
        clock: Clock,
        change_feed: ChangeFeed,
        view: ViewTask,
        viewer: Viewer,
    ) -> None:
        self._begin = begin
        self._search = Search(begin)
        self._storage = storage
        self._clock = clock
        self._change_feed = change_feed
        self._view = view
        self._viewer = viewer

    def __call__(self, filter: Filter) -> TasksFollower:
        """The states of the tasks from now on. An id of the filter that has no task is one that is gone."""
        unfinished = self._unfinished(filter)
        finished = self._search(Step(_among(filter, FINAL), None, max(1, MAX_TASKS - len(unfinished))))
        found = {task.id for task in (*unfinished, *finished.tasks)}
        states = self._storage.changed(dict.fromkeys(sorted(found | (filter.ids or set())), UNKNOWN_VERSION))
        first = {id: states[id] for id in sorted(states) if id in found or states[id] is None}
        arrivals = Arrivals(self._search, self._clock, filter, found, finished.next or TaskId(0))
        has_arrivals = filter.ids is None
        return TasksFollower(
            first,
            self._change_feed,
            arrivals if has_arrivals else None,
            is_open=lambda: has_arrivals and filter.batch is not None and self._is_open(filter.batch),
        )

    def _is_open(self, batch: BatchId) -> bool:
        """Whether tasks may be added to the batch, so far as is known."""
        with suppress(StorageUnavailable), self._begin() as work:
            record = work.batches.get(batch)
            return record is not None and record.batch.is_open
        return True

    def _unfinished(self, filter: Filter) -> Sequence[Task]:
        """All tasks that match and have not finished. A step may look at other tasks alone. Raises TooManyTasks."""
        tasks, step = list[Task](), Step(_among(filter, UNFINISHED), None, MAX_TASKS + 1)
        while True:
            found = self._search(step)
            tasks += found.tasks
            if len(tasks) > MAX_TASKS:
                raise TooManyTasks(MAX_TASKS)
            if found.next is None:
                return tasks
            step = step._replace(before=found.next)

    def whole(self, ids: Sequence[TaskId]) -> Iterator[View]:
        """View tasks with their arguments and results. Large ones are read one by one; those that are gone are omitted.

        Raises StorageUnavailable, UnreadableTask, UnknownTask: a task cannot be read, or was deleted meanwhile.
        """
        found = self._storage.get_many(ids, LARGE_BYTES)
        for id in ids:
            if id in found:
                yield self._view(id) if found[id].is_summary else self._viewer(found[id])


def _among(filter: Filter, statuses: Collection[object]) -> Filter:
    return replace(filter, statuses=filter.statuses.intersection(statuses))
